"""The exercises of chapter 2, the simulation.

``chain`` simulates three nodes in a row, ``floor`` computes the smallest error that noise leaves, and ``scale`` puts
test rows on the scale of the training rows.
"""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import exercise


def chain_cases(seed):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((B, 2)), rng.standard_normal((B, 3)), scale) for B, scale in [(6, 0.3), (4, 1.7)]]


@exercise("a chain of three", cases=chain_cases)
def simulate_chain(x, noise, noise_scale):
    a = np.tanh(x.sum(1)) + noise_scale * noise[:, 0]  # (B,)
    b = a + noise_scale * noise[:, 1]
    c = b + noise_scale * noise[:, 2]
    return np.stack([a, b, c], axis=1)  # (B, 3)


simulate_chain.slips({
    "the first node's noise went through tanh. Here noise is added after the function: tanh(sum) + noise.":
        {"x.sum(1)) + noise_scale * noise[:, 0]": "x.sum(1) + noise_scale * noise[:, 0])"},
    "noise_scale was squared. It is the standard deviation of the noise, not its variance: multiply by it once.":
        {"noise_scale * noise": "noise_scale**2 * noise"},
    "the root of noise_scale was taken. It is the standard deviation of the noise, not its variance: multiply by it.":
        {"noise_scale * noise": "noise_scale**0.5 * noise"},
    "noise_scale is missing. The draws are standard normal: multiply them by noise_scale.":
        {"noise_scale * noise": "noise"},
    "every sample got the noise of the first one. Each row has its own draws: use a whole column of noise.":
        {"noise[:, ": "noise[0, "},
    "every node got the same noise. Each node has its own column: noise[:, 0], noise[:, 1], noise[:, 2].":
        {"noise[:, 1]": "noise[:, 0]", "noise[:, 2]": "noise[:, 0]"},
    "each node started again from tanh(sum). A node hears its parent as it is, noise included: b = a + noise.":
        {"b = a": "b = np.tanh(x.sum(1))", "c = b": "c = np.tanh(x.sum(1))"},
    "tanh was applied at every node. Only the first has a function of its own; the others pass the sum on.":
        {"b = a": "b = np.tanh(a)", "c = b": "c = np.tanh(b)"},
    "tanh was taken of each parent before the sum. It acts on the parents' sum: tanh(x1 + x2).":
        {"np.tanh(x.sum(1))": "np.tanh(x).sum(1)"},
})  # fmt: skip


def floor_cases(seed):
    rng = np.random.default_rng(seed)
    a_chain = np.diag(np.ones(3), 1)  # 0 -> 1 -> 2 -> 3
    diamond = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float)
    signed = np.array([[0, 1, -1, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float)
    # a detour at the start only
    early = np.array([[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float)
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


TIMES, ONWARD = "(reach**2).sum()", " * reach[0] ** 2"
mse_floor.slips({
    "only the output's own noise was counted. Noise of every node upstream reaches the output too.": {TIMES: "1"},
    "the output's own noise is missing. It is a node like the others, and reaches itself over one route.":
        {TIMES: "(reach[:-1] ** 2).sum()"},
    "the noise of node 0 is missing. It enters after the function, so it travels as the signal does.":
        {TIMES: "(reach[1:] ** 2).sum()"},
    "variances of parents were added. Parents with a common ancestor carry the same noise: add routes first, "
    "then square.": {TIMES: "np.linalg.inv(np.eye(len(A)) - A**2)[:, -1].sum()"},
    "every node's noise was counted once, N noise_scale ** 2. Noise of node v arrives reach[v] times, so it counts "
    "reach[v] ** 2 times.": {TIMES: "len(A)"},
    "this is the floor of a chain, where noise and signal arrive once. With detours node v counts reach[v] ** 2 times, "
    "and the signal reach[0] ** 2 times.": {TIMES: "len(A)", ONWARD: ""},
    "routes were counted but not squared. Noise that arrives twice is doubled, and its variance is fourfold.":
        {TIMES: "np.abs(reach).sum()"},
    "noise_scale was not squared. Variances add up, and the variance is noise_scale ** 2.":
        {"noise_scale**2": "noise_scale"},
    "standard deviations were added over the nodes. Independent noise adds up in variance.":
        {TIMES: "np.abs(reach).sum() ** 2"},
    "signs were dropped. Over an edge of sign -1 noise and signal arrive reversed, and routes can cancel.":
        {"A[v] @": "np.abs(A[v]) @"},
    "the signal's routes were not counted. Like the noise of node 0 it arrives reach[0] times: signal_variance * "
    "reach[0] ** 2.": {ONWARD: ""},
    "this is the noise variance in raw units. Divide by the output's whole variance, signal and noise.":
        {" / (signal + noise)": ""},
    "noise was divided by the signal. Divide by the output's whole variance, signal and noise.":
        {"(signal + noise)": "np.maximum(signal, 1e-12)"},  # routes of opposite signs can cancel
    "this is the ceiling of R^2. The floor of the MSE is one minus that.":
        {"return noise / (signal + noise)": "return signal / (signal + noise)"},
})  # fmt: skip


def scale_cases(seed):
    rng = np.random.default_rng(seed)
    train, test = 2 + 3 * rng.standard_normal((7, 3)), 2 + 3 * rng.standard_normal((5, 3))
    train[:, 2] = test[:, 2] = 4.0  # an output that does not vary
    return [(train, test)]


@exercise("test rows on the training scale", cases=scale_cases)
def scale_test(train, test):
    mean, std = train.mean(axis=0), train.std(axis=0, ddof=1)  # (outputs,), training rows only
    return (test - mean) / (std + 1e-8)


BY_THEMSELVES = {"= train.mean(axis=0), train.std(": "= test.mean(axis=0), test.std("}
BY_N, NAN = {", ddof=1": ""}, {" + 1e-8": ""}
scale_test.slips({
    "the test rows were scaled by themselves. Mean and std must come from the training rows.": BY_THEMSELVES,
    "mean and std came from all rows together. Test rows must have no part in them: training rows only.":
        {"train.mean": "np.concatenate([train, test]).mean", "train.std": "np.concatenate([train, test]).std"},
    "the mean is that of the training rows, but the std is not. Take both from the training rows.":
        {"train.std": "test.std"},
    "the std divides by n. torch's std, which the package uses, divides by n - 1: in NumPy give ddof=1.": BY_N,
    "an output that does not vary became NaN: 0 divided by 0. Add 1e-8 to the std.": NAN,
    "the test rows were scaled by themselves, and what does not vary became NaN. Take mean and std of the training "
    "rows, and add 1e-8 to the std.": BY_THEMSELVES | NAN,
    "the test rows were scaled by themselves, with a std that divides by n, and what does not vary became NaN. Take "
    "mean and std of the training rows, with ddof=1, and add 1e-8 to the std.": BY_THEMSELVES | BY_N | NAN,
    "the std divides by n, and what does not vary became NaN. In NumPy give ddof=1, and add 1e-8 to the std.":
        BY_N | NAN,
    "the test rows were divided by the variance. Divide by the standard deviation.": {".std": ".var"},
    "one mean and one std were taken over all outputs. Each column has its own: use axis=0.":
        {"mean(axis=0)": "mean()", "axis=0, ddof": "ddof"},
    "the std was taken out, the mean was not. Subtract the training mean first.": {"(test - mean)": "test"},
    "these are the training rows, scaled. Return the test rows.": {"(test - mean)": "(train - mean)"},
})  # fmt: skip
