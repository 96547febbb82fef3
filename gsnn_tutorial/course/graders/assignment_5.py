"""The graded exercises of assignment 5, a fair three-way evaluation."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import stats

from gsnn_tutorial.checks.diagnosis import Graded

# A control


def _pathways(M):
    return sorted(M.tolist())


def _fair_control(M, shuffles):
    """The first shuffle that gives other pathways than the truth, in whatever order they come."""
    return next(M[:, s] for s in shuffles if _pathways(M[:, s]) != _pathways(M))


def _first(accepts, make=lambda M, s: M[:, s]):
    """``make`` of the first shuffle that ``accepts(M, shuffled membership, shuffle)``."""
    return lambda M, shuffles: next(make(M, s) for s in shuffles if accepts(M, make(M, s), s))


def _is_fair(M, control, s=None):
    return _pathways(M) != _pathways(control)


def _moves_every_node(M, control, s):
    return bool((s != np.arange(len(s))).all())


def _survivors(M, control):
    """How many of the true pathways are among those of the control."""
    return sum(row in M.tolist() for row in control.tolist())


def _pairs_kept(M, control):
    together = [(X.T @ X > 0) & ~np.eye(X.shape[1], dtype=bool) for X in (M, control)]
    return int((together[0] & together[1]).sum() // 2)


def _one_pathway_each(M, shuffles):
    """As if a node had one pathway, the first of its column, and no node were in none."""
    labels, s = M.argmax(0), next(s for s in shuffles if _is_fair(M, M[:, s]))
    return (labels[s] == np.arange(len(M))[:, None]).astype(float)


_SHAPES = (
    # {0, 1, 2} and {2, 3, 4} share a node; 8 is in none
    ([(0, 1, 2), (2, 3, 4), (5, 6, 7)], 9),
    # {0, 1, 2} and {3, 4, 5} each share two nodes with {1, 2, 3, 4}; 6, 7 and 8 are in none
    ([(0, 1, 2), (3, 4, 5), (1, 2, 3, 4)], 9),
)


def _membership(pathways, N):
    M = np.zeros((len(pathways), N))
    for row, members in zip(M, pathways):
        row[list(members)] = 1
    return M


@cache
def _kinds(shape):
    """{kind: shuffles} of a shape: the truth in three disguises, and four kinds that are fair, ever less like it."""
    M, rng = _membership(*_SHAPES[shape]), np.random.default_rng(0)
    N = M.shape[1]
    mirror = [(3, 4, 2, 0, 1, 5, 6, 7, 8), (5, 4, 3, 2, 1, 0, 6, 7, 8)][shape]  # two pathways change places
    twins = [(1, 0, 2, 3, 4, 7, 5, 6, 8), (0, 2, 1, 4, 3, 5, 8, 6, 7)][shape]  # nodes of the same pathways do
    kinds = {"same": [np.arange(N)], "twins": [np.array(twins)], "mirror": [np.array(mirror)]}
    for s in (rng.permutation(N) for _ in range(8000)):
        control, fixed = M[:, s], bool((s == np.arange(N)).any())
        if not _is_fair(M, control) or np.array_equal(control, M[:, np.argsort(s)]):
            continue
        survivors, pairs = _survivors(M, control), _pairs_kept(M, control)
        kind = (
            "survivor" if survivors and fixed else "fixed" if not survivors and fixed and pairs else
            "pairs" if not survivors and not fixed and pairs else "apart" if not fixed and not pairs else None
        )  # fmt: skip
        kinds.setdefault(kind, []).append(s)
    return kinds


def _truths_and_shuffles(seed):
    """Overlapping pathways, nodes in any order; the truth comes back in every disguise before a shuffle is fair."""
    rng = np.random.default_rng(seed)
    orders = [
        ["same", "twins", "mirror", "survivor", "fixed", "pairs", "apart"],
        ["same", "mirror", "fixed", "survivor", "apart", "twins", "pairs"],
        ["twins", "mirror", "same", "pairs", "apart", "survivor"],
        ["survivor", "same", "pairs", "fixed", "apart"],
    ]
    cases = []
    for shape, order in [(k % 2, order) for k, order in enumerate(orders)]:
        M, kinds = _membership(*_SHAPES[shape]), _kinds(shape)
        name = rng.permutation(M.shape[1])  # node n gets the number name[n]
        back = np.argsort(name)
        shuffles = [kinds[kind][rng.integers(len(kinds[kind]))] for kind in order]
        cases.append((M[rng.permutation(len(M))][:, back], [name[s[back]] for s in shuffles]))
    return cases


fair_control = Graded(
    title="a fair control",
    reference=_fair_control,
    cases=_truths_and_shuffles,
    mistakes={
        "you took the first shuffle as it came. It may give the true pathways: go on to one that does not.": (
            lambda M, shuffles: M[:, shuffles[0]]
        ),
        "you asked only whether the shuffle moves a node. Nodes with the same memberships may change places, and "
        "nothing has changed: compare pathways.": _first(lambda M, control, s: (s != np.arange(len(s))).any()),
        "you compared row by row. The true pathways in another order are the true pathways: compare them as sets.": (
            _first(lambda M, control, s: not np.array_equal(M, control))
        ),
        "you turned the shuffle round. Node i gets the memberships of node shuffle[i]: column i is M[:, shuffle[i]].": (
            _first(_is_fair, lambda M, s: M[:, np.argsort(s)])
        ),
        "you asked that no true pathway survive. A fair shuffle may keep one, only not all of them.": (
            _first(lambda M, control, s: not _survivors(M, control))
        ),
        "you asked that no two nodes stay together. A fair shuffle may keep true pairs; who sorts them out picks "
        "shuffles that are less like the truth than chance is.": (
            _first(lambda M, control, s: not _pairs_kept(M, control))
        ),
        "you asked that every node move. A fair shuffle may leave nodes where they are.": (
            _first(lambda M, control, s: _is_fair(M, control) and _moves_every_node(M, control, s))
        ),
        "you gave every node one pathway, so the overlap is gone. Move whole columns: a node may be in several "
        "pathways, or in none.": _one_pathway_each,
        "you took the last fair shuffle. Take the first: who picks among fair shuffles picks a result.": (
            lambda M, shuffles: _fair_control(M, shuffles[::-1])
        ),
        "this is the shuffle. Return the membership that it gives, (P, N).": (
            lambda M, shuffles: next(s for s in shuffles if _is_fair(M, M[:, s]))
        ),
    },
)

# A similarity


def _centred(a):
    return a - a.mean(0)


def _cka(a):
    """a (B, N, C) -> (N, N): linear CKA, 0 for nodes that do not vary."""
    return _cka_with()(a)


def _norm(products):
    """The Frobenius norm of the matrices (..., C, C)."""
    return np.sqrt(np.square(products).sum((-2, -1)))


def _cka_with(centre=_centred, norm=_norm, power=2, own=lambda X: np.einsum("bnc,bnd->ncd", X, X)):
    """CKA that centres otherwise, has another norm, or another power in numerator and denominator."""

    def similarity(a):
        X = centre(a)
        cross = norm(np.einsum("bnc,bmd->nmcd", X, X))  # (N, N)
        size = norm(own(X))  # (N,)
        scale = np.outer(size, size) ** (power / 2)
        return np.divide(cross**power, scale, out=np.zeros_like(scale), where=scale > 1e-12)

    return similarity


def _cosine(X):
    """X (B, N, C) -> the cosine of all that a node did, channel by channel."""
    flat = X.swapaxes(0, 1).reshape(X.shape[1], -1)
    products = flat @ flat.T
    size = np.sqrt(np.diag(products))
    scale = np.outer(size, size)
    return np.divide(products, scale, out=np.zeros_like(scale), where=scale > 1e-12)


def _standardized(a):
    X = _centred(a)
    std = X.std(0)
    return np.divide(X, std, out=np.zeros_like(X), where=std > 1e-12)


def _correlation(a):
    return np.corrcoef(a.swapaxes(0, 1).reshape(a.shape[1], -1))


def _samples_with_samples(a):
    X = _centred(a)
    cross = _norm(np.einsum("bnc,dmc->nmbd", X, X))
    size = _norm(np.einsum("bnc,dnc->nbd", X, X))
    scale = np.outer(size, size)
    return np.divide(cross**2, scale, out=np.zeros_like(scale), where=scale > 1e-12)


def _where_constant(value, diagonal_only=False):
    """CKA with another number for pairs with a node that does not vary."""

    def similarity(a):
        constant = (a == a[0]).all((0, 2))
        chosen = np.diag(constant) if diagonal_only else constant[:, None] | constant
        return np.where(chosen, value, _cka(a))

    return similarity


def _of_channel_means(a):
    return np.square(_cosine(_centred(a).mean(2, keepdims=True)))


def _spectral(products):
    return np.linalg.norm(products, 2, axis=(-2, -1))


def _activations(seed):
    """Nodes that share some of their signals, each in a basis of its own and at its own level; two do not vary."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, N, C in [(8, 5, 3), (12, 6, int(rng.integers(4, 6)))]:
        signals = rng.standard_normal((B, 1, C)) * np.linspace(1.5, 0.5, C)
        a = signals * rng.uniform(0.4, 1, (N, C)) + 0.6 * rng.standard_normal((B, N, C))
        bases = np.linalg.qr(rng.standard_normal((N, C, C)))[0]
        a = np.einsum("bnc,ncd->bnd", a, bases) + rng.uniform(0.5, 2, (N, C))
        a[:, :2] = 0.5, *[0.25] * (C - 1)
        cases.append((a[:, rng.permutation(N)],))
    return cases


