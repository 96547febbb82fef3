"""The graded exercises of assignment 2, simulation."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.checks.diagnosis import Graded
from gsnn_tutorial.simulation import cosine, half_square, tanh


def _names(rng, N):
    """N names in no order."""
    return [f"g{code}" for code in rng.permutation(100)[:N]]


# Levels: in which order nodes can be computed


def _levels(parents):
    level = {}

    def of(node):
        if node not in level:
            level[node] = 1 + max(map(of, parents[node])) if parents[node] else 0
        return level[node]

    return [of(node) for node in parents]


def _by_rule(rule):
    """Level 0 without parents, else ``rule`` of the parents' levels, in the order in which they are listed."""

    def answer(parents):
        def of(node):
            return rule([of(parent) for parent in parents[node]]) if parents[node] else 0

        return [of(node) for node in parents]

    return answer


def _one_pass(parents):
    level = {}
    for node in parents:
        level[node] = 1 + max(level.get(parent, 0) for parent in parents[node]) if parents[node] else 0
    return list(level.values())


def _ancestors(parents):
    def of(node):
        return set(parents[node]).union(*map(of, parents[node]))

    return [len(of(node)) for node in parents]


def _edges_to_the_end(parents):
    return _levels({node: [child for child in parents if node in parents[child]] for node in parents})


def _places(parents):
    """Each node's place in a list that has parents before children."""
    level = dict(zip(parents, _levels(parents)))
    return [sorted(parents, key=level.get).index(node) for node in parents]


def _listings(seed):
    """Skips and a diamond; the parent of the highest level is listed in the middle, and a late node comes first."""
    rng = np.random.default_rng(seed)
    cases = []
    for extra in (0, int(rng.integers(2, 4))):
        r, q, a, b, c, d, e, *more = names = _names(rng, 7 + extra)
        wiring = {r: [], q: [], a: [r], b: [q, a, r], c: [b], d: [r, c, a], e: [c, d, a]}
        for k, node in enumerate(more):
            wiring[node] = [names[i] for i in rng.permutation(7 + k)[:2]]
        order = [e, *(name for name in rng.permutation(names).tolist() if name != e)]
        cases.append(({node: {parent: int(rng.choice([-1, 1])) for parent in wiring[node]} for node in order},))
    return cases


levels = Graded(
    title="levels",
    reference=_levels,
    cases=_listings,
    mistakes={
        "you took the shortest path from a node without parents. A node must wait for its last parent: 1 + the "
        "*largest* level of a parent.": _by_rule(lambda of: 1 + min(of)),
        "you went through the dict once. A node may be listed before its parents, whose level is not known by then: "
        "compute it first, or go through the dict again until nothing changes.": _one_pass,
        "you looked at the first parent only. Take the largest level of all parents.": _by_rule(lambda of: 1 + of[0]),
        "you looked at the last parent only. Take the largest level of all parents.": _by_rule(lambda of: 1 + of[-1]),
        "you added up the levels of the parents. Take the largest.": _by_rule(lambda of: 1 + sum(of)),
        "these are numbers of parents. The level is the number of edges on the longest path from a node without "
        "parents.": lambda parents: [len(of) for of in parents.values()],
        "these are numbers of ancestors. Ancestors may have the same level, so the edges of a path count.": (
            _ancestors
        ),
        "these are edges to the end, along the children. Levels are counted from the nodes without parents.": (
            _edges_to_the_end
        ),
        "these are places in a list, 0 to N - 1. Nodes that wait for nothing more than others do share their level.": (
            _places
        ),
        "your levels begin at 1. A node without parents has level 0.": (
            lambda parents: [1 + level for level in _levels(parents)]
        ),
        "your levels are sorted. Return them in the order in which the dict lists the nodes.": (
            lambda parents: sorted(_levels(parents))
        ),
        "this is a dict. Return a list with the levels, in the order in which the dict lists the nodes.": (
            lambda parents: dict(zip(parents, _levels(parents)))
        ),
    },
)

# A special function, all samples at once


