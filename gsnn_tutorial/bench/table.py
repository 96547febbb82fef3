"""The table of what was measured against the peer: its rows, how it reads in words, and a saved one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.resources import files

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Row:
    """One line of the table. Times in ms, memory in MB; ``floors`` is our time over that of a copy of the bytes."""

    part: str
    peer_ms: float
    ours_ms: float
    goal: str
    met: bool
    floors: float = np.nan
    peer_MB: float = np.nan
    ours_MB: float = np.nan
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.peer_ms / self.ours_ms

    def columns(self) -> dict:
        """The row as the CSV has it."""
        return {"part": self.part, "ratio": self.ratio} | asdict(self)


def table_of(rows: list[dict] | pd.DataFrame, judged: bool = True) -> str:
    """The table in words; ``judged=False`` says of no goal whether it is met, since goals are for the full sizes."""
    if not len(rows):
        return "nothing was measured"
    table = pd.DataFrame(rows)
    goal = table["goal"].fillna("")
    met = table["met"].map({True: "met", False: "MISSED"}).where(goal != "", "")
    shown = {
        "part": table["part"],
        "peer ms": table["peer_ms"].map("{:,.1f}".format),
        "ours ms": table["ours_ms"].map("{:,.2f}".format),
        "ratio": table["ratio"].map("{:,.1f}x".format),
        "floors": table["floors"].map("{:.1f}".format).replace("nan", ""),
        "peer MB": table["peer_MB"].map("{:,.0f}".format).replace("nan", ""),
        "ours MB": table["ours_MB"].map("{:,.0f}".format).replace("nan", ""),
        "goal": goal,
        "": met if judged else "",
    }
    notes = [f"{part}: {note}" for part, note in zip(table["part"], table["note"].fillna("")) if note]
    if not judged:
        notes.append("The goals are for the full sizes, without --quick: here they are not judged.")
    return "\n".join([pd.DataFrame(shown).to_string(index=False), "", *notes])


def saved_bench() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table and scaling of the run that the package brings: what ``run_bench`` wrote on two CPU cores."""
    data = files("gsnn_tutorial") / "data"
    return tuple(pd.read_csv(data / name) for name in ("bench.csv", "bench_scaling.csv"))