cka = Graded(
    title="similarity in any basis",
    reference=_cka,
    cases=_activations,
    tolerance=1e-4,
    mistakes={
        "you did not centre. Subtract each channel's mean over the batch, or levels make nodes alike.": (
            _cka_with(lambda a: a)
        ),
        "you centred over the channels of a sample. The mean runs over the batch, each channel of each node for "
        "itself.": _cka_with(lambda a: a - a.mean(2, keepdims=True)),
        "you took one mean for all nodes. Each channel of each node has its own.": (
            _cka_with(lambda a: a - a.mean((0, 1)))
        ),
        "this is the cosine, channel by channel. Renumber one node's channels and it changes: compare all channels of "
        "one node with all of the other.": lambda a: _cosine(_centred(a)),
        "this is the raw cosine, channel by channel and not centred. Centre, and compare all channels of one node with "
        "all of the other.": _cosine,
        "this is the correlation of all that two nodes did, with one mean for all channels of a node. Each channel has "
        "its own, and meets all channels of the other node.": _correlation,
        "this is the squared correlation of the channel means. What channels do in opposite ways is lost: compare all "
        "channels of one node with all of the other.": _of_channel_means,
        "you standardised each channel. Then it matters along which axes a node's channels lie: centre, no more.": (
            _cka_with(_standardized)
        ),
        "your numerator is not squared. Without the square numerator and denominator are of different kinds: loud "
        "nodes come out small.": (
            lambda a: np.divide(
                _cka(a), _numerator(a), out=np.zeros_like(_cka(a)), where=_numerator(a) > 1e-12
            )
        ),
        "this is the root of CKA. The numerator is squared, the norms in the denominator are not under a root.": (
            _cka_with(power=1)
        ),
        "you divided by the squared norms of X and Y. The norm of X^T X is that of a (C, C) matrix, and smaller: with "
        "itself a node would not have 1.": _cka_with(own=lambda X: np.square(X).sum((0, 2))[:, None, None]),
        "your norm is the largest singular value. The Frobenius norm is the root of the sum of all squared entries.": (
            _cka_with(norm=_spectral)
        ),
        "you multiplied samples with samples, X Y^T. Then channel c meets only channel c: take X^T Y, channels with "
        "channels.": _samples_with_samples,
        "0/0: a node that does not vary gives NaN. It has 0 with every node, itself included.": _where_constant(np.nan),
        "a node that does not vary has 1 with itself in your answer. It has 0 there too: it says nothing.": (
            _where_constant(1.0, diagonal_only=True)
        ),
    },
)  # fmt: skip


