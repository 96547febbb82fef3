"""Exercise 1 of assignment 3: reading in, from inputs to edges."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def inputs_and_edges(seed):
    """More inputs than functions; one of them feeds two functions, one feeds none; edges in no order."""
    rng = np.random.default_rng(seed)
    cases = []
    for N in (3, int(rng.integers(4, 6))):
        I, chain = N + 2, rng.permutation(N).tolist()
        feeding = (N + rng.permutation(I)[:-1]).tolist()  # all but one
        edges = [*zip(chain, chain[1:]), (chain[-1], chain[0]), (chain[-1], N + I), (chain[0], N + I + 1)]
        edges += [*zip(feeding, chain), (feeding[0], chain[-1]), (feeding[-1], chain[1])]
        edge_index = torch.tensor(edges)[torch.tensor(rng.permutation(len(edges)))].T.contiguous()
        cases.append((torch.tensor(rng.standard_normal((4, I))).float(), edge_index, N))
    return cases


@graded("reading in", cases=inputs_and_edges)
def read_in(x, edge_index, N):
    """x_i on the edges that leave input i, 0 on all others."""
    h = x.new_zeros(edge_index.shape[1], len(x))  # (E, B)
    for e, source in enumerate(edge_index[0].tolist()):
        if N <= source < N + x.shape[1]:
            h[e] = x[:, source - N]
    return h


IS_INPUT, SOURCES = "N <= source < N + x.shape[1]", "edge_index[0]"
read_in.slips({
    "your state is (B, E). Outside, samples come first; inside the network an edge is a row and a sample is a column.":
        {"return h": "return h.T"},
    "edges that leave a function node carry a value too. source - N is negative there, and a negative index counts "
    "from the end: those edges start at 0.": {IS_INPUT: "True"},
    "you numbered the inputs first. Functions come first: input i is node N + i.":
        {IS_INPUT: "source < x.shape[1]", "source - N": "source"},
    "you filled the first rows of h. An edge of input i may stand anywhere, and there may be several: look where "
    "edge_index[0] is N + i.": {"return h": "h[:], h[: x.shape[1]] = 0, x.T\n    return h"},
    "an input speaks on one of its edges only. Its value goes on every edge that leaves it.":
        {IS_INPUT: f"{IS_INPUT} and source not in edge_index[0, :e]"},
    "you divided an input's value among its edges. Each of them carries the whole value.":
        {"return h": "return h / torch.bincount(edge_index[0])[edge_index[0], None]"},
    "you looked at the node in which an edge ends. A message comes from the node where it starts, edge_index[0].":
        {SOURCES: "edge_index[1]"},
    "you looked for inputs in edge_index[1], and found outputs, of which x knows nothing. An edge starts in its input: "
    "edge_index[0].": {SOURCES: "edge_index[1]", IS_INPUT: "N <= source"},
    "you left out node N. It is an input, the first one: source >= N.": {"N <= source": "N < source"},
    "an input has no edge, and you looked for its first one. Fill all rows where edge_index[0] is N + i: there may be "
    "several or none.":
        {"e, source in enumerate(edge_index[0].tolist())": "i in range(x.shape[1])", IS_INPUT: "True",
         "h[e] = x[:, source - N]": "h[(edge_index[0] == N + i).nonzero()[0]] = x[:, i]"},
})  # fmt: skip
