"""From intervals to a verdict in words, by rule.

The rule, for a metric and a margin (the smallest difference that would matter), with the difference
turned so that more is better:

    helps           the whole 95% interval lies above 0, and p of the sign-flip test is below 0.05
    harms           the whole interval lies below 0, and p is below 0.05
    does not help   the whole interval lies below the margin: if there is a gain, it is too small to matter
    can't tell      none of these, or fewer than 12 seeds

It is the pathways that help only if the prior helps against the baseline *and* against every control.
A gain whose whole interval lies below the margin is called too small to matter.
A structural metric has a null that is not zero: what an untrained model has already.

For the secondary of many metrics p is Holm's, corrected for how many they are. Where p takes back "helps" or "harms",
one of the other two lines has to fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.study.arms import arm_named
from gsnn_tutorial.study.inference import FEWEST_SEEDS, contrasts, named_controls, summarized
from gsnn_tutorial.study.metrics import METRICS, Metric, metric_named

ALPHA = 0.05


def judge(low: float, high: float, seeds: int, metric: Metric, p: float = 0.0) -> str:
    """'helps', 'harms', 'does not help' or "can't tell": the rule above for one interval and its p."""
    if seeds < FEWEST_SEEDS:
        return "can't tell"
    if metric.direction < 0:
        low, high = -high, -low
    if low > 0 and p < ALPHA:
        return "helps"
    if high < 0 and p < ALPHA:
        return "harms"
    return "does not help" if high < metric.margin else "can't tell"


def verdict(
    summary: pd.DataFrame,
    metric: str,
    arm: str = "regularized",
    *,
    controls: Sequence[str] = ("control",),
    baseline: str = "baseline",
) -> str:
    """The conclusion that the intervals allow for one metric, in words, by the rule above.

    ``summary`` must have the ``contrasts`` of ``arm``, ``controls`` and ``baseline``; where ``holm`` has corrected it,
    the rule reads the corrected p. Raises ValueError where it lacks one.
    """
    kind, controls = metric_named(metric), named_controls(controls)
    summarized(summary)
    rows = summary[summary["metric"] == metric].set_index(["arm", "versus"])
    missing = [pair for pair in contrasts(arm, controls, baseline) if pair not in rows.index]
    if missing:
        raise ValueError(f"summary must have the comparison {missing[0]} of {metric}: make it with summarize")
    words = {pair: judged(row, kind) for pair, row in rows.iterrows()}
    prior = words[arm, baseline]
    level = [control for control in controls if words[arm, control] != "helps"]  # not shown to be left behind
    if prior == "helps" and not level:
        conclusion = "the prior helps, and it is the pathways that help."
    elif prior == "helps":
        named = " and ".join(f"the {arm_named(control).words}" for control in level)
        conclusion = f"the prior helps, but not shown beyond {named}: it may be a generic smoother."
    elif prior == "can't tell":
        conclusion = "can't tell whether the prior helps; more seeds are needed."
    else:
        conclusion = f"the prior {prior}."
    if prior == "helps" and _best(rows.loc[(arm, baseline)], kind) < kind.margin:
        conclusion += " The gain is below the margin, too small to matter."
    for control in controls:
        word = words[control, baseline]
        if word in ("helps", "harms"):
            conclusion += f" The {arm_named(control).words} {word}" + (" too." if word == prior else ".")
    if prior == "helps" and words.get((arm, "untrained"), "helps") != "helps":
        conclusion += " But no more is shown than an untrained model has."
    most = rows["seeds"].max()
    lines = [
        f"  {compared(*pair)}: {_signed(row)}, {words[pair]}{_corrected(row)}"
        + (f" ({row['seeds']} of {most} seeds)" if row["seeds"] < most else "")
        for pair, row in rows.iterrows()
    ]
    return "\n".join([*wrap(f"{kind.words}: {conclusion}", 88, break_on_hyphens=False), *lines])


def verdict_table(summary: pd.DataFrame) -> pd.DataFrame:
    """A row per metric and a column per comparison: the rule's word for it, and its 95% interval after the word.

    Where ``holm`` has corrected ``summary``, the rule reads the corrected p, and a cell says so if that p takes a word
    back. A comparison that a metric lacks is "-". Raises ValueError if a comparison is there twice.
    """
    summarized(summary)
    if summary.duplicated(["metric", "arm", "versus"]).any():
        raise ValueError("summary must have one row for each metric and comparison; some are there twice")
    cells: dict[str, dict[str, str]] = {}
    for _, row in summary.iterrows():
        kind = metric_named(row["metric"])
        said = f"{judged(row, kind)}: {row['low']:+.3f} to {row['high']:+.3f}{_corrected(row)}"
        cells.setdefault(kind.words, {})[compared(row["arm"], row["versus"])] = said
    return pd.DataFrame.from_dict(cells, orient="index").rename_axis("metric").fillna("-")


def compared(arm: str, versus: str) -> str:
    """A comparison of two arms in words: 'leave-one-out - baseline'."""
    return f"{arm_named(arm).words} - {arm_named(versus).words}"


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """A table to be shown: arms and metrics under their words, in columns and levels called arm, versus and metric.

    What is not known by name stays as it is. Tables that are computed with, and files, keep the names in code.
    """
    validate.instance("table", table, pd.DataFrame)
    words = dict.fromkeys(("arm", "versus"), lambda name: arm_named(name).words)
    words["metric"] = lambda name: METRICS[name].words if name in METRICS else name
    shown = table.copy()
    for column in words.keys() & set(map(str, shown.columns)):
        shown[column] = shown[column].map(words[column])
    for axis in ("index", "columns"):
        for name in words.keys() & set(getattr(shown, axis).names):
            labels = {label: words[name](label) for label in getattr(shown, axis).unique(name)}
            level = name if getattr(shown, axis).nlevels > 1 else None
            shown = shown.rename(**{axis: labels}, level=level)
    return shown


def judged(row: pd.Series, kind: Metric) -> str:
    """The word for one row of a summary: ``judge`` of its interval, and of Holm's p where there is one."""
    return judge(row["low"], row["high"], row["seeds"], kind, _counted(row)[0])


def _counted(row: pd.Series) -> tuple[float, str]:
    """The p that the rule reads, and what to call it: Holm's where there is one."""
    corrected = row.get("p_holm", np.nan)
    return (row["p"], "") if np.isnan(corrected) else (corrected, " after Holm")


def _corrected(row: pd.Series) -> str:
    """The p where an interval beyond 0 does not count for it: without, the word would look like a slip."""
    p, name = _counted(row)
    beyond = row["low"] > 0 or row["high"] < 0
    return f" (p = {p:.3f}{name})" if beyond and p >= ALPHA else ""


def _best(row: pd.Series, kind: Metric) -> float:
    """The end of the interval where the gain is largest, as a gain."""
    return row["high"] if kind.direction > 0 else -row["low"]


def _signed(row: pd.Series) -> str:
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