def _numerator(a):
    X = _centred(a)
    return _norm(np.einsum("bnc,bmd->nmcd", X, X))


# The null


def _beyond_chance(S, M, shuffles):
    gap, gaps = _gap(S, M), _null(S, M, shuffles)
    return gap, (1 + (gaps >= gap).sum()) / (1 + len(gaps))


def _gap(S, M):
    """``told_gap`` without its checks, which take most of the time of a thousand small matrices."""
    told = M.any(0)
    counted = np.triu(told[:, None] & told, k=1)
    return _means(S, counted & _together(M), counted & ~_together(M))


def _null(S, M, shuffles):
    return np.array([_gap(S, M[:, s]) for s in shuffles])


def _p(value):
    """The right gap, and ``value(gap, gaps of the shuffles)`` for p."""
    return lambda S, M, shuffles: (_gap(S, M), value(_gap(S, M), _null(S, M, shuffles)))


def _share(chosen):
    return (1 + chosen.sum()) / (1 + len(chosen))


def _with_gap(gap):
    """Another gap throughout."""

    def answer(S, M, shuffles):
        own, gaps = gap(S, M), np.array([gap(S, M[:, s]) for s in shuffles])
        return own, _share(gaps >= own)

    return answer


def _means(S, same, other):
    return S[same].mean() - S[other].mean()


