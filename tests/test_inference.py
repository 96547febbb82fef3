"""Paired differences, their intervals, and the verdict's rule."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gsnn_tutorial.inference import METRICS, interval, judge, paired_differences, summarize, verdict

ARMS = ("untrained", "baseline", "regularized", "control")


def make_table(offsets, metric="cka_gap", seeds=20, noise=0.02):
    """A study in which each arm is a seed's level plus an offset; the level varies far more than the offset."""
    rng = np.random.default_rng(0)
    level = rng.normal(0, 1, seeds)
    rows = [
        {"seed": s, "arm": arm, "diverged": False, metric: level[s] + offset + rng.normal(0, noise)}
        for s in range(seeds)
        for arm, offset in zip(ARMS, offsets)
    ]
    return pd.DataFrame(rows)


def test_differences_are_taken_within_a_seed():
    table = make_table([0, 0, 0.1, 0]).sample(frac=1, random_state=0)  # the order of rows must not matter
    d = paired_differences(table, "cka_gap", "regularized", "baseline")
    assert d.std() < 0.1 < table.groupby("arm")["cka_gap"].std().min()
    assert d.mean() == pytest.approx(0.1, abs=0.03)


def test_a_seed_that_lost_an_arm_is_left_out_of_that_comparison_only():
    table = make_table([0, 0, 0.1, 0])
    table.loc[(table["seed"] == 3) & (table["arm"] == "control"), "cka_gap"] = np.nan
    summary = summarize(table, ["cka_gap"]).set_index(["arm", "versus"])
    assert summary.loc[("regularized", "baseline"), "seeds"] == 20
    assert summary.loc[("regularized", "control"), "seeds"] == 19


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = [low <= 0.3 <= high for low, high in (interval(rng.normal(0.3, 1, 20)) for _ in range(120))]
    assert stats.binomtest(sum(covered), 120, 0.95).pvalue > 1e-4


def test_the_interval_is_near_students_for_normal_differences():
    d = np.random.default_rng(2).normal(0.5, 1, 200)
    expected = stats.t.interval(0.95, 199, loc=d.mean(), scale=stats.sem(d))
    np.testing.assert_allclose(interval(d), expected, atol=0.02)


def test_the_interval_reaches_farther_where_the_tail_is():
    d = np.random.default_rng(3).exponential(1, 30)
    low, high = interval(d)
    assert high - d.mean() > 1.2 * (d.mean() - low)


def test_equal_differences_have_an_interval_without_width():
    assert interval([0.25, 0.25, 0.25]) == (0.25, 0.25)


def test_the_same_table_gives_the_same_summary():
    table = make_table([0, 0, 0.1, 0])
    pd.testing.assert_frame_equal(summarize(table, ["cka_gap"]), summarize(table, ["cka_gap"]))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.2, "helps"), (-0.2, -0.01, "harms"), (-0.02, 0.04, "does not help"), (-0.02, 0.2, "can't tell")],
)
def test_the_rule(low, high, expected):
    assert judge(low, high, 20, METRICS["cka_gap"]) == expected
    assert judge(low, high, 5, METRICS["cka_gap"]) == "can't tell"


def test_less_error_is_better():
    assert judge(-0.2, -0.1, 20, METRICS["test_mse"]) == "helps"
    assert judge(0.1, 0.2, 20, METRICS["test_mse"]) == "harms"
    assert judge(-0.005, 0.2, 20, METRICS["test_mse"]) == "does not help"


@pytest.mark.parametrize(
    ("offsets", "words"),
    [
        ([0, 0, 0.3, 0], "it is the pathways that help"),
        ([0, 0, 0.3, 0.3], "may be a generic smoother. The shuffled control helps too"),
        ([0, 0, 0, 0], "the prior does not help"),
        ([0, 0.3, 0, 0.3], "the prior harms"),
        ([0.5, 0, 0.3, 0], "But no more is shown than an untrained model has"),
    ],
)
def test_the_verdict_follows_from_the_intervals(offsets, words):
    summary = summarize(make_table(offsets), ["cka_gap"])
    assert words in verdict(summary, "cka_gap").splitlines()[0]


def test_the_verdict_shows_the_intervals_that_it_follows_from():
    summary = summarize(make_table([0, 0, 0.3, 0]), ["cka_gap"])
    lines = verdict(summary, "cka_gap").splitlines()[1:]
    assert len(lines) == len(summary)
    for line, row in zip(lines, summary.itertuples()):
        assert f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]" in line


def test_an_error_has_no_untrained_null():
    summary = summarize(make_table([1, 0, 0, 0], metric="test_mse"), ["test_mse"])
    assert "untrained" not in set(summary["versus"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interval([1.0]), "at least 2"),
        (lambda: interval([1.0, np.nan]), "finite"),
        (lambda: summarize(make_table([0] * 4), ["beauty"]), "beauty"),
        (lambda: paired_differences(make_table([0] * 4), "cka_gap", "oracle", "baseline"), "oracle"),
        (lambda: verdict(summarize(make_table([0] * 4), ["cka_gap"]), "beauty"), "beauty"),
        (lambda: interval([1.0, 2.0], confidence=95), "confidence"),
        (lambda: summarize(pd.concat([make_table([0] * 4)] * 2), ["cka_gap"]), "twice"),
        (lambda: verdict(summarize(make_table([0] * 4), ["cka_gap"], [("control", "baseline")]), "cka_gap"), "summary"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_arm_that_was_lost_leaves_a_gap_in_the_summary_and_no_verdict():
    table = make_table([0, 0, 0.3, 0])
    table.loc[table["arm"] == "regularized", "cka_gap"] = np.nan
    summary = summarize(table, ["cka_gap"])
    row = summary.set_index(["arm", "versus"]).loc[("regularized", "baseline")]
    assert row["seeds"] == 0 and np.isnan(row["low"])
    assert "can't tell" in verdict(summary, "cka_gap").splitlines()[0]


def test_other_arms_can_be_compared_without_the_usual_ones():
    table = make_table([0, 0, 0.3, 0])
    table["arm"] = table["arm"].replace({"regularized": "oracle"})
    assert list(summarize(table, ["cka_gap"], [("oracle", "baseline")])["arm"]) == ["oracle"]
