"""Assignment 5 in plain Python: loops, lists, sets and dictionaries."""

import math
from statistics import mean, stdev

from scipy import stats


def fair_control(M, shuffles):
    truth = {frozenset(n for n, member in enumerate(row) if member) for row in M.tolist()}
    for s in shuffles:
        pathways = [[n for n in range(len(s)) if row[s[n]]] for row in M.tolist()]
        if {frozenset(members) for members in pathways} != truth:
            return [[1 if n in members else 0 for n in range(len(s))] for members in pathways]


def cka(a):
    B, N, C = a.shape
    X = [[[a[b, n, c] - sum(a[:, n, c]) / B for c in range(C)] for b in range(B)] for n in range(N)]

    def squared(i, j):
        products = [[sum(X[i][b][c] * X[j][b][d] for b in range(B)) for d in range(C)] for c in range(C)]
        return sum(value**2 for row in products for value in row)

    own = [squared(n, n) for n in range(N)]
    return [
        [squared(i, j) / math.sqrt(own[i] * own[j]) if own[i] and own[j] else 0.0 for j in range(N)] for i in range(N)
    ]


def beyond_chance(S, M, shuffles):
    N = len(S)

    def gap(memberships):
        same, other = [], []
        for i in range(N):
            for j in range(i):
                if memberships[i] and memberships[j]:
                    (same if memberships[i] & memberships[j] else other).append(S[i, j])
        return mean(same) - mean(other)

    true = [{p for p in range(len(M)) if M[p, n]} for n in range(N)]
    observed, reached = gap(true), 1
    for s in shuffles:
        if gap([true[s[n]] for n in range(N)]) >= observed:
            reached += 1
    return observed, reached / (1 + len(shuffles))


def paired_interval(arm, other):
    d = [value - other[seed] for seed, value in arm.items() if seed in other]
    half = stats.t.ppf(0.975, len(d) - 1) * stdev(d) / math.sqrt(len(d))
    return mean(d) - half, mean(d) + half


def conclude(versus_baseline, versus_control, margin, less_is_better):
    sign = -1 if less_is_better else 1
    gains = sorted(sign * end for end in versus_baseline)
    beyond_control = min(sign * end for end in versus_control)
    if gains[0] <= 0:
        for word, limit in [("harms", 0), ("does not help", margin)]:
            if gains[1] < limit:
                return word
        return "can't tell"
    return "smoother" if beyond_control <= 0 else "pathways"
