"""Assignment 5: what it asks for is what the package computes, and what its text says."""

import itertools
import re
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import torch
from assignments import SOURCES, Assignment
from scipy import stats

from gsnn_tutorial import GSNN, Problem
from gsnn_tutorial.evaluation import cosine_similarity, linear_cka, told_gap
from gsnn_tutorial.exercises import assignment_5 as checks
from gsnn_tutorial.study.inference import summarize
from gsnn_tutorial.study.metrics import Metric
from gsnn_tutorial.study.priors.memberships import shuffled_membership
from gsnn_tutorial.study.saved import saved_study
from gsnn_tutorial.study.verdicts import judge, verdict


def pathways(M):
    return {frozenset(np.flatnonzero(row).tolist()) for row in np.asarray(M)}


# What is asked for


@pytest.mark.parametrize("seed", range(20))
def test_a_fair_control_is_the_one_that_the_package_draws(seed):
    M = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0]])
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(5) for _ in range(50)]
    np.testing.assert_array_equal(checks.fair_control.reference(M, shuffles), shuffled_membership(M, seed))


def test_a_fair_control_has_sizes_and_overlap_of_the_truth_and_is_not_the_truth():
    for seed in range(40):
        for M, shuffles in checks.fair_control.cases(seed):
            control = checks.fair_control.reference(M, shuffles)
            assert pathways(control) != pathways(M)
            np.testing.assert_array_equal(control @ control.T, M @ M.T)  # sizes and shared members
            assert Counter(map(tuple, control.T)) == Counter(map(tuple, M.T))


def test_the_truth_comes_in_every_disguise_before_a_shuffle_is_fair():
    M, shuffles = checks.fair_control.cases(0)[0]
    disguised = [M[:, s] for s in shuffles[:3]]
    assert [pathways(X) == pathways(M) for X in disguised] == [True] * 3
    assert [np.array_equal(X, M) for X in disguised] == [True, True, False]
    assert (shuffles[1] != np.arange(len(shuffles[1]))).any()
    kept = M[:, shuffles[3]]
    assert pathways(kept) != pathways(M) and pathways(kept) & pathways(M)  # fair, and one pathway is a true one


def test_similarities_are_the_package_s_and_do_not_depend_on_the_basis():
    rng = np.random.default_rng(0)
    for (a,) in checks.cka.cases(0):
        S = checks.cka.reference(a)
        np.testing.assert_allclose(S, linear_cka(torch.tensor(a)[:, None]), atol=1e-12)
        bases = np.linalg.qr(rng.standard_normal((a.shape[1], a.shape[2], a.shape[2])))[0]
        turned = np.einsum("bnc,ncd->bnd", a, bases)
        varies = np.diag(S) > 0
        np.testing.assert_allclose(checks.cka.reference(turned)[varies][:, varies], S[varies][:, varies], atol=1e-12)
        assert (~varies).sum() == 2


def test_the_gap_is_the_package_s_and_p_counts_what_is_at_least_as_large():
    for seed in range(5):
        for S, M, shuffles in checks.beyond_chance.cases(seed):
            gap, p = checks.beyond_chance.reference(S, M, shuffles)
            gaps = [told_gap(S, M[:, s]) for s in shuffles]
            assert gap == pytest.approx(told_gap(S, M))
            assert p == pytest.approx((1 + sum(x >= told_gap(S, M) for x in gaps)) / (1 + len(gaps)))
            again = [pathways(M[:, s]) == pathways(M) for s in shuffles]
            assert sum(again) >= 2  # equal gaps, to the last bit
            assert all(x == told_gap(S, M) for x, same in zip(gaps, again) if same)


def test_with_every_shuffle_p_is_exact():
    rng = np.random.default_rng(3)
    S, M = rng.integers(0, 64, (5, 5)) / 64, np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]])
    every = np.array(list(itertools.permutations(range(5))))
    gap, p = checks.beyond_chance.reference(S + S.T, M, every)
    assert (121 * p - 1) % 12 == pytest.approx(0)  # each pair of pathways comes 2! 3! times
    assert p > 1 / 121


