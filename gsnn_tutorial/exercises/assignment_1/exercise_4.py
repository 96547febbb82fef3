"""Exercise 4 of assignment 1: the mask of W_in."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_1.wirings import wiring_with_self_loops
from gsnn_tutorial.exercises.diagnosis import graded


def channel_cases(seed):
    rng = np.random.default_rng(seed)
    cases = []
    for N in (4, int(rng.integers(5, 8))):
        channels = [2, 1, *rng.integers(1, 5, size=N - 3).tolist(), 3]
        cases.append((wiring_with_self_loops(rng, N), channels))
    return cases


@graded("mask of W_in", cases=channel_cases)
def win_mask(edge_index, channels):
    """1 where W_in has a weight: a channel of node n hears edge e if e ends at n."""
    node_of_channel = torch.arange(len(channels)).repeat_interleave(torch.tensor(channels))  # (all channels,)
    return (edge_index[1][None, :] == node_of_channel[:, None]).float()  # (all channels, E)


@win_mask.mistake(
    "you marked the edges that start at a node; that is what it writes to. A node hears the edges that end in it, "
    "edge_index[1]."
)
def edges_that_start(edge_index, channels):
    return win_mask.reference(edge_index.flip(0), channels)


@win_mask.mistake(
    "you marked the edges at both of their ends. W_in has the edges that end in a node; those that start there, such "
    "as edges into outputs, belong to W_out."
)
def both_ends(edge_index, channels):
    ending, starting = win_mask.reference(edge_index, channels), win_mask.reference(edge_index.flip(0), channels)
    return torch.maximum(ending, starting)


@win_mask.mistake("your matrix is transposed. W_in turns edges into channels, W_in @ h, so a channel is a row.")
def transposed(edge_index, channels):
    return win_mask.reference(edge_index, channels).T


@win_mask.mistake("the self-loops are missing. A self-loop ends in its node like any other edge.")
def without_self_loops(edge_index, channels):
    return win_mask.reference(edge_index, channels) * (edge_index[0] != edge_index[1])


@win_mask.mistake("you gave every node as many channels as the first one has. Node n has channels[n] of them.")
def as_many_as_the_first(edge_index, channels):
    return win_mask.reference(edge_index, [channels[0]] * len(channels))


@win_mask.mistake("you gave every node as many channels as the widest one has. Node n has channels[n] of them.")
def as_many_as_the_widest(edge_index, channels):
    return win_mask.reference(edge_index, [max(channels)] * len(channels))


@win_mask.mistake("you marked one channel of a node. All of its channels hear all of its in-edges.")
def one_channel_of_each_node(edge_index, channels):
    number_in_node = torch.cat([torch.arange(C) for C in channels])  # (all channels,)
    return win_mask.reference(edge_index, channels) * (number_in_node == 0)[:, None]


@win_mask.mistake(
    "your rows run in another order: all first channels, then all second ones. The channels of a node stand side by "
    "side."
)
def channel_by_channel(edge_index, channels):
    node_of_channel = [n for c in range(max(channels)) for n, C in enumerate(channels) if c < C]
    return (edge_index[1][None, :] == torch.tensor(node_of_channel)[:, None]).float()
