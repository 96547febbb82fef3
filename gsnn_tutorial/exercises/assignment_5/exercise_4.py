"""Exercise 4 of assignment 5, a paired interval: the 95% interval of the mean difference of two arms."""

from __future__ import annotations

import numpy as np
from scipy import stats

from gsnn_tutorial.exercises.diagnosis import graded


def two_arms(seed):
    """A level that the arms of a seed share; seeds in another order in each arm, and some missing in one of them."""
    rng = np.random.default_rng(seed)
    cases = []
    for n, offset in [(6, 0.3), (7, -0.2), (9, 0.1)]:
        seeds = rng.choice(100, n + 3, replace=False)
        level = dict(zip(seeds.tolist(), rng.uniform(0, 4, n + 3)))
        own = [{s: slope * x + rng.normal(0, 0.3) for s, x in level.items()} for slope in (0.6, 1)]
        gone = seeds[:1], seeds[1:3]  # one seed of the first arm, two of the second
        arms = []
        for values, lost in zip(own, gone):
            kept = [s for s in rng.permutation(seeds).tolist() if s not in lost]
            arms.append({s: round(values[s] + (offset if not arms else 0), 3) for s in kept})
        cases.append(tuple(arms))
    return cases


@graded("a paired interval", cases=two_arms, tolerance=5e-4)
def paired_interval(arm, other):
    """Two dictionaries {seed: value} -> (low, high), the 95% interval of the mean difference arm - other."""
    d = np.array([arm[seed] - other[seed] for seed in sorted(arm.keys() & other.keys())])  # (n,)
    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean() - half, d.mean() + half


# Helpers of the mistakes


def in_both(arm, other):
    """The values of the seeds that both have, pairs below one another."""
    seeds = sorted(arm.keys() & other.keys())
    return np.array([arm[seed] for seed in seeds]), np.array([other[seed] for seed in seeds])


def differences(arm, other):
    mine, theirs = in_both(arm, other)
    return mine - theirs  # (n,)


def around_mean(d, half):
    return d.mean() - half, d.mean() + half


def t_interval(d):
    """The right interval of the mean of the differences ``d``."""
    return around_mean(d, stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d)))


# Mistakes in the differences


@paired_interval.mistake(
    "you paired the values as they stand. The seeds are in another order in each arm, and not all are in both: "
    "pair the values of the same seed."
)
def as_they_stand(arm, other):
    return t_interval(np.array([a - b for a, b in zip(arm.values(), other.values())]))


@paired_interval.mistake(
    "you sorted the values. Then the smallest meets the smallest: pair the values of the same seed."
)
def sorted_values(arm, other):
    return t_interval(np.array([a - b for a, b in zip(sorted(arm.values()), sorted(other.values()))]))


@paired_interval.mistake("a seed that is missing in one arm counts as 0 there. It makes no pair: leave it out.")
def missing_as_zero(arm, other):
    return t_interval(np.array([arm.get(seed, 0) - other.get(seed, 0) for seed in sorted(arm.keys() | other.keys())]))


# No differences


@paired_interval.mistake(
    "you treated the arms as two groups that share nothing, each with all its seeds. A seed's arms share data and "
    "start: take the differences within a seed."
)
def two_groups_of_all_seeds(arm, other):
    interval = stats.ttest_ind([*arm.values()], [*other.values()], equal_var=False).confidence_interval(0.95)
    return interval.low, interval.high


@paired_interval.mistake(
    "you treated the arms as two groups that share nothing. A seed's arms share data and start: take the "
    "differences within a seed."
)
def two_groups(arm, other):
    interval = stats.ttest_ind(*in_both(arm, other), equal_var=False).confidence_interval(0.95)
    return interval.low, interval.high


@paired_interval.mistake(
    "you treated the arms as two groups of one variance. A seed's arms share data and start: take the differences "
    "within a seed."
)
def two_groups_of_one_variance(arm, other):
    interval = stats.ttest_ind(*in_both(arm, other), equal_var=True).confidence_interval(0.95)
    return interval.low, interval.high


# Mistakes in the interval


@paired_interval.mistake("this is where single seeds lie. For their mean divide s by the root of n.")
def not_of_the_mean(arm, other):
    d = differences(arm, other)
    return around_mean(d, stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1))


@paired_interval.mistake(
    "this is the mean and one standard error on each side, an interval of about 65%. Take the quantile of t."
)
def one_standard_error(arm, other):
    d = differences(arm, other)
    return around_mean(d, d.std(ddof=1) / np.sqrt(len(d)))


@paired_interval.mistake(
    "you took the quantile of the normal distribution. s is estimated, from few seeds: take that of t."
)
def normal_quantile(arm, other):
    d = differences(arm, other)
    return around_mean(d, stats.norm.ppf(0.975) * d.std(ddof=1) / np.sqrt(len(d)))


@paired_interval.mistake("you took n degrees of freedom. The mean was estimated too: n - 1.")
def n_degrees_of_freedom(arm, other):
    d = differences(arm, other)
    return around_mean(d, stats.t.ppf(0.975, len(d)) * d.std(ddof=1) / np.sqrt(len(d)))


@paired_interval.mistake(
    "you took the quantile 0.95, and so a 90% interval. Of the 5% outside, half lies on each side: 0.975."
)
def quantile_095(arm, other):
    d = differences(arm, other)
    return around_mean(d, stats.t.ppf(0.95, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d)))


@paired_interval.mistake("you divided by n in s. The mean was estimated from the same differences: n - 1, ddof=1.")
def n_in_s(arm, other):
    d = differences(arm, other)
    return around_mean(d, stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=0) / np.sqrt(len(d)))


@paired_interval.mistake("your n is the number of all seeds. It is the number of pairs.")
def n_of_all_seeds(arm, other):
    d, n = differences(arm, other), len(arm.keys() | other.keys())
    return around_mean(d, stats.t.ppf(0.975, n - 1) * d.std(ddof=1) / np.sqrt(n))


@paired_interval.mistake("these are the smallest and the largest difference. The interval is of their mean.")
def smallest_and_largest(arm, other):
    d = differences(arm, other)
    return d.min(), d.max()


# Mistakes in what is returned


@paired_interval.mistake(
    "these are the mean and half the width. Return the ends, mean minus and mean plus half the width."
)
def mean_and_half_width(arm, other):
    low, high = paired_interval.reference(arm, other)
    return (low + high) / 2, (high - low) / 2


@paired_interval.mistake("your sign is turned: arm minus other.")
def other_minus_arm(arm, other):
    return paired_interval.reference(other, arm)
