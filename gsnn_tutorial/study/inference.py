"""From a study's table to numbers: paired differences, their intervals, p-values, summaries, and power.

``verdict`` reads them by a rule. Many metrics give many chances to be lucky. One metric is *primary*, named before its
cell runs; for the *secondary* ones ``holm`` corrects p-values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from gsnn_tutorial import validate
from gsnn_tutorial.study.metrics import measured, metric_named

COMPARISONS = (("regularized", "baseline"), ("regularized", "control"), ("control", "baseline"))
NULL = ("regularized", "untrained")
FEWEST_SEEDS = 12  # with fewer, a single odd seed moves the interval by as much as it is wide
RESAMPLES = 49_999
SUMMARY = ("metric", "arm", "versus", "difference", "low", "high", "p", "seeds")


def contrasts(
    arm: str = "regularized", controls: Sequence[str] = ("control",), baseline: str = "baseline"
) -> tuple[tuple[str, str], ...]:
    """The comparisons that a verdict on ``arm`` needs: with the baseline, with the controls, and theirs with it."""
    controls = named_controls(controls)
    return ((arm, baseline), *((arm, control) for control in controls), *((control, baseline) for control in controls))


def paired_differences(table: pd.DataFrame, metric: str, arm: str, versus: str) -> pd.Series:
    """``arm`` minus ``versus`` for each seed that has both, by seed."""
    _table(table)
    validate.choice("metric", metric, tuple(c for c in table.columns if c not in ("seed", "arm", "diverged")))
    if table.duplicated(["seed", "arm"]).any():
        raise ValueError("table must have one row for each seed and arm; some are there twice")
    values = table.pivot(index="seed", columns="arm", values=metric)
    for name in (arm, versus):
        validate.choice("arm", name, tuple(values.columns))
    return (values[arm] - values[versus]).dropna()


def interval(differences, confidence: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean: mean +- t * s / sqrt(n), with n - 1 degrees of freedom.

    Chapter 6 compares its coverage, how often it holds the true mean, with that of a bootstrap. Raises ValueError for
    fewer than 2 values.
    """
    d, confidence = _vector(differences), validate.number("confidence", confidence, 0.01, 0.999)
    if np.ptp(d) == 0:
        return float(d[0]), float(d[0])
    low, high = stats.t.interval(confidence, len(d) - 1, loc=d.mean(), scale=stats.sem(d))
    return float(low), float(high)


def p_value(differences, seed: int = 0) -> float:
    """Two-sided sign-flip permutation test: how often random signs give a mean as far from 0 as the one observed.

    Null: a difference is as likely as its opposite. Exact while there are no more than 49,999 ways to choose the
    signs (15 seeds), else 49,999 drawn ones: then p is never below 0.00004, and near 0.05 it is known to 0.001. Raises
    ValueError for fewer than 2 values.
    """
    d, ways = _vector(differences), {"permutation_type": "samples", "n_resamples": RESAMPLES, "batch": 2000}
    result = stats.permutation_test((d,), np.mean, vectorized=True, rng=validate.generator(seed), **ways)
    return float(result.pvalue)


def summarize(
    table: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    comparisons: Sequence[tuple[str, str]] = COMPARISONS,
    *,
    confidence: float = 0.95,
    null: tuple[str, str] = NULL,
) -> pd.DataFrame:
    """Paired differences of a study's arms: one row per metric and comparison.

    Arguments
        metrics: names of judged metrics; None takes all that the table has.
        comparisons: pairs (arm, versus), such as ``contrasts`` gives.
        null: for a metric that has a null also this pair, if the table has both arms.

    Columns: metric, arm, versus, the two arms' means over the seeds that have both, ``difference``, its
    ``interval`` from ``low`` to ``high`` and its ``p_value`` ``p`` (missing for fewer than 2 seeds), and the number
    of ``seeds``.
    """
    rows, comparisons = [], validate.pairs("comparisons", comparisons)
    _table(table)
    for metric in measured(table) if metrics is None else metrics:
        has_null = metric_named(metric).null is not None and set(null) <= set(table["arm"])
        for arm, versus in dict.fromkeys([*comparisons, null] if has_null else comparisons):
            d = paired_differences(table, metric, arm, versus)
            low, high, p = (*interval(d, confidence), p_value(d)) if len(d) > 1 else (np.nan,) * 3
            means = table[table["seed"].isin(d.index)].groupby("arm")[metric].mean().reindex([arm, versus])
            rows.append({
                "metric": metric, "arm": arm, "versus": versus, "arm_mean": means[arm], "versus_mean": means[versus],
                "difference": d.mean(), "low": low, "high": high, "p": p, "seeds": len(d),
            })  # fmt: skip
    return pd.DataFrame(rows)


def summarize_by(
    table: pd.DataFrame,
    by: str | Sequence[str],
    metrics: Sequence[str],
    comparisons: Sequence[tuple[str, str]] = COMPARISONS[:2],
) -> pd.DataFrame:
    """``summarize`` for each value of the columns ``by``, which come first in the result. No null is added.

    Raises ValueError where a value has not all of the arms.
    """
    by = [by] if isinstance(by, str) else validate.ordered("by", by)
    _table(table)
    for column in by:
        validate.choice("by", column, tuple(table.columns))
    parts = []
    for values, part in table.groupby(by, sort=False):
        summary = summarize(part, metrics, comparisons, null=("", ""))
        for place, (column, value) in enumerate(zip(by, values)):
            summary.insert(place, column, value)
        parts.append(summary)
    return pd.concat(parts, ignore_index=True)


