"""Worlds that break the prior's assumption by degrees, where ``Problem`` realises it exactly.

In a ``Problem`` each pathway is a chain with one latent value: its inputs enter at the head, its outputs leave at the
tail, nobody is a member of two pathways, and every member passes on what it hears. A ``World`` lets go of this:

    branching   a function node hears from any earlier node of its pathway, and not only from the one before it
    inside      inputs enter, and outputs leave, anywhere along the pathway
    overlap     a function node belongs to a second pathway too, and hears from one of its nodes
    partial     a member acts only in some samples: it passes on max(0, sum of its parents)
    crosstalk   true edges run between pathways, of which no membership knows

and, with ``dynamics="rest"``, of the plain sum: node v follows

    dv = (f_v(parents) - v) dt + noise_scale sqrt(2) dW,    f_v = 1.5 tanh(sum of parents) by default

from v = 0 until it is at rest; the state at the end is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph, pathway_graph
from gsnn_tutorial.simulation import pathway_functions, simulate
from gsnn_tutorial.study.problem import Draw, Sizes, stream

DYNAMICS = ("sum", "rest")
STEP, STEPS = 0.05, 200  # ten time constants: what the start was is forgotten


def half_wave(parents):
    """The sum where it is above 0, else 0: a member that acts in half of the samples."""
    return np.maximum(0, sum(parents))


def saturating(parents):
    """1.5 tanh(sum): what an ordinary node of a world at rest is drawn to."""
    return 1.5 * np.tanh(sum(parents))


@dataclass(frozen=True)
class World(Sizes):
    """Sizes as in ``Problem``, and shares that say how far the prior's assumption is broken.

    Arguments
        K, n_in, n_func, n_out, n_spurious, n_train, n_test, noise_scale: as in ``Problem``.
        branching, inside, overlap, partial: shares, 0 to 1, of the nodes or edges that break it; 0 is a ``Problem``.
        n_crosstalk: true edges between pathways.
        dynamics: 'sum', or 'rest' for a stochastic differential equation that is run to rest.

    Raises ValueError for a share that is none, and for sizes that cannot be.
    """

    K: int = 8
    n_func: int = 4
    n_spurious: int = 32
    n_train: int = 128
    branching: float = 0.0
    inside: float = 0.0
    overlap: float = 0.0
    partial: float = 0.0
    n_crosstalk: int = 0
    dynamics: str = "sum"

    def __post_init__(self):
        super().__post_init__()
        for name in ("branching", "inside", "overlap", "partial"):
            validate.number(name, getattr(self, name), 0, 1)
        validate.choice("dynamics", self.dynamics, DYNAMICS)
        self.draw_graph(0)  # says at once which size cannot be

    def draw_graph(self, seed: int | np.random.Generator) -> tuple[PathwayGraph, torch.Tensor]:
        """The graph, and the membership (P, N), in which a node of two pathways has two rows."""
        rng = validate.generator(seed)
        graph = pathway_graph(self.K, self.n_in, self.n_func, self.n_out)
        edges = tuple(edge for p in range(self.K) for edge in self._pathway_edges(p, rng))
        graph, membership = replace(graph, edges=edges), graph.membership()
        second = {}
        for i in range(self.n_function):
            pathway, place = divmod(i, self.n_func)
            if self.K > 1 and place and rng.random() < self.overlap:
                other = (pathway + 1 + int(rng.integers(self.K - 1))) % self.K
                membership[other, i] = 1
                second[f"f_{other}_{int(rng.integers(place))}", f"f_{pathway}_{place}"] = None
        graph = replace(graph, edges=graph.edges + tuple(second))
        if self.n_crosstalk:
            graph = graph.with_crosstalk_edges(self.n_crosstalk, rng)
        return graph.with_spurious_edges(self.n_spurious, rng), membership

    def _pathway_edges(self, p: int, rng: np.random.Generator):
        """One pathway's true edges: the first input at the head and the first output at the tail, always."""
        functions = [f"f_{p}_{j}" for j in range(self.n_func)]

        def somewhere(share: float, usual: int, among: int) -> str:
            return functions[int(rng.integers(among)) if rng.random() < share else usual]

        for i in range(self.n_in):
            yield f"in_{p}_{i}", somewhere(self.inside, 0, self.n_func) if i else functions[0]
        for j in range(1, self.n_func):
            yield somewhere(self.branching, j - 1, j), functions[j]
        for k in range(self.n_out):
            yield somewhere(self.inside, self.n_func - 1, self.n_func) if k else functions[-1], f"out_{p}_{k}"

    def draw(self, seed: int) -> Draw:
        """One seed's graph, data and memberships. ``floor`` is NaN: the conditional mean has no closed form here."""
        graph, membership = self.draw_graph(stream(seed, "edges"))
        rng = stream(seed, "data")
        run = simulate if self.dynamics == "sum" else simulate_at_rest
        functions = self._functions(graph, rng)
        return self._draw(seed, graph, membership, membership, rng, functions, run, floor=lambda *data: float("nan"))

    def _functions(self, graph: PathwayGraph, rng: np.random.Generator) -> dict:
        """The nonlinearity of each pathway's head, and the members that act in part."""
        functions = {}
        for name in graph.function_nodes:
            if rng.random() < self.partial:
                functions[name] = half_wave
        return functions | pathway_functions(graph)


def simulate_at_rest(
    G: nx.DiGraph, n_train: int, n_test: int, input_nodes, output_nodes, *,
    noise_scale: float = 1.0, special_functions=None, vectorized: bool = True, seed=None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """``simulate`` where every node but the inputs follows dv = (f_v(parents) - v) dt + noise_scale sqrt(2) dW.

    Euler and Maruyama's scheme, 200 steps of 0.05, from v = 0, all nodes at once; at rest a node's own noise has the
    standard deviation ``noise_scale``. Functions take arrays, as with ``vectorized=True``.

    Raises ValueError for a state that is not finite.
    """
    rng, functions = validate.generator(seed), dict(special_functions or {})
    order = [node for node in nx.topological_sort(G) if node not in set(input_nodes)]
    inputs = rng.standard_normal((n_train + n_test, len(input_nodes)))
    state = dict(zip(input_nodes, inputs.T)) | {node: np.zeros(len(inputs)) for node in order}
    for _ in range(STEPS):
        pull = {}
        for node in order:
            parents = [state[parent] for parent in G.predecessors(node)]
            pull[node] = functions.get(node, saturating)(parents) if parents else 0.0
        for node in order:
            noise = noise_scale * np.sqrt(2 * STEP) * rng.standard_normal(len(inputs))
            state[node] = state[node] + STEP * (pull[node] - state[node]) + noise
    outputs = np.stack([state[node] for node in output_nodes], axis=1)
    if not np.isfinite(outputs).all():
        raise ValueError("special_functions must keep the state finite; an output became infinite or NaN")
    return inputs[:n_train], inputs[n_train:], outputs[:n_train], outputs[n_train:]
