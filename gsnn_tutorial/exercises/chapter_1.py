"""The exercises of chapter 1, the pathway graph.

``candidates`` counts the edges that may run between pathways, ``membership`` turns sets of names into a matrix, and
``layers`` says how many layers an output needs.
"""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import exercise


def size_cases(seed):
    rng = np.random.default_rng(seed)
    return [([3, 3, 3, 3],), ([1, 2, 5],), (rng.integers(1, 9, size=5).tolist() + [9],), ([4],)]


@exercise("edges between pathways", cases=size_cases)
def count_candidates(sizes):
    """All ordered pairs of nodes, less those (n_p squared of them) that stay in pathway p."""
    return sum(sizes) ** 2 - sum(n * n for n in sizes)


count_candidates.slips({
    "this is half of them: an edge has a direction, so u -> v and v -> u are two candidates.":
        {"sum(sizes) ** 2 - sum(n * n for n in sizes)": "(sum(sizes) ** 2 - sum(n * n for n in sizes)) // 2"},
    "these are all pairs of different nodes; pairs inside a pathway are no candidates. Take away n_p (n_p - 1) of them "
    "for each pathway.": {"sum(n * n for n in sizes)": "sum(sizes)"},
    "a node paired with itself counts as inside its pathway: of N^2 ordered pairs take away n_p^2 for each pathway, "
    "not n_p (n_p - 1).": {"n * n": "n * (n - 1)"},
    "this takes every pathway to be as large as the first: add up over the sizes that were given.":
        {"    return": "    sizes = len(sizes) * sizes[:1]\n    return"},
})  # fmt: skip


def gene_set_cases(seed):
    rng = np.random.default_rng(seed)
    nodes = [f"f{i}" for i in rng.permutation(9)]
    nodes = nodes if nodes != sorted(nodes) else nodes[::-1]
    sets = [list(rng.choice(nodes, size=size, replace=False)) for size in (2, 3, 4)]
    shared = sets[0][0]  # in two pathways at least, and a name that the graph does not have
    sets[2] = [shared, *(name for name in sets[2] if name != shared), "stranger"]
    handmade = ([["a", "b"], ["b", "c", "zz"]], ["c", "a", "b", "d"])
    # a stranger comes first, a name comes twice, a pathway has strangers only, and a name is a part of another
    lookalikes = ([["zz", "g1", "g1"], ["g", "yy"], ["g10", "g2"]], ["g10", "g2", "g1"])
    return [handmade, lookalikes, (sets, nodes)]


@exercise("membership from sets of names", cases=gene_set_cases)
def membership_from_sets(pathways, nodes):
    """M[p, i] = 1 if node i is in pathway p; names that are not nodes are passed over."""
    M = torch.zeros(len(pathways), len(nodes))  # (P, N)
    for p, members in enumerate(pathways):
        for name in members:
            if name in nodes:
                M[p, nodes.index(name)] = 1
    return M


membership_from_sets.slips({
    "your matrix is transposed: a pathway is a row and a node is a column, (P, N).": {"return M": "return M.T"},
    "your columns are sorted by name: column i belongs to nodes[i], in the order given, since the model numbers its "
    "nodes so.": {"nodes.index": "sorted(nodes).index"},
    "a node in two pathways is a member of the last one only: one label per node cannot hold an overlap, so set M[p, "
    "i] for each pathway.": {"            if name in nodes:\n": "            if name in nodes:\n"
                                                            "                M[:, nodes.index(name)] = 0\n"},
    "your rows sum to one: a membership is 0 or 1 here, and the loss divides by the pathway's size itself.":
        {"return M": "return M / M.sum(1, keepdim=True).clamp_min(1)"},
    "a name that is not a node has become a member of the last column (index -1): pass it over.":
        {"if name in nodes:": "if True:", "nodes.index(name)": "nodes.index(name) if name in nodes else -1"},
})  # fmt: skip


