"""The kit's main job: baseline, regularized and control side by side, into a folder."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from gsnn_tutorial import plots
from gsnn_tutorial.evaluation import linear_cka
from gsnn_tutorial.problem import Draw
from gsnn_tutorial.published import (
    ARMS,
    EPOCHS,
    LAMBDA_SIM,
    MODEL,
    TRAINING,
    Replay,
    published_draw,
    published_log,
    published_table,
    replay,
    side_by_side,
)
from gsnn_tutorial.report import RunFolder, usable_device

SHOWN = ("test_mse_final", "cos_gap", "ari", "norm_ratio_true_over_spurious")


def compare_published(output: str | Path, device: str = "cpu", progress: bool = True) -> bool:
    """Replay the published run, print its table beside ours, and fill the folder ``output``.

    Returns whether all three arms were finished. Those that were are written in any case.
    """
    settings = {"data": "published", "epochs": EPOCHS, "lambda_sim": LAMBDA_SIM, "phi": "mean", "initial weights": "seed 0"}
    folder = RunFolder(output, settings | MODEL | TRAINING, usable_device(device))
    draw, run = published_draw(), replay(device=device, progress=progress)

    folder.table("table", side_by_side(run.table).reset_index())
    histories = [history.table().assign(arm=arm) for arm, history in run.histories.items()]
    if histories:
        folder.table("history", pd.concat(histories).set_index("arm", append=True))
    for name, figure in published_figures(draw, run).items():
        folder.figure(name, figure)
    finished = len(run.models) == len(ARMS)
    wall = folder.finish(finished=finished)

    print(side_by_side(run.table).round(4).T.to_string(na_rep="-"))
    print(f"\n{wall:.1f} s. Tables, figures and run.json are in {folder.path}")
    return finished


def published_figures(draw: Draw, run: Replay) -> dict[str, Figure]:
    """The graph; the training curves with the published points; the table; the similarity matrices."""
    figures = {"graph": plots.plot_graph(draw.graph).figure}

    figures["training"], (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    plots.plot_training(run.histories, left, printed=published_log())
    regularized = {arm: history for arm, history in run.histories.items() if arm != "baseline"}
    plots.plot_training(regularized, right, quantity="L_sim", printed=published_log())

    figures["table"], axes = plt.subplots(1, len(SHOWN), figsize=(13, 3.4), layout="constrained")
    for ax, column in zip(axes, SHOWN):
        plots.plot_table(run.table, published_table(), column, ax)
    figures["table"].suptitle("hollow: as published; filled: ours", fontsize=10)

    figures["similarity"], axes = plt.subplots(1, len(ARMS), figsize=(14, 4.2), layout="constrained")
    for ax, (arm, model) in zip(axes, run.models.items()):
        plots.plot_similarity(linear_cka(model.layer_activations(draw.x_test)), draw.graph, ax).set_title(arm)
    return figures