def _together(M):
    """(N, N): whether two nodes share a pathway."""
    return M.T @ M > 0


def _gap_with_self(S, M):
    told = M.any(0)
    return _means(S, _together(M), (told[:, None] & told) & ~_together(M))


def _gap_of_all_nodes(S, M):
    i, j = np.triu_indices(len(S), k=1)
    same = _together(M)[i, j]
    return _means(S[i, j], same, ~same)


def _gap_pathway_by_pathway(S, M):
    told = M.any(0)
    i, j = np.triu_indices(len(S), k=1)
    other = (told[:, None] & told & ~_together(M))[i, j]
    within = [S[i, j][(row[i] > 0) & (row[j] > 0)] for row in M]
    return np.concatenate(within).mean() - S[i, j][other].mean()


def _rows_only(S, M, shuffles):
    gap = _gap(S, M)
    return gap, _share(np.array([_gap(S[s], M) for s in shuffles]) >= gap)


def _similarities_moved(S, M, shuffles):
    gap = _gap(S, M)
    return gap, _share(np.array([_gap(S[s][:, s], M) for s in shuffles]) >= gap)


@cache
def _similarities_and_shuffles(seed):
    """Overlapping pathways that are seen, but not well. Some shuffles give them again; values are multiples of 1/64,
    so that equal gaps are equal to the last bit in whatever order they are added up."""
    rng = np.random.default_rng(seed)
    cases = []
    while len(cases) < 3:
        shape = len(cases) % 2
        M = _membership(*_SHAPES[shape])
        N = M.shape[1]
        noise = rng.uniform(0, 0.7, (N, N))
        S = np.round(64 * (0.1 * _together(M) + (noise + noise.T) / 2)) / 64
        S[np.diag_indices(N)] = 1
        kinds = _kinds(shape)
        again = [kinds["same"][0], kinds["twins"][0], kinds["mirror"][0]][: rng.integers(2, 4)]
        shuffles = np.array(again + [rng.permutation(N) for _ in range(int(rng.integers(25, 35)))])
        shuffles, order = rng.permutation(shuffles), rng.permutation(N)
        back = np.argsort(order)
        S, M, shuffles = S[back][:, back], M[:, back], order[shuffles[:, back]]
        gap, gaps = _gap(S, M), _null(S, M, shuffles)
        reached = (gaps >= gap).sum()
        counts = [reached, (gaps > gap).sum(), (abs(gaps) >= gap).sum(), (gaps <= gap).sum()]
        if reached >= 4 and all(abs(count - reached) > 1 for count in counts[1:]):
            for answer in (_rows_only, _similarities_moved):
                counts.append(round(answer(S, M, shuffles)[1] * (1 + len(gaps))) - 1)
            if len(set(counts)) == 6 and all(abs(count - reached) > 1 for count in counts[1:]):
                cases.append((S, M, shuffles))
    return cases


