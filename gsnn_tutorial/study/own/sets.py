"""Gene sets: GMT, a table of set and member, or a dict; over the nodes of a network, as a membership (P, N)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse

from gsnn_tutorial import validate
from gsnn_tutorial.study.own.findings import Findings
from gsnn_tutorial.study.own.names import RULE, Names
from gsnn_tutorial.study.own.sheets import asked_columns, read_sheet, text_of
from gsnn_tutorial.validate import arrays

SET = ("set", "source", "pathway", "geneset", "gene_set", "term", "gs_name", "collection")
MEMBER = ("member", "target", "gene", "genesymbol", "gene_symbol", "symbol", "node")
WEIGHT = ("weight", "mor", "sign")


def read_sets(source, columns=None, sep: str | None = None) -> pd.DataFrame:
    """Members of gene sets: set, member, weight, one row for each.

    Arguments
        source: a GMT file (name, description, members, separated by tabs), a CSV or TSV file or a DataFrame with a
            column of sets and one of members, or a dict {set: members} or {set: {member: weight}}.
        columns: {'set': ..., 'member': ..., 'weight': ...}, for columns that are called otherwise than usual.

    A negative weight is a member that falls where the others rise. Raises ValueError, with file and line.
    """
    asked = asked_columns(columns, ("set", "member", "weight"))
    if isinstance(source, Mapping):
        rows = _of_dict(source)
    elif isinstance(source, (str, Path)) and Path(source).name.lower().removesuffix(".gz").endswith(".gmt"):
        rows = _of_gmt(Path(source))
    else:
        rows = _of_sheet(source, asked, sep)
    if not rows:
        raise ValueError("sets must hold at least one set with a member, got none")
    return pd.DataFrame(rows, columns=["set", "member", "weight"])


def _of_dict(sets: Mapping) -> list[tuple]:
    rows = []
    for name, members in sets.items():
        if isinstance(members, str) or not isinstance(members, Iterable):
            raise TypeError(f"sets[{name!r}] must be a list of members, got {arrays.shown(members)}")
        weights = members if isinstance(members, Mapping) else dict.fromkeys(members, 1.0)
        rows += [
            (str(name), str(m), validate.number(f"sets[{name!r}][{m!r}]", w, -1e6, 1e6)) for m, w in weights.items()
        ]
    return rows


def _of_gmt(path: Path) -> list[tuple]:
    rows, first = [], {}
    for number, line in enumerate(text_of(path, "sets").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, *rest = (part.strip() for part in line.split("\t"))
        if len(rest) < 2 or not name:
            raise ValueError(
                f"{path}, line {number}: a line of a GMT is a name, a description and members, separated by tabs; got "
                f"{len(rest) + 1} column(s): {arrays.shown(line)}"
            )
        if name in first:
            raise ValueError(f"{path}, line {number}: the set {name!r} stands already in line {first[name]}")
        first[name] = number
        rows += [(name, member, 1.0) for member in rest[1:] if member]
    return rows


def _of_sheet(source, asked: dict, sep) -> list[tuple]:
    sheet = read_sheet(source, "sets", sep)
    name = sheet.column(asked.get("set"), SET, "set")
    member = sheet.column(asked.get("member"), MEMBER, "member")
    weight = sheet.column(asked.get("weight"), WEIGHT, "weight", optional=True)
    if name == member:
        raise ValueError(f"{sheet.name}: set and member must be two columns, got {name!r} for both")
    rows = []
    for row, values in enumerate(zip(sheet.frame[name], sheet.frame[member])):
        if not all(values):
            raise ValueError(f"{sheet.where(row)}: a row must have a set and a member, got {values}")
        text = sheet.frame[weight].iloc[row] if weight else "1"
        try:
            number = float(text)
        except ValueError:
            number = np.nan
        if not np.isfinite(number):
            raise ValueError(f"{sheet.where(row)}: the {weight} of a member must be a number, got {text!r}")
        rows.append((*values, number))
    return rows


def membership_of(
    members: pd.DataFrame, nodes: Sequence[str], findings: Findings, *, smallest: int = 2, largest: int | None = None,
    alike: float = 0.8,
) -> pd.DataFrame:  # fmt: skip
    """Sets over the nodes of a network: a DataFrame (P, N) of weights, rows named by sets, columns by nodes.

    Sets with fewer than ``smallest`` members in the network, or more than ``largest``, are dropped, and so is a set
    that has the members of another one; pairs whose Jaccard index, |A and B| / |A or B|, is ``alike`` or more are
    reported. Sets may overlap, and nodes may be in none.

    Raises ValueError where no set is left.
    """
    names, place = Names(nodes), {node: i for i, node in enumerate(nodes)}
    given = members["member"].drop_duplicates()
    found = {name: names.find(name) for name in given}
    sets = list(dict.fromkeys(members["set"]))
    findings.add("sets", "sets read", count=len(sets), done="used")
    findings.add("sets", f"members found by the rule ({RULE})", [f"{a} = {b}" for a, b in names.loose.items()], "used")
    findings.add("sets", "members that fit several nodes but for case", list(names.unclear), "dropped")
    lost = [name for name in given if found[name] is None and name not in names.unclear]
    findings.add("sets", f"of {len(given)} genes in the sets are not in the network", lost, "dropped")
    kept = members.assign(node=members["member"].map(found)).dropna(subset=["node"])
    findings.add("sets", "members with weight 0", kept["member"][kept["weight"] == 0], "dropped")
    kept = kept[kept["weight"] != 0]
    repeated = kept.duplicated(["set", "node"])
    findings.add("sets", "repeats of a member in its set, kept once", kept["member"][repeated], "dropped")
    kept = kept[~repeated]
    row = pd.Categorical(kept["set"], categories=sets).codes
    M = scipy.sparse.csr_matrix(
        (kept["weight"].to_numpy(float), (row, kept["node"].map(place).to_numpy(int))), shape=(len(sets), len(nodes))
    )
    size = np.diff(M.indptr)
    small, large = size < smallest, size > (largest or len(nodes))
    findings.add("sets", "sets without a member in the network: nothing of them can be used", 
                 [s for s, n in zip(sets, size) if n == 0], "dropped")  # fmt: skip
    findings.add("sets", f"sets with fewer than {smallest} members in the network",
                 [f"{s} ({n})" for s, n in zip(sets, size) if 0 < n < smallest], "dropped")  # fmt: skip
    findings.add("sets", f"sets with more than {largest} members in the network",
                 [f"{s} ({n})" for s, n in zip(sets, size) if n > (largest or len(nodes))], "dropped")  # fmt: skip
    chosen = np.flatnonzero(~small & ~large)
    chosen = _without_twins(M, chosen, sets, findings)
    if not len(chosen):
        raise ValueError(
            f"sets: none of {len(sets)} has {smallest} members or more among the {len(nodes)} nodes of the network; "
            f"members such as {', '.join(map(repr, given[:3]))}, nodes such as {', '.join(map(repr, nodes[:3]))}. "
            "Are both the same kind of identifier?"
        )
    M = M[chosen]
    _alike(M, [sets[i] for i in chosen], alike, findings)
    count = np.asarray((M != 0).sum(0)).ravel()
    findings.add("sets", "sets used", [sets[i] for i in chosen], "used")
    findings.add(
        "sets", "nodes in more than one set (overlap is allowed)", [nodes[i] for i in np.flatnonzero(count > 1)]
    )
    findings.add("sets", "nodes in no set (allowed)", [nodes[i] for i in np.flatnonzero(count == 0)])
    findings.add("sets", "members with a negative weight", count=int((M.data < 0).sum()), done="used")
    return pd.DataFrame(M.toarray(), index=[sets[i] for i in chosen], columns=list(nodes))


def _without_twins(M, chosen: np.ndarray, sets: list[str], findings: Findings) -> np.ndarray:
    """Those of the chosen sets that have not the members of an earlier one."""
    seen, kept, twins = {}, [], []
    for i in chosen:
        row = M[[i]]
        row.sort_indices()
        key = (row.indices.tobytes(), row.data.tobytes())
        if key in seen:
            twins.append(f"{sets[i]} = {sets[seen[key]]}")
        else:
            seen[key] = i
            kept.append(i)
    findings.add("sets", "sets with the same members as another", twins, "dropped")
    return np.array(kept, dtype=int)


def _alike(M, names: list[str], alike: float, findings: Findings):
    """Report pairs of sets with a high Jaccard index; both stay."""
    member = (M != 0).astype(float)
    both = scipy.sparse.triu(member @ member.T, k=1).tocoo()
    size = np.asarray(member.sum(1)).ravel()
    jaccard = both.data / (size[both.row] + size[both.col] - both.data)
    order = np.argsort(-jaccard)
    pairs = [f"{names[both.row[k]]} ~ {names[both.col[k]]} ({jaccard[k]:.2f})" for k in order if jaccard[k] >= alike]
    findings.add("sets", f"pairs of sets that are alike (Jaccard index {alike:g} or more), both kept", pairs)
