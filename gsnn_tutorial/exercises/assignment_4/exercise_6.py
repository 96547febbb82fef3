"""Exercise 6 of assignment 4: the best direction, the most that one number for each node can keep."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_4.over_the_batch import centred
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


def node_covariances(a):
    return torch.einsum("bnc,bnd->ncd", centred(a), centred(a)) / len(a)  # (N, C, C)


def variances(covariances):
    """The variance of each node, in all its channels together."""
    return covariances.diagonal(dim1=1, dim2=2).sum(1)  # (N,)


def top_share(covariance):
    return torch.linalg.eigvalsh(covariance)[-1] / covariance.trace()


@best_share.mistake("this is what the channel mean keeps, w = (1, ..., 1). The best direction keeps more.")
def channel_mean(a):
    covariance = node_covariances(a).sum(0)  # (C, C)
    return covariance.sum() / (len(covariance) * covariance.trace())


@best_share.mistake("this is what the best single channel keeps. A direction may mix the channels.")
def best_channel(a):
    covariance = node_covariances(a).sum(0)
    return covariance.diagonal().max() / covariance.trace()


@best_share.mistake("this is the worst direction. Eigenvalues come in rising order, so the largest is the last.")
def worst_direction(a):
    covariance = node_covariances(a).sum(0)
    return torch.linalg.eigvalsh(covariance)[0] / covariance.trace()


@best_share.mistake(
    "this is the variance along the best direction, added up over the nodes. Divide by that in all directions."
)
def not_divided(a):
    return torch.linalg.eigvalsh(node_covariances(a).sum(0))[-1]


@best_share.mistake(
    "you did not centre. Variance over the batch is about each node's and channel's mean over the batch."
)
def not_centred(a):
    return top_share(torch.einsum("bnc,bnd->cd", a, a))


@best_share.mistake(
    "you took nodes for samples, with one mean for all of them. Differences between the levels of nodes are no "
    "variance over the batch: each node has its own mean."
)
def nodes_as_samples(a):
    rows = centred(a.flatten(0, 1))  # (B*N, C)
    return top_share(rows.T @ rows)


@best_share.mistake("your singular values are not squared. Variances are their squares.")
def singular_values_not_squared(a):
    singular = torch.linalg.svdvals(centred(a).flatten(0, 1))  # (C,)
    return singular[0] / singular.sum()


@best_share.mistake("each node has a direction of its own. phi = 'learned' has one w for all nodes.")
def direction_of_each_node(a):
    covariances = node_covariances(a)
    return torch.linalg.eigvalsh(covariances)[:, -1].sum() / variances(covariances).sum()


@best_share.mistake(
    "each node has a direction of its own, and you took the mean of the shares. phi = 'learned' has one w for all "
    "nodes, and shares of all their variance together."
)
def mean_share_of_nodes(a):
    return torch.stack([top_share(covariance) for covariance in node_covariances(a)]).mean()


@best_share.mistake("you made all nodes equally loud. Add up their variances as they are, then divide.")
def nodes_equally_loud(a):
    covariances = node_covariances(a)
    return top_share((covariances / variances(covariances)[:, None, None]).sum(0))


@best_share.mistake("you made all channels equally loud, as with correlations. Use covariances.")
def channels_equally_loud(a):
    covariance = node_covariances(a).sum(0)
    std = covariance.diagonal().sqrt()  # (C,)
    return top_share(covariance / std[:, None] / std)


@best_share.mistake(
    "you took the mean over the nodes first. Each node keeps variance of its own: add up the nodes' variances."
)
def mean_over_nodes_first(a):
    return best_share.reference(a.mean(1, keepdim=True))
