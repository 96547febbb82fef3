"""The share of the way from the baseline to the oracle that an arm has gone, with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from gsnn_tutorial import validate
from gsnn_tutorial.study.inference import paired_differences


def share_of_the_way(
    table: pd.DataFrame,
    metric: str,
    arm: str,
    baseline: str = "baseline",
    oracle: str = "oracle",
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """The arm's mean gain over the baseline as a share of the oracle's, and the ends of its interval (Fieller).

    With a the arm's and b the oracle's differences from the baseline, seed by seed, the share is mean(a) / mean(b).
    The interval holds every share r for which a t test does not reject that the mean of a - r * b is 0. Where the
    oracle's own gain may be 0, any share may be true, and the ends are -inf and inf.

    Raises ValueError for fewer than 2 seeds that have all three arms. Source: Fieller 1954, Some Problems in Interval
    Estimation.
    """
    confidence = validate.number("confidence", confidence, 0.01, 0.999)
    both = pd.concat(
        [paired_differences(table, metric, arm, baseline), paired_differences(table, metric, oracle, baseline)],
        axis=1, join="inner",
    )  # fmt: skip
    n = len(both)
    if n < 2:
        raise ValueError(f"table must have at least 2 seeds with {arm}, {baseline} and {oracle}; got {n}")
    (a, b), spread = both.mean(), both.cov().to_numpy() / n
    g = stats.t.ppf((1 + confidence) / 2, n - 1) ** 2 * spread
    # (a - r b)^2 = g_aa - 2 r g_ab + r^2 g_bb, solved for r
    first, second, third = b**2 - g[1, 1], a * b - g[0, 1], a**2 - g[0, 0]
    if first <= 0:
        return a / b, -np.inf, np.inf
    width = np.sqrt(max(second**2 - first * third, 0))
    return float(a / b), float((second - width) / first), float((second + width) / first)
