"""Make the package's tables of real data from the originals: python notebooks/studies/make_tables.py FOLDER.

FOLDER holds hepatocytes/ with responses.csv (cell_line, minutes, stimuli, inhibitors, raw fluorescence), network.csv
(source, target, sign), pathways.gmt and columns.csv (column, role, node); and sachs2005.csv (eleven proteins) and
sachs2005_edges.csv. ``study/own/hepatocytes.py`` and ``sachs.py`` describe the tables and name the sources.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from gsnn_tutorial.study.own import hepatocytes, sachs

EVERY = 5  # cells of the original, of which the first is kept


def make_hepatocytes(source: str | Path, target: str | Path = hepatocytes.FOLDER):
    """Write table.csv.gz, network.csv, sets.gmt and columns.csv into ``target``.

    The unstimulated rows at 30 minutes are copies of those at 0 minutes: they are left out, and counted on screen.
    """
    source, target = Path(source), Path(target)
    raw, columns = pd.read_csv(source / "responses.csv"), pd.read_csv(source / "columns.csv")
    by_role = columns.groupby("role")["column"].agg(list)
    given, read = by_role["stimulus"] + by_role["inhibitor"], by_role["readout"]
    unstimulated = raw[by_role["stimulus"]].sum(axis=1) == 0
    copies = raw.duplicated(["cell_line", *given, *read])
    if not (unstimulated & (raw["minutes"] == 30))[copies].all():
        raise ValueError(f"{source / 'responses.csv'} must repeat unstimulated rows only")
    raw, unstimulated = raw[~copies], unstimulated[~copies]
    logs = np.log2(raw[read])
    control = unstimulated & (raw[given].sum(axis=1) == 0) & (raw["minutes"] == 0)
    change = logs - logs[control].groupby(raw["cell_line"]).mean().loc[raw["cell_line"]].to_numpy()
    table = pd.concat([raw[["cell_line", "minutes", *given]], change.round(3)], axis=1)
    target.mkdir(parents=True, exist_ok=True)
    _write(table, target / "table.csv.gz")
    _write(pd.read_csv(source / "network.csv"), target / "network.csv")
    (target / "sets.gmt").write_text((source / "pathways.gmt").read_text(encoding="utf-8"), encoding="utf-8")
    roles = [columns, pd.DataFrame([("cell_line", "category", "*outputs")], columns=columns.columns)]
    roles.append(pd.DataFrame({"column": given, "role": "group", "node": ""}))
    _write(pd.concat(roles), target / "columns.csv")
    print(f"{len(table)} rows; {int(copies.sum())} unstimulated rows at 30 minutes were copies and are left out")


def make_sachs(source: str | Path, target: str | Path = sachs.FOLDER):
    """Write table.csv.gz, log2 of every fifth cell, and network.csv into ``target``."""
    source, target = Path(source), Path(target)
    target.mkdir(parents=True, exist_ok=True)
    cells = pd.read_csv(source / "sachs2005.csv").iloc[::EVERY]
    _write(np.log2(cells).round(2), target / "table.csv.gz")
    edges = pd.read_csv(source / "sachs2005_edges.csv").set_axis(["source", "target"], axis=1)
    _write(edges, target / "network.csv")
    print(f"{len(cells)} cells, {len(edges)} edges")


def _write(table: pd.DataFrame, path: Path):
    """The same bytes each time, on every system."""
    packed = {"method": "gzip", "mtime": 0, "compresslevel": 9} if path.suffix == ".gz" else None
    table.to_csv(path, index=False, lineterminator="\n", compression=packed)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make_hepatocytes(Path(sys.argv[1]) / "hepatocytes")
    make_sachs(sys.argv[1])
