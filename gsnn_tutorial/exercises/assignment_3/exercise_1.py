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


@read_in.mistake(
    "your state is (B, E). Outside, samples come first; inside the network an edge is a row and a sample is a column."
)
def transposed(x, edge_index, N):
    return read_in.reference(x, edge_index, N).T


@read_in.mistake(
    "edges that leave a function node carry a value too. source - N is negative there, and a negative index counts "
    "from the end: those edges start at 0."
)
def functions_from_the_end(x, edge_index, N):
    return x.T[edge_index[0] - N]


@read_in.mistake("you numbered the inputs first. Functions come first: input i is node N + i.")
def inputs_first(x, edge_index, N):
    return read_in.reference(x, edge_index, 0)


@read_in.mistake(
    "you filled the first rows of h. An edge of input i may stand anywhere, and there may be several: look where "
    "edge_index[0] is N + i."
)
def first_rows(x, edge_index, N):
    h = x.new_zeros(edge_index.shape[1], len(x))  # (E, B)
    h[: x.shape[1]] = x.T
    return h


@read_in.mistake("an input speaks on one of its edges only. Its value goes on every edge that leaves it.")
def one_edge_each(x, edge_index, N):
    sources = edge_index[0].tolist()
    h = x.new_zeros(len(sources), len(x))  # (E, B)
    for i in range(x.shape[1]):
        if N + i in sources:
            h[sources.index(N + i)] = x[:, i]
    return h


@read_in.mistake("you divided an input's value among its edges. Each of them carries the whole value.")
def shared_out(x, edge_index, N):
    edges = torch.bincount(edge_index[0])[edge_index[0]]  # (E,): how many leave the same node
    return read_in.reference(x, edge_index, N) / edges[:, None]


@read_in.mistake(
    "you looked at the node in which an edge ends. A message comes from the node where it starts, edge_index[0]."
)
def by_target(x, edge_index, N):
    return read_in.reference(x, edge_index.flip(0), N)


@read_in.mistake(
    "you looked for inputs in edge_index[1], and found outputs, of which x knows nothing. An edge starts in its "
    "input: edge_index[0]."
)
def finds_outputs(x, edge_index, N):
    h = x.new_zeros(edge_index.shape[1], len(x))  # (E, B)
    for e, target in enumerate(edge_index[1].tolist()):
        if target >= N:
            h[e] = x[:, target - N]
    return h


@read_in.mistake("you left out node N. It is an input, the first one: source >= N.")
def without_node_N(x, edge_index, N):
    h = x.new_zeros(edge_index.shape[1], len(x))  # (E, B)
    for e, source in enumerate(edge_index[0].tolist()):
        if source > N:
            h[e] = x[:, source - N]
    return h


@read_in.mistake(
    "an input has no edge, and you looked for its first one. Fill all rows where edge_index[0] is N + i: there may "
    "be several or none."
)
def an_edge_for_each(x, edge_index, N):
    h = x.new_zeros(edge_index.shape[1], len(x))  # (E, B)
    for i in range(x.shape[1]):
        h[(edge_index[0] == N + i).nonzero()[0]] = x[:, i]
    return h
