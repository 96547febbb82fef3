"""What a paired study shows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gsnn_tutorial import validate
from gsnn_tutorial.inference import METRICS, paired_differences
from gsnn_tutorial.plots.style import ARM_STYLE, OTHER_ARM, axes, draw_floor, tidy


def plot_forest(table: pd.DataFrame, summary: pd.DataFrame, metric: str, ax: Axes | None = None) -> Axes:
    """Paired differences of one metric: each seed a point, the mean and its 95% interval in front.

    The grey band holds differences too small to matter; the side on which an arm is better is named.
    """
    rows = summary[summary["metric"] == validate.choice("metric", metric, tuple(METRICS))]
    ax = axes(ax, (5.0, 0.9 + 0.55 * len(rows)))
    kind = METRICS[metric]
    ax.axvspan(-kind.margin, kind.margin, color="#DDDDDD", alpha=0.6, linewidth=0)
    ax.axvline(0, color="#666666", linewidth=0.8)
    for place, row in enumerate(rows.itertuples()):
        differences = paired_differences(table, metric, row.arm, row.versus)
        jitter = np.linspace(-0.22, 0.22, len(differences))
        ax.plot(differences, place + jitter, ".", color="#999999", markersize=4, alpha=0.8)
        style = ARM_STYLE.get(row.arm, OTHER_ARM)
        ax.plot([row.low, row.high], [place, place], color=style["color"], linewidth=2.4)
        ax.plot(row.difference, place, style["marker"], color=style["color"], markersize=7, markeredgecolor="white")
    ax.set_yticks(range(len(rows)), [f"{row.arm} - {row.versus}" for row in rows.itertuples()], fontsize=8)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    better = "more is better" if kind.structural else "less is better"
    ax.set(xlabel=f"paired difference in {kind.label} ({better})", ylabel="comparison")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_arms(table: pd.DataFrame, metric: str, ax: Axes | None = None) -> Axes:
    """One metric in every arm: each seed a point, lines join a seed's arms, the mean in front.

    Under a test MSE the seeds' mean noise floor is drawn.
    """
    validate.choice("metric", metric, tuple(METRICS))
    values = table.pivot(index="seed", columns="arm", values=metric)
    arms = [arm for arm in table["arm"].unique() if values[arm].notna().any()]
    ax = axes(ax, (0.9 + 0.95 * len(arms), 3.4))
    ax.plot(values[arms].to_numpy().T, color="#BBBBBB", linewidth=0.6, zorder=1)
    for place, arm in enumerate(arms):
        style = ARM_STYLE.get(arm, OTHER_ARM)
        ax.plot(np.full(len(values), place), values[arm], ".", color="#999999", markersize=3, zorder=2)
        ax.plot(place, values[arm].mean(), style["marker"], color=style["color"], markersize=9, zorder=3)
    if metric == "test_mse" and "floor" in table:
        draw_floor(ax, table["floor"].mean())
        ax.legend(frameon=False, fontsize=8)
    ax.set_xticks(range(len(arms)), arms, fontsize=8)
    ax.set(xlabel="arm", ylabel=METRICS[metric].label)
    return tidy(ax)
