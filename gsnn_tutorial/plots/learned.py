"""The function that a node has learned, beside the one that made the data."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from gsnn_tutorial import validate

_REACH = 2.5


def plane(points: int = 41) -> np.ndarray:
    """Pairs of values on a square grid, row by row, (points^2, 2)."""
    line = np.linspace(-_REACH, _REACH, validate.integer("points", points, 2))
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def plot_learned(made: dict[str, np.ndarray], learned: dict[str, np.ndarray]) -> Figure:
    """Functions of two inputs on ``plane()``: above what made the data, below what a node has learned.

    A message has a sign and a size of its own, so each is drawn along the straight line that fits the function best,
    and the title says how closely the two go together, |r|.
    """
    side = round(len(next(iter(made.values()))) ** 0.5)
    size = (3.1 * len(made), 6.4)
    figure, axes = plt.subplots(2, len(made), figsize=size, layout="constrained", sharex=True, sharey=True)
    line = np.linspace(-_REACH, _REACH, side)
    for column, (name, values) in zip(axes.reshape(2, -1).T, made.items()):
        message = np.asarray(learned[name], dtype=float)
        fitted = np.polyval(np.polyfit(message, values, 1), message)
        r = abs(np.corrcoef(message, values)[0, 1])
        levels = np.linspace(values.min(), values.max(), 13)
        for ax, shown, title in zip(column, (values, fitted), (name, f"learned, |r| = {r:.2f}")):
            ax.contourf(line, line, shown.reshape(side, side), levels=levels, cmap="cividis", extend="both")
            ax.set_title(title, fontsize=11)
            ax.set(aspect="equal", xlabel="first input", ylabel="second input")
            ax.label_outer()
    return figure
