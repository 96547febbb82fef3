"""Models without a network that a referee would ask for, each tuned by folds of whole groups."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.study.problem import Draw

ALPHAS = (0.1, 0.3, 1.0, 3.0)
FOLDS = 4  # by which ridge and the MLP choose their alpha
MOST_PAIRS = 60  # inputs, beyond which pairwise ridge is ridge without pairs


def pairwise(x: pd.DataFrame) -> pd.DataFrame:
    """The columns, and the products of every two of them that are not 0 throughout: effects and interactions."""
    validate.instance("x", x, pd.DataFrame)
    products = {f"{a} & {b}": x[a] * x[b] for a, b in combinations(x.columns, 2)}
    return pd.concat([x, pd.DataFrame({name: v for name, v in products.items() if v.any()}, index=x.index)], axis=1)


def group_folds(groups, folds: int, seed: int | np.random.Generator) -> np.ndarray:
    """A fold, 0 to folds - 1, for each row: whole groups, drawn at random, as many in each fold as can be.

    Raises ValueError for fewer groups than folds.
    """
    codes, names = pd.factorize(np.asarray(groups))
    folds = validate.integer("folds", folds, 2)
    if len(names) < folds:
        raise ValueError(f"groups must be at least as many as the {folds} folds, got {len(names)}")
    return (validate.generator(seed).permutation(len(names)) % folds)[codes]


def ridge(x, y, x_test, groups, seed: int = 0) -> np.ndarray:
    """Ridge regression, its alpha one of ``ALPHAS``: predictions for ``x_test``."""
    from sklearn.linear_model import Ridge  # here, and below: only a comparison with rivals waits for these

    return _tuned(Ridge(), x, y, x_test, groups, seed)


def mlp(x, y, x_test, groups, seed: int = 0, hidden: int = 64) -> np.ndarray:
    """Two hidden layers, 200 epochs, an L2 penalty whose alpha is one of ``ALPHAS``: predictions for ``x_test``."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(hidden, hidden), max_iter=200, random_state=seed, tol=0.0)
    return _tuned(model, x, y, x_test, groups, seed)


def group_mean(x, y, x_test) -> np.ndarray:
    """The mean of the training rows that have the same ``x``, a category's columns; of all rows where none has."""
    x, y, x_test = (np.asarray(table, dtype=float) for table in (x, y, x_test))
    means = {key: y[(x == np.array(key)).all(1)].mean(0) for key in set(map(tuple, x))}
    return np.stack([means.get(tuple(row), y.mean(0)) for row in x_test])


def _tuned(model, x, y, x_test, groups, seed) -> np.ndarray:
    """Predictions of a model of scikit-learn that chooses its alpha by folds of whole groups."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import GridSearchCV, PredefinedSplit

    x, y, x_test = (np.asarray(table, dtype=float) for table in (x, y, x_test))
    inner = PredefinedSplit(group_folds(groups, FOLDS, seed))
    search = GridSearchCV(model, {"alpha": ALPHAS}, cv=inner, scoring="neg_mean_squared_error")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # an MLP's epochs are given, and end where they end
        return search.fit(x, y).predict(x_test).reshape(len(x_test), -1)


def inputs_of(draw: Draw) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Inputs of the training rows and of the test rows, with their names."""
    return tuple(pd.DataFrame(x.numpy(), columns=draw.graph.input_nodes) for x in (draw.x_train, draw.x_test))


def squared_errors(draw: Draw, predicted) -> np.ndarray:
    """MSE of each output, (outputs,), of predictions for the test rows."""
    return ((predicted - draw.y_test.numpy()) ** 2).mean(0)


def mean_errors(draw: Draw) -> np.ndarray:
    """MSE of each output where every prediction is the training rows' mean: 0, as outputs are standardised."""
    return squared_errors(draw, 0)


def pairwise_ridge_errors(draw: Draw) -> np.ndarray:
    """MSE of each output of ridge that knows products of inputs too; NaN where the groups are fewer than its folds."""
    both = pd.concat(inputs_of(draw), ignore_index=True)
    features = (pairwise(both) if len(both.columns) <= MOST_PAIRS else both).to_numpy()
    rows = len(draw.x_train)
    groups = np.arange(rows) if draw.groups is None else draw.groups
    if len(np.unique(groups)) < FOLDS:
        return np.full(draw.y_test.shape[1], np.nan)
    return squared_errors(draw, ridge(features[:rows], draw.y_train, features[rows:], groups))


RIVALS: dict[str, Callable[[Draw], np.ndarray]] = {"mean": mean_errors, "pairwise ridge": pairwise_ridge_errors}
"""Models without a network, by name: MSE of each output, (outputs,), of a draw. A study takes them as arms."""
USUAL_RIVALS = ("mean", "pairwise ridge")
