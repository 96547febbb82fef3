"""Exercise 5 of assignment 4: following the others, what a member shares with the rest of its pathway."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_4 import over_the_batch as by  # noqa: F401  slips use it
from gsnn_tutorial.exercises.assignment_4.over_the_batch import standardised
from gsnn_tutorial.exercises.diagnosis import graded


def members_of_pathways(seed):
    """Soft pathways that overlap; node 0 is in none; one node is constant; one pathway has a single member, one has
    a single member that varies."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, N in [(8, 7), (16, int(rng.integers(8, 10)))]:
        common = np.where(np.arange(N) == 3, -1.5, 0.8)  # node 3 goes against the others
        s = rng.standard_normal((B, N)) + common * rng.standard_normal((B, 1))
        s = s * rng.uniform(0.5, 2, N) + rng.uniform(0.5, 1.5, N)
        s[:, 1] = 0
        M = np.zeros((5, N))
        M[0, 2:6], M[1, [1, 3, 6]], M[2, [2, 4, N - 1]] = 1, 1, 1
        M[3, 5] = M[4, [1, 4]] = 1  # a single member; one beside a constant
        M *= rng.uniform(0.4, 1.8, M.shape)
        M[0, 2] = 0.3  # a member, if a soft one
        M, order = M[rng.permutation(5)], rng.permutation(N)
        cases.append((torch.tensor(s[:, order]).float(), torch.tensor(M[:, order]).float()))
    return cases


@graded("following the others", cases=members_of_pathways, tolerance=1e-4)
def follow(s, M):
    """Scores (B, N) and weights (P, N) -> each member's correlation with the others, (P, N)."""
    N = M.shape[1]
    others = torch.stack([s @ (M * (torch.arange(N) != i)).T for i in range(N)], dim=-1)  # (B, P, N)
    r = (standardised(s)[:, None] * standardised(others)).mean(0)  # (P, N)
    return torch.where(M > 0, r, 0.0)


OTHERS = "torch.stack([s @ (M * (torch.arange(N) != i)).T for i in range(N)], dim=-1)"
follow.slips({
    "nothing is left out: you correlated a member with the whole pathway, of which it is a part.":
        {OTHERS: "(s @ M.T)[:, :, None]"},
    "you took a member's score away without its weight. Its share in the sum is M[p, i] * s[:, i].":
        {OTHERS: "(s @ M.T)[:, :, None] - s[:, None]"},
    "you took a member's share from the pathway's mean. Take it from the weighted sum, in which its share is M[p, i] * "
    "s[:, i].": {OTHERS: "(s @ M.T / M.sum(1).clamp_min(1))[:, :, None] - M * s[:, None]"},
    "the others count all the same in your score. Each counts with its weight.": {"(M * (": "((M > 0).float() * ("},
    "nodes that are no members have a correlation in your answer. They get 0.": {"torch.where(M > 0, r, 0.0)": "r"},
    "0/0: a constant member, or a member without another that varies, gives NaN. It counts r = 0.":
        {"standardised(": "by.without_rule("},
    "you multiplied r by the weights. The weight counts in the score of the others; here r itself is asked for.":
        {"return ": "return M * "},
    "you did not centre. r is a correlation: subtract the mean over the batch.":
        {"standardised(": "by.without_centring("},
    "you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.":
        {"standardised(": "by.sample_std("},
    "your matrix is transposed: a pathway is a row and a node is a column.": {"r, 0.0)": "r, 0.0).T"},
})  # fmt: skip
