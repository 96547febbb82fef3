"""A problem is a size; a draw is what one seed makes of it: a graph, data, and a control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph, pathway_graph, shuffled_membership
from gsnn_tutorial.simulate import noise_floor, pathway_functions, simulate, standardize


@dataclass(frozen=True)
class Draw:
    """Everything that the arms of one seed share.

    ``x_*`` (samples, inputs) and ``y_*`` (samples, outputs) are float32, y standardised by the
    training rows. ``shuffled`` is the control's membership matrix, (P, N). ``floor`` is the test MSE
    of the exact conditional mean: what noise alone costs.
    """

    graph: PathwayGraph
    x_train: torch.Tensor
    y_train: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor
    shuffled: torch.Tensor
    floor: float


@dataclass(frozen=True)
class Problem:
    """Sizes of the graph and of the data; the defaults are those of the published tutorial.

    Arguments
        K, n_in, n_func, n_out: pathways, and input, function and output nodes of each.
        n_spurious: edges between pathways that a model is given and that carry no signal.
        n_train, n_test: samples.
        noise_scale: standard deviation of each node around its mean.
    """

    K: int = 4
    n_in: int = 2
    n_func: int = 3
    n_out: int = 2
    n_spurious: int = 8
    n_train: int = 256
    n_test: int = 1024
    noise_scale: float = 0.3

    def __post_init__(self):
        validate.integer("n_spurious", self.n_spurious, 0)
        validate.integer("n_train", self.n_train, 2)
        validate.integer("n_test", self.n_test, 2)
        validate.number("noise_scale", self.noise_scale, 0)
        pathway_graph(self.K, self.n_in, self.n_func, self.n_out)  # says at once which size cannot be
        free = (self.K * self.n_func) ** 2 - self.K * self.n_func**2
        if self.n_spurious > free:
            raise ValueError(f"n_spurious must be at most {free}, the edges between pathways; got {self.n_spurious}")

    def draw_graph(self, seed: int | np.random.Generator) -> PathwayGraph:
        """The pathways, with spurious edges drawn from ``seed``."""
        graph = pathway_graph(self.K, self.n_in, self.n_func, self.n_out)
        return graph.with_spurious_edges(self.n_spurious, seed)

    def draw(self, seed: int) -> Draw:
        """One seed's graph, data and shuffled membership, each from a random stream of its own."""
        edges, data, shuffle = np.random.default_rng(validate.integer("seed", seed, 0)).spawn(3)
        graph = self.draw_graph(edges)
        x_train, x_test, y_train, y_test = simulate(
            graph.networkx(spurious=False),
            self.n_train,
            self.n_test,
            graph.input_nodes,
            graph.output_nodes,
            noise_scale=self.noise_scale,
            special_functions=pathway_functions(graph),
            vectorized=True,
            seed=data,
        )
        floor = noise_floor(graph, x_test, y_train, y_test)
        y_train, y_test = standardize(y_train, y_test)
        x_train, x_test = (torch.tensor(x, dtype=torch.float32) for x in (x_train, x_test))
        shuffled = shuffled_membership(graph.membership(), shuffle)
        return Draw(graph, x_train, y_train, x_test, y_test, shuffled, floor)
