"""The paired study: every arm on the same data, graph, shuffle and start, over many seeds.

One seed decides nothing: the spread between seeds is larger than most differences between arms.
The difference *within* a seed is what to look at.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.evaluation import cka_metrics, mse, published_metrics
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.problem import Draw, Problem
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.training import train
from gsnn_tutorial.union import disjoint_union


@dataclass(frozen=True)
class Arm:
    """What sets one arm apart: the graph it is given, the pathways it is told of, and whether it is trained."""

    graph: Callable[[Draw], PathwayGraph] = lambda draw: draw.graph
    membership: Callable[[Draw], torch.Tensor] | None = None
    trained: bool = True


ARMS = {
    "untrained": Arm(trained=False),
    "baseline": Arm(),
    "regularized": Arm(membership=lambda draw: draw.graph.membership()),
    "control": Arm(membership=lambda draw: draw.shuffled),
    "oracle": Arm(graph=lambda draw: draw.graph.without_spurious_edges()),
}


@dataclass(frozen=True)
class Recipe:
    """How every model of a study is built and trained; the defaults are the published ones but for phi and lambda.

    ``layers=None`` takes one layer more than a chain has function nodes.
    """

    channels: int = 8
    layers: int | None = None
    phi: str = "learned"
    lambda_sim: float = 1.0
    epochs: int = 500
    lr: float = 5e-3
    weight_decay: float = 1e-5

    def __post_init__(self):
        validate.integer("channels", self.channels, 2)
        validate.choice("phi", self.phi, ("mean", "learned"))
        validate.number("lambda_sim", self.lambda_sim, 0, 1e6)
        validate.number("lr", self.lr, 0, 10)
        validate.number("weight_decay", self.weight_decay, 0, 10)
        validate.integer("epochs", self.epochs, 1)
        if self.layers is not None:
            validate.integer("layers", self.layers, 1)

    def depth(self, problem: Problem) -> int:
        """The number of layers for ``problem``. Raises ValueError if its outputs are out of reach."""
        if self.layers is None:
            return problem.n_func + 1
        if self.layers < problem.n_func:
            raise ValueError(f"layers must be at least {problem.n_func}, the hops to an output; got {self.layers}")
        return self.layers


COLUMNS = [
    "seed", "arm", "diverged", "floor", "test_mse",
    "cos_within", "cos_cross", "cos_gap", "ari",
    "lin_in_norm_true", "lin_in_norm_spurious", "norm_ratio_true_over_spurious",
    "cka_within", "cka_cross", "cka_gap", "cka_ari", "cka_gap_told",
]  # fmt: skip


def study(
    problem: Problem,
    arms: Sequence[str] = tuple(ARMS),
    seeds: Iterable[int] = range(20),
    *,
    recipe: Recipe = Recipe(),
    device: str = "cpu",
    block: int | None = None,
    n_jobs: int | None = None,
    output: str | Path | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Train and evaluate every arm on every seed: a table with one row per seed and arm.

    A seed decides the data, the spurious edges, the shuffle and the initial weights, and all arms
    of a seed share them. (The oracle has another graph: its weights are drawn from the seed too,
    but are not the same.) Test data are used once, after training.

    Arguments
        problem: the size of graph and data.
        arms: names from ``ARMS``. 'untrained' is the null of every structural metric; 'oracle' is
            given the true graph.
        seeds: integers, each once.
        recipe: how models are built and trained.
        device: where to train.
        block: how many seeds are trained side by side as one union; None fits them to memory.
        n_jobs: how many blocks run at the same time, by joblib; None takes one for each of torch's
            threads. The table is the same, to the last bit, for every ``block`` and ``n_jobs``.
        output: a CSV file that grows with every finished block; an older one is replaced.
        progress: show a bar with the time left.

    The columns are those of ``COLUMNS``: seed, arm, diverged, the noise ``floor`` of the seed's test
    rows, test_mse, those of ``published_metrics`` and those of ``cka_metrics``. A model that diverged
    has NaN in place of metrics, and a warning names it. An interrupt returns the seeds that were
    finished, with a warning.
    """
    arms, seeds = _checked_arms(arms), _checked_seeds(seeds)
    recipe.depth(problem)  # says at once if the outputs are out of reach
    block = seeds_per_block(problem, recipe, len(arms)) if block is None else validate.integer("block", block, 1)
    cores = torch.get_num_threads()
    n_jobs = cores if n_jobs is None else validate.integer("n_jobs", n_jobs, 1)
    blocks = [seeds[start : start + block] for start in range(0, len(seeds), block)]
    jobs = (delayed(run_block)(problem, arms, chosen, recipe, device, max(1, cores // n_jobs)) for chosen in blocks)
    if output is not None:
        Path(output).unlink(missing_ok=True)
    _STOP.clear()
    rows = []
    bar = tqdm(total=len(seeds), desc="study", unit="seed", disable=not progress)
    try:
        for chosen, new in zip(blocks, Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(jobs)):
            if output is not None:
                block_table = pd.DataFrame(new, columns=COLUMNS)
                block_table.to_csv(output, mode="a", header=not rows, index=False, lineterminator="\n")
            rows += new
            bar.update(len(chosen))
    except KeyboardInterrupt:
        _STOP.set()
        for running in list(_RUNNING):  # a thread that still works on tensors must not outlive the program
            running.wait(timeout=30)
        done = len(rows) // len(arms)
        warnings.warn(f"study interrupted; the {done} finished seeds of {len(seeds)} are kept", stacklevel=2)
    finally:
        bar.close()
        torch.set_num_threads(cores)
    table = pd.DataFrame(rows, columns=COLUMNS)
    if rows and table["diverged"].any():
        lost = table.loc[table["diverged"], ["seed", "arm"]].to_records(index=False).tolist()
        warnings.warn(f"diverged, and without metrics: {lost}", stacklevel=2)
    return table


def run_block(
    problem: Problem, arms: Sequence[str], seeds: Sequence[int], recipe: Recipe, device: str, cores: int
) -> list[dict]:
    """Train the arms of some seeds as one union, on so many cores; their rows of the table."""
    done = threading.Event()
    _RUNNING.append(done)
    try:
        torch.set_num_threads(cores)  # counts for the thread that runs this
        depth = recipe.depth(problem)
        replicas = [Replica(problem.draw(seed), seed, arm, recipe, depth) for seed in seeds for arm in arms]
        train_replicas(replicas, recipe, device)
        return [replica.evaluate() for replica in replicas]
    finally:
        _RUNNING.remove(done)
        done.set()


# How an interrupt, which only the main thread hears of, reaches blocks that run in other threads.
_STOP = threading.Event()
_RUNNING: list[threading.Event] = []


class Replica:
    """One arm of one seed: its model from the seed's initial weights, and its regularizer if it has one."""

    def __init__(self, draw: Draw, seed: int, name: str, recipe: Recipe, layers: int):
        self.draw, self.seed, self.name, self.arm = draw, seed, name, ARMS[name]
        graph = self.arm.graph(draw)
        self.edge_is_true, self.regularizer = graph.function_edge_is_true, None
        weights = torch.Generator().manual_seed(seed)
        self.model = GSNN(
            graph.edge_index_dict, graph.names, recipe.channels, layers, node_mlp=False, generator=weights
        )  # fmt: skip
        if self.arm.membership is not None:
            self.regularizer = PathwayLatentRegularizer(
                self.model, self.arm.membership(draw), lambda_sim=recipe.lambda_sim, phi=recipe.phi, generator=weights
            )
            self.regularizer.disable(self.model)  # the union's regularizer takes its place

    def evaluate(self) -> dict:
        """The replica's row of the table."""
        x, y, labels = self.draw.x_test, self.draw.y_test, self.draw.graph.labels
        row = {"seed": self.seed, "arm": self.name, "diverged": False, "floor": self.draw.floor}
        row["test_mse"] = mse(self.model, x, y)
        if not np.isfinite(row["test_mse"]):
            return row | {"diverged": True, "test_mse": np.nan}
        told = None if self.arm.membership is None else self.arm.membership(self.draw).argmax(0)
        cka = cka_metrics(self.model, x, labels, told)
        return row | published_metrics(self.model, x, labels, self.edge_is_true) | cka


def train_replicas(replicas: Sequence[Replica], recipe: Recipe, device: str):
    """Train those replicas that are to be trained, side by side as one union."""
    trained = [replica for replica in replicas if replica.arm.trained]
    if not trained:
        return
    models = [replica.model for replica in trained]
    union, regularizer = disjoint_union(models, [replica.regularizer for replica in trained])
    union.to(device)
    if regularizer is not None:
        regularizer.to(device)

    def errors(prediction, y):
        if _STOP.is_set():
            raise KeyboardInterrupt
        return union.mse(prediction, y)

    history = train(
        union,
        torch.cat([replica.draw.x_train for replica in trained], dim=1),
        torch.cat([replica.draw.y_train for replica in trained], dim=1),
        regularizer=regularizer, criterion=errors, epochs=recipe.epochs, lr=recipe.lr,
        weight_decay=recipe.weight_decay, progress=False,
    )  # fmt: skip
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    union.write_back(models)


def seeds_per_block(problem: Problem, recipe: Recipe, arms: int, megabytes: float = 32) -> int:
    """How many seeds fit into ``megabytes`` of activations: few enough to stay near the processor's cache."""
    nodes = problem.K * problem.n_func
    states = 4 * recipe.depth(problem)  # tensors of the activations' size that a layer keeps for its backward pass
    per_model = 4 * states * nodes * recipe.channels * problem.n_train / 1e6
    return max(1, int(megabytes / (per_model * arms)))


def _checked_arms(arms: Sequence[str]) -> list[str]:
    arms = [arms] if isinstance(arms, str) else list(arms)
    for arm in arms:
        validate.choice("arms", arm, tuple(ARMS))
    if not arms or len(set(arms)) < len(arms):
        raise ValueError(f"arms must name at least one arm, each once; got {arms}")
    return arms


def _checked_seeds(seeds: Iterable[int]) -> list[int]:
    if isinstance(seeds, int):
        raise ValueError(f"seeds must be a collection of integers, got {seeds}; for so many seeds give range({seeds})")
    seeds = [validate.integer("seeds", seed, 0) for seed in seeds]
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must hold at least one seed, each once; got {seeds}")
    return seeds
