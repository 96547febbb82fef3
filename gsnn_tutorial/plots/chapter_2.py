"""The contents of the simulated data: nonlinearities, noise, and the floor under every error."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from gsnn_tutorial import validate
from gsnn_tutorial.plots.style import axes, spoken, tidy
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.training import History

FLOOR = {"facecolor": "#E4E4E4", "edgecolor": "#9A9A9A", "hatch": "////", "linewidth": 0}
FUNCTION_STYLE = {
    "tanh": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "half_square": {"color": "#D55E00", "linestyle": "--", "marker": "s"},
    "cosine": {"color": "#009E73", "linestyle": "-.", "marker": "^"},
    "cubic": {"color": "#CC79A7", "linestyle": ":", "marker": "D"},
}
PREDICTOR_STYLE = {
    "training mean": {"color": "#555555", "marker": "X", "markersize": 6.5},
    "linear model": {"color": "#0072B2", "marker": "s", "markersize": 6.5},
    "with squares and products": {"color": "#D55E00", "marker": "^", "markersize": 7.5},
    "GSNN": {"color": ARMS["baseline"].color, "marker": ARMS["baseline"].marker, "markersize": 7},
}
OTHER_PREDICTOR = {"color": "#CC79A7", "marker": "v", "markersize": 7}
_ABOVE = {
    "loc": "lower center",
    "bbox_to_anchor": (0.5, 1.0),
    "ncol": 4,
    "frameon": False,
    "fontsize": 10,
}


def plot_limits(
    limit: pd.Series,
    marks: Mapping[str, pd.Series],
    ax: Axes | None = None,
    *,
    quantity: str = "test MSE",
) -> Axes:
    """The error of each predictor, row by row, and the one that none can pass: shaded up to the floor of an MSE, or
    from the ceiling of an R^2 on (``quantity='test R^2'``).
    """
    validate.choice("quantity", quantity, ("test MSE", "test R^2"))
    ax = axes(ax, (8.2, 1.3 + 0.36 * len(limit)))
    rows, is_floor = np.arange(len(limit)), quantity == "test MSE"
    end = 0.0 if is_floor else 1.0
    label = "noise: out of reach for any model"
    ax.barh(rows, np.asarray(limit) - end, left=end, height=0.74, label=label, **FLOOR)
    for row, value in zip(rows, limit):
        ax.plot(
            [value, value],
            [row - 0.37, row + 0.37],
            color="black",
            linewidth=1.8,
            solid_capstyle="butt",
        )
    for name, values in marks.items():
        style = PREDICTOR_STYLE.get(name, OTHER_PREDICTOR)
        ax.plot(np.asarray(values), rows, linestyle="", label=name, markeredgecolor="white", **style)
    ax.set_yticks(rows, limit.index, fontsize=10)
    ax.set_ylim(len(limit) - 0.5, -0.5)
    low = min(0.0, *(float(values.min()) for values in marks.values()))
    ax.set_xlim((0, None) if is_floor else (low - 0.05, 1))
    ax.set(
        xlabel="test MSE, standardised targets" if is_floor else "test $R^2$",
        ylabel=limit.index.name or "output",
    )
    ax.yaxis.labelpad = 9
    ax.legend(**_ABOVE, handletextpad=0.5, columnspacing=1.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", alpha=0.25)
    ax.set_axisbelow(True)
    return ax


def plot_against_parent_sum(function: Callable, ax: Axes | None = None, *, samples: int = 600, seed: int = 0) -> Axes:
    """A function of two standard normal parents, without noise, against the parents' sum.

    Each point is a sample, coloured by how far its parents are apart; the line is the mean at that sum.
    """
    ax = axes(ax, (3.2, 2.9))
    a, b = validate.generator(seed).standard_normal((2, samples))
    style = {
        "c": np.abs(a - b),
        "cmap": "cividis",
        "vmin": 0,
        "vmax": 4,
        "s": 15,
        "linewidth": 0,
        "alpha": 0.85,
    }
    ax.scatter(a + b, function([a, b]), **style)
    sums = np.linspace(-4, 4, 161)
    ax.plot(
        sums,
        mean_given_sum(function, sums),
        color="#D55E00",
        linewidth=1.3,
        label="mean at that sum",
    )
    ax.set(
        xlabel="sum of the parents",
        ylabel="value of the function",
        title=spoken(function.__name__),
        xlim=(-4.2, 4.2),
    )
    tidy(ax)
    return ax


def mean_given_sum(function: Callable, sums: np.ndarray) -> np.ndarray:
    """The mean of a function of two standard normal parents among samples of the same parents' sum.

    Sum and difference of two such parents are independent, each with variance 2: average over the difference.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    difference = np.sqrt(2) * nodes[:, None]
    return weights @ function([(sums + difference) / 2, (sums - difference) / 2]) / weights.sum()


def plot_input_plane(function: Callable, ax: Axes | None = None) -> Axes:
    """A function of two parents as a map over the plane of the two; lines join equal values."""
    ax = axes(ax, (3.2, 3.0))
    grid = np.linspace(-2.5, 2.5, 201)
    a, b = np.meshgrid(grid, grid)
    values = function([a, b])
    ax.contourf(a, b, values, levels=24, cmap="cividis")
    lines = ax.contour(a, b, values, levels=6, colors="white", linewidths=0.8)
    ax.clabel(lines, fontsize=10, fmt="%.2g")
    ax.set(xlabel="first parent", ylabel="second parent", aspect="equal")
    return ax


