"""The numbers and labels of a table: missing values, cells that are no number, columns that never change."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gsnn_tutorial.study.own.findings import Findings
from gsnn_tutorial.study.own.sheets import MISSING, Sheet


def read_values(sheet: Sheet, roles: pd.DataFrame, findings: Findings) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Inputs, outputs (numbers, columns named as in the table) and the group of each row; the index says which rows.

    A category becomes one column 'name=label' for each label, 1 where a row has it. Rows with a missing value in a
    column that is used are dropped, constant outputs are dropped, constant inputs are kept, and all are counted.

    Raises ValueError, with file and line, for a value that is no number, and where fewer than four rows are left.
    """
    note = findings.about("table")
    used = {role: roles["column"][roles["role"] == role].unique() for role in ("input", "category", "output", "group")}
    cells = sheet.frame[list(dict.fromkeys(np.concatenate(list(used.values()))))]
    empty = cells.apply(lambda column: column.str.casefold().isin(MISSING))
    complete = ~empty.any(axis=1).to_numpy()
    note("rows read", count=len(cells), done="used")
    worst = empty.sum().sort_values(ascending=False)
    lacking = [f"{name} ({n})" for name, n in worst[worst > 0].items()]
    words = "rows with a missing value in a column that is used; most in"
    note(words, lacking, "dropped", count=int((~complete).sum()))
    if complete.sum() < 4:
        raise ValueError(
            f"{sheet.name}: {int(complete.sum())} of {len(complete)} rows have a value in every column that is used, "
            f"and at least 4 must; most are missing in {worst.index[0]!r} ({worst.iloc[0]}): fill them, or ignore it"
        )
    cells = cells[complete]
    x, y = (_numbers(sheet, cells[used[role]]) for role in ("input", "output"))
    for name in used["category"]:
        for label in sorted(cells[name].unique()):
            x[f"{name}={label}"] = (cells[name] == label).astype(float)
    still_x, still_y = ([name for name in table if table[name].nunique() < 2] for table in (x, y))
    note("outputs that never change, so that there is nothing to predict", still_y, "dropped")
    note("inputs that never change, kept", still_x)
    y = y.drop(columns=still_y)
    if not len(y.columns):
        raise ValueError(f"{sheet.name}: no output changes over the {len(cells)} rows that are complete")
    parts = cells[used["group"]]
    # Without a column of groups every row is a group, named by its place.
    named = len(used["group"]) > 0
    groups = parts.agg(" | ".join, axis=1) if named else pd.Series(cells.index.astype(str), cells.index)
    repeated = cells.index[pd.concat([x, y, parts], axis=1).duplicated()]
    note(
        "rows that repeat another in every column that is used, kept (a split by groups keeps copies together only if "
        "their group is the same)", [sheet.where(row).rsplit(", ", 1)[-1] for row in repeated],
    )  # fmt: skip
    note("rows used", count=len(cells), done="used")
    note("groups of rows that are held out together", groups.unique() if named else [], "used")
    return x, y, groups


def _numbers(sheet: Sheet, text: pd.DataFrame) -> pd.DataFrame:
    """The cells as numbers. Raises ValueError, with file and line, at the first that is none."""
    values = text.apply(pd.to_numeric, errors="coerce").astype(float)
    for name in values:
        wrong = text[name][~np.isfinite(values[name])]
        if len(wrong):
            more = f" ({len(wrong)} such values)" if len(wrong) > 1 else ""
            where = sheet.where(wrong.index[0])
            raise ValueError(f"{where}: column {name!r} must hold numbers, got {wrong.iloc[0]!r}{more}")
    return values
