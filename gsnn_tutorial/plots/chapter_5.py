"""Scores of nodes and pathways: who follows whom, who cannot, and what chance alone would give."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import Patch, Rectangle

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.plots.style import axes, short, tidy

MARKS = (
    {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    {"color": "#D55E00", "marker": "^", "linestyle": "--"},
    {"color": "#009E73", "marker": "s", "linestyle": "-."},
    {"color": "#CC79A7", "marker": "D", "linestyle": ":"},
    {"color": "#555555", "marker": "X", "linestyle": (0, (5, 1))},
)
GREY = "#777777"


def plot_curves(
    x,
    curves: Mapping[str, object],
    ax: Axes | None = None,
    *,
    xlabel: str,
    ylabel: str,
    every: int = 1,
) -> Axes:
    """Named curves over x, told apart by colour, line and mark; a mark at ``every`` so many points."""
    ax = axes(ax, (5.6, 3.6))
    lines = list(curves.items())
    for (name, y), style in zip(lines, MARKS):
        ax.plot(
            x,
            y,
            markevery=every,
            markersize=5,
            linewidth=1.5,
            markeredgecolor="white",
            label=name,
            **style,
        )
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(lines) > 1:
        ax.legend(frameon=False, fontsize=10)
    return tidy(ax)


def plot_members(s: torch.Tensor, ax: Axes | None = None) -> Axes:
    """Scores of a pathway's members, (B, m), sample by sample, and their mean, the pathway score, behind them."""
    s = validate.matrix("s", s).numpy()
    samples = np.arange(1, len(s) + 1)
    ax = axes(ax, (5.6, 3.4))
    ax.plot(
        samples,
        s.mean(1),
        color="#CCCCCC",
        linewidth=7,
        solid_capstyle="round",
        label="pathway score $S$",
    )
    for i, style in zip(range(s.shape[1]), MARKS):
        ax.plot(samples, s[:, i], markersize=8, linewidth=1.3, label=f"$s_{i + 1}$", **style)
    ax.set_xticks(samples)
    ax.set(xlabel="sample", ylabel="score")
    ax.legend(frameon=False, fontsize=10, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return tidy(ax)


def plot_score_scatter(s: torch.Tensor, names, ax: Axes | None = None, *, shown: int = 150) -> Axes:
    """Each member's standardised score, (B, m), against its pathway's; the mean correlation in the corner.

    All samples enter the correlation, the first ``shown`` are drawn, those inside the frame. On the
    diagonal, member and pathway agree.
    """
    s = validate.matrix("s", s)
    S = s.mean(1, keepdim=True)
    z, Z = ((t - t.mean(0)) / (t.std(0, correction=0) + 1e-6) for t in (s, S))
    ax = axes(ax, (3.0, 3.0))
    ax.plot([-3.2, 3.2], [-3.2, 3.2], color="#BBBBBB", linewidth=1, zorder=1)
    for i, style in zip(range(s.shape[1]), MARKS):
        points = {"color": style["color"], "marker": style["marker"], "label": short(names[i])}
        ax.scatter(Z[:shown], z[:shown, i], s=13, alpha=0.6, linewidths=0, zorder=2, **points)
    r = (z * Z).mean(0).mean()
    ax.text(0.04, 0.95, f"mean $r$ = {r:.2f}", transform=ax.transAxes, va="top", fontsize=10)
    ax.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=(-2, 0, 2), yticks=(-2, 0, 2), aspect="equal")
    ax.set(xlabel="pathway score", ylabel="member's score")
    ax.legend(frameon=False, fontsize=10, loc="lower right", handletextpad=0.1, borderpad=0.1)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_pathway_scatters(s: torch.Tensor, graph: PathwayGraph, row) -> None:
    """One scatter per pathway into a row of axes that share x and y, from every node's score, (B, N)."""
    for p, ax in enumerate(row):
        members = np.flatnonzero(graph.labels == p)
        plot_score_scatter(s[:, members], [graph.function_nodes[i] for i in members], ax)
        ax.set_title(f"pathway {p}", fontsize=10)
        ax.label_outer()


