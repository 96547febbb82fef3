"""Pictures of chapter 4: three layouts of one map, and what they cost against graph size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from gsnn_tutorial import validate
from gsnn_tutorial.plots.style import NODE_STYLE, axes, tidy

WAY_STYLE = {
    "dense mask": {"color": "#E69F00", "marker": "s", "linestyle": "--"},
    "gather-scatter": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "edge-major": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "floor": {"color": "#555555", "marker": "", "linestyle": ":"},
}
OTHER_WAY = {"color": "#CC79A7", "marker": "v", "linestyle": "-"}
MODELS_STYLE = {
    "one after another": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "side by side": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
}
ROW_COLOR = ("#CDE4F2", "#FBE3B5", "#CDEBDF", "#F3D3E2")  # light: black digits stand on them
MISSING = "#F4F4F4"
_DIGITS = {"ha": "center", "va": "center", "fontsize": 10}


def plot_dense(indices: torch.Tensor, values: torch.Tensor, size: tuple[int, int], ax: Axes | None = None) -> Axes:
    """W as a dense matrix, a row per target: numbers where a weight exists, hatched boxes elsewhere."""
    sources, targets = size
    ax = axes(ax, (1 + 0.7 * sources, 1 + 0.7 * targets))
    weight = {(int(s), int(t)): float(v) for s, t, v in zip(*indices, values)}
    for t in range(targets):
        for s in range(sources):
            if (s, t) in weight:
                _box(ax, s - 0.5, t - 0.5, f"{weight[s, t]:g}", _row_color(t))
            else:
                _box(ax, s - 0.5, t - 0.5, "", MISSING, hatch="///")
    ax.set(xlim=(-0.6, sources - 0.4), ylim=(targets - 0.4, -0.6), aspect="equal", anchor="N")
    ax.set(xlabel="source", ylabel="target")
    ax.set_xticks(range(sources), [f"s{s}" for s in range(sources)])
    ax.set_yticks(range(targets), [f"t{t}" for t in range(targets)])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def plot_messages(
    indices: torch.Tensor,
    values: torch.Tensor,
    size: tuple[int, int],
    samples: int,
    ax: Axes | None = None,
) -> Axes:
    """B copies of the bipartite graph side by side: an arrow for every weight of every sample."""
    sources, targets = size
    ax = axes(ax, (1 + 2.2 * samples, 2.6))
    for b in range(samples):
        left = b * (sources + 0.9)
        middle = left + (sources - targets) / 2
        for s, t, value in zip(*indices.tolist(), values.tolist()):
            arrow = {"arrowstyle": "-|>", "color": "#666666", "shrinkA": 10, "shrinkB": 10}
            ax.annotate("", (middle + t, 0), (left + s, 1.5), arrowprops=arrow)
            x, y = 0.66 * (left + s) + 0.34 * (middle + t), 0.66 * 1.5
            label = {"boxstyle": "round,pad=0.12", "facecolor": _row_color(t), "edgecolor": "none"}
            ax.text(x, y, f"{value:g}", bbox=label, ha="center", va="center", fontsize=10)
        for s in range(sources):
            _node(ax, left + s, 1.5, f"s{s}", "input")
        for t in range(targets):
            _node(ax, middle + t, 0, f"t{t}", "function")
        ax.text(left + (sources - 1) / 2, 2.15, f"sample {b}", ha="center", va="center", fontsize=10)
    ax.set(xlim=(-0.6, samples * (sources + 0.9) - 1.3), ylim=(-0.55, 2.4), aspect="equal", anchor="N")
    ax.set_axis_off()
    return ax


def plot_csr(start, source, values, ax: Axes | None = None) -> Axes:
    """CSR's three arrays, boxes coloured by row; row t's weights lie from start[t] to start[t + 1]."""
    start, source, values = (np.asarray(a).tolist() for a in (start, source, values))
    ax = axes(ax, (1.6 + 0.7 * len(values), 3.0))
    row = np.repeat(np.arange(len(start) - 1), np.diff(start))
    for e, value in enumerate(values):
        _box(ax, e, 0, f"{value:g}", _row_color(row[e]))
        _box(ax, e, 1.25, f"s{source[e]}", _row_color(row[e]))
    for t, place in enumerate(start):
        last = t == len(start) - 1
        _box(ax, place - 0.5, 2.9, str(place), "white" if last else _row_color(t))
        arrow = {"arrowstyle": "-|>", "color": "#666666", "shrinkA": 1, "shrinkB": 1}
        ax.annotate("", (place, 2.3), (place, 2.87), arrowprops=arrow)
        ax.text(place, 4.0, "end" if last else f"t{t}", **_DIGITS | {"va": "bottom", "fontsize": 10})
    for y, name in [(0.5, "value"), (1.75, "source"), (3.4, "start")]:
        ax.text(-0.75, y, name, ha="right", va="center", fontsize=10)
    ax.set(xlim=(-2.3, len(values) + 0.7), ylim=(-0.15, 4.6), aspect="equal", anchor="N")
    ax.set_axis_off()
    return ax


def plot_against_size(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    ylabel: str,
    limit: float | None = None,
    mark: int | None = None,
    stopped: str = "",
) -> Axes:
    """A line per way (columns) over the number of function nodes (index), both axes logarithmic.

    ``limit`` draws a level, ``mark`` a size; ``stopped`` is written where a line ends early.
    """
    ax = axes(ax, (6.4, 3.9))
    if limit is not None:
        ax.axhline(limit, color="#999999", linewidth=0.9)
        ax.annotate(
            "the limit on this machine", (table.index[0], limit), (0, 3), color="#555555",
            textcoords="offset points", va="bottom", fontsize=10,
        )  # fmt: skip
    if mark is not None:
        ax.axvline(mark, color="#BBBBBB", linewidth=5, alpha=0.6, zorder=0)
    for name, line in table.items():
        line = line.dropna()
        ax.plot(line, label=name, linewidth=1.6, markersize=5.5, **WAY_STYLE.get(name, OTHER_WAY))
        if stopped and len(line) and line.index[-1] < table.index[-1]:
            ax.annotate(
                stopped, (line.index[-1], line.iloc[-1]), (0, 8), textcoords="offset points",
                ha="center", va="bottom", fontsize=10, color="#444444",
            )  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="function nodes", ylabel=ylabel)
    ax.margins(y=0.12)
    ax.legend(frameon=False, fontsize=10, handlelength=3.4, loc="upper left")
    ax.grid(axis="x", alpha=0.15)
    return tidy(ax)


def plot_one_size(times: pd.DataFrame, nodes: int, ax: Axes | None = None) -> Axes:
    """One size's milliseconds, a point per way, the floor a dotted line; every size has the same axis.

    ``times`` has a row per size and a column per way, 'floor' among them.
    """
    nodes = validate.choice("nodes", nodes, tuple(times.index))
    ax = axes(ax, (5.0, 2.6))
    ways = [name for name in times if name != "floor"]
    low, high = times.min().min() / 2, times.max().max() * 40
    for place, name in enumerate(ways):
        style, value = WAY_STYLE.get(name, OTHER_WAY), times.loc[nodes, name]
        if np.isnan(value):
            ax.text(low * 1.3, place, "needs more memory than the limit", va="center", fontsize=10)
            continue
        ax.plot(value, place, style["marker"], color=style["color"], markersize=8)
        text = f"  {value:.3g} ms, {value / times.loc[nodes, 'floor']:.3g} x the floor"
        ax.text(value * 1.1, place, text, va="center", fontsize=10)
    ax.axvline(times.loc[nodes, "floor"], color=WAY_STYLE["floor"]["color"], linestyle=":", linewidth=1.6)
    ax.set_yticks(range(len(ways)), ways)
    ax.set(xscale="log", xlim=(low, high), ylim=(len(ways) - 0.5, -0.5))
    ax.set(xlabel="milliseconds, forward and backward")
    ax.grid(axis="both", alpha=0.2)
    ax.set_title(f"{nodes:,} function nodes (dotted: the floor)", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_models(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Milliseconds per model (a column per way of running R of them) against R (index)."""
    ax = axes(ax, (5.2, 3.4))
    for name, line in table.items():
        ax.plot(line, label=name, linewidth=1.6, markersize=6, **MODELS_STYLE.get(name, OTHER_WAY))
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(table.index), [str(R) for R in table.index])
    ax.set(xlabel="models R", ylabel="milliseconds per model", ylim=(0, 1.3 * table.max().max()))
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=10, handlelength=3.4, ncol=2, loc="upper right")
    return tidy(ax)


def _row_color(row: int) -> str:
    return ROW_COLOR[row % len(ROW_COLOR)]


def _box(ax: Axes, x: float, y: float, text: str, color: str, hatch: str | None = None):
    edge = "#555555" if hatch is None else "#C4C4C4"
    ax.add_patch(Rectangle((x, y), 1, 1, facecolor=color, edgecolor=edge, hatch=hatch, linewidth=0.9))
    ax.text(x + 0.5, y + 0.5, text, **_DIGITS)


def _node(ax: Axes, x: float, y: float, text: str, node_type: str):
    style = NODE_STYLE[node_type]
    ax.plot(
        x, y, style["marker"], color=style["color"], markersize=18, markeredgecolor="black",
        markeredgewidth=0.7,
    )  # fmt: skip
    ax.text(x, y, text, ha="center", va="center", fontsize=10)
