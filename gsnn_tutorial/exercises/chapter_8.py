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


held_out.slips({
    "you held out the first groups by number: take those that stand first in order, which was drawn.":
        {"order[:count]": "np.arange(count)"},
    "your mask is turned: True is for rows that are held out.": {"np.isin(": "~np.isin("},
    "you held out single rows: rows of the same group are then on both sides, and the test is of what was seen.":
        {"np.isin(groups, order[:count])": "np.arange(len(groups)) < round(share * len(groups))"},
    "you took the numbers in order for rows: they are groups, and all rows of a group are held out.":
        {"isin(groups": "isin(np.arange(len(groups))"},
    "you cut the number of groups off: round(share * len(order)) may be larger than int(...).": {"= round(": "= int("},
    "you rounded the number of groups up, whatever the fraction: take round(share * len(order)).":
        {"= round(share * len(order))": "= int(np.ceil(share * len(order)))"},
    "you took the last groups of order: take the first ones.": {"order[:count]": "order[-count:]"},
    "you counted rows: the share is one of groups, round(share * len(order)) of them.": {"len(order)": "len(groups)"},
})  # fmt: skip


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


HALF, MOVED = "order[: M.shape[1] // 2]", "M[:, np.roll(chosen, 1)]"
half_wrong.slips({
    "you wrote into M, which is to stay as it is: make a copy first, M.copy(), and write into that.": {"M.copy()": "M"},
    "you exchanged all nodes: that is the shuffled control. Half of them keep their column.": {HALF: "order"},
    "you exchanged rows: the sets are then the same, in another order. Exchange columns.":
        {"return wrong": "return np.roll(M, 1, axis=0)"},
    "you took the columns away: sets are then smaller, and a prior that says less is not one that errs.": {MOVED: "0"},
    "you took the first nodes by number: take those that stand first in order, which was drawn.":
        {HALF: "np.arange(M.shape[1] // 2)"},
    "each node has the column of the one after it in order: np.roll(chosen, 1) gives the one before.":
        {"chosen, 1": "chosen, -1"},
    "you turned members into others of the chosen nodes (1 - M): sizes of sets must stay.": {MOVED: "1 - M[:, chosen]"},
})  # fmt: skip


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


ROLE = '"input" if name in sources else "output"'
roles.slips({
    "you keep proteins that the network lacks: no edge has them, so nothing could enter or leave there.":
        {" if name in sources | targets": ""},
    "you turned the roles around: what acts on others enters, and what acts on nothing is read out.":
        {ROLE: '"output" if name in sources else "input"'},
    "a protein that acts and is acted on is an output in yours: it acts, so it is an input.":
        {ROLE: '"output" if name in targets else "input"'},
    "you left out the proteins that act and are acted on: they act, so they are inputs.":
        {"sources | targets": "sources ^ targets"},
    "a protein that acts and is acted on stands there twice in yours: it acts, so it is an input, and no more.":
        {f"(name, {ROLE}, name) for name in known": "(name, role, name) for name in known for role, some in "
         '(("input", sources), ("output", targets)) if name in some'},
    "you asked whether a protein acts on a measured one: it is an input whatever it acts on.":
        {"if name in sources else": "if any(u == name and v in measured for u, v in edges) else"},
    "you list nodes of the network, measured or not: begin with the names in measured.":
        {"for name in measured": "for name in dict.fromkeys(name for edge in edges for name in edge)"},
    "your rows are right but in another order: keep that of measured.": {"in known]": "in sorted(known)]"},
})  # fmt: skip
