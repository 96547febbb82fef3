"""Exercise 5 of assignment 3: the bar, a linear model."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def almost_linear(seed):
    """Inputs and outputs far from mean 0, a little noise and a little curvature.

    The inputs are small, so that a small ridge matters. The first case is small enough to be read.
    """
    rng = np.random.default_rng(seed)
    cases = []
    for I, O, n_train, n_test in [(3, 2, 20, 9), (int(rng.integers(4, 6)), 3, 30, 12)]:
        x = 1 + rng.standard_normal((n_train + n_test, I))
        y = x @ rng.standard_normal((I, O)) + 0.3 * x[:, :1] ** 2 + 2 + 0.5 * rng.standard_normal((len(x), O))
        x, y = torch.tensor(0.1 * x).float(), torch.tensor(y).float()
        cases.append((x[:n_train], y[:n_train], x[n_train:], y[n_train:]))
    x, y = rng.integers(0, 5, (8, 1)) / 10, rng.integers(0, 9, (8, 2)) / 2
    x[:3] = [[0.1], [0.3], [0.6]]
    small = tuple(torch.tensor(part).float() for part in (x[:5], y[:5], x[5:], y[5:]))
    return [small, *cases]


def with_ones(x):
    """Inputs and a column of ones, (rows, I + 1)."""
    return torch.cat([x, torch.ones(len(x), 1)], dim=1)


@graded("the bar, a linear model", cases=almost_linear, tolerance=1e-4, shrinks=False)
def linear_mse(x_train, y_train, x_test, y_test):
    """The test MSE of least squares with an intercept."""
    W = torch.linalg.lstsq(with_ones(x_train), y_train).solution  # (I + 1, O)
    return (with_ones(x_test) @ W - y_test).square().mean()


TRAIN, TEST = "with_ones(x_train), y_train", "with_ones(x_test) @ W - y_test"
APART = {"with_ones(x_train)": "with_ones(x_train - x_train.mean(0))",
         "with_ones(x_test)": "with_ones(x_test - x_test.mean(0))"}  # fmt: skip
linear_mse.slips({
    "the intercept is missing: y = 0 at x = 0 is not given. Append a column of ones to x.":
        {"with_ones(x_train)": "x_train", "with_ones(x_test)": "x_test"},
    "this is the error on the training rows. Fit on them, and measure on the test rows.":
        {TEST: "with_ones(x_train) @ W - y_train"},
    "you fitted on the test rows. A model that has seen the answers is not tested by them.":
        {TRAIN: 'with_ones(x_test), y_test, driver="gelsd"'},  # the usual driver varies if all rows of x are 0
    "you fitted on all rows. The test rows are for testing only.":
        {TRAIN: "with_ones(torch.cat([x_train, x_test])), torch.cat([y_train, y_test])"},
    "you moved training and test rows by different means. What is done to a row is learned on the training "
    "rows.": APART,
    "you moved the test rows, y too, by means of their own. y is not known before the test: the intercept comes from "
    "the training rows.":
        APART | {", y_train)": ", y_train - y_train.mean(0))", "- y_test)": "- y_test + y_test.mean(0))"},
    "this is the root of the MSE.": {".mean()": ".mean().sqrt()"},
    "you added up the outputs, and took the mean over rows only. It runs over rows and outputs.":
        {".mean()": ".sum(1).mean()"},
    "this is R squared, as score() gives it. Return the mean of squared differences.":
        {f"({TEST}).square()": f"(1 - ({TEST}).square().mean(0) / y_test.var(0, correction=0))"},
    "this is the error of the training mean, which does not look at x.": {"with_ones(x_test) @ W": "y_train.mean(0)"},
})  # fmt: skip
