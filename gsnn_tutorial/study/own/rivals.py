"""Models without a network that a referee would ask for, each tuned by folds of whole groups."""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.neural_network import MLPRegressor

from gsnn_tutorial import validate

ALPHAS = (0.1, 0.3, 1.0, 3.0)


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
    return _tuned(Ridge(), {"alpha": ALPHAS}, x, y, x_test, groups, seed)


def mlp(x, y, x_test, groups, seed: int = 0, hidden: int = 64) -> np.ndarray:
    """Two hidden layers, 200 epochs, an L2 penalty whose alpha is one of ``ALPHAS``."""
    model = MLPRegressor(hidden_layer_sizes=(hidden, hidden), max_iter=200, random_state=seed, tol=0.0)
    return _tuned(model, {"alpha": ALPHAS}, x, y, x_test, groups, seed)


def group_mean(x, y, x_test) -> np.ndarray:
    """The mean of the training rows that have the same ``x``, a category's columns; of all rows where none has."""
    x, y, x_test = (np.asarray(table, dtype=float) for table in (x, y, x_test))
    means = {key: y[(x == np.array(key)).all(1)].mean(0) for key in set(map(tuple, x))}
    return np.stack([means.get(tuple(row), y.mean(0)) for row in x_test])


def _tuned(model, grid, x, y, x_test, groups, seed) -> np.ndarray:
    x, y, x_test = (np.asarray(table, dtype=float) for table in (x, y, x_test))
    inner = PredefinedSplit(group_folds(groups, 4, seed))
    search = GridSearchCV(model, grid, cv=inner, scoring="neg_mean_squared_error")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # an MLP's epochs are given, and end where they end
        return search.fit(x, y).predict(x_test).reshape(len(x_test), -1)
