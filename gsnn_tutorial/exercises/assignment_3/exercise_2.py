"""Exercise 2 of assignment 3: W_in without a matrix, message by message."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def states_and_weights(seed):
    """A chain whose first node hears nothing, with as many edges into outputs as out of inputs; edges in no order."""
    rng = np.random.default_rng(seed)
    tiny = torch.tensor([[2, 0, 2, 0, 3, 1], [0, 4, 1, 1, 1, 4]])  # the text's
    columns = [[1.0, 9, 1, 2, 3, 9], [0.0, 0, 0, 1]]
    state, bias = (torch.tensor(column)[:, None] for column in columns)
    cases = [(state, torch.arange(1.0, 9), bias, tiny, 2, 2)]
    for N, C in [(4, 2), (int(rng.integers(5, 8)), 3)]:
        chain = rng.permutation(N).tolist()
        edges = [*zip(chain, chain[1:]), (chain[0], chain[2])]
        edges += [(N, chain[1]), (N + 1, chain[1]), (N + 1, chain[-1])]
        edges += [(chain[-1], N + 3), (chain[1], N + 3), (chain[1], N + 2)]
        order = rng.permutation(len(edges) - 2) + 1  # an edge into an output comes first, so that all others move up,
        edges = [edges[-1], *(edges[k] for k in order), edges[0]]  # and one into a function last
        edge_index = torch.tensor(edges).T.contiguous()
        weights = C * int((edge_index[1] < N).sum())
        sizes = [(len(edges), 4), (weights,), (N * C, 1)]
        cases.append((*(torch.tensor(rng.standard_normal(size)).float() for size in sizes), edge_index, N, C))
    return cases


@graded("W_in without a matrix", cases=states_and_weights, tolerance=1e-4, shrinks=False)
def hear(h, values, bias, edge_index, N, C):
    """For every channel its bias, and weight times message for each edge that ends in its node."""
    z = bias.expand(-1, h.shape[1]).clone()  # (N*C, B)
    k = 0
    for e, target in enumerate(edge_index[1].tolist()):
        if target < N:
            for c in range(C):
                z[target * C + c] += values[k] * h[e]
                k += 1
    return z


ADD, NO_BIAS = "+= values[k] * h[e]", {"bias.expand": "(0 * bias).expand"}
hear.slips({
    "each channel keeps the last message that came in. z[target] = ... and z[target] += ... with a list of targets "
    "write each row once; add the messages up, by index_add or in a loop.":
        {ADD: "= values[k] * h[e] + bias[target * C + c]"},
    "the bias is missing. A channel adds it once, and a node that hears nothing has it alone.": NO_BIAS,
    "you added the bias with every message. It comes once for each channel, however many edges it hears.":
        NO_BIAS | {ADD: f"{ADD} + bias[target * C + c]"},
    "you added messages up at the nodes where their edges start. A node hears the edges that end in it, edge_index[1].":
        {"edge_index[1]": "edge_index[0]"},
    "you multiplied by h[source]. The rows of h are edges, not nodes: edge e carries h[e].":
        {"h[e]": "h[edge_index[0, e]]"},
    "you paired the weights with the first rows of h. Edges into outputs have no weight and may stand anywhere, so "
    "count only those that end in a function node.": {"h[e]": "h[k // C]"},
    "you read the weights channel by channel. They run edge by edge, and for an edge over its channels: "
    "values.view(-1, C).": {"values[k]": "values.view(C, -1)[c, k // C]"},
    "you read the weights node by node. They run edge by edge, in the order of edge_index, whichever nodes the edges "
    "end in.":
        {"enumerate(edge_index[1].tolist())": "sorted(enumerate(edge_index[1].tolist()), key=lambda edge: edge[1])"},
    "your counter moves on at edges into outputs too, so the weights run out. Only an edge that ends in a function "
    "node has weights.": {"values[k]": "values[e * C + c]"},
    "you picked the edges that start in a function node. Those that end in one have weights: edge_index[1] < N.":
        {"if target < N": "if edge_index[0, e] < N"},
    "your rows are numbered c*N + n. Channel c of node n has number n*C + c.": {"target * C + c": "c * N + target"},
    "you took the mean of a node's messages. A linear map adds them up.":
        {"return z": "edges = torch.bincount(edge_index[1], minlength=N)[:N].repeat_interleave(C).clamp(min=1)\n"
                     "    return (z - bias) / edges[:, None] + bias"},
    "your result is transposed: a channel is a row and a sample is a column, (N*C, B).": {"return z": "return z.T"},
})  # fmt: skip


@hear.mistake(
    "you added a message up at the node where its edge starts. A node hears the edges that end in it, edge_index[1]."
)
def added_up_at_the_source(h, values, bias, edge_index, N, C):
    """Without loops: where other numbers of edges start and end in function nodes, the weights do not fit."""
    edges = (edge_index[0] < N).nonzero().flatten()  # (k,)
    messages = values.view(-1, C, 1) * h[edges, None]  # (k, C, B)
    rows = edge_index[0, edges, None] * C + torch.arange(C)  # (k, C)
    return bias.repeat(1, h.shape[1]).index_add(0, rows.flatten(), messages.flatten(0, 1))
