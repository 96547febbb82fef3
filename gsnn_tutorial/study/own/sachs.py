"""Signalling in single cells: the three tables that the package carries.

Every fifth of 7,466 cells in which eleven proteins and lipids were measured at once, under conditions that the table
does not name: log2 of the fluorescence. The network is the consensus of the field, without signs.

Sources: K. Sachs et al., Causal protein-signaling networks derived from multiparameter single-cell data, Science 308
(2005) 523; network and measurements as distributed with the Causal Discovery Toolbox. The sets are textbook knowledge,
made for this kit. ``notebooks/studies/make_tables.py`` makes the tables of the originals.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "sachs"


def sachs() -> dict[str, Path]:
    """Paths of the table, the network and the sets, as ``own_network`` takes them; its columns are yours to name."""
    return {"table": FOLDER / "table.csv.gz", "network": FOLDER / "network.csv", "sets": FOLDER / "sets.gmt"}
