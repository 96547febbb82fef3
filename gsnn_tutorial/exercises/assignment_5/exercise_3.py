"""Exercise 3 of assignment 5, better than chance?: the gap of pathways among those of shuffled pathways."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import stats

from gsnn_tutorial.exercises.assignment_5.shared_pathways import TRUTHS, shuffles_by_kind, together
from gsnn_tutorial.exercises.diagnosis import graded


def gap_of(S, M):
    """``told_gap`` without its checks, which take most of the time of a thousand small matrices."""
    told = M.any(0)  # (N,)
    counted = np.triu(told[:, None] & told, k=1)  # (N, N)
    return S[counted & together(M)].mean() - S[counted & ~together(M)].mean()


def gap_and_gaps(S, M, shuffles):
    """The observed gap, and those of the shuffles, (R,)."""
    return gap_of(S, M), np.array([gap_of(S, M[:, s]) for s in shuffles])


def gaps_of_rows_moved(S, M, shuffles):
    return np.array([gap_of(S[s], M) for s in shuffles])


def gaps_turned_round(S, M, shuffles):
    return np.array([gap_of(S[s][:, s], M) for s in shuffles])


def tells_apart(S, M, shuffles):
    """Whether the right count of gaps is neither equal nor next to what a mistake counts."""
    gap, gaps = gap_and_gaps(S, M, shuffles)
    right = (gaps >= gap).sum()
    wrong = [(gaps > gap).sum(), (abs(gaps) >= gap).sum(), (gaps <= gap).sum()]
    if right < 4 or min(abs(count - right) for count in wrong) <= 1:
        return False
    wrong += [(gaps_of_rows_moved(S, M, shuffles) >= gap).sum(), (gaps_turned_round(S, M, shuffles) >= gap).sum()]
    return len({right, *wrong}) == 6 and min(abs(count - right) for count in wrong) > 1


@cache
def similarities_and_shuffles(seed):
    """Overlapping pathways that are seen, but not well. Some shuffles give them again; values are multiples of 1/64,
    so that equal gaps are equal to the last bit in whatever order they are added up."""
    rng = np.random.default_rng(seed)
    cases = []
    while len(cases) < 3:
        truth = len(cases) % 2
        M, kinds = TRUTHS[truth], shuffles_by_kind(truth)
        N = M.shape[1]
        noise = rng.uniform(0, 0.7, (N, N))
        S = np.round(64 * (0.1 * together(M) + (noise + noise.T) / 2)) / 64  # (N, N)
        S[np.diag_indices(N)] = 1
        again = [kinds["same"][0], kinds["twins"][0], kinds["mirror"][0]][: rng.integers(2, 4)]
        shuffles = np.array(again + [rng.permutation(N) for _ in range(int(rng.integers(25, 35)))])  # (R, N)
        shuffles, order = rng.permutation(shuffles), rng.permutation(N)
        back = np.argsort(order)
        case = S[back][:, back], M[:, back], order[shuffles[:, back]]
        if tells_apart(*case):
            cases.append(case)
    return cases


@graded("beyond chance", cases=similarities_and_shuffles, tolerance=1e-4)
def beyond_chance(S, M, shuffles):
    """Similarity (N, N), membership (P, N) and shuffles (R, N) -> (gap, p)."""
    gap = gap_of(S, M)
    gaps = np.array([gap_of(S, M[:, s]) for s in shuffles])  # (R,)
    return gap, (1 + (gaps >= gap).sum()) / (1 + len(gaps))


# Helpers of the mistakes


def p_of(chosen):
    """p where ``chosen`` (R,) are the shuffles that count."""
    return (1 + chosen.sum()) / (1 + len(chosen))


def with_gap(other_gap, S, M, shuffles):
    """The right count, of another gap throughout."""
    gap, gaps = other_gap(S, M), np.array([other_gap(S, M[:, s]) for s in shuffles])
    return gap, p_of(gaps >= gap)


# Mistakes in p


@beyond_chance.mistake(
    "you left the observed pathways out of the count. They are one way to draw pathways too: "
    "(1 + count) / (1 + R), which is never 0."
)
def observed_left_out(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, (gaps >= gap).mean()


@beyond_chance.mistake(
    "you counted the observed pathways among the shuffles, but not among those that reach the gap. Add 1 above the "
    "line too."
)
def one_only_below_the_line(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, (gaps >= gap).sum() / (1 + len(gaps))


@beyond_chance.mistake(
    "you added 1 to the count and not to the number of shuffles. Add it below the line too, or p can be above 1."
)
def one_only_above_the_line(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, (1 + (gaps >= gap).sum()) / len(gaps)


@beyond_chance.mistake(
    "a gap that is equal does not count in your answer. A shuffle may give the true pathways again: count all "
    "that are *at least* as large."
)
def equal_does_not_count(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, p_of(gaps > gap)


@beyond_chance.mistake("you counted the shuffles whose gap is smaller. p is the share that does as well, or better.")
def smaller_gaps(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, p_of(gaps <= gap)


@beyond_chance.mistake("this is 1 - p. Count the shuffles that do at least as well.")
def one_minus_p(S, M, shuffles):
    gap, p = beyond_chance.reference(S, M, shuffles)
    return gap, 1 - p


@beyond_chance.mistake(
    "your test is two-sided. Far below 0 is not what we ask for: count gaps at least as large, with their sign."
)
def two_sided(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, p_of(abs(gaps) >= gap)


@beyond_chance.mistake("you doubled p. Far below 0 is not what we ask for: count gaps at least as large, once.")
def doubled(S, M, shuffles):
    gap, p = beyond_chance.reference(S, M, shuffles)
    return gap, min(1.0, 2 * p)


@beyond_chance.mistake("this is the count. Add 1, and divide by 1 + R.")
def count_itself(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, (gaps >= gap).sum()


@beyond_chance.mistake("this is a z score. Its p-value would need gaps that are normally distributed: count instead.")
def z_score(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, (gap - gaps.mean()) / gaps.std()


@beyond_chance.mistake(
    "this is a p-value of the normal distribution. Gaps of shuffles need not follow it: count instead."
)
def p_of_the_normal(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, stats.norm.sf((gap - gaps.mean()) / gaps.std())


@beyond_chance.mistake(
    "this is the mean gap of the shuffles. Count how many of them are at least as large as the observed one."
)
def mean_gap(S, M, shuffles):
    gap, gaps = gap_and_gaps(S, M, shuffles)
    return gap, gaps.mean()


# Mistakes in the shuffle


@beyond_chance.mistake(
    "you shuffled the rows of the similarity only, and its diagonal is not where it was. Shuffle the memberships, "
    "M[:, shuffle]."
)
def rows_only(S, M, shuffles):
    gap = gap_of(S, M)
    return gap, p_of(gaps_of_rows_moved(S, M, shuffles) >= gap)


@beyond_chance.mistake(
    "you moved the similarities by the shuffle, which turns it round. Node i gets the memberships of node "
    "shuffle[i]: shuffle the memberships, M[:, shuffle]."
)
def similarities_moved(S, M, shuffles):
    gap = gap_of(S, M)
    return gap, p_of(gaps_turned_round(S, M, shuffles) >= gap)


# Mistakes in the gap


def gap_with_self(S, M):
    told = M.any(0)
    return S[together(M)].mean() - S[told[:, None] & told & ~together(M)].mean()


def gap_of_all_nodes(S, M):
    counted = np.triu(np.ones_like(S, dtype=bool), k=1)
    return S[counted & together(M)].mean() - S[counted & ~together(M)].mean()


def gap_pathway_by_pathway(S, M):
    told = M.any(0)
    other = np.triu(told[:, None] & told & ~together(M), k=1)
    within = [S[np.triu(np.outer(row, row) > 0, k=1)] for row in M]
    return np.concatenate(within).mean() - S[other].mean()


@beyond_chance.mistake("a node makes a pair with itself in your gap. Leave the diagonal out.")
def pairs_with_self(S, M, shuffles):
    return with_gap(gap_with_self, S, M, shuffles)


@beyond_chance.mistake("nodes that are in no pathway are in your gap. Leave them out; `told_gap` does.")
def nodes_in_no_pathway(S, M, shuffles):
    return with_gap(gap_of_all_nodes, S, M, shuffles)


@beyond_chance.mistake("a pair that shares two pathways counts twice in your gap. It is one pair.")
def pairs_counted_twice(S, M, shuffles):
    return with_gap(gap_pathway_by_pathway, S, M, shuffles)
