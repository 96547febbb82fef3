"""The exercises of chapter 6, the three-way evaluation.

``gap`` compares pairs inside and across pathways, ``paired`` is a difference with its error, and ``control`` tells
a fair control from others.
"""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import exercise

# ---- The gap between pairs inside a pathway and across


def gap_cases(seed):
    rng = np.random.default_rng(seed)
    cases = []
    for sizes in [(2, 4), (2, 3, 5)]:  # pathways of different sizes
        labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))  # (N,)
        X = rng.normal(size=(len(labels), 4))
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        cases.append((X @ X.T, labels))
    opposite, labels = cases[0]  # the gap has the other sign
    return [*cases, (2 * np.eye(len(labels)) - opposite, labels)]


@exercise("Pathway gap", cases=gap_cases)
def pathway_gap(similarity, labels):
    """Mean similarity of pairs inside a pathway minus that of pairs across; no node pairs with itself."""
    i, j = np.triu_indices(len(labels), k=1)
    same = labels[i] == labels[j]
    return similarity[i, j][same].mean() - similarity[i, j][~same].mean()


@pathway_gap.mistake(
    "you counted every node with itself: the diagonal is always 1 and lies inside a pathway; leave it out."
)
def diagonal_counted(similarity, labels):
    same = labels[:, None] == labels[None, :]  # (N, N)
    return similarity[same].mean() - similarity[~same].mean()


@pathway_gap.mistake("your sign is turned: the gap is within minus cross.")
def cross_minus_within(similarity, labels):
    i, j = np.triu_indices(len(labels), k=1)
    same = labels[i] == labels[j]
    return similarity[i, j][~same].mean() - similarity[i, j][same].mean()


@pathway_gap.mistake(
    "you averaged the pathways' means, which gives a small pathway the weight of a large one: average over pairs."
)
def mean_of_pathway_means(similarity, labels):
    pairs = labels[:, None] == labels[None, :]  # (N, N)
    np.fill_diagonal(pairs, False)
    within = [similarity[pairs & (labels == p)[:, None]].mean() for p in np.unique(labels)]
    return np.mean(within) - similarity[labels[:, None] != labels[None, :]].mean()


@pathway_gap.mistake("you subtracted the mean of all pairs: subtract that of the pairs across pathways.")
def within_minus_all(similarity, labels):
    i, j = np.triu_indices(len(labels), k=1)
    same = labels[i] == labels[j]
    return similarity[i, j][same].mean() - similarity[i, j].mean()


@pathway_gap.mistake("you compared sums: there are many more pairs across than within; compare means.")
def sums_compared(similarity, labels):
    i, j = np.triu_indices(len(labels), k=1)
    same = labels[i] == labels[j]
    return similarity[i, j][same].sum() - similarity[i, j][~same].sum()


@pathway_gap.mistake("this is the mean within alone: subtract the mean across, which need not be 0.")
def within_alone(similarity, labels):
    across = similarity[labels[:, None] != labels[None, :]].mean()
    return pathway_gap.reference(similarity, labels) + across


# ---- A paired difference and its standard error


def paired_cases(seed):
    rng = np.random.default_rng(seed)
    cases = []
    for n in (8, 20):
        level = rng.normal(0.4, 0.1, n)  # (seeds,)
        cases.append((level + rng.normal(-0.02, 0.02, n), level + rng.normal(0, 0.02, n)))
    return cases


@exercise("Paired difference", cases=paired_cases)
def paired_difference(regularized, baseline):
    """Mean of the differences within a seed, and the standard error of that mean."""
    d = regularized - baseline
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))


@paired_difference.mistake(
    "your error is that of two separate groups: a seed's two arms share their data, so take differences "
    "within a seed first."
)
def two_groups(regularized, baseline):
    n = len(baseline)
    error = np.sqrt(regularized.var(ddof=1) / n + baseline.var(ddof=1) / n)
    return (regularized - baseline).mean(), error


@paired_difference.mistake(
    "that is the spread of single seeds: the error of their mean is smaller by the root of their number."
)
def spread_of_seeds(regularized, baseline):
    d = regularized - baseline
    return d.mean(), d.std(ddof=1)


@paired_difference.mistake(
    "you divided by n where n - 1 belongs: the mean was estimated from the same differences (ddof=1)."
)
def divided_by_n(regularized, baseline):
    d = regularized - baseline
    return d.mean(), d.std() / np.sqrt(len(d))


@paired_difference.mistake("your sign is turned: regularized minus baseline.")
def baseline_first(regularized, baseline):
    d = baseline - regularized
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))


