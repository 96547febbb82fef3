"""The tables of measurements in words: the rows against the peer, and every other table."""

from __future__ import annotations

from dataclasses import asdict, dataclass

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


def fast_paths_in_words(table: pd.DataFrame) -> str:
    """The table of fast paths, and below it when each wins."""
    shown = {
        "fast path": table["part"],
        "plain ms": table["plain_ms"].map("{:,.3f}".format),
        "fast ms": table["fast_ms"].map("{:,.3f}".format),
        "ratio": table["ratio"].map("{:,.2f}x".format),
    }
    notes = []
    for sentence, parts in table.groupby("when", sort=False)["part"]:
        path = parts.iloc[0] if len(parts) == 1 else parts.iloc[0].split(",")[0]
        notes.append(f"{path}: {sentence}")
    return "\n".join([pd.DataFrame(shown).to_string(index=False), "", *notes])


def cores_in_words(table: pd.DataFrame) -> str:
    """The time of an epoch, on a quiet and on a busy machine."""
    shown = {
        "all cores busy": table["busy"],
        "threads": table["threads"],
        "ms per epoch": table["ms_per_epoch"].map("{:,.2f}".format),
        "ratio": table["ratio"].map("{:,.1f}x".format),
    }
    title = "The seed problem on as many threads as torch takes, and on as many as it is worth"
    return f"{title}\n\n{pd.DataFrame(shown).to_string(index=False)}"


def threads_in_words(table: pd.DataFrame) -> str:
    """The time of a step on one and on all threads, and from which size on several win."""
    shown = {
        "weights x samples": [f"{size:,} = 2^{np.log2(size):.1f}" for size in table["size"]],
        "1 thread ms": table["one_thread_ms"].map("{:,.2f}".format),
        f"{table['threads'].max()} threads ms": table["all_threads_ms"].map("{:,.2f}".format),
        "ratio": table["ratio"].map("{:,.2f}x".format),
    }
    size = several_win_from(table)
    found = (
        "Several threads do not win at the largest size." if size is None else f"Several threads win from {size:,} on."
    )
    return f"A training step of a growing model\n\n{pd.DataFrame(shown).to_string(index=False)}\n\n{found}"


def several_win_from(table: pd.DataFrame) -> int | None:
    """The size from which on several threads win at every size; None if they do not at the largest."""
    table = table.sort_values("size", ascending=False)
    winning = table[(table["ratio"] > 1).cummin()]
    return int(winning["size"].min()) if len(winning) else None
