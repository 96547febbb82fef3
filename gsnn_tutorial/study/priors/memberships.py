"""Sets that a regularizer may have instead of the pathways: partly wrong ones, and other sets of neighbours.

``shuffled_membership`` is the control that knows nothing. Its members are scattered over the graph, true ones are
neighbours: ``connected_membership`` and ``adjacency_membership`` know the graph, and not the pathways.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.wiring import Graph


def shuffled_membership(membership, seed: int | np.random.Generator) -> torch.Tensor:
    """Permute the columns of a membership matrix (P, N): same pathway sizes, random members.

    A draw that gives the same pathways again, in any order, is repeated.

    Raises ValueError where no permutation gives other pathways (one pathway, or single members).
    """
    M = validate.matrix("membership", membership, boolean=True).detach().cpu()
    rng = validate.generator(seed)
    true_pathways = sorted(M.tolist())
    for _ in range(1000):
        shuffled = M[:, torch.as_tensor(rng.permutation(M.shape[1]))]
        if sorted(shuffled.tolist()) != true_pathways:
            return shuffled
    raise ValueError(
        f"membership of shape {tuple(M.shape)} cannot be shuffled into other pathways of the same sizes: "
        "give at least two pathways, one of them with two members or more"
    )


def exchanged_membership(membership, count: int, seed: int | np.random.Generator) -> torch.Tensor:
    """Exchange the memberships of ``count`` random nodes among themselves: (P, N) with so many columns wrong.

    Sizes of pathways stay. Each of the nodes gets another membership than its own, as far as that
    is possible: with three or more pathways of the same size it is for ``count`` >= 2; with two
    pathways and an odd ``count`` one node keeps its own. (Two pathways that exchange all their nodes
    are the same two pathways again.)

    Raises ValueError for count = 1, since one node has none to exchange with.
    """
    M = validate.matrix("membership", membership, boolean=True).detach().cpu()
    nodes, rng = M.shape[1], validate.generator(seed)
    count = validate.integer("count", count, 0)
    if count == 1 or count > nodes:
        raise ValueError(f"count must be 0, or from 2 to {nodes}, the nodes; got {count}")
    if not count:
        return M.clone()
    kind = np.unique(M.numpy(), axis=1, return_inverse=True)[1].ravel()  # (N,): equal where memberships are
    for _ in range(1000):
        chosen = rng.permutation(nodes)[:count]
        if 2 * np.bincount(kind[chosen]).max() <= count:  # then all of them can change
            break
    giver = rng.permutation(chosen)
    for i in np.flatnonzero(kind[giver] == kind[chosen]):
        # Node i still has its own kind: it swaps with a node that neither is of that kind nor was given it.
        others = np.flatnonzero((kind[chosen] != kind[chosen[i]]) & (kind[giver] != kind[chosen[i]]))
        if kind[giver[i]] == kind[chosen[i]] and len(others):
            giver[[i, others[0]]] = giver[[others[0], i]]
    exchanged = M.clone()
    exchanged[:, chosen] = M[:, giver]
    return exchanged


def connected_membership(graph: Graph, seed: int | np.random.Generator) -> torch.Tensor:
    """As many sets as pathways, of their sizes, each connected in the graph as a model sees it, else random; (P, N).

    Edges count in both directions, spurious ones too. A set grows from one node, by one random
    neighbour after another; it starts at a node that is in the fewest sets so far, and a set that is a true
    pathway is grown once more, from another node if need be. So the sets may overlap, and some nodes are in
    none: where few edges join the pathways, sets that share no node would be the true ones but for a few.

    Raises ValueError where only true pathways are connected.
    """
    G, pathways = _neighbours(validate.instance("graph", graph, Graph))
    rng = validate.generator(seed)
    M = torch.zeros(len(pathways), len(G))
    for row, pathway in zip(M, pathways):
        starts = rng.permutation(len(G))
        starts = starts[np.argsort(M.sum(0).numpy()[starts], kind="stable")]
        for start in np.tile(starts, 20).tolist():
            members = _grown(G, start, len(pathway), rng)
            if len(members) == len(pathway) and members not in pathways:
                break
        else:
            raise ValueError(f"graph must have connected sets of {len(pathway)} function nodes that are no pathway")
        row[list(members)] = 1
    return M


def matched_membership(graph: PathwayGraph, seed: int | np.random.Generator) -> torch.Tensor:
    """The graph's nodes cut into connected sets of the pathways' sizes, each node in one of them; (P, N).

    This is the control that shares everything with disjoint pathways but their truth. As in ``connected_membership``
    edges count in both directions, spurious ones too. Sets grow one after the other from a random node that has the
    fewest neighbours left; a set that strands a node is grown once more. No set is a true pathway, unless one has
    to be (a chain that few spurious edges touch): then as few as 2,000 attempts for each number of them find.

    Raises ValueError where nothing but the pathways is found.
    """
    G, pathways = _neighbours(validate.instance("graph", graph, PathwayGraph))
    rng, sizes = validate.generator(seed), [len(pathway) for pathway in pathways]
    for unavoidable in range(len(sizes) - 1):
        sets = _cut(G, sizes, pathways, unavoidable, rng, iter(range(2000)))
        if sets is not None:
            return torch.tensor([[float(node in members) for node in sorted(G)] for members in sets])
    raise ValueError(f"graph must have connected sets of {sizes} function nodes that are not the pathways")


def _neighbours(graph: Graph) -> tuple[nx.Graph, list[frozenset[int]]]:
    """The function nodes and their edges without a direction, as a model sees them, and each pathway's members."""
    G = nx.Graph(graph.edge_index_dict["function", "to", "function"].T.tolist())
    G.add_nodes_from(range(len(graph.function_nodes)))
    return G, [frozenset(row.nonzero().flatten().tolist()) for row in graph.membership()]


