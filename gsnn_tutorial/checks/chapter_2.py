"""Exercises of chapter 2: a chain, its noise floor, and the scale of the targets."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.checks.diagnosis import Exercise

# ---- A chain of three nodes, all samples at once


def simulate_chain(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale * noise[:, 0]  # (B,)
    b = a + noise_scale * noise[:, 1]
    c = b + noise_scale * noise[:, 2]
    return np.stack([a, b, c], axis=1)  # (B, 3)


def _chain(x, noise, noise_scale, first=np.tanh):
    """The chain for a first node's function; noise (B, 3) or what broadcasts to it."""
    return first(x.sum(1))[:, None] + np.cumsum(np.broadcast_to(noise_scale * noise, (len(x), 3)), axis=1)


def _noise_inside(x, noise, noise_scale):
    a = np.tanh(x.sum(1) + noise_scale * noise[:, 0])
    return a[:, None] + np.stack([0 * a, *np.cumsum(noise_scale * noise[:, 1:], axis=1).T], axis=1)


def _noise_per_hop_forgotten(x, noise, noise_scale):
    return np.tanh(x.sum(1))[:, None] + noise_scale * noise


def _tanh_everywhere(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale * noise[:, 0]
    b = np.tanh(a) + noise_scale * noise[:, 1]
    return np.stack([a, b, np.tanh(b) + noise_scale * noise[:, 2]], axis=1)


def _chain_cases(seed):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((B, 2)), rng.standard_normal((B, 3)), scale) for B, scale in [(6, 0.3), (4, 1.7)]]


chain = Exercise(
    title="a chain of three",
    reference=simulate_chain,
    cases=_chain_cases,
    mistakes={
        "the first node's noise went through tanh. Here noise is added after the function: tanh(sum) + noise.": (
            _noise_inside
        ),
        "noise_scale was squared. It is the standard deviation of the noise, not its variance: multiply by it once.": (
            lambda x, noise, noise_scale: _chain(x, noise, noise_scale**2)
        ),
        "noise_scale is missing. The draws are standard normal: multiply them by noise_scale.": (
            lambda x, noise, noise_scale: _chain(x, noise, 1.0)
        ),
        "every sample got the noise of the first one. Each row has its own draws: use a whole column of noise.": (
            lambda x, noise, noise_scale: _chain(x, noise[:1], noise_scale)
        ),
        "every node got the same noise. Each node has its own column: noise[:, 0], noise[:, 1], noise[:, 2].": (
            lambda x, noise, noise_scale: _chain(x, noise[:, :1], noise_scale)
        ),
        "each node started again from tanh(sum). A node hears its parent as it is, noise included: b = a + noise.": (
            _noise_per_hop_forgotten
        ),
        "tanh was applied at every node. Only the first has a function of its own; the others pass the sum on.": (
            _tanh_everywhere
        ),
        "tanh was taken of each parent before the sum. It acts on the parents' sum: tanh(x1 + x2).": (
            lambda x, noise, noise_scale: np.tanh(x).sum(1)[:, None] + np.cumsum(noise_scale * noise, axis=1)
        ),
    },
)


# ---- The noise floor of an output, on any graph of sums


def mse_floor(A, noise_scale, signal_variance):
    reach = np.zeros(len(A))  # (N,): over how many routes, signs counted, node v reaches the output
    reach[-1] = 1  # the output reaches itself
    for v in reversed(range(len(A) - 1)):
        reach[v] = A[v] @ reach  # one step along each edge, then on from there
    noise = noise_scale**2 * (reach**2).sum()
    signal = signal_variance * reach[0] ** 2
    return noise / (signal + noise)


def _reach(A):
    return np.linalg.inv(np.eye(len(A)) - A)[:, -1]  # I + A + A^2 + ...: routes of every length


def _ratio(noise, signal):
    return noise / (signal + noise)


def _variances_added(A, noise_scale, signal_variance):
    variance = np.zeros(len(A))
    for v in range(len(A)):
        variance[v] = noise_scale**2 + (A[:, v] ** 2) @ variance
    return _ratio(variance[-1], signal_variance * _reach(A)[0] ** 2)


def _routes_not_squared(A, noise_scale, signal_variance):
    reach = _reach(A)
    return _ratio(noise_scale**2 * np.abs(reach).sum(), signal_variance * reach[0] ** 2)


def _floor_cases(seed):
    rng = np.random.default_rng(seed)
    a_chain = np.diag(np.ones(3), 1)  # 0 -> 1 -> 2 -> 3
    diamond = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float)
    signed = np.array([[0, 1, -1, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float)
    return [(A, float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.4, 0.8))) for A in (a_chain, diamond, signed)]


