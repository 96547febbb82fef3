"""Exercise 1 of assignment 4: nodes in step."""

from __future__ import annotations

import numpy as np
import torch

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


in_step.slips({
    "you did not centre. Subtract each node's mean over the batch first, or this is a cosine, which a node's level "
    "changes.": {" - s[:, i].mean()": "", " - s[:, j].mean()": ""},
    "you centred over the nodes of a sample. The mean, like the std, runs over the batch, dimension 0, each node for "
    "itself.":
        {"s[:, i].mean()": "s.mean(1)", "s[:, j].mean()": "s.mean(1)"},
    "you took one mean over all scores. Each node has its own.":
        {"s[:, i].mean()": "s.mean()", "s[:, j].mean()": "s.mean()"},
    "this is the covariance. Divide it by both standard deviations.":
        {" / (x.square().mean() * y.square().mean()).sqrt()": ""},
    "you divided the covariance by one of the variances; that is a slope. Divide by both standard deviations.":
        {"(x.square().mean() * y.square().mean()).sqrt()": "x.square().mean()"},
    "you divided the covariance by both variances. Divide by both standard deviations, their roots.": {".sqrt()": ""},
    "you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use std(correction=0).":
        {"x.square().mean() * y.square().mean()": "x.var() * y.var()"},
    "you mixed B - 1 and B: the covariance divides by B - 1, the standard deviations by B. Use one of them throughout.":
        {"(x * y).mean()": "(x * y).sum() / (len(s) - 1)"},
    "you squared the correlation, or dropped the root. Here opposite is not as good as alike: the sign counts.":
        {"stack(r)": "stack(r).square()"},
    "you dropped the sign. Two nodes that go against each other have r < 0.": {"stack(r)": "stack(r).abs()"},
})  # fmt: skip
