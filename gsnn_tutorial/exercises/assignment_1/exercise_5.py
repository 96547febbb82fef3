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


NODES, CHANNELS = "    for n in range(N):\n", "        for c in range(C):\n"
EDGES = "for e in (edge_index[0] == n).nonzero().flatten().tolist():\n"
wout.slips({
    "you filled the matrix edge by edge, as W[mask] = values does. The list runs node by node, channel by channel, and "
    "within a channel edge by edge.":
        {NODES: "    for e, n in enumerate(edge_index[0].tolist()):\n", EDGES: "if n < N:\n"},
    "you filled all first channels, then all second ones. The list finishes with a node, channel by channel, before it "
    "goes on to the next.": {"for n in range(N)": "for c in range(C)", "for c in range(C)": "for n in range(N)"},
    "within a node you went edge by edge. The list runs channel by channel there, and within a channel over the edges.":
        {"for c in range(C):\n": EDGES, EDGES: "for c in range(C):\n"},
    "your columns are numbered c*N + n. Channel c of node n has number n*C + c, so a node's channels stand side by "
    "side.":
        {"n * C + c": "c * N + n"},
    "you put the weights where an edge ends; that is W_in. An edge is written by the node at which it starts, "
    "edge_index[0].": {"edge_index[0]": "edge_index[1]", "values[k]": "values[k] if k < len(values) else 0"},
    "your matrix is transposed. W_out turns channels into edges, W_out @ a, so an edge is a row.":
        {"return W": "return W.T"},
    "edges into outputs are empty. They start at a function node like any other message, and without them nothing "
    "leaves.": {"return W": "return W * (edge_index[1] < N)[:, None]"},
    "these are ones, the mask. Put the values there.": {"values[k]": "1"},
})  # fmt: skip
