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
from gsnn_tutorial.study.own.sheets import Sheet, asked_columns, read_sheet, text_of
from gsnn_tutorial.validate import arrays

SOURCE = ("source", "source_genesymbol", "from", "tf", "regulator", "node1", "a", "cause", "parent")
TARGET = ("target", "target_genesymbol", "to", "gene", "node2", "b", "effect", "child")
SIGN = ("sign", "mor", "weight", "consensus_sign", "interaction", "relation", "effect_sign", "effect")
STIMULATES = ("consensus_stimulation", "is_stimulation", "stimulation")
INHIBITS = ("consensus_inhibition", "is_inhibition", "inhibition")
DIRECTED = ("consensus_direction", "is_directed", "directed")
POSITIVE = (
    "1",
    "+",
    "->",
    "-->",
    "activation",
    "activates",
    "stimulation",
    "stimulates",
    "up",
    "positive",
    "pos",
    "true",
)
NEGATIVE = ("-1", "-", "-|", "--|", "inhibition", "inhibits", "represses", "repression", "down", "negative", "neg")


def sign_of(word: str) -> float:
    """+1, -1, or 0 for a word that says nothing of a sign."""
    word = word.strip().casefold()
    if word in POSITIVE:
        return 1.0
    if word in NEGATIVE:
        return -1.0
    try:
        value = float(word)
    except ValueError:
        return 0.0
    return float(np.sign(value)) if np.isfinite(value) else 0.0


def read_edges(source, findings: Findings, columns=None, sep: str | None = None) -> pd.DataFrame:
    """The edges of a network: source, target, sign (+1, -1, or 0 where it is not known).

    What is given twice is kept once; an edge from a node to itself is dropped, since a GSNN gives every function node
    one; an edge that is said not to be directed is taken both ways; a sign that is contradicted becomes 0. All of that
    is counted in ``findings``.

    Arguments
        source: a CSV, TSV or SIF file, a DataFrame, or a networkx.DiGraph whose edges may have a ``sign``.
        columns: {'source': ..., 'target': ..., 'sign': ...}, for columns that are called otherwise than usual.
        sep: what separates the columns; None takes it from the file.

    Raises ValueError, with file and line, for an edge without an end, and where no edge is left.
    """
    asked = asked_columns(columns, ("source", "target", "sign"))
    if isinstance(source, nx.Graph):
        edges = _of_graph(source)
    elif isinstance(source, (str, Path)) and Path(source).suffix.lower() == ".sif":
        edges = _of_sif(Path(source))
    else:
        edges = _of_sheet(read_sheet(source, "network", sep), asked, findings)
    return _cleaned(edges, findings)


def _of_graph(G: nx.Graph) -> pd.DataFrame:
    validate.digraph(G)
    rows = [(str(u), str(v), sign_of(str(sign))) for u, v, sign in G.edges.data("sign", default=0)]
    return pd.DataFrame(rows, columns=["source", "target", "sign"])


def _of_sif(path: Path) -> pd.DataFrame:
    """Lines of source, relation, target, target, ...; one name alone is a node without edges."""
    rows = []
    for number, line in enumerate(text_of(path, "network").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in re.split("\t" if "\t" in line else r"\s+", line.strip())]
        if len(fields) == 2 or not all(fields):
            raise ValueError(
                f"{path}, line {number}: a line of a SIF is source, relation, target, target, ..., separated by tabs "
                f"or blanks; got {arrays.shown(line)}"
            )
        rows += [(fields[0], target, sign_of(fields[1])) for target in fields[2:]]
    return pd.DataFrame(rows, columns=["source", "target", "sign"])


