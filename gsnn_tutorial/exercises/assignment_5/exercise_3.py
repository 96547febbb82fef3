"""Exercise 3 of assignment 5, better than chance?: the gap of pathways among those of shuffled pathways."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import stats  # noqa: F401  slips use it

from gsnn_tutorial.exercises.assignment_5.shared_pathways import TRUTHS, shuffles_by_kind, together
from gsnn_tutorial.exercises.diagnosis import graded


def gap_of(S, M):
    """``told_gap`` without its checks, which take most of the time of a thousand small matrices."""
    told = M.any(0)  # (N,)
    counted = np.triu(told[:, None] & told, k=1)  # (N, N)
    return S[counted & together(M)].mean() - S[counted & ~together(M)].mean()


def tells_apart(S, M, shuffles):
    """True if the right count of gaps is neither equal nor next to the count of a mistake."""
    gap, gaps = gap_of(S, M), np.array([gap_of(S, M[:, s]) for s in shuffles])
    right = (gaps >= gap).sum()
    wrong = [(gaps > gap).sum(), (abs(gaps) >= gap).sum(), (gaps <= gap).sum()]
    if right < 4 or min(abs(count - right) for count in wrong) <= 1:
        return False
    wrong += [sum(gap_of(S[s], M) >= gap for s in shuffles), sum(gap_of(S[s][:, s], M) >= gap for s in shuffles)]
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


@graded("beyond chance", cases=similarities_and_shuffles, tolerance=1e-4, helpers=(gap_of,))
def beyond_chance(S, M, shuffles):
    """Similarity (N, N), membership (P, N) and shuffles (R, N) -> (gap, p)."""
    gap = gap_of(S, M)
    gaps = np.array([gap_of(S, M[:, s]) for s in shuffles])  # (R,)
    return gap, (1 + (gaps >= gap).sum()) / (1 + len(gaps))


P = "(1 + (gaps >= gap).sum()) / (1 + len(gaps))"
beyond_chance.slips({
    "you left the observed pathways out of the count. They are one way to draw pathways too: (1 + count) / (1 + R), "
    "which is never 0.": {P: "(gaps >= gap).mean()"},
    "you counted the observed pathways among the shuffles, but not among those that reach the gap. Add 1 above the "
    "line too.": {"(1 + (gaps >= gap).sum())": "(gaps >= gap).sum()"},
    "you added 1 to the count and not to the number of shuffles. Add it below the line too, or p can be above 1.":
        {"(1 + len(gaps))": "len(gaps)"},
    "a gap that is equal does not count in your answer. A shuffle may give the true pathways again: count all that are "
    "*at least* as large.": {"gaps >= gap": "gaps > gap"},
    "you counted the shuffles whose gap is smaller. p is the share that does as well, or better.":
        {"gaps >= gap": "gaps <= gap"},
    "this is 1 - p. Count the shuffles that do at least as well.": {P: f"1 - {P}"},
    "your test is two-sided. Far below 0 is not what we ask for: count gaps at least as large, with their sign.":
        {"gaps >= gap": "abs(gaps) >= gap"},
    "you doubled p. Far below 0 is not what we ask for: count gaps at least as large, once.": {P: f"min(1.0, 2 * {P})"},
    "this is the count. Add 1, and divide by 1 + R.": {P: "(gaps >= gap).sum()"},
    "this is a z score. Its p-value would need gaps that are normally distributed: count instead.":
        {P: "(gap - gaps.mean()) / gaps.std()"},
    "this is a p-value of the normal distribution. Gaps of shuffles need not follow it: count instead.":
        {P: "stats.norm.sf((gap - gaps.mean()) / gaps.std())"},
    "this is the mean gap of the shuffles. Count how many of them are at least as large as the observed one.":
        {P: "gaps.mean()"},
    "you shuffled the rows of the similarity only, and its diagonal is not where it was. Shuffle the memberships, "
    "M[:, shuffle].": {"gap_of(S, M[:, s])": "gap_of(S[s], M)"},
    "you moved the similarities by the shuffle, which turns it round. Node i gets the memberships of node shuffle[i]: "
    "shuffle the memberships, M[:, shuffle].": {"gap_of(S, M[:, s])": "gap_of(S[s][:, s], M)"},
    "a node makes a pair with itself in your gap. Leave the diagonal out.": {"k=1": "k=-len(S)"},
    "nodes that are in no pathway are in your gap. Leave them out; `told_gap` does.": {"M.any(0)": "M.any(0) | True"},
    "a pair that shares two pathways counts twice in your gap. It is one pair.":
        {"S[counted & together(M)].mean()": "np.average(S[counted], weights=(M.T @ M)[counted])"},
})  # fmt: skip
