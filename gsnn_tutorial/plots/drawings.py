"""Drawings of ideas: one layer from edges to channels to edges, and the map of the book."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.plots.style import NODE_STYLE, axes, short

EDGE_BOX, CHAPTER_BOX, HERE_BOX = "#EEF3F6", "#EEF3F6", "#FBE3B5"
HEARS, TELLS, KEPT = "#0072B2", "#D55E00", "#777777"

# A chapter's number, its name, what it is about, and where its box stands.
CHAPTERS = (
    (1, "Pathway graph", "who can hear whom", (0, 1)),
    (2, "Simulation", "data, and the best error", (1, 1)),
    (3, "GSNN", "the network", (2, 1)),
    (4, "Sparse maps", "the same network, fast", (3, 1)),
    (5, "Pathway regularizer", "a second piece of knowledge", (0, 0)),
    (6, "Three-way evaluation", "a fair comparison", (1, 0)),
    (7, "Does the prior help?", "where, and how much", (2, 0)),
    (8, "Your own network", "real data, real questions", (3, 0)),
)
# What one chapter hands to another, and which way its arrow bends.
HANDS_ON = (
    (1, 2, "edges", 0.0), (2, 3, "samples", 0.0), (3, 4, "its two maps", 0.0), (1, 5, "memberships", 0.0),
    (3, 5, "activations", 0.0), (5, 6, "a loss", 0.0), (4, 6, "many models at once", 0.0), (6, 7, "verdicts", 0.0),
    (7, 8, "what to expect", 0.0),
)  # fmt: skip


def plot_layer(graph: PathwayGraph, channels: int = 2, ax: Axes | None = None) -> Axes:
    """One layer of a GSNN on a small graph: messages on edges, the channels of each node, messages again.

    A line is a weight. W_in leads from an edge to the channels of the node in which it ends, W_out from the channels
    of a node to the edges that start there, and the residual from each edge to itself.
    """
    validate.instance("graph", graph, PathwayGraph)
    validate.integer("channels", channels, 1)
    edges, nodes = list(graph.all_edges), graph.function_nodes
    ax = axes(ax, (8.6, 1.2 + 0.75 * len(edges)))
    height = {edge: -float(place) for place, edge in enumerate(edges)}
    rows = np.linspace(-0.5, 0.5 - len(edges), len(nodes) * channels + len(nodes) - 1)  # a gap between nodes
    row = {(n, c): rows[n * (channels + 1) + c] for n in range(len(nodes)) for c in range(channels)}
    for n, node in enumerate(nodes):
        top, bottom = row[n, 0], row[n, channels - 1]
        _box(
            ax, (4.45, bottom - 0.32), (1.1, top - bottom + 0.64), "white", NODE_STYLE["function"]["color"], behind=True
        )
        ax.text(5.0, top + 0.42, short(node), ha="center", va="bottom", fontsize=11)
        for c in range(channels):
            ax.plot(5.0, row[n, c], "o", markersize=13, **_rim(NODE_STYLE["function"]["color"]), zorder=3)
            for (source, target), y in height.items():
                if target == node:
                    _line(ax, (1.05, y), (4.78, row[n, c]), HEARS)
                if source == node:
                    _line(ax, (5.22, row[n, c]), (8.95, y), TELLS)
    for (source, target), y in height.items():
        for left in (-1.1, 8.95):
            _box(ax, (left, y - 0.28), (2.15, 0.56), EDGE_BOX, "#888888")
            ax.text(left + 1.07, y, f"{short(source)} → {short(target)}", ha="center", va="center", fontsize=10)
    last = 0.45 - len(edges)
    _line(ax, (0.0, last), (10.0, last), KEPT, "dashed", "arc3,rad=0.09")
    ax.text(5.0, last - 0.95, r"residual: relu(r) $\times$ what was there", ha="center", color=KEPT, fontsize=10)
    for x, words in [(0, "messages $h$\n(E edges)"), (5, "channels $a$\n(N nodes, C each)"), (10, "messages $h'$")]:
        ax.text(x, 1.05, words, ha="center", va="bottom", fontsize=11)
    for x, words, color in [(2.6, "$W_{in}$", HEARS), (7.4, "$W_{out}$", TELLS)]:
        ax.text(x, 0.62, words, ha="center", va="bottom", fontsize=13, color=color)
    ax.set(xlim=(-1.4, 11.4), ylim=(-len(edges) - 0.7, 2.2))
    ax.set_axis_off()
    return ax


def plot_book(here: int | None = None, ax: Axes | None = None) -> Axes:
    """The map of the book: a box for each chapter, an arrow for what one hands to another; ``here`` is marked."""
    numbers = tuple(number for number, *_ in CHAPTERS)
    if here is not None:
        validate.choice("here", here, numbers)
    ax = axes(ax, (12.6, 3.4))
    place = {number: np.array([x * 3.7, y * 2.2]) for number, _, _, (x, y) in CHAPTERS}
    for number, name, about, _ in CHAPTERS:
        x, y = place[number]
        _box(ax, (x - 1.3, y - 0.5), (2.6, 1.0), HERE_BOX if number == here else CHAPTER_BOX, "#555555")
        ax.text(x, y + 0.2, f"{number} · {name}", ha="center", va="center", fontsize=10.5, fontweight="bold")
        ax.text(x, y - 0.2, about, ha="center", va="center", fontsize=10)
    for giver, taker, what, bend in HANDS_ON:
        start, end = place[giver], place[taker]
        beside = start[1] == end[1]
        start, end = (start + (1.3, 0), end - (1.3, 0)) if beside else (start - (0, 0.5), end + (0, 0.5))
        if not beside and giver != 1:
            start, end = start - (0.6, 0), end + (0.75, 0)
        _line(ax, start, end, "#555555", connection=f"arc3,rad={bend}", arrow=True)
        x, y = (start + end) / 2
        label = {"ha": "center", "va": "bottom" if beside else "center", "fontsize": 10, "color": "#333333"}
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        ax.text(x, y + (0.08 if beside else 0.0), what.replace(" to ", "\nto "), bbox=box, **label)
    ax.set(xlim=(-1.4, 12.5), ylim=(-0.6, 2.8), aspect="equal")
    ax.set_axis_off()
    return ax


def _box(ax: Axes, corner, size, face: str, edge: str, behind: bool = False):
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "facecolor": face, "edgecolor": edge}
    style["zorder"] = 0 if behind else 2
    ax.add_patch(FancyBboxPatch(corner, *size, **style))


def _line(ax: Axes, start, end, color: str, style="solid", connection="arc3", arrow: bool = False):
    head = {"arrowstyle": "-|>" if arrow or style != "solid" else "-", "mutation_scale": 11}
    look = {"color": color, "linestyle": style, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0, "zorder": 1}
    ax.add_patch(FancyArrowPatch(start, end, connectionstyle=connection, **head, **look))


def _rim(color: str) -> dict:
    return {"color": color, "markeredgecolor": "black", "markeredgewidth": 0.7}