def plot_drowned(
    function: Callable, noise_scale: float, ax: Axes | None = None, *, nodes: int = 4, seed: int = 0
) -> Axes:
    """A pathway's output against its parent sum: what inputs explain (dark), and what is observed (light).

    The function acts first, then ``nodes`` nodes add their noise, one after the other.
    """
    noise_scale = validate.number("noise_scale", noise_scale, 0)
    ax, rng = axes(ax, (5.0, 3.6)), validate.generator(seed)
    (a, b), noise = rng.standard_normal((2, 400)), rng.standard_normal((nodes, 400)).sum(0)
    signal = function([a, b])
    observed = signal + noise_scale * noise
    ax.plot(
        a + b,
        observed,
        "o",
        color="#B0B0B0",
        markersize=3.5,
        markeredgewidth=0,
        label="observed output",
    )
    style = FUNCTION_STYLE[function.__name__]
    ax.plot(a + b, signal, style["marker"], color=style["color"], markersize=3.2, markeredgewidth=0,
            label="what the inputs explain")  # fmt: skip
    ax.set(
        xlabel="sum of the parents",
        ylabel="raw output",
        title=f"{spoken(function.__name__)}, noise scale {noise_scale:g}",
    )
    ax.legend(**{**_ABOVE, "bbox_to_anchor": (0.5, -0.32), "ncol": 2}, markerscale=1.8)
    return tidy(ax)


def plot_floor_curve(
    signal_variance: Mapping[str, float], ax: Axes | None = None, *, noise_scale: float, function: str | None = None,
    nodes: int = 4,
) -> Axes:  # fmt: skip
    """The floor of the standardised MSE against the noise scale; ``noise_scale`` is marked on every curve.

    The curve of ``function`` is drawn in front, the others pale.
    """
    ax = axes(ax, (5.0, 3.6))
    scales = np.linspace(0, 1.5, 151)
    for name, signal in signal_variance.items():
        chosen = function in (None, name)
        look = {"color": FUNCTION_STYLE[name]["color"], "alpha": 1.0 if chosen else 0.5}
        noise = nodes * scales**2
        linestyle, marker = FUNCTION_STYLE[name]["linestyle"], FUNCTION_STYLE[name]["marker"]
        ax.plot(scales, noise / (signal + noise), linestyle=linestyle, linewidth=1.8, **look)
        here = nodes * noise_scale**2 / (signal + nodes * noise_scale**2)
        ax.plot([noise_scale], [here], marker, markersize=8, markeredgecolor="white", **look)
        ax.plot([], [], marker=marker, linestyle=linestyle, label=f"{spoken(name)}: {here:.2f}", **look)
    ax.axvline(noise_scale, color="#888888", linewidth=0.8, zorder=0)
    ax.set(
        xlabel="noise scale of every node",
        ylabel="floor of the standardised MSE",
        xlim=(0, 1.5),
        ylim=(0, 1.02),
    )
    ax.legend(
        frameon=False,
        fontsize=10,
        loc="lower right",
        title=f"floor at {noise_scale:g}",
        title_fontsize=10,
    )
    return tidy(ax)


def plot_scaled_by(table: pd.DataFrame, floor: float, ax: Axes | None = None) -> Axes:
    """The MSE of the best possible predictor against the size of the test set, for each way of scaling."""
    ax = axes(ax, (6.4, 3.5))
    draw_floor(floor, ax)
    styles = [
        {"color": "#0072B2", "marker": "s", "linestyle": "-"},
        {"color": "#D55E00", "marker": "^", "linestyle": "--"},
    ]
    for style, (name, values) in zip(styles, table.items()):
        ax.plot(values.index, values, label=name, linewidth=1.6, markersize=6.5, **style)
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(table.index), [str(n) for n in table.index])
    ax.set(xlabel="rows in the test set", ylabel="MSE of the best predictor", ylim=(0, None))
    ax.legend(frameon=False, fontsize=10)
    return tidy(ax)


def plot_history_above_floor(history: History, floor: float, ax: Axes | None = None) -> Axes:
    """Train and test MSE over the epochs, with the floor drawn in."""
    ax = axes(ax, (6.8, 3.6))
    draw_floor(floor, ax)
    ax.plot(history.test_mse, color="#000000", linewidth=1.5, label="test MSE")
    ax.plot(history.train_mse, color="#0072B2", linewidth=1.5, linestyle="--", label="train MSE")
    ax.set(xlabel="epoch", ylabel="MSE, standardised targets", ylim=(0, None))
    ax.legend(frameon=False, fontsize=10)
    return tidy(ax)


def draw_floor(floor: float, ax: Axes, *, label: str = "noise floor") -> Axes:
    """Shade an axis of errors up to the noise floor: no model gets there, but by luck or by learning the noise."""
    ax.axhspan(0, floor, zorder=0, **FLOOR)
    ax.axhline(
        floor,
        color="black",
        linewidth=1.4,
        linestyle=(0, (6, 2)),
        label=f"{label}: {floor:.3f}",
        zorder=1,
    )
    return ax
