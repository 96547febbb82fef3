"""The paired study: every arm on the same data, graph, shuffle and start, over many seeds.

One seed decides nothing: the spread between seeds is larger than most differences between arms.
The difference *within* a seed is what to look at.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.evaluation import mse
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.priors.memberships import adjacency_membership, connected_membership
from gsnn_tutorial.priors.weights import EdgePenalty, WeightTyingRegularizer, edges_outside
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.study.metrics import columns, measure
from gsnn_tutorial.study.problem import Draw, Problem
from gsnn_tutorial.study.union import disjoint_union
from gsnn_tutorial.training import train


@dataclass(frozen=True)
class Arm:
    """What sets one arm apart: its graph, the pathways that it is told of, how it uses them, whether it is trained.

    ``membership`` makes (P, N) of a draw. ``regularizer`` makes a regularizer of (model, membership,
    draw, recipe, generator).
    """

    graph: Callable[[Draw], PathwayGraph] = lambda draw: draw.graph
    membership: Callable[[Draw], torch.Tensor] | None = None
    regularizer: Callable[..., torch.nn.Module] | None = None
    trained: bool = True


def _latent(model, membership, draw, recipe, generator, **options):
    settings = {"lambda_sim": recipe.lambda_sim, "phi": recipe.phi, "generator": generator}
    regularizer = PathwayLatentRegularizer(model, membership, **settings, **options)
    regularizer.disable(model)  # the union's regularizer takes its place
    return regularizer


def _leave_one_out(*told):
    return _latent(*told, leave_one_out=True)


def _penalty(model, membership, draw, recipe, generator):
    return EdgePenalty(model, edges_outside(model, membership), recipe.lambda_edge)


def _random_penalty(model, membership, draw, recipe, generator):
    """As many edges between function nodes as ``_penalty`` has, but any ones."""
    functions = model.edge_index_dict["function", "to", "function"]
    count = int(edges_outside(functions, membership).sum())
    chosen = draw.stream("random_edges").permutation(functions.shape[1])[:count]
    return EdgePenalty(
        model, torch.isin(torch.arange(functions.shape[1]), torch.from_numpy(chosen)), recipe.lambda_edge
    )


def _tying(model, membership, draw, recipe, generator, tie="weights"):
    return WeightTyingRegularizer(model, membership, recipe.lambda_weight, tie)


def _tying_norms(*told):
    return _tying(*told, tie="norms")


def _truth(draw):
    return draw.membership


def _shuffled(draw):
    return draw.shuffled


def _connected(draw):
    return connected_membership(draw.graph, draw.stream("connected"))


def _pruned(draw):
    """The graph without the function-function edges whose ends share no pathway that a regularizer would be told."""
    graph = draw.graph
    i = {name: place for place, name in enumerate(graph.function_nodes)}
    alike = draw.membership.T @ draw.membership
    keeps = [tuple((u, v) for u, v in edges if not (u in i and v in i) or alike[i[u], i[v]] > 0)
             for edges in (graph.edges, graph.spurious_edges)]  # fmt: skip
    return replace(graph, edges=keeps[0], spurious_edges=keeps[1])


ARMS = {
    "untrained": Arm(trained=False),
    "baseline": Arm(),
    "regularized": Arm(membership=_truth, regularizer=_latent),
    "control": Arm(membership=_shuffled, regularizer=_latent),
    "oracle": Arm(graph=lambda draw: draw.graph.without_spurious_edges()),
}
"""The arms of every study: the three of the evaluation, the null and the best that a graph could do."""

MORE_ARMS = {
    # Members that the loss is not told of: the middle node of each chain, in no pathway.
    "regularized_held_out": Arm(membership=lambda draw: _truth(draw) * ~torch.tensor(draw.hidden), regularizer=_latent),
    "control_held_out": Arm(membership=lambda draw: _shuffled(draw) * ~torch.tensor(draw.hidden), regularizer=_latent),
    "regularized_loo": Arm(membership=_truth, regularizer=_leave_one_out),
    "control_loo": Arm(membership=_shuffled, regularizer=_leave_one_out),
    # Controls that know the graph, and not the pathways.
    "connected_control": Arm(membership=_connected, regularizer=_latent),
    "connected_control_loo": Arm(membership=_connected, regularizer=_leave_one_out),
    "adjacency": Arm(membership=lambda draw: adjacency_membership(draw.graph), regularizer=_latent),
    # The same pathways, used on the weights: edges between pathways are suppressed, or cut.
    "edge_penalty": Arm(membership=_truth, regularizer=_penalty),
    "edge_penalty_control": Arm(membership=_shuffled, regularizer=_penalty),
    "edge_penalty_random": Arm(membership=_truth, regularizer=_random_penalty),
    "pruned": Arm(graph=_pruned),
    # Edges of a pathway are alike.
    "weight_tying": Arm(membership=_truth, regularizer=_tying),
    "weight_tying_norms": Arm(membership=_truth, regularizer=_tying_norms),
    "weight_tying_control": Arm(membership=_connected, regularizer=_tying),
}
"""Arms that a study may be asked for."""

EVERY_ARM = ARMS | MORE_ARMS


@dataclass(frozen=True)
class Recipe:
    """How every model of a study is built and trained; the defaults are the published ones but for phi and lambda.

    ``layers=None`` takes one layer more than a chain has function nodes. ``lambda_edge`` and
    ``lambda_weight`` are those of the arms that regularize weights. ``validation`` is the share of the
    training rows, the last ones, that choose the epoch instead of being trained on; 0 keeps the last epoch.
    """

    channels: int = 8
    layers: int | None = None
    phi: str = "learned"
    lambda_sim: float = 1.0
    epochs: int = 500
    lr: float = 5e-3
    weight_decay: float = 1e-5
    lambda_edge: float = 0.03
    lambda_weight: float = 0.1
    validation: float = 0.0

    def __post_init__(self):
        validate.number("lambda_edge", self.lambda_edge, 0, 1e6)
        validate.number("lambda_weight", self.lambda_weight, 0, 1e6)
        validate.number("validation", self.validation, 0, 0.9)
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

    def validation_rows(self, problem: Problem) -> int:
        """How many training rows choose the epoch. Raises ValueError unless one is left, and two to train on."""
        rows = round(self.validation * problem.n_train)
        if self.validation and not 1 <= rows <= problem.n_train - 2:
            raise ValueError(
                f"validation={self.validation} of {problem.n_train} training rows is {rows}: "
                "it must be at least 1 and leave 2 to train on"
            )
        return rows


FIRST_COLUMNS = ["seed", "arm", "diverged", "floor", "test_mse"]
COLUMNS = FIRST_COLUMNS + columns()


def study(
    problem: Problem,
    arms: Sequence[str] = tuple(ARMS),
    seeds: Iterable[int] = range(20),
    *,
    recipe: Recipe = Recipe(),
    device: str = "cpu",
    measures: str | Sequence[str] = ("published", "cka"),
    block: int | None = None,
    n_jobs: int | None = None,
    output: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Train and evaluate every arm on every seed: a table with one row per seed and arm.

    A seed decides the data, the spurious edges, the shuffle and the initial weights, and all arms
    of a seed share them. (The oracle has another graph: its weights are drawn from the seed too,
    but are not the same.) Test data are used once, after training: no epoch is chosen by them.

    Arguments
        problem: the size of graph and data.
        arms: names from ``ARMS`` and ``MORE_ARMS``. 'untrained' is the null of every structural metric;
            'oracle' is given the true graph.
        seeds: integers, each once.
        recipe: how models are built and trained.
        device: where to train.
        measures: groups of metrics, names from ``measures.MEASURES``.
        block: how many seeds are trained side by side as one union; None fits them to memory, and gives
            each job as many.
        n_jobs: how many blocks run at the same time, by joblib; None takes one for each of torch's
            threads. The table is the same, to the last bit, for every ``block`` and ``n_jobs``.
        output: a CSV file that grows with every finished block; an older one is replaced.
        resume: keep the older file's finished seeds and compute the others. It must be of the same problem,
            recipe and arms; of these only the arms and metrics are in the file, and checked.
        progress: show a bar with the time left.

    The columns are seed, arm, diverged, the noise ``floor`` of the seed's test rows, test_mse, and those of
    ``measures``; ``COLUMNS`` unless asked for others. A model that diverged has NaN in place of metrics,
    and a warning names it. An interrupt returns the seeds that were finished, with a warning.
    """
    arms, seeds = _checked_arms(arms), _checked_seeds(seeds)
    recipe.depth(problem)  # says at once if the outputs are out of reach
    recipe.validation_rows(problem)
    names = FIRST_COLUMNS + columns(measures)
    rows = _finished(output, names, arms, seeds) if resume else []
    total, seeds = seeds, [seed for seed in seeds if seed not in {row["seed"] for row in rows}]
    cores = torch.get_num_threads()
    n_jobs = cores if n_jobs is None else validate.integer("n_jobs", n_jobs, 1)
    if block is None:
        block = even_block(len(seeds), seeds_per_block(problem, recipe, len(arms)), n_jobs)
    validate.integer("block", block, 1)
    blocks = [seeds[start : start + block] for start in range(0, len(seeds), block)]
    share = max(1, cores // n_jobs)
    jobs = (delayed(run_block)(problem, arms, chosen, recipe, device, share, measures) for chosen in blocks)
    if output is not None:
        _write(rows, names, output, "w")
    _STOP.clear()
    bar = tqdm(total=len(total), initial=len(total) - len(seeds), desc="study", unit="seed", disable=not progress)
    try:
        for chosen, new in zip(blocks, Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(jobs)):
            if output is not None:
                _write(new, names, output, "a")
            rows += new
            bar.update(len(chosen))
    except KeyboardInterrupt:
        _STOP.set()
        for running in list(_RUNNING):  # a thread that still works on tensors must not outlive the program
            running.wait(timeout=30)
        done = len(rows) // len(arms)
        warnings.warn(f"study interrupted; the {done} finished seeds of {len(total)} are kept", stacklevel=2)
    finally:
        bar.close()
        torch.set_num_threads(cores)
    order = {seed: place for place, seed in enumerate(total)}
    table = pd.DataFrame(sorted(rows, key=lambda row: order[row["seed"]]), columns=names)
    if rows and table["diverged"].any():
        lost = table.loc[table["diverged"], ["seed", "arm"]].to_records(index=False).tolist()
        warnings.warn(f"diverged, and without metrics: {lost}", stacklevel=2)
    return table


def _write(rows: list[dict], names: list[str], output: str | Path, mode: str):
    pd.DataFrame(rows, columns=names).to_csv(output, mode=mode, header=mode == "w", index=False, lineterminator="\n")


def _finished(output, names: list[str], arms: list[str], seeds: list[int]) -> list[dict]:
    """The rows of the seeds that an earlier, interrupted study has finished."""
    if output is None:
        raise ValueError("resume needs output, the file of the study that is to go on")
    if not Path(output).exists():
        return []
    table = pd.read_csv(output, engine="python")  # which reads every float to its last bit
    if list(table) != names or not set(table["arm"]) <= set(arms):
        raise ValueError(f"resume: {output} is of a study of other arms or metrics; give another output, or remove it")
    complete = table.groupby("seed")["arm"].transform("nunique") == len(arms)
    return table[complete & table["seed"].isin(seeds)].to_dict("records")


def run_block(
    problem: Problem, arms: Sequence[str], seeds: Sequence[int], recipe: Recipe, device: str, cores: int,
    measures: str | Sequence[str] = ("published", "cka"),
) -> list[dict]:  # fmt: skip
    """Train the arms of some seeds as one union, on so many cores; their rows of the table."""
    done = threading.Event()
    _RUNNING.append(done)
    try:
        torch.set_num_threads(cores)  # counts for the thread that runs this
        depth = recipe.depth(problem)
        replicas = [Replica(problem.draw(seed), seed, arm, recipe, depth) for seed in seeds for arm in arms]
        train_replicas(replicas, recipe, device)
        return [replica.evaluate(measures) for replica in replicas]
    finally:
        _RUNNING.remove(done)
        done.set()


# How an interrupt, which only the main thread hears of, reaches blocks that run in other threads.
_STOP = threading.Event()
_RUNNING: list[threading.Event] = []


class Replica:
    """One arm of one seed: its model from the seed's initial weights, and its regularizer if it has one."""

    def __init__(self, draw: Draw, seed: int, name: str, recipe: Recipe, layers: int):
        self.draw, self.seed, self.name, self.arm = draw, seed, name, EVERY_ARM[name]
        self.graph = graph = self.arm.graph(draw)
        self.membership = self.regularizer = None
        weights = torch.Generator().manual_seed(seed)
        self.model = GSNN(
            graph.edge_index_dict, graph.names, recipe.channels, layers, node_mlp=False, generator=weights
        )  # fmt: skip
        if self.arm.membership is not None:
            self.membership = self.arm.membership(draw)
            self.regularizer = self.arm.regularizer(self.model, self.membership, draw, recipe, weights)

    def evaluate(self, measures: str | Sequence[str] = ("published", "cka")) -> dict:
        """The replica's row of the table."""
        row = {"seed": self.seed, "arm": self.name, "diverged": False, "floor": self.draw.floor}
        row["test_mse"] = mse(self.model, self.draw.x_test, self.draw.y_test)
        if not np.isfinite(row["test_mse"]):
            return row | {"diverged": True, "test_mse": np.nan}
        return row | measure(self.model, self.graph, self.draw, self.membership, measures)


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


def even_block(seeds: int, largest: int, n_jobs: int) -> int:
    """The size of blocks, at most ``largest``, with which all jobs are busy for as many rounds: none waits for one."""
    rounds = math.ceil(seeds / (largest * n_jobs))
    return max(1, math.ceil(seeds / (rounds * n_jobs))) if seeds else 1


def _checked_arms(arms: Sequence[str]) -> list[str]:
    arms = [arms] if isinstance(arms, str) else list(arms)
    for arm in arms:
        validate.choice("arms", arm, tuple(EVERY_ARM))
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
