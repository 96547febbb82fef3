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


D = "[arm[seed] - other[seed] for seed in sorted(arm.keys() & other.keys())]"
T, ENDS = "stats.t.ppf(0.975, len(d) - 1)", "d.mean() - half, d.mean() + half"
paired_interval.slips({
    "you paired the values as they stand. The seeds are in another order in each arm, and not all are in both: pair "
    "the values of the same seed.": {D: "[a - b for a, b in zip(arm.values(), other.values())]"},
    "you sorted the values. Then the smallest meets the smallest: pair the values of the same seed.":
        {D: "[a - b for a, b in zip(sorted(arm.values()), sorted(other.values()))]"},
    "a seed that is missing in one arm counts as 0 there. It makes no pair: leave it out.":
        {D: "[arm.get(seed, 0) - other.get(seed, 0) for seed in sorted(arm.keys() | other.keys())]"},
    "this is where single seeds lie. For their mean divide s by the root of n.": {" / np.sqrt(len(d))": ""},
    "this is the mean and one standard error on each side, an interval of about 65%. Take the quantile of t.":
        {f"{T} * ": ""},
    "you took the quantile of the normal distribution. s is estimated, from few seeds: take that of t.":
        {T: "stats.norm.ppf(0.975)"},
    "you took n degrees of freedom. The mean was estimated too: n - 1.": {"len(d) - 1": "len(d)"},
    "you took the quantile 0.95, and so a 90% interval. Of the 5% outside, half lies on each side: 0.975.":
        {"0.975": "0.95"},
    "you divided by n in s. The mean was estimated from the same differences: n - 1, ddof=1.": {"ddof=1": "ddof=0"},
    "your n is the number of all seeds. It is the number of pairs.": {"len(d)": "len(arm.keys() | other.keys())"},
    "these are the smallest and the largest difference. The interval is of their mean.": {ENDS: "d.min(), d.max()"},
    "these are the mean and half the width. Return the ends, mean minus and mean plus half the width.":
        {ENDS: "d.mean(), half"},
    "your sign is turned: arm minus other.": {"arm[seed] - other[seed]": "other[seed] - arm[seed]"},
})  # fmt: skip


def two_groups(mine, theirs, equal_var=False):
    """The interval of arms that are taken for two groups."""
    interval = stats.ttest_ind(mine, theirs, equal_var=equal_var).confidence_interval(0.95)
    return interval.low, interval.high


@paired_interval.mistake(
    "you treated the arms as two groups that share nothing, each with all its seeds. A seed's arms share data and "
    "start: take the differences within a seed."
)
def groups_of_all_seeds(arm, other):
    return two_groups([*arm.values()], [*other.values()])


@paired_interval.mistake(
    "you treated the arms as two groups that share nothing. A seed's arms share data and start: take the "
    "differences within a seed."
)
def groups_of_shared_seeds(arm, other, equal_var=False):
    seeds = sorted(arm.keys() & other.keys())
    return two_groups([arm[seed] for seed in seeds], [other[seed] for seed in seeds], equal_var)


@paired_interval.mistake(
    "you treated the arms as two groups of one variance. A seed's arms share data and start: take the differences "
    "within a seed."
)
def groups_of_one_variance(arm, other):
    return groups_of_shared_seeds(arm, other, equal_var=True)