def _strongest(parents):
    return np.array([max(sample, key=abs) for sample in zip(*parents)])  # (B,)


def _rows_of_the_strongest(parents):
    return np.stack(parents)[np.abs(parents).argmax(axis=0)]  # (B, B)


def _first_one_everywhere(parents):
    """The parent that is strongest in the first sample, for all samples."""
    return parents[int(np.argmax([abs(parent[0]) for parent in parents]))]


def _loudest_parent(parents):
    return max(parents, key=lambda parent: np.abs(parent).mean())


def _sign_of_the_sum(parents):
    return np.abs(parents).max(0) * np.sign(np.sum(parents, 0))


def _largest_and_smallest(parents):
    """The largest where the sum is above 0, else the smallest."""
    return np.where(np.sum(parents, 0) > 0, np.max(parents, 0), np.min(parents, 0))


def _parents_of_a_node(seed):
    """Two to four parents. In two samples the strongest stands against the sum of the others; in the first sample
    it is not the one that is strongest on average."""
    rng = np.random.default_rng(seed)
    cases = []
    for K, B in [(3, 7), (2, 5), (4, int(rng.integers(8, 11)))]:
        parents = rng.standard_normal((K, B))
        if K > 2:
            against = np.array([[-2.5, -1.2], [1.9, 1.7], *[[1.6, -1.1]] * (K - 2)])
            parents[:, :2] = against[rng.permutation(K)] * rng.uniform(0.95, 1.05, (K, 2))
        order = rng.permutation(B)
        loudest = np.abs(parents).mean(1).argmax()
        other = np.abs(parents).argmax(0)[order] != loudest
        order = np.concatenate([order[other], order[~other]])
        cases.append((list(parents[:, order]),))
    return cases


strongest = Graded(
    title="the strongest parent",
    reference=_strongest,
    cases=_parents_of_a_node,
    mistakes={
        "this is one number, the strongest of all parents and all samples. Without an axis, NumPy reduces over both: "
        "axis 0 of np.stack(parents) is the parents.": lambda parents: max(np.concatenate(parents), key=abs),
        "this is one number, the largest of all parents and all samples. np.max(parents) reduces over both: axis 0 of "
        "np.stack(parents) is the parents, and the strongest is the largest in size.": lambda parents: np.max(parents),
        "you reduced over the samples, and return a number for each parent. Reduce over the parents, axis 0 of "
        "np.stack(parents).": lambda parents: _strongest(np.stack(parents).T),
        "this is the largest parent. The strongest is the one farthest from 0, and may be negative.": (
            lambda parents: np.max(parents, axis=0)
        ),
        "this is the size of the strongest parent. Its sign is missing.": lambda parents: np.abs(parents).max(0),
        "this is the weakest parent, the nearest to 0.": lambda parents: np.array(
            [min(s, key=abs) for s in zip(*parents)]
        ),
        "this is the number of the strongest parent. Return its value.": lambda parents: np.abs(parents).argmax(0),
        "your answer is (B, B): an array of indices in the first place picks whole rows. Say which sample too: "
        "stacked[index, np.arange(B)].": _rows_of_the_strongest,
        "you chose one parent for all samples, the strongest on average. Each sample has its own strongest parent.": (
            _loudest_parent
        ),
        "you chose one parent for all samples, the strongest of the first one. Each sample has its own strongest "
        "parent.": _first_one_everywhere,
        "you took the sign of the sum. The strongest parent has a sign of its own, whatever the others say together.": (
            _sign_of_the_sum
        ),
        "you took the largest where the sum is above 0, else the smallest. The strongest may stand against the others: "
        "compare sizes.": _largest_and_smallest,
    },
)

# The structural causal model


def _scm(parents, functions, z, sigma):
    value = {}
    for k, (node, signs) in enumerate(parents.items()):
        if not signs:
            value[node] = z[:, k]
            continue
        if node in functions:
            mean = functions[node]([value[parent] for parent in signs])
        else:
            mean = sum(sign * value[parent] for parent, sign in signs.items())
        value[node] = mean + sigma * z[:, k]
    return np.stack([value[node] for node in parents], axis=1)  # (B, N)


