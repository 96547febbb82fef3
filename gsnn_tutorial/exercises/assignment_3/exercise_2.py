"""Exercise 2 of assignment 3: W_in without a matrix, message by message."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded
from gsnn_tutorial.gsnn import win_indices


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


# Without loops the right answer has three lines, and most mistakes below have one of them another way:
#
#     edges = into_functions(edge_index, N)
#     messages = values.view(-1, C, 1) * h[edges, None]
#     return added_up(messages, rows_of(edge_index[1, edges], C), bias)


def into_functions(edge_index, N):
    """Which edges end in a function node, (k,)."""
    return (edge_index[1] < N).nonzero().flatten()


def rows_of(nodes, C):
    """The rows in which some nodes have their channels, (k, C)."""
    return nodes[:, None] * C + torch.arange(C)


def added_up(messages, rows, bias):
    """The biases, with messages (k, C, B) added up in their rows (k, C)."""
    return bias.repeat(1, messages.shape[2]).index_add(0, rows.flatten(), messages.flatten(0, 1))


@hear.mistake(
    "each channel keeps the last message that came in. z[target] = ... and z[target] += ... with a list of targets "
    "write each row once; add the messages up, by index_add or in a loop."
)
def last_message_only(h, values, bias, edge_index, N, C):
    z = h.new_zeros(N * C, h.shape[1])  # (N*C, B)
    for k, (e, row) in enumerate(win_indices(edge_index, N, C).T.tolist()):
        z[row] = values[k] * h[e]
    return z + bias


@hear.mistake("the bias is missing. A channel adds it once, and a node that hears nothing has it alone.")
def no_bias(h, values, bias, edge_index, N, C):
    return hear.reference(h, values, 0 * bias, edge_index, N, C)


@hear.mistake("you added the bias with every message. It comes once for each channel, however many edges it hears.")
def bias_with_each_message(h, values, bias, edge_index, N, C):
    z = h.new_zeros(N * C, h.shape[1])  # (N*C, B)
    for k, (e, row) in enumerate(win_indices(edge_index, N, C).T.tolist()):
        z[row] += values[k] * h[e] + bias[row]
    return z


@hear.mistake(
    "you added a message up at the node where its edge starts. A node hears the edges that end in it, edge_index[1]."
)
def added_up_at_the_source(h, values, bias, edge_index, N, C):
    edges = (edge_index[0] < N).nonzero().flatten()  # (k,)
    messages = values.view(-1, C, 1) * h[edges, None]  # (k, C, B)
    return added_up(messages, rows_of(edge_index[0, edges], C), bias)


@hear.mistake("you multiplied by h[source]. The rows of h are edges, not nodes: edge e carries h[e].")
def state_of_the_source(h, values, bias, edge_index, N, C):
    edges = into_functions(edge_index, N)
    messages = values.view(-1, C, 1) * h[edge_index[0, edges], None]  # (k, C, B)
    return added_up(messages, rows_of(edge_index[1, edges], C), bias)


@hear.mistake(
    "you paired the weights with the first rows of h. Edges into outputs have no weight and may stand anywhere, so "
    "count only those that end in a function node."
)
def first_rows(h, values, bias, edge_index, N, C):
    edges = into_functions(edge_index, N)
    messages = values.view(-1, C, 1) * h[: len(edges), None]  # (k, C, B)
    return added_up(messages, rows_of(edge_index[1, edges], C), bias)


@hear.mistake(
    "you read the weights channel by channel. They run edge by edge, and for an edge over its channels: "
    "values.view(-1, C)."
)
def weights_by_channel(h, values, bias, edge_index, N, C):
    edges = into_functions(edge_index, N)
    messages = values.view(C, -1).T[:, :, None] * h[edges, None]  # (k, C, B)
    return added_up(messages, rows_of(edge_index[1, edges], C), bias)


@hear.mistake(
    "you read the weights node by node. They run edge by edge, in the order of edge_index, whichever nodes the "
    "edges end in."
)
def weights_by_node(h, values, bias, edge_index, N, C):
    edges = into_functions(edge_index, N)
    edges = edges[edge_index[1, edges].argsort(stable=True)]  # those into node 0 first
    messages = values.view(-1, C, 1) * h[edges, None]  # (k, C, B)
    return added_up(messages, rows_of(edge_index[1, edges], C), bias)


@hear.mistake(
    "your counter moves on at edges into outputs too, so the weights run out. Only an edge that ends in a function "
    "node has weights."
)
def counts_all_edges(h, values, bias, edge_index, N, C):
    z = bias.repeat(1, h.shape[1])  # (N*C, B)
    for e, target in enumerate(edge_index[1].tolist()):
        if target < N:
            for c in range(C):
                z[target * C + c] += values[e * C + c] * h[e]
    return z


@hear.mistake(
    "you picked the edges that start in a function node. Those that end in one have weights: edge_index[1] < N."
)
def picked_by_source(h, values, bias, edge_index, N, C):
    z, k = bias.repeat(1, h.shape[1]), 0  # (N*C, B)
    for e, (source, target) in enumerate(edge_index.T.tolist()):
        if source < N:
            for c in range(C):
                z[target * C + c] += values[k] * h[e]
                k += 1
    return z


@hear.mistake("your rows are numbered c*N + n. Channel c of node n has number n*C + c.")
def numbered_by_channel(h, values, bias, edge_index, N, C):
    edges = into_functions(edge_index, N)
    messages = values.view(-1, C, 1) * h[edges, None]  # (k, C, B)
    return added_up(messages, torch.arange(C) * N + edge_index[1, edges, None], bias)


@hear.mistake("you took the mean of a node's messages. A linear map adds them up.")
def mean_of_messages(h, values, bias, edge_index, N, C):
    edges = torch.bincount(edge_index[1], minlength=N)[:N].repeat_interleave(C).clamp(min=1)  # (N*C,)
    return hear.reference(h, values, 0 * bias, edge_index, N, C) / edges[:, None] + bias


@hear.mistake("your result is transposed: a channel is a row and a sample is a column, (N*C, B).")
def transposed(h, values, bias, edge_index, N, C):
    return hear.reference(h, values, bias, edge_index, N, C).T
