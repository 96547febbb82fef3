"""The exercises of chapter 8, a network of one's own.

``held_out`` splits rows by whole groups, and ``half_wrong`` makes a membership of which half is wrong.
"""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.checks.diagnosis import exercise

# ---- Whole groups are held out


def group_cases(seed):
    """Groups of different sizes, and shares that are no multiple of a group: one is rounded up, the other down."""
    rng = np.random.default_rng(seed)
    cases = []
    for sizes, share in [((1, 2, 3, 2, 4), 0.35), ((3, 1, 2, 5, 1, 2, 3, 1, 1, 2), 0.33)]:
        groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))  # (rows,)
        cases.append((groups, share, rng.permutation(len(sizes))))
    return cases


@exercise("Whole groups", cases=group_cases)
def held_out(groups, share, order):
    """A mask of the rows whose group is among the first round(share * number of groups) of ``order``."""
    count = round(share * len(order))
    return np.isin(groups, order[:count])


@held_out.mistake("you held out the first groups by number: take those that stand first in order, which was drawn.")
def first_by_number(groups, share, order):
    return np.isin(groups, np.arange(round(share * len(order))))


@held_out.mistake("your mask is turned: True is for rows that are held out.")
def turned(groups, share, order):
    return ~held_out.reference(groups, share, order)


@held_out.mistake(
    "you held out single rows: rows of the same group are then on both sides, and the test is of what was seen."
)
def single_rows(groups, share, order):
    return np.arange(len(groups)) < round(share * len(groups))


@held_out.mistake("you cut the number of groups off: round(share * len(order)) may be larger than int(...).")
def cut_off(groups, share, order):
    return np.isin(groups, order[: int(share * len(order))])


@held_out.mistake("you rounded the number of groups up, whatever the fraction: take round(share * len(order)).")
def always_up(groups, share, order):
    return np.isin(groups, order[: int(np.ceil(share * len(order)))])


@held_out.mistake("you took the last groups of order: take the first ones.")
def last_groups(groups, share, order):
    return np.isin(groups, order[-round(share * len(order)) :])


@held_out.mistake("you counted rows: the share is one of groups, round(share * len(order)) of them.")
def share_of_rows(groups, share, order):
    return np.isin(groups, order[: round(share * len(groups))])


# ---- A membership that is half wrong


def wrong_cases(seed):
    """Overlapping sets, nodes in none, an even and an odd number of nodes."""
    rng = np.random.default_rng(seed)
    cases = []
    for P, N in [(3, 8), (4, 11)]:
        M = (rng.random((P, N)) < 0.4).astype(float)
        M[np.arange(P), rng.permutation(N)[:P]] = 1.0
        cases.append((M, rng.permutation(N)))
    return cases


@exercise("Half wrong", cases=wrong_cases, keeps=True)
def half_wrong(M, order):
    """M (P, N) in which the nodes order[: N // 2] have exchanged their columns: each has that of the one before it."""
    chosen = order[: M.shape[1] // 2]
    wrong = M.copy()
    wrong[:, chosen] = M[:, np.roll(chosen, 1)]
    return wrong


@half_wrong.mistake("you exchanged all nodes: that is the shuffled control. Half of them keep their column.")
def all_nodes(M, order):
    wrong = M.copy()
    wrong[:, order] = M[:, np.roll(order, 1)]
    return wrong


@half_wrong.mistake("you exchanged rows: the sets are then the same, in another order. Exchange columns.")
def rows_exchanged(M, order):
    return np.roll(M, 1, axis=0)


@half_wrong.mistake(
    "you took the columns away: sets are then smaller, and a prior that says less is not one that errs."
)
def columns_removed(M, order):
    wrong = M.copy()
    wrong[:, order[: M.shape[1] // 2]] = 0
    return wrong


@half_wrong.mistake("you took the first nodes by number: take those that stand first in order, which was drawn.")
def first_nodes(M, order):
    chosen = np.arange(M.shape[1] // 2)
    wrong = M.copy()
    wrong[:, chosen] = M[:, np.roll(chosen, 1)]
    return wrong


@half_wrong.mistake("each node has the column of the one after it in order: np.roll(chosen, 1) gives the one before.")
def rolled_back(M, order):
    chosen = order[: M.shape[1] // 2]
    wrong = M.copy()
    wrong[:, chosen] = M[:, np.roll(chosen, -1)]
    return wrong


@half_wrong.mistake("you turned members into others of the chosen nodes (1 - M): sizes of sets must stay.")
def turned_around(M, order):
    wrong = M.copy()
    chosen = order[: M.shape[1] // 2]
    wrong[:, chosen] = 1 - M[:, chosen]
    return wrong
