"""A network of one's own as the graph that everything else takes: names, edges and signs, and no truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import networkx as nx
import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.wiring import NODE_TYPES, edges_by_type, hetero_data

NO_TRUTH = "a network of one's own has no {}, since nobody knows which pathways and edges are true"


@dataclass(frozen=True)
class OwnGraph(PathwayGraph):
    """A graph whose pathways are what someone believes: sets that may overlap and leave nodes out.

    ``edges`` are all edges as given; ``sets`` is the membership (P, N), and ``signs`` has the sign of those edges
    whose sign is known. What only a simulation has (the true pathway of each node, spurious edges) raises ValueError.
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
        return f"OwnGraph: {sizes}, {len(self.all_edges)} edges, {self.n_pathways} sets"

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """Node names by type."""
        return {t: [node.name for node in self.nodes if node.type == t] for t in NODE_TYPES}

    @cached_property
    def edge_index_dict(self) -> dict[tuple, torch.Tensor]:
        """Edges as (2, E) indices into the node lists, by edge type."""
        return edges_by_type(self.all_edges, self.names)

    @property
    def n_pathways(self) -> int:
        """P, the number of sets."""
        return 0 if self.sets is None else self.sets.shape[0]

    def membership(self) -> torch.Tensor:
        """The sets as a dense membership (P, N); rows may overlap, weights may be negative."""
        if self.sets is None:
            raise ValueError("no sets were given with this network, so it has no membership")
        return self.sets.to_dense()

    def networkx(self, spurious: bool = True) -> nx.DiGraph:
        """The graph for networkx; nodes carry type and pos, edges their sign (0 where it is not known)."""
        G = nx.DiGraph()
        for node in self.nodes:
            G.add_node(node.name, type=node.type, pos=node.position)
        kept = self.all_edges if validate.flag("spurious", spurious) else self.edges
        G.add_edges_from((u, v, {"sign": self.signs.get((u, v), 0)}) for u, v in kept)
        return G

    def hetero_data(self):
        """The graph for PyG and for ``GSNN``."""
        return hetero_data(self.edge_index_dict, self.names)

    def with_spurious_edges(self, count: int, seed: int | np.random.Generator) -> PathwayGraph:
        """Add ``count`` function-function edges that the graph lacks, drawn without replacement, to see what they cost.

        Raises ValueError if fewer than ``count`` such edges are left to draw from.
        """
        count, rng = validate.integer("count", count, 0), validate.generator(seed)
        names, taken = self.function_nodes, set(self.all_edges)
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
        return replace(self, spurious_edges=self.spurious_edges + tuple(drawn))

    def with_crosstalk_edges(self, count: int, seed: int | np.random.Generator) -> PathwayGraph:
        """Not for a network of one's own: raises ValueError."""
        raise ValueError(NO_TRUTH.format("true cross-talk to draw"))

    @property
    def labels(self) -> np.ndarray:
        """Not for a network of one's own, whose sets may overlap and leave nodes out: raises ValueError."""
        raise ValueError(NO_TRUTH.format("single true pathway for each node") + "; compare with membership() instead")

    @property
    def function_edge_is_true(self) -> np.ndarray:
        """Not for a network of one's own: raises ValueError."""
        raise ValueError(NO_TRUTH.format("list of true edges"))

    @property
    def function_edge_is_crosstalk(self) -> np.ndarray:
        """Not for a network of one's own: raises ValueError."""
        raise ValueError(NO_TRUTH.format("true cross-talk"))

    @property
    def chain_positions(self) -> np.ndarray:
        """Not for a network of one's own: raises ValueError."""
        raise ValueError(NO_TRUTH.format("chains"))

    @property
    def middle_nodes(self) -> np.ndarray:
        """Not for a network of one's own: raises ValueError."""
        raise ValueError(NO_TRUTH.format("chains, so no middle node to hide"))

    def without_spurious_edges(self) -> PathwayGraph:
        """Not for a network of one's own: raises ValueError."""
        raise ValueError(NO_TRUTH.format("true graph, so there is no oracle"))
