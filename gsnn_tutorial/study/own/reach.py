"""The reach of inputs: hops to every node, outputs that no input reaches, and the path that would be needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd
import scipy.sparse
import scipy.sparse.csgraph

from gsnn_tutorial.study.own.findings import Findings


def hops(edges: pd.DataFrame, nodes: Sequence[str], entry: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The function nodes that a signal passes from each input to each node, itself included: (inputs, N); inf: no way.

    An input that enters a node directly passes 1 there: so many layers it takes until the node has heard of it.
    """
    place = {node: i for i, node in enumerate(nodes)}
    source, target = (edges[end].map(place).to_numpy(int) for end in ("source", "target"))
    graph = scipy.sparse.csr_matrix((np.ones(len(edges)), (source, target)), shape=(len(nodes), len(nodes)))
    entered = sorted({place[node] for group in entry.values() for node in group})
    if entered:
        distance = scipy.sparse.csgraph.dijkstra(graph, unweighted=True, indices=entered)  # (entered, N)
    row = {node: i for i, node in enumerate(entered)}
    rows = {
        name: distance[[row[place[node]] for node in group]].min(0) + 1 if group else np.full(len(nodes), np.inf)
        for name, group in entry.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(nodes), dtype=float)


def reach_of_outputs(
    edges: pd.DataFrame, nodes: Sequence[str], entry: Mapping[str, Sequence[str]], exits: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """For each output: its nodes, how many inputs reach it, the nearest of them, the hops, and what would be needed.

    ``hops`` counts the function nodes on the way, inf where there is no way. ``needed`` says, for an output that no
    input reaches, which edges would have to run the other way on the shortest path from an input, or else that no
    path exists even so.
    """
    heard = hops(edges, nodes, entry)
    rows, needed = [], None
    for name, read in exits.items():
        distance = heard[list(read)].min(axis=1)
        nearest = distance.min() if len(distance) else np.inf
        reached = distance.index[np.isfinite(distance)]
        if not len(reached) and needed is None:
            needed = _turned(edges, nodes)
        words = "" if len(reached) else _needed(needed, entry, read)
        rows.append((name, ", ".join(read), len(reached), distance.idxmin() if len(reached) else "", nearest,
                     ", ".join(i for i in heard.index if i not in set(reached)), words))  # fmt: skip
    columns = ["output", "node", "inputs", "nearest", "hops", "not from", "needed"]
    return pd.DataFrame(rows, columns=columns).set_index("output")


def _turned(edges: pd.DataFrame, nodes) -> nx.DiGraph:
    """The graph in which an edge may be walked backwards too, at the price of a thousand forward ones."""
    G = nx.DiGraph()
    G.add_nodes_from(nodes)
    pairs = list(zip(edges["source"], edges["target"]))
    G.add_weighted_edges_from([(v, u, 1001) for u, v in pairs])
    G.add_weighted_edges_from([(u, v, 1) for u, v in pairs])
    return G


def _needed(G: nx.DiGraph, entry, read) -> str:
    starts = list(dict.fromkeys(node for entered in entry.values() for node in entered))  # in their order: ties too
    best = None
    length, paths = nx.multi_source_dijkstra(G, starts) if starts else ({}, {})
    for node in read:
        if node in length and (best is None or length[node] < best[0]):
            best = length[node], paths[node]
    if best is None:
        return f"an edge into {' or '.join(read)} from what an input reaches: no path leads there, even backwards"
    backward = [f"{u} -> {v}" for u, v in zip(best[1], best[1][1:]) if G[u][v]["weight"] > 1]
    return f"{', '.join(backward)} (so far the other way), on {' -> '.join(best[1])}"


def report_reach(edges, nodes, entry, exits, findings: Findings) -> pd.DataFrame:
    """Note in ``findings`` what no input reaches and what no output hears; returns ``reach_of_outputs``."""
    table = reach_of_outputs(edges, nodes, entry, exits)
    deaf = table[table["inputs"] == 0]
    findings.add("reach", "outputs that no input reaches (a model can give them only their mean); needed",
                 [f"{name}: {words}" for name, words in deaf["needed"].items()])  # fmt: skip
    heard = np.isfinite(hops(edges, nodes, entry).min(axis=0)) if entry else pd.Series(False, index=list(nodes))
    findings.add("reach", "function nodes that no input reaches", [node for node in nodes if not heard[node]])
    G = nx.DiGraph(list(zip(edges["target"], edges["source"])))
    G.add_nodes_from(nodes)
    ends = {node for read in exits.values() for node in read}
    heeded = set(nx.multi_source_dijkstra_path_length(G, ends, weight=None))
    findings.add("reach", "function nodes from which no output is reached", [n for n in nodes if n not in heeded])
    missing = table[(table["inputs"] > 0) & (table["not from"] != "")]
    findings.add("reach", "outputs that some inputs reach and others do not",
                 [f"{name} (not from {inputs})" for name, inputs in missing["not from"].items()])  # fmt: skip
    finite = table["hops"][np.isfinite(table["hops"])]
    if len(finite):
        findings.add("reach", "hops to the farthest output from its nearest input", [finite.idxmax()],
                     count=int(finite.max()))  # fmt: skip
    return table