beyond_chance = Graded(
    title="beyond chance",
    reference=_beyond_chance,
    cases=_similarities_and_shuffles,
    tolerance=1e-4,
    mistakes={
        "you left the observed pathways out of the count. They are one way to draw pathways too: "
        "(1 + count) / (1 + R), which is never 0.": _p(lambda gap, gaps: (gaps >= gap).mean()),
        "you counted the observed pathways among the shuffles, but not among those that reach the gap. Add 1 above the "
        "line too.": _p(lambda gap, gaps: (gaps >= gap).sum() / (1 + len(gaps))),
        "you added 1 to the count and not to the number of shuffles. Add it below the line too, or p can be above 1.": (
            _p(lambda gap, gaps: (1 + (gaps >= gap).sum()) / len(gaps))
        ),
        "a gap that is equal does not count in your answer. A shuffle may give the true pathways again: count all "
        "that are *at least* as large.": _p(lambda gap, gaps: _share(gaps > gap)),
        "you counted the shuffles whose gap is smaller. p is the share that does as well, or better.": (
            _p(lambda gap, gaps: _share(gaps <= gap))
        ),
        "this is 1 - p. Count the shuffles that do at least as well.": _p(lambda gap, gaps: 1 - _share(gaps >= gap)),
        "your test is two-sided. Far below 0 is not what we ask for: count gaps at least as large, with their sign.": (
            _p(lambda gap, gaps: _share(abs(gaps) >= gap))
        ),
        "you doubled p. Far below 0 is not what we ask for: count gaps at least as large, once.": (
            _p(lambda gap, gaps: min(1.0, 2 * _share(gaps >= gap)))
        ),
        "this is the count. Add 1, and divide by 1 + R.": _p(lambda gap, gaps: (gaps >= gap).sum()),
        "this is a z score. Its p-value would need gaps that are normally distributed: count instead.": (
            _p(lambda gap, gaps: (gap - gaps.mean()) / gaps.std())
        ),
        "this is a p-value of the normal distribution. Gaps of shuffles need not follow it: count instead.": (
            _p(lambda gap, gaps: stats.norm.sf((gap - gaps.mean()) / gaps.std()))
        ),
        "this is the mean gap of the shuffles. Count how many of them are at least as large as the observed one.": (
            _p(lambda gap, gaps: gaps.mean())
        ),
        "you shuffled the rows of the similarity only, and its diagonal is not where it was. Shuffle the memberships, "
        "M[:, shuffle].": _rows_only,
        "you moved the similarities by the shuffle, which turns it round. Node i gets the memberships of node "
        "shuffle[i]: shuffle the memberships, M[:, shuffle].": _similarities_moved,
        "a node makes a pair with itself in your gap. Leave the diagonal out.": _with_gap(_gap_with_self),
        "nodes that are in no pathway are in your gap. Leave them out; `told_gap` does.": _with_gap(_gap_of_all_nodes),
        "a pair that shares two pathways counts twice in your gap. It is one pair.": (
            _with_gap(_gap_pathway_by_pathway)
        ),
    },
)  # fmt: skip

# An interval


def _differences(arm, other):
    """Of the seeds that both have."""
    return np.array([arm[seed] - other[seed] for seed in sorted(arm.keys() & other.keys())])


def _paired_interval(arm, other):
    return _around(_differences(arm, other))


def _around(d, factor=None, ddof=1, root=True):
    """mean - and + factor * s / sqrt(n), the factor that of t with n - 1 degrees of freedom unless given."""
    factor = stats.t.ppf(0.975, len(d) - 1) if factor is None else factor
    half = factor * d.std(ddof=ddof) / (np.sqrt(len(d)) if root else 1)
    return d.mean() - half, d.mean() + half


def _interval_of(differences=_differences, **options):
    return lambda arm, other: _around(differences(arm, other), **options)


