"""Hepatocytes under perturbation: the four tables that the package carries, and chapter 8's models of them.

Five liver cell lines, ten stimuli, eight combinations of three inhibitors, eighteen phosphoproteins: log2 of the
fluorescence, minus the log2 of the mean control (no stimulus, no inhibitor, 0 minutes) of the same cell line.

Sources: L.G. Alexopoulos et al., Molecular & Cellular Proteomics 9 (2010) 1849; J. Saez-Rodriguez et al., Cancer
Research 71 (2011) 5400; network and measurements as distributed with CellNOpt. The sets are textbook knowledge, made
for this kit. ``notebooks/studies/make_tables.py`` makes the tables of the originals.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gsnn_tutorial.study.own.network import OwnNetwork
from gsnn_tutorial.study.own.own_graph import OwnGraph
from gsnn_tutorial.study.recipe import Recipe

FOLDER = Path(__file__).parents[2] / "data" / "hepatocytes"
CARELESS = Recipe(layers=10, epochs=150, batch_size=10_000, lambda_sim=0.1)
CAREFUL = Recipe(layers=10, epochs=100, batch_size=32, lambda_sim=0.1, norm="batch", share_layers=False)


def hepatocytes() -> dict[str, Path]:
    """Paths of the table, the network, the sets and the columns, as ``own_network(**hepatocytes())`` takes them."""
    return {
        "table": FOLDER / "table.csv.gz",
        "network": FOLDER / "network.csv",
        "sets": FOLDER / "sets.gmt",
        "columns": FOLDER / "columns.csv",
    }


def everywhere(network: OwnNetwork) -> OwnGraph:
    """The map with the cell line entering every function node instead of those that are read out."""
    lines = [name for name in network.graph.input_nodes if "=" in name]
    new = [(name, node) for name in lines for node in network.graph.function_nodes]
    return replace(network.graph, edges=tuple(dict.fromkeys([*network.graph.edges, *new])))


def inhibitors(network: OwnNetwork) -> dict[str, str]:
    """The node that each inhibitor blocks: inhibitors are the inputs whose names end in i, as in MEKi."""
    entering = ((name, node) for name, node in network.graph.edges if name in set(network.graph.input_nodes))
    return {name: node for name, node in entering if name.endswith("i")}


def stimuli(network: OwnNetwork) -> list[str]:
    """The inputs that start a signal: neither an inhibitor nor the label of a cell line."""
    blocking = inhibitors(network)
    return [name for name in network.graph.input_nodes if "=" not in name and name not in blocking]