def holm(summary: pd.DataFrame, primary: Sequence[str] = ()) -> pd.DataFrame:
    """The summary with one more column: ``p_holm``, corrected for how many secondary comparisons there are.

    Holm's correction: of m p-values, the k-th smallest times m + 1 - k, and never less than the one
    before it. The family is every row of a metric that is not in ``primary``: hand in the rows that you
    mean to read. ``p_holm`` is missing for a primary metric, and where p is.
    """
    primary = [primary] if isinstance(primary, str) else validate.ordered("primary", primary)
    summarized(summary)
    for metric in primary:
        validate.choice("primary", metric, tuple(summary["metric"]))
    family = ~summary["metric"].isin(primary) & summary["p"].notna()
    p_holm = pd.Series(np.nan, summary.index)
    if family.any():
        p_holm[family] = multipletests(summary.loc[family, "p"], method="holm")[1]
    return summary.assign(p_holm=p_holm)


def non_inferior(differences, margin: float, confidence: float = 0.95) -> bool:
    """True if an error rose by less than ``margin``: the one-sided interval of the mean difference ends below it.

    The upper end of a one-sided 95% interval is that of the two-sided 90% interval. False means *not
    shown*, which it always is with fewer than 12 seeds. Choose the margin before you look.
    """
    margin, confidence = validate.number("margin", margin, 0), validate.number("confidence", confidence, 0.51, 0.999)
    d = _vector(differences)
    return len(d) >= FEWEST_SEEDS and interval(d, 2 * confidence - 1)[1] < margin


def power_curve(differences, effect: float, seeds: Sequence[int] = range(2, 61), alpha: float = 0.05) -> pd.Series:
    """The chance that a paired t test finds a true mean difference ``effect``, by the number of seeds.

    That is, that ``interval`` lies beyond 0 on the right side. The rule of ``verdict`` asks for the sign-flip p as
    well, which costs next to no power from 12 seeds on. ``differences`` are those of a study, for their spread
    between seeds, or that standard deviation itself. It is an estimate: from n seeds its relative error is about
    1 / sqrt(2n).
    """
    seeds = np.array([validate.integer("seeds", n, 2) for n in validate.ordered("seeds", seeds)])
    power = TTestPower().power(_standardised(differences, effect), seeds, **_side(alpha))
    return pd.Series(power, index=pd.Index(seeds, name="seeds"), name="power")


def seeds_needed(differences, effect: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """The fewest seeds, at least 12, with which ``power_curve`` reaches ``power``; arguments as there."""
    power = validate.number("power", power, 0.01, 0.9999)
    if power_curve(differences, effect, [FEWEST_SEEDS], alpha).item() >= power:
        return FEWEST_SEEDS
    return int(np.ceil(TTestPower().solve_power(_standardised(differences, effect), power=power, **_side(alpha))))


def summarized(summary) -> pd.DataFrame:
    """Return ``summary`` if it has the columns that ``summarize`` makes. Raises TypeError or ValueError."""
    validate.instance("summary", summary, pd.DataFrame, " that summarize makes")
    lacking = [column for column in SUMMARY if column not in summary]
    if lacking:
        raise ValueError(f"summary must be a table that summarize makes; it lacks the column {lacking[0]!r}")
    return summary


def named_controls(controls: str | Sequence[str]) -> list[str]:
    """Controls as a list. Raises ValueError if there are none."""
    controls = [controls] if isinstance(controls, str) else validate.ordered("controls", controls)
    if not controls:
        raise ValueError("controls must name at least one arm: without one, nothing shows that it is the pathways")
    return controls


def _table(table):
    """Raise unless this is a study's table."""
    validate.instance("table", table, pd.DataFrame, ", one row for each seed and arm")
    lacking = [column for column in ("seed", "arm") if column not in table]
    if lacking:
        raise ValueError(f"table must have the columns seed and arm, as a study's has; it lacks {lacking[0]!r}")


def _vector(differences) -> np.ndarray:
    try:
        d = np.asarray(differences, dtype=float)
    except (TypeError, ValueError):  # words, or ragged
        raise TypeError(f"differences must be a vector of numbers, got {differences!r}") from None
    if d.ndim != 1 or len(d) < 2 or not np.isfinite(d).all():
        raise ValueError(f"differences must be a vector of at least 2 finite values, got shape {d.shape}")
    return d


def _standardised(differences, effect: float) -> float:
    """The effect in units of the differences' standard deviation."""
    effect = abs(validate.number("effect", effect, -float("inf")))
    spread = differences if np.ndim(differences) == 0 else np.std(_vector(differences), ddof=1)
    spread = validate.number("spread of the differences", spread, 0)
    if not effect or not spread:
        raise ValueError(f"effect and spread must not be 0, got {effect} and {spread}")
    return effect / spread


def _side(alpha: float) -> dict:
    """The half of a two-sided test on which the effect lies."""
    return {"alpha": validate.number("alpha", alpha, 1e-6, 0.5) / 2, "alternative": "larger"}
