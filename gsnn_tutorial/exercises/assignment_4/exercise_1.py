"""Exercise 1 of assignment 4: nodes in step."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_4.over_the_batch import centred
from gsnn_tutorial.exercises.diagnosis import graded


def scores_and_pairs(seed):
    """Scores of different levels and loudness; pairs out of order, some that rise and fall against each other."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, N in [(6, 4), (9, int(rng.integers(5, 8)))]:
        common = torch.tensor(rng.standard_normal((B, 1))).float()
        common = common * torch.tensor([1.0, -1.0]).repeat(N)[:N]  # (B, N): neighbours go against each other
        own = torch.tensor(rng.standard_normal((B, N))).float()
        level, loudness = torch.linspace(1, 2, N), torch.linspace(0.5, 2, N)
        s = level + loudness * (common + own)  # (B, N)
        pairs = [(1, 0), (0, 2), (N - 1, 1), (2, N - 1), (1, 2)]
        cases.append((s, [pairs[k] for k in rng.permutation(len(pairs))]))
    return cases


@graded("nodes in step", cases=scores_and_pairs, tolerance=1e-4)
def in_step(s, pairs):
    """Scores (B, N) and K pairs of nodes -> the correlation over the batch of each pair, (K,)."""
    r = []
    for i, j in pairs:
        x, y = s[:, i] - s[:, i].mean(), s[:, j] - s[:, j].mean()
        r.append((x * y).mean() / (x.square().mean() * y.square().mean()).sqrt())
    return torch.stack(r)


def columns(s, pairs):
    """The scores of the first and of the second node of each pair."""
    first, second = torch.tensor(pairs).T
    return s[:, first], s[:, second]  # (B, K), (B, K)


def cosine(x, y):
    return (x * y).mean(0) / (x.square().mean(0) * y.square().mean(0)).sqrt()


def covariance(x, y):
    return (centred(x) * centred(y)).mean(0)


@in_step.mistake(
    "you did not centre. Subtract each node's mean over the batch first, or this is a cosine, which a node's level "
    "changes."
)
def not_centred(s, pairs):
    return cosine(*columns(s, pairs))


@in_step.mistake(
    "you centred over the nodes of a sample. The mean, like the std, runs over the batch, dimension 0, each node "
    "for itself."
)
def centred_over_nodes(s, pairs):
    return cosine(*columns(s - s.mean(1, keepdim=True), pairs))


@in_step.mistake("you took one mean over all scores. Each node has its own.")
def one_mean_for_all(s, pairs):
    return cosine(*columns(s - s.mean(), pairs))


@in_step.mistake("this is the covariance. Divide it by both standard deviations.")
def not_divided(s, pairs):
    return covariance(*columns(s, pairs))


@in_step.mistake(
    "you divided the covariance by one of the variances; that is a slope. Divide by both standard deviations."
)
def divided_by_one_variance(s, pairs):
    x, y = columns(s, pairs)
    return covariance(x, y) / covariance(x, x)


@in_step.mistake("you divided the covariance by both variances. Divide by both standard deviations, their roots.")
def divided_by_both_variances(s, pairs):
    x, y = columns(s, pairs)
    return covariance(x, y) / (covariance(x, x) * covariance(y, y))


@in_step.mistake("you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use std(correction=0).")
def sample_std(s, pairs):
    return in_step.reference(s, pairs) * (len(s) - 1) / len(s)


@in_step.mistake(
    "you mixed B - 1 and B: the covariance divides by B - 1, the standard deviations by B. Use one of them throughout."
)
def sample_covariance(s, pairs):
    return in_step.reference(s, pairs) * len(s) / (len(s) - 1)


@in_step.mistake(
    "you squared the correlation, or dropped the root. Here opposite is not as good as alike: the sign counts."
)
def squared(s, pairs):
    return in_step.reference(s, pairs).square()


@in_step.mistake("you dropped the sign. Two nodes that go against each other have r < 0.")
def sign_dropped(s, pairs):
    return in_step.reference(s, pairs).abs()
