"""Figures of the benchmark: how time and memory grow."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from gsnn_tutorial.plots.chapter_4 import OTHER_WAY, WAY_STYLE
from gsnn_tutorial.plots.style import tidy


def plot_scaling(points: pd.DataFrame) -> Figure:
    """Milliseconds (left) and megabytes (right) of a training step over one axis, a line per way.

    ``points`` has the columns axis, value, way, ms and MB, and one axis. A line that ends early says so.
    """
    (axis,) = points["axis"].unique()
    figure, panels = plt.subplots(1, 2, figsize=(10.4, 3.9), layout="constrained")
    for ax, (column, label) in zip(panels, [("ms", "milliseconds a step"), ("MB", "megabytes at the peak")]):
        for way, line in points.groupby("way", sort=False):
            ax.plot(line["value"], line[column], label=way, linewidth=1.6, **WAY_STYLE.get(way, OTHER_WAY))
            if line["value"].max() < points["value"].max():
                end = line["value"].iloc[-1], line[column].iloc[-1]
                ax.annotate("stops: too large", end, (0, 8), textcoords="offset points", ha="center", fontsize=10)
        ax.set(xscale="log", yscale="log", xlabel=axis, ylabel=label)
        sizes = sorted(points["value"].unique())
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize=10, rotation=30 if max(sizes) > 9999 else 0)
        ax.minorticks_off()
        ax.margins(y=0.15)
        ax.grid(axis="x", alpha=0.15)
        ax.legend(frameon=False, fontsize=10, loc="upper left")
        tidy(ax)
    return figure
