"""The price of a map, without training a network: ridge on inputs that reach an output, and on all that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from gsnn_tutorial import validate
from gsnn_tutorial.study.own.rivals import group_folds, pairwise
from gsnn_tutorial.wiring import Graph


def heard(graph: Graph) -> dict[str, list[str]]:
    """The inputs that some path leads from to each output, in their order: an upper bound of what it can hear."""
    G = validate.instance("graph", graph, Graph).networkx()
    before = {name: nx.ancestors(G, name) for name in graph.output_nodes}
    return {name: [u for u in graph.input_nodes if u in before[name]] for name in graph.output_nodes}


def restricted_errors(
    x: pd.DataFrame, y: pd.DataFrame, groups, told: Mapping[str, Sequence[str]], *, folds: int = 5, seed: int = 0,
    alpha: float = 1.0,
) -> pd.Series:  # fmt: skip
    """Held-out MSE, in variances of the output, of pairwise ridge that is told of some inputs only.

    Arguments
        x, y, groups: inputs, outputs and groups of the rows; whole groups are held out.
        told: the inputs for each output.
        alpha: ridge's penalty.
    """
    fold = group_folds(groups, folds, seed)
    return pd.Series({name: _error(x, y[name], fold, list(told[name]), alpha) for name in y}, name="error")


def asked_inputs(
    x: pd.DataFrame, y: pd.DataFrame, groups, told: Mapping[str, Sequence[str]], *, margin: float = 0.01,
    folds: int = 4, seed: int = 0, alpha: float = 1.0,
) -> pd.DataFrame:  # fmt: skip
    """Inputs that an output does not hear and whose news would lower its error: input, output, gain.

    Forward selection for each output: the input that lowers the held-out MSE of pairwise ridge most is taken, as long
    as it lowers it by ``margin`` (of the output's variance) or more. Give training rows only: what is asked for is
    chosen by these data.
    """
    fold, rows = group_folds(groups, folds, validate.integer("seed", seed, 0)), []
    validate.number("margin", margin, 0)
    for name in y:
        known = list(told[name])
        best = _error(x, y[name], fold, known, alpha)
        while left := [u for u in x if u not in known]:
            error = {u: _error(x, y[name], fold, [*known, u], alpha) for u in left}
            u = min(error, key=error.get)
            if not best - error[u] > margin:
                break
            rows.append((u, name, best - error[u]))
            known, best = [*known, u], error[u]
    return pd.DataFrame(rows, columns=["input", "output", "gain"])


def _error(x: pd.DataFrame, y: pd.Series, fold: np.ndarray, told: list[str], alpha: float) -> float:
    features = pairwise(x[told]).to_numpy() if told else np.zeros((len(x), 1))
    values, squares = y.to_numpy(float), []
    for k in range(fold.max() + 1):
        train = fold != k
        mean, std = values[train].mean(), values[train].std() or 1.0
        model = Ridge(alpha).fit(features[train], (values[train] - mean) / std)
        squares.append((model.predict(features[~train]) - (values[~train] - mean) / std) ** 2)
    return float(np.concatenate(squares).mean())