def plot_score_std(std: torch.Tensor, names, ax: Axes | None = None) -> Axes:
    """The spread of each node's score over the batch in each layer, (L, N); hatched where it does not vary at all."""
    std = validate.matrix("std", std, columns=len(names)).numpy()
    L, N = std.shape
    varies = std > 1e-6
    ax = axes(ax, (1.6 + 0.55 * N, 0.9 + 0.55 * L))
    shade = np.ma.masked_where(~varies, std)
    image = ax.imshow(shade, cmap="cividis", norm=LogNorm(std[varies].min(), std[varies].max()), aspect="auto")
    for l, i in np.argwhere(~varies):
        ax.add_patch(Rectangle((i - 0.5, l - 0.5), 1, 1, fill=False, hatch="////", edgecolor="#999999", linewidth=0))
    ax.set_xticks(np.arange(N + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(L + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="both", length=0)
    ax.set_xticks(range(N), [short(name) for name in names], fontsize=10)
    ax.set_yticks(range(L), range(1, L + 1))
    ax.set(xlabel="function node", ylabel="layer")
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(image, ax=ax, label="standard deviation over the batch", pad=0.02)
    constant = Patch(facecolor="white", edgecolor="#999999", hatch="////", label="constant: no signal yet")
    ax.legend(handles=[constant], loc="lower right", bbox_to_anchor=(1, 1), frameon=False, fontsize=10)
    return ax


def plot_shares(shares: Mapping[str, torch.Tensor], chance: float, ax: Axes | None = None) -> Axes:
    """Shares of a variance, one strip of points per name, with its mean in front; a dashed line at ``chance``."""
    ax = axes(ax, (7.4, 0.9 + 0.55 * len(shares)))
    ax.axvline(chance, color=GREY, linestyle="--", linewidth=1)
    ax.text(chance, -0.62, " a direction drawn at random", color=GREY, fontsize=10, va="center")
    for place, (values, style) in enumerate(zip(shares.values(), MARKS)):
        values = np.asarray(values).ravel()
        jitter = np.linspace(-0.22, 0.22, len(values))
        ax.plot(values, place + jitter, ".", color="#AAAAAA", markersize=5)
        ax.plot(
            values.mean(),
            place,
            style["marker"],
            color=style["color"],
            markersize=9,
            markeredgecolor="white",
        )
    ax.set_yticks(range(len(shares)), list(shares))
    most = max(float(np.max(np.asarray(values))) for values in shares.values())
    ax.set(xlim=(-0.03 * most, 1.1 * most), ylim=(len(shares) - 0.5, -0.9))
    ax.set(xlabel="share of a node's variance over the batch", ylabel="direction")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_floor(sizes, measured: Mapping[str, object], ax: Axes | None = None) -> Axes:
    r"""Correlation of independent members with their pathway, against its size m: measured, and :math:`1/\sqrt m`."""
    ax = axes(ax, (6.4, 3.8))
    fine = np.linspace(min(sizes), max(sizes), 200)
    ax.plot(fine, fine**-0.5, color=GREY, linewidth=1.2, label=r"$1/\sqrt{m}$")
    for (name, r), style in zip(measured.items(), MARKS):
        ax.plot(
            sizes,
            r,
            style["marker"],
            color=style["color"],
            markersize=7,
            markeredgecolor="white",
            label=name,
        )
    ax.axhline(0, color="#BBBBBB", linewidth=0.8, zorder=0)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, sizes)
    ax.set(xlabel="members of the pathway, $m$", ylabel="mean correlation $r$", ylim=(-0.1, 1.0))
    ax.legend(frameon=False, fontsize=10)
    return tidy(ax)


def plot_batch_noise(sizes, spread: Mapping[str, object], ax: Axes | None = None) -> Axes:
    r"""Standard deviation of a correlation between batches, against the batch size B, with :math:`1/\sqrt B`."""
    ax = axes(ax, (6.4, 3.8))
    fine = np.geomspace(min(sizes), max(sizes), 50)
    ax.plot(fine, fine**-0.5, color=GREY, linewidth=1.2, label=r"$1/\sqrt{B}$")
    for (name, sd), style in zip(spread.items(), MARKS):
        ax.plot(sizes, sd, markersize=7, linewidth=0.8, markeredgecolor="white", label=name, **style)
    ax.axvline(32, color="#BBBBBB", linestyle="--", linewidth=1, zorder=0)
    ax.text(33.5, 1.0, "$B = 32$", color=GREY, fontsize=10, va="top")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xticks(sizes, sizes)
    ticks = [2**k for k in range(7)]
    ax.set_yticks([1 / tick for tick in ticks], ["1", *(f"1/{tick}" for tick in ticks[1:])])
    ax.set(xlabel="batch size $B$", ylabel="standard deviation of $r$")
    ax.legend(frameon=False, fontsize=10, loc="lower left")
    return tidy(ax)


def plot_pathway_pair(S_p, S_q, ax: Axes | None = None, *, names=("pathway 0", "pathway 1"), shown: int = 300) -> Axes:
    """One pathway's score against another's over the samples, with their correlation in the corner."""
    S_p, S_q = (np.asarray(S, dtype=float) for S in (S_p, S_q))
    ax = axes(ax, (3.2, 3.2))
    z_p, z_q = ((S - S.mean()) / (S.std() + 1e-6) for S in (S_p, S_q))
    ax.scatter(z_p[:shown], z_q[:shown], s=12, alpha=0.55, linewidths=0, color=MARKS[0]["color"])
    ax.text(0.04, 0.95, f"$r$ = {(z_p * z_q).mean():.2f}", transform=ax.transAxes, va="top", fontsize=10)
    ax.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=(-2, 0, 2), yticks=(-2, 0, 2), aspect="equal")
    ax.set(xlabel=f"score of {names[0]}", ylabel=f"score of {names[1]}")
    ax.spines[["top", "right"]].set_visible(False)
    return ax
