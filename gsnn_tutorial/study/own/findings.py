"""The findings in someone's files, and the measures taken: counted, so that nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

PARTS = ("table", "network", "sets", "columns", "reach")
EXAMPLES = 3


@dataclass
class Findings:
    """A list of findings: the part of the input, the finding, its count, the measure taken, and some examples.

    ``rows`` holds (part, finding, done, count, examples); ``part`` is one of ``PARTS``, ``done`` is 'used', 'dropped',
    'changed' or 'note'.
    """

    rows: list[tuple] = field(default_factory=list)

    def add(self, part: str, finding: str, items: Iterable = (), done: str = "note", count: int | None = None):
        """Note that ``items`` are so. Without any, and without a ``count``, nothing is noted."""
        items = list(items)
        count = len(items) if count is None else count
        if count:
            shown = ", ".join(map(str, items[:EXAMPLES])) + (", ..." if len(items) > EXAMPLES else "")
            self.rows.append((part, finding, done, count, shown))

    def about(self, part: str) -> Callable:
        """``add`` for one part."""
        return partial(self.add, part)

    def table(self) -> pd.DataFrame:
        """One row for each finding: part, finding, done, count, examples."""
        rows = sorted(self.rows, key=lambda row: PARTS.index(row[0]))
        return pd.DataFrame(rows, columns=["part", "finding", "done", "count", "examples"])

    def text(self) -> str:
        """The same to read: a paragraph for each part, a line for each finding."""
        paragraphs = {}
        for part, finding, done, count, examples in self.table().itertuples(index=False):
            measure = "" if done in ("note", "used") else f" [{done}]"
            line = f"  {count:>6} {finding}{measure}" + (f": {examples}" if examples else "")
            paragraphs.setdefault(part, [part.upper()]).append(line)
        return "\n\n".join("\n".join(lines) for lines in paragraphs.values())