def test_an_interval_is_that_of_scipy_s_paired_test():
    for seed in range(20):
        for arm, other in checks.paired_interval.cases(seed):
            both = sorted(arm.keys() & other.keys())
            right = stats.ttest_rel([arm[s] for s in both], [other[s] for s in both]).confidence_interval(0.95)
            np.testing.assert_allclose(checks.paired_interval.reference(arm, other), right)
            assert list(arm) != list(other) and arm.keys() - other.keys() and other.keys() - arm.keys()


def test_a_verdict_is_that_of_the_package():
    seen = set()
    for case in checks.conclude.cases(0):
        baseline, control, margin, less_is_better = case
        metric = Metric("metric", "metric", margin, direction=-1 if less_is_better else 1)
        word = judge(*baseline, 16, metric)
        if word == "helps":
            word = "pathways" if judge(*control, 16, metric) == "helps" else "smoother"
        assert checks.conclude.reference(*case) == word
        seen.add((word, less_is_better))
    assert len(seen) == 10


# What the text says


def test_a_third_of_all_shuffles_of_two_pairs_are_the_truth():
    M = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])
    again = [pathways(M[:, list(s)]) == pathways(M) for s in itertools.permutations(range(4))]
    assert Fraction(sum(again), len(again)) == Fraction(1, 3)


def test_the_shuffles_of_three_nodes_do_what_the_text_says():
    M = np.array([[1, 1, 0], [0, 1, 1]])
    assert pathways(M[:, [2, 1, 0]]) == pathways(M) == {frozenset({0, 1}), frozenset({1, 2})}
    control = checks.fair_control.reference(M, [np.array([2, 1, 0]), np.array([0, 2, 1])])
    assert pathways(control) == {frozenset({0, 2}), frozenset({1, 2})}


def test_two_nodes_in_three_samples_have_the_similarities_that_the_text_says():
    a = np.stack([np.array([[1, 0, -1], [5, 5, 5]]).T, np.array([[1, -2, 1], [2, 0, -2]]).T], axis=1) * 1.0
    X, Y = (a - a.mean(0)).swapaxes(0, 1)
    assert (X.T @ Y).tolist() == [[0, 4], [0, 0]]
    assert [np.linalg.norm(Z.T @ Z) for Z in (X, Y)] == [2, 10]
    renumbered = a.copy()
    renumbered[:, 1] = a[:, 1, ::-1]
    for b, cosine in [(a, 0.0), (renumbered, 0.76)]:
        assert checks.cka.reference(b)[0, 1] == pytest.approx(0.8)
        centred = torch.tensor(b - b.mean(0))[:, None]
        assert cosine_similarity(centred)[0, 1] == pytest.approx(cosine, abs=0.005)


def test_four_nodes_have_the_gap_and_the_p_that_the_text_says():
    S = np.full((4, 4), 0.2) + 0.8 * np.eye(4)
    S[[0, 1], [1, 0]], S[[2, 3], [3, 2]] = 0.9, 0.7
    M = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])
    shuffles = np.array([[1, 0, 2, 3], [0, 2, 1, 3], [2, 1, 0, 3]])
    assert [told_gap(S, M[:, s]) for s in shuffles] == pytest.approx([0.6, -0.3, -0.3])
    assert checks.beyond_chance.reference(S, M, shuffles) == pytest.approx((0.6, 2 / 4))


def test_three_pairs_have_the_interval_that_the_text_says():
    interval = checks.paired_interval.reference({7: 5, 8: 9, 9: 4, 10: 6}, {10: 3, 8: 7, 7: 4, 11: 1})
    assert np.round(interval, 3).tolist() == [-0.484, 4.484]
    assert stats.t.ppf(0.975, 2) == pytest.approx(4.303, abs=5e-4)