def _scm_with(parents, functions, z, sigma, *, root=1.0, add=sum, apply=None, noise=None, order=None, pass_on="value"):
    """The model with one thing another way: what a root gets, how parents are added, how a function is applied,
    the noise of a node, the order of its parents, and whether its mean or its value is passed on."""
    mean, value = {}, {}
    for k, (node, signs) in enumerate(parents.items()):
        own = (noise or (lambda node, e: e))(node, sigma * z[:, k])
        if not signs:
            mean[node] = value[node] = (sigma if root == "sigma" else root) * z[:, k]
            continue
        heard = mean if pass_on == "mean" else value
        these = sorted(signs, key=order(parents).index) if order else list(signs)
        if node in functions:
            given = [heard[parent] for parent in these]
            mean[node] = apply(functions[node], given, own) if apply else functions[node](given)
        else:
            mean[node] = add([signs[parent] * heard[parent] for parent in these]) + 0 * z[:, k]
        value[node] = mean[node] + (0 if apply == _noise_inside and node in functions else own)
    return np.stack([value[node] for node in parents], axis=1)


def _noise_inside(function, given, own):
    return function([parent + own for parent in given])


def _scms(**how):
    return lambda *case: _scm_with(*case, **how)


def _without_signs(parents, *rest):
    return _scm({node: dict.fromkeys(signs, 1) for node, signs in parents.items()}, *rest)


def _contrast(parents):
    """Not the same in another order."""
    return np.tanh(parents[0] - sum(parents[1:]))


def _models(seed):
    """Roots between other nodes, a diamond, a skip, signs, and two special functions, one of them on noisy parents."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, sigma in [(6, rng.uniform(0.3, 0.7)), (4, rng.uniform(1.4, 1.9))]:
        q, r, first, root, u, v, second, w = _names(rng, 8)
        parents = {q: {}, r: {}, first: {r: 1, q: 1}, root: {}, u: {q: 1, first: -1}, v: {first: 1, u: -1}}
        parents |= {second: {root: 1, v: 1, first: 1}, w: {second: 1, v: -1, u: 1}}
        functions = {first: _contrast, second: (cosine, half_square, tanh)[rng.integers(3)]}
        cases.append((parents, functions, rng.standard_normal((B, 8)), float(sigma)))
    return cases


scm = Graded(
    title="structural causal model",
    reference=_scm,
    cases=_models,
    mistakes={
        "nodes without parents were scaled by sigma. They are standard normal: their column of z as it is.": (
            _scms(root="sigma")
        ),
        "sigma was squared. It is the standard deviation of the noise, not its variance: multiply by it once.": (
            lambda parents, functions, z, sigma: _scm_with(parents, functions, z, sigma**2)
        ),
        "sigma is missing. Multiply a node's column of z by it.": (
            lambda parents, functions, z, sigma: _scm_with(parents, functions, z, 1.0)
        ),
        "signs were dropped. In the sum each parent counts with the sign of its edge.": _without_signs,
        "the noise of a special node went into its function. It comes after the function: f(parents) + sigma * z.": (
            _scms(apply=_noise_inside)
        ),
        "nodes with a special function have no noise. They have their own like all others that have parents.": (
            lambda parents, functions, z, sigma: _scm_with(
                parents, functions, z, sigma, noise=lambda node, own: 0 * own if node in functions else own
            )
        ),
        "noise is not passed on: children got their parents' means. A node hears its parents as they are, noise "
        "included.": _scms(pass_on="mean"),
        "a special function got the sum of its parents. It takes the list of them, and adds up by itself if it has "
        "to.": _scms(apply=lambda function, given, own: function([sum(given)])),
        "the special functions were not used. A node that is in functions takes its own instead of the sum.": (
            lambda parents, functions, z, sigma: _scm_with(parents, {}, z, sigma)
        ),
        "a special function got its parents in another order. It takes them as parents[node] lists them.": (
            _scms(order=list)
        ),
        "only the last parent is heard: value = ... in a loop over parents replaces what was there. Add them up.": (
            _scms(add=lambda given: given[-1])
        ),
        "parents and samples were added up together: np.sum of a list of arrays is one number. Each sample has its "
        "own sum: np.sum(..., axis=0), or sum().": _scms(add=np.sum),
        "your matrix is transposed: a sample is a row and a node is a column, (B, N).": lambda *case: _scm(*case).T,
    },
)

# Noise that outputs share


def _arrivals(parents, sign=lambda s: s):
    """R[v, o]: how often the noise of node v arrives at node o, signs counted, (N, N); roots have no noise."""
    place = {node: k for k, node in enumerate(parents)}
    R = np.diag([float(bool(signs)) for signs in parents.values()])
    for node, signs in parents.items():
        for parent, s in signs.items():
            R[:, place[node]] += sign(s) * R[:, place[parent]]
    return R


def _of_outputs(C, parents, outputs):
    place = [list(parents).index(node) for node in outputs]
    return C[np.ix_(place, place)]


def _shared_noise(parents, outputs, sigma):
    R = _arrivals(parents)
    return sigma**2 * _of_outputs(R.T @ R, parents, outputs)


def _shared_by(change):
    """The answer with the matrix of arrivals changed."""

    def answer(parents, outputs, sigma):
        R = change(_arrivals(parents), parents)
        return sigma**2 * _of_outputs(R.T @ R, parents, outputs)

    return answer


def _with_noisy_roots(parents, outputs, sigma):
    inputs = {("seen", node): {} for node, signs in parents.items() if not signs}
    noisy = {node: signs or {("seen", node): 1} for node, signs in parents.items()}
    return _shared_noise(inputs | noisy, outputs, sigma)


def _one_step(R, parents):
    """The node's own noise and that of its parents."""
    place = {node: k for k, node in enumerate(parents)}
    near = np.diag(R.diagonal())
    for node, signs in parents.items():
        for parent, s in signs.items():
            near[place[parent], place[node]] = s * R[place[parent], place[parent]]
    return near