def _t_factor(quantile, more=-1):
    return lambda arm, other: _around(
        (d := _differences(arm, other)), factor=stats.t.ppf(quantile, len(d) + more)
    )  # fmt: skip


def _as_they_stand(arm, other):
    return np.array([a - b for a, b in zip(arm.values(), other.values())])


def _by_rank(arm, other):
    return np.array([a - b for a, b in zip(sorted(arm.values()), sorted(other.values()))])


def _missing_as_zero(arm, other):
    return np.array([arm.get(seed, 0.0) - other.get(seed, 0.0) for seed in sorted(arm.keys() | other.keys())])


def _two_samples(of, equal_var=False):
    """The interval of two groups that share nothing, of all their seeds or of those that both have."""

    def answer(arm, other):
        result = stats.ttest_ind(*of(arm, other), equal_var=equal_var).confidence_interval(0.95)
        return result.low, result.high

    return answer


def _all(arm, other):
    return np.array([*arm.values()]), np.array([*other.values()])


def _both(arm, other):
    common = sorted(arm.keys() & other.keys())
    return np.array([arm[s] for s in common]), np.array([other[s] for s in common])


def _of_all_seeds(arm, other):
    d = _differences(arm, other)
    n = len(arm.keys() | other.keys())
    half = stats.t.ppf(0.975, n - 1) * d.std(ddof=1) / np.sqrt(n)
    return d.mean() - half, d.mean() + half


def _two_arms(seed):
    """A level that the arms of a seed share; seeds in another order in each arm, and some missing in one of them."""
    rng = np.random.default_rng(seed)
    cases = []
    for n, offset in [(6, 0.3), (7, -0.2), (9, 0.1)]:
        seeds = rng.choice(100, n + 3, replace=False)
        level = dict(zip(seeds.tolist(), rng.uniform(0, 4, n + 3)))
        own = [{s: slope * x + rng.normal(0, 0.3) for s, x in level.items()} for slope in (0.6, 1)]
        gone = seeds[:1], seeds[1:3]  # one seed of the first arm, two of the second
        arms = []
        for values, lost in zip(own, gone):
            kept = [s for s in rng.permutation(seeds).tolist() if s not in lost]
            arms.append({s: round(values[s] + (offset if not arms else 0), 3) for s in kept})
        cases.append(tuple(arms))
    return cases


paired_interval = Graded(
    title="a paired interval",
    reference=_paired_interval,
    cases=_two_arms,
    tolerance=5e-4,
    mistakes={
        "you paired the values as they stand. The seeds are in another order in each arm, and not all are in both: "
        "pair the values of the same seed.": _interval_of(_as_they_stand),
        "you sorted the values. Then the smallest meets the smallest: pair the values of the same seed.": (
            _interval_of(_by_rank)
        ),
        "a seed that is missing in one arm counts as 0 there. It makes no pair: leave it out.": (
            _interval_of(_missing_as_zero)
        ),
        "you treated the arms as two groups that share nothing, each with all its seeds. A seed's arms share data and "
        "start: take the differences within a seed.": _two_samples(_all),
        "you treated the arms as two groups that share nothing. A seed's arms share data and start: take the "
        "differences within a seed.": _two_samples(_both),
        "you treated the arms as two groups of one variance. A seed's arms share data and start: take the differences "
        "within a seed.": _two_samples(_both, equal_var=True),
        "this is where single seeds lie. For their mean divide s by the root of n.": _interval_of(root=False),
        "this is the mean and one standard error on each side, an interval of about 65%. Take the quantile of t.": (
            _interval_of(factor=1)
        ),
        "you took the quantile of the normal distribution. s is estimated, from few seeds: take that of t.": (
            _interval_of(factor=stats.norm.ppf(0.975))
        ),
        "you took n degrees of freedom. The mean was estimated too: n - 1.": _t_factor(0.975, 0),
        "you took the quantile 0.95, and so a 90% interval. Of the 5% outside, half lies on each side: 0.975.": (
            _t_factor(0.95)
        ),
        "you divided by n in s. The mean was estimated from the same differences: n - 1, ddof=1.": _interval_of(ddof=0),
        "your n is the number of all seeds. It is the number of pairs.": _of_all_seeds,
        "these are the smallest and the largest difference. The interval is of their mean.": (
            lambda arm, other: (_differences(arm, other).min(), _differences(arm, other).max())
        ),
        "these are the mean and half the width. Return the ends, mean minus and mean plus half the width.": (
            lambda arm, other: ((x := _paired_interval(arm, other))[0] / 2 + x[1] / 2, (x[1] - x[0]) / 2)
        ),
        "your sign is turned: arm minus other.": lambda arm, other: _paired_interval(other, arm),
    },
)  # fmt: skip

