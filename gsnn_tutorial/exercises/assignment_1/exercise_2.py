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
    shared = M.T @ M  # (N, N): how many pathways two nodes share
    result = torch.zeros(edge_index.shape[1])  # (E,)
    for e, (u, v) in enumerate(edge_index.T.tolist()):
        if u < len(shared) and v < len(shared):
            result[e] = shared[u, v] > 0
    return result


def between_functions(M, edge_index):
    """1 for an edge from a function node to a function node, else 0."""
    return (edge_index < M.shape[1]).all(dim=0).float()  # (E,)


def columns_at_the_ends(M, edge_index):
    """The columns of M that belong to the edges' sources, and to their targets; zeros for inputs and outputs."""
    P, N = M.shape
    padded = torch.cat([M, torch.zeros(P, int(edge_index.max()) + 1 - N)], dim=1)  # (P, nodes)
    return padded[:, edge_index[0]], padded[:, edge_index[1]]  # (P, E), (P, E)


@inside.mistake(
    "you gave each node the label of its first pathway. A node may be in several, and a node in none has no label "
    "(argmax says 0): compare the whole columns of M."
)
def first_pathways_compared(M, edge_index):
    a, b = columns_at_the_ends(M, edge_index)
    return (a.argmax(dim=0) == b.argmax(dim=0)) * between_functions(M, edge_index)


@inside.mistake(
    "you asked for the same set of pathways. One that both ends share is enough, and two nodes without any share none."
)
def same_set_of_pathways(M, edge_index):
    a, b = columns_at_the_ends(M, edge_index)
    return (a == b).all(dim=0) * between_functions(M, edge_index)


@inside.mistake("you asked whether both ends are in some pathway. It must be the same one.")
def each_end_in_some_pathway(M, edge_index):
    a, b = columns_at_the_ends(M, edge_index)
    return (a.any(dim=0) & b.any(dim=0)) * between_functions(M, edge_index)


@inside.mistake("you counted the pathways that the ends share. The answer is 1 as soon as there is one.")
def shared_pathways_counted(M, edge_index):
    a, b = columns_at_the_ends(M, edge_index)
    return (a * b).sum(dim=0)


@inside.mistake("one end in a pathway was enough for you. Both have to be in it.")
def one_end_is_enough(M, edge_index):
    a, b = columns_at_the_ends(M, edge_index)
    return (a.any(dim=0) | b.any(dim=0)) * between_functions(M, edge_index)


@inside.mistake(
    "you left edges out. Return a value for every edge, in their order: 0 for one from an input or into an output."
)
def edges_left_out(M, edge_index):
    return inside.reference(M, edge_index)[between_functions(M, edge_index) > 0]
