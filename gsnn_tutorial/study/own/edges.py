"""An edge list: CSV, TSV or SIF, a DataFrame or a networkx graph, as unique directed edges with a sign."""

from __future__ import annotations

import re
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.study.own.findings import Findings
from gsnn_tutorial.study.own.names import Names
from gsnn_tutorial.study.own.sheets import Sheet, called_columns, lines_of, read_sheet, text_of
from gsnn_tutorial.validate import arrays

USUAL = {
    "source": ("source", "source_genesymbol", "from", "tf", "regulator", "node1", "a", "cause", "parent"),
    "target": ("target", "target_genesymbol", "to", "gene", "node2", "b", "effect", "child"),
    "sign": ("sign", "mor", "weight", "consensus_sign", "interaction", "relation", "effect_sign", "effect"),
}
STIMULATES = ("consensus_stimulation", "is_stimulation", "stimulation")
INHIBITS = ("consensus_inhibition", "is_inhibition", "inhibition")
DIRECTED = ("consensus_direction", "is_directed", "directed")
POSITIVE = (
    "1", "+", "->", "-->", "activation", "activates", "stimulation", "stimulates", "up", "positive", "pos", "true",
)  # fmt: skip
NEGATIVE = ("-1", "-", "-|", "--|", "inhibition", "inhibits", "represses", "repression", "down", "negative", "neg")
SIGNS = dict.fromkeys(POSITIVE, 1.0) | dict.fromkeys(NEGATIVE, -1.0)


def sign_of(word: str) -> float:
    """+1, -1, or 0 for a word that says nothing of a sign."""
    word = word.strip().casefold()
    try:
        value = SIGNS[word] if word in SIGNS else float(word)
    except ValueError:
        return 0.0
    return float(np.sign(value)) if np.isfinite(value) else 0.0


def read_edges(source, findings: Findings, columns=None, sep: str | None = None) -> pd.DataFrame:
    """The edges of a network: source, target, sign (+1, -1, or 0 where it is not known).

    An edge that is given twice is kept once; an edge from a node to itself is dropped, since a GSNN gives every
    function node one; an edge that is marked as undirected is taken both ways; a sign that is contradicted becomes 0.
    All of that is counted in ``findings``.

    Arguments
        source: a CSV, TSV or SIF file, a DataFrame, or a networkx.DiGraph whose edges may have a ``sign``.
        columns: {'source': ..., 'target': ..., 'sign': ...}, for columns that are called otherwise than usual.
        sep: what separates the columns; None takes it from the file.

    Raises ValueError, with file and line, for an edge without an end, and where no edge is left.
    """
    called = called_columns(columns, USUAL)
    if isinstance(source, nx.Graph):
        signs = validate.digraph(source).edges.data("sign", default=0)
        edges = _frame([(str(u), str(v), sign_of(str(sign))) for u, v, sign in signs])
    elif isinstance(source, (str, Path)) and Path(source).suffix.lower() == ".sif":
        edges = _of_sif(Path(source))
    else:
        edges = _of_sheet(read_sheet(source, "network", sep), called, findings)
    return _cleaned(edges, findings)


def _frame(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["source", "target", "sign"])


def _of_sif(path: Path) -> pd.DataFrame:
    """Lines of source, relation, target, target, ...; one name alone is a node without edges."""
    rows = []
    for number, line in lines_of(text_of(path, "network")):
        fields = [field.strip() for field in re.split("\t" if "\t" in line else r"\s+", line.strip())]
        if len(fields) == 2 or not all(fields):
            raise ValueError(
                f"{path}, line {number}: a line of a SIF is source, relation, target, target, ..., separated by tabs "
                f"or blanks; got {arrays.shown(line)}"
            )
        rows += [(fields[0], target, sign_of(fields[1])) for target in fields[2:]]
    return _frame(rows)


