"""The figures of a paired study."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gsnn_tutorial.plots.style import LINES, axes, draw_floor, stacked, tidy
from gsnn_tutorial.study.arms import arm_named
from gsnn_tutorial.study.inference import paired_differences, power_curve, seeds_needed
from gsnn_tutorial.study.metrics import metric_named
from gsnn_tutorial.study.verdicts import compared, judged


def plot_forest(table: pd.DataFrame, summary: pd.DataFrame, metric: str, ax: Axes | None = None) -> Axes:
    """Paired differences of one metric: each seed a point, the mean and its 95% interval in front.

    Beside them stands the word of ``verdict``. The grey band holds differences too small to matter. Which side is
    better is said below. The ticks name the comparisons, so that the axis needs no other label.
    """
    kind, rows = metric_named(metric), summary[summary["metric"] == metric]
    ax = axes(ax, (5.0, 0.9 + 0.55 * len(rows)))
    ax.axvspan(-kind.margin, kind.margin, color="#DDDDDD", alpha=0.6, linewidth=0)
    ax.axvline(0, color="#666666", linewidth=0.8)
    for place, row in enumerate(rows.itertuples()):
        differences = paired_differences(table, metric, row.arm, row.versus)
        jitter = np.linspace(-0.22, 0.22, len(differences))
        ax.plot(differences, place + jitter, ".", color="#999999", markersize=4, alpha=0.8)
        arm = arm_named(row.arm)
        ax.plot([row.low, row.high], [place, place], color=arm.color, linewidth=2)
        edge = {"markeredgecolor": "white", "markeredgewidth": 0.6}
        ax.plot(row.difference, place, marker=arm.marker, color=arm.color, markersize=9.5, linestyle="", **edge)
        word = judged(rows.loc[row.Index], kind)
        ax.text(1.02, place, word, transform=ax.get_yaxis_transform(), va="center")
    ax.set_yticks(range(len(rows)), [compared(row.arm, row.versus) for row in rows.itertuples()])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(f"paired difference in {kind.words}\n({kind.better})")
    ax.locator_params(axis="x", nbins=5)  # more labels would touch
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_arms(table: pd.DataFrame, metric: str, ax: Axes | None = None) -> Axes:
    """One metric in every arm: each seed a point, lines join a seed's arms, the mean in front.

    Under a test MSE the seeds' mean noise floor is drawn.
    """
    label = metric_named(metric).words
    values = table.pivot(index="seed", columns="arm", values=metric)
    arms = [arm for arm in table["arm"].unique() if values[arm].notna().any()]
    ax = axes(ax, (0.9 + 1.0 * len(arms), 3.6))
    ax.plot(values[arms].to_numpy().T, color="#BBBBBB", linewidth=0.6, zorder=1)
    for place, arm in enumerate(arms):
        style = arm_named(arm)
        ax.plot(np.full(len(values), place), values[arm], ".", color="#999999", markersize=3, zorder=2)
        ax.plot(place, values[arm].mean(), marker=style.marker, color=style.color, markersize=9, zorder=3)
    if metric == "test_mse" and "floor" in table:
        draw_floor(ax, table["floor"].mean())
        ax.legend(frameon=False)
    ax.set_xticks(range(len(arms)), [stacked(arm_named(arm).words) for arm in arms])
    ax.set(xlabel="arm", ylabel=label)
    return tidy(ax)


def plot_power(
    differences, metric: str, effects: Sequence[float] | None = None, *, power: float = 0.8, ax: Axes | None = None
) -> Axes:
    """The number of seeds that it takes to find differences of these sizes, given the spread of those observed.

    ``effects`` are the metric's margin, twice and four times that, unless given. Each curve is a
    ``power_curve``, with a mark where it reaches ``power``; a grey line stands at the seeds that there are.
    """
    kind, ax = metric_named(metric), axes(ax, (5.0, 3.2))
    effects = [kind.margin * times for times in (1, 2, 4)] if effects is None else list(effects)
    seeds = np.arange(2, max(40, 2 * len(differences)) + 1)
    for effect, (color, marker, linestyle) in zip(effects, cycle(LINES)):
        needed = seeds_needed(differences, effect, power)
        line = {"color": color, "linestyle": linestyle, "label": f"{effect:g}: {needed:,} seeds"}
        ax.plot(seeds, power_curve(differences, effect, seeds), **line)
        if needed <= seeds[-1]:
            ax.plot(needed, power_curve(differences, effect, [needed]), marker, color=color)
    ax.axhline(power, color="#666666", linewidth=0.8)
    ax.axvline(len(differences), color="#BBBBBB", linewidth=4, alpha=0.5, zorder=0)
    where = {"loc": "upper left", "bbox_to_anchor": (1, 1)}  # beside the curves: it hides nothing
    ax.legend(title=f"difference in\n{kind.words}", frameon=False, **where)
    ax.set(xlabel="seeds", ylabel="power", ylim=(0, 1.02))
    return tidy(ax)
