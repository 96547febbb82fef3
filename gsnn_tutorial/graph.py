"""The pathway graph: which nodes there are, how they are wired, and which work together.

Inputs feed a pathway's first function node, a chain of function nodes hands the signal on, and the last one
feeds the outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.wiring import NODE_TYPES, Edge, Graph, Node

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class PathwayGraph(Graph):
    """A graph with the truth about it: the pathway of each node, the true edges, and spurious ones.

    ``edges`` carry the signal of the simulation. We call those that join two pathways *cross-talk*.
    ``spurious_edges`` are in the graph that we give a model, but they carry nothing; they come after the true ones.

    Raises ValueError for a repeated name or edge, and for an edge of a type that a GSNN does not have.
    """

    spurious_edges: tuple[Edge, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "spurious_edges", tuple(validate.pairs("spurious_edges", self.spurious_edges)))
        super().__post_init__()

    def __str__(self):
        sizes = ", ".join(f"{len(self.names[t])} {t} nodes" for t in NODE_TYPES)
        crosstalk = int(self.function_edge_is_crosstalk.sum())
        return (
            f"PathwayGraph: {self.n_pathways} pathways, {sizes}, {len(self.edges)} true "
            + (f"({crosstalk} of them cross-talk) " if crosstalk else "")
            + f"and {len(self.spurious_edges)} spurious edges"
        )

    @property
    def all_edges(self) -> tuple[Edge, ...]:
        """True edges, then spurious ones."""
        return self.edges + self.spurious_edges

    def keeping(self, wanted: Callable[[Edge], bool]) -> PathwayGraph:
        """The graph with those of its edges, true or spurious, that are wanted."""
        return replace(super().keeping(wanted), spurious_edges=tuple(filter(wanted, self.spurious_edges)))

    @property
    def n_pathways(self) -> int:
        """P, the number of pathways."""
        return len({node.pathway for node in self.nodes})

    @property
    def labels(self) -> np.ndarray:
        """Pathway of each function node, (N,)."""
        return np.array([node.pathway for node in self.nodes if node.type == "function"])

    @property
    def function_edge_is_true(self) -> np.ndarray:
        """For each function-function edge: True if it carries signal, False if it is spurious."""
        functions = set(self.function_nodes)
        return np.array(
            [i < len(self.edges) for i, edge in enumerate(self.all_edges) if functions.issuperset(edge)], dtype=bool
        )

    @property
    def function_edge_is_crosstalk(self) -> np.ndarray:
        """For each function-function edge: True if it carries signal from one pathway to another."""
        source, target = self.labels[self.edge_index_dict["function", "to", "function"].numpy()]
        return self.function_edge_is_true & (source != target)

    @property
    def chain_positions(self) -> np.ndarray:
        """Each function node's place among those of its pathway, in the order of the nodes: 0, 1, ...; (N,)."""
        return pd.Series(self.labels).groupby(self.labels).cumcount().to_numpy()

    @property
    def middle_nodes(self) -> np.ndarray:
        """The middle node of each pathway's chain, position length // 2, as a mask; (N,)."""
        length = pd.Series(self.labels).groupby(self.labels).transform("size").to_numpy()
        return self.chain_positions == length // 2

    def membership(self) -> torch.Tensor:
        """Membership matrix M, (P, N): M[p, i] = 1 if function node i belongs to pathway p."""
        pathways = np.unique([node.pathway for node in self.nodes])
        return torch.tensor(pathways[:, None] == self.labels[None, :], dtype=torch.float32)

    def networkx(self, spurious: bool = True) -> nx.DiGraph:
        """The graph for networkx; nodes carry type, pathway and pos, edges whether they are spurious."""
        G = nx.DiGraph()
        for node in self.nodes:
            G.add_node(node.name, type=node.type, pathway=node.pathway, pos=node.position)
        G.add_edges_from(self.edges, spurious=False)
        if validate.flag("spurious", spurious):
            G.add_edges_from(self.spurious_edges, spurious=True)
        return G

    def hetero_data(self) -> HeteroData:
        """The graph for PyG and for ``GSNN``, spurious edges included, after the true ones."""
        data = super().hetero_data()
        data["function"].pathway = torch.as_tensor(self.labels)
        data["function", "to", "function"].is_true = torch.as_tensor(self.function_edge_is_true)
        return data

    def without_spurious_edges(self) -> PathwayGraph:
        """The true graph, cross-talk included."""
        return replace(self, spurious_edges=())

    def with_spurious_edges(self, count: int, seed: int | np.random.Generator) -> PathwayGraph:
        """Add ``count`` function-function edges between pathways, drawn without replacement.

        Raises ValueError if fewer than ``count`` such edges are left to draw from.
        """
        drawn = self._draw_between_pathways(count, seed)
        return replace(self, spurious_edges=self.spurious_edges + drawn)

    def with_crosstalk_edges(self, count: int, seed: int | np.random.Generator) -> PathwayGraph:
        """Add ``count`` *true* edges between pathways, drawn without replacement.

        They run forward: from position i of one pathway's chain to a later position j > i of another's.
        So no cycle arises, no path gets longer than a chain, and a chain's first node, the one that
        applies a nonlinear function in the simulation, hears from its inputs only.

        Raises ValueError if fewer than ``count`` such edges are left to draw from.
        """
        position = self.chain_positions
        drawn = self._draw_between_pathways(count, seed, position[:, None] < position[None, :], " that run forward")
        return replace(self, edges=self.edges + drawn)

    def _draw_between_pathways(self, count, seed, allowed=True, which: str = "") -> tuple[Edge, ...]:
        """``count`` function-function edges that the graph lacks, between pathways and where ``allowed`` (N, N)."""
        count = validate.integer("count", count, 0)
        free = (self.labels[:, None] != self.labels[None, :]) & allowed  # (N, N): ordered pairs across pathways
        taken = self.edge_index_dict["function", "to", "function"].numpy()
        free[taken[0], taken[1]] = False
        # The free pairs are numbered row by row. Their list, of millions for thousands of nodes, is never written out.
        end, total = free.sum(1).cumsum(), int(free.sum())
        if count > total:
            raise ValueError(f"count must be at most {total}, the free edges between pathways{which}; got {count}")
        drawn = validate.generator(seed).choice(total, size=count, replace=False)
        source = np.searchsorted(end, drawn, side="right")
        target = [np.flatnonzero(free[i])[number - end[i]] for i, number in zip(source, drawn)]  # counted from the end
        names = self.function_nodes
        return tuple((names[i], names[j]) for i, j in zip(source, target))


