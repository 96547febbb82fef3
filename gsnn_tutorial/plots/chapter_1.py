"""Pictures of chapter 1: the adjacency matrix, memberships, and how far a signal gets."""

from __future__ import annotations

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.plots.graphs import bends, plot_graph
from gsnn_tutorial.plots.style import NODE_STYLE, SPURIOUS, axes, short, tidy
from gsnn_tutorial.wiring import EDGE_TYPES, NODE_TYPES

TRUE = "#333333"
BLOCK = "#E8EEF2"
HEARD = {
    "nothing": {"marker": "x", "color": "#777777", "markersize": 6, "markeredgewidth": 1.6},
    "own": {"marker": "o", "color": "#009E73", "markersize": 10},
    "others": {"marker": "^", "color": "#D55E00", "markersize": 10.5},
    "both": {"marker": "P", "color": "#0072B2", "markersize": 11},
}
_TELLS = {
    "nothing": "has heard of no input",
    "own": "of its own pathway's inputs only",
    "others": "of other pathways' inputs only",
    "both": "of its own and of others",
}
_RIM = {"markeredgecolor": "black", "markeredgewidth": 0.5}


def plot_adjacency(graph: PathwayGraph, ax: Axes | None = None, *, order: str = "pathway", legend: bool = True) -> Axes:
    """The adjacency matrix, a mark per edge: row = source, column = target.

    Nodes are ordered by 'pathway' (shaded blocks: both ends in one pathway) or by 'type' (shaded
    blocks: the three types of edges that a GSNN may have).
    """
    validate.choice("order", order, ("pathway", "type"))
    nodes = sorted(
        graph.nodes,
        key=lambda n: (n.pathway if order == "pathway" else 0, NODE_TYPES.index(n.type)),
    )
    number = {node.name: i for i, node in enumerate(nodes)}
    ax = axes(ax, (5.6, 5.4))
    groups = _groups([node.pathway if order == "pathway" else node.type for node in nodes])
    for source, (top, height) in groups.items():
        ax.axhline(top - 0.5, color="#CCCCCC", linewidth=0.6, zorder=0)
        ax.axvline(top - 0.5, color="#CCCCCC", linewidth=0.6, zorder=0)
        for target, (left, width) in groups.items():
            by_type = (source, "to", target) in EDGE_TYPES
            if by_type or (order == "pathway" and source == target):
                corner = (left - 0.5, top - 0.5)
                ax.add_patch(Rectangle(corner, width, height, facecolor=BLOCK, zorder=0))
            if by_type:
                what = f"{source}\nto {target}"
                ax.text(left - 0.3, top + height - 0.7, what, fontsize=10, color="#55656F", va="bottom")
    size = min(6.5, 150 / len(nodes))
    for edges, style in [
        (graph.edges, {"marker": "s", "color": TRUE, "label": "true edge"}),
        (graph.spurious_edges, {"marker": "^", "color": SPURIOUS, "label": "spurious edge"}),
    ]:
        if edges:
            u, v = zip(*edges)
            ax.plot(
                [number[n] for n in v],
                [number[n] for n in u],
                linestyle="",
                markersize=size,
                **style,
            )
    _name_ticks(ax, nodes, groups)
    ax.set(xlim=(-0.5, len(nodes) - 0.5), ylim=(len(nodes) - 0.5, -0.5), aspect="equal")
    ax.set_xlabel("target: the edge ends here")
    ax.set_ylabel("source: the edge starts here", labelpad=7)
    if legend:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2, frameon=False, fontsize=10)
    return ax


def plot_graph_and_adjacency(graph: PathwayGraph) -> Figure:
    """The graph and its adjacency matrix, ordered by pathway, side by side."""
    wide = 1.95 * graph.n_pathways
    figure, (left, right) = plt.subplots(1, 2, figsize=(wide + 5.2, 4.9), layout="constrained", width_ratios=(wide, 5))
    plot_graph(graph, left)
    plot_adjacency(graph, right)
    return figure


