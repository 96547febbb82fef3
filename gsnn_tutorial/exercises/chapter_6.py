"""The exercises of chapter 6, the three-way evaluation.

``gap`` compares pairs inside and across pathways, ``paired`` is a difference with its error, and ``control`` tells
a fair control from others.
"""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import exercise


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


SAME = "labels[i] == labels[j]"
pathway_gap.slips({
    "you counted every node with itself: the diagonal is always 1 and lies inside a pathway; leave it out.":
        {"np.triu_indices(len(labels), k=1)": "np.indices(similarity.shape).reshape(2, -1)"},
    "your sign is turned: the gap is within minus cross.": {"[same]": "[~same]", "[~same]": "[same]"},
    "you averaged the pathways' means, which gives a small pathway the weight of a large one: average over pairs.":
        {"similarity[i, j][same].mean()":
         "np.mean([similarity[i, j][same & (labels[i] == p)].mean() for p in np.unique(labels)])"},
    "you subtracted the mean of all pairs: subtract that of the pairs across pathways.": {"[~same]": ""},
    "you compared sums: there are many more pairs across than within; compare means.": {"mean()": "sum()"},
    "this is the mean within alone: subtract the mean across, which need not be 0.":
        {" - similarity[i, j][~same].mean()": ""},
})  # fmt: skip


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


paired_difference.slips({
    "your error is that of two separate groups: a seed's two arms share their data, so take differences within a seed "
    "first.": {"d.std(ddof=1)": "np.sqrt(regularized.var(ddof=1) + baseline.var(ddof=1))"},
    "that is the spread of single seeds: the error of their mean is smaller by the root of their number.":
        {" / np.sqrt(len(d))": ""},
    "you divided by n where n - 1 belongs: the mean was estimated from the same differences (ddof=1).": {"ddof=1": ""},
    "your sign is turned: regularized minus baseline.": {"regularized - baseline": "baseline - regularized"},
})  # fmt: skip


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


is_control.slips({
    "you ask that no true pair stays together: a fair shuffle may keep some, only not all pathways.":
        {"not same_pathways": "not np.triu((truth.T @ truth) * (candidate.T @ candidate), k=1).any()"},
    "you ask that no true pathway be kept: a fair shuffle may keep one, only not all of them.":
        {"sorted(map(tuple, truth)) == sorted(map(tuple, candidate))":
         "set(map(tuple, truth)) & set(map(tuple, candidate))"},
    "the true pathways in another order pass your check: compare pathways as sets, not row by row.":
        {"sorted(map(tuple, truth)) == sorted(map(tuple, candidate))": "np.array_equal(truth, candidate)"},
    "pathways of other sizes pass your check: then the control differs in more than its members.":
        {"same_sizes and ": ""},
    "a node in two pathways, or in none, passes your check: count the memberships of each node too.":
        {"partition and ": ""},
    "the truth itself passes your check: sizes alone do not make a control.": {" and not same_pathways": ""},
})  # fmt: skip