def _parents_taken_for_independent(parents, outputs, sigma):
    """Covariances node by node, with the variances of the parents added up and their covariances forgotten."""
    place = {node: k for k, node in enumerate(parents)}
    C = np.zeros((len(parents), len(parents)))
    for k, signs in enumerate(parents.values()):
        for parent, s in signs.items():
            C[k, :k] += s * C[place[parent], :k]
        C[:k, k] = C[k, :k]
        C[k, k] = bool(signs) + sum(C[place[parent], place[parent]] for parent in signs)
    return sigma**2 * _of_outputs(C, parents, outputs)


def _correlation(*case):
    C = _shared_noise(*case)
    std = np.sqrt(C.diagonal())
    return C / std[:, None] / std


def _noisy_nodes(seed):
    """A diamond whose two paths add up, or cancel; outputs in no order, one of them upstream of the others."""
    rng = np.random.default_rng(seed)
    cases = []
    for sign in (1, -1):
        x, a, b, c, d, e, w, f, *more = names = _names(rng, 8 + int(rng.integers(1, 4)))
        parents = {x: {}, a: {x: 1}, b: {a: 1}, c: {a: sign}, d: {b: 1, c: 1}, e: {d: -1, a: 1}}
        parents |= {w: {}, f: {w: -sign, e: 1, a: 1}}
        for k, node in enumerate(more):
            parents[node] = {names[i]: int(rng.choice([-1, 1])) for i in rng.permutation(8 + k)[:2]}
        outputs = [f, d, b] if sign > 0 else [more[-1], d, c, a]
        cases.append((parents, outputs, float(rng.uniform(0.3, 0.6) if sign > 0 else rng.uniform(1.4, 1.9))))
    return cases


