"""Figures of the benchmark: how time and memory grow."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsnn_tutorial.plots.chapter_4 import OTHER_WAY, WAY_STYLE
from gsnn_tutorial.plots.style import tidy

STYLE = WAY_STYLE | {"dense P x N": WAY_STYLE["dense mask"]}
QUANTITIES = {"ms": "milliseconds a step", "MB": "megabytes at the peak"}
IN_WORDS = {
    "edges E": "edges of the graph", "samples B": "samples in a batch", "channels C": "channels of a node",
    "memberships": "memberships of nodes", "replicas R": "models",
    "dense P x N": "dense matrix, pathways x nodes",
}  # fmt: skip


def plot_scaling(points: pd.DataFrame) -> Figure:
    """Milliseconds (left) and megabytes (right) of a training step over one axis, a line per way.

    ``points`` has the columns axis, value, way, ms and MB, and one axis. A line that ends early says so.
    """
    figure, panels = plt.subplots(1, 2, figsize=(10.4, 3.9), layout="constrained")
    for ax, column in zip(panels, QUANTITIES):
        _lines(points, column, ax)
        ax.legend(frameon=False, fontsize=10, loc="upper left")
    return figure


def plot_all_scaling(points: pd.DataFrame) -> Figure:
    """The same for all axes of ``points`` at once: a column for each, time above memory, and one legend."""
    kinds = list(points["axis"].unique())
    figure, panels = plt.subplots(
        2, len(kinds), figsize=(3.1 * len(kinds), 6.4), layout="constrained", sharex="col", sharey="row", squeeze=False
    )
    for column, row in zip(QUANTITIES, panels):
        for kind, ax in zip(kinds, row):
            _lines(points[points["axis"] == kind], column, ax)
            ax.label_outer()
    named = {label: line for ax in panels.flat for line, label in zip(*ax.get_legend_handles_labels())}
    figure.legend(named.values(), named, loc="outside upper center", ncols=len(named), frameon=False, fontsize=11)
    return figure


def _lines(points: pd.DataFrame, column: str, ax: Axes):
    """One quantity against one axis on log-log axes."""
    (axis,) = points["axis"].unique()
    for way, line in points.groupby("way", sort=False):
        ax.plot(line["value"], line[column], label=IN_WORDS.get(way, way), linewidth=1.6, **STYLE.get(way, OTHER_WAY))
        if line["value"].max() < points["value"].max():
            end = line["value"].iloc[-1], line[column].iloc[-1]
            ax.annotate("stops: too large", end, (0, 8), textcoords="offset points", ha="center", fontsize=10)
    ax.set(xscale="log", yscale="log", xlabel=IN_WORDS.get(axis, axis), ylabel=QUANTITIES[column])
    sizes = sorted(points["value"].unique())
    ticks = sizes[::-2][::-1] if len(sizes) > 6 else sizes  # every other one: their labels must not touch
    ax.set_xticks(ticks, [_brief(size) for size in ticks], fontsize=10)
    ax.minorticks_off()
    ax.margins(y=0.15)
    ax.grid(axis="x", alpha=0.15)
    tidy(ax)


def _brief(size: float) -> str:
    """1,000,000 -> 1M and 12,500 -> 12.5k: room for it below a narrow axis."""
    for unit, letter in [(1_000_000, "M"), (1_000, "k")]:
        if size >= unit:
            return f"{size / unit:g}{letter}"
    return f"{size:g}"
