"""Exercise 2 of assignment 2: the strongest parent, a special function for all samples at once."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import graded


def parent_cases(seed):
    """Two to four parents. In two samples the strongest stands against the sum of the others; in the first sample
    it is not the one that is strongest on average."""
    rng = np.random.default_rng(seed)
    cases = []
    for K, B in [(3, 7), (2, 5), (4, int(rng.integers(8, 11)))]:
        parents = rng.standard_normal((K, B))
        if K > 2:
            against = np.array([[-2.5, -1.2], [1.9, 1.7], *[[1.6, -1.1]] * (K - 2)])
            parents[:, :2] = against[rng.permutation(K)] * rng.uniform(0.95, 1.05, (K, 2))
        order = rng.permutation(B)
        loudest = np.abs(parents).mean(1).argmax()
        other = np.abs(parents).argmax(0)[order] != loudest
        order = np.concatenate([order[other], order[~other]])
        cases.append((list(parents[:, order]),))
    return cases


@graded("the strongest parent", cases=parent_cases)
def strongest(parents):
    return np.array([max(sample, key=abs) for sample in zip(*parents)])  # (B,)


ANSWER = "np.array([max(sample, key=abs) for sample in zip(*parents)])"
strongest.slips({
    "this is one number, the strongest of all parents and all samples. Without an axis, NumPy reduces over both: "
    "axis 0 of np.stack(parents) is the parents.": {ANSWER: "max(np.concatenate(parents), key=abs)"},
    "this is one number, the largest of all parents and all samples. np.max(parents) reduces over both: axis 0 of "
    "np.stack(parents) is the parents, and the strongest is the largest in size.": {ANSWER: "np.max(parents)"},
    "you reduced over the samples, and return a number for each parent. Reduce over the parents, axis 0 of "
    "np.stack(parents).": {"zip(*parents)": "parents"},
    "this is the largest parent. The strongest is the one farthest from 0, and may be negative.": {", key=abs": ""},
    "this is the size of the strongest parent. Its sign is missing.": {"sample, key=abs": "map(abs, sample)"},
    "this is the weakest parent, the nearest to 0.": {"max(": "min("},
    "this is the number of the strongest parent. Return its value.": {ANSWER: "np.abs(parents).argmax(axis=0)"},
    "your answer is (B, B): an array of indices in the first place picks whole rows. Say which sample too: "
    "stacked[index, np.arange(B)].": {ANSWER: "np.stack(parents)[np.abs(parents).argmax(axis=0)]"},
    "you chose one parent for all samples, the strongest on average. Each sample has its own strongest parent.":
        {ANSWER: "parents[np.abs(parents).mean(axis=1).argmax()]"},
    "you chose one parent for all samples, the strongest of the first one. Each sample has its own strongest parent.":
        {ANSWER: "parents[np.abs(parents)[:, 0].argmax()]"},
    "you took the sign of the sum. The strongest parent has a sign of its own, whatever the others say together.":
        {ANSWER: "np.abs(parents).max(axis=0) * np.sign(np.sum(parents, axis=0))"},
    "you took the largest where the sum is above 0, else the smallest. The strongest may stand against the others: "
    "compare sizes.":
        {ANSWER: "np.where(np.sum(parents, axis=0) > 0, np.max(parents, axis=0), np.min(parents, axis=0))"},
})  # fmt: skip
