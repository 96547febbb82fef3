"""Exercise 1 of assignment 5, a fair control: the first shuffle of the pathways that is not the truth in disguise."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.assignment_5.shared_pathways import (
    TRUTHS,
    pairs_kept,
    pathways,
    shuffles_by_kind,
    survivors,
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
    """How many entries of M are another number after the shuffle."""
    return int((M != M[:, shuffle]).sum())


@graded("a fair control", cases=truths_and_shuffles)
def fair_control(M, shuffles):
    """The membership (P, N) of the first shuffle that gives other pathways than the truth, whatever their order."""
    return next(M[:, s] for s in shuffles if sorted(M[:, s].tolist()) != sorted(M.tolist()))


@fair_control.mistake(
    "you took the first shuffle as it came. It may give the true pathways: go on to one that does not."
)
def first_as_it_came(M, shuffles):
    return M[:, shuffles[0]]


@fair_control.mistake(
    "you asked only whether the shuffle moves a node. Nodes with the same memberships may change places, and "
    "nothing has changed: compare pathways."
)
def moves_a_node(M, shuffles):
    return next(M[:, s] for s in shuffles if (s != np.arange(len(s))).any())


@fair_control.mistake(
    "you compared row by row. The true pathways in another order are the true pathways: compare them as sets."
)
def row_by_row(M, shuffles):
    return next(M[:, s] for s in shuffles if not np.array_equal(M, M[:, s]))


@fair_control.mistake(
    "you turned the shuffle round. Node i gets the memberships of node shuffle[i]: column i is M[:, shuffle[i]]."
)
def turned_round(M, shuffles):
    return fair_control.reference(M, [np.argsort(s) for s in shuffles])


@fair_control.mistake("you asked that no true pathway survive. A fair shuffle may keep one, only not all of them.")
def no_survivor(M, shuffles):
    return next(M[:, s] for s in shuffles if survivors(M, M[:, s]) == 0)


@fair_control.mistake(
    "you asked that no two nodes stay together. A fair shuffle may keep true pairs; who sorts them out picks "
    "shuffles that are less like the truth than chance is."
)
def no_pair_kept(M, shuffles):
    return next(M[:, s] for s in shuffles if pairs_kept(M, M[:, s]) == 0)


@fair_control.mistake(
    "you picked the shuffle that is least like the truth. Who picks among fair shuffles picks a result: take the first."
)
def least_like_the_truth(M, shuffles):
    return M[:, max(shuffles, key=lambda s: changes(M, s))]


@fair_control.mistake("you asked that every node move. A fair shuffle may leave nodes where they are.")
def moves_every_node(M, shuffles):
    return fair_control.reference(M, [s for s in shuffles if (s != np.arange(len(s))).all()])


@fair_control.mistake(
    "you gave every node one pathway, so the overlap is gone. Move whole columns: a node may be in several "
    "pathways, or in none."
)
def one_pathway_each(M, shuffles):
    """As if a node had one pathway, the first of its column, and no node were in none."""
    labels = M.argmax(0)  # (N,)
    moved = next(labels[s] for s in shuffles if pathways(M[:, s]) != pathways(M))
    return (moved == np.arange(len(M))[:, None]).astype(float)


@fair_control.mistake("you took the last fair shuffle. Take the first: who picks among fair shuffles picks a result.")
def last_fair_one(M, shuffles):
    return fair_control.reference(M, shuffles[::-1])


@fair_control.mistake("this is the shuffle. Return the membership that it gives, (P, N).")
def shuffle_itself(M, shuffles):
    return next(s for s in shuffles if pathways(M[:, s]) != pathways(M))
