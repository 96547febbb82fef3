"""The paired comparison on data of one's own: every arm over splits that seeds decide, tuned alike or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.files import read_csv, write_csv
from gsnn_tutorial.study.inference import FEWEST_SEEDS
from gsnn_tutorial.study.own.fitting import Settings, errors, fitted
from gsnn_tutorial.study.own.problem import OwnDraw, OwnProblem
from gsnn_tutorial.study.own.rivals import pairwise, ridge
from gsnn_tutorial.study.own.tuned import CHOSEN, tuned
from gsnn_tutorial.study.tuning import Tuning

OWN_ARMS = ("baseline", "regularized_loo", "control_loo", "connected_control_loo")
RIVALS = ("mean", "pairwise ridge")
MOST_PAIRS = 60  # inputs, beyond which pairwise ridge is ridge without pairs
Comparison = Callable[..., pd.DataFrame]


def rival_errors(name: str, draw: OwnDraw) -> np.ndarray:
    """MSE of each output of a model without a network, (outputs,): 'mean', or 'pairwise ridge' tuned by groups."""
    validate.choice("name", name, RIVALS)
    y = draw.y_test.numpy()
    if name == "mean":
        return (y**2).mean(0)  # of standardised outputs
    inputs = draw.graph.input_nodes
    both = pd.DataFrame(torch.cat([draw.x_train, draw.x_test]).numpy(), columns=inputs)
    features = (pairwise(both) if len(inputs) <= MOST_PAIRS else both).to_numpy()
    rows, groups = len(draw.x_train), np.unique(draw.groups)
    if len(groups) < 4:
        return np.full(y.shape[1], np.nan)
    return ((ridge(features[:rows], draw.y_train, features[rows:], draw.groups) - y) ** 2).mean(0)


def trainings(arms: int, splits: int, tuning: Tuning | None) -> int:
    """How many GSNNs a comparison trains."""
    return arms * splits * (1 if tuning is None else tuning.trainings)


def paired_comparison(
    problem: OwnProblem, arms: Sequence[str] = OWN_ARMS, seeds: Iterable[int] = range(FEWEST_SEEDS), *,
    settings: Settings = Settings(), tuning: Tuning | None = None, output: str | Path | None = None,
    resume: bool = False, progress: bool = True,
) -> pd.DataFrame:  # fmt: skip
    """Test MSE of every arm and of two rivals on every split: a row for each seed and arm.

    Arguments
        arms, seeds: which arms, and a seed for each split.
        settings: of every model.
        tuning: what each arm chooses from by folds of the training rows, see ``tuned``; None tunes nothing.
        output: a CSV file that grows with every finished seed.
        resume: keep the file's finished seeds, those that are not asked for too.

    The columns are seed, arm, test_mse, with ``tuning`` those of ``CHOSEN``, and 'mse: NAME' for each output.
    Raises ValueError for an older file with other columns.
    """
    validate.instance("problem", problem, OwnProblem)
    arms = [validate.choice("arms", arm, tuple(ARMS)) for arm in arms]
    seeds = [validate.integer("seeds", seed, 0) for seed in validate.ordered("seeds", seeds)]
    layers = settings.layers or problem.network.depth
    each_output = [f"mse: {name}" for name in problem.network.graph.output_nodes]
    columns = ["seed", "arm", "test_mse", *(CHOSEN if tuning else ()), *each_output]
    tables = _finished(output, columns, len(RIVALS) + len(arms)) if resume and output is not None else []
    done = {int(part["seed"].iloc[0]) for part in tables}
    left = [seed for seed in seeds if seed not in done]
    total, before = trainings(len(arms), len(seeds), tuning), trainings(len(arms), len(seeds) - len(left), tuning)
    with tqdm(total=total, initial=before, desc="GSNNs", unit="training", disable=not progress) as bar:
        for seed in left:
            draw, rows = problem.draw(seed), []
            for arm, (each, choice) in _outcomes(arms, draw, settings, layers, tuning, bar.update).items():
                values = {"seed": seed, "arm": arm, "test_mse": float(np.mean(each))} | choice
                rows.append(values | dict(zip(each_output, each.tolist())))
            tables.append(pd.DataFrame(rows, columns=columns))
            if output is not None:
                write_csv(pd.concat(tables), output)
    table = pd.concat(tables, ignore_index=True)
    return table[table["seed"].isin(seeds)].reset_index(drop=True)


def _outcomes(arms, draw, settings, layers, tuning, after) -> dict[str, tuple[np.ndarray, dict]]:
    """For each rival and arm its error on the test rows, by output, and what it chose."""
    outcomes = {name: (rival_errors(name, draw), {}) for name in RIVALS}
    models = {} if tuning is None else tuned(draw, settings, layers, arms, tuning, after)
    for arm in arms:
        model, choice = models.get(arm) or (fitted(draw, settings, layers, arm), {})
        outcomes[arm] = errors(model, draw.x_test, draw.y_test), choice
        if tuning is None:
            after(1)
    return outcomes


def _finished(output: str | Path, columns: list[str], arms: int) -> list[pd.DataFrame]:
    """The finished seeds of an older file."""
    if not Path(output).exists():
        return []
    kept = read_csv(output)
    if list(kept) != columns:
        other = sorted({*kept} ^ {*columns})
        raise ValueError(f"{output} is of another comparison, in the column {other[0]!r}; give another output"
                         if other else f"{output} has its columns in another order; give another output")  # fmt: skip
    complete = kept.groupby("seed")["arm"].transform("nunique") == arms
    return [part for _, part in kept[complete].groupby("seed")]