def pathway_graph(K: int = 4, n_in: int = 2, n_func: int = 3, n_out: int = 2) -> PathwayGraph:
    """K separate pathways: inputs feed the first of a chain of functions, and the last one feeds outputs.

    Arguments: the number of pathways, and of each pathway's input, function and output nodes.
    """
    for name, value in [("K", K), ("n_in", n_in), ("n_func", n_func), ("n_out", n_out)]:
        validate.integer(name, value, 1)
    nodes, edges = {t: [] for t in NODE_TYPES}, []
    for p in range(K):
        centre = 2.5 * p
        ins = [Node(f"in_{p}_{i}", "input", p, (centre + _spread(i, n_in), 1.0)) for i in range(n_in)]
        functions = [Node(f"f_{p}_{j}", "function", p, (centre, -float(j))) for j in range(n_func)]
        outs = [Node(f"out_{p}_{k}", "output", p, (centre + _spread(k, n_out), -float(n_func))) for k in range(n_out)]
        edges += [(u.name, functions[0].name) for u in ins]
        edges += [(u.name, v.name) for u, v in zip(functions, functions[1:])]
        edges += [(functions[-1].name, v.name) for v in outs]
        for t, group in zip(NODE_TYPES, (ins, functions, outs)):
            nodes[t] += group
    return PathwayGraph(tuple(nodes["input"] + nodes["function"] + nodes["output"]), tuple(edges))


def _spread(index: int, count: int, width: float = 2.1) -> float:
    """Horizontal offset of one of ``count`` nodes that share a row."""
    return width * ((index + 0.5) / count - 0.5)
