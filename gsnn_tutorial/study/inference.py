"""From a study's table to what it shows: paired differences, their intervals, and a verdict by rule.

The rule, for a metric and a margin (the smallest difference that would matter), with the difference
turned so that more is better:

    helps           the whole 95% interval lies above 0
    harms           the whole interval lies below 0
    does not help   the whole interval lies below the margin: if there is a gain, it is too small to matter
    can't tell      none of these, or fewer than 6 seeds (that 5 differences all have one sign is
                    luck in 1 of 16 cases)

It is the pathways that help only if the prior helps against the baseline *and* against every control.
A gain whose whole interval lies below the margin is said to be too small to matter.
A structural metric has a null that is not zero: what an untrained model has already.

Many metrics give many chances to be lucky. One metric is *primary*, named before its cell runs; for
the *secondary* ones ``holm`` corrects p-values, and "helps" or "harms" needs p_holm below 0.05 besides;
where it is not, one of the other two lines has to fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from gsnn_tutorial import validate


@dataclass(frozen=True)
class Metric:
    """A column of a study: its name in words, the smallest difference that matters, what it is, and its direction.

    ``structural`` metrics say how much of the pathways is in the model; an untrained model is their
    null. The others are errors. More is better unless ``less_is_better``.
    """

    label: str
    margin: float
    structural: bool = True
    less_is_better: bool = False


METRICS = {
    "test_mse": Metric("test MSE", 0.01, structural=False, less_is_better=True),
    "cka_gap": Metric("CKA gap", 0.05),
    "cka_ari": Metric("ARI of CKA clusters", 0.05),
    "cos_gap": Metric("raw cosine gap", 0.05),
    "ari": Metric("ARI of k-means clusters", 0.05),
    "norm_ratio_true_over_spurious": Metric("edge norms, true / spurious", 0.1),
}
MORE_METRICS = {
    "cka_gap_shuffled": Metric("CKA gap of the shuffled groups", 0.05),
    "cka_gap_hidden": Metric("CKA gap of hidden members", 0.05),
    "cka_gap_all": Metric("CKA gap, all layers", 0.05),
    "cka_ari_all": Metric("ARI of CKA clusters, all layers", 0.05),
    "centred_cosine_gap": Metric("centred cosine gap", 0.05),
    "auc_norm": Metric("AUC of edge norms, true v spurious", 0.05),
    "auc_ablation": Metric("AUC of edge ablation, true v spurious", 0.05),
    "auc_crosstalk": Metric("AUC of edge ablation, cross-talk v spurious", 0.05),
    "leakage": Metric("leakage across pathways", 0.05, less_is_better=True),
    "coherence": Metric("attribution within the pathway", 0.05),
}
COMPARISONS = (("regularized", "baseline"), ("regularized", "control"), ("control", "baseline"))
NULL = ("regularized", "untrained")
FEWEST_SEEDS = 6


def kind_of(metric: str) -> Metric:
    """What is known of a metric: ``METRICS`` has those of every study, ``MORE_METRICS`` those it may be asked for."""
    known = METRICS | MORE_METRICS
    return known[validate.choice("metric", metric, tuple(known))]


def measured(table: pd.DataFrame) -> list[str]:
    """The known metrics of which a table has a column, whether or not anything is in it."""
    return [metric for metric in METRICS | MORE_METRICS if metric in table]


def contrasts(
    arm: str = "regularized", controls: Sequence[str] = ("control",), baseline: str = "baseline"
) -> tuple[tuple[str, str], ...]:
    """The comparisons that a verdict on ``arm`` needs: with the baseline, with the controls, and theirs with it."""
    controls = _controls(controls)
    return ((arm, baseline), *((arm, control) for control in controls), *((control, baseline) for control in controls))


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
    d, confidence = _vector(differences), validate.number("confidence", confidence, 0.01, 0.999)
    if np.ptp(d) == 0:
        return float(d[0]), float(d[0])
    rng = validate.generator(seed)
    result = stats.bootstrap((d,), np.mean, n_resamples=9999, confidence_level=confidence, method="BCa", rng=rng)
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def p_value(differences, seed: int = 0) -> float:
    """Two-sided sign-flip permutation test: how often random signs give a mean as far from 0 as the one observed.

    Null: a difference is as likely as its opposite. Exact while there are no more than 9,999 ways to
    choose the signs (13 seeds), else 9,999 drawn ones, so p is never below 0.0002. Raises ValueError for
    fewer than 2 values.
    """
    d = _vector(differences)
    result = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=9999, vectorized=True, rng=validate.generator(seed)
    )
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
        metrics: names from ``METRICS`` and ``MORE_METRICS``; None takes all that the table has.
        comparisons: pairs (arm, versus), such as ``contrasts`` gives.
        null: for structural metrics also this pair, if the table has both arms.

    Columns: metric, arm, versus, the two arms' means over the seeds that have both, ``difference``,
    the bootstrap interval ``low`` to ``high`` (missing for fewer than 2 seeds), and the number of
    ``seeds``.
    """
    rows = []
    for metric in measured(table) if metrics is None else metrics:
        has_null = kind_of(metric).structural and set(null) <= set(table["arm"])
        for arm, versus in dict.fromkeys([*comparisons, null] if has_null else comparisons):
            d = paired_differences(table, metric, arm, versus)
            low, high = interval(d, confidence) if len(d) > 1 else (np.nan, np.nan)
            means = table[table["seed"].isin(d.index)].groupby("arm")[metric].mean().reindex([arm, versus])
            rows.append({
                "metric": metric, "arm": arm, "versus": versus, "arm_mean": means[arm], "versus_mean": means[versus],
                "difference": d.mean(), "low": low, "high": high, "seeds": len(d),
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
    by = [by] if isinstance(by, str) else list(by)
    for column in by:
        validate.choice("by", column, tuple(table.columns))
    parts = []
    for values, part in table.groupby(by, sort=False):
        summary = summarize(part, metrics, comparisons, null=("", ""))
        for place, (column, value) in enumerate(zip(by, values)):
            summary.insert(place, column, value)
        parts.append(summary)
    return pd.concat(parts, ignore_index=True)


def holm(summary: pd.DataFrame, table: pd.DataFrame, primary: Sequence[str] = ()) -> pd.DataFrame:
    """The summary with two more columns: ``p`` by ``p_value``, and ``p_holm`` for the secondary metrics.

    Holm's correction: of m p-values, the k-th smallest times m + 1 - k, and never less than the one
    before it. The family is every row of a metric that is not in ``primary``: hand in the rows that you
    mean to read. ``p_holm`` of a primary metric is missing, both are where there are fewer than 2 seeds.
    """
    primary = [primary] if isinstance(primary, str) else list(primary)
    for metric in primary:
        validate.choice("primary", metric, tuple(summary["metric"]))
    differences = [paired_differences(table, *row) for row in summary[["metric", "arm", "versus"]].to_numpy()]
    p = np.array([p_value(d) if len(d) > 1 else np.nan for d in differences])
    p_holm, family = np.full(len(p), np.nan), ~summary["metric"].isin(primary).to_numpy() & ~np.isnan(p)
    if family.any():
        p_holm[family] = multipletests(p[family], method="holm")[1]
    return summary.assign(p=p, p_holm=p_holm)


def non_inferior(differences, margin: float, confidence: float = 0.95) -> bool:
    """Whether an error rose by less than ``margin``: the one-sided interval of the mean difference ends below it.

    The upper end of a one-sided 95% interval is that of the two-sided 90% interval. False means *not
    shown*, which it always is with fewer than 6 seeds. Choose the margin before you look.
    """
    margin, confidence = validate.number("margin", margin, 0), validate.number("confidence", confidence, 0.51, 0.999)
    d = _vector(differences)
    return len(d) >= FEWEST_SEEDS and interval(d, 2 * confidence - 1)[1] < margin


def power_curve(differences, effect: float, seeds: Sequence[int] = range(2, 61), alpha: float = 0.05) -> pd.Series:
    """The chance that a paired t test finds a true mean difference ``effect``, by the number of seeds.

    That is, that p < ``alpha``, two-sided, and the mean has the right sign. ``differences`` are those of a
    study, for their spread between seeds, or that standard deviation itself. It is an estimate: from n
    seeds its relative error is about 1 / sqrt(2n).
    """
    seeds = np.array([validate.integer("seeds", n, 2) for n in seeds])
    power = TTestPower().power(_standardised(differences, effect), seeds, **_side(alpha))
    return pd.Series(power, index=pd.Index(seeds, name="seeds"), name="power")


def seeds_needed(differences, effect: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """The fewest seeds, at least 6, with which ``power_curve`` reaches ``power``; arguments as there."""
    power = validate.number("power", power, 0.01, 0.9999)
    if power_curve(differences, effect, [FEWEST_SEEDS], alpha).item() >= power:
        return FEWEST_SEEDS
    return int(np.ceil(TTestPower().solve_power(_standardised(differences, effect), power=power, **_side(alpha))))


def judge(low: float, high: float, seeds: int, metric: Metric) -> str:
    """'helps', 'harms', 'does not help' or "can't tell": the rule above for one interval."""
    if seeds < FEWEST_SEEDS:
        return "can't tell"
    if metric.less_is_better:
        low, high = -high, -low
    if low > 0:
        return "helps"
    if high < 0:
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
    """What the intervals say of one metric, in words, by the rule above.

    ``summary`` must have the ``contrasts`` of ``arm``, ``controls`` and ``baseline``; where it has p_holm,
    the words "helps" and "harms" need it to be below 0.05 besides.
    """
    kind, controls = kind_of(metric), _controls(controls)
    rows = summary[summary["metric"] == metric].set_index(["arm", "versus"])
    missing = [pair for pair in contrasts(arm, controls, baseline) if pair not in rows.index]
    if missing:
        raise ValueError(f"summary must have the comparison {missing[0]} of {metric}: make it with summarize")
    judged = {pair: _judged(row, kind) for pair, row in rows.iterrows()}
    prior = judged[arm, baseline]
    level = [control for control in controls if judged[arm, control] != "helps"]  # not shown to be left behind
    if prior == "helps" and not level:
        conclusion = "the prior helps, and it is the pathways that help."
    elif prior == "helps":
        named = "the control" if level == ["control"] else "the " + " and the ".join(map(_words, level))
        conclusion = f"the prior helps, but not shown beyond {named}: it may be a generic smoother."
    elif prior == "can't tell":
        conclusion = "can't tell whether the prior helps; more seeds are needed."
    else:
        conclusion = f"the prior {prior}."
    if prior == "helps" and _best(rows.loc[(arm, baseline)], kind) < kind.margin:
        conclusion += " The gain is below the margin, too small to matter."
    for control in controls:
        word = judged[control, baseline]
        if word in ("helps", "harms"):
            conclusion += f" The {_words(control)} {word}" + (" too." if word == prior else ".")
    if prior == "helps" and judged.get((arm, "untrained"), "helps") != "helps":
        conclusion += " But no more is shown than an untrained model has."
    most = rows["seeds"].max()
    lines = [
        f"  {arm} - {versus}: {_signed(row)}, {judged[arm, versus]}{_corrected(row)}"
        + (f" ({row['seeds']} of {most} seeds)" if row["seeds"] < most else "")
        for (arm, versus), row in rows.iterrows()
    ]
    return "\n".join([*wrap(f"{kind.label}: {conclusion}", 88), *lines])


def _judged(row: pd.Series, kind: Metric) -> str:
    word = judge(row["low"], row["high"], row["seeds"], kind)
    if word in ("helps", "harms") and row.get("p_holm", 0) >= 0.05:
        word = "does not help" if _best(row, kind) < kind.margin else "can't tell"  # the rule's next lines
    return word


def _corrected(row: pd.Series) -> str:
    """Holm's p-value where an interval beyond 0 does not count for it: without, the word would look like a slip."""
    beyond = row["low"] > 0 or row["high"] < 0
    return f" (p = {row['p_holm']:.2f} after Holm)" if beyond and row.get("p_holm", 0) >= 0.05 else ""


def _best(row: pd.Series, kind: Metric) -> float:
    """The end of the interval where the gain is largest, as a gain."""
    return -row["low"] if kind.less_is_better else row["high"]


def _words(control: str) -> str:
    name = control.removesuffix("_loo")  # the score is that of the arm that it is compared with
    return "shuffled control" if name == "control" else name.replace("_", " ")


def _signed(row: pd.Series) -> str:
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"


def _controls(controls: Sequence[str]) -> list[str]:
    controls = [controls] if isinstance(controls, str) else list(controls)
    if not controls:
        raise ValueError("controls must name at least one arm: without one, nothing shows that it is the pathways")
    return controls


def _vector(differences) -> np.ndarray:
    d = np.asarray(differences, dtype=float)
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
