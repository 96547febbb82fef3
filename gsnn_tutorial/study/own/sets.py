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
from gsnn_tutorial.study.own.sheets import called_columns, lines_of, read_sheet, text_of
from gsnn_tutorial.validate import arrays

USUAL = {
    "set": ("set", "source", "pathway", "geneset", "gene_set", "term", "gs_name", "collection"),
    "member": ("member", "target", "gene", "genesymbol", "gene_symbol", "symbol", "node"),
    "weight": ("weight", "mor", "sign"),
}


def read_sets(source, columns=None, sep: str | None = None) -> pd.DataFrame:
    """Members of gene sets: set, member, weight, one row for each.

    Arguments
        source: a GMT file (name, description, members, separated by tabs), a CSV or TSV file or a DataFrame with a
            column of sets and one of members, or a dict {set: members} or {set: {member: weight}}.
        columns: {'set': ..., 'member': ..., 'weight': ...}, for columns that are called otherwise than usual.

    A negative weight is a member that falls where the others rise. Raises ValueError, with file and line.
    """
    called = called_columns(columns, USUAL)
    if isinstance(source, Mapping):
        rows = _of_dict(source)
    elif isinstance(source, (str, Path)) and Path(source).name.lower().removesuffix(".gz").endswith(".gmt"):
        rows = _of_gmt(Path(source))
    else:
        rows = _of_sheet(source, called, sep)
    if not rows:
        raise ValueError("sets must hold at least one set with a member, got none")
    return pd.DataFrame(rows, columns=["set", "member", "weight"])


def _of_dict(sets: Mapping) -> list[tuple]:
    rows = []
    for name, members in sets.items():
        if isinstance(members, str) or not isinstance(members, Iterable):
            raise TypeError(f"sets[{name!r}] must be a list of members, got {arrays.shown(members)}")
        weights = members if isinstance(members, Mapping) else dict.fromkeys(members, 1.0)
        for member, weight in weights.items():
            weight = validate.number(f"sets[{name!r}][{member!r}]", weight, -1e6, 1e6)
            rows.append((str(name), str(member), weight))
    return rows


def _of_gmt(path: Path) -> list[tuple]:
    rows, first = [], {}
    for number, line in lines_of(text_of(path, "sets")):
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


def _of_sheet(source, called: dict, sep) -> list[tuple]:
    sheet = read_sheet(source, "sets", sep)
    column = sheet.columns(called, USUAL, optional="weight")
    weights = sheet.frame[column["weight"]] if column["weight"] else ["1"] * len(sheet.frame)
    numbers = pd.to_numeric(pd.Series(weights), errors="coerce")
    rows = list(zip(sheet.frame[column["set"]], sheet.frame[column["member"]], numbers))
    for row, (name, member, number) in enumerate(rows):
        if not (name and member):
            raise ValueError(f"{sheet.where(row)}: a row must have a set and a member, got {(name, member)}")
        if not np.isfinite(number):
            text = weights[row]
            raise ValueError(f"{sheet.where(row)}: the {column['weight']} of a member must be a number, got {text!r}")
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
    note, names = findings.about("sets"), Names(nodes)
    given = members["member"].unique()
    found = {name: names.find(name) for name in given}
    sets = {name: {} for name in members["set"]}  # the weight of each set's nodes
    note("sets read", count=len(sets), done="used")
    note(f"members found by the rule ({RULE})", names.loose, "used")
    note("members that fit several nodes but for case", names.unclear, "dropped")
    lost = [name for name in given if found[name] is None and name not in names.unclear]
    note(f"of {len(given)} genes in the sets are not in the network", lost, "dropped")
    weightless, repeated = [], []
    for name, member, weight in members[["set", "member", "weight"]].itertuples(index=False):
        node = found[member]
        if node is None:
            continue
        if not weight:
            weightless.append(member)
        elif node in sets[name]:
            repeated.append(member)
        else:
            sets[name][node] = weight
    note("members with weight 0", weightless, "dropped")
    note("repeats of a member in its set, kept once", repeated, "dropped")
    size, limit = {name: len(of) for name, of in sets.items()}, largest or len(nodes)
    none = [name for name in sets if not size[name]]
    small = [f"{name} ({n})" for name, n in size.items() if 0 < n < smallest]
    large = [f"{name} ({n})" for name, n in size.items() if n > limit]
    note("sets without a member in the network: nothing of them can be used", none, "dropped")
    note(f"sets with fewer than {smallest} members in the network", small, "dropped")
    note(f"sets with more than {largest} members in the network", large, "dropped")
    first, twins = {}, []
    for name, of in sets.items():
        if smallest <= size[name] <= limit and first.setdefault(frozenset(of.items()), name) != name:
            twins.append(f"{name} = {first[frozenset(of.items())]}")
    note("sets with the same members as another", twins, "dropped")
    used = list(first.values())
    if not used:
        raise ValueError(
            f"sets: none of {len(sets)} has {smallest} members or more among the {len(nodes)} nodes of the network; "
            f"members such as {', '.join(map(repr, given[:3]))}, nodes such as {', '.join(map(repr, nodes[:3]))}. "
            "Are both the same kind of identifier?"
        )
    place, weights = {node: i for i, node in enumerate(nodes)}, np.zeros((len(used), len(nodes)))
    for row, name in zip(weights, used):
        row[[place[node] for node in sets[name]]] = list(sets[name].values())
    M = pd.DataFrame(weights, index=used, columns=list(nodes))
    _report_alike(M, alike, note)
    count = (M != 0).sum()
    note("sets used", used, "used")
    note("nodes in more than one set (overlap is allowed)", count.index[count > 1])
    note("nodes in no set (allowed)", count.index[count == 0])
    note("members with a negative weight", count=int((M < 0).to_numpy().sum()), done="used")
    return M


def _report_alike(M: pd.DataFrame, alike: float, note):
    """Report pairs of sets with a high Jaccard index; both stay."""
    member = scipy.sparse.csr_matrix(M.to_numpy() != 0, dtype=float)  # sparse, since pairs of sets may be very many
    both = scipy.sparse.triu(member @ member.T, k=1).tocoo()
    size = np.asarray(member.sum(1)).ravel()
    jaccard = both.data / (size[both.row] + size[both.col] - both.data)
    order = np.argsort(-jaccard)
    pairs = [
        f"{M.index[both.row[k]]} ~ {M.index[both.col[k]]} ({jaccard[k]:.2f})" for k in order if jaccard[k] >= alike
    ]
    note(f"pairs of sets that are alike (Jaccard index {alike:g} or more), both kept", pairs)
