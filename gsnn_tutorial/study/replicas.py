"""A replica is one arm of one seed; the replicas of a block are trained side by side, as one union."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch

from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.metrics import METRICS, USUAL_MEASURES, Subject, measure
from gsnn_tutorial.study.problem import Draw, Problem
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.union_regularizer import disjoint_union
from gsnn_tutorial.training import train


class Replica:
    """One arm of one seed: its model from the seed's initial weights, and its regularizer if it has one.

    Arguments
        draw, seed: what the seed drew, and the seed, of which the initial weights are drawn.
        name: the arm's, in ``ARMS``.
        recipe, layers: how the model is built.
    """

    def __init__(self, draw: Draw, seed: int, name: str, recipe: Recipe, layers: int):
        self.draw, self.seed, self.arm = draw, seed, ARMS[name]
        self.graph = self.arm.graph(draw)
        self.membership = self.regularizer = None
        weights = torch.Generator().manual_seed(seed)
        self.model = GSNN(
            self.graph.edge_index_dict, self.graph.names, recipe.channels, layers, node_mlp=False, generator=weights
        )
        if self.arm.membership is not None:
            self.membership = self.arm.membership(draw)
            self.regularizer = self.arm.regularizer(self.model, self.membership, draw, recipe, weights)

    def evaluate(self, measures: str | Sequence[str] = USUAL_MEASURES) -> dict:
        """The replica's row of the table."""
        row = {"seed": self.seed, "arm": self.arm.name, "diverged": False, "floor": self.draw.floor}
        subject = Subject(self.model, self.graph, self.draw, self.membership)
        row["test_mse"] = METRICS["test_mse"].compute(subject)
        if not np.isfinite(row["test_mse"]):
            return row | {"diverged": True, "test_mse": np.nan}
        return row | measure(subject, measures)


def train_block(
    stop: threading.Event, problem: Problem, arms: Sequence[str], seeds: Sequence[int], recipe: Recipe,
    device: str = "cpu", measures: str | Sequence[str] = USUAL_MEASURES,
) -> list[dict]:  # fmt: skip
    """Train the arms of some seeds as one union: their rows of the table. Raises KeyboardInterrupt at a ``stop``."""
    depth = recipe.depth(problem)
    replicas = [Replica(problem.draw(seed), seed, arm, recipe, depth) for seed in seeds for arm in arms]
    train_replicas(stop, replicas, recipe, device)
    return [replica.evaluate(measures) for replica in replicas]


def train_replicas(stop: threading.Event, replicas: Sequence[Replica], recipe: Recipe, device: str):
    """Train those replicas that are to be trained, side by side. Raises KeyboardInterrupt at a ``stop``."""
    trained = [replica for replica in replicas if replica.arm.trained]
    if not trained:
        return
    models = [replica.model for replica in trained]
    union, regularizer = disjoint_union(models, [replica.regularizer for replica in trained])
    union.to(device)
    if regularizer is not None:
        regularizer.to(device)

    def errors(prediction, y):
        if stop.is_set():
            raise KeyboardInterrupt
        return union.mse(prediction, y)

    x = torch.cat([replica.draw.x_train for replica in trained], dim=1)
    y = torch.cat([replica.draw.y_train for replica in trained], dim=1)
    rows = len(x) - round(recipe.validation * len(x))
    held_back = {"x_val": x[rows:], "y_val": y[rows:]} if rows < len(x) else {}
    history = train(
        union, x[:rows], y[:rows], **held_back, regularizer=regularizer, criterion=errors,
        epochs=recipe.epochs, lr=recipe.lr, weight_decay=recipe.weight_decay, progress=False,
    )  # fmt: skip
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    union.write_back(models)


def seeds_per_block(problem: Problem, recipe: Recipe, arms: int, megabytes: float = 96) -> int:
    """How many seeds fit into ``megabytes`` of activations: few enough to stay near the processor's cache."""
    nodes = problem.K * problem.n_func
    states = 4 * recipe.depth(problem)  # tensors of the activations' size that a layer keeps for its backward pass
    per_model = 4 * states * nodes * recipe.channels * problem.n_train / 1e6
    return max(1, int(megabytes / (per_model * arms)))
