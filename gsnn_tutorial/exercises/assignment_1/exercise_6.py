"""Exercise 6 of assignment 1: the inputs that each output hears at the end."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def reach_cases(seed):
    """A chain with outputs near and far, over one to three layers, and random wirings; all under random numbers."""
    rng = np.random.default_rng(seed)
    N, I, O = 5, 2, 3
    f, i, o = rng.permutation(N), N + rng.permutation(I), N + I + rng.permutation(O)
    road = [*zip(f, f[1:]), (i[0], f[0]), (i[1], f[2]), (f[1], o[0]), (f[2], o[1]), (f[4], o[2])]
    road = torch.tensor(np.array(road)[rng.permutation(len(road))].T.copy())
    cases = [(road, N, I, O, L) for L in (1, 2, 3)]
    for L in (2, 3):
        N, I, O = rng.integers([7, 3, 4], [10, 5, 6]).tolist()
        order = rng.permutation(N)
        ahead = np.triu(rng.random((N, N)) < 0.25, 1)[np.ix_(order, order)]  # no way back
        into = [(N + k, rng.integers(N)) for k in range(I) for _ in range(2)]
        out = [(rng.integers(N), N + I + k) for k in range(O)]
        edges = np.unique(np.array([*np.argwhere(ahead), *into, *out]), axis=0)
        cases.append((torch.tensor(rng.permutation(edges).T.copy()), N, I, O, L))
    return cases


@graded("who is heard", cases=reach_cases)
def reach(edge_index, N, I, O, L):
    hears = torch.zeros(I, N + I + O, dtype=torch.bool)  # (inputs, nodes)
    edges = edge_index.T.tolist()
    hears[range(I), range(N, N + I)] = True
    for _ in range(L + 1):  # L layers, then the read-out, which is one more hop
        before = hears.clone()
        for u, v in edges:
            hears[:, v] |= before[:, u]
    return hears[:, N + I :].float()  # (inputs, outputs)


reach.slips({
    "you counted one hop too few. The signal is heard by a function in layer 1, and after layer L the read-out is "
    "one hop more: L + 1 edges.": {"range(L + 1)": "range(L)"},
    "you counted one hop too many. The hop from the input to a function is layer 1: L + 1 edges in all.":
        {"range(L + 1)": "range(L + 2)"},
    "you asked for paths of exactly L + 1 edges. What has been heard stays heard, by self-loop and residual: at most "
    "L + 1.": {"before = hears.clone()": "before, hears = hears, torch.zeros_like(hears)"},
    "you counted the ways from an input to an output. One is enough: 1 or 0.": {", dtype=torch.bool": "", "|=": "+="},
    "your signal runs both ways along an edge. It goes from edge_index[0] to edge_index[1] only.":
        {"edge_index.T": "torch.cat([edge_index, edge_index.flip(0)], dim=1).T"},
    "you let the signal run for ever. A network of L layers is over after L layers.": {"range(L + 1)": "range(N + 2)"},
    "your matrix is transposed: an input is a row and an output is a column.": {".float()": ".float().T"},
})  # fmt: skip
