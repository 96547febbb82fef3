"""Training curves, and the published table beside ours."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from gsnn_tutorial import validate
from gsnn_tutorial.plots.style import axes, draw_floor, stacked, tidy
from gsnn_tutorial.study.arms import arm_named
from gsnn_tutorial.study.metrics import METRICS
from gsnn_tutorial.training import History

QUANTITIES = {
    "train_mse": "train MSE",
    "test_mse": "test MSE",
    "L_sim": r"scaled $L_{sim}$",
    "L_dis": r"scaled $L_{dis}$",
}


def plot_training(
    histories: dict[str, History],
    ax: Axes | None = None,
    *,
    quantity: str = "test_mse",
    printed: pd.DataFrame | None = None,
    floor: float | None = None,
) -> Axes:
    """One line per arm over the epochs of ``History``'s column ``quantity``.

    ``printed`` adds points: a table with columns arm, epoch and ``quantity``, such as the
    published log. ``floor`` draws the error that noise alone costs.
    """
    validate.choice("quantity", quantity, tuple(QUANTITIES))
    ax = axes(ax, (6.4, 3.8))
    for arm, history in histories.items():
        style = arm_named(arm)
        values = getattr(history, quantity)
        ax.plot(values, color=style.color, linestyle=style.linestyle, linewidth=1.4, label=style.words)
        if printed is not None:
            points = printed[printed["arm"] == arm]
            mark = {"marker": style.marker, "linestyle": "", "color": style.color, "markersize": 4}
            name = f"{style.words}, as published"
            ax.plot(points["epoch"], points[quantity], markerfacecolor="white", label=name, **mark)
    if floor is not None:
        draw_floor(ax, floor)
    ax.set(xlabel="epoch", ylabel=QUANTITIES[quantity])
    ax.legend(frameon=False)
    return tidy(ax)


def plot_table(ours: pd.DataFrame, published: pd.DataFrame, column: str, ax: Axes | None = None) -> Axes:
    """One column of the published table: as published (hollow) beside ours (filled), for each arm.

    The axis names the column in words, as ``METRICS`` has them, and it holds 0, so that distances are not blown up.
    """
    validate.choice("column", column, tuple(published.columns))
    ax, metric = axes(ax, (3.0, 3.2)), METRICS.get(column.removesuffix("_final"))
    words = column.replace("_", " ") if metric is None else metric.words
    for place, arm in enumerate(published.index):
        style = arm_named(arm)
        mark = {"color": style.color, "marker": style.marker, "markersize": 7, "linestyle": ""}
        theirs, own = ("as published", "ours") if place == 0 else ("", "")  # a legend needs one of each
        ax.plot(place - 0.12, published.loc[arm, column], markerfacecolor="white", label=theirs, **mark)
        if arm in ours.index:
            ax.plot(place + 0.12, ours.loc[arm, column], label=own, **mark)
    ax.margins(y=0.12)
    if published[column].min() < 0:
        ax.axhline(0, color="#999999", linewidth=0.8)
    else:
        ax.set_ylim(0, 1.12 * ax.dataLim.y1)
    ax.set_xticks(range(len(published)), [stacked(arm_named(arm).words) for arm in published.index])
    ax.set(xlim=(-0.5, len(published) - 0.5), xlabel="arm", ylabel=words)
    return tidy(ax)
