"""Make the package's hepatocyte tables of the originals: python -m gsnn_tutorial.worked.make_hepatocytes FOLDER.

FOLDER holds responses.csv (cell_line, minutes, stimuli, inhibitors, raw fluorescence), network.csv (source, target,
sign), pathways.gmt and columns.csv (column, role, node). ``hepatocytes.py`` says what is made, and its sources.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from gsnn_tutorial.worked.hepatocytes import FOLDER


def make(source: str | Path, target: str | Path = FOLDER):
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
    table.to_csv(target / "table.csv.gz", index=False, lineterminator="\n",
                 compression={"method": "gzip", "mtime": 0, "compresslevel": 9})  # fmt: skip
    pd.read_csv(source / "network.csv").to_csv(target / "network.csv", index=False, lineterminator="\n")
    (target / "sets.gmt").write_text((source / "pathways.gmt").read_text(encoding="utf-8"), encoding="utf-8")
    roles = [columns, pd.DataFrame([("cell_line", "category", "*outputs")], columns=columns.columns)]
    roles.append(pd.DataFrame({"column": given, "role": "group", "node": ""}))
    pd.concat(roles).to_csv(target / "columns.csv", index=False, lineterminator="\n")
    print(f"{len(table)} rows; {int(copies.sum())} unstimulated rows at 30 minutes were copies and are left out")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(sys.argv[1])
