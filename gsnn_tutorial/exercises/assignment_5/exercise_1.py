"""Exercise 1 of assignment 5, a fair control: the first shuffle of the pathways that is not the truth in disguise."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.assignment_5.shared_pathways import (
    TRUTHS,
    pairs_kept,  # noqa: F401  slips use it
    shuffles_by_kind,
    survivors,  # noqa: F401  slips use it
)
from gsnn_tutorial.exercises.diagnosis import graded


def truths_and_shuffles(seed):
    """Overlapping pathways, nodes in any order; the truth comes back in every disguise before a shuffle is fair."""
    rng = np.random.default_rng(seed)
    orders = [
        ["same", "twins", "mirror", "survivor", "fixed", "pairs", "apart"],
        ["same", "mirror", "fixed", "survivor", "apart", "twins", "pairs"],
        ["twins", "mirror", "same", "pairs", "apart", "survivor"],
        ["survivor", "same", "pairs", "fixed", "apart"],
        ["same", "swap", "pairs", "apart"],
    ]
    cases = []
    for k, order in enumerate(orders):
        M, kinds = TRUTHS[k % 2], shuffles_by_kind(k % 2)
        name = rng.permutation(M.shape[1])  # node n gets the number name[n]
        back = np.argsort(name)
        shuffles = [kinds[kind][rng.integers(len(kinds[kind]))] for kind in order]
        cases.append((M[rng.permutation(len(M))][:, back], [name[s[back]] for s in shuffles]))
    M, kinds = TRUTHS[0], shuffles_by_kind(0)
    near = min(kinds["pairs"], key=lambda s: changes(M, s))
    return [*cases, (M, [kinds["same"][0], near, max(kinds["apart"], key=lambda s: changes(M, s))])]


def changes(M, shuffle):
    """The number of entries of M that a shuffle changes."""
    return int((M != M[:, shuffle]).sum())


@graded("a fair control", cases=truths_and_shuffles)
def fair_control(M, shuffles):
    """The membership (P, N) of the first shuffle that gives other pathways than the truth, whatever their order."""
    return next(M[:, s] for s in shuffles if sorted(M[:, s].tolist()) != sorted(M.tolist()))


FAIR = "sorted(M[:, s].tolist()) != sorted(M.tolist())"
fair_control.slips({
    "you took the first shuffle as it came. It may give the true pathways: go on to one that does not.":
        {f" if {FAIR}": ""},
    "you asked only whether the shuffle moves a node. Nodes with the same memberships may change places, and nothing "
    "has changed: compare pathways.":
        {FAIR: "(s != np.arange(len(s))).any()"},
    "you compared row by row. The true pathways in another order are the true pathways: compare them as sets.":
        {FAIR: "not np.array_equal(M, M[:, s])"},
    "you turned the shuffle round. Node i gets the memberships of node shuffle[i]: column i is M[:, shuffle[i]].":
        {"M[:, s]": "M[:, np.argsort(s)]"},
    "you asked that no true pathway survive. A fair shuffle may keep one, only not all of them.":
        {FAIR: "survivors(M, M[:, s]) == 0"},
    "you asked that no two nodes stay together. A fair shuffle may keep true pairs; who sorts them out picks shuffles "
    "that are less like the truth than chance is.":
        {FAIR: "pairs_kept(M, M[:, s]) == 0"},
    "you picked the shuffle that is least like the truth. Who picks among fair shuffles picks a result: take the "
    "first.":
        {f"next(M[:, s] for s in shuffles if {FAIR})": "M[:, max(shuffles, key=lambda s: changes(M, s))]"},
    "you asked that every node move. A fair shuffle may leave nodes where they are.":
        {FAIR: f"{FAIR} and (s != np.arange(len(s))).all()"},
    "you took the last fair shuffle. Take the first: who picks among fair shuffles picks a result.":
        {"in shuffles": "in shuffles[::-1]"},
    "this is the shuffle. Return the membership that it gives, (P, N).": {"next(M[:, s] for": "next(s for"},
})  # fmt: skip


@fair_control.mistake(
    "you gave every node one pathway, so the overlap is gone. Move whole columns: a node may be in several "
    "pathways, or in none."
)
def one_pathway_each(M, shuffles):
    """A node has the first pathway of its column, also if that is empty."""
    moved = next(M.argmax(0)[s] for s in shuffles if sorted(M[:, s].tolist()) != sorted(M.tolist()))
    return (moved == np.arange(len(M))[:, None]).astype(float)
