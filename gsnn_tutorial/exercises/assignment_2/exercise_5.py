"""Exercise 5 of assignment 2: noise that goes through a function."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import graded


def wavy(x):
    return np.sin(2 * x) + 0.5 * x**2


def middle_cases(seed):
    """Noise with mean 0, variance 1 and a skew, in front of three functions that bend."""
    rng = np.random.default_rng(seed)
    cases = []
    for f, B, M in [(np.cos, 5, 7), (wavy, 4, 9), (np.square, int(rng.integers(6, 9)), 4)]:
        z = rng.exponential(size=M)
        z = (z - z.mean()) / z.std()
        cases.append((f, 1.5 * rng.standard_normal(B), z, float(rng.uniform(0.5, 0.8))))
    return cases


@graded("noise through a function", cases=middle_cases)
def through(f, s, z, sigma):
    values = np.stack([f(s + sigma * value) for value in z], axis=1)  # (B, M)
    return values.mean(1), values.var(1) + sigma**2


MEAN, ERROR = "values.mean(1)", "values.var(1) + sigma**2"
ABOUT_NOISE_FREE = {"values.var(1)": "np.square(values - f(s)[:, None]).mean(1)"}
through.slips({
    "you switched the noise off, and nothing but the last node's noise is left. The noise of the middle node goes "
    "through f: average f(s + sigma * z) over z.": {MEAN: "f(s)", ERROR: "np.full(s.shape, sigma**2)"},
    "your error is 2 sigma ** 2 and your prediction f(s), as if nothing but sums came after the noise. That of the "
    "middle node goes through f: take mean and variance of f(s + sigma * z) over z.":
        {MEAN: "f(s)", ERROR: "np.full(s.shape, 2 * sigma**2)"},
    "the error is that of a noise-free run, and so is the prediction. The mean of f(s + sigma * z) over z predicts "
    "better than f(s).": {MEAN: "f(s)"} | ABOUT_NOISE_FREE,
    "your prediction is f(s), with the noise switched off. f bends, so the mean of f(s + sigma * z) over z is another "
    "number.": {MEAN: "f(s)"},
    "the noise of the last node is missing in the error. It comes on top, sigma ** 2.": {" + sigma**2": ""},
    "your error is 2 sigma ** 2, which holds if nothing but sums come after a noise. Take the variance of f(s + "
    "sigma * z) over z.": {ERROR: "np.full(s.shape, 2 * sigma**2)"},
    "your error is the rule of small noise, slope squared times sigma ** 2. Here the noise is not small: take the "
    "variance of f(s + sigma * z) over z.": {"values.var(1)": "((f(s + 1e-4) - f(s - 1e-4)) / 2e-4 * sigma) ** 2"},
    "your error is about f(s). The error of the best prediction is the variance about the mean.": ABOUT_NOISE_FREE,
    "your error is a root. Return the expected *squared* error.": {ERROR: f"np.sqrt({ERROR})"},
    "your variance divides by M - 1. The M values are all there are, so it divides by M: ddof=0.":
        {"var(1)": "var(1, ddof=1)"},
    "your error is one number. Return one for each sample, since the noise counts more where f is steep.":
        {ERROR: f"({ERROR}).mean()"},
    "you took mean and variance over the samples. Take them over the M values of the noise, for each sample by itself.":
        {"mean(1)": "mean(0)", "var(1)": "var(0)"},
    "the noise in the middle was not multiplied by sigma.": {"sigma * value": "value"},
    "the noise in the middle was multiplied by sigma ** 2. sigma is its standard deviation.":
        {"sigma * value": "sigma**2 * value"},
    "your pair is the wrong way round: first the prediction, then its error.": {f"{MEAN}, {ERROR}": f"{ERROR}, {MEAN}"},
})  # fmt: skip
