"""Exercise 4 of assignment 4: the loss of all layers, from a list of memberships."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_4.over_the_batch import (
    scaled_without_centring,
    standardised,
    standardised_by_sample_std,
    standardised_without_rule,
    std,
)
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


def pathway_sums(s, pathway, node, weight):
    S = s.new_zeros(*s.shape[:2], int(pathway.max()) + 1)  # (B, L, P)
    return S.index_add(2, pathway, weight * s[:, :, node])


def correlations(s, S, pathway, node):
    """Of each membership's node with its pathway, in each layer."""
    return (standardised(s)[:, :, node] * standardised(S)[:, :, pathway]).mean(0)  # (L, K)


def right_r(s, pathway, node, weight):
    return correlations(s, pathway_sums(s, pathway, node, weight), pathway, node)  # (L, K)


def loss_of(r, weight):
    """Minus the weighted mean over memberships, then the mean over layers."""
    return -(weight * r).sum(1).mean() / weight.sum().clamp_min(1)


def loss_with(standardise, s, pathway, node, weight):
    """L_sim with another standardisation of scores."""
    S = pathway_sums(s, pathway, node, weight)
    r = (standardise(s)[:, :, node] * standardise(S)[:, :, pathway]).mean(0)  # (L, K)
    return loss_of(r, weight)


@sim_loss.mistake("your loss has the wrong sign. Training makes a loss small, and agreement is to be large.")
def wrong_sign(s, pathway, node, weight):
    return -sim_loss.reference(s, pathway, node, weight)


@sim_loss.mistake(
    "each pathway keeps its last member only. S[:, :, pathway] += ... with a list of pathways writes each of them "
    "once; add the members up, by index_add or in a loop."
)
def last_member_only(s, pathway, node, weight):
    S = s.new_zeros(*s.shape[:2], int(pathway.max()) + 1)  # (B, L, P)
    for p, i, w in zip(pathway, node, weight):
        S[:, :, p] = w * s[:, :, i]
    return loss_of(correlations(s, S, pathway, node), weight)


@sim_loss.mistake("every member counts the same in the pathway's score. It counts with its weight.")
def scores_without_weights(s, pathway, node, weight):
    S = pathway_sums(s, pathway, node, torch.ones_like(weight))
    return loss_of(correlations(s, S, pathway, node), weight)


@sim_loss.mistake(
    "every membership counts the same in the mean of r. It counts with its weight, and the sum is divided by "
    "max(sum of weights, 1)."
)
def mean_without_weights(s, pathway, node, weight):
    return -right_r(s, pathway, node, weight).mean()


@sim_loss.mistake("you divided by the number of memberships. Divide by max(sum of their weights, 1).")
def divided_by_memberships(s, pathway, node, weight):
    return -(weight * right_r(s, pathway, node, weight)).mean()


@sim_loss.mistake("you divided by the sum of the weights even where it is below 1. Divide by max(sum, 1).")
def without_max(s, pathway, node, weight):
    return -(weight * right_r(s, pathway, node, weight)).sum(1).mean() / weight.sum()


@sim_loss.mistake(
    "you did not divide by the weights. The loss is a mean over memberships: divide by max(sum of weights, 1)."
)
def not_divided(s, pathway, node, weight):
    return -(weight * right_r(s, pathway, node, weight)).sum(1).mean()


@sim_loss.mistake(
    "you took a mean for each pathway, then the mean of these. All memberships of all pathways go into one mean."
)
def mean_of_each_pathway(s, pathway, node, weight):
    r = weight * right_r(s, pathway, node, weight).mean(0)  # (K,)
    return -torch.stack([r[pathway == p].sum() / weight[pathway == p].sum() for p in pathway.unique()]).mean()


@sim_loss.mistake("you added the layers up. The loss is their mean.")
def layers_added_up(s, pathway, node, weight):
    return -(weight * right_r(s, pathway, node, weight)).sum() / weight.sum().clamp_min(1)


@sim_loss.mistake("you took the last layer only. The loss is the mean over all layers.")
def last_layer_only(s, pathway, node, weight):
    return sim_loss.reference(s[:, -1:], pathway, node, weight)


@sim_loss.mistake(
    "you took samples of all layers for one large batch. Correlate in each layer by itself, then take the mean."
)
def layers_as_samples(s, pathway, node, weight):
    return sim_loss.reference(s.flatten(0, 1)[:, None], pathway, node, weight)


@sim_loss.mistake(
    "you took the mean of the scores over the layers first. Correlate in each layer by itself, then take the mean."
)
def mean_score_of_layers(s, pathway, node, weight):
    return sim_loss.reference(s.mean(1, keepdim=True), pathway, node, weight)


@sim_loss.mistake("you left scores that do not vary out of the mean. They count r = 0 and keep their place in it.")
def constants_left_out(s, pathway, node, weight):
    varying = weight * (std(s)[:, node] > 1e-6)  # (L, K)
    total = varying.sum(1)  # (L,)
    r = right_r(s, pathway, node, weight)
    return -((weight * r).sum(1) / torch.where(total > 0, total, 1.0)).mean()


@sim_loss.mistake("you left a layer in which nothing varies out of the mean. It counts 0, and keeps its place in it.")
def silent_layers_left_out(s, pathway, node, weight):
    return sim_loss.reference(s[:, (std(s) > 1e-6).any(1)], pathway, node, weight)


@sim_loss.mistake(
    "you standardised over the nodes or pathways of a sample. Put the batch last: standardize_over_batch works on "
    "the last dimension, whatever that is."
)
def standardised_over_nodes(s, pathway, node, weight):
    def over_nodes(t):
        return (t - t.mean(-1, keepdim=True)) / (t.std(-1, correction=0, keepdim=True) + 1e-6)

    return loss_with(over_nodes, s, pathway, node, weight)


@sim_loss.mistake("a score that does not vary gave NaN. It counts r = 0.")
def constants_give_nan(s, pathway, node, weight):
    return loss_with(standardised_without_rule, s, pathway, node, weight)


@sim_loss.mistake("you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.")
def sample_std(s, pathway, node, weight):
    return loss_with(standardised_by_sample_std, s, pathway, node, weight)


@sim_loss.mistake("you did not centre. r is a correlation: subtract the mean over the batch.")
def not_centred(s, pathway, node, weight):
    return loss_with(scaled_without_centring, s, pathway, node, weight)