shared_noise = Graded(
    title="noise in common",
    reference=_shared_noise,
    cases=_noisy_nodes,
    mistakes={
        "nodes without parents brought noise. They are the inputs, which the prediction knows.": _with_noisy_roots,
        "outputs have nothing in common in your matrix: it is 0 beside the diagonal. The noise of a node that leads to "
        "two outputs reaches both.": lambda *case: np.diag(_shared_noise(*case).diagonal()),
        "only each output's own noise was counted. That of its ancestors arrives too.": (
            _shared_by(lambda R, parents: np.diag(R.diagonal()))
        ),
        "the outputs' own noise is missing. A node's noise arrives at the node itself, once.": (
            _shared_by(lambda R, parents: R - np.diag(R.diagonal()))
        ),
        "only the noise of an output and of its parents was counted. That of their parents arrives too, and so on.": (
            _shared_by(_one_step)
        ),
        "you followed the edges backwards. Noise goes from parents to children: what is missed at an output is that "
        "of its ancestors, not of its descendants.": _shared_by(lambda R, parents: R.T),
        "signs were dropped. Over an edge of sign -1 noise arrives reversed, and two paths may cancel.": (
            lambda parents, outputs, sigma: _shared_noise(
                {node: dict.fromkeys(signs, 1) for node, signs in parents.items()}, outputs, sigma
            )
        ),
        "noise that arrives over several paths was counted once. Add up the paths, signs counted: twice the noise has "
        "four times the variance.": _shared_by(lambda R, parents: np.sign(R)),
        "variances of parents were added up, as if they were independent. Parents that share noise have a covariance: "
        "add up the paths of each node's noise first, then square.": _parents_taken_for_independent,
        "sigma was not squared. A covariance is in squared units.": (
            lambda parents, outputs, sigma: _shared_noise(parents, outputs, sigma) / sigma
        ),
        "sigma is missing: each noise has the variance sigma ** 2.": (
            lambda parents, outputs, sigma: _shared_noise(parents, outputs, 1.0)
        ),
        "these are correlations. Covariances are asked for, with variances on the diagonal.": _correlation,
        "your matrix is about all nodes. Return the rows and columns of the outputs.": (
            lambda parents, outputs, sigma: _shared_noise(parents, list(parents), sigma)
        ),
        "your outputs stand in the order of the graph. Row and column k belong to outputs[k].": (
            lambda parents, outputs, sigma: _shared_noise(parents, [node for node in parents if node in outputs], sigma)
        ),
    },
)

# Noise that goes through a function


def _through(f, s, z, sigma):
    values = np.stack([f(s + sigma * value) for value in z], axis=1)  # (B, M)
    return values.mean(1), values.var(1) + sigma**2


def _swapped(f, s, z, sigma):
    return _through(f, s, z, sigma)[::-1]


def _expected_and(error):
    """The right prediction with another error."""
    return lambda f, s, z, sigma: (_through(f, s, z, sigma)[0], error(f, s, z, sigma))


def _switched_off_and(error):
    """The noise-free run for a prediction, with some error."""
    return lambda f, s, z, sigma: (f(s), error(f, s, z, sigma))


def _error(f, s, z, sigma):
    return _through(f, s, z, sigma)[1]


def _error_of_noise_free(f, s, z, sigma):
    return ((f(s[:, None] + sigma * z) - f(s)[:, None]) ** 2).mean(1) + sigma**2


def _by_slope(f, s, z, sigma):
    slope = (f(s + 1e-4) - f(s - 1e-4)) / 2e-4
    return (slope**2 + 1) * sigma**2


def _over_samples(f, s, z, sigma):
    values = f(s[:, None] + sigma * z)  # (B, M)
    return values.mean(0), values.var(0) + sigma**2


def _sample_variance(f, s, z, sigma):
    return f(s[:, None] + sigma * z).var(1, ddof=1) + sigma**2


def _wavy(x):
    return np.sin(2 * x) + 0.5 * x**2


def _middles(seed):
    """Noise with mean 0, variance 1 and a skew, in front of three functions that bend."""
    rng = np.random.default_rng(seed)
    cases = []
    for f, B, M in [(np.cos, 5, 7), (_wavy, 4, 9), (np.square, int(rng.integers(6, 9)), 4)]:
        z = rng.exponential(size=M)
        z = (z - z.mean()) / z.std()
        cases.append((f, 1.5 * rng.standard_normal(B), z, float(rng.uniform(0.5, 0.8))))
    return cases


