"""A replica is one arm of one seed; the replicas of a block are trained side by side, as one union."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial

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
    """One arm of one seed: its model from initial weights, and its regularizer if it has one.

    Arguments
        draw, seed: what the seed drew, and the seed.
        name: the arm's, in ``ARMS``.
        recipe, layers: how the model is built.
        start: which initial weights; 0 are those of the seed itself.
        rows: numbers of the training rows that it is trained on; None takes all.
    """

    def __init__(self, draw: Draw, seed: int, name: str, recipe: Recipe, layers: int, start: int = 0, rows=None):
        self.draw, self.seed, self.arm, self.recipe = draw, seed, ARMS[name], recipe
        self.graph = self.arm.graph(draw)
        self.membership = self.regularizer = None
        weights = torch.Generator().manual_seed(_start_seed(seed, start))
        self.model = GSNN(
            self.graph.edge_index_dict, self.graph.names, recipe.channels, layers, node_mlp=False, generator=weights
        )
        if self.arm.membership is not None:
            self.membership = self.arm.membership(draw)
        if self.arm.regularizer is not None:
            self.regularizer = self.arm.regularizer(self.model, self.membership, draw, recipe, weights)
        rows = slice(None) if rows is None else rows
        self.x, self.y = draw.x_train[rows], draw.y_train[rows]
        if self.arm.data is not None:
            self.x, self.y = self.arm.data(draw, self.membership, self.x, self.y)

    def evaluate(self, measures: str | Sequence[str] = USUAL_MEASURES) -> dict:
        """The replica's row of the table."""
        row = {"seed": self.seed, "arm": self.arm.name, "diverged": False, "floor": self.draw.floor}
        subject = Subject(self.model, self.graph, self.draw, self.membership)
        row["test_mse"] = METRICS["test_mse"].compute(subject)
        if not np.isfinite(row["test_mse"]):
            return row | {"diverged": True, "test_mse": np.nan}
        return row | measure(subject, measures)


def _start_seed(seed: int, start: int) -> int:
    """The seed itself for start 0, and others that no seed's start 0 is likely to have."""
    return int(np.random.SeedSequence(seed, spawn_key=(start,)).generate_state(1, np.uint64)[0]) if start else seed


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
    for same in alike(trained, lambda replica: (len(replica.x), replica.recipe.weight_decay)):
        held_back = round(recipe.validation * len(same[0].x))
        train_union(stop, same, device, held_back=held_back)


def alike(things: Iterable, key: Callable) -> list[list]:
    """The things in groups of one ``key``, in the order in which the keys come."""
    groups = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return list(groups.values())


def train_union(
    stop: threading.Event, replicas: Sequence[Replica], device: str, held_back: int = 0, after_epoch=None,
):  # fmt: skip
    """Train replicas of as many rows and one weight decay as one union. Raises KeyboardInterrupt at a ``stop``.

    The last ``held_back`` rows choose each one's epoch. ``after_epoch`` is called with the union and the epoch.
    """
    models, recipe = [replica.model for replica in replicas], replicas[0].recipe
    union, regularizer = disjoint_union(models, [replica.regularizer for replica in replicas])
    union.to(device)
    if regularizer is not None:
        regularizer.to(device)

    def errors(prediction, y):
        if stop.is_set():
            raise KeyboardInterrupt
        return union.mse(prediction, y)

    x, y = (torch.cat([getattr(replica, name) for replica in replicas], dim=1) for name in "xy")
    rows = len(x) - held_back
    validation = {"x_val": x[rows:], "y_val": y[rows:]} if held_back else {}
    history = train(
        union, x[:rows], y[:rows], **validation, regularizer=regularizer, criterion=errors, epochs=recipe.epochs,
        lr=recipe.lr, weight_decay=recipe.weight_decay, progress=False,
        after_epoch=None if after_epoch is None else partial(after_epoch, union),
    )  # fmt: skip
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    union.write_back(models)


def seeds_per_block(problem: Problem, recipe: Recipe, arms: int, megabytes: float = 96) -> int:
    """How many seeds fit into ``megabytes`` of activations: few enough to stay near the processor's cache."""
    nodes = problem.n_function
    states = 4 * recipe.depth(problem)  # tensors of the activations' size that a layer keeps for its backward pass
    per_model = 4 * states * nodes * recipe.channels * problem.n_train / 1e6
    return max(1, int(megabytes / (per_model * arms)))
