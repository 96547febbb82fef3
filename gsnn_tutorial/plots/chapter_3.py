"""Figures of chapter 3: messages on a small graph, weight matrices, a spreading signal, masked edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.plots.graphs import bends
from gsnn_tutorial.plots.style import NODE_STYLE, SPURIOUS, axes, short, tidy

MODEL_STYLE = {
    "linear": {"color": "#555555", "marker": "X", "linestyle": ":"},
    "MLP": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "GCN": {"color": "#CC79A7", "marker": "v", "linestyle": ":"},
    "GCN + names": {"color": "#E69F00", "marker": "D", "linestyle": "--"},
    "GSNN": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "GSNN, wrong wires": {"color": "#56B4E9", "marker": "s", "linestyle": "--"},
}
_TRUE = {"color": "#009E73", "marker": "o"}
_FALSE = {"color": SPURIOUS, "marker": "^"}


def plot_messages(graph: PathwayGraph, labels: Sequence, ax: Axes | None = None, *, title: str = "") -> Axes:
    """A small graph with a label, such as its state, on every edge (in the order of ``graph.edges``)."""
    ax = axes(ax, (3.4, 3.8))
    positions = {node.name: node.position for node in graph.nodes}
    _nodes(graph, positions, ax, size=640)
    nx.draw_networkx_labels(graph.networkx(), positions, {n: short(n) for n in positions}, ax=ax, font_size=10)
    nx.draw_networkx_edges(
        graph.networkx(),
        positions,
        graph.edges,
        ax=ax,
        node_size=640,
        edge_color="#444444",
        width=1.3,
    )
    for (u, v), label in zip(graph.edges, labels):
        x, y = np.mean([positions[u], positions[v]], axis=0)
        box = {
            "boxstyle": "round,pad=0.25",
            "facecolor": "white",
            "edgecolor": "#BBBBBB",
            "linewidth": 0.8,
        }
        ax.text(x, y, str(label), ha="center", va="center", fontsize=10, bbox=box)
    ax.set_title(title, fontsize=10)
    ax.margins(0.16, 0.1)
    ax.set_axis_off()
    return ax


def plot_weights(
    W: torch.Tensor,
    mask: torch.Tensor,
    rows: Sequence[str],
    columns: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """A small weight matrix with its numbers; where the graph has no weight the cell is hatched."""
    ax = axes(ax, (0.8 + 0.6 * len(columns), 0.8 + 0.5 * len(rows)))
    for i, j in np.ndindex(*W.shape):
        exists = bool(mask[i, j])
        face = "#D7EAF5" if exists else "#F4F4F4"
        edge = "white" if exists else "#DADADA"
        hatch = None if exists else "////"
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=0))
        if exists:
            ax.text(j, i, f"{W[i, j]:g}", ha="center", va="center", fontsize=11)
    for line in range(len(columns) + 1):
        ax.axvline(line - 0.5, color="white", linewidth=2)
    for line in range(len(rows) + 1):
        ax.axhline(line - 0.5, color="white", linewidth=2)
    ax.set_xticks(range(len(columns)), columns, fontsize=10)
    ax.set_yticks(range(len(rows)), rows, fontsize=10)
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5), aspect="equal")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def plot_spread(
    graph: PathwayGraph,
    change: np.ndarray,
    source: str,
    ax: Axes | None = None,
    *,
    largest: float | None = None,
) -> Axes:
    """The change of each function node's activation, (N,), when the input node ``source`` was moved.

    Larger and darker is more; a node that did not change at all is a small hollow circle. An edge
    is dark if the node that writes it has changed. ``largest`` sets the end of the scale.
    """
    ax = axes(ax, (7.0, 4.0))
    change = np.asarray(change, dtype=float)
    scale = Normalize(0, largest or change.max() or 1.0)
    positions = {node.name: node.position for node in graph.nodes}
    value = dict(zip(graph.function_nodes, change))
    moved = {source} | {name for name, amount in value.items() if amount > 0}
    G = graph.networkx()
    rads = dict.fromkeys(graph.edges, 0.0) | bends(graph, ax)
    for edge in sorted(rads, key=lambda edge: edge[0] in moved):  # the lit ones in front
        lit, dashes = edge[0] in moved, "dashed" if edge in graph.spurious_edges else "solid"
        nx.draw_networkx_edges(
            G, positions, [edge], ax=ax, node_size=160, edge_color="#333333" if lit else "#DDDDDD", style=dashes,
            arrowsize=8, width=1.0 if lit else 0.8, connectionstyle=f"arc3,rad={rads[edge]}",
        )  # fmt: skip
    for node in graph.nodes:
        look = {
            "marker": NODE_STYLE[node.type]["marker"],
            "zorder": 3,
            "edgecolors": "black",
            "linewidths": 0.7,
        }
        amount = value.get(node.name, 0.0)
        if amount > 0:
            shade = plt.get_cmap("cividis_r")(0.1 + 0.9 * scale(amount))
            ax.scatter(*node.position, s=70 + 330 * min(1.0, scale(amount)), color=[shade], **look)
        elif node.name == source:
            ax.scatter(
                *node.position,
                s=170,
                color=NODE_STYLE["input"]["color"],
                **look | {"linewidths": 1.8},
            )
        else:
            ax.scatter(*node.position, s=36, color="white", **look)
    x, y = np.array(list(positions.values())).T
    ax.set(xlim=(x.min() - 0.5, x.max() + 0.5), ylim=(y.min() - 0.35, y.max() + 0.4))
    ax.set_axis_off()
    return ax


def spread_colorbar(largest: float, ax):
    """The scale of ``plot_spread`` beside ``ax`` (axes or a list of them)."""
    first = np.ravel(ax)[0]
    shades = plt.get_cmap("cividis_r")
    cmap = LinearSegmentedColormap.from_list("spread", shades(np.linspace(0.1, 1, 256)))
    mappable = ScalarMappable(Normalize(0, largest), cmap)
    return first.figure.colorbar(mappable, ax=ax, shrink=0.8, aspect=25, label="mean |change| of activation")


def plot_edge_effects(graph: PathwayGraph, effect: np.ndarray, ax: Axes | None = None) -> Axes:
    """The graph, its function-function edges as thick as ``effect`` says (square root of it)."""
    ax = axes(ax, (8.0, 4.0))
    positions = {node.name: node.position for node in graph.nodes}
    G, functions = graph.networkx(), set(graph.function_nodes)
    inner = [edge for edge in graph.all_edges if functions.issuperset(edge)]
    outer = [edge for edge in graph.edges if not functions.issuperset(edge)]
    width = 0.5 + 6.0 * np.sqrt(np.asarray(effect) / max(effect))
    unmeasured = {"edge_color": "#999999", "width": 1.2, "style": "dotted", "arrowstyle": "-"}  # neither thick nor thin
    nx.draw_networkx_edges(G, positions, outer, ax=ax, node_size=620, **unmeasured)
    rads = bends(graph, ax)
    for edge, true, w in zip(inner, graph.function_edge_is_true, width):
        nx.draw_networkx_edges(
            G, positions, [edge], ax=ax, width=w, arrowsize=7 + 1.5 * w, node_size=620,
            edge_color=(_TRUE if true else _FALSE)["color"], style="solid" if true else "dashed",
            connectionstyle=f"arc3,rad={rads.get(edge, 0)}",
        )  # fmt: skip
    _nodes(graph, positions, ax, size=620)
    nx.draw_networkx_labels(G, positions, {n: short(n) for n in positions}, ax=ax, font_size=10)
    handles = [
        Line2D([], [], color=_TRUE["color"], linewidth=3, label="true edge"),
        Line2D([], [], color=_FALSE["color"], linewidth=2, linestyle="--", label="spurious edge"),
        Line2D([], [], color="#999999", linewidth=1.2, linestyle=":", label="not measured"),
    ]
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.02),
        ncol=3,
        frameon=False,
        fontsize=10,
    )
    ax.margins(0.06)
    ax.set_axis_off()
    return ax


def plot_true_spurious(
    values: np.ndarray,
    is_true: np.ndarray,
    label: str,
    ax: Axes | None = None,
    *,
    floor: float | None = None,
) -> Axes:
    """One value for each function-function edge, true edges beside spurious ones.

    With ``floor`` the scale is logarithmic, and a value below it is a hollow mark that stands there.
    """
    ax = axes(ax, (3.2, 3.4))
    values, is_true = np.asarray(values), np.asarray(is_true, dtype=bool)
    for place, (chosen, style) in enumerate([(is_true, _TRUE), (~is_true, _FALSE)]):
        shown = np.sort(values[chosen])
        for x, value in zip(place + np.linspace(-0.25, 0.25, len(shown)), shown):
            hollow = floor is not None and value < floor
            ax.plot(x, floor if hollow else value, style["marker"], markersize=7, markeredgewidth=0.8,
                    color="white" if hollow else style["color"],
                    markeredgecolor=style["color"] if hollow else "black")  # fmt: skip
    ax.set_xticks([0, 1], ["true", "spurious"])
    ax.set(xlim=(-0.5, 1.5), xlabel="edge", ylabel=label)
    if floor is None:
        ax.set_ylim(bottom=0)
        return tidy(ax)
    ax.set_yscale("log")
    ax.set_ylim(floor / 2, max(ax.get_ylim()[1], 2 * values.max()))
    if (values < floor).any():
        ax.annotate(f"hollow: below {floor:g}", (0.03, floor), xycoords=("axes fraction", "data"), va="center",
                    fontsize=10)  # fmt: skip
    return tidy(ax)


def plot_validation(curves: Mapping[str, Sequence[float]], ax: Axes | None = None, *, floor: float) -> Axes:
    """Validation error over the epochs, each model's best epoch marked, the noise floor drawn in."""
    ax = axes(ax, (6.4, 3.8))
    for name, values in curves.items():
        style = MODEL_STYLE[name]
        ax.plot(values, color=style["color"], linestyle=style["linestyle"], linewidth=1.5)
        best = int(np.argmin(values))
        ax.plot(best, values[best], style["marker"], color=style["color"], markersize=8, markeredgecolor="black",
                label=name)  # fmt: skip
    ax.axhline(floor, color="black", linewidth=1)
    ax.annotate("noise floor", (1, floor), (0, -11), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", fontsize=10)  # fmt: skip
    ax.set(xlabel="epoch", ylabel="validation MSE", ylim=(0, 1.25))
    ax.legend(frameon=False, fontsize=10, ncol=3, loc="lower left")
    return tidy(ax)


def plot_models(errors, floors: Sequence[float], ax: Axes | None = None) -> Axes:
    """Test error of each model (rows of a table, seeds as columns), small marks for seeds, a large one for the mean."""
    ax = axes(ax, (6.4, 0.9 + 0.45 * len(errors)))
    ax.axvspan(min(floors), max(floors), color="#BBBBBB", linewidth=0)
    for place, (name, row) in enumerate(errors.iterrows()):
        style = MODEL_STYLE[name]
        jitter = np.linspace(-0.18, 0.18, len(row))
        ax.plot(row, place + jitter, style["marker"], color=style["color"], markersize=4, alpha=0.6)
        ax.plot(
            row.mean(),
            place,
            style["marker"],
            color=style["color"],
            markersize=10,
            markeredgecolor="black",
        )
    ax.set_yticks(range(len(errors)), errors.index)
    ax.set_ylim(len(errors) - 0.4, -0.6)
    ax.annotate("noise floor", (max(floors), 1), (4, -2), xycoords=("data", "axes fraction"),
                textcoords="offset points", va="top", fontsize=10)  # fmt: skip
    ax.set(xlabel="test MSE", ylabel="model")
    ax.set_xlim(left=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", alpha=0.25)
    return ax


def _nodes(graph: PathwayGraph, positions: dict, ax: Axes, size: int):
    for node_type, style in NODE_STYLE.items():
        nx.draw_networkx_nodes(
            graph.networkx(), positions, graph.names[node_type], ax=ax, node_size=size,
            node_color=style["color"], node_shape=style["marker"], edgecolors="black", linewidths=0.6,
        )  # fmt: skip
