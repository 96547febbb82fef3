"""Figures: each function draws into an ``ax`` (a new one if None) and returns it.

Colours are Okabe and Ito's, told apart by colour-blind readers too, and nothing is told by colour
alone: node types differ in shape, arms in marker and line, spurious edges are dashed.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.inference import METRICS, paired_differences
from gsnn_tutorial.training import History

NODE_STYLE = {
    "input": {"color": "#56B4E9", "marker": "s"},
    "function": {"color": "#009E73", "marker": "o"},
    "output": {"color": "#E69F00", "marker": "D"},
}
ARM_STYLE = {
    "baseline": {"color": "#000000", "marker": "o", "linestyle": "-"},
    "regularized": {"color": "#0072B2", "marker": "s", "linestyle": "--"},
    "control": {"color": "#D55E00", "marker": "^", "linestyle": "-."},
    "oracle": {"color": "#009E73", "marker": "D", "linestyle": "-"},
    "untrained": {"color": "#555555", "marker": "X", "linestyle": ":"},
}
OTHER_ARM = {"color": "#CC79A7", "marker": "v", "linestyle": ":"}
SPURIOUS = "#D55E00"


def plot_graph(graph: PathwayGraph, ax: Axes | None = None, *, spurious: bool = True, legend: bool = True) -> Axes:
    """The graph at its layout: inputs on top, chains below, outputs at the bottom; spurious edges dashed."""
    ax = _axes(ax, (1.2 + 1.9 * graph.n_pathways, 1.4 + 0.75 * _rows(graph)))
    G = graph.networkx(spurious=spurious)
    positions = {node.name: node.position for node in graph.nodes}
    for node_type, style in NODE_STYLE.items():
        nx.draw_networkx_nodes(
            G, positions, graph.names[node_type], ax=ax, node_size=430,
            node_color=style["color"], node_shape=style["marker"], edgecolors="black", linewidths=0.6,
        )  # fmt: skip
    nx.draw_networkx_labels(G, positions, {name: _short(name) for name in G}, ax=ax, font_size=7)
    arrows = {"ax": ax, "node_size": 430, "arrowsize": 9, "width": 1.1}
    nx.draw_networkx_edges(G, positions, graph.edges, edge_color="#444444", **arrows)
    if spurious and graph.spurious_edges:
        nx.draw_networkx_edges(
            G, positions, graph.spurious_edges, edge_color=SPURIOUS, style="dashed",
            connectionstyle="arc3,rad=0.12", **arrows,
        )  # fmt: skip
    if legend:
        ax.legend(handles=_graph_legend(spurious and bool(graph.spurious_edges)), **_BELOW)
    ax.margins(0.08)
    ax.set_axis_off()
    return ax


def plot_training(
    histories: dict[str, History],
    ax: Axes | None = None,
    *,
    quantity: str = "test_mse",
    printed: pd.DataFrame | None = None,
) -> Axes:
    """One line per arm over the epochs of ``History``'s column ``quantity``.

    ``printed`` adds points: a table with columns arm, epoch and ``quantity``, such as the
    published log.
    """
    names = {"train_mse": "train MSE", "test_mse": "test MSE", "L_sim": r"scaled $L_{sim}$", "L_dis": r"scaled $L_{dis}$"}
    validate.choice("quantity", quantity, tuple(names))
    ax = _axes(ax, (6.4, 3.8))
    for arm, history in histories.items():
        style = ARM_STYLE.get(arm, OTHER_ARM)
        values = getattr(history, quantity)
        ax.plot(values, color=style["color"], linestyle=style["linestyle"], linewidth=1.4, label=arm)
        if printed is not None:
            points = printed[printed["arm"] == arm]
            ax.plot(points["epoch"], points[quantity], style["marker"], color=style["color"], markersize=4,
                    markerfacecolor="white", label=f"{arm}, as published")  # fmt: skip
    ax.set(xlabel="epoch", ylabel=names[quantity])
    ax.legend(frameon=False, fontsize=8)
    return _tidy(ax)


def plot_similarity(similarity: np.ndarray, graph: PathwayGraph, ax: Axes | None = None, *, name: str = "linear CKA") -> Axes:
    """A similarity matrix of the function nodes, ordered by pathway, with lines between pathways."""
    S = validate.matrix("similarity", similarity, rows=len(graph.labels), columns=len(graph.labels)).numpy()
    order = np.argsort(graph.labels, kind="stable")
    ax = _axes(ax, (4.6, 4.0))
    low = min(0.0, float(S.min()))
    image = ax.imshow(S[np.ix_(order, order)], cmap="cividis", vmin=low, vmax=1)
    ticks = [_short(graph.function_nodes[i]) for i in order]
    ax.set_xticks(range(len(ticks)), ticks, fontsize=7, rotation=90)
    ax.set_yticks(range(len(ticks)), ticks, fontsize=7)
    for edge in np.flatnonzero(np.diff(graph.labels[order])) + 0.5:
        ax.axhline(edge, color="white", linewidth=1.2)
        ax.axvline(edge, color="white", linewidth=1.2)
    ax.set(xlabel="function node", ylabel="function node")
    ax.figure.colorbar(image, ax=ax, label=name, shrink=0.85)
    return ax


def plot_table(ours: pd.DataFrame, published: pd.DataFrame, column: str, ax: Axes | None = None) -> Axes:
    """One column of the published table: as published (hollow) beside ours (filled), for each arm."""
    validate.choice("column", column, tuple(published.columns))
    ax = _axes(ax, (3.0, 3.2))
    for place, arm in enumerate(published.index):
        style = ARM_STYLE[arm]
        mark = {"color": style["color"], "marker": style["marker"], "markersize": 7, "linestyle": ""}
        ax.plot(place - 0.12, published.loc[arm, column], markerfacecolor="white", **mark)
        if arm in ours.index:
            ax.plot(place + 0.12, ours.loc[arm, column], **mark)
    if published[column].min() < 0:
        ax.axhline(0, color="#999999", linewidth=0.8)
    ax.set_xticks(range(len(published)), published.index, fontsize=8)
    ax.set(xlim=(-0.5, len(published) - 0.5), xlabel="arm", ylabel=column)
    return _tidy(ax)


def plot_forest(table: pd.DataFrame, summary: pd.DataFrame, metric: str, ax: Axes | None = None) -> Axes:
    """Paired differences of one metric: each seed a point, the mean and its 95% interval in front.

    The grey band holds differences too small to matter; the side on which an arm is better is named.
    """
    rows = summary[summary["metric"] == validate.choice("metric", metric, tuple(METRICS))]
    ax = _axes(ax, (5.0, 0.9 + 0.55 * len(rows)))
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
    """One metric in every arm: each seed a point, lines join a seed's arms, the mean in front."""
    validate.choice("metric", metric, tuple(METRICS))
    values = table.pivot(index="seed", columns="arm", values=metric)
    arms = [arm for arm in table["arm"].unique() if values[arm].notna().any()]
    ax = _axes(ax, (0.9 + 0.95 * len(arms), 3.4))
    ax.plot(values[arms].to_numpy().T, color="#BBBBBB", linewidth=0.6, zorder=1)
    for place, arm in enumerate(arms):
        style = ARM_STYLE.get(arm, OTHER_ARM)
        ax.plot(np.full(len(values), place), values[arm], ".", color="#999999", markersize=3, zorder=2)
        ax.plot(place, values[arm].mean(), style["marker"], color=style["color"], markersize=9, zorder=3)
    ax.set_xticks(range(len(arms)), arms, fontsize=8)
    ax.set(xlabel="arm", ylabel=METRICS[metric].label)
    return _tidy(ax)


def show(figure: Figure, alt: str):
    """Display a figure in a notebook with a text for those who cannot see it, and close it."""
    from IPython.display import display

    display(figure, metadata={"image/png": {"alt": alt}})
    plt.close(figure)


_BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.02), "ncol": 5, "frameon": False, "fontsize": 8}


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    return plt.subplots(figsize=size, layout="constrained")[1] if ax is None else ax


def _tidy(ax: Axes) -> Axes:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.25)
    return ax


def _rows(graph: PathwayGraph) -> int:
    return len({node.position[1] for node in graph.nodes})


def _short(name: str) -> str:
    """f_2_1 -> f2.1: room for the name inside its node."""
    head, *numbers = name.split("_")
    return head + ".".join(numbers)


def _graph_legend(spurious: bool) -> list[Line2D]:
    nodes = [
        Line2D([], [], linestyle="", markersize=8, markeredgecolor="black", label=f"{node_type} node", **style)
        for node_type, style in NODE_STYLE.items()
    ]
    edges = [Line2D([], [], color="#444444", label="true edge")]
    if spurious:
        edges.append(Line2D([], [], color=SPURIOUS, linestyle="--", label="spurious edge"))
    return nodes + edges
