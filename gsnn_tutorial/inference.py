"""From a study's table to what it shows: paired differences, their intervals, and a verdict by rule.

The rule, for a metric and a margin (the smallest difference that would matter), with the difference
turned so that more is better:

    helps           the whole 95% interval lies above 0
    harms           the whole interval lies below 0
    does not help   the whole interval lies below the margin: if there is a gain, it is too small to matter
    can't tell      none of these, or fewer than 6 seeds (that 5 differences all have one sign is
                    luck in 1 of 16 cases)

It is the pathways that help only if the prior helps against the baseline *and* against the control.
A structural metric has a null that is not zero: what an untrained model has already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from gsnn_tutorial import validate


@dataclass(frozen=True)
class Metric:
    """A column of a study: its name in words, the smallest difference that matters, and what it measures.

    ``structural`` metrics say how much of the pathways is in the model: more is better, and an
    untrained model is their null. The others are errors: less is better.
    """

    label: str
    margin: float
    structural: bool = True


METRICS = {
    "test_mse": Metric("test MSE", 0.01, structural=False),
    "cka_gap": Metric("CKA gap", 0.05),
    "cka_ari": Metric("ARI of CKA clusters", 0.05),
    "cos_gap": Metric("raw cosine gap", 0.05),
    "ari": Metric("ARI of k-means clusters", 0.05),
    "norm_ratio_true_over_spurious": Metric("edge norms, true / spurious", 0.1),
}
COMPARISONS = (("regularized", "baseline"), ("regularized", "control"), ("control", "baseline"))
NULL = ("regularized", "untrained")
FEWEST_SEEDS = 6


def paired_differences(table: pd.DataFrame, metric: str, arm: str, versus: str) -> pd.Series:
    """``arm`` minus ``versus`` for each seed that has both, by seed."""
    validate.choice("metric", metric, tuple(c for c in table.columns if c not in ("seed", "arm", "diverged")))
    if table.duplicated(["seed", "arm"]).any():
        raise ValueError("table must have one row for each seed and arm; some are there twice")
    values = table.pivot(index="seed", columns="arm", values=metric)
    for name in (arm, versus):
        validate.choice("arm", name, tuple(values.columns))
    return (values[arm] - values[versus]).dropna()


def interval(differences, confidence: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Bootstrap interval of the mean (BCa, 9,999 resamples). Raises ValueError for fewer than 2 values."""
    d, confidence = np.asarray(differences, dtype=float), validate.number("confidence", confidence, 0.01, 0.999)
    if d.ndim != 1 or len(d) < 2 or not np.isfinite(d).all():
        raise ValueError(f"differences must be a vector of at least 2 finite values, got shape {d.shape}")
    if np.ptp(d) == 0:
        return float(d[0]), float(d[0])
    rng = validate.generator(seed)
    result = stats.bootstrap((d,), np.mean, n_resamples=9999, confidence_level=confidence, method="BCa", rng=rng)
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def summarize(
    table: pd.DataFrame,
    metrics: Sequence[str] = tuple(METRICS),
    comparisons: Sequence[tuple[str, str]] = COMPARISONS,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Paired differences of a study's arms: one row per metric and comparison.

    Structural metrics are also compared with the untrained model, if the table has that arm.

    Columns: metric, arm, versus, the two arms' means over the seeds that have both, ``difference``,
    the bootstrap interval ``low`` to ``high`` (missing for fewer than 2 seeds), and the number of
    ``seeds``.
    """
    rows = []
    for metric in metrics:
        validate.choice("metrics", metric, tuple(METRICS))
        null = [NULL] if METRICS[metric].structural and set(NULL) <= set(table["arm"]) else []
        for arm, versus in [*comparisons, *null]:
            d = paired_differences(table, metric, arm, versus)
            low, high = interval(d, confidence) if len(d) > 1 else (np.nan, np.nan)
            means = table[table["seed"].isin(d.index)].groupby("arm")[metric].mean().reindex([arm, versus])
            rows.append({
                "metric": metric, "arm": arm, "versus": versus, "arm_mean": means[arm], "versus_mean": means[versus],
                "difference": d.mean(), "low": low, "high": high, "seeds": len(d),
            })  # fmt: skip
    return pd.DataFrame(rows)


def judge(low: float, high: float, seeds: int, metric: Metric) -> str:
    """'helps', 'harms', 'does not help' or "can't tell": the rule above for one interval."""
    if seeds < FEWEST_SEEDS:
        return "can't tell"
    if not metric.structural:
        low, high = -high, -low
    if low > 0:
        return "helps"
    if high < 0:
        return "harms"
    return "does not help" if high < metric.margin else "can't tell"


def verdict(summary: pd.DataFrame, metric: str) -> str:
    """What the intervals say of one metric, in words, by the rule above."""
    kind = METRICS[validate.choice("metric", metric, tuple(METRICS))]
    rows = summary[summary["metric"] == metric].set_index(["arm", "versus"])
    missing = [pair for pair in COMPARISONS if pair not in rows.index]
    if missing:
        raise ValueError(f"summary must have the comparison {missing[0]} of {metric}: make it with summarize")
    judged = {pair: judge(row["low"], row["high"], row["seeds"], kind) for pair, row in rows.iterrows()}
    prior, beyond, control = (judged[pair] for pair in COMPARISONS)
    if prior == "helps" and beyond == "helps":
        conclusion = "the prior helps, and it is the pathways that help."
    elif prior == "helps":
        conclusion = "the prior helps, but not shown beyond the control: it may be a generic smoother."
    elif prior == "can't tell":
        conclusion = "can't tell whether the prior helps; more seeds are needed."
    else:
        conclusion = f"the prior {prior}."
    if control in ("helps", "harms"):
        conclusion += f" The shuffled control {control}" + (" too." if control == prior else ".")
    if prior == "helps" and judged.get(NULL, "helps") != "helps":
        conclusion += " But no more is shown than an untrained model has."
    lines = [f"  {arm} - {versus}: {_signed(row)}, {judged[arm, versus]}" for (arm, versus), row in rows.iterrows()]
    return "\n".join([f"{kind.label}: {conclusion}", *lines])


def _signed(row: pd.Series) -> str:
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