@pytest.mark.parametrize(
    ("baseline", "word"),
    [((-0.04, -0.01), "smoother"), ((-0.005, 0.02), "does not help"), ((-0.03, 0.02), "can't tell")],
)
def test_the_three_verdicts_are_those_that_the_text_says(baseline, word):
    assert checks.conclude.reference(baseline, (-0.03, 0.01), 0.01, True) == word


@pytest.mark.parametrize("seed", [2026, 2027, 4711, 0, 1])
def test_an_untrained_model_passes_the_test_against_shuffled_pathways(seed):
    draw = Problem().draw(seed=seed)
    start = torch.Generator().manual_seed(seed)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    a = model.layer_activations(draw.x_test[:128])[:, -1].detach().double().numpy()
    rng = np.random.default_rng(seed)
    shuffles = np.array([rng.permutation(a.shape[1]) for _ in range(499)])
    assert checks.beyond_chance.reference(checks.cka.reference(a), draw.membership.numpy(), shuffles)[1] < 0.05


def test_the_model_answer_quotes_the_table_and_keeps_to_the_rule():
    """The example is of the seed 2026, whatever the year's seed is."""
    saved = saved_study("crosstalk")
    drawn = np.random.default_rng(2026).choice(saved["seed"].unique(), 16, replace=False)
    table = saved[(saved["n_crosstalk"] == 4) & saved["seed"].isin(drawn)]
    summary = summarize(table, ["test_mse", "cka_gap"])
    answer = " ".join(Assignment(SOURCES["5"]).by_hand["written"].split())
    for row in summary.itertuples():
        interval = f"{row.low:+.3f} to {row.high:+.3f}"
        assert re.search(re.escape(f"{row.difference:+.3f} (") + "(95% interval )?" + re.escape(interval), answer), row
    assert "can't tell whether the prior helps" in verdict(summary, "test_mse") and "by the rule, can't tell" in answer
    assert "no more is shown than an untrained model has" in " ".join(verdict(summary, "cka_gap").split())
    means = table.groupby("arm")["cka_gap"].mean()
    lost, gain = means["untrained"] - means["baseline"], means["regularized"] - means["baseline"]
    assert gain / 2 < lost < gain  # "mostly what the baseline lost in training"
    errors = summary[summary["metric"] == "test_mse"]
    assert (errors["low"] < -0.01).all() and (errors["high"] > 0).all()  # gains that would matter
    low, high = errors.iloc[0][["low", "high"]]
    assert 2.5 < -low / 0.01 < 3.5 and 2.5 < high / 0.01 < 3.5


@pytest.mark.parametrize("seed", [2026, 2027, 4711])
def test_the_gap_of_the_prior_is_above_the_baseline_s_while_the_error_decides_nothing_in_its_favour(seed):
    """The trap of exercise 6: the secondary metric is in the prior's favour, the primary one is not shown to be."""
    saved = saved_study("crosstalk")
    drawn = np.random.default_rng(seed).choice(saved["seed"].unique(), 16, replace=False)
    table = saved[(saved["n_crosstalk"] == 4) & saved["seed"].isin(drawn)]
    summary = summarize(table, ["test_mse", "cka_gap"])
    assert summary["seeds"].eq(16).all()
    assert verdict(summary, "cka_gap").startswith("CKA gap: the prior helps, and it is the pathways")
    assert not verdict(summary, "test_mse").startswith("test MSE: the prior helps")


# Mistakes as pupils write them


def test_the_shuffle_compared_as_a_matrix_is_diagnosed():
    def answer(M, shuffles):
        for s in shuffles:
            if (M[:, s] != M).any():
                return M[:, s]

    assert "row by row" in checks.fair_control.diagnose(answer, 2026)


def test_no_shuffle_at_all_is_diagnosed():
    assert "as it came" in checks.fair_control.diagnose(lambda M, shuffles: M[:, shuffles[0]], 2026)


