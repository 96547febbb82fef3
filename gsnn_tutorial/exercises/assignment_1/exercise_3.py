"""Exercise 3 of assignment 1: self-loops."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_1.wirings import wiring
from gsnn_tutorial.exercises.diagnosis import graded


def wiring_cases(seed):
    rng = np.random.default_rng(seed)
    return [(wiring(rng, N), N) for N in (4, int(rng.integers(5, 9)))]


@graded("self-loops", cases=wiring_cases)
def self_loops(edge_index, N):
    loops = torch.arange(N).expand(2, -1)  # (2, N): 0 -> 0, 1 -> 1, ...
    return torch.cat([edge_index, loops], dim=1)  # (2, E + N)


self_loops.slips({
    "you gave inputs and outputs a self-loop too. Only function nodes, 0 to N-1, have one.":
        {"arange(N)": "arange(int(edge_index.max()) + 1)"},
    "a function node without an out-edge has no self-loop. It has something to remember too: take all of 0 to N-1.":
        {"torch.arange(N)": "torch.arange(N)[torch.isin(torch.arange(N), edge_index[0])]"},
    "your self-loops stand in front. They come after the given edges, so that an edge keeps its number.":
        {"[edge_index, loops]": "[loops, edge_index]"},
    "these are the self-loops alone. Append them to the edges that were given.": {"[edge_index, loops]": "[loops]"},
    "your list is (E + N, 2). An edge is a column: sources in row 0, targets in row 1.": {"dim=1)": "dim=1).T"},
})  # fmt: skip
