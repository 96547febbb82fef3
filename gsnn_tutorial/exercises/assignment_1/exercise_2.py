"""Exercise 2 of assignment 1: edges inside a pathway."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def pathway_cases(seed):
    """A chain with shortcuts. Ends share one of two pathways, or two, or none, or have none at all."""
    rng = np.random.default_rng(seed)
    by_hand = torch.tensor([[1.0, 1, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1], [0, 1, 1, 0, 0, 1]])  # (P, N)
    edges = torch.tensor([[6, 0, 1, 2, 3, 4, 0, 0, 5], [0, 1, 2, 3, 4, 5, 2, 5, 7]])
    cases = [(by_hand, edges)]
    for N in (6, int(rng.integers(7, 9))):
        number = torch.tensor([*rng.permutation(N), N, N + 1])  # who is who among the functions, the input, the output
        M = torch.tensor(rng.random((4, N)) < 0.3).float()
        M[:3, number[:6]] = by_hand
        M[3, number[:6]] = 0
        extra = torch.tensor([[6], [0]]) if N > 6 else torch.zeros(2, 0, dtype=torch.long)
        whole = torch.cat([edges + (edges > 5) * (N - 6), extra], dim=1)
        order = torch.tensor(rng.permutation(whole.shape[1]))
        cases.append((M[torch.tensor(rng.permutation(4))], number[whole[:, order]]))
    return cases


@graded("edges inside a pathway", cases=pathway_cases)
def inside(M, edge_index):
    """1 for an edge whose two ends are function nodes that share a pathway, else 0."""
    shared = M.T @ M  # (N, N): the number of pathways that two nodes share
    result = torch.zeros(edge_index.shape[1])  # (E,)
    for e, (u, v) in enumerate(edge_index.T.tolist()):
        if u < len(shared) and v < len(shared):
            result[e] = shared[u, v] > 0
    return result


SHARED = "shared[u, v] > 0"
inside.slips({
    "you gave each node the label of its first pathway. A node may be in several, and a node in none has no label "
    "(argmax says 0): compare the whole columns of M.": {SHARED: "M[:, u].argmax() == M[:, v].argmax()"},
    "you asked for the same set of pathways. One that both ends share is enough, and two nodes without any share none.":
        {SHARED: "(M[:, u] == M[:, v]).all()"},
    "you asked whether both ends are in some pathway. It must be the same one.":
        {SHARED: "M[:, u].any() and M[:, v].any()"},
    "you counted the pathways that the ends share. The answer is 1 as soon as there is one.": {SHARED: "shared[u, v]"},
    "one end in a pathway was enough for you. Both have to be in it.": {SHARED: "M[:, u].any() or M[:, v].any()"},
    "you left edges out. Return a value for every edge, in their order: 0 for one from an input or into an output.":
        {"return result": "return result[(edge_index < len(shared)).all(dim=0)]"},
})  # fmt: skip