def _of_sheet(sheet: Sheet, asked: dict, findings: Findings) -> pd.DataFrame:
    source = sheet.column(asked.get("source"), SOURCE, "source")
    target = sheet.column(asked.get("target"), TARGET, "target")
    if source == target:
        raise ValueError(f"{sheet.name}: source and target must be two columns, got {source!r} for both")
    sign = sheet.column(asked.get("sign"), SIGN, "sign", optional=True)
    frame, flags = sheet.frame, []
    edges = pd.DataFrame({"source": frame[source], "target": frame[target]})
    for row in np.flatnonzero((edges == "").any(axis=1))[:1]:
        raise ValueError(f"{sheet.where(row)}: an edge must have a source and a target, got {tuple(edges.iloc[row])}")
    if sign is not None:
        edges["sign"] = frame[sign].map(sign_of)
        words = frame[sign][(edges["sign"] == 0) & ~frame[sign].isin(["", "0"])]
        findings.add("network", f"edges whose {sign!r} says no sign", words.unique(), count=len(words))
    else:
        flags = up, down = [sheet.column(None, names, "sign", optional=True) for names in (STIMULATES, INHIBITS)]
        edges["sign"] = (_flag(frame, up) - _flag(frame, down)).astype(float)
    directed = sheet.column(None, DIRECTED, "direction", optional=True)
    if directed is not None:
        both = edges[~_flag(frame, directed).astype(bool)]
        findings.add("network", "edges without a direction, taken both ways", _shown(both), "changed")
        turned = both.rename(columns={"source": "target", "target": "source"})
        edges = pd.concat([edges, turned], ignore_index=True)
    used = {source, target, sign, directed, *flags}
    findings.add("network", "columns of the network that are not used", [c for c in frame if c not in used], "dropped")
    return edges[["source", "target", "sign"]]


def _flag(frame: pd.DataFrame, column: str | None) -> pd.Series:
    """1 where a column says yes."""
    if column is None:
        return pd.Series(0, index=frame.index)
    return frame[column].str.casefold().isin(["1", "1.0", "true", "yes"]).astype(int)


def _cleaned(edges: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    findings.add("network", "edges read", count=len(edges), done="used")
    own = edges["source"] == edges["target"]
    findings.add("network", "edges from a node to itself (a GSNN adds these)", _shown(edges[own]), "dropped")
    edges = edges[~own]
    same = edges.groupby(["source", "target"], sort=False)["sign"]
    merged = same.agg(["min", "max", "size"]).reset_index()
    twice = merged[merged["size"] > 1]
    findings.add("network", "repeats of an edge, kept once", _shown(twice), "dropped", count=len(edges) - len(merged))
    against = merged[(merged["min"] < 0) & (merged["max"] > 0)]
    findings.add("network", "edges whose repeats contradict each other in sign, taken as unsigned", _shown(against),
                 "changed")  # fmt: skip
    sign = np.where((merged["min"] < 0) & (merged["max"] > 0), 0.0, np.where(merged["min"] < 0, -1.0, merged["max"]))
    edges = merged[["source", "target"]].assign(sign=sign)
    if not len(edges):
        raise ValueError("network must have at least one edge between two different nodes, got none")
    nodes = list(dict.fromkeys([*edges["source"], *edges["target"]]))
    findings.add("network", "nodes", count=len(nodes), done="used")
    findings.add("network", "edges between two nodes", count=len(edges), done="used")
    findings.add("network", "of them negative", _shown(edges[edges["sign"] < 0]), "used")
    findings.add("network", "of them without a sign", _shown(edges[edges["sign"] == 0]), "used")
    alike = Names(nodes).alike
    findings.add("network", "groups of nodes whose names differ in case or blanks only, kept apart",
                 [" / ".join(group) for group in alike])  # fmt: skip
    G = nx.DiGraph(list(zip(edges["source"], edges["target"])))
    loops = [part for part in nx.strongly_connected_components(G) if len(part) > 1]
    findings.add(
        "network", "nodes in feedback loops (cycles are allowed: a signal goes round once per layer)",
        sorted(set().union(*loops)) if loops else [],
    )  # fmt: skip
    parts = nx.number_weakly_connected_components(G)
    findings.add("network", "separate parts that no edge joins", count=parts if parts > 1 else 0)
    return edges


def _shown(edges: pd.DataFrame) -> list[str]:
    return [f"{u} -> {v}" for u, v in zip(edges["source"], edges["target"])]
