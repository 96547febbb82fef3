"""The exercises of chapter 2, the simulation.

``chain`` simulates three nodes in a row, ``floor`` computes the smallest error that noise leaves, and ``scale`` puts
test rows on the scale of the training rows.
"""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import exercise

# ---- A chain of three nodes, all samples at once


def chain_cases(seed):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((B, 2)), rng.standard_normal((B, 3)), scale) for B, scale in [(6, 0.3), (4, 1.7)]]


@exercise("a chain of three", cases=chain_cases)
def simulate_chain(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale * noise[:, 0]  # (B,)
    b = a + noise_scale * noise[:, 1]
    c = b + noise_scale * noise[:, 2]
    return np.stack([a, b, c], axis=1)  # (B, 3)


@simulate_chain.mistake(
    "the first node's noise went through tanh. Here noise is added after the function: tanh(sum) + noise."
)
def noise_through_tanh(x, noise, noise_scale):
    a = np.tanh(x.sum(1) + noise_scale * noise[:, 0])
    b = a + noise_scale * noise[:, 1]
    c = b + noise_scale * noise[:, 2]
    return np.stack([a, b, c], axis=1)


@simulate_chain.mistake(
    "noise_scale was squared. It is the standard deviation of the noise, not its variance: multiply by it once."
)
def scale_squared(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale**2 * noise[:, 0]
    b = a + noise_scale**2 * noise[:, 1]
    c = b + noise_scale**2 * noise[:, 2]
    return np.stack([a, b, c], axis=1)


@simulate_chain.mistake(
    "the root of noise_scale was taken. It is the standard deviation of the noise, not its variance: multiply by it."
)
def scale_rooted(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale**0.5 * noise[:, 0]
    b = a + noise_scale**0.5 * noise[:, 1]
    c = b + noise_scale**0.5 * noise[:, 2]
    return np.stack([a, b, c], axis=1)


@simulate_chain.mistake("noise_scale is missing. The draws are standard normal: multiply them by noise_scale.")
def scale_missing(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise[:, 0]
    b = a + noise[:, 1]
    c = b + noise[:, 2]
    return np.stack([a, b, c], axis=1)


@simulate_chain.mistake(
    "every sample got the noise of the first one. Each row has its own draws: use a whole column of noise."
)
def noise_of_the_first_sample(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale * noise[0, 0]
    b = a + noise_scale * noise[0, 1]
    c = b + noise_scale * noise[0, 2]
    return np.stack([a, b, c], axis=1)


@simulate_chain.mistake(
    "every node got the same noise. Each node has its own column: noise[:, 0], noise[:, 1], noise[:, 2]."
)
def same_noise_at_every_node(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale * noise[:, 0]
    b = a + noise_scale * noise[:, 0]
    c = b + noise_scale * noise[:, 0]
    return np.stack([a, b, c], axis=1)


@simulate_chain.mistake(
    "each node started again from tanh(sum). A node hears its parent as it is, noise included: b = a + noise."
)
def each_from_the_start(x, noise, noise_scale):
    signal = np.tanh(x.sum(1))
    a = signal + noise_scale * noise[:, 0]
    b = signal + noise_scale * noise[:, 1]
    c = signal + noise_scale * noise[:, 2]
    return np.stack([a, b, c], axis=1)


@simulate_chain.mistake(
    "tanh was applied at every node. Only the first has a function of its own; the others pass the sum on."
)
def tanh_everywhere(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale * noise[:, 0]
    b = np.tanh(a) + noise_scale * noise[:, 1]
    c = np.tanh(b) + noise_scale * noise[:, 2]
    return np.stack([a, b, c], axis=1)


@simulate_chain.mistake("tanh was taken of each parent before the sum. It acts on the parents' sum: tanh(x1 + x2).")
def tanh_before_the_sum(x, noise, noise_scale):
    a = np.tanh(x).sum(1) + noise_scale * noise[:, 0]
    b = a + noise_scale * noise[:, 1]
    c = b + noise_scale * noise[:, 2]
    return np.stack([a, b, c], axis=1)


# ---- The noise floor of an output, on any graph of sums


def floor_cases(seed):
    rng = np.random.default_rng(seed)
    a_chain = np.diag(np.ones(3), 1)  # 0 -> 1 -> 2 -> 3
    diamond = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float)
    signed = np.array([[0, 1, -1, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float)
    early = np.array(
        [[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float
    )  # a detour at the start only
    graphs = (a_chain, diamond, signed, early)
    return [(A, float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.4, 0.8))) for A in graphs]


@exercise("the noise floor of an output", cases=floor_cases)
def mse_floor(A, noise_scale, signal_variance):
    reach = np.zeros(len(A))  # (N,): over how many routes, signs counted, node v reaches the output
    reach[-1] = 1  # the output reaches itself
    for v in reversed(range(len(A) - 1)):
        reach[v] = A[v] @ reach  # one step along each edge, then on from there
    noise = noise_scale**2 * (reach**2).sum()
    signal = signal_variance * reach[0] ** 2
    return noise / (signal + noise)


def routes(A):
    """Over how many routes, signs counted, each node reaches the output, (N,)."""
    return np.linalg.inv(np.eye(len(A)) - A)[:, -1]  # I + A + A^2 + ...: routes of every length


def noise_share(noise, signal):
    """The share of the noise in the output's variance."""
    return noise / (signal + noise)


@mse_floor.mistake("only the output's own noise was counted. Noise of every node upstream reaches the output too.")
def own_noise_only(A, noise_scale, signal_variance):
    return noise_share(noise_scale**2, signal_variance * routes(A)[0] ** 2)


@mse_floor.mistake(
    "the output's own noise is missing. It is a node like the others, and reaches itself over one route."
)
def own_noise_missing(A, noise_scale, signal_variance):
    reach = routes(A)
    return noise_share(noise_scale**2 * (reach[:-1] ** 2).sum(), signal_variance * reach[0] ** 2)


@mse_floor.mistake("the noise of node 0 is missing. It enters after the function, so it travels as the signal does.")
def first_noise_missing(A, noise_scale, signal_variance):
    reach = routes(A)
    return noise_share(noise_scale**2 * (reach[1:] ** 2).sum(), signal_variance * reach[0] ** 2)


@mse_floor.mistake(
    "variances of parents were added. Parents with a common ancestor carry the same noise: add routes first, "
    "then square."
)
def variances_added(A, noise_scale, signal_variance):
    variance = np.zeros(len(A))  # (N,)
    for v in range(len(A)):
        variance[v] = noise_scale**2 + (A[:, v] ** 2) @ variance
    return noise_share(variance[-1], signal_variance * routes(A)[0] ** 2)


@mse_floor.mistake(
    "every node's noise was counted once, N noise_scale ** 2. Noise of node v arrives reach[v] times, so it counts "
    "reach[v] ** 2 times."
)
def noise_counted_once(A, noise_scale, signal_variance):
    return noise_share(noise_scale**2 * len(A), signal_variance * routes(A)[0] ** 2)


@mse_floor.mistake(
    "this is the floor of a chain, where noise and signal arrive once. With detours node v counts reach[v] ** 2 "
    "times, and the signal reach[0] ** 2 times."
)
def floor_of_a_chain(A, noise_scale, signal_variance):
    return noise_share(noise_scale**2 * len(A), signal_variance)


@mse_floor.mistake(
    "routes were counted but not squared. Noise that arrives twice is doubled, and its variance is fourfold."
)
def routes_not_squared(A, noise_scale, signal_variance):
    reach = routes(A)
    return noise_share(noise_scale**2 * np.abs(reach).sum(), signal_variance * reach[0] ** 2)


@mse_floor.mistake("noise_scale was not squared. Variances add up, and the variance is noise_scale ** 2.")
def scale_not_squared(A, noise_scale, signal_variance):
    reach = routes(A)
    return noise_share(noise_scale * (reach**2).sum(), signal_variance * reach[0] ** 2)


@mse_floor.mistake("standard deviations were added over the nodes. Independent noise adds up in variance.")
def deviations_added(A, noise_scale, signal_variance):
    reach = routes(A)
    return noise_share((noise_scale * np.abs(reach).sum()) ** 2, signal_variance * reach[0] ** 2)


@mse_floor.mistake(
    "signs were dropped. Over an edge of sign -1 noise and signal arrive reversed, and routes can cancel."
)
def signs_dropped(A, noise_scale, signal_variance):
    return mse_floor.reference(np.abs(A), noise_scale, signal_variance)


@mse_floor.mistake(
    "the signal's routes were not counted. Like the noise of node 0 it arrives reach[0] times: signal_variance "
    "* reach[0] ** 2."
)
def signal_counted_once(A, noise_scale, signal_variance):
    return noise_share(noise_scale**2 * (routes(A) ** 2).sum(), signal_variance)


@mse_floor.mistake("this is the noise variance in raw units. Divide by the output's whole variance, signal and noise.")
def raw_variance(A, noise_scale, signal_variance):
    return noise_scale**2 * (routes(A) ** 2).sum()


@mse_floor.mistake("noise was divided by the signal. Divide by the output's whole variance, signal and noise.")
def noise_over_signal(A, noise_scale, signal_variance):
    reach = routes(A)
    noise, signal = noise_scale**2 * (reach**2).sum(), signal_variance * reach[0] ** 2
    return noise / np.maximum(signal, 1e-12)  # routes of opposite signs can cancel


@mse_floor.mistake("this is the ceiling of R^2. The floor of the MSE is one minus that.")
def ceiling_of_r2(A, noise_scale, signal_variance):
    return 1 - mse_floor.reference(A, noise_scale, signal_variance)


# ---- Test rows on the scale of the training rows


def scale_cases(seed):
    rng = np.random.default_rng(seed)
    train, test = 2 + 3 * rng.standard_normal((7, 3)), 2 + 3 * rng.standard_normal((5, 3))
    train[:, 2] = test[:, 2] = 4.0  # an output that does not vary
    return [(train, test)]


@exercise("test rows on the training scale", cases=scale_cases)
def scale_test(train, test):
    mean, std = train.mean(axis=0), train.std(axis=0, ddof=1)  # (outputs,), training rows only
    return (test - mean) / (std + 1e-8)


@scale_test.mistake("the test rows were scaled by themselves. Mean and std must come from the training rows.")
def scaled_by_themselves(train, test):
    return (test - test.mean(axis=0)) / (test.std(axis=0, ddof=1) + 1e-8)


@scale_test.mistake(
    "mean and std came from all rows together. Test rows must have no part in them: training rows only."
)
def scaled_by_all_rows(train, test):
    rows = np.concatenate([train, test])
    return (test - rows.mean(axis=0)) / (rows.std(axis=0, ddof=1) + 1e-8)


@scale_test.mistake("the mean is that of the training rows, but the std is not. Take both from the training rows.")
def std_of_the_test_rows(train, test):
    return (test - train.mean(axis=0)) / (test.std(axis=0, ddof=1) + 1e-8)


@scale_test.mistake(
    "the std divides by n. torch's std, which the package uses, divides by n - 1: in NumPy give ddof=1."
)
def std_divides_by_n(train, test):
    return (test - train.mean(axis=0)) / (train.std(axis=0) + 1e-8)


@scale_test.mistake("an output that does not vary became NaN: 0 divided by 0. Add 1e-8 to the std.")
def nought_by_nought(train, test):
    with np.errstate(invalid="ignore"):
        return (test - train.mean(axis=0)) / train.std(axis=0, ddof=1)


@scale_test.mistake(
    "the test rows were scaled by themselves, and what does not vary became NaN. Take mean and std of the training "
    "rows, and add 1e-8 to the std."
)
def themselves_and_nought(train, test):
    with np.errstate(invalid="ignore"):
        return (test - test.mean(axis=0)) / test.std(axis=0, ddof=1)


@scale_test.mistake(
    "the test rows were scaled by themselves, with a std that divides by n, and what does not vary became NaN. Take "
    "mean and std of the training rows, with ddof=1, and add 1e-8 to the std."
)
def themselves_by_n_and_nought(train, test):
    with np.errstate(invalid="ignore"):
        return (test - test.mean(axis=0)) / test.std(axis=0)


@scale_test.mistake(
    "the std divides by n, and what does not vary became NaN. In NumPy give ddof=1, and add 1e-8 to the std."
)
def by_n_and_nought(train, test):
    with np.errstate(invalid="ignore"):
        return (test - train.mean(axis=0)) / train.std(axis=0)


@scale_test.mistake("the test rows were divided by the variance. Divide by the standard deviation.")
def divided_by_variance(train, test):
    return (test - train.mean(axis=0)) / (train.var(axis=0, ddof=1) + 1e-8)


@scale_test.mistake("one mean and one std were taken over all outputs. Each column has its own: use axis=0.")
def one_scale_for_all_outputs(train, test):
    return (test - train.mean()) / (train.std(ddof=1) + 1e-8)


@scale_test.mistake("the std was taken out, the mean was not. Subtract the training mean first.")
def mean_kept(train, test):
    return test / (train.std(axis=0, ddof=1) + 1e-8)


@scale_test.mistake("these are the training rows, scaled. Return the test rows.")
def training_rows(train, test):
    return scale_test.reference(train, train)
