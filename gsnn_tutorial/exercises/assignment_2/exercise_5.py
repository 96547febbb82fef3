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


def noisy_values(f, s, z, sigma):
    """f at each middle with each noise."""
    return f(s[:, None] + sigma * z)  # (B, M)


def error_about_noise_free(f, s, z, sigma):
    """The expected squared error of f(s) as a prediction."""
    from_noise_free = noisy_values(f, s, z, sigma) - f(s)[:, None]  # (B, M)
    return np.square(from_noise_free).mean(1) + sigma**2


@through.mistake(
    "you switched the noise off, and nothing but the last node's noise is left. The noise of the middle node goes "
    "through f: average f(s + sigma * z) over z."
)
def last_noise_alone(f, s, z, sigma):
    return f(s), np.full(s.shape, sigma**2)


@through.mistake(
    "your error is 2 sigma ** 2 and your prediction f(s), as if nothing but sums came after the noise. That of the "
    "middle node goes through f: take mean and variance of f(s + sigma * z) over z."
)
def as_if_all_were_sums(f, s, z, sigma):
    return f(s), np.full(s.shape, 2 * sigma**2)


@through.mistake(
    "the error is that of a noise-free run, and so is the prediction. The mean of f(s + sigma * z) over z predicts "
    "better than f(s)."
)
def noise_free_run(f, s, z, sigma):
    return f(s), error_about_noise_free(f, s, z, sigma)


@through.mistake(
    "your prediction is f(s), with the noise switched off. f bends, so the mean of f(s + sigma * z) over z is another "
    "number."
)
def noise_free_prediction(f, s, z, sigma):
    return f(s), noisy_values(f, s, z, sigma).var(1) + sigma**2


@through.mistake("the noise of the last node is missing in the error. It comes on top, sigma ** 2.")
def without_last_noise(f, s, z, sigma):
    values = noisy_values(f, s, z, sigma)
    return values.mean(1), values.var(1)


@through.mistake(
    "your error is 2 sigma ** 2, which holds if nothing but sums come after a noise. Take the variance of f(s + sigma "
    "* z) over z."
)
def error_as_if_all_were_sums(f, s, z, sigma):
    return noisy_values(f, s, z, sigma).mean(1), np.full(s.shape, 2 * sigma**2)


@through.mistake(
    "your error is the rule of small noise, slope squared times sigma ** 2. Here the noise is not small: take the "
    "variance of f(s + sigma * z) over z."
)
def rule_of_small_noise(f, s, z, sigma):
    slope = (f(s + 1e-4) - f(s - 1e-4)) / 2e-4  # (B,)
    return noisy_values(f, s, z, sigma).mean(1), slope**2 * sigma**2 + sigma**2


@through.mistake("your error is about f(s). The error of the best prediction is the variance about the mean.")
def error_about_f_of_s(f, s, z, sigma):
    return noisy_values(f, s, z, sigma).mean(1), error_about_noise_free(f, s, z, sigma)


@through.mistake("your error is a root. Return the expected *squared* error.")
def root_of_the_error(f, s, z, sigma):
    values = noisy_values(f, s, z, sigma)
    return values.mean(1), np.sqrt(values.var(1) + sigma**2)


@through.mistake("your variance divides by M - 1. The M values are all there are, so it divides by M: ddof=0.")
def variance_by_m_minus_1(f, s, z, sigma):
    values = noisy_values(f, s, z, sigma)
    return values.mean(1), values.var(1, ddof=1) + sigma**2


@through.mistake("your error is one number. Return one for each sample, since the noise counts more where f is steep.")
def one_error_for_all(f, s, z, sigma):
    values = noisy_values(f, s, z, sigma)
    return values.mean(1), (values.var(1) + sigma**2).mean()


@through.mistake(
    "you took mean and variance over the samples. Take them over the M values of the noise, for each sample by itself."
)
def over_the_samples(f, s, z, sigma):
    values = noisy_values(f, s, z, sigma)
    return values.mean(0), values.var(0) + sigma**2


@through.mistake("the noise in the middle was not multiplied by sigma.")
def middle_without_sigma(f, s, z, sigma):
    values = f(s[:, None] + z)  # (B, M)
    return values.mean(1), values.var(1) + sigma**2


@through.mistake("the noise in the middle was multiplied by sigma ** 2. sigma is its standard deviation.")
def middle_sigma_squared(f, s, z, sigma):
    values = f(s[:, None] + sigma**2 * z)  # (B, M)
    return values.mean(1), values.var(1) + sigma**2


@through.mistake("your pair is the wrong way round: first the prediction, then its error.")
def swapped(f, s, z, sigma):
    prediction, error = through.reference(f, s, z, sigma)
    return error, prediction
