"""The paired study: every arm on the same data, graph, shuffle and start, over many seeds.

One seed decides nothing: the spread between seeds is larger than most differences between arms.
The difference *within* a seed is what to look at.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.study.arms import ARMS, USUAL_ARMS
from gsnn_tutorial.study.blocks import Blocks, even_block
from gsnn_tutorial.study.metrics import USUAL_MEASURES
from gsnn_tutorial.study.problem import Drawn, drawn
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.replicas import seeds_per_block, train_block
from gsnn_tutorial.study.run_folder import usable_device
from gsnn_tutorial.study.table import TableFile, settings_of, table_columns
from gsnn_tutorial.study.tuned import train_tuned, tuned_columns
from gsnn_tutorial.study.tuning import Tuning


def paired_study(
    problem: Drawn,
    arms: Sequence[str] = USUAL_ARMS,
    seeds: Iterable[int] = range(20),
    *,
    recipe: Recipe = Recipe(),
    tuning: Tuning | None = None,
    device: str = "cpu",
    measures: str | Sequence[str] = USUAL_MEASURES,
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
        problem: the size of graph and data, or anything else that is ``Drawn``.
        arms: names from ``ARMS``. 'untrained' is the null of every structural metric; 'oracle' is given the true graph.
        seeds: integers, each once.
        recipe: how models are built and trained.
        tuning: None trains every arm by ``recipe``; else each arm chooses its settings and epoch by the same rule.
        device: where to train.
        measures: groups of metrics, names from ``MEASURES``.
        block: how many seeds are trained side by side as one union; None fits them to memory, and gives
            each job as many.
        n_jobs: how many blocks run at the same time, by joblib; None takes one for each core. The table is the
            same, to the last bit, for every ``block`` and ``n_jobs``.
        output: a CSV file that grows with every finished block; an older one is replaced. What it is of is in
            a second file beside it, of the same name and .json.
        resume: keep the older file's finished seeds and compute the others. It must be of the same problem,
            recipe, arms and metrics. Seeds that it has besides ``seeds`` stay in it, and are not in the table.
        progress: show a bar with the time left.

    The columns are seed, arm, diverged, the noise ``floor`` of the seed's test rows, test_mse, and those of
    ``measures``. A model that diverged has NaN in place of metrics, and a warning names it. An interrupt returns the
    seeds that were finished, with a warning.

    Raises ValueError for an argument that cannot be, and UnusableFile, which is one, for a file that is of another
    study or that another study is writing.
    """
    arms, total = checked_study(problem, arms, seeds, recipe, device)
    resume, progress = validate.flag("resume", resume), validate.flag("progress", progress)
    if tuning is not None:
        validate.instance("tuning", tuning, Tuning, " or None")
    names = table_columns(measures) + (tuned_columns(tuning) if tuning else [])
    file, jobs = TableFile(output, names, settings_of(problem, recipe, tuning)), Blocks(n_jobs)
    if block is not None:
        validate.integer("block", block, 1)
    with file.claimed():
        if resume:
            file.resume(arms, total)
        seeds = [seed for seed in total if seed not in file.seeds]
        if block is None:
            largest = 1 if tuning else seeds_per_block(problem, recipe, len(arms))
            block = even_block(len(seeds), largest, jobs.n_jobs)
        blocks = [seeds[start : start + block] for start in range(0, len(seeds), block)]
        file.start()
        bar = tqdm(total=len(total), initial=len(total) - len(seeds), desc="study", unit="seed", disable=not progress)
        try:
            with jobs:
                job, more = (train_tuned, (tuning,)) if tuning else (train_block, ())
                results = jobs.run(job, ((problem, arms, each, recipe, device, measures, *more) for each in blocks))
                for each, rows in zip(blocks, results):
                    file.add(rows)
                    bar.update(len(each))
        except KeyboardInterrupt:
            kept = len(file.seeds.intersection(total))
            warnings.warn(f"study interrupted; the {kept} finished seeds of {len(total)} are kept", stacklevel=2)
        finally:
            bar.close()
    table = file.table(total)
    if len(table) and table["diverged"].any():
        lost = table.loc[table["diverged"], ["seed", "arm"]].to_records(index=False).tolist()
        warnings.warn(f"diverged, and without metrics: {lost}", stacklevel=2)
    return table


def checked_study(
    problem: Drawn, arms: Sequence[str], seeds: Iterable[int], recipe: Recipe, device: str
) -> tuple[list[str], list[int]]:
    """Arms and seeds as lists. Raises ValueError or TypeError for what no study can be made of."""
    drawn(problem), validate.instance("recipe", recipe, Recipe)
    arms, seeds = _checked_arms(arms), _checked_seeds(seeds)
    recipe.depth(problem)  # says at once if the outputs are out of reach
    recipe.validation_rows(problem)
    usable_device(device)
    return arms, seeds


def _checked_arms(arms: Sequence[str]) -> list[str]:
    arms = [arms] if isinstance(arms, str) else validate.ordered("arms", arms)
    for arm in arms:
        validate.choice("arms", arm, tuple(ARMS))
    if not arms or len(set(arms)) < len(arms):
        raise ValueError(f"arms must name at least one arm, each once; got {arms}")
    return arms


def _checked_seeds(seeds: Iterable[int]) -> list[int]:
    if isinstance(seeds, Integral):
        raise ValueError(f"seeds must be a collection of integers, got {seeds}; for so many seeds give range({seeds})")
    seeds = [validate.integer("seeds", seed, 0) for seed in validate.ordered("seeds", seeds)]
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must hold at least one seed, each once; got {seeds}")
    return seeds
