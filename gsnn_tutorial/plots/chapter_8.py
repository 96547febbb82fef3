"""One's own data: what varies, what reaches a readout, what each step brought, and who predicts how well."""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from gsnn_tutorial import validate
from gsnn_tutorial.plots.style import NODE_STYLE, axes, tidy
from gsnn_tutorial.study.arms import arm_named
from gsnn_tutorial.wiring import Graph

MARKS = (("#0072B2", "o"), ("#D55E00", "^"), ("#009E73", "s"), ("#CC79A7", "D"), ("#000000", "X"), ("#E69F00", "v"))
SIZE = 10


def plot_spread(y: pd.DataFrame, by: pd.Series, ax: Axes | None = None) -> Axes:
    """The median of each column in each group, a mark for each, and the range of the middle 90% of them all."""
    validate.instance("y", y, pd.DataFrame)
    ax, places = axes(ax, (9, 3.8)), np.arange(len(y.columns))
    low, high = y.quantile(0.05), y.quantile(0.95)
    ax.vlines(places, low, high, color="#BBBBBB", linewidth=7, zorder=1)
    for (label, part), (color, marker) in zip(y.groupby(np.asarray(by)), MARKS):
        ax.plot(places, part.median(), linestyle="", marker=marker, color=color, markersize=6, label=str(label))
    ax.axhline(0, color="#777777", linewidth=0.8)
    ax.set_xticks(places, y.columns, rotation=60, ha="right", fontsize=SIZE)
    ax.set_xlabel("readout", fontsize=SIZE)
    ax.set_ylabel("log2 change against\nthe control", fontsize=SIZE)
    ax.legend(frameon=False, fontsize=SIZE, ncol=1, loc="upper left", bbox_to_anchor=(1, 1))
    return tidy(ax)


