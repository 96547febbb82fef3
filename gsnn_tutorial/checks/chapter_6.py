"""Exercises of chapter 6: a gap, a paired difference, a control that is one."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.checks.diagnosis import Exercise


def pathway_gap(similarity, labels):
    """Mean similarity of pairs inside a pathway minus that of pairs across; no node pairs with itself."""
    i, j = np.triu_indices(len(labels), k=1)
    same = labels[i] == labels[j]
    return similarity[i, j][same].mean() - similarity[i, j][~same].mean()


def _gap_with_self(similarity, labels):
    same = labels[:, None] == labels[None, :]
    return similarity[same].mean() - similarity[~same].mean()


def _gap_of_sums(similarity, labels):
    i, j = np.triu_indices(len(labels), k=1)
    same = labels[i] == labels[j]
    return similarity[i, j][same].sum() - similarity[i, j][~same].sum()


def _gap_cases(seed):
    rng = np.random.default_rng(seed)
    for sizes in [(2, 4), (2, 3, 5)]:  # pathways of different sizes
        labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        X = rng.normal(size=(len(labels), 4))
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        yield X @ X.T, labels


def _gap_of_pathways(similarity, labels):
    pairs = labels[:, None] == labels[None, :]
    np.fill_diagonal(pairs, False)
    means = [similarity[pairs & (labels == p)[:, None]].mean() for p in np.unique(labels)]
    return np.mean(means) - similarity[labels[:, None] != labels[None, :]].mean()


def _gap_to_all(similarity, labels):
    i, j = np.triu_indices(len(labels), k=1)
    return similarity[i, j][labels[i] == labels[j]].mean() - similarity[i, j].mean()


gap = Exercise(
    title="Pathway gap",
    reference=pathway_gap,
    cases=lambda seed: list(_gap_cases(seed)),
    mistakes={
        "you counted every node with itself: the diagonal is always 1 and lies inside a pathway; leave it out.": (
            _gap_with_self
        ),
        "your sign is turned: the gap is within minus cross.": lambda S, labels: -pathway_gap(S, labels),
        "you averaged the pathways' means, which gives a small pathway the weight of a large one: average "
        "over pairs.": _gap_of_pathways,
        "you subtracted the mean of all pairs: subtract that of the pairs across pathways.": _gap_to_all,
        "you compared sums: there are many more pairs across than within; compare means.": _gap_of_sums,
        "this is the mean within alone: subtract the mean across, which need not be 0.": lambda S, labels: (
            pathway_gap(S, labels) + S[labels[:, None] != labels[None, :]].mean()
        ),
    },
)


def paired_difference(regularized, baseline):
    """Mean of the differences within a seed, and the standard error of that mean."""
    d = regularized - baseline
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))


def _unpaired(a, b):
    return (a - b).mean(), np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


def _paired_cases(seed):
    rng = np.random.default_rng(seed)
    for n in (8, 20):
        level = rng.normal(0.4, 0.1, n)
        yield level + rng.normal(-0.02, 0.02, n), level + rng.normal(0, 0.02, n)


paired = Exercise(
    title="Paired difference",
    reference=paired_difference,
    cases=lambda seed: list(_paired_cases(seed)),
    mistakes={
        "your error is that of two separate groups: a seed's two arms share their data, so take differences "
        "within a seed first.": _unpaired,
        "that is the spread of single seeds: the error of their mean is smaller by the root of their number.": (
            lambda a, b: ((a - b).mean(), (a - b).std(ddof=1))
        ),
        "you divided by n where n - 1 belongs: the mean was estimated from the same differences (ddof=1).": (
            lambda a, b: ((a - b).mean(), (a - b).std() / np.sqrt(len(a)))
        ),
        "your sign is turned: regularized minus baseline.": (
            lambda a, b: ((b - a).mean(), (a - b).std(ddof=1) / np.sqrt(len(a)))
        ),
    },
)


def is_control(truth, candidate):
    """Same pathway sizes, every node in one pathway, and other pathways than the truth, in whatever order."""
    same_sizes = sorted(truth.sum(1)) == sorted(candidate.sum(1))
    partition = (candidate.sum(0) == 1).all()
    same_pathways = sorted(map(tuple, truth)) == sorted(map(tuple, candidate))
    return bool(same_sizes and partition and not same_pathways)


def _control_cases(seed):
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
    order = rng.permutation(9)
    cases = [truth, truth[[1, 2, 0]], swapped, swapped[[2, 0, 1]], uneven, twice, overlapping]
    return [(truth[:, order], candidate[:, order]) for candidate in cases]


control = Exercise(
    title="A control that is one",
    reference=is_control,
    cases=_control_cases,
    mistakes={
        "you ask that no true pair stays together: a fair shuffle may keep some, only not all pathways.": (
            lambda t, c: is_control(t, c) and not (((t.T @ t) > 0) & ((c.T @ c) > 0) & ~np.eye(9, dtype=bool)).any()
        ),
        "the true pathways in another order pass your check: compare pathways as sets, not row by row.": (
            lambda t, c: bool(
                sorted(t.sum(1)) == sorted(c.sum(1)) and (c.sum(0) == 1).all() and not np.array_equal(t, c)
            )
        ),
        "pathways of other sizes pass your check: then the control differs in more than its members.": (
            lambda t, c: bool((c.sum(0) == 1).all() and sorted(map(tuple, t)) != sorted(map(tuple, c)))
        ),
        "a node in two pathways, or in none, passes your check: count the memberships of each node too.": (
            lambda t, c: bool(sorted(t.sum(1)) == sorted(c.sum(1)) and sorted(map(tuple, t)) != sorted(map(tuple, c)))
        ),
        "the truth itself passes your check: sizes alone do not make a control.": (
            lambda t, c: bool(sorted(t.sum(1)) == sorted(c.sum(1)) and (c.sum(0) == 1).all())
        ),
    },
)
