"""The share of the way to the oracle, and Fieller's interval."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gsnn_tutorial.study.share import share_of_the_way


def table_of(arm_gain, oracle_gain):
    """A study whose arms gain so much over the baseline, seed by seed."""
    level = np.random.default_rng(0).normal(1, 1, len(arm_gain))
    arms = {"baseline": level, "edge_penalty": level - arm_gain, "oracle": level - oracle_gain}
    rows = [{"seed": s, "arm": arm, "test_mse": v} for arm, values in arms.items() for s, v in enumerate(values)]
    return pd.DataFrame(rows)


def gains(seed, seeds=30, share=0.6, spread=0.05):
    rng = np.random.default_rng(seed)
    oracle = rng.normal(0.1, spread, seeds)
    return share * oracle + rng.normal(0, spread / 2, seeds), oracle


def test_the_share_is_that_of_the_mean_gains():
    arm, oracle = gains(0)
    assert share_of_the_way(table_of(arm, oracle), "test_mse", "edge_penalty")[0] == pytest.approx(
        arm.mean() / oracle.mean()
    )


def test_at_the_ends_of_the_interval_a_t_test_is_just_undecided():
    arm, oracle = gains(1)
    _, *ends = share_of_the_way(table_of(arm, oracle), "test_mse", "edge_penalty", confidence=0.9)
    for end in ends:
        assert stats.ttest_1samp(arm - end * oracle, 0).pvalue == pytest.approx(0.1, rel=1e-6)
    assert ends[0] < arm.mean() / oracle.mean() < ends[1]


def test_the_interval_covers_the_true_share_about_as_often_as_it_says():
    covered = 0
    for seed in range(400):
        _, low, high = share_of_the_way(table_of(*gains(seed)), "test_mse", "edge_penalty")
        covered += low <= 0.6 <= high
    assert stats.binomtest(covered, 400, 0.95).pvalue > 1e-3


def test_where_the_oracle_itself_is_not_told_from_the_baseline_any_share_may_be_true():
    arm, oracle = gains(2, spread=1.0)
    assert share_of_the_way(table_of(arm, oracle), "test_mse", "edge_penalty")[1:] == (-np.inf, np.inf)


def test_the_baseline_has_gone_no_way_and_the_oracle_all_of_it():
    table = table_of(*gains(3))
    assert share_of_the_way(table, "test_mse", "oracle") == pytest.approx((1, 1, 1))
    assert share_of_the_way(table, "test_mse", "baseline") == pytest.approx((0, 0, 0), abs=1e-12)
