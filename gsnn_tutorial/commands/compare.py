"""The kit's main job: baseline, regularized and control side by side, into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from gsnn_tutorial import plots, validate
from gsnn_tutorial.evaluation import linear_cka
from gsnn_tutorial.study.arms import USUAL_ARMS, arm_named
from gsnn_tutorial.study.inference import summarize
from gsnn_tutorial.study.metrics import USUAL_METRICS
from gsnn_tutorial.study.paired import checked_study, paired_study
from gsnn_tutorial.study.problem import Draw, Problem
from gsnn_tutorial.study.published import (
    EPOCHS,
    LAMBDA_SIM,
    MODEL,
    PUBLISHED_ARMS,
    TRAINING,
    Replay,
    published_draw,
    published_log,
    published_table,
    replay,
    side_by_side,
)
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.run_folder import RunFolder, usable_device
from gsnn_tutorial.study.table import settings_file, settings_of
from gsnn_tutorial.study.tuning import Tuning
from gsnn_tutorial.study.verdicts import in_words, verdict

SHOWN = ("test_mse_final", "cos_gap", "ari", "norm_ratio_true_over_spurious")


def compare_published(output: str | Path, device: str = "cpu", progress: bool = True) -> bool:
    """Replay the published run, print its table beside ours, and fill the folder ``output``.

    Returns whether all three arms were finished. Those that were are written in any case.
    """
    settings = {
        "data": "published",
        "epochs": EPOCHS,
        "lambda_sim": LAMBDA_SIM,
        "phi": "mean",
        "weights": "seed 0",
    }
    validate.flag("progress", progress)
    with RunFolder(output, settings | MODEL | TRAINING, usable_device(device)) as folder:
        return _compare_published(folder, device, progress)


def _compare_published(folder: RunFolder, device: str, progress: bool) -> bool:
    draw, run = published_draw(), replay(device=device, progress=progress)

    folder.table("table", side_by_side(run.table).reset_index())
    histories = [history.table().assign(arm=arm) for arm, history in run.histories.items()]
    if histories:
        folder.table("history", pd.concat(histories).set_index("arm", append=True))
    for name, figure in published_figures(draw, run).items():
        folder.figure(name, figure)
    finished = len(run.models) == len(PUBLISHED_ARMS)
    wall = folder.finish(finished=finished)

    print(in_words(side_by_side(run.table)).round(4).T.to_string(na_rep="-"))
    print(f"\n{wall:.1f} s. Tables, figures and run.json are in {folder.path}")
    return finished


def published_figures(draw: Draw, run: Replay) -> dict[str, Figure]:
    """The graph; the training curves with the published points; the table; the similarity matrices."""
    figures = {"graph": plots.plot_graph(draw.graph).figure}

    figures["training"], (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    plots.plot_training(run.histories, left, printed=published_log(), floor=draw.floor)
    regularized = {arm: history for arm, history in run.histories.items() if arm != "baseline"}
    plots.plot_training(regularized, right, quantity="L_sim", printed=published_log())

    figures["table"], axes = plt.subplots(1, len(SHOWN), figsize=(13, 3.4), layout="constrained")
    for ax, column in zip(axes, SHOWN):
        plots.plot_table(run.table, published_table(), column, ax)
    figures["table"].suptitle("hollow: as published; filled: ours", fontsize=10)

    figures["similarity"], axes = plt.subplots(1, len(PUBLISHED_ARMS), figsize=(14, 4.2), layout="constrained")
    for ax, (arm, model) in zip(axes, run.models.items()):
        plots.plot_similarity(linear_cka(model.layer_activations(draw.x_test)), draw.graph, ax).set_title(
            arm_named(arm).words
        )
    return figures


def compare_arms(
    output: str | Path,
    problem: Problem = Problem(),
    seeds: Sequence[int] = range(20),
    recipe: Recipe = Recipe(),
    device: str = "cpu",
    progress: bool = True,
    tuning: Tuning | None = None,
) -> bool:
    """Run the paired study, print its summary and verdicts, and fill the folder ``output``.

    With a ``tuning`` every arm chooses its settings and epoch by it. Returns True if all seeds were finished. Those
    that were are in study.csv in any case.
    """
    return prepared(output, problem, seeds, recipe, device, progress, tuning)()


def prepared(
    output, problem: Problem, seeds: Sequence[int], recipe: Recipe, device: str, progress: bool = True,
    tuning: Tuning | None = None,
) -> Callable[[], bool]:  # fmt: skip
    """The work of ``compare_arms``, its arguments checked. Raises ValueError or TypeError for one that cannot be."""
    seeds = validate.ordered("seeds", seeds)
    if len(seeds) < 2:
        raise ValueError(f"seeds must be at least 2: one seed has no spread; got {seeds}")
    _, seeds = checked_study(problem, USUAL_ARMS, seeds, recipe, device)
    validate.flag("progress", progress)

    def work() -> bool:
        settings = settings_of(problem, recipe, tuning) | {"arms": list(USUAL_ARMS), "seeds": seeds}
        with RunFolder(output, settings, device) as folder:
            return _compare_arms(folder, problem, seeds, recipe, device, progress, tuning)

    return work


def _compare_arms(
    folder: RunFolder, problem: Problem, seeds: list[int], recipe: Recipe, device: str, progress: bool,
    tuning: Tuning | None,
) -> bool:  # fmt: skip
    output = folder.file("study.csv")
    folder.file(settings_file(output).name)
    table = paired_study(
        problem, seeds=seeds, recipe=recipe, tuning=tuning, device=device, output=output, progress=progress
    )
    finished = len(table) == len(seeds) * len(USUAL_ARMS)
    if not len(table) or table["seed"].nunique() < 2:
        folder.finish(finished=finished)
        return finished

    metrics = [metric for metric in USUAL_METRICS if table[metric].notna().any()] or ["test_mse"]
    summary = summarize(table, metrics)
    verdicts = {metric: verdict(summary, metric) for metric in metrics}
    folder.table("summary", summary)
    figures = study_figures(table, summary, metrics)
    if tuning is not None:
        figures["learning_curves"] = plots.plot_learning_curves(table).figure
    for name, figure in figures.items():
        folder.figure(name, figure)
    wall = folder.finish(
        finished=finished, verdicts={metric: text.splitlines()[0] for metric, text in verdicts.items()}
    )

    means = table.groupby("arm", sort=False)[metrics].mean().rename_axis(columns="metric")
    print(in_words(means).round(3).T.to_string(na_rep="-"))
    print(f"\nNoise floor of the test MSE: {table['floor'].mean():.3f}")
    print(f"\nPaired differences over {table['seed'].nunique()} seeds: mean [95% interval], verdict\n")
    print("\n".join(verdicts.values()))
    print(f"\n{wall:.1f} s. Tables, figures and run.json are in {folder.path}")
    return finished


def study_figures(table: pd.DataFrame, summary: pd.DataFrame, metrics: Sequence[str]) -> dict[str, Figure]:
    """Every metric: its value in each arm, and the forest plot of its paired differences."""
    figures = {}
    for name, draw_panel, size in [
        ("arms", lambda metric, ax: plots.plot_arms(table, metric, ax), (5.2, 3.4)),
        ("forest", lambda metric, ax: plots.plot_forest(table, summary, metric, ax), (5.8, 2.8)),
    ]:
        rows = -(-len(metrics) // 2)
        figures[name], axes = plt.subplots(
            rows, 2, figsize=(2 * size[0], rows * size[1]), layout="constrained", squeeze=False
        )
        for metric, ax in zip(metrics, axes.flat):
            draw_panel(metric, ax)
        for ax in axes.flat[len(metrics) :]:
            ax.remove()
    return figures
