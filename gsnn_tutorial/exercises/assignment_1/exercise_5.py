"""Exercise 5 of assignment 1: weights into W_out."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_1.wirings import wiring_with_self_loops
from gsnn_tutorial.exercises.diagnosis import graded


def weight_list_cases(seed):
    rng = np.random.default_rng(seed)
    cases = []
    for N, C in [(4, 2), (int(rng.integers(5, 8)), 3)]:
        edge_index = wiring_with_self_loops(rng, N)
        weights = C * int((edge_index[0] < N).sum())
        cases.append((torch.tensor(rng.standard_normal(weights)).float(), edge_index, N, C))
    return cases


@graded("weights of W_out", cases=weight_list_cases, shrinks=False)
def wout(values, edge_index, N, C):
    W = torch.zeros(edge_index.shape[1], N * C)  # (E, N*C)
    k = 0
    for n in range(N):
        for c in range(C):
            for e in (edge_index[0] == n).nonzero().flatten().tolist():
                W[e, n * C + c] = values[k]
                k += 1
    return W


def edges_at(n, ends):
    """The numbers of the edges that have node n at this end; ``ends``: a row of edge_index."""
    return (ends == n).nonzero().flatten().tolist()


def filled(W, places, values):
    """The matrix W with the values in these (edge, channel) places, in turn, until there are no more of either."""
    for (e, channel), value in zip(places, values):
        W[e, channel] = value
    return W


@wout.mistake(
    "you filled the matrix edge by edge, as W[mask] = values does. The list runs node by node, channel by channel, and "
    "within a channel edge by edge."
)
def edge_by_edge(values, edge_index, N, C):
    mask = edge_index[0][:, None] == torch.arange(N).repeat_interleave(C)  # (E, N*C)
    W = torch.zeros(mask.shape)
    W[mask] = values
    return W


@wout.mistake(
    "you filled all first channels, then all second ones. The list finishes with a node, channel by channel, before it "
    "goes on to the next."
)
def first_channels_first(values, edge_index, N, C):
    places = [(e, n * C + c) for c in range(C) for n in range(N) for e in edges_at(n, edge_index[0])]
    return filled(torch.zeros(edge_index.shape[1], N * C), places, values)


@wout.mistake(
    "within a node you went edge by edge. The list runs channel by channel there, and within a channel over the edges."
)
def edge_by_edge_within_a_node(values, edge_index, N, C):
    places = [(e, n * C + c) for n in range(N) for e in edges_at(n, edge_index[0]) for c in range(C)]
    return filled(torch.zeros(edge_index.shape[1], N * C), places, values)


@wout.mistake(
    "your columns are numbered c*N + n. Channel c of node n has number n*C + c, so a node's channels stand side by "
    "side."
)
def columns_channel_by_channel(values, edge_index, N, C):
    places = [(e, c * N + n) for n in range(N) for c in range(C) for e in edges_at(n, edge_index[0])]
    return filled(torch.zeros(edge_index.shape[1], N * C), places, values)


@wout.mistake(
    "you put the weights where an edge ends; that is W_in. An edge is written by the node at which it starts, "
    "edge_index[0]."
)
def edges_that_end(values, edge_index, N, C):
    places = [(e, n * C + c) for n in range(N) for c in range(C) for e in edges_at(n, edge_index[1])]
    return filled(torch.zeros(edge_index.shape[1], N * C), places, values)


@wout.mistake("your matrix is transposed. W_out turns channels into edges, W_out @ a, so an edge is a row.")
def transposed(values, edge_index, N, C):
    return wout.reference(values, edge_index, N, C).T


@wout.mistake(
    "edges into outputs are empty. They start at a function node like any other message, and without them nothing "
    "leaves."
)
def without_outputs(values, edge_index, N, C):
    into_functions = (edge_index[1] < N).float()  # (E,)
    return wout.reference(values, edge_index, N, C) * into_functions[:, None]


@wout.mistake("these are ones, the mask. Put the values there.")
def mask_instead(values, edge_index, N, C):
    return wout.reference(torch.ones_like(values), edge_index, N, C)
