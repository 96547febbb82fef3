"""The exercises of chapter 8, a network of one's own.

``held_out`` splits rows by whole groups, ``half_wrong`` makes a membership of which half is wrong, and ``roles`` says
which columns of a table enter a network and which are read out.
"""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import exercise

# ---- Whole groups are held out


def group_cases(seed):
    """Groups of different sizes, and shares that are no multiple of a group: one is rounded up, the other down."""
    rng = np.random.default_rng(seed)
    cases = []
    for sizes, share in [((1, 2, 1), 0.34), ((1, 2, 3, 2, 4), 0.35), ((3, 1, 2, 5, 1, 2, 3, 1, 1, 2), 0.33)]:
        groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))  # (rows,)
        cases.append((groups, share, rng.permutation(len(sizes))))
    return cases


@exercise("Whole groups", cases=group_cases, shrinks=False)  # order names groups, which a smaller case would lose
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


@held_out.mistake("you took the numbers in order for rows: they are groups, and all rows of a group are held out.")
def numbers_of_rows(groups, share, order):
    return np.isin(np.arange(len(groups)), order[: round(share * len(order))])


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


def wrong_and_told(result, M, order):
    """The answer, and what it has left of the membership that it was given."""
    return result if result is None else {"the wrong membership": result, "M afterwards": M}


@exercise("Half wrong", cases=wrong_cases, probe=wrong_and_told)
def half_wrong(M, order):
    """M (P, N) in which the nodes order[: N // 2] have exchanged their columns: each has that of the one before it."""
    chosen = order[: M.shape[1] // 2]
    wrong = M.copy()
    wrong[:, chosen] = M[:, np.roll(chosen, 1)]
    return wrong


@half_wrong.mistake("you wrote into M, which is to stay as it is: make a copy first, M.copy(), and write into that.")
def written_into(M, order):
    chosen = order[: M.shape[1] // 2]
    M[:, chosen] = M[:, np.roll(chosen, 1)]
    return M


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


# ---- What enters and what is read out


def role_cases(seed):
    """Proteins that act, that are acted on, that do both and that the network lacks; nodes that nobody measured, of
    which one is all that a protein acts on."""
    rng = np.random.default_rng(seed)
    edges = [("raf", "mek"), ("mek", "erk"), ("pka", "erk"), ("pka", "node 7"), ("node 7", "p38"), ("jnk", "node 8")]
    measured = [str(name) for name in rng.permutation(["raf", "mek", "erk", "pka", "p38", "actin", "jnk"])]
    return [([("b", "a")], ["a", "b", "c"]), (edges, measured), (edges[::-1], measured[::-1])]


@exercise("What enters, what is read out", cases=role_cases)
def roles(edges, measured):
    """(column, role, node) of each measured protein that the network has, in the order of ``measured``."""
    sources, targets = {u for u, _ in edges}, {v for _, v in edges}
    known = [name for name in measured if name in sources | targets]
    return [(name, "input" if name in sources else "output", name) for name in known]


@roles.mistake("you keep proteins that the network lacks: no edge has them, so nothing could enter or leave there.")
def keeps_unknown(edges, measured):
    sources = {u for u, _ in edges}
    return [(name, "input" if name in sources else "output", name) for name in measured]


@roles.mistake("you turned the roles around: what acts on others enters, and what acts on nothing is read out.")
def roles_turned(edges, measured):
    other = {"input": "output", "output": "input"}
    return [(name, other[role], node) for name, role, node in roles.reference(edges, measured)]


@roles.mistake("a protein that acts and is acted on is an output in yours: it acts, so it is an input.")
def both_are_outputs(edges, measured):
    targets = {v for _, v in edges}
    known = [row[0] for row in roles.reference(edges, measured)]
    return [(name, "output" if name in targets else "input", name) for name in known]


@roles.mistake("you left out the proteins that act and are acted on: they act, so they are inputs.")
def both_left_out(edges, measured):
    sources, targets = {u for u, _ in edges}, {v for _, v in edges}
    return [row for row in roles.reference(edges, measured) if row[0] not in sources & targets]


@roles.mistake(
    "a protein that acts and is acted on stands there twice in yours: it acts, so it is an input, and no more."
)
def both_twice(edges, measured):
    targets = {v for _, v in edges}
    rows = [(row, (row[0], "output", row[0])) for row in roles.reference(edges, measured)]
    return [row for mine in rows for row in (mine if mine[0] != mine[1] and mine[0][0] in targets else mine[:1])]


@roles.mistake("you asked whether a protein acts on a measured one: it is an input whatever it acts on.")
def acts_on_measured(edges, measured):
    sources = {u for u, v in edges if v in measured}
    return [(name, "input" if name in sources else "output", name) for name, *_ in roles.reference(edges, measured)]


@roles.mistake("you list nodes of the network, measured or not: begin with the names in measured.")
def all_nodes_of_the_network(edges, measured):
    nodes = list(dict.fromkeys(name for edge in edges for name in edge))
    return roles.reference(edges, nodes)


@roles.mistake("your rows are right but in another order: keep that of measured.")
def roles_sorted(edges, measured):
    return sorted(roles.reference(edges, measured))
