"""Paired differences, their intervals, and the verdict's rule."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gsnn_tutorial.plots.forests import plot_power
from gsnn_tutorial.study import verdicts as rule
from gsnn_tutorial.study.inference import (
    COMPARISONS,
    contrasts,
    holm,
    interval,
    non_inferior,
    p_value,
    paired_differences,
    power_curve,
    seeds_needed,
    summarize,
)
from gsnn_tutorial.study.metrics import METRICS, measured, metric_named
from gsnn_tutorial.study.verdicts import compared, in_words, judge

ARMS = ("untrained", "baseline", "regularized", "control")


def verdict(*arguments, **settings):
    """The verdict with its conclusion in one line, as if the page were wide enough."""
    return re.sub(r"\n(?! )", " ", rule.verdict(*arguments, **settings))


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


@pytest.mark.parametrize("n", [12, 24])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(n):
    rng, times = np.random.default_rng(n), 2000
    covered = sum(low <= 0.3 <= high for low, high in (interval(rng.normal(0.3, 1, n)) for _ in range(times)))
    assert stats.binomtest(covered, times, 0.95).pvalue > 1e-3
    skewed = sum(low <= 1 <= high for low, high in (interval(rng.gamma(4, 0.25, n)) for _ in range(times)))
    assert skewed / times > 0.91


def test_the_interval_covers_more_often_than_a_bootstrap_of_twelve():
    rng, hits = np.random.default_rng(0), np.zeros(2)
    for d in rng.normal(0, 1, (300, 12)):
        resampled = stats.bootstrap((d,), np.mean, n_resamples=999, method="BCa", rng=rng).confidence_interval
        hits += [low <= 0 <= high for low, high in (interval(d), resampled)]
    assert hits[0] > hits[1]


def test_the_interval_is_students():
    d = np.random.default_rng(2).normal(0.5, 1, 20)
    expected = stats.ttest_1samp(d, 0).confidence_interval(0.9)
    np.testing.assert_allclose(interval(d, 0.9), expected, rtol=1e-12)


def test_equal_differences_have_an_interval_without_width():
    assert interval([0.25, 0.25, 0.25]) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.2, "helps"), (-0.2, -0.01, "harms"), (-0.02, 0.04, "does not help"), (-0.02, 0.2, "can't tell")],
)
def test_the_rule(low, high, expected):
    assert judge(low, high, 20, METRICS["cka_gap"]) == expected
    assert judge(low, high, 11, METRICS["cka_gap"]) == "can't tell"


def test_an_interval_beyond_0_helps_or_harms_only_if_the_sign_flip_test_agrees():
    kind = METRICS["cka_gap"]
    assert judge(0.01, 0.2, 20, kind, 0.049) == "helps" and judge(0.01, 0.2, 20, kind, 0.051) == "can't tell"
    assert judge(-0.2, -0.01, 20, kind, 0.049) == "harms" and judge(-0.2, -0.01, 20, kind, 0.051) == "does not help"
    table = make_table([0, 0, 0.3, 0])
    summary = summarize(table, ["cka_gap"])
    assert "it is the pathways that help" in verdict(summary, "cka_gap")
    refused = verdict(summary.assign(p=0.055), "cka_gap")
    assert "can't tell whether" in refused and "can't tell (p = 0.055)" in refused


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


def test_leakage_is_structural_and_less_of_it_is_better():
    assert judge(-0.2, -0.1, 20, METRICS["leakage"]) == "helps"
    table = make_table([0.5, 0.3, 0.1, 0.3], metric="leakage")
    summary = summarize(table, ["leakage"])
    assert ("regularized", "untrained") in set(zip(summary["arm"], summary["versus"]))
    assert "it is the pathways that help" in verdict(summary, "leakage")


def test_a_gain_that_is_certain_but_smaller_than_the_margin_is_called_small():
    first = verdict(summarize(make_table([0, 0, 0.03, 0]), ["cka_gap"]), "cka_gap").splitlines()[0]
    assert "the prior helps" in first and "below the margin" in first
    better = verdict(summarize(make_table([0, 0, -0.005, 0], "test_mse", noise=0.001), ["test_mse"]), "test_mse")
    assert "below the margin" in better.splitlines()[0]
    assert "below the margin" not in verdict(summarize(make_table([0, 0, 0.3, 0]), ["cka_gap"]), "cka_gap")


def with_second_control(offset):
    """The prior gains 0.3, the shuffled control nothing, the connected control ``offset``."""
    table = make_table([0, 0, 0.3, 0])
    connected = table[table["arm"] == "baseline"].assign(arm="connected_control")
    connected["cka_gap"] += offset + np.random.default_rng(1).normal(0, 0.02, len(connected))
    return pd.concat([table, connected], ignore_index=True)


def test_a_verdict_needs_the_prior_to_beat_every_control_that_is_named():
    controls = ("control", "connected_control")
    for offset, words in [(0.0, "it is the pathways that help"), (0.3, "not shown beyond the connected control")]:
        summary = summarize(with_second_control(offset), ["cka_gap"], contrasts(controls=controls))
        first = verdict(summary, "cka_gap", controls=controls).splitlines()[0]
        assert words in first
    assert "The connected control helps too." in first and "shuffled" not in first
    assert "it is the pathways that help" in verdict(summary, "cka_gap")  # the shuffled one alone does not see it


def test_another_arm_has_a_verdict_of_its_own_with_its_own_null():
    table = make_table([0.5, 0, 0.3, 0])
    table["arm"] = table["arm"].replace({"regularized": "edge_penalty", "control": "edge_penalty_shuffled"})
    controls, null = ("edge_penalty_shuffled",), ("edge_penalty", "untrained")
    summary = summarize(table, ["cka_gap"], contrasts("edge_penalty", controls), null=null)
    words = verdict(summary, "cka_gap", "edge_penalty", controls=controls)
    assert "it is the pathways that help" in words and "no more is shown than an untrained model has" in words


def test_the_usual_contrasts_are_the_usual_comparisons():
    assert contrasts() == COMPARISONS
    assert contrasts("a", ["b", "c"], "d") == (("a", "d"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"))


def test_a_comparison_that_is_asked_for_twice_is_made_once():
    summary = summarize(make_table([0] * 4), ["cka_gap"], [("regularized", "untrained"), ("regularized", "baseline")])
    assert len(summary) == 2


def test_a_verdict_says_when_a_comparison_has_lost_seeds():
    table = make_table([0, 0, 0.3, 0])
    assert "seeds" not in verdict(summarize(table, ["cka_gap"]), "cka_gap")
    table.loc[(table["seed"] == 3) & (table["arm"] == "control"), "cka_gap"] = np.nan
    assert "(19 of 20 seeds)" in verdict(summarize(table, ["cka_gap"]), "cka_gap").splitlines()[2]


def test_a_summary_without_a_list_holds_every_known_metric_that_the_table_has():
    table = make_table([0] * 4).assign(leakage=0.1, test_mse=1.0, seconds=3.0)
    assert measured(table) == ["test_mse", "cka_gap", "leakage"]
    assert list(summarize(table)["metric"].unique()) == measured(table)


@pytest.mark.parametrize("n", [4, 8, 30])
def test_p_is_the_share_of_signs_that_give_a_mean_as_far_from_0(n):
    d = np.random.default_rng(n).normal(0.3, 1, n)
    signs = np.array(np.meshgrid(*[[-1, 1]] * n)).reshape(n, -1) if n < 10 else None
    if signs is None:  # many normal differences: near the t test
        assert p_value(d) == pytest.approx(stats.ttest_1samp(d, 0).pvalue, abs=0.03)
    else:
        assert not (n == 8 and p_value(d, 1) != p_value(d))  # exact: nothing is drawn
        means = (signs * d[:, None]).mean(0)
        assert p_value(d) == pytest.approx((np.abs(means) >= abs(d.mean()) - 1e-12).mean())


def test_p_is_seeded_and_1_where_there_is_no_difference():
    d = np.random.default_rng(0).normal(0.2, 1, 20)
    assert p_value(d) == p_value(d) != p_value(d, seed=1)
    assert p_value(np.zeros(8)) == 1


def test_holm_on_four_p_values_by_hand():
    summary = summarize(make_table([0] * 4), ["cka_gap"]).assign(p=[0.01, 0.04, 0.03, 0.005])
    found = holm(summary)
    assert found["p"].tolist() == [0.01, 0.04, 0.03, 0.005]
    assert found["p_holm"].tolist() == pytest.approx([3 * 0.01, 2 * 0.03, 2 * 0.03, 4 * 0.005])  # never falls
    assert "p_holm" not in summary


def test_the_p_of_a_summary_is_that_of_its_differences():
    table = make_table([0, 0, 0.02, 0])
    for row in summarize(table, ["cka_gap"]).itertuples():
        assert row.p == p_value(paired_differences(table, "cka_gap", row.arm, row.versus))


def test_the_primary_metric_is_not_corrected_and_is_no_part_of_the_family():
    table = make_table([0, 0, 0.02, 0]).assign(test_mse=lambda t: t["cka_gap"])
    pair = [("regularized", "baseline")]
    found = holm(summarize(table, ["test_mse", "cka_gap"], pair, null=("a", "b")), primary=["test_mse"])
    assert np.isnan(found["p_holm"][0]) and found["p_holm"][1] == found["p"][1] == found["p"][0]
    both = holm(summarize(table, ["test_mse", "cka_gap"], pair, null=("a", "b")))
    assert both["p_holm"].tolist() == pytest.approx([2 * found["p"][1]] * 2)


def test_a_comparison_that_has_no_seeds_has_no_p_and_takes_none_from_the_others():
    table = make_table([0, 0, 0.3, 0])
    table.loc[table["arm"] == "control", "cka_gap"] = np.nan
    found = holm(summarize(table, ["cka_gap"])).set_index(["arm", "versus"])
    assert np.isnan(found.loc[("control", "baseline"), ["p", "p_holm"]].tolist()).all()
    two = found.loc[[("regularized", "baseline"), ("regularized", "untrained")]]
    assert two["p_holm"].min() == pytest.approx(2 * two["p"].min())


def test_a_secondary_metric_helps_only_if_it_does_after_holms_correction():
    table = make_table([0, 0, 0.3, 0])
    summary = holm(summarize(table, ["cka_gap"]))
    assert "it is the pathways that help" in verdict(summary, "cka_gap")
    assert "can't tell whether" in verdict(summary.assign(p_holm=0.05), "cka_gap")
    assert "it is the pathways that help" in verdict(summary.assign(p_holm=np.nan), "cka_gap")  # a primary one


def test_a_conclusion_is_broken_between_words_and_the_numbers_stand_below_it():
    lines = rule.verdict(summarize(make_table([0, 0, 0.3, 0.2]), ["cka_gap"]), "cka_gap").split("\n")
    assert max(map(len, lines)) <= 88 and [line.startswith("  ") for line in lines].count(False) == 2
    assert lines[0].startswith("CKA gap: ") and len(lines[2:]) == 4
    table = make_table([0, 0.3, 0.6, 0])
    table["arm"] = table["arm"].replace({"regularized": "regularized_loo", "control": "control_loo"})
    summary = summarize(table, ["cka_gap"], contrasts("regularized_loo", ["control_loo"]))
    lines = rule.verdict(summary, "cka_gap", "regularized_loo", controls=["control_loo"]).split("\n")
    assert lines[1] == "(leave-one-out) harms."  # not "leave-" and "one-out)"


def test_an_interval_beyond_zero_that_does_not_count_says_why():
    table = make_table([0, 0, 0.3, 0])
    taken_back = verdict(holm(summarize(table, ["cka_gap"])).assign(p_holm=0.061), "cka_gap")
    assert "regularized - baseline: +0.3" in taken_back and "can't tell (p = 0.061 after Holm)" in taken_back
    assert "Holm" not in verdict(summarize(table, ["cka_gap"]), "cka_gap")


def test_the_table_of_verdicts_has_the_rules_word_and_the_interval_of_each_comparison():
    study = make_table([0, 0, 0.3, 0]).assign(test_mse=lambda t: -t["cka_gap"])
    summary = summarize(study, ["test_mse", "cka_gap"])
    table = rule.verdict_table(summary)
    assert table.index.tolist() == ["test MSE", "CKA gap"] and table.shape == (2, 4)
    for row in summary.itertuples():
        said = table.loc[METRICS[row.metric].words, rule.compared(row.arm, row.versus)]
        word = rule.judged(summary.loc[row.Index], METRICS[row.metric])
        assert said == f"{word}: {row.low:+.3f} to {row.high:+.3f}"
    assert table.loc["test MSE", "regularized - untrained"] == "-"  # an error has no null
    taken_back = rule.verdict_table(summary.assign(p_holm=0.061)).loc["CKA gap", "regularized - baseline"]
    assert taken_back.startswith("can't tell: ") and taken_back.endswith(" (p = 0.061 after Holm)")
    with pytest.raises(ValueError, match="twice"):
        rule.verdict_table(pd.concat([summary, summary]))


def test_a_harm_that_holm_takes_back_is_still_no_gain_that_matters():
    table = make_table([0, 0, -0.3, 0])
    summary = holm(summarize(table, ["cka_gap"]))
    assert "the prior harms" in verdict(summary, "cka_gap")
    assert "the prior does not help" in verdict(summary.assign(p_holm=0.05), "cka_gap")


def test_non_inferiority_asks_for_the_upper_end_of_the_90_percent_interval():
    d = np.random.default_rng(0).normal(0.0, 0.01, 24)
    upper = interval(d, 0.9)[1]
    assert non_inferior(d, upper + 1e-6) and not non_inferior(d, upper - 1e-6)
    assert upper == pytest.approx(d.mean() + stats.t.ppf(0.95, 23) * stats.sem(d), rel=1e-9)
    assert not non_inferior([-1.0] * 11, 0.01)  # too few seeds to show anything


def test_power_is_that_of_the_noncentral_t():
    n, effect, spread = np.array([2, 6, 20, 50]), 0.5, 1.3
    critical = stats.t.isf(0.025, n - 1)
    expected = stats.nct.sf(critical, n - 1, effect / spread * np.sqrt(n))
    found = power_curve(spread, effect, n)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert found.index.tolist() == n.tolist() and found.index.name == "seeds"


def test_power_takes_the_spread_from_differences_and_does_not_mind_the_effects_sign():
    d = np.random.default_rng(0).normal(5, 2, 40)
    np.testing.assert_allclose(power_curve(d, 1.0), power_curve(float(d.std(ddof=1)), -1.0))


@pytest.mark.parametrize("effect", [0.05, 0.3, 0.8])
def test_with_the_seeds_needed_the_power_is_reached_and_with_one_less_it_is_not(effect):
    n = seeds_needed(1.0, effect)
    below, reached = power_curve(1.0, effect, [n - 1, n])
    assert below < 0.8 <= reached


@pytest.mark.parametrize("effect", [3.0, 5.0, 8.0, 1e6])
def test_a_verdict_takes_twelve_seeds_however_large_the_effect(effect):
    assert seeds_needed(1.0, effect) == 12


def test_the_plot_of_power_has_a_curve_for_each_effect_with_a_mark_at_the_seeds_needed():
    d = np.random.default_rng(0).normal(0, 0.1, 24)
    ax = plot_power(d, "cka_gap", [0.05, 0.1, 0.001])
    lines = {line.get_label(): line for line in ax.lines}
    for effect in (0.05, 0.1, 0.001):
        needed = seeds_needed(d, effect)
        curve = lines[f"{effect:g}: {needed:,} seeds"]
        np.testing.assert_allclose(curve.get_ydata(), power_curve(d, effect, curve.get_xdata()))
        marked = [line for line in ax.lines if list(line.get_xdata()) == [needed]]
        assert len(marked) == (needed <= 48)
    assert len({(line.get_color(), line.get_linestyle()) for line in lines.values()}) >= 3
    assert ax.get_xlabel() and ax.get_ylabel()
    given = plt.subplots()[1]
    assert plot_power(d, "cka_gap", ax=given) is given and "CKA gap" in given.get_legend().get_title().get_text()
    plt.close("all")


@pytest.mark.parametrize("n", [12, 24])
def test_simulated_studies_are_judged_to_help_as_often_as_the_curve_says(n):
    rng, times, kind = np.random.default_rng(n), 1000, METRICS["cka_gap"]
    signs = rng.choice([-1.0, 1.0], (4000, n))
    helps = 0
    for d in rng.normal(0.6, 1, (times, n)):
        p = (np.abs(signs @ d) >= abs(d.sum()) - 1e-12).mean()  # as p_value has it, with fewer draws
        helps += judge(*interval(d), n, kind, p) == "helps"
    assert helps / times == pytest.approx(power_curve(1.0, 0.6, [n]).item(), abs=0.045)


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
        (lambda: metric_named("beauty"), "beauty"),
        (lambda: contrasts(controls=()), "controls must name at least one arm"),
        (lambda: p_value([1.0]), "at least 2"),
        (lambda: holm(summarize(make_table([0] * 4)), ["test_mse"]), "primary"),
        (lambda: non_inferior([1.0, 2.0], -0.1), "margin"),
        (lambda: non_inferior([1.0, 2.0], 0.1, confidence=0.2), "confidence"),
        (lambda: power_curve([1.0, 1.0], 0.1), "spread must not be 0"),
        (lambda: power_curve(1.0, 0.0), "effect and spread must not be 0"),
        (lambda: power_curve(1.0, 0.1, [1]), "seeds must be at least 2"),
        (lambda: seeds_needed(1.0, 0.1, power=80), "power"),
        (lambda: seeds_needed(1.0, 0.1, alpha=5), "alpha"),
        (lambda: verdict(summarize(make_table([0] * 4), ["cka_gap"]), "cka_gap", "oracle"), "summary must have"),
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


# Words


def test_a_verdict_shows_arms_under_their_words():
    table = make_table([0, 0, 0.3, 0.3])
    table["arm"] = table["arm"].replace({"regularized": "regularized_loo", "control": "control_loo"})
    controls = ("control_loo",)
    summary = summarize(table, ["cka_gap"], contrasts("regularized_loo", controls))
    words = verdict(summary, "cka_gap", "regularized_loo", controls=controls)
    assert "not shown beyond the shuffled control (leave-one-out): it may" in words.splitlines()[0]
    assert "  leave-one-out - shuffled control (leave-one-out): " in words and "_loo" not in words
    assert list(summary["arm"].unique()) == ["regularized_loo", "control_loo"]  # what is computed with keeps its names


def test_a_comparison_in_words_names_arms_that_nobody_knows_too():
    assert compared("regularized_loo", "my_arm") == "leave-one-out - my arm"


def test_a_table_that_is_shown_has_words_in_columns_and_levels_and_the_other_stays_as_it_was():
    summary = summarize(make_table([0] * 4), ["cka_gap"], [("control", "baseline")], null=("", ""))
    shown = in_words(summary)
    assert shown.loc[0, ["metric", "arm", "versus"]].tolist() == ["CKA gap", "shuffled control", "baseline"]
    assert summary.loc[0, ["metric", "arm", "versus"]].tolist() == ["cka_gap", "control", "baseline"]
    means = make_table([0] * 4).assign(part=1).groupby(["part", "arm"], sort=False)[["cka_gap"]].mean()
    means = in_words(means.rename_axis(columns="metric"))
    assert list(means) == ["CKA gap"] and (1, "shuffled control") in means.index
    assert list(in_words(means.loc[1].T)) == list(means.loc[1].index)  # words are left alone
    plain = pd.DataFrame({"cka_gap": [1.0]}, index=["control"])  # nothing says that these are arms and metrics
    pd.testing.assert_frame_equal(in_words(plain), plain)
