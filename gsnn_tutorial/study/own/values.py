"""The numbers and labels of a table: what is missing, what is no number, what never changes."""

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
    used = {role: list(dict.fromkeys(roles["column"][roles["role"] == role])) for role in
            ("input", "category", "output", "group")}  # fmt: skip
    empty = sheet.frame[list(dict.fromkeys(sum(used.values(), [])))].apply(lambda c: c.str.casefold().isin(MISSING))
    complete = ~empty.any(axis=1).to_numpy()
    findings.add("table", "rows read", count=len(sheet.frame), done="used")
    worst = empty.sum().sort_values(ascending=False)
    lacking = [f"{name} ({n})" for name, n in worst[worst > 0].items()]
    words = "rows with a missing value in a column that is used; most in"
    findings.add("table", words, lacking, "dropped", count=int((~complete).sum()))
    if complete.sum() < 4:
        raise ValueError(
            f"{sheet.name}: {int(complete.sum())} of {len(complete)} rows have a value in every column that is used, "
            f"and at least 4 must; most are missing in {worst.index[0]!r} ({worst.iloc[0]}): fill them, or ignore it"
        )
    rows = np.flatnonzero(complete)
    x = _numbers(sheet, used["input"], rows)
    for name in used["category"]:
        labels = sheet.frame[name].iloc[rows]
        for label in sorted(labels.unique()):
            x[f"{name}={label}"] = (labels == label).astype(float)
    y = _numbers(sheet, used["output"], rows)
    still = [name for name in y if y[name].nunique() < 2]
    findings.add("table", "outputs that never change, so that there is nothing to predict", still, "dropped")
    findings.add("table", "inputs that never change, kept", [name for name in x if x[name].nunique() < 2])
    y = y.drop(columns=still)
    if not len(y.columns):
        raise ValueError(f"{sheet.name}: no output changes over the {len(rows)} rows that are complete")
    parts = sheet.frame[used["group"]].iloc[rows]
    groups = parts.agg(" | ".join, axis=1) if used["group"] else pd.Series(rows.astype(str), index=rows)
    both = pd.concat([x, y, parts], axis=1).duplicated()
    findings.add("table", "rows that repeat another in every column that is used, kept (a split by groups keeps copies "
                 "together only if their group is the same)",
                 [sheet.where(i).rsplit(", ", 1)[-1] for i in both.index[both]])  # fmt: skip
    findings.add("table", "rows used", count=len(rows), done="used")
    findings.add("table", "groups of rows that are held out together", groups.unique() if used["group"] else [], "used")
    return x, y, groups


def _numbers(sheet: Sheet, names: list[str], rows: np.ndarray) -> pd.DataFrame:
    """The columns as numbers. Raises ValueError, with file and line, at the first that is none."""
    text = sheet.frame[names].iloc[rows]
    values = text.apply(pd.to_numeric, errors="coerce").astype(float)
    for name in values:
        wrong = np.flatnonzero(~np.isfinite(values[name].to_numpy()))
        if len(wrong):
            raise ValueError(
                f"{sheet.where(rows[wrong[0]])}: column {name!r} must hold numbers, got {text[name].iloc[wrong[0]]!r}"
                + (f" ({len(wrong)} such values)" if len(wrong) > 1 else "")
            )
    return values
