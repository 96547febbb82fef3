"""Exercise 5 of assignment 4: following the others, what a member shares with the rest of its pathway."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_4.over_the_batch import (
    scaled_without_centring,
    standardised,
    standardised_by_sample_std,
    standardised_without_rule,
)
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


def sums_of_others(s, M):
    """For a pathway and a node the weighted sum over the members but this node: M without its column."""
    N = M.shape[1]
    return torch.stack([s @ (M * (torch.arange(N) != i)).T for i in range(N)], dim=-1)  # (B, P, N)


def sums_of_all(s, M):
    return (s @ M.T)[:, :, None]  # (B, P, 1)


def correlations(s, S):
    """s (B, N) and S (B, P, N), a score for each pair of pathway and node; or (B, P, 1), the same for all nodes."""
    return (standardised(s)[:, None] * standardised(S)).mean(0)  # (P, N)


def follow_with(standardise, s, M):
    """The right answer with another standardisation of scores."""
    r = (standardise(s)[:, None] * standardise(sums_of_others(s, M))).mean(0)  # (P, N)
    return torch.where(M > 0, r, 0.0)


@follow.mistake("nothing is left out: you correlated a member with the whole pathway, of which it is a part.")
def with_the_whole_pathway(s, M):
    return torch.where(M > 0, correlations(s, sums_of_all(s, M)), 0.0)


@follow.mistake("you took a member's score away without its weight. Its share in the sum is M[p, i] * s[:, i].")
def share_without_weight(s, M):
    rest = sums_of_all(s, M) - s[:, None]  # (B, P, N)
    return torch.where(M > 0, correlations(s, rest), 0.0)


@follow.mistake(
    "you took a member's share from the pathway's mean. Take it from the weighted sum, in which its share is "
    "M[p, i] * s[:, i]."
)
def share_from_the_mean(s, M):
    mean = sums_of_all(s, M) / M.sum(1).clamp_min(1)[:, None]  # (B, P, 1)
    return torch.where(M > 0, correlations(s, mean - M * s[:, None]), 0.0)


@follow.mistake("the others count all the same in your score. Each counts with its weight.")
def others_without_weights(s, M):
    others = sums_of_others(s, (M > 0).float())
    return torch.where(M > 0, correlations(s, others), 0.0)


@follow.mistake("nodes that are no members have a correlation in your answer. They get 0.")
def members_or_not(s, M):
    return correlations(s, sums_of_others(s, M))


@follow.mistake("0/0: a constant member, or a member without another that varies, gives NaN. It counts r = 0.")
def constants_give_nan(s, M):
    return follow_with(standardised_without_rule, s, M)


@follow.mistake(
    "you multiplied r by the weights. The weight counts in the score of the others; here r itself is asked for."
)
def times_weights(s, M):
    return M * follow.reference(s, M)


@follow.mistake("you did not centre. r is a correlation: subtract the mean over the batch.")
def not_centred(s, M):
    return follow_with(scaled_without_centring, s, M)


@follow.mistake("you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.")
def sample_std(s, M):
    return follow_with(standardised_by_sample_std, s, M)


@follow.mistake("your matrix is transposed: a pathway is a row and a node is a column.")
def transposed(s, M):
    return follow.reference(s, M).T