def _of_sheet(sheet: Sheet, called: dict, findings: Findings) -> pd.DataFrame:
    note, frame = findings.about("network"), sheet.frame
    column = sheet.columns(called, USUAL, optional="sign")
    edges = frame[[column["source"], column["target"]]].set_axis(["source", "target"], axis=1)
    for row in np.flatnonzero((edges == "").any(axis=1))[:1]:
        raise ValueError(f"{sheet.where(row)}: an edge must have a source and a target, got {tuple(edges.iloc[row])}")
    flags = {
        what: sheet.column(None, usual, what, optional=True)
        for what, usual in (("up", STIMULATES), ("down", INHIBITS), ("directed", DIRECTED))
    }
    if sign := column["sign"]:  # it counts more than the two columns of OmniPath, which then are not used
        flags |= {"up": None, "down": None}
        edges["sign"] = frame[sign].map(sign_of)
        words = frame[sign][(edges["sign"] == 0) & ~frame[sign].isin(["", "0"])]
        note(f"edges whose {sign!r} says no sign", words.unique(), count=len(words))
    else:
        edges["sign"] = (_flag(frame, flags["up"]) - _flag(frame, flags["down"])).astype(float)
    if flags["directed"]:
        both = edges[_flag(frame, flags["directed"]) == 0]
        note("edges without a direction, taken both ways", _shown(both), "changed")
        turned = both.rename(columns={"source": "target", "target": "source"})
        edges = pd.concat([edges, turned], ignore_index=True)
    used = {*column.values(), *flags.values()}
    note("columns of the network that are not used", [c for c in frame if c not in used], "dropped")
    return edges


def _flag(frame: pd.DataFrame, column: str | None) -> pd.Series:
    """1 for the rows in which a column says yes."""
    yes = frame[column].str.casefold().isin(["1", "1.0", "true", "yes"]) if column else pd.Series(0, frame.index)
    return yes.astype(int)


def _cleaned(edges: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    note = findings.about("network")
    note("edges read", count=len(edges), done="used")
    own = edges["source"] == edges["target"]
    note("edges from a node to itself (a GSNN adds these)", _shown(edges[own]), "dropped")
    same = edges[~own].groupby(["source", "target"], sort=False)["sign"]
    merged = same.agg(["min", "max", "size"]).reset_index()
    twice = _shown(merged[merged["size"] > 1])
    note("repeats of an edge, kept once", twice, "dropped", count=int((~own).sum()) - len(merged))
    against = merged[merged["min"] * merged["max"] < 0]
    note("edges whose repeats contradict each other in sign, taken as unsigned", _shown(against), "changed")
    # Repeats without a sign (0) say nothing against one with a sign; +1 and -1 add up to 0.
    edges = merged[["source", "target"]].assign(sign=np.sign(merged["min"] + merged["max"]))
    if not len(edges):
        raise ValueError("network must have at least one edge between two different nodes, got none")
    nodes = nodes_of(edges)
    note("nodes", count=len(nodes), done="used")
    note("edges between two nodes", count=len(edges), done="used")
    note("of them negative", _shown(edges[edges["sign"] < 0]), "used")
    note("of them without a sign", _shown(edges[edges["sign"] == 0]), "used")
    alike = [" / ".join(group) for group in Names(nodes).alike]
    note("groups of nodes whose names differ in case or blanks only, kept apart", alike)
    G = nx.DiGraph(list(zip(edges["source"], edges["target"])))
    loops = [node for part in nx.strongly_connected_components(G) if len(part) > 1 for node in part]
    note("nodes in feedback loops (cycles are allowed: a signal goes round once per layer)", sorted(loops))
    parts = nx.number_weakly_connected_components(G)
    note("separate parts that no edge joins", count=parts if parts > 1 else 0)
    return edges


def nodes_of(edges: pd.DataFrame) -> list[str]:
    """The nodes that the edges join, in their order."""
    return list(dict.fromkeys([*edges["source"], *edges["target"]]))


def _shown(edges: pd.DataFrame) -> list[str]:
    return [f"{u} -> {v}" for u, v in zip(edges["source"], edges["target"])]
