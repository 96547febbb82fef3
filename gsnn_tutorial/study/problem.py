"""A problem is a size; a draw is what one seed makes of it: a graph, data, and a control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph, pathway_graph
from gsnn_tutorial.simulation import noise_floor, pathway_functions, simulate, standardize
from gsnn_tutorial.study.priors.memberships import exchanged_membership, shuffled_membership
from gsnn_tutorial.wiring import Graph

# A seed's random streams: independent of each other, so that using one more changes nothing in the others.
# A stream's place in this list makes it what it is: new ones are added at the end.
STREAMS = ("edges", "data", "shuffle", "wrong", "connected", "random_edges", "recombination")


def stream(seed: int, name: str) -> np.random.Generator:
    """The start of one of ``STREAMS``: the child of the seed that its place in the list numbers."""
    place = STREAMS.index(validate.choice("name", name, STREAMS))
    return np.random.default_rng(np.random.SeedSequence(validate.integer("seed", seed, 0), spawn_key=(place,)))


@dataclass(frozen=True)
class Draw:
    """Everything that the arms of one seed share.

    ``x_*`` (samples, inputs) and ``y_*`` (samples, outputs) are float32, y standardised by the training rows.
    ``shuffled`` is the control's membership matrix, (P, N). ``floor`` is the test MSE of the exact conditional mean,
    the price of noise alone; NaN where nobody knows it. ``seed`` is the seed that made it, and ``membership`` the sets
    that a regularizer is given, (P, N): the truth, unless the problem has wrong members. ``groups`` names, for each
    training row, a group that must not be torn apart when rows are held out; None: each row alone.
    """

    graph: Graph
    x_train: torch.Tensor
    y_train: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor
    shuffled: torch.Tensor
    floor: float
    seed: int = 0
    membership: torch.Tensor | None = None
    groups: np.ndarray | None = None

    def __post_init__(self):
        if self.membership is None:
            object.__setattr__(self, "membership", self.graph.membership())

    @property
    def hidden(self) -> np.ndarray:
        """The nodes that a held-out arm does not know of: the middle one of each chain, (N,)."""
        return validate.instance("graph", self.graph, PathwayGraph, ", which has chains").middle_nodes

    def stream(self, name: str) -> np.random.Generator:
        """The start of one of ``STREAMS``."""
        return stream(self.seed, name)


@runtime_checkable
class Drawn(Protocol):
    """Anything that makes a draw of a seed, so that a study takes it: ``Problem``, ``World``, ``OwnProblem``.

    ``n_train`` is the number of training rows, ``n_function`` that of function nodes, and ``hops`` the most function
    nodes on a path from an input to an output, as far as models must hear. Three more attributes are optional:
    ``graph``, where it is the same for every seed, ``depth``, the usual number of layers, and ``described``, the
    settings that stand beside a study's table.
    """

    n_train: int
    n_function: int
    hops: int

    def draw(self, seed: int) -> Draw:
        """One seed's graph, data and memberships."""


def drawn(problem) -> Drawn:
    """Return ``problem`` if it can be drawn, or raise TypeError."""
    if isinstance(problem, type) or not isinstance(problem, Drawn):
        raise TypeError(f"problem must make a draw of a seed, as a Problem or a World; got {type(problem).__name__}")
    return problem