# A verdict


def _as_gain(interval, less_is_better):
    low, high = interval
    return (-high, -low) if less_is_better else (low, high)


def _conclude(versus_baseline, versus_control, margin, less_is_better):
    low, high = _as_gain(versus_baseline, less_is_better)
    if low > 0:
        return "pathways" if _as_gain(versus_control, less_is_better)[0] > 0 else "smoother"
    if high < 0:
        return "harms"
    return "does not help" if high < margin else "can't tell"


def _rule(word, turn=_as_gain):
    """A conclusion with another rule ``word(low, high, margin)`` for one interval, or turned otherwise."""

    def answer(versus_baseline, versus_control, margin, less_is_better):
        found = word(*turn(versus_baseline, less_is_better), margin)
        if found == "helps":
            return "pathways" if word(*turn(versus_control, less_is_better), margin) == "helps" else "smoother"
        return found

    return answer


def _word(low, high, margin):
    return "helps" if low > 0 else "harms" if high < 0 else "does not help" if high < margin else "can't tell"


def _by_the_middle(low, high, margin):
    middle = (low + high) / 2
    return "harms" if middle < 0 else "does not help" if middle < margin else "helps"


def _absence(low, high, margin):
    return "helps" if low > 0 else "harms" if high < 0 else "does not help"


def _no_margin(low, high, margin):
    return "helps" if low > 0 else "harms" if high < 0 else "can't tell"


def _equivalent(low, high, margin):
    return "helps" if low > 0 else "harms" if high < 0 else "does not help" if -margin < low and high < margin else (
        "can't tell"
    )  # fmt: skip


def _middle_below_margin(low, high, margin):
    return (
        "helps" if low > 0 else "harms" if high < 0 else "does not help" if (low + high) / 2 < margin else "can't tell"
    )


def _beyond_margin(low, high, margin):
    return "helps" if low > margin else "harms" if high < 0 else "does not help" if high < margin else "can't tell"


def _margin_first(low, high, margin):
    return "does not help" if high < margin else "helps" if low > 0 else "can't tell"


def _small_is_none(low, high, margin):
    return "harms" if high < 0 else "does not help" if high < margin else "helps" if low > 0 else "can't tell"


def _no_harm(low, high, margin):
    return "helps" if low > 0 else "does not help" if high < margin else "can't tell"


def _changed(**words):
    """The right conclusion with other words."""
    return lambda *case: words.get(_conclude(*case), _conclude(*case))


def _control_enough(versus_baseline, versus_control, margin, less_is_better):
    helps = _as_gain(versus_control, less_is_better)[0] > 0
    return "pathways" if helps else _conclude(versus_baseline, versus_control, margin, less_is_better)


def _control_by_the_middle(versus_baseline, versus_control, margin, less_is_better):
    found = _conclude(versus_baseline, versus_control, margin, less_is_better)
    if found in ("pathways", "smoother"):
        return "pathways" if sum(_as_gain(versus_control, less_is_better)) > 0 else "smoother"
    return found


def _control_unless_worse(versus_baseline, versus_control, margin, less_is_better):
    """As if 'smoother' needed proof: only a control that is shown to be better makes it one."""
    found = _conclude(versus_baseline, versus_control, margin, less_is_better)
    if found in ("pathways", "smoother"):
        return "smoother" if _as_gain(versus_control, less_is_better)[1] < 0 else "pathways"
    return found


