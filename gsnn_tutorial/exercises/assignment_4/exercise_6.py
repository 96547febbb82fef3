"""Exercise 6 of assignment 4: the best direction, the most that one number for each node can keep."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def activations(seed):
    """After a norm and an ELU: nodes that listen in part to one direction, at levels of their own, some louder."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, N, C in [(30, 3, 4), (40, 4, 5), (50, 2, int(rng.integers(6, 8)))]:
        direction = rng.standard_normal(C)
        own = rng.standard_normal((B, N, C)) * rng.uniform(0.3, 1.5, C)
        own = own + 0.5 * direction * rng.standard_normal((B, N, 1))
        z = (own - own.mean(-1, keepdims=True)) * np.linspace(0.4, 1.2, N)[:, None] + rng.standard_normal((N, C))
        cases.append((torch.nn.functional.elu(torch.tensor(z)).float(),))  # (B, N, C)
    return cases


@graded("the best direction", cases=activations, tolerance=1e-4)
def best_share(a):
    """The largest eigenvalue of the covariances of all nodes together, over their trace."""
    rows = (a - a.mean(0)).flatten(0, 1)  # (B*N, C)
    covariance = rows.T @ rows  # (C, C), but for a factor that cancels
    return torch.linalg.eigvalsh(covariance)[-1] / covariance.trace()


CENTRED, TOP = "(a - a.mean(0))", "torch.linalg.eigvalsh(covariance)[-1]"
OF_NODES = "for x in (a - a.mean(0)).unbind(1)"
best_share.slips({
    "this is what the channel mean keeps, w = (1, ..., 1). The best direction keeps more.":
        {TOP: "covariance.sum() / len(covariance)"},
    "this is what the best single channel keeps. A direction may mix the channels.":
        {TOP: "covariance.diagonal().max()"},
    "this is the worst direction. Eigenvalues come in rising order, so the largest is the last.": {"[-1]": "[0]"},
    "this is the variance along the best direction, added up over the nodes. Divide by that in all directions.":
        {"covariance.trace()": "len(a)"},
    "you did not centre. Variance over the batch is about each node's and channel's mean over the batch.":
        {CENTRED: "a"},
    "you took nodes for samples, with one mean for all of them. Differences between the levels of nodes are no "
    "variance over the batch: each node has its own mean.": {"a.mean(0)": "a.mean((0, 1))"},
    "your singular values are not squared. Variances are their squares.":
        {f"{TOP} / covariance.trace()": "torch.linalg.svdvals(rows)[0] / torch.linalg.svdvals(rows).sum()"},
    "each node has a direction of its own. phi = 'learned' has one w for all nodes.":
        {TOP: f"sum(torch.linalg.eigvalsh(x.T @ x)[-1] {OF_NODES})"},
    "each node has a direction of its own, and you took the mean of the shares. phi = 'learned' has one w for all "
    "nodes, and shares of all their variance together.":
        {f"{TOP} / covariance.trace()":
         f"torch.stack([torch.linalg.eigvalsh(x.T @ x)[-1] / x.square().sum() {OF_NODES}]).mean()"},
    "you made all nodes equally loud. Add up their variances as they are, then divide.":
        {CENTRED: f"({CENTRED} / {CENTRED}.square().sum((0, 2), keepdim=True).sqrt())"},
    "you made all channels equally loud, as with correlations. Use covariances.":
        {"rows.T @ rows": "torch.corrcoef(rows.T)"},
    "you took the mean over the nodes first. Each node keeps variance of its own: add up the nodes' variances.":
        {CENTRED: f"{CENTRED}.mean(1, keepdim=True)"},
})  # fmt: skip
