"""Exercise 6 of assignment 2: floor and ceiling of a draw."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import graded


def draw_cases(seed):
    """Three outputs at levels and scales of their own; in one case a ceiling lies below 0."""
    rng = np.random.default_rng(seed)
    cases = []
    for n, m in [(9, 6), (int(rng.integers(11, 14)), 8)]:
        level, scale = rng.uniform(-2, 3, 3), rng.permutation([0.6, 1.7, 4]) * rng.uniform(0.9, 1.1, 3)
        expected = level + scale * rng.standard_normal((n + m, 3))
        y = expected + 0.6 * scale * rng.standard_normal((n + m, 3))
        cases.append((y[:n], y[n:], expected[n:]))
    y_test = cases[1][1]
    y_test[:, 0] += 3 * y_test[:, 0].std()  # test rows that are not as was to be expected
    return cases


@graded("floor and ceiling", cases=draw_cases)
def limits(y_train, y_test, expected):
    squares = np.square(y_test - expected)  # (m, O)
    floor = squares.mean(0) / y_train.var(0, ddof=1)
    ceiling = 1 - squares.sum(0) / np.square(y_test - y_test.mean(0)).sum(0)
    return floor, ceiling


def standardised(y, by):
    """y on the scale on which the rows ``by`` have mean 0 and standard deviation 1."""
    return (y - by.mean(0)) / by.std(0, ddof=1)


FLOOR = "squares.mean(0) / y_train.var(0, ddof=1)"
CEILING = "1 - squares.sum(0) / np.square(y_test - y_test.mean(0)).sum(0)"
BOTH = "return floor, ceiling"
limits.slips({
    "your ceiling is 1 - floor. That holds in the long run; on a draw the floor is in units of the training rows, "
    "and R^2 compares with the spread of the test rows.": {CEILING: "1 - floor"},
    "your pair is the wrong way round: first the floor, then the ceiling.": {BOTH: "return ceiling, floor"},
    "the floor is in units of the test rows. They have to stay unseen: the standard deviation is that of the training "
    "rows.": {"y_train.var": "y_test.var"},
    "the floor is in units of all rows together. The standard deviation is that of the training rows alone.":
        {"y_train.var": "np.concatenate([y_train, y_test]).var"},
    "your standard deviation divides by n. That of the training rows divides by n - 1: ddof=1.": {", ddof=1": ""},
    "your floor is in raw units. Standardise first, or divide by the variance of the training rows.":
        {" / y_train.var(0, ddof=1)": ""},
    "your floor was divided by the standard deviation once. A squared error is divided by its square.":
        {"y_train.var": "y_train.std"},
    "your floor is a root. The MSE is the mean of *squared* differences.": {FLOOR: f"np.sqrt({FLOOR})"},
    "you scaled y_test and expected each by itself. Both are put on one scale, that of the training rows.":
        {FLOOR: "np.square(standardised(y_test, y_test) - standardised(expected, expected)).mean(0)"},
    "y_test was standardised, expected was not. A prediction is compared on the scale of what it predicts.":
        {FLOOR: "np.square(standardised(y_test, y_train) - expected).mean(0)"},
    "you took the mean over the outputs. Each output has a floor and a ceiling of its own.":
        {BOTH: "return floor.mean(), ceiling.mean()"},
    "the ceiling compares with the mean of the training rows. R^2 takes that of the test rows.":
        {"y_test.mean(0)": "y_train.mean(0)"},
    "the ceiling is a squared correlation, which forgives a wrong level and a wrong scale. R^2 is 1 - the sum of "
    "squared errors over the sum of squared deviations from the mean.":
        {CEILING: "np.array([np.corrcoef(a, b)[0, 1] ** 2 for a, b in zip(y_test.T, expected.T)])"},
    "the ceiling is a ratio of variances, that of expected over that of y_test. On a draw the two parts do not add "
    "up to one: take 1 - the sum of squared errors over the sum of squared deviations.":
        {CEILING: "expected.var(0) / y_test.var(0)"},
    "the ceiling lacks its '1 -'. This is the share that the noise takes.": {"1 - squares": "squares"},
})  # fmt: skip