through = Graded(
    title="noise through a function",
    reference=_through,
    cases=_middles,
    mistakes={
        "you switched the noise off, and nothing but the last node's noise is left. The noise of the middle node goes "
        "through f: average f(s + sigma * z) over z.": _switched_off_and(lambda f, s, z, sigma: 0 * s + sigma**2),
        "your error is 2 sigma ** 2 and your prediction f(s), as if nothing but sums came after the noise. That of the "
        "middle node goes through f: take mean and variance of f(s + sigma * z) over z.": (
            _switched_off_and(lambda f, s, z, sigma: 0 * s + 2 * sigma**2)
        ),
        "the error is that of a noise-free run, and so is the prediction. The mean of f(s + sigma * z) over z predicts "
        "better than f(s).": _switched_off_and(_error_of_noise_free),
        "your prediction is f(s), with the noise switched off. f bends, so the mean of f(s + sigma * z) over z is "
        "another number.": _switched_off_and(_error),
        "the noise of the last node is missing in the error. It comes on top, sigma ** 2.": (
            _expected_and(lambda f, s, z, sigma: _error(f, s, z, sigma) - sigma**2)
        ),
        "your error is 2 sigma ** 2, which holds if nothing but sums come after a noise. Take the variance of "
        "f(s + sigma * z) over z.": _expected_and(lambda f, s, z, sigma: 0 * s + 2 * sigma**2),
        "your error is the rule of small noise, slope squared times sigma ** 2. Here the noise is not small: take the "
        "variance of f(s + sigma * z) over z.": _expected_and(_by_slope),
        "your error is about f(s). The error of the best prediction is the variance about the mean.": (
            _expected_and(_error_of_noise_free)
        ),
        "your error is a root. Return the expected *squared* error.": (
            _expected_and(lambda *case: np.sqrt(_error(*case)))
        ),
        "your variance divides by M - 1. The M values are all there are, so it divides by M: ddof=0.": (
            _expected_and(_sample_variance)
        ),
        "your error is one number. Return one for each sample, since the noise counts more where f is steep.": (
            _expected_and(lambda *case: _error(*case).mean())
        ),
        "you took mean and variance over the samples. Take them over the M values of the noise, for each sample by "
        "itself.": _over_samples,
        "the noise in the middle was not multiplied by sigma.": lambda f, s, z, sigma: (
            _through(f, s, z, 1.0)[0],
            _through(f, s, z, 1.0)[1] - 1 + sigma**2,
        ),
        "the noise in the middle was multiplied by sigma ** 2. sigma is its standard deviation.": (
            lambda f, s, z, sigma: (
                _through(f, s, z, sigma**2)[0],
                _through(f, s, z, sigma**2)[1] - sigma**4 + sigma**2,
            )
        ),
        "your pair is the wrong way round: first the prediction, then its error.": _swapped,
    },
)

# Floor and ceiling of a draw


def _limits(y_train, y_test, expected):
    squares = np.square(y_test - expected)  # (m, O)
    floor = squares.mean(0) / y_train.var(0, ddof=1)
    ceiling = 1 - squares.sum(0) / np.square(y_test - y_test.mean(0)).sum(0)
    return floor, ceiling


def _floor_by(floor):
    """The right ceiling with another floor."""
    return lambda y_train, y_test, expected: (
        floor(y_train, y_test, expected),
        _limits(y_train, y_test, expected)[1],
    )


def _ceiling_by(ceiling):
    """The right floor with another ceiling."""
    return lambda y_train, y_test, expected: (
        _limits(y_train, y_test, expected)[0],
        ceiling(y_train, y_test, expected),
    )


def _mse(y_test, expected):
    return np.square(y_test - expected).mean(0)


def _scaled(y, by):
    return (y - by.mean(0)) / by.std(0, ddof=1)


def _squared_correlation(y_train, y_test, expected):
    return np.array([np.corrcoef(a, b)[0, 1] ** 2 for a, b in zip(y_test.T, expected.T)])


