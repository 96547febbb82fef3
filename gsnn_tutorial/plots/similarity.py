"""Which nodes are alike."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.plots.style import axes, short


def plot_similarity(
    similarity: np.ndarray, graph: PathwayGraph, ax: Axes | None = None, *, name: str = "linear CKA"
) -> Axes:
    """A similarity matrix of the function nodes, ordered by pathway, with lines between pathways."""
    S = validate.matrix("similarity", similarity, rows=len(graph.labels), columns=len(graph.labels)).numpy()
    order = np.argsort(graph.labels, kind="stable")
    ax = axes(ax, (4.6, 4.0))
    low = min(0.0, float(S.min()))
    image = ax.imshow(S[np.ix_(order, order)], cmap="cividis", vmin=low, vmax=1)
    ticks = [short(graph.function_nodes[i]) for i in order]
    ax.set_xticks(range(len(ticks)), ticks, fontsize=7, rotation=90)
    ax.set_yticks(range(len(ticks)), ticks, fontsize=7)
    for edge in np.flatnonzero(np.diff(graph.labels[order])) + 0.5:
        ax.axhline(edge, color="white", linewidth=1.2)
        ax.axvline(edge, color="white", linewidth=1.2)
    ax.set(xlabel="function node", ylabel="function node")
    ax.figure.colorbar(image, ax=ax, label=name, shrink=0.85)
    return ax