def plot_hops(outputs: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """For each output, hops from the nearest input and from the farthest that reaches it; a cross where none does."""
    ax, places = axes(ax, (7, 0.3 * len(outputs) + 1.6)), np.arange(len(outputs))
    near, far = outputs["hops"].to_numpy(float), outputs["farthest"].to_numpy(float)
    ok = np.isfinite(near)
    ax.hlines(places[ok], near[ok], far[ok], color="#BBBBBB", linewidth=2, zorder=1)
    ax.plot(near[ok], places[ok], linestyle="", marker="o", color=MARKS[0][0], label="nearest input")
    ax.plot(far[ok], places[ok], linestyle="", marker="^", color=MARKS[1][0], label="farthest input")
    for place in places[~ok]:
        ax.text(0.2, place, "no input reaches it", va="center", fontsize=SIZE)
    ax.set_yticks(places, [str(name) for name in outputs.index], fontsize=SIZE)
    ax.set(xlim=(0, None), ylim=(len(outputs) - 0.5, -0.5))
    ax.set_xlabel("layers needed (function nodes on the shortest path)", fontsize=SIZE)
    ax.set_ylabel("output", fontsize=SIZE)
    ax.legend(frameon=False, fontsize=SIZE, loc="upper left", bbox_to_anchor=(1, 1))
    tidy(ax)
    return ax


def plot_own_network(graph: Graph, ax: Axes | None = None, *, output: str | None = None) -> Axes:
    """Function nodes by hops from the inputs, outputs below; negative edges dashed, what no input reaches hollow.

    With the name of an ``output``, the shortest path to it from each input is drawn dark, and all else pale.
    """
    ax, G = axes(ax, (14, 9)), validate.instance("graph", graph, Graph).networkx()
    if output is not None:
        validate.choice("output", output, tuple(graph.output_nodes))
    wide = {u for u in graph.input_nodes if G.out_degree(u) > 0.15 * len(graph.function_nodes)}
    kept = G.subgraph([node for node in G if node not in wide])
    positions = {node.name: node.position for node in graph.nodes if node.name in kept}
    rows = pd.Series({name: y for name, (_, y) in positions.items()})
    for y, row in rows.groupby(rows):  # spread each row over the width
        for place, name in enumerate(sorted(row.index, key=lambda n: positions[n][0])):
            positions[name] = ((place + 0.5) / len(row) + (0.012 if round(y) % 2 else 0), y + 0.3 * (place % 2))
    inputs = [u for u in graph.input_nodes if u in kept]
    reached = set(inputs).union(*(nx.descendants(kept, u) for u in inputs)) if inputs else set()
    for kind, style in NODE_STYLE.items():
        for inside in (True, False):
            names = [n for n in graph.names[kind] if n in kept and (n in reached) == inside]
            nx.draw_networkx_nodes(
                kept, positions, names, ax=ax, node_size=60, node_shape=style["marker"], edgecolors="black",
                node_color=style["color"] if inside else "white", linewidths=0.7,
            )  # fmt: skip
    ways = [nx.shortest_path(kept, u, output) for u in inputs if output and nx.has_path(kept, u, output)]
    lit = {edge for way in ways for edge in zip(way, way[1:])}
    for dark in (False, True):
        for minus, color in ((False, "#777777"), (True, "#D55E00")):
            signed = [(u, v) for u, v, sign in kept.edges.data("sign") if (sign == -1) == minus]
            chosen = [edge for edge in signed if (edge in lit) == dark]
            nx.draw_networkx_edges(
                kept, positions, chosen, ax=ax, node_size=60, style="dashed" if minus else "solid",
                edge_color="#000000" if dark and not minus else color, width=1.8 if dark else 0.7,
                arrowsize=12 if dark else 7, alpha=0.35 if lit and not dark else 1.0,
            )  # fmt: skip
    for name, (x, y) in positions.items():
        ax.text(x, y + 0.09, str(name), fontsize=SIZE, ha="center", va="bottom")
    handles = [Line2D([], [], linestyle="", markeredgecolor="black", label=kind, **style)
               for kind, style in NODE_STYLE.items()]  # fmt: skip
    handles += [Line2D([], [], linestyle="", marker="o", color="white", markeredgecolor="black", label="not reached"),
                Line2D([], [], color="#777777", label="edge"),
                *([Line2D([], [], color="#000000", linewidth=1.8, label=f"shortest paths to {output}")] if lit else []),
                Line2D([], [], color="#D55E00", linestyle="--", label="negative edge")]  # fmt: skip
    ax.legend(handles=handles, frameon=False, fontsize=SIZE, ncol=7, loc="upper center", bbox_to_anchor=(0.5, 0.0))
    ax.set_axis_off()
    return ax


def plot_readouts(errors: Mapping[str, pd.Series], ax: Axes | None = None, *, ticks: Mapping | None = None) -> Axes:
    """The error of each output under several models, a mark for each; ``ticks`` are words for the outputs."""
    ax, table = axes(ax, (9, 4)), pd.DataFrame(errors)
    places = np.arange(len(table))
    for (name, column), (color, marker) in zip(table.items(), MARKS):
        ax.plot(places, column, linestyle="", marker=marker, color=color, markersize=7, alpha=0.9, label=name)
    ax.vlines(places, table.min(axis=1), table.max(axis=1), color="#DDDDDD", zorder=0)
    ax.set_xticks(places, [(ticks or {}).get(n, n) for n in table.index], rotation=60, ha="right", fontsize=SIZE)
    ax.set_xlabel("readout", fontsize=SIZE)
    ax.set_ylabel("held-out error\n(1: the mean of the readout)", fontsize=SIZE)
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize=SIZE, loc="upper left", bbox_to_anchor=(1, 1))
    return tidy(ax)


def plot_steps(table: pd.DataFrame, ax: Axes | None = None, *, column: str = "step") -> Axes:
    """Test error by step: a dot for every split, a bar at their mean, the steps from top to bottom in their order."""
    steps = list(dict.fromkeys(table[column]))
    ax = axes(ax, (8, 0.36 * len(steps) + 1.2))
    for place, step in enumerate(steps):
        values = table["test_mse"][table[column] == step].to_numpy(float)
        ax.plot(values, np.full(len(values), place), linestyle="", marker="o", color="#56B4E9", markersize=5, alpha=0.8)
        ax.plot(values.mean(), place, linestyle="", marker="|", color="#000000", markersize=18, markeredgewidth=2)
    ax.set_yticks(range(len(steps)), steps, fontsize=SIZE)
    ax.set_ylim(len(steps) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel("held-out error of each split, and their mean (bar)", fontsize=SIZE)
    return tidy(ax)


def plot_outcomes(results: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """``plot_steps`` of a comparison's arms, in words."""
    lacking = {"arm", "test_mse"} - set(validate.instance("results", results, pd.DataFrame).columns)
    if lacking:
        raise ValueError(f"results must have the column {sorted(lacking)[0]!r}, as a comparison's has")
    words = results["arm"].map(lambda name: arm_named(name).words)
    return plot_steps(results.assign(arm=words), ax, column="arm")
