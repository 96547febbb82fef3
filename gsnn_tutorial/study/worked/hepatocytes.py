"""Hepatocytes under perturbation: the paths of the four tables that the package carries, and what they are.

Five liver cell lines, ten stimuli, eight combinations of three inhibitors, eighteen phosphoproteins: log2 of the
fluorescence, minus the log2 of the mean control (no stimulus, no inhibitor, 0 minutes) of the same cell line.

Sources: L.G. Alexopoulos et al., Molecular & Cellular Proteomics 9 (2010) 1849; J. Saez-Rodriguez et al., Cancer
Research 71 (2011) 5400; network and measurements as distributed with CellNOpt. The sets are textbook knowledge, made
for this kit. ``make_tables.py`` makes the tables of the originals.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "hepatocytes"


def hepatocytes() -> dict[str, Path]:
    """Paths of the table, the network, the sets and the columns, as ``own_network(**hepatocytes())`` takes them."""
    return {
        "table": FOLDER / "table.csv.gz",
        "network": FOLDER / "network.csv",
        "sets": FOLDER / "sets.gmt",
        "columns": FOLDER / "columns.csv",
    }
