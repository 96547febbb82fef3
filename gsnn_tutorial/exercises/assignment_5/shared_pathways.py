"""True pathways, and shuffles of their nodes by what they keep: the data of exercises 1 and 3 of assignment 5."""

from __future__ import annotations

from functools import cache

import numpy as np


def membership(pathways, N):
    M = np.zeros((len(pathways), N))  # (P, N)
    for row, members in zip(M, pathways):
        row[list(members)] = 1
    return M


TRUTHS = (
    # {0, 1, 2} and {2, 3, 4} share a node; 8 is in none
    membership([(0, 1, 2), (2, 3, 4), (5, 6, 7)], 9),
    # {0, 1, 2} and {3, 4, 5} each share two nodes with {1, 2, 3, 4}; 6, 7 and 8 are in none
    membership([(0, 1, 2), (3, 4, 5), (1, 2, 3, 4)], 9),
)


def pathways(M):
    """The rows in an order that does not depend on the one in which they come."""
    return sorted(M.tolist())


def together(M):
    """(N, N): True for two nodes that share a pathway."""
    return M.T @ M > 0


def survivors(M, control):
    """The number of true pathways among those of the control."""
    return sum(row in M.tolist() for row in control.tolist())


def pairs_kept(M, control):
    """The number of pairs of nodes that share a pathway in the truth and in the control."""
    return int(np.triu(together(M) & together(control), k=1).sum())


def kind(M, shuffle):
    """The most that a fair shuffle leaves as it is: a pathway, a node, a pair, or nothing; None for other mixtures."""
    fixed = (shuffle == np.arange(len(shuffle))).any()
    if survivors(M, M[:, shuffle]):
        return "survivor" if fixed else None
    if pairs_kept(M, M[:, shuffle]):
        return "fixed" if fixed else "pairs"
    return None if fixed else "apart"


@cache
def shuffles_by_kind(truth):
    """{kind: shuffles} of a truth: itself in three disguises, a swap, and four fair kinds, ever less like it."""
    M, rng = TRUTHS[truth], np.random.default_rng(0)
    N = M.shape[1]
    mirror = [(3, 4, 2, 0, 1, 5, 6, 7, 8), (5, 4, 3, 2, 1, 0, 6, 7, 8)][truth]  # two pathways change places
    twins = [(1, 0, 2, 3, 4, 7, 5, 6, 8), (0, 2, 1, 4, 3, 5, 8, 6, 7)][truth]  # nodes of the same pathways do
    kinds = {"same": [np.arange(N)], "twins": [np.array(twins)], "mirror": [np.array(mirror)]}
    swap = [(5, 1, 2, 3, 4, 0, 6, 7, 8), (6, 1, 2, 3, 4, 5, 0, 7, 8)][truth]  # two nodes of other pathways do
    kinds["swap"] = [np.array(swap)]
    for s in (rng.permutation(N) for _ in range(8000)):
        control, turned_round = M[:, s], M[:, np.argsort(s)]
        if pathways(control) != pathways(M) and not np.array_equal(control, turned_round):
            kinds.setdefault(kind(M, s), []).append(s)
    return kinds