floor = Exercise(
    title="the noise floor of an output",
    reference=mse_floor,
    cases=_floor_cases,
    mistakes={
        "only the output's own noise was counted. Noise of every node upstream reaches the output too.": (
            lambda A, s, signal: _ratio(s**2, signal * _reach(A)[0] ** 2)
        ),
        "the output's own noise is missing. It is a node like the others, and reaches itself over one route.": (
            lambda A, s, signal: _ratio(s**2 * (_reach(A)[:-1] ** 2).sum(), signal * _reach(A)[0] ** 2)
        ),
        "the noise of node 0 is missing. It enters after the function, so it travels as the signal does.": (
            lambda A, s, signal: _ratio(s**2 * (_reach(A)[1:] ** 2).sum(), signal * _reach(A)[0] ** 2)
        ),
        "variances of parents were added. Parents with a common ancestor carry the same noise: add routes first, "
        "then square.": _variances_added,
        "every node's noise was counted once, N noise_scale ** 2. Noise of node v arrives reach[v] times, so it counts "
        "reach[v] ** 2 times.": lambda A, s, signal: _ratio(s**2 * len(A), signal * _reach(A)[0] ** 2),
        "this is the floor of a chain, where noise and signal arrive once. With detours node v counts reach[v] ** 2 "
        "times, and the signal reach[0] ** 2 times.": (lambda A, s, signal: _ratio(s**2 * len(A), signal)),
        "routes were counted but not squared. Noise that arrives twice is doubled, and its variance is fourfold.": (
            _routes_not_squared
        ),
        "noise_scale was not squared. Variances add up, and the variance is noise_scale ** 2.": (
            lambda A, s, signal: _ratio(s * (_reach(A) ** 2).sum(), signal * _reach(A)[0] ** 2)
        ),
        "standard deviations were added over the nodes. Independent noise adds up in variance.": (
            lambda A, s, signal: _ratio((s * np.abs(_reach(A)).sum()) ** 2, signal * _reach(A)[0] ** 2)
        ),
        "signs were dropped. Over an edge of sign -1 noise and signal arrive reversed, and routes can cancel.": (
            lambda A, s, signal: mse_floor(np.abs(A), s, signal)
        ),
        "the signal's routes were not counted. Like the noise of node 0 it arrives reach[0] times: signal_variance "
        "* reach[0] ** 2.": lambda A, s, signal: _ratio(s**2 * (_reach(A) ** 2).sum(), signal),
        "this is the noise variance in raw units. Divide by the output's whole variance, signal and noise.": (
            lambda A, s, signal: s**2 * (_reach(A) ** 2).sum()
        ),
        "noise was divided by the signal. Divide by the output's whole variance, signal and noise.": (
            lambda A, s, signal: s**2 * (_reach(A) ** 2).sum() / np.maximum(signal * _reach(A)[0] ** 2, 1e-12)
        ),
        "this is the ceiling of R^2. The floor of the MSE is one minus that.": (
            lambda A, s, signal: 1 - mse_floor(A, s, signal)
        ),
    },
)


# ---- Test rows on the scale of the training rows


def scale_test(train, test):
    mean, std = train.mean(axis=0), train.std(axis=0, ddof=1)  # (outputs,), training rows only
    return (test - mean) / (std + 1e-8)


def _scaled(by, test, ddof=1, eps=1e-8):
    with np.errstate(divide="ignore", invalid="ignore"):
        return (test - by.mean(0)) / (by.std(0, ddof=ddof) + eps)


def _scale_cases(seed):
    rng = np.random.default_rng(seed)
    train, test = 2 + 3 * rng.standard_normal((7, 3)), 2 + 3 * rng.standard_normal((5, 3))
    train[:, 2] = test[:, 2] = 4.0  # an output that does not vary
    return [(train, test)]


scale = Exercise(
    title="test rows on the training scale",
    reference=scale_test,
    cases=_scale_cases,
    mistakes={
        "the test rows were scaled by themselves. Mean and std must come from the training rows.": (
            lambda train, test: _scaled(test, test)
        ),
        "mean and std came from all rows together. Test rows must have no part in them: training rows only.": (
            lambda train, test: _scaled(np.concatenate([train, test]), test)
        ),
        "the mean is that of the training rows, but the std is not. Take both from the training rows.": (
            lambda train, test: (test - train.mean(0)) / (test.std(0, ddof=1) + 1e-8)
        ),
        "the std divides by n. torch's std, which the package uses, divides by n - 1: in NumPy give ddof=1.": (
            lambda train, test: _scaled(train, test, ddof=0)
        ),
        "an output that does not vary became NaN: 0 divided by 0. Add 1e-8 to the std.": (
            lambda train, test: _scaled(train, test, eps=0.0)
        ),
        "the test rows were divided by the variance. Divide by the standard deviation.": (
            lambda train, test: (test - train.mean(0)) / (train.var(0, ddof=1) + 1e-8)
        ),
        "one mean and one std were taken over all outputs. Each column has its own: use axis=0.": (
            lambda train, test: (test - train.mean()) / (train.std(ddof=1) + 1e-8)
        ),
        "the std was taken out, the mean was not. Subtract the training mean first.": (
            lambda train, test: test / (train.std(0, ddof=1) + 1e-8)
        ),
        "these are the training rows, scaled. Return the test rows.": lambda train, test: scale_test(train, train),
    },
)
