"""Exercise 2 of assignment 4: scores of pathways with repressors."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def activators_and_repressors(seed):
    """As many pathways as nodes; one is faint, one without members, one of opposites, and one has a single member."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, L, N in [(3, 2, 5), (4, 3, int(rng.integers(6, 8)))]:
        M = rng.uniform(0.3, 1.5, (N, N)) * rng.choice([-1, 1], (N, N)) * (rng.random((N, N)) < 0.6)
        M[:5] = 0
        M[0, :3] = [0.25, -0.2, 0.15]  # faint
        M[2, 1:4] = [1.4, -1.4, 0.5]  # opposites
        M[3, :4] = [1.2, 0.9, -0.6, 0.7]
        M[4, 2:5] = [-1.3, 0.8, -0.7]  # row 1 stays empty
        M = M[rng.permutation(N)][:, rng.permutation(N)]  # (P, N), P = N
        s = rng.standard_normal((B, L, N))
        cases.append((torch.tensor(s).float(), torch.tensor(M).float()))
    return cases


@graded("scores of pathways", cases=activators_and_repressors, tolerance=1e-4)
def pathway_scores(s, M):
    """Scores (B, L, N) and signed weights (P, N) -> scores of pathways (B, L, P)."""
    return s @ M.T / M.abs().sum(1).clamp_min(1)


@pathway_scores.mistake(
    "you used M transposed. Row p of M holds the weights of pathway p, so sum over its columns: s @ M.T."
)
def transposed(s, M):
    return s @ M / M.abs().sum(1).clamp_min(1)


@pathway_scores.mistake(
    "you used M transposed, and the totals of its columns. Row p of M holds the weights of pathway p."
)
def transposed_throughout(s, M):
    return s @ M / M.abs().sum(0).clamp_min(1)


@pathway_scores.mistake("the totals are those of the columns. Pathway p's total weight is that of row p.")
def totals_of_columns(s, M):
    return s @ M.T / M.abs().sum(0).clamp_min(1)


@pathway_scores.mistake("you took the sum. Divide it by the pathway's total weight, or large pathways are loud.")
def not_divided(s, M):
    return s @ M.T


@pathway_scores.mistake(
    "in the total, repressors cancel activators. A repressor has weight too: add up absolute values."
)
def total_with_signs(s, M):
    return s @ M.T / M.sum(1).clamp_min(1)


@pathway_scores.mistake(
    "you divided by the number of members. A soft member counts with its weight: add up absolute values of weights."
)
def divided_by_members(s, M):
    return s @ M.T / (M != 0).sum(1).clamp_min(1)


@pathway_scores.mistake("you divided by the number of all nodes. Divide by the total weight of the pathway's members.")
def divided_by_nodes(s, M):
    return s @ M.T / M.shape[1]


@pathway_scores.mistake(
    "you divided by the total weight even where it is below 1. A pathway without members gives 0/0, and a faint "
    "one is blown up: divide by max(total, 1)."
)
def without_max(s, M):
    return s @ M.T / M.abs().sum(1)


@pathway_scores.mistake(
    "you took care of pathways without members only. Where the total is below 1 divide by 1 as well, or a faint "
    "pathway is blown up."
)
def faint_blown_up(s, M):
    total = M.abs().sum(1)  # (P,)
    return s @ M.T / torch.where(total > 0, total, 1.0)


@pathway_scores.mistake("your repressors act as activators. The absolute value belongs in the total, not in the sum.")
def repressors_activate(s, M):
    return s @ M.abs().T / M.abs().sum(1).clamp_min(1)


@pathway_scores.mistake("your repressors are gone. A negative weight is a member too.")
def repressors_gone(s, M):
    return s @ M.clamp_min(0).T / M.abs().sum(1).clamp_min(1)


@pathway_scores.mistake("every member counts the same in your sum. A soft member counts with its weight.")
def sum_without_weights(s, M):
    return s @ M.sign().T / M.abs().sum(1).clamp_min(1)


@pathway_scores.mistake(
    "every member counts the same, in your sum and in your total. A soft member counts with its weight."
)
def mean_without_weights(s, M):
    return s @ M.sign().T / (M != 0).sum(1).clamp_min(1)