def wiring_cases(seed):
    """Four hand-made graphs, and a random one in which every output hears several inputs, over several distances."""
    rng = np.random.default_rng(seed)
    n = 6
    chain = np.eye(n, k=1, dtype=bool)
    A_in = np.zeros((3, n), dtype=bool)
    A_in[0, 0] = A_in[1, 2] = True
    A_in[2, 4] = rng.random() < 0.5
    A_out = np.zeros((n, 3), dtype=bool)
    A_out[rng.integers(3, n), 0] = A_out[rng.integers(2, 4), 1] = A_out[n - 1, 2] = True
    dead_end = np.zeros((n, n), dtype=bool)  # 1 -> 2 -> 3: nothing comes to 1, and its output hears nothing
    dead_end[1, 2] = dead_end[2, 3] = True
    long = np.eye(9, k=1, dtype=bool)  # longer than the text's; a short cut and the long way lead to node 8
    long[0, 8] = True
    early_and_late = np.eye(n, dtype=bool)[[0, 3, 4]]  # on the chain: gains, a pause, another gain
    return [
        (early_and_late, chain, np.eye(n, dtype=bool)[:, [5, 3]]),
        (A_in, chain, A_out),
        (np.eye(9, dtype=bool)[[0, 3]], long, np.eye(9, dtype=bool)[:, [0, 7, 8]]),  # output 0 gains in layer 1 only
        (np.eye(9, dtype=bool)[[0]], long, np.eye(9, dtype=bool)[:, [0, 8]]),
        (A_in, dead_end, np.eye(n, dtype=bool)[:, [1, 3]]),
        (A_in, chain | (np.triu(rng.random((n, n)) < 0.15, 2)), A_out),
    ]


@exercise("layers that an output needs", cases=wiring_cases)
def layers_needed(A_in, A, A_out):
    """Grow the receptive fields hop by hop; note the layer of each output's last gain."""
    heard = A_in.astype(bool)  # (inputs, N): after layer 1
    field = heard @ A_out.astype(bool)  # (inputs, outputs): what a network of 1 layer reads out
    needed = field.any(0).astype(int)
    for layer in range(2, len(A) + 1):
        heard = heard | heard @ A.astype(bool)
        grown = heard @ A_out.astype(bool)
        needed[(grown & ~field).any(0)] = layer
        field = grown
    return needed


FIELD = "        grown = heard @ A_out.astype(bool)\n"
GAIN = "(grown & ~field).any(0)"
layers_needed.slips({
    "you stop at the first input that an output hears: go on until its receptive field no longer grows.":
        {f"needed[{GAIN}]": f"needed[{GAIN} & (needed == 0)]"},
    "you stop at the first layer in which no output gains an input: an input further away may still be on its way, "
    "so go on for len(A) layers.": {FIELD: FIELD + f"        if not {GAIN}.any():\n            break\n"},
    "you take an output as finished at the first layer that adds nothing to it: a receptive field can pause and grow "
    "later, so go on for len(A) layers.":
        {f"needed[{GAIN}]": f"needed[{GAIN} & ((needed == 0) | (needed == layer - 1))]"},
    "you stop at the first layer that adds nothing to an output, even before it has heard anything: its first input "
    "may be several layers away, so go on for len(A) layers.":
        {f"needed[{GAIN}]": f"needed[{GAIN} & (needed == layer - 1)]"},
    "your nodes forget: H @ A alone is what comes in this layer. What has been heard stays heard, so take H | H @ A.":
        {"heard | heard @": "heard @"},
    "you count hops, not layers: the last hop, into the output, is the read-out and takes no layer.":
        {"return needed": "return np.where(needed > 0, needed + 1, 0)"},
    "you count from 0: what stands on the input edges before the first layer is heard in layer 1.":
        {"return needed": "return np.maximum(needed - 1, 0)"},
    "your edges run both ways: a signal goes from row to column of A only, so do not use A.T.":
        {"heard @ A.astype(bool)": "heard @ (A | A.T).astype(bool)"},
    "one number for all: an output has a receptive field of its own, so return (outputs,) numbers.":
        {"return needed": "return np.full_like(needed, needed.max())"},
})  # fmt: skip
