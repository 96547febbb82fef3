"""The table of a study as a file: it grows with every finished block, and an interrupted study goes on from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gsnn_tutorial.files import write_csv
from gsnn_tutorial.study.metrics import USUAL_MEASURES, columns

FIRST_COLUMNS = ["seed", "arm", "diverged", "floor", "test_mse"]


def table_columns(measures: str | Sequence[str] = USUAL_MEASURES) -> list[str]:
    """The columns of a study's table, in their order, with those of some groups of ``MEASURES``."""
    return FIRST_COLUMNS + columns(measures)


class TableFile:
    """The rows of a study, and the CSV file that they are kept in, if there is one.

    Arguments
        path: the file, or None for none; an older one is replaced, unless ``resume`` is called.
        names: the columns.
    """

    def __init__(self, path: str | Path | None, names: Sequence[str]):
        self.path, self.names, self.rows = path, list(names), []

    def resume(self, arms: Sequence[str], seeds: Sequence[int]):
        """Take over the rows of those of the seeds for which an earlier study has finished all arms.

        Raises ValueError without a path, and for a file that has other arms or columns.
        """
        if self.path is None:
            raise ValueError("resume needs output, the file of the study that is to go on")
        if not Path(self.path).exists():
            return
        table = pd.read_csv(self.path, float_precision="round_trip")  # every float to its last bit
        if list(table) != self.names or not set(table["arm"]) <= set(arms):
            raise ValueError(
                f"resume: {self.path} is of a study of other arms or metrics; give another output, or remove it"
            )
        complete = table.groupby("seed")["arm"].transform("nunique") == len(arms)
        self.rows = table[complete & table["seed"].isin(seeds)].to_dict("records")

    @property
    def seeds(self) -> set[int]:
        """Those that have rows."""
        return {row["seed"] for row in self.rows}

    def start(self):
        """Write the file anew: its header, and the rows that there are."""
        if self.path is not None:
            write_csv(pd.DataFrame(self.rows, columns=self.names), self.path)

    def add(self, rows: list[dict]):
        """Take up the rows of a finished block, at once in the file too."""
        if self.path is not None:
            write_csv(pd.DataFrame(rows, columns=self.names), self.path, append=True)
        self.rows += rows

    def table(self, seeds: Sequence[int]) -> pd.DataFrame:
        """All rows, in the order of the seeds."""
        order = {seed: place for place, seed in enumerate(seeds)}
        return pd.DataFrame(sorted(self.rows, key=lambda row: order[row["seed"]]), columns=self.names)
