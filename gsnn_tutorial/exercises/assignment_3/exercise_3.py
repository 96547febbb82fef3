"""Exercise 3 of assignment 3: the group norm, for nodes that have different numbers of channels."""

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
        scales, means = np.linspace(0.3, 2, len(sizes)), np.linspace(-1, 2, len(sizes))
        loud, middle = (np.repeat(rng.permutation(values), channels)[:, None] for values in (scales, means))
        z = middle + loud * rng.standard_normal((sum(channels), 5))
        gamma, beta = rng.uniform(0.5, 2, len(sizes)), rng.uniform(-1, 1, len(sizes))
        cases.append((torch.tensor(z).float(), channels, torch.tensor(gamma).float(), torch.tensor(beta).float()))
    return cases


@graded("a norm for nodes of any size", cases=groups_of_channels, tolerance=1e-4)
def group_norm(z, channels, gamma, beta):
    """Each node's rows of z, standardised in every sample by itself, times gamma plus beta."""
    parts = []
    for n, group in enumerate(z.split(channels)):  # (channels[n], B)
        mean, std = group.mean(0), group.std(0)
        parts.append(gamma[n] * (group - mean) / (std + 0.1) + beta[n])
    return torch.cat(parts)


NORMED = "(group - mean) / (std + 0.1)"
group_norm.slips({
    "you normalised over the batch. Mean and std run over the channels of a node, and every sample is normalised "
    "alone.":
        {"mean(0)": "mean(1, keepdim=True)", "std(0)": "std(1, keepdim=True)"},
    "you took one mean and std of a node for all samples. Every sample is normalised alone.":
        {"mean(0)": "mean()", "std(0)": "std()"},
    "you normalised over the channels of all nodes. Each node has its own mean and std, or every node would hear of "
    "every other.": {"group.mean": "z.mean", "group.std": "z.std"},
    "you cut z into groups of equal size. Node n has channels[n] rows.": {"(channels)": "(len(z) // len(channels))"},
    "your std is the biased one. With C channels the sum of squares is divided by C - 1: std() in torch, std(ddof=1) "
    "in NumPy.": {"std(0)": "std(0, correction=0)"},
    "the 0.1 is missing, or another number, such as 1e-5, stands in its place.": {" + 0.1": ""},
    "your 0.1 stands under the root, added to the variance. Here it is added to the std.":
        {"group.std": "group.var", "(std + 0.1)": "(std + 0.1).sqrt()"},
    "you divided by the variance. It is the std, its root, to which 0.1 is added.": {"group.std": "group.var"},
    "your 0.1 is added to the quotient. Put std + 0.1 in parentheses.": {"(std + 0.1)": "std + 0.1"},
    "your 0.1 is added to the quotient, and gamma multiplies it. Put std + 0.1 in parentheses.":
        {NORMED: "((group - mean) / std + 0.1)"},
    "the mean is not subtracted.": {"(group - mean)": "group"},
    "gamma and beta are missing.": {"gamma[n] * ": "", " + beta[n]": ""},
    "beta is missing.": {" + beta[n]": ""},
    "gamma is missing.": {"gamma[n] * ": ""},
    "gamma multiplies beta too. First scale by gamma, then add beta.": {f"{NORMED} + beta[n]": f"({NORMED} + beta[n])"},
})  # fmt: skip
