"""Wiring: named nodes by type and edges by type, which is all that a GSNN needs to know of a graph.

There are three types of nodes: *input* (observed values enter), *function* (a small neural unit each) and *output*
(values leave). Three types of edges connect them: input to function, function to function, function to output.
Nodes are lists of names, edges are (2, E) pairs of places in those lists.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import networkx as nx
import torch

from gsnn_tutorial import validate

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

NODE_TYPES = ("input", "function", "output")
EDGE_TYPES = (
    ("input", "to", "function"),
    ("function", "to", "function"),
    ("function", "to", "output"),
)


Edge = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """A named node, its type, its pathway (None where nobody knows it), and the place where a figure draws it."""

    name: str
    type: str
    pathway: int | None
    position: tuple[float, float]


@dataclass(frozen=True)
class Graph(ABC):
    """Named nodes of three types and the edges between them: a graph without a secret.

    Every matrix that we make from the graph has its nodes and edges in this order.

    Raises ValueError for a repeated name or edge, and for an edge of a type that a GSNN does not have.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self):
        object.__setattr__(self, "nodes", tuple(validate.ordered("nodes", self.nodes)))
        object.__setattr__(self, "edges", tuple(validate.pairs("edges", self.edges)))
        for node in self.nodes:
            validate.instance("every one of nodes", node, Node)
            validate.choice(f"type of node {node.name!r}", node.type, NODE_TYPES)
        self.edge_index_dict  # an edge that cannot be is found here

    @property
    def names(self) -> dict[str, list[str]]:
        """Node names by type."""
        return {t: [node.name for node in self.nodes if node.type == t] for t in NODE_TYPES}

    @property
    def input_nodes(self) -> list[str]:
        """Names of the input nodes, in the order of the columns of x."""
        return self.names["input"]

    @property
    def function_nodes(self) -> list[str]:
        """Names of the function nodes, in the order of the columns of a membership matrix."""
        return self.names["function"]

    @property
    def output_nodes(self) -> list[str]:
        """Names of the output nodes, in the order of the columns of y."""
        return self.names["output"]

    @property
    def all_edges(self) -> tuple[Edge, ...]:
        """All edges that a model is given."""
        return self.edges

    @property
    def edge_index_dict(self) -> dict[tuple, torch.Tensor]:
        """All edges as (2, E) indices into the node lists, by edge type."""
        return edges_by_type(self.all_edges, self.names)

    def keeping(self, wanted: Callable[[Edge], bool]) -> Graph:
        """The graph with those of its edges that are wanted."""
        return replace(self, edges=tuple(filter(wanted, self.edges)))

    @abstractmethod
    def membership(self) -> torch.Tensor:
        """The sets of function nodes that a regularizer may be given, (P, N)."""

    def hetero_data(self) -> HeteroData:
        """The graph for PyG and for ``GSNN``."""
        return hetero_data(self.edge_index_dict, self.names)


def nx2pyg(G: nx.DiGraph, input_nodes, function_nodes, output_nodes) -> HeteroData:
    """Sort a directed graph's edges by type, for PyG and for ``GSNN``.

    The result has ``edge_index_dict`` with the keys of ``EDGE_TYPES`` and ``node_names_dict``
    with those of ``NODE_TYPES``. Nodes keep the order of the given lists, edges that of G.

    Raises ValueError for a node in two lists, in none, or not in G, and for an edge of another type.
    """
    validate.digraph(G)
    lists = zip(NODE_TYPES, (input_nodes, function_nodes, output_nodes))
    names = {t: validate.ordered(f"{t}_nodes", nodes) for t, nodes in lists}
    strangers = [name for group in names.values() for name in group if name not in G]
    if strangers:
        raise ValueError(f"every listed node must be a node of G; {strangers[0]!r} is not")
    listed = set().union(*names.values())
    unlisted = [node for node in G if node not in listed]
    if unlisted:
        raise ValueError(
            f"every node of G must be in input_nodes, function_nodes or output_nodes; {unlisted[0]!r} is in none"
        )
    return hetero_data(edges_by_type(G.edges, names), names)


def hetero_data(edge_index_dict, names: dict[str, list[str]]) -> HeteroData:
    """Names and edges by type as PyG keeps them."""
    from torch_geometric.data import HeteroData  # here, since it takes seconds to import

    data = HeteroData()
    for t in NODE_TYPES:
        data[t].num_nodes = len(names[t])
        data[t].node_names = list(names[t])
    for edge_type, edge_index in edge_index_dict.items():
        data[edge_type].edge_index = edge_index
    return data


