"""Matrices of the nodes' similarity."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.plots.style import axes, short

MOST_NAMES = 16  # for which there is room along an axis


def plot_similarity(
    similarity: np.ndarray, graph: PathwayGraph, ax: Axes | None = None, *, name: str = "linear CKA"
) -> Axes:
    """A similarity matrix of the function nodes, ordered by pathway, with lines between pathways.

    Every node is named as long as there is room, else the first of each pathway.
    """
    S = validate.matrix("similarity", similarity, rows=len(graph.labels), columns=len(graph.labels)).numpy()
    order = np.argsort(graph.labels, kind="stable")
    ax = axes(ax, (4.6, 4.0))
    low = min(0.0, float(S.min()))
    image = ax.imshow(S[np.ix_(order, order)], cmap="cividis", vmin=low, vmax=1)
    borders = np.flatnonzero(np.diff(graph.labels[order])) + 1
    places = range(len(order)) if len(order) <= MOST_NAMES else [0, *borders]
    names = [short(graph.function_nodes[order[place]]) for place in places]
    ax.set_xticks(places, names, rotation=90)
    ax.set_yticks(places, names)
    for edge in borders - 0.5:
        ax.axhline(edge, color="white", linewidth=1.2)
        ax.axvline(edge, color="white", linewidth=1.2)
    ax.set(xlabel="function node", ylabel="function node")
    ax.figure.colorbar(image, ax=ax, label=name, shrink=0.85)
    return ax