def _training_mean_as_rival(y_train, y_test, expected):
    return 1 - np.square(y_test - expected).sum(0) / np.square(y_test - y_train.mean(0)).sum(0)


def _draws(seed):
    """Three outputs at levels and scales of their own."""
    rng = np.random.default_rng(seed)
    cases = []
    for n, m in [(9, 6), (int(rng.integers(11, 14)), 8)]:
        level, scale = rng.uniform(-2, 3, 3), rng.permutation([0.6, 1.7, 4]) * rng.uniform(0.9, 1.1, 3)
        expected = level + scale * rng.standard_normal((n + m, 3))
        y = expected + 0.6 * scale * rng.standard_normal((n + m, 3))
        cases.append((y[:n], y[n:], expected[n:]))
    return cases


limits = Graded(
    title="floor and ceiling",
    reference=_limits,
    cases=_draws,
    mistakes={
        "your ceiling is 1 - floor. That holds in the long run; on a draw the floor is in units of the training rows, "
        "and R^2 compares with the spread of the test rows.": (
            lambda *case: (_limits(*case)[0], 1 - _limits(*case)[0])
        ),
        "your pair is the wrong way round: first the floor, then the ceiling.": lambda *case: _limits(*case)[::-1],
        "the floor is in units of the test rows. They have to stay unseen: the standard deviation is that of the "
        "training rows.": _floor_by(lambda y_train, y_test, expected: _mse(y_test, expected) / y_test.var(0, ddof=1)),
        "the floor is in units of all rows together. The standard deviation is that of the training rows alone.": (
            _floor_by(
                lambda y_train, y_test, expected: (
                    _mse(y_test, expected) / np.concatenate([y_train, y_test]).var(0, ddof=1)
                )
            )
        ),
        "your standard deviation divides by n. That of the training rows divides by n - 1: ddof=1.": (
            _floor_by(lambda y_train, y_test, expected: _mse(y_test, expected) / y_train.var(0))
        ),
        "your floor is in raw units. Standardise first, or divide by the variance of the training rows.": (
            _floor_by(lambda y_train, y_test, expected: _mse(y_test, expected))
        ),
        "your floor was divided by the standard deviation once. A squared error is divided by its square.": (
            _floor_by(lambda y_train, y_test, expected: _mse(y_test, expected) / y_train.std(0, ddof=1))
        ),
        "your floor is a root. The MSE is the mean of *squared* differences.": (
            _floor_by(lambda *case: np.sqrt(_limits(*case)[0]))
        ),
        "you scaled y_test and expected each by itself. Both are put on one scale, that of the training rows.": (
            _floor_by(lambda y_train, y_test, expected: _mse(_scaled(y_test, y_test), _scaled(expected, expected)))
        ),
        "y_test was standardised, expected was not. A prediction is compared on the scale of what it predicts.": (
            _floor_by(lambda y_train, y_test, expected: _mse(_scaled(y_test, y_train), expected))
        ),
        "you took the mean over the outputs. Each output has a floor and a ceiling of its own.": (
            lambda *case: tuple(limit.mean() for limit in _limits(*case))
        ),
        "the ceiling compares with the mean of the training rows. R^2 takes that of the test rows.": (
            _ceiling_by(_training_mean_as_rival)
        ),
        "the ceiling is a squared correlation, which forgives a wrong level and a wrong scale. R^2 is 1 - the sum of "
        "squared errors over the sum of squared deviations from the mean.": _ceiling_by(_squared_correlation),
        "the ceiling is a ratio of variances, that of expected over that of y_test. On a draw the two parts do not add "
        "up to one: take 1 - the sum of squared errors over the sum of squared deviations.": (
            _ceiling_by(lambda y_train, y_test, expected: expected.var(0) / y_test.var(0))
        ),
        "the ceiling lacks its '1 -'. This is the share that the noise takes.": (
            lambda *case: (_limits(*case)[0], 1 - _limits(*case)[1])
        ),
    },
)