# ---- A control that is one


def control_cases(seed):
    rng = np.random.default_rng(seed)
    truth = np.kron(np.eye(3), np.ones((1, 3)))  # (P, N) = (3, 9): three pathways of three nodes
    swapped = truth.copy()
    swapped[:, [0, 3]] = swapped[:, [3, 0]]  # nodes 0 and 3 change places
    uneven = truth.copy()
    uneven[:, 0] = [0, 1, 0]  # sizes 2, 4, 3
    twice = swapped.copy()
    twice[:, 8], twice[2, 7] = [1, 0, 0], 0
    twice[2, 1] = 1  # the sizes are off and node 1 is in two pathways
    overlapping = swapped.copy()
    overlapping[2, 8], overlapping[2, 1] = 0, 1  # sizes 3, 3, 3, but node 1 twice and node 8 nowhere
    turned = truth[:, [3, 1, 2, 6, 4, 5, 0, 7, 8]]  # no pathway is left, and some pairs are
    order = rng.permutation(9)
    candidates = (truth, truth[[1, 2, 0]], swapped, swapped[[2, 0, 1]], uneven, twice, overlapping, turned)
    cases = [(truth, candidate) for candidate in candidates]
    unequal, other_sizes = sized(1, 1, 2, 3, 3), sized(1, 2, 2, 2, 3)  # the same sizes are there, not as often
    moved = unequal[:, [9, *range(9)]]  # every node takes the place of its neighbour
    cases += [(unequal, c) for c in (unequal[::-1], other_sizes, moved, moved[[4, 0, 3, 1, 2]])]
    order = {9: order, 10: rng.permutation(10)}
    return [(truth[:, order[truth.shape[1]]], c[:, order[truth.shape[1]]]) for truth, c in cases]


def sized(*sizes):
    """Pathways of these sizes, one after the other, (P, N)."""
    return (np.repeat(np.arange(len(sizes)), sizes) == np.arange(len(sizes))[:, None]).astype(float)


@exercise("A control that is one", cases=control_cases, shrinks=False)
def is_control(truth, candidate):
    """Same pathway sizes, every node in one pathway, and other pathways than the truth, in whatever order."""
    same_sizes = sorted(truth.sum(1)) == sorted(candidate.sum(1))
    partition = (candidate.sum(0) == 1).all()
    same_pathways = sorted(map(tuple, truth)) == sorted(map(tuple, candidate))
    return bool(same_sizes and partition and not same_pathways)


@is_control.mistake("you ask that no true pair stays together: a fair shuffle may keep some, only not all pathways.")
def no_pair_may_stay(truth, candidate):
    together = (truth.T @ truth > 0) & (candidate.T @ candidate > 0)  # (N, N)
    np.fill_diagonal(together, False)
    return is_control.reference(truth, candidate) and not together.any()


@is_control.mistake("you ask that no true pathway be kept: a fair shuffle may keep one, only not all of them.")
def no_pathway_may_stay(truth, candidate):
    kept = set(map(tuple, truth)) & set(map(tuple, candidate))
    return is_control.reference(truth, candidate) and not kept


@is_control.mistake("the true pathways in another order pass your check: compare pathways as sets, not row by row.")
def compared_row_by_row(truth, candidate):
    same_sizes = sorted(truth.sum(1)) == sorted(candidate.sum(1))
    partition = (candidate.sum(0) == 1).all()
    return bool(same_sizes and partition and not np.array_equal(truth, candidate))


@is_control.mistake("pathways of other sizes pass your check: then the control differs in more than its members.")
def sizes_not_compared(truth, candidate):
    partition = (candidate.sum(0) == 1).all()
    same_pathways = sorted(map(tuple, truth)) == sorted(map(tuple, candidate))
    return bool(partition and not same_pathways)


@is_control.mistake("a node in two pathways, or in none, passes your check: count the memberships of each node too.")
def memberships_not_counted(truth, candidate):
    same_sizes = sorted(truth.sum(1)) == sorted(candidate.sum(1))
    same_pathways = sorted(map(tuple, truth)) == sorted(map(tuple, candidate))
    return bool(same_sizes and not same_pathways)


@is_control.mistake("the truth itself passes your check: sizes alone do not make a control.")
def truth_passes(truth, candidate):
    same_sizes = sorted(truth.sum(1)) == sorted(candidate.sum(1))
    partition = (candidate.sum(0) == 1).all()
    return bool(same_sizes and partition)
