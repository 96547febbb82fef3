"""The findings in someone's files, and the measures taken: counted, so that nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

PARTS = ("table", "network", "sets", "columns", "reach")
DONE = ("used", "dropped", "changed", "note")
EXAMPLES = 3


@dataclass
class Findings:
    """A list of findings: of which part, what, how often, what was done, and some examples.

    ``rows`` holds (part, finding, done, count, examples); ``part`` is one of ``PARTS``, ``done`` one of ``DONE``.
    """

    rows: list[tuple] = field(default_factory=list)

    def add(self, part: str, finding: str, items: Iterable = (), done: str = "note", count: int | None = None):
        """Note that ``items`` are so. Without any, and without a ``count``, nothing is noted."""
        items = list(items)
        count = len(items) if count is None else count
        if count:
            more = [", ..."] if len(items) > EXAMPLES else []
            shown = ", ".join(map(str, items[:EXAMPLES])) + "".join(more)
            self.rows.append((part, finding, done, count, shown))

    def table(self) -> pd.DataFrame:
        """One row for each finding: part, finding, done, count, examples."""
        rows = sorted(self.rows, key=lambda row: PARTS.index(row[0]))
        return pd.DataFrame(rows, columns=["part", "finding", "done", "count", "examples"])

    def text(self) -> str:
        """The same to read: a paragraph for each part, a line for each finding."""
        lines, part = [], None
        for row in self.table().itertuples(index=False):
            if row.part != part:
                lines += ([""] if lines else []) + [row.part.upper()]
                part = row.part
            examples = f": {row.examples}" if row.examples else ""
            done = "" if row.done in ("note", "used") else f" [{row.done}]"
            lines.append(f"  {row.count:>6} {row.finding}{done}{examples}")
        return "\n".join(lines)