def _cut(G, sizes: list[int], pathways: list, unavoidable: int, rng, attempts: Iterator) -> list[frozenset[int]] | None:
    """Disjoint connected sets that cover the graph, so many of them pathways at most; None without an attempt left."""
    if not sizes:
        return []
    degree = dict(G.degree)
    fewest = [node for node in G if degree[node] == min(degree.values())]
    for _ in range(10):
        if next(attempts, None) is None:
            return None
        members = _grown(G, int(rng.choice(fewest)), sizes[0], rng)
        left = unavoidable - (members in pathways)
        if len(members) < sizes[0] or left < 0:
            continue
        rest = G.subgraph(set(G) - members)
        smallest = min(map(len, nx.connected_components(rest)), default=sizes[0])
        others = None if smallest < min(sizes) else _cut(rest, sizes[1:], pathways, left, rng, attempts)
        if others is not None:
            return [members, *others]
    return None


def _grown(G: nx.Graph, start: int, size: int, rng: np.random.Generator) -> frozenset[int]:
    """A connected set of ``size`` nodes around ``start``, or all that it is connected to if those are fewer."""
    members = {start}
    while len(members) < size:
        border = sorted(set().union(*(G[node] for node in members)) - members)
        if not border:
            break
        members.add(int(rng.choice(border)))
    return frozenset(members)


def adjacency_membership(graph: Graph) -> torch.Tensor:
    """Each function-function edge that a model sees as a pathway of its two ends, spurious ones too; (E, N).

    Raises ValueError for a graph without such edges.
    """
    source, target = validate.instance("graph", graph, Graph).edge_index_dict["function", "to", "function"]
    source, target = source[source != target], target[source != target]
    if not len(source):
        raise ValueError("graph must have an edge between two function nodes, got none")
    M = torch.zeros(len(source), len(graph.function_nodes))
    rows = torch.arange(len(source))
    M[rows, source] = M[rows, target] = 1
    return M
