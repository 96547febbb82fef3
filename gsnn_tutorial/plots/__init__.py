"""Figures: each function draws into an ``ax`` (a new one if None) and returns it."""

from gsnn_tutorial.plots.curves import plot_learning_curves
from gsnn_tutorial.plots.drawings import plot_book, plot_layer
from gsnn_tutorial.plots.forests import plot_arms, plot_forest
from gsnn_tutorial.plots.graphs import plot_graph
from gsnn_tutorial.plots.histories import plot_table, plot_training
from gsnn_tutorial.plots.over_settings import plot_sweep, plot_worlds
from gsnn_tutorial.plots.similarity import plot_similarity
from gsnn_tutorial.plots.style import draw_floor, show

__all__ = [
    "draw_floor",
    "plot_arms",
    "plot_book",
    "plot_forest",
    "plot_graph",
    "plot_layer",
    "plot_learning_curves",
    "plot_similarity",
    "plot_sweep",
    "plot_table",
    "plot_training",
    "plot_worlds",
    "show",
]