@dataclass(frozen=True)
class Sizes:
    """Sizes that every simulated problem has; see ``Problem`` and ``World``."""

    K: int = 4
    n_in: int = 2
    n_func: int = 3
    n_out: int = 2
    n_spurious: int = 8
    n_train: int = 256
    n_test: int = 1024
    noise_scale: float = 0.3

    def __post_init__(self):
        validate.integer("n_train", self.n_train, 2)
        validate.integer("n_test", self.n_test, 2)
        validate.number("noise_scale", self.noise_scale, 0)

    @property
    def hops(self) -> int:
        """The most function nodes on a path from an input to an output."""
        return self.n_func

    @property
    def n_function(self) -> int:
        """N, the number of function nodes."""
        return self.K * self.n_func

    def _draw(self, seed: int, graph, membership, told, rng, functions, run=simulate, floor=noise_floor) -> Draw:
        """The draw of a graph: ``run`` makes its data, and ``floor`` the noise floor of the raw outputs."""
        x_train, x_test, y_train, y_test = run(
            graph.networkx(spurious=False), self.n_train, self.n_test, graph.input_nodes, graph.output_nodes,
            noise_scale=self.noise_scale, special_functions=functions, vectorized=True, seed=rng,
        )  # fmt: skip
        known = floor(graph, x_test, y_train, y_test)
        y_train, y_test = standardize(y_train, y_test)
        x_train, x_test = (torch.tensor(x, dtype=torch.float32) for x in (x_train, x_test))
        shuffled = shuffled_membership(membership, stream(seed, "shuffle"))
        return Draw(graph, x_train, y_train, x_test, y_test, shuffled, known, seed, told)


@dataclass(frozen=True)
class Problem(Sizes):
    """Sizes of the graph and of the data; the defaults are those of the published tutorial.

    Arguments
        K, n_in, n_func, n_out: pathways, and input, function and output nodes of each.
        n_spurious: edges between pathways that a model is given and that carry no signal.
        n_train, n_test: samples.
        noise_scale: standard deviation of each node around its mean.
        n_crosstalk: true edges between pathways, see ``PathwayGraph.with_crosstalk_edges``.
        wrong: share of the function nodes that a regularizer takes for members of another pathway than their
            own; round(wrong * N) nodes, see ``exchanged_membership``. The control is a shuffle of the truth.
    """

    n_crosstalk: int = 0
    wrong: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        validate.integer("n_spurious", self.n_spurious, 0)
        pathway_graph(self.K, self.n_in, self.n_func, self.n_out)  # says at once which size cannot be
        forward = self.K * (self.K - 1) * self.n_func * (self.n_func - 1) // 2
        if validate.integer("n_crosstalk", self.n_crosstalk, 0) > forward:
            raise ValueError(
                f"n_crosstalk must be at most {forward}, the edges between pathways that run forward; "
                f"got {self.n_crosstalk}"
            )
        free = self.n_function**2 - self.K * self.n_func**2 - self.n_crosstalk
        if self.n_spurious > free:
            raise ValueError(f"n_spurious must be at most {free}, the edges between pathways; got {self.n_spurious}")
        validate.number("wrong", self.wrong, 0, 1)
        if self.wrong and (self.K < 2 or self.n_wrong < 2):
            raise ValueError(
                f"wrong={self.wrong} of {self.n_function} function nodes in {self.K} pathways leaves none to "
                "exchange pathways: give at least two pathways, and a share of two nodes"
            )

    @property
    def n_wrong(self) -> int:
        """The number of function nodes that have a wrong membership."""
        return round(self.wrong * self.n_function)

    def draw_graph(self, seed: int | np.random.Generator) -> PathwayGraph:
        """The pathways, with spurious edges drawn from ``seed``, and cross-talk from a child of it."""
        rng = validate.generator(seed)
        graph = pathway_graph(self.K, self.n_in, self.n_func, self.n_out)
        if self.n_crosstalk:
            graph = graph.with_crosstalk_edges(self.n_crosstalk, rng.spawn(1)[0])
        return graph.with_spurious_edges(self.n_spurious, rng)

    def draw(self, seed: int) -> Draw:
        """One seed's graph, data and memberships, each from a random stream of its own."""
        graph = self.draw_graph(stream(seed, "edges"))
        membership = graph.membership()
        told = exchanged_membership(membership, self.n_wrong, stream(seed, "wrong"))
        return self._draw(seed, graph, membership, told, stream(seed, "data"), pathway_functions(graph))
