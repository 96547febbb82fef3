"""A prior over many settings: a map over worlds, and curves over one setting."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gsnn_tutorial.plots.style import LINES, axes, tidy
from gsnn_tutorial.study.metrics import metric_named
from gsnn_tutorial.study.verdicts import compared, judged

SETTINGS = {
    "K": "pathways",
    "n_train": "training samples",
    "n_spurious": "spurious edges",
    "n_crosstalk": "real edges between pathways",
    "lambda_sim": "lambda",
    "wrong": "share of wrong memberships",
}
DYNAMICS = {"sum": "{:g}", "rest": "at rest, {:g}"}  # what the world's nodes compute, and how far it is broken


def plot_worlds(summary: pd.DataFrame, arm: str, metric: str = "test_mse", ax: Axes | None = None,
                largest: float | None = None) -> Axes:  # fmt: skip
    """The gain of an arm over the baseline in each world of the map, with the word of the verdict below it.

    ``summary`` is that of ``summarize_by`` with the columns dynamics, broken and n_crosstalk. Down: how far the
    assumption is broken; across: real edges between pathways. Purple is gain, orange is harm; ``largest`` is the gain
    at the end of the colours.
    """
    kind = metric_named(metric)
    rows = summary[(summary["metric"] == metric) & (summary["arm"] == arm) & (summary["versus"] == "baseline")]
    worlds, crossings = list(dict.fromkeys(zip(rows["dynamics"], rows["broken"]))), sorted(rows["n_crosstalk"].unique())
    ax = axes(ax, (1.8 + 1.2 * len(crossings), 1.2 + 0.8 * len(worlds)))
    gains = np.full((len(worlds), len(crossings)), np.nan)
    for row in rows.itertuples():
        place = worlds.index((row.dynamics, row.broken)), crossings.index(row.n_crosstalk)
        gains[place] = kind.direction * row.difference
        word = judged(rows.loc[row.Index], kind)
        weight = "bold" if word in ("helps", "harms") else "normal"
        ax.text(place[1], place[0], f"{row.difference:+.3f}\n{word}", ha="center", va="center", weight=weight)
    most = np.nanmax(np.abs(gains)) if largest is None else largest
    ax.imshow(gains, cmap="PuOr", vmin=-2 * most, vmax=2 * most, aspect="auto")
    ax.set_xticks(range(len(crossings)), [f"{count:g}" for count in crossings])
    ax.set_yticks(range(len(worlds)), [DYNAMICS[dynamics].format(broken) for dynamics, broken in worlds])
    ax.set(xlabel=SETTINGS["n_crosstalk"], ylabel="how far the assumption is broken")
    return ax


def plot_sweep(summary: pd.DataFrame, x: str, metric: str, ax: Axes | None = None) -> Axes:
    """Paired differences and their intervals over a setting x, a curve and a band for each comparison.

    ``summary`` is that of ``summarize_by`` with the column x. The grey band holds differences too small to
    matter.
    """
    kind, ax = metric_named(metric), axes(ax, (5.2, 3.4))
    rows = summary[summary["metric"] == metric]
    values = sorted(rows[x].unique())
    ax.axhspan(-kind.margin, kind.margin, color="#DDDDDD", alpha=0.6, linewidth=0)
    ax.axhline(0, color="#666666", linewidth=0.8)
    comparisons = list(rows.groupby(["arm", "versus"], sort=False))
    for number, ((arm, versus), each) in enumerate(comparisons):
        color, marker, linestyle = LINES[number % len(LINES)]
        place = np.array([values.index(value) for value in each[x]])  # where the setting stands, and not beside it
        ax.fill_between(place, each["low"], each["high"], color=color, alpha=0.15, linewidth=0)
        ax.vlines(place, each["low"], each["high"], color=color, linewidth=1.2, alpha=0.6)
        ax.plot(place, each["difference"], marker, color=color, linestyle=linestyle, label=compared(arm, versus))
    ax.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    label = f"difference in {kind.words}\n({kind.better})"
    ax.set(xlabel=SETTINGS.get(x, x), ylabel=label, xlim=(-0.4, len(values) - 0.6))
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1))  # above: it hides nothing
    return tidy(ax)
