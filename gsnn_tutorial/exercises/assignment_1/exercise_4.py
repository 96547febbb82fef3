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


HEARS = "edge_index[1][None, :] == node_of_channel[:, None]"
win_mask.slips({
    "you marked the edges that start at a node; that is what it writes to. A node hears the edges that end in it, "
    "edge_index[1].": {"edge_index[1]": "edge_index[0]"},
    "you marked the edges at both of their ends. W_in has the edges that end in a node; those that start there, such "
    "as edges into outputs, belong to W_out.": {HEARS: "(edge_index[:, None] == node_of_channel[:, None]).any(0)"},
    "your matrix is transposed. W_in turns edges into channels, W_in @ h, so a channel is a row.":
        {".float()": ".float().T"},
    "the self-loops are missing. A self-loop ends in its node like any other edge.":
        {".float()": ".float() * (edge_index[0] != edge_index[1])"},
    "you gave every node as many channels as the first one has. Node n has channels[n] of them.":
        {"torch.tensor(channels)": "channels[0]"},
    "you gave every node as many channels as the widest one has. Node n has channels[n] of them.":
        {"torch.tensor(channels)": "max(channels)"},
    "you marked one channel of a node. All of its channels hear all of its in-edges.":
        {".float()": ".float() * (torch.cat([torch.arange(C) for C in channels]) == 0)[:, None]"},
    "your rows run in another order: all first channels, then all second ones. The channels of a node stand side by "
    "side.":
        {"torch.arange(len(channels)).repeat_interleave(torch.tensor(channels))":
         "torch.tensor([n for c in range(max(channels)) for n, C in enumerate(channels) if c < C])"},
})  # fmt: skip
