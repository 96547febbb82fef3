"""Exercise 4 of assignment 4: the loss of all layers, from a list of memberships."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_4 import over_the_batch as by  # noqa: F401  slips use it
from gsnn_tutorial.exercises.assignment_4.over_the_batch import standardised
from gsnn_tutorial.exercises.diagnosis import graded


def scores_of_layers(seed):
    """Nodes that no signal has reached in early layers, in one case none; pathways of unequal size; a total below 1."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, L, N, P in [(8, 3, 6, 3), (16, 2, 7, 4), (8, 2, 6, 3)]:
        level, common = rng.uniform(-1, 1, N), 1.5 * rng.standard_normal((B, L, 1))
        s = level + rng.uniform(0.5, 2, N) * (common + rng.standard_normal((B, L, N)))
        hops = np.clip(rng.permutation(N) // 2, 0, L - 1)
        hops += N == 7  # in the second case the first layer has not heard anything
        for l in range(L):
            s[:, l, hops > l] = 0.5
        sizes = [4, 2, 3, 2][:P]
        members = [(p, i) for p, m in enumerate(sizes) for i in rng.permutation(N)[:m]]
        pathway, node = np.array(members)[rng.permutation(len(members))].T  # (K,), (K,)
        weight = rng.uniform(0.3, 1.2, len(members))
        cases.append((s, pathway, node, weight))
    cases[-1] = (*cases[-1][:3], 0.06 * cases[-1][3])  # nine weights, of 0.072 at most
    return [tuple(as_tensor(value) for value in case) for case in cases]


def as_tensor(value):
    value = torch.tensor(np.ascontiguousarray(value))
    return value.float() if value.is_floating_point() else value.long()


@graded("L_sim from a list", cases=scores_of_layers, tolerance=1e-4)
def sim_loss(s, pathway, node, weight):
    """Scores (B, L, N) and K memberships, (K,) each -> L_sim, one number."""
    S = s.new_zeros(*s.shape[:2], int(pathway.max()) + 1)  # (B, L, P)
    S = S.index_add(2, pathway, weight * s[:, :, node])
    r = (standardised(s)[:, :, node] * standardised(S)[:, :, pathway]).mean(0)  # (L, K)
    return -(weight * r).sum(1).mean() / weight.sum().clamp_min(1)


FIRST = "    S = s.new_zeros"
ADD = "S = S.index_add(2, pathway, weight * s[:, :, node])"
MEAN = "(weight * r).sum(1).mean() / weight.sum().clamp_min(1)"
sim_loss.slips({
    "your loss has the wrong sign. Training makes a loss small, and agreement is to be large.": {"return -": "return "},
    "each pathway keeps its last member only. S[:, :, pathway] += ... with a list of pathways writes each of them "
    "once; add the members up, by index_add or in a loop.":
        {ADD: "for p, i, w in zip(pathway, node, weight):\n        S[:, :, p] = w * s[:, :, i]"},
    "every member counts the same in the pathway's score. It counts with its weight.":
        {"weight * s[:, :, node]": "s[:, :, node]"},
    "every membership counts the same in the mean of r. It counts with its weight, and the sum is divided by max(sum "
    "of weights, 1).": {MEAN: "r.mean()"},
    "you divided by the number of memberships. Divide by max(sum of their weights, 1).": {MEAN: "(weight * r).mean()"},
    "you divided by the sum of the weights even where it is below 1. Divide by max(sum, 1).": {".clamp_min(1)": ""},
    "you did not divide by the weights. The loss is a mean over memberships: divide by max(sum of weights, 1).":
        {" / weight.sum().clamp_min(1)": ""},
    "you took a mean for each pathway, then the mean of these. All memberships of all pathways go into one mean.":
        {MEAN: "torch.stack([(weight * r.mean(0))[pathway == p].sum() / weight[pathway == p].sum()"
               " for p in pathway.unique()]).mean()"},
    "you added the layers up. The loss is their mean.": {".sum(1).mean()": ".sum()"},
    "you took the last layer only. The loss is the mean over all layers.": {FIRST: "    s = s[:, -1:]\n" + FIRST},
    "you took samples of all layers for one large batch. Correlate in each layer by itself, then take the mean.":
        {FIRST: "    s = s.flatten(0, 1)[:, None]\n" + FIRST},
    "you took the mean of the scores over the layers first. Correlate in each layer by itself, then take the mean.":
        {FIRST: "    s = s.mean(1, keepdim=True)\n" + FIRST},
    "you left scores that do not vary out of the mean. They count r = 0 and keep their place in it.":
        {f"return -{MEAN}": "weight = weight * (by.std(s)[:, node] > 1e-6)\n"
                            "    return -((weight * r).sum(1) / weight.sum(1).clamp_min(1e-30)).mean()"},
    "you left a layer in which nothing varies out of the mean. It counts 0, and keeps its place in it.":
        {FIRST: "    s = s[:, (by.std(s) > 1e-6).any(1)]\n" + FIRST},
    "you standardised over the nodes or pathways of a sample. Put the batch last: standardize_over_batch works on the "
    "last dimension, whatever that is.": {"standardised(": "by.over_nodes("},
    "a score that does not vary gave NaN. It counts r = 0.": {"standardised(": "by.without_rule("},
    "you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.":
        {"standardised(": "by.sample_std("},
    "you did not centre. r is a correlation: subtract the mean over the batch.":
        {"standardised(": "by.without_centring("},
})  # fmt: skip
