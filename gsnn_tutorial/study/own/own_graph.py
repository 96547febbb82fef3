"""A reader's own network as a graph: names, edges and their signs, and the sets that someone believes in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import networkx as nx
import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.wiring import NODE_TYPES, Graph


@dataclass(frozen=True)
class OwnGraph(Graph):
    """A graph of which nobody knows the true pathways: sets may overlap and leave nodes out.

    ``sets`` is the membership (P, N), and ``signs`` has the sign of those edges whose sign is known.
    """

    sets: torch.Tensor | None = field(default=None, compare=False, repr=False)
    signs: dict | None = field(default=None, compare=False, repr=False)

    def __post_init__(self):
        super().__post_init__()
        nodes = len(self.function_nodes)
        M = validate.membership(self.sets, nodes, signed=True) if self.sets is not None else None
        object.__setattr__(self, "sets", M)
        object.__setattr__(self, "signs", validate.mapping("signs", self.signs))

    def __str__(self):
        sizes = ", ".join(f"{len(self.names[t])} {t} nodes" for t in NODE_TYPES)
        return f"OwnGraph: {sizes}, {len(self.edges)} edges, {self.n_pathways} sets"

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """Node names by type; sorted out once, since a reader's network may be large."""
        return super().names

    @cached_property
    def edge_index_dict(self) -> dict[tuple, torch.Tensor]:
        """Edges as (2, E) indices into the node lists, by edge type; looked up once."""
        return super().edge_index_dict

    @property
    def n_pathways(self) -> int:
        """P, the number of sets."""
        return 0 if self.sets is None else self.sets.shape[0]

    def membership(self) -> torch.Tensor:
        """The sets as a dense membership (P, N); rows may overlap, weights may be negative."""
        if self.sets is None:
            raise ValueError("no sets were given with this network, so it has no membership")
        return self.sets.to_dense()

    def networkx(self) -> nx.DiGraph:
        """The graph for networkx; nodes carry type and pos, edges their sign (0 where it is not known)."""
        G = nx.DiGraph()
        for node in self.nodes:
            G.add_node(node.name, type=node.type, pos=node.position)
        G.add_edges_from((u, v, {"sign": self.signs.get((u, v), 0)}) for u, v in self.edges)
        return G

    def with_random_edges(self, count: int, seed: int | np.random.Generator) -> OwnGraph:
        """Add ``count`` function-function edges that the graph lacks, drawn without replacement, to see what they cost.

        Raises ValueError if fewer than ``count`` such edges are left to draw from.
        """
        count, rng = validate.integer("count", count, 0), validate.generator(seed)
        names, taken = self.function_nodes, set(self.edges)
        N = len(names)
        inner = self.edge_index_dict["function", "to", "function"]
        left = N * (N - 1) - int((inner[0] != inner[1]).sum())
        if count > left:
            raise ValueError(f"count must be at most {left}, the edges that the graph lacks; got {count}")
        drawn: list[tuple[str, str]] = []
        while len(drawn) < count:
            i, j = (int(k) for k in rng.integers(N, size=2))
            edge = names[i], names[j]
            if i != j and edge not in taken:
                taken.add(edge)
                drawn.append(edge)
        return replace(self, edges=self.edges + tuple(drawn))


def path_signs(graph: OwnGraph, starts: Sequence[str]) -> dict[str, int]:
    """+1 or -1 for each function node that is reached: the product of the signs along a shortest path to it.

    ``starts`` are the inputs that paths begin at, such as stimuli. Edges whose sign is not known, those of inputs among
    them, count as +1. Of several shortest paths the one whose edges come first is taken. Raises ValueError for a start
    that is no input, and without any.
    """
    G = validate.instance("graph", graph, OwnGraph).networkx()
    starts = [validate.choice("starts", name, tuple(graph.input_nodes)) for name in validate.ordered("starts", starts)]
    if not starts:
        raise ValueError("starts must name at least one input, got none")
    signs = {}
    for node, path in nx.multi_source_dijkstra_path(G, starts).items():
        signs[node] = math.prod(G.edges[edge]["sign"] or 1 for edge in zip(path, path[1:]))
    return {name: signs[name] for name in graph.function_nodes if name in signs}


def signed_membership(graph: OwnGraph, starts: Sequence[str]) -> torch.Tensor:
    """The membership (P, N) with each weight times the ``path_signs`` of its node, if anything reaches it.

    A repressor is then a member that falls where the others rise.
    """
    signs = path_signs(graph, starts)
    return graph.membership() * torch.tensor([float(signs.get(name, 1)) for name in graph.function_nodes])
