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
    ends = tuple(edges[end].map(place).to_numpy(int) for end in ("source", "target"))
    graph = scipy.sparse.csr_matrix((np.ones(len(edges)), ends), shape=(len(nodes), len(nodes)))
    rows = {}
    for name, entered in entry.items():
        starts = [place[node] for node in entered]
        rows[name] = scipy.sparse.csgraph.dijkstra(graph, unweighted=True, indices=starts, min_only=True) + 1
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(nodes), dtype=float)


def reach_of_outputs(
    edges: pd.DataFrame, heard: pd.DataFrame, entry: Mapping[str, Sequence[str]], exits: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """For each output: its nodes, how many inputs reach it, the nearest of them, the hops, and what would be needed.

    ``heard`` are the ``hops``. The column ``hops`` counts the function nodes on the way from the nearest input,
    ``farthest`` from the farthest one that reaches the output, inf where there is no way. ``needed`` names, for an
    output that no input reaches, the edges that would have to run the other way on the shortest path from an input, or
    says that no path exists even so.
    """
    rows, turned = [], None
    for name, read in exits.items():
        distance = heard[list(read)].min(axis=1)
        reached = distance[np.isfinite(distance)]
        nearest, hop, farthest, words = "", np.inf, np.inf, ""
        if len(reached):
            nearest, hop, farthest = reached.idxmin(), reached.min(), reached.max()
        else:
            turned = _turned(edges, heard.columns) if turned is None else turned
            words = _needed(turned, entry, read)
        missing = ", ".join(distance.index[~np.isfinite(distance)])
        rows.append((name, ", ".join(read), len(reached), nearest, hop, missing, words, farthest))
    columns = ["output", "node", "inputs", "nearest", "hops", "not from", "needed", "farthest"]
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
    length, paths = nx.multi_source_dijkstra(G, starts) if starts else ({}, {})
    best = min((node for node in read if node in length), key=length.get, default=None)
    if best is None:
        return f"an edge into {' or '.join(read)} from what an input reaches: no path leads there, even backwards"
    path = paths[best]
    backward = [f"{u} -> {v}" for u, v in zip(path, path[1:]) if G[u][v]["weight"] > 1]
    return f"{', '.join(backward)} (so far the other way), on {' -> '.join(path)}"


def report_reach(edges: pd.DataFrame, heard: pd.DataFrame, entry, exits, findings: Findings) -> pd.DataFrame:
    """Note in ``findings`` what no input reaches and what no output hears; returns ``reach_of_outputs``."""
    table, note = reach_of_outputs(edges, heard, entry, exits), findings.about("reach")
    deaf = table["needed"][table["inputs"] == 0]
    note("outputs that no input reaches (a model can give them only their mean); needed",
         [f"{name}: {words}" for name, words in deaf.items()])  # fmt: skip
    reached = np.isfinite(heard).any(axis=0)
    note("function nodes that no input reaches", heard.columns[~reached])
    G = nx.DiGraph(list(zip(edges["target"], edges["source"])))  # turned round: from the outputs back
    ends = {node for read in exits.values() for node in read}
    heeded = set(nx.multi_source_dijkstra_path_length(G, ends, weight=None))
    note("function nodes from which no output is reached", [node for node in heard if node not in heeded])
    missing = table["not from"][(table["inputs"] > 0) & (table["not from"] != "")]
    note("outputs that some inputs reach and others do not",
         [f"{name} (not from {inputs})" for name, inputs in missing.items()])  # fmt: skip
    finite = table["hops"][np.isfinite(table["hops"])]
    if len(finite):
        note("hops to the farthest output from its nearest input", [finite.idxmax()], count=int(finite.max()))
    return table