def edges_by_type(edges, names: dict[str, list[str]]) -> dict[tuple, torch.Tensor]:
    """Pairs of names as (2, E) places in the lists of names, by edge type, in the order given.

    Raises ValueError for a name that no node has or that is listed twice, for an edge of another type, and for a
    repeated edge.
    """
    check_names(names)
    place = {name: (t, i) for t in NODE_TYPES for i, name in enumerate(names[t])}
    pairs = {edge_type: [] for edge_type in EDGE_TYPES}
    for u, v in edges:
        for end in (u, v):
            if end not in place:
                raise ValueError(f"edge {u!r} -> {v!r} ends in {end!r}, which is not a node")
        (source_type, i), (target_type, j) = place[u], place[v]
        if (source_type, "to", target_type) not in pairs:
            raise ValueError(
                f"edge {u!r} -> {v!r} runs from {source_type} to {target_type}; a GSNN has only edges "
                "from input to function, function to function and function to output"
            )
        pairs[source_type, "to", target_type].append((i, j))
    for edge_type, found in pairs.items():
        repeated = [pair for pair, times in Counter(found).items() if times > 1]
        if repeated:
            i, j = repeated[0]
            raise ValueError(f"edge {names[edge_type[0]][i]!r} -> {names[edge_type[2]][j]!r} is listed twice")
    return {t: torch.tensor(found, dtype=torch.long).reshape(-1, 2).t().contiguous() for t, found in pairs.items()}


def check_names(names: dict[str, list]):
    """Raise ValueError if a node is listed twice, in one list or in two."""
    everyone = Counter(name for t in NODE_TYPES for name in names[t])
    twice = [name for name, times in everyone.items() if times > 1]
    if twice:
        raise ValueError(f"a node has one type and one place; {twice[0]!r} is listed {everyone[twice[0]]} times")


def checked_names(node_names_dict) -> dict[str, list[str]]:
    """Node names by type as lists, at least one of each type and none twice, or ValueError."""
    _need("node_names_dict", node_names_dict, NODE_TYPES)
    names = {t: validate.ordered(f"node_names_dict[{t!r}]", node_names_dict[t]) for t in NODE_TYPES}
    for t in NODE_TYPES:
        if not names[t]:
            raise ValueError(f"node_names_dict[{t!r}] must name at least one node, got none")
    check_names(names)
    return names


def checked_edges(edge_index_dict, names: dict[str, list[str]]) -> dict[tuple, torch.Tensor]:
    """Edges by type as int64 pairs on the CPU that index ``names``, at least one and none twice, or ValueError."""
    validate.instance("edge_index_dict", edge_index_dict, Mapping)
    extra = [key for key in edge_index_dict if key not in EDGE_TYPES]
    if extra:
        raise ValueError(f"edge_index_dict has edges of type {extra[0]}; a GSNN has only {list(EDGE_TYPES)}")
    _need("edge_index_dict", edge_index_dict, EDGE_TYPES)
    checked = {}
    for edge_type in EDGE_TYPES:
        source, _, target = edge_type
        name = f"edge_index_dict[{edge_type}]"
        index = validate.index_pairs(name, edge_index_dict[edge_type])
        size = torch.tensor([[len(names[source])], [len(names[target])]])
        outside = ((index < 0) | (index >= size)).any(0)
        if outside.any():
            raise ValueError(
                f"{name} must index {len(names[source])} {source} nodes and {len(names[target])} {target} nodes, "
                f"got the pair {index[:, outside][:, 0].tolist()}"
            )
        if torch.unique(index, dim=1).shape[1] < index.shape[1]:
            raise ValueError(f"{name} must list every edge once, got a repeated one")
        checked[edge_type] = index.clone()
    return checked


def fingerprint(names: dict[str, list], edge_index: torch.Tensor) -> torch.Tensor:
    """32 bytes that change if the nodes, the edges or the order of either are different."""
    everyone = [(t, str(name)) for t in NODE_TYPES for name in names[t]]
    digest = hashlib.sha256(repr(everyone).encode() + edge_index.cpu().numpy().tobytes()).digest()
    return torch.tensor(list(digest), dtype=torch.uint8, device=edge_index.device)


def _need(name: str, given, keys):
    validate.instance(name, given, Mapping)
    missing = [key for key in keys if key not in given]
    if missing:
        raise ValueError(f"{name} must have the keys {list(keys)}; {missing[0]!r} is missing")