def plot_membership(membership, graph: PathwayGraph, ax: Axes | None = None) -> Axes:
    """A membership matrix, (P, N): a square for a node in its own pathway's row, else a triangle."""
    M = validate.matrix("membership", membership, columns=len(graph.labels)).numpy()
    ax = axes(ax, (5.4, 2.6))
    rows, columns = np.nonzero(M)
    own = np.unique(graph.labels)[rows] == graph.labels[columns]
    for chosen, marker, colour, label in [
        (own, "s", NODE_STYLE["function"]["color"], "in its own pathway's row"),
        (~own, "^", SPURIOUS, "from another pathway"),
    ]:
        ax.plot(columns[chosen], rows[chosen], marker, color=colour, markersize=9, label=label)
    for edge in np.flatnonzero(np.diff(graph.labels)) + 0.5:
        ax.axvline(edge, color="#CCCCCC", linewidth=1)
    ax.set_xticks(range(M.shape[1]), [short(name) for name in graph.function_nodes], fontsize=10, rotation=90)
    ax.set_yticks(range(M.shape[0]))
    ax.set(
        xlim=(-0.6, M.shape[1] - 0.4),
        ylim=(M.shape[0] - 0.5, -0.5),
        xlabel="function node",
        ylabel="pathway $p$",
    )
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_kept_pairs(kept, ax: Axes | None = None) -> Axes:
    """The distribution of the pairs of a pathway's members that a shuffle keeps together."""
    counts = np.bincount(np.asarray(kept))
    ax = axes(ax, (3.4, 2.6))
    ax.bar(range(len(counts)), counts / counts.sum(), color="#999999", edgecolor="black", linewidth=0.6)
    ax.set_xticks(range(len(counts)))
    ax.set(xlabel="true pairs still together", ylabel="share of shuffles")
    return tidy(ax)


def hops(graph: PathwayGraph) -> dict[str, dict[str, int]]:
    """{input: {node: edges on the shortest path}}, for the nodes that the input reaches."""
    G = graph.networkx()
    return {name: nx.single_source_shortest_path_length(G, name) for name in graph.input_nodes}


def plot_spread(graph: PathwayGraph, layer: int, ax: Axes | None = None, *, name: str = "") -> Axes:
    """The inputs that each node can have heard of after ``layer`` layers.

    An output is read out one hop further. An edge has its colour once its source has something to say.
    """
    validate.integer("layer", layer, 0)
    ax = axes(ax, (1.2 + 1.0 * graph.n_pathways, 2.8))
    position = {node.name: node.position for node in graph.nodes}
    state, rads = _heard(graph, layer), bends(graph, ax)
    for edges, color, style in [
        (graph.edges, TRUE, "-"),
        (graph.spurious_edges, SPURIOUS, (0, (3, 2))),
    ]:
        for u, v in edges:
            live = state.get(u) != "nothing"
            ax.annotate(
                "", position[v], position[u], zorder=1,
                arrowprops={
                    "arrowstyle": "-|>", "mutation_scale": 8, "shrinkA": 6, "shrinkB": 6, "linestyle": style,
                    "color": color if live else "#D5D5D5", "linewidth": 1.0,
                    "connectionstyle": f"arc3,rad={0 if style == '-' else rads[u, v]}",
                },
            )  # fmt: skip
    inputs = np.array([position[node] for node in graph.input_nodes])
    ax.plot(*inputs.T, linestyle="", markersize=7, **NODE_STYLE["input"], **_RIM)
    for node, heard in state.items():
        rim = {} if heard == "nothing" else _RIM
        ax.plot(*position[node], linestyle="", zorder=3, **HEARD[heard] | rim)
    ax.margins(0.07, 0.09)
    ax.set_title(f"{name}, layer {layer}" if name else f"layer {layer}", fontsize=10)
    ax.set_axis_off()
    panel = {"facecolor": "#F6F8FA", "edgecolor": "#DDE3E8", "linewidth": 0.8, "zorder": -1}
    ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, clip_on=False, **panel))
    return ax


