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


pathway_scores.slips({
    "you used M transposed. Row p of M holds the weights of pathway p, so sum over its columns: s @ M.T.": {"M.T": "M"},
    "you used M transposed, and the totals of its columns. Row p of M holds the weights of pathway p.":
        {"M.T": "M", "sum(1)": "sum(0)"},
    "the totals are those of the columns. Pathway p's total weight is that of row p.": {"sum(1)": "sum(0)"},
    "you took the sum. Divide it by the pathway's total weight, or large pathways are loud.":
        {" / M.abs().sum(1).clamp_min(1)": ""},
    "in the total, repressors cancel activators. A repressor has weight too: add up absolute values.": {".abs()": ""},
    "you divided by the number of members. A soft member counts with its weight: add up absolute values of weights.":
        {"M.abs()": "(M != 0)"},
    "you divided by the number of all nodes. Divide by the total weight of the pathway's members.":
        {"M.abs().sum(1).clamp_min(1)": "M.shape[1]"},
    "you divided by the total weight even where it is below 1. A pathway without members gives 0/0, and a faint one is "
    "blown up: divide by max(total, 1).": {".clamp_min(1)": ""},
    "you took care of pathways without members only. Where the total is below 1 divide by 1 as well, or a faint "
    "pathway is blown up.": {"M.abs().sum(1).clamp_min(1)": "torch.where((M != 0).any(1), M.abs().sum(1), 1.0)"},
    "your repressors act as activators. The absolute value belongs in the total, not in the sum.": {"M.T": "M.abs().T"},
    "your repressors are gone. A negative weight is a member too.": {"M.T": "M.clamp_min(0).T"},
    "every member counts the same in your sum. A soft member counts with its weight.": {"M.T": "M.sign().T"},
    "every member counts the same, in your sum and in your total. A soft member counts with its weight.":
        {"M.T": "M.sign().T", "M.abs()": "(M != 0)"},
})  # fmt: skip
