"""Exercise 3 of assignment 3: the group norm, where nodes have different numbers of channels.

In the mistakes ``own`` is what a node has, its rows of z; ``g`` and ``b`` are its gamma and beta.
"""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def groups_of_channels(seed):
    """Nodes of different sizes and loudness; on average four channels each, so that equal groups can be cut too."""
    rng = np.random.default_rng(seed)
    cases = []
    for sizes in ([2, 3, 7], [2, 3, 5, 6]):
        channels = rng.permutation(sizes).tolist()
        loud, middle = (np.repeat(rng.permutation(values), channels)[:, None] for values in loudness(len(sizes)))
        z = middle + loud * rng.standard_normal((sum(channels), 5))
        gamma, beta = rng.uniform(0.5, 2, len(sizes)), rng.uniform(-1, 1, len(sizes))
        cases.append((torch.tensor(z).float(), channels, torch.tensor(gamma).float(), torch.tensor(beta).float()))
    return cases


def loudness(nodes):
    """The scales of some nodes, and their means."""
    return np.linspace(0.3, 2, nodes), np.linspace(-1, 2, nodes)


@graded("a norm for nodes of any size", cases=groups_of_channels, tolerance=1e-4)
def group_norm(z, channels, gamma, beta):
    """Each node's rows of z, standardised in every sample by itself, times gamma plus beta."""
    parts = []
    for n, group in enumerate(z.split(channels)):  # (channels[n], B)
        mean, std = group.mean(0), group.std(0)
        parts.append(gamma[n] * (group - mean) / (std + 0.1) + beta[n])
    return torch.cat(parts)


def nodes(z, channels, gamma, beta):
    """A node's rows of z, (channels[n], B), its gamma and its beta: for each node."""
    return zip(z.split(channels), gamma, beta)


@group_norm.mistake(
    "you normalised over the batch. Mean and std run over the channels of a node, and every sample is normalised alone."
)
def over_the_batch(*case):
    parts = []
    for own, g, b in nodes(*case):
        mean, std = own.mean(1, keepdim=True), own.std(1, keepdim=True)  # (channels[n], 1)
        parts.append(g * (own - mean) / (std + 0.1) + b)
    return torch.cat(parts)


@group_norm.mistake("you took one mean and std of a node for all samples. Every sample is normalised alone.")
def over_all_samples(*case):
    return torch.cat([g * (own - own.mean()) / (own.std() + 0.1) + b for own, g, b in nodes(*case)])


@group_norm.mistake(
    "you normalised over the channels of all nodes. Each node has its own mean and std, or every node would hear of "
    "every other."
)
def over_all_nodes(z, channels, gamma, beta):
    owner = torch.arange(len(channels)).repeat_interleave(torch.tensor(channels))  # (sum of channels,)
    return gamma[owner, None] * (z - z.mean(0)) / (z.std(0) + 0.1) + beta[owner, None]


@group_norm.mistake("you cut z into groups of equal size. Node n has channels[n] rows.")
def groups_of_equal_size(z, channels, gamma, beta):
    return group_norm.reference(z, [len(z) // len(channels)] * len(channels), gamma, beta)


@group_norm.mistake(
    "your std is the biased one. With C channels the sum of squares is divided by C - 1: std() in torch, "
    "std(ddof=1) in NumPy."
)
def biased_std(*case):
    return torch.cat([g * (own - own.mean(0)) / (own.std(0, correction=0) + 0.1) + b for own, g, b in nodes(*case)])


@group_norm.mistake("the 0.1 is missing, or another number, such as 1e-5, stands in its place.")
def no_eps(*case):
    return torch.cat([g * (own - own.mean(0)) / own.std(0) + b for own, g, b in nodes(*case)])


@group_norm.mistake("your 0.1 stands under the root, added to the variance. Here it is added to the std.")
def eps_under_root(*case):
    return torch.cat([g * (own - own.mean(0)) / (own.var(0) + 0.1).sqrt() + b for own, g, b in nodes(*case)])


@group_norm.mistake("you divided by the variance. It is the std, its root, to which 0.1 is added.")
def by_the_variance(*case):
    return torch.cat([g * (own - own.mean(0)) / (own.var(0) + 0.1) + b for own, g, b in nodes(*case)])


@group_norm.mistake("your 0.1 is added to the quotient. Put std + 0.1 in parentheses.")
def no_parentheses(*case):
    return torch.cat([g * (own - own.mean(0)) / own.std(0) + 0.1 + b for own, g, b in nodes(*case)])


@group_norm.mistake("your 0.1 is added to the quotient, and gamma multiplies it. Put std + 0.1 in parentheses.")
def gamma_times_no_parentheses(*case):
    return torch.cat([g * ((own - own.mean(0)) / own.std(0) + 0.1) + b for own, g, b in nodes(*case)])


@group_norm.mistake("the mean is not subtracted.")
def no_mean(*case):
    return torch.cat([g * own / (own.std(0) + 0.1) + b for own, g, b in nodes(*case)])


@group_norm.mistake("gamma and beta are missing.")
def no_gamma_no_beta(*case):
    return torch.cat([(own - own.mean(0)) / (own.std(0) + 0.1) for own, g, b in nodes(*case)])


@group_norm.mistake("beta is missing.")
def no_beta(*case):
    return torch.cat([g * (own - own.mean(0)) / (own.std(0) + 0.1) for own, g, b in nodes(*case)])


@group_norm.mistake("gamma is missing.")
def no_gamma(*case):
    return torch.cat([(own - own.mean(0)) / (own.std(0) + 0.1) + b for own, g, b in nodes(*case)])


@group_norm.mistake("gamma multiplies beta too. First scale by gamma, then add beta.")
def gamma_times_beta(*case):
    return torch.cat([g * ((own - own.mean(0)) / (own.std(0) + 0.1) + b) for own, g, b in nodes(*case)])
