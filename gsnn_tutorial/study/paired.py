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
from gsnn_tutorial.study.arms import ARMS, OWN_ARMS, USUAL_ARMS
from gsnn_tutorial.study.blocks import Blocks, even_block
from gsnn_tutorial.study.metrics import USUAL_MEASURES, applicable, chosen, has_truth
from gsnn_tutorial.study.own.rivals import RIVALS, USUAL_RIVALS
from gsnn_tutorial.study.problem import Drawn, drawn
from gsnn_tutorial.study.recipe import OWN_RECIPE, Recipe
from gsnn_tutorial.study.replicas import seeds_per_block, train_block
from gsnn_tutorial.study.run_folder import usable_device
from gsnn_tutorial.study.table import TableFile, settings_of, table_columns
from gsnn_tutorial.study.tuning import Tuning, train_tuned


def paired_study(
    problem: Drawn,
    arms: Sequence[str] | None = None,
    seeds: Iterable[int] = range(20),
    *,
    recipe: Recipe | None = None,
    tuning: Tuning | None = None,
    device: str = "cpu",
    measures: str | Sequence[str] | None = None,
    block: int | None = None,
    n_jobs: int | None = None,
    output: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Train and evaluate every arm on every seed: a table with one row per seed and arm.

    A seed decides the data, the spurious edges, the shuffle and the initial weights, and all arms
    of a seed share them. (The oracle has another graph: its weights are drawn from the seed too,
    but are not the same.) Of measured data, an ``OwnProblem``, a seed decides the split.
    Test data are used once, after training: no epoch is chosen by them.

    Arguments
        problem: a ``Problem``, a ``World``, an ``OwnProblem``, or anything else that is ``Drawn``.
        arms: names from ``ARMS`` and ``RIVALS``. 'untrained' is the null of every structural metric; 'oracle' is given
            the true graph. None takes ``USUAL_ARMS``; of measured data ``USUAL_RIVALS`` and ``OWN_ARMS``.
        seeds: integers, each once.
        recipe: how models are built and trained. None takes ``Recipe()``; of measured data ``OWN_RECIPE``.
        tuning: None trains every arm by ``recipe``; else each arm chooses its settings and epoch by the same rule.
        device: where to train.
        measures: groups of metrics, names from ``MEASURES``. None takes ``USUAL_MEASURES``; of measured data none.
        block: how many seeds are trained side by side as one union; None fits them to memory, and gives
            each job as many.
        n_jobs: how many blocks run at the same time, by joblib; None takes one for each core. The table is the
            same, to the last bit, for every ``block`` and ``n_jobs``, but for the ``cv_mse`` of minibatches.
        output: a CSV file that grows with every finished block; an older one is replaced. The settings are in
            a second file beside it, of the same name and .json.
        resume: keep the older file's finished seeds and compute the others. It must be of the same problem,
            recipe, arms and metrics. Seeds that it has besides ``seeds`` stay in it, and are not in the table.
        progress: show a bar with the time left.

    The columns are seed, arm, diverged, the noise ``floor`` of the seed's test rows, test_mse, those of ``measures``,
    and those of a ``tuning``, see ``tuned_columns``. Of measured data nobody knows the floor: there each output has its
    error, 'mse: NAME', instead. A model that diverged has NaN in place of metrics, and a warning names it. An
    interrupt returns the seeds that were finished, with a warning.

    Raises ValueError for an argument that cannot be, and UnusableFile, which is one, for a file that is of another
    study or that another study is writing.
    """
    truth = is_simulated(drawn(problem))
    if arms is None:
        arms = USUAL_ARMS if truth else (*USUAL_RIVALS, *OWN_ARMS)
    if recipe is None:
        recipe = Recipe() if truth else OWN_RECIPE
    if measures is None:
        measures = USUAL_MEASURES if truth else ()
    arms, total = checked_study(problem, arms, seeds, recipe, device, measures)
    resume, progress = validate.flag("resume", resume), validate.flag("progress", progress)
    if tuning is not None:
        validate.instance("tuning", tuning, Tuning, " or None")
    names = table_columns(measures, tuning, None if truth else problem.graph.output_nodes)
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
    lost = table[table["test_mse"].isna() & table["arm"].isin(ARMS)]
    if len(lost):
        named = lost[["seed", "arm"]].to_records(index=False).tolist()
        warnings.warn(f"diverged, and without metrics: {named}", stacklevel=2)
    return table


def is_simulated(problem: Drawn) -> bool:
    """True unless the problem has a ``graph``, the same for every seed, whose true pathways nobody knows."""
    graph = getattr(problem, "graph", None)
    return graph is None or has_truth(graph)


def checked_study(
    problem: Drawn, arms: Sequence[str], seeds: Iterable[int], recipe: Recipe, device: str,
    measures: str | Sequence[str] = (),
) -> tuple[list[str], list[int]]:  # fmt: skip
    """Arms and seeds as lists. Raises ValueError or TypeError for what no study can be made of."""
    drawn(problem), validate.instance("recipe", recipe, Recipe)
    arms, seeds = _checked_arms(arms), _checked_seeds(seeds)
    chosen(measures)
    if not is_simulated(problem):
        applicable(measures, problem.graph)
        lost = [arm for arm in arms if arm in ARMS and ARMS[arm].truth]
        if lost:
            raise ValueError(f"arms: {lost[0]!r} needs the true pathways and edges, which only a simulation knows")
    recipe.depth(problem)  # says at once if the outputs are out of reach
    recipe.validation_rows(problem)
    usable_device(device)
    return arms, seeds


def _checked_arms(arms: Sequence[str]) -> list[str]:
    arms = [arms] if isinstance(arms, str) else validate.ordered("arms", arms)
    for arm in arms:
        validate.choice("arms", arm, (*ARMS, *RIVALS))
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