def plot_spread_layers(graph: PathwayGraph, layers, row, *, name: str = "", legend: bool = False) -> None:
    """``plot_spread`` for each of ``layers``, in a row of axes; the legend goes below the figure."""
    for layer, ax in zip(layers, row, strict=True):
        plot_spread(graph, layer, ax, name=name)
    if legend:
        place = {"loc": "outside lower center", "ncol": 5, "frameon": False}
        row[0].figure.legend(handles=_spread_legend(), **place)


def plot_arrival(arrival, graph: PathwayGraph, ax: Axes | None = None) -> Axes:
    """The first layer in which each function node hears of each pathway's inputs, (P, N); 0 is never, and blank."""
    T = validate.matrix("arrival", arrival, rows=graph.n_pathways, columns=len(graph.labels)).numpy()
    ax = axes(ax, (5.6, 2.6))
    ax.imshow(np.ma.masked_equal(T, 0), cmap="cividis_r", vmin=1, vmax=6, aspect="auto")
    for (p, i), layer in np.ndenumerate(T):
        if layer:
            color = "white" if layer > 3 else "black"
            ax.text(i, p, f"{layer:.0f}", ha="center", va="center", fontsize=10, color=color)
    for edge in np.flatnonzero(np.diff(graph.labels)) + 0.5:
        ax.axvline(edge, color="#BBBBBB", linewidth=1)
    ax.set_xticks(range(T.shape[1]), [short(name) for name in graph.function_nodes], fontsize=10, rotation=90)
    ax.set_yticks(range(T.shape[0]))
    ax.set(xlabel="function node", ylabel="inputs of pathway")
    return ax


def _heard(graph: PathwayGraph, layer: int) -> dict[str, str]:
    """{function or output node: a key of HEARD}."""
    pathway = {node.name: node.pathway for node in graph.nodes}
    limit = {name: layer for name in graph.function_nodes} | {name: layer + 1 for name in graph.output_nodes}
    sources = {name: set() for name in limit}
    for source, distance in hops(graph).items():
        for name, steps in distance.items():
            if name in limit and steps <= limit[name]:
                sources[name].add(pathway[source])
    kinds = {
        (False, False): "nothing",
        (True, False): "own",
        (False, True): "others",
        (True, True): "both",
    }
    return {name: kinds[pathway[name] in found, bool(found - {pathway[name]})] for name, found in sources.items()}


def _groups(keys) -> dict:
    """{key: (first place, length)} of the runs in a sorted list."""
    return {key: (keys.index(key), keys.count(key)) for key in dict.fromkeys(keys)}


def _name_ticks(ax: Axes, nodes, groups):
    """Node names where there is room for them, else the names of the groups."""
    if len(nodes) <= 32:
        names = [short(node.name) for node in nodes]
        ax.set_xticks(range(len(nodes)), names, fontsize=10, rotation=90)
        ax.set_yticks(range(len(nodes)), names, fontsize=10)
        return
    centres = [first + (length - 1) / 2 for first, length in groups.values()]
    names = [f"pathway {key}" if isinstance(key, (int, np.integer)) else f"{key} nodes" for key in groups]
    ax.set_xticks(centres, names, fontsize=10, rotation=90)
    ax.set_yticks(centres, names, fontsize=10)


def _spread_legend() -> list[Line2D]:
    inputs = NODE_STYLE["input"] | _RIM | {"label": "input node", "markersize": 7}
    heard = [style | ({} if kind == "nothing" else _RIM) | {"label": _TELLS[kind]} for kind, style in HEARD.items()]
    return [Line2D([], [], linestyle="", **style) for style in [inputs, *heard]]
