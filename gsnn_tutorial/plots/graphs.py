"""Pictures of the graph."""

from __future__ import annotations

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.plots.style import NODE_STYLE, SPURIOUS, axes, bend, short

_BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.02), "ncol": 5, "frameon": False, "fontsize": 10}


def plot_graph(graph: PathwayGraph, ax: Axes | None = None, *, spurious: bool = True, legend: bool = True) -> Axes:
    """The graph at its layout: inputs on top, chains below, outputs at the bottom; spurious edges dashed."""
    ax = axes(ax, (1.2 + 1.9 * graph.n_pathways, 1.4 + 0.75 * _rows(graph)))
    G = graph.networkx(spurious=spurious)
    positions = {node.name: node.position for node in graph.nodes}
    for node_type, style in NODE_STYLE.items():
        nx.draw_networkx_nodes(
            G, positions, graph.names[node_type], ax=ax, node_size=620,
            node_color=style["color"], node_shape=style["marker"], edgecolors="black", linewidths=0.6,
        )  # fmt: skip
    nx.draw_networkx_labels(G, positions, {name: short(name) for name in G}, ax=ax, font_size=10)
    arrows = {"ax": ax, "node_size": 620, "arrowsize": 9, "width": 1.1}
    nx.draw_networkx_edges(G, positions, graph.edges, edge_color="#444444", **arrows)
    if spurious and graph.spurious_edges:
        for edge, rad in bends(graph, ax).items():
            nx.draw_networkx_edges(
                G, positions, [edge], edge_color=SPURIOUS, style="dashed", connectionstyle=f"arc3,rad={rad}", **arrows
            )
    if legend:
        ax.legend(handles=_graph_legend(spurious and bool(graph.spurious_edges)), **_BELOW)
    ax.margins(0.08)
    ax.set_axis_off()
    return ax


def bends(graph: PathwayGraph, ax: Axes) -> dict[tuple[str, str], float]:
    """The bend of each spurious edge on ``ax`` with which it passes between the nodes, and not behind them."""
    given = np.array([node.position for node in graph.nodes])
    inches = ax.get_position().size * ax.figure.get_size_inches()
    places = dict(zip([node.name for node in graph.nodes], given * inches / np.maximum(np.ptp(given, axis=0), 1)))
    return {
        (u, v): bend(places[u], places[v], [place for name, place in places.items() if name not in (u, v)])
        for u, v in graph.spurious_edges
    }


def _rows(graph: PathwayGraph) -> int:
    return len({node.position[1] for node in graph.nodes})


def _graph_legend(spurious: bool) -> list[Line2D]:
    nodes = [
        Line2D([], [], linestyle="", markersize=8, markeredgecolor="black", label=f"{node_type} node", **style)
        for node_type, style in NODE_STYLE.items()
    ]
    edges = [Line2D([], [], color="#444444", label="true edge")]
    if spurious:
        edges.append(Line2D([], [], color=SPURIOUS, linestyle="--", label="spurious edge"))
    return nodes + edges