def by_pairs(value):
    def answer(a):
        with np.errstate(all="ignore"):
            return [[value(a[:, i], a[:, j]) for j in range(a.shape[1])] for i in range(a.shape[1])]

    return answer


def centre(X):
    return X - X.mean(0)


SIMILARITIES = {
    "gives NaN": lambda X, Y: np.linalg.norm(centre(X).T @ centre(Y)) ** 2
    / (np.linalg.norm(centre(X).T @ centre(X)) * np.linalg.norm(centre(Y).T @ centre(Y))),
    "not centre": lambda X, Y: np.linalg.norm(X.T @ Y) ** 2 / (np.linalg.norm(X.T @ X) * np.linalg.norm(Y.T @ Y)),
    "largest singular value": lambda X, Y: np.nan_to_num(
        np.linalg.norm(centre(X).T @ centre(Y), 2) ** 2
        / (np.linalg.norm(centre(X).T @ centre(X), 2) * np.linalg.norm(centre(Y).T @ centre(Y), 2))
    ),
    "channel by channel": lambda X, Y: np.nan_to_num(
        (centre(X) * centre(Y)).sum() / np.sqrt((centre(X) ** 2).sum() * (centre(Y) ** 2).sum())
    ),
    "squared norms of X and Y": lambda X, Y: np.nan_to_num(
        np.linalg.norm(centre(X).T @ centre(Y)) ** 2 / (np.linalg.norm(centre(X)) * np.linalg.norm(centre(Y))) ** 2
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", SIMILARITIES)
@pytest.mark.parametrize("seed", [0, 2026])
def test_similarities_of_pairs_are_diagnosed(words, seed):
    assert words in checks.cka.diagnose(by_pairs(SIMILARITIES[words]), seed)


def test_p_by_a_mean_of_booleans_is_diagnosed():
    def answer(S, M, shuffles):
        gaps = np.array([told_gap(S, M[:, s]) for s in shuffles])
        return told_gap(S, M), (gaps >= told_gap(S, M)).mean()

    assert "which is never 0" in checks.beyond_chance.diagnose(answer, 2026)


def test_arms_as_two_groups_and_values_as_they_stand_are_diagnosed():
    def welch(arm, other):
        return tuple(stats.ttest_ind([*arm.values()], [*other.values()], equal_var=False).confidence_interval())

    def position(arm, other):
        d = np.array(list(arm.values()))[: len(other)] - np.array(list(other.values()))
        half = stats.t.ppf(0.975, len(d) - 1) * stats.sem(d)
        return d.mean() - half, d.mean() + half

    assert "share nothing, each with all its seeds" in checks.paired_interval.diagnose(welch, 2026)
    assert "as they stand" in checks.paired_interval.diagnose(position, 2026)


def test_signs_that_are_turned_without_the_ends_are_diagnosed():
    def answer(b, c, margin, less_is_better):
        if less_is_better:
            b, c = (-b[0], -b[1]), (-c[0], -c[1])
        if b[0] > 0:
            return "pathways" if c[0] > 0 else "smoother"
        return "harms" if b[1] < 0 else "does not help" if b[1] < margin else "can't tell"

    assert "not the ends" in checks.conclude.diagnose(answer, 2026)


def test_harm_needs_no_margin():
    def answer(versus_baseline, versus_control, margin, less_is_better):
        low, high = versus_baseline
        worst = -low if less_is_better else high
        word = checks.conclude.reference(versus_baseline, versus_control, margin, less_is_better)
        return "does not help" if word == "harms" and worst >= -margin else word

    assert "'harms' needs more than the margin" in checks.conclude.diagnose(answer, 2026)


@pytest.mark.parametrize("seed", range(5))
def test_who_picks_the_shuffle_that_changes_most_picks(seed):
    def answer(M, shuffles):
        return M[:, max(shuffles, key=lambda s: abs(M - M[:, s]).sum())]

    assert "you picked the shuffle" in checks.fair_control.diagnose(answer, seed)