def _intervals(seed):
    """Every kind of interval beside every kind of control, for an error and for a score."""
    rng = np.random.default_rng(seed)
    margin = round(float(rng.uniform(0.01, 0.05)), 3)
    kinds = [
        (1.5, 3), (0.4, 2.6), (0.2, 0.8),  # above 0: beyond the margin, across it, below it
        (-2.5, -0.5), (-0.8, -0.3),  # below 0
        (-0.6, 0.7), (-0.4, 0.8), (-2.6, 0.5),  # across 0, and below the margin
        (-0.5, 3), (-0.6, 1.7), (-2, 1.3), (-1.5, 4),  # across 0 and the margin
    ]  # fmt: skip
    controls = [(0.3, 2), (-0.4, 2), (-2, 0.4), (-1.5, -0.4)]
    cases = []
    for gain in kinds:
        for control in controls:
            for less_is_better in (False, True):
                pair = [np.array(x) * margin * rng.uniform(0.95, 1.05) for x in (gain, control)]
                pair = [tuple(float(v) for v in (-x[::-1] if less_is_better else x)) for x in pair]
                cases.append((*pair, margin, less_is_better))
    return [cases[k] for k in rng.permutation(len(cases))]


conclude = Graded(
    title="a verdict by rule",
    reference=_conclude,
    cases=_intervals,
    mistakes={
        "you did not ask which direction is better. Of an error less is better: a difference below 0 is a gain.": (
            _rule(_word, turn=lambda interval, less: interval)
        ),
        "you took less for better throughout. It is so only where less_is_better is true.": (
            _rule(_word, turn=lambda interval, less: _as_gain(interval, True))
        ),
        "your directions are the wrong way round: where less_is_better is true turn the interval, else leave it.": (
            _rule(_word, turn=lambda interval, less: _as_gain(interval, not less))
        ),
        "you turned the signs and not the ends. The gain's interval is (-high, -low): its low end is minus the high "
        "one.": _rule(_word, turn=lambda interval, less: (-interval[0], -interval[1]) if less else interval),
        "you turned the interval against the baseline, and not that against the control. Both are of one metric.": (
            lambda b, c, margin, less: _conclude(_as_gain(b, less), c, margin, False)
        ),
        "you turned the margin with the error. It is a size: compare it with the high end of the *gain*.": (
            lambda b, c, margin, less: _conclude(b, c, -margin if less else margin, less)
        ),
        "you judged by the middle of the interval. That is the mean again: only the whole interval shows something.": (
            _rule(_by_the_middle)
        ),
        "you took absence of evidence for evidence of absence. An interval across 0 that also reaches beyond the "
        "margin leaves both open: \"can't tell\".": _rule(_absence),
        "your answer is never 'does not help'. If the whole interval lies below the margin, a gain would be too small "
        "to matter, and that is known.": _rule(_no_margin),
        "your margin has two sides. To say that it does not help only a gain has to be ruled out: high < margin.": (
            _rule(_equivalent)
        ),
        "you compared the middle with the margin. A gain is ruled out only if the high end lies below it.": (
            _rule(_middle_below_margin)
        ),
        "'helps' needs more than the margin in your answer. By the rule it needs a low end above 0.": (
            _rule(_beyond_margin)
        ),
        "you asked for the margin first, so what helps a little, or harms, 'does not help'. The first line that fits "
        "counts, in the order of the rule.": _rule(_margin_first),
        "a gain that is small 'does not help' in your answer. By the rule it helps if the whole interval lies above "
        "0.": _rule(_small_is_none),
        "harm is not in your answer. If the whole interval of the gain lies below 0, it harms: say so.": (
            _rule(_no_harm)
        ),
        "you did not ask the control. A gain that any grouping may bring is a smoother's.": (
            _changed(smoother="pathways")
        ),
        "better than the control was enough for you. A prior that is not ahead of the baseline has shown no gain.": (
            _control_enough
        ),
        "you judged the control by the middle of its interval. There too only the whole interval counts.": (
            _control_by_the_middle
        ),
        "'smoother' needs a control that is ahead in your answer. It is for the pathways to be shown, against the "
        "control too.": _control_unless_worse,
    },
)  # fmt: skip
