"""The tuned comparison of chapter 8: python -m gsnn_tutorial.study.worked.tuned OUTPUT.csv [SEEDS].

Written before a seed of it was run. Every model chooses by folds of whole combinations of the training rows, and meets
the test rows once. Each GSNN chooses from three weight decays or strengths and six epochs, the GCN from three depths
and six epochs, by two folds; ridge and the MLP from four penalties, by four. The splits are those of the seeds 100 to
111, on which no step was looked at. Their rows are those of the steps, so what was learned there about norm and depth
is not independent of them. We read, all of it corrected together by Holm,

* edges that the training rows ask for against the map as drawn, and against as many edges at random;
* the GSNN with those edges against pairwise ridge, the MLP and a GCN on the same map;
* on that map the score of chapter 5 against the baseline and both of its controls, and signed against plain sets.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from gsnn_tutorial.study.own.fitting import errors
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.paired import OWN_ARMS
from gsnn_tutorial.study.own.problem import OwnDraw, OwnProblem
from gsnn_tutorial.study.own.rivals import group_mean, mlp, pairwise, ridge
from gsnn_tutorial.study.own.signs import signed_membership
from gsnn_tutorial.study.own.tuned import tuned
from gsnn_tutorial.study.tuning import Tuning
from gsnn_tutorial.study.worked.hepatocytes import hepatocytes
from gsnn_tutorial.study.worked.rows import grow
from gsnn_tutorial.study.worked.steps import CAREFUL, asked_edges, random_edges, stimuli

SEEDS = range(100, 112)
EPOCHS = (16, 32, 48, 64, 80, 96)
TUNING = Tuning(folds=2, epochs=EPOCHS)
CHOSEN = ("epoch", "weight_decay", "lambda_sim", "cv_mse")


def study(output: str | Path, seeds=SEEDS):
    """Compute and write the table: seed, arm, test_mse, the error of each output, and what a GSNN has chosen.

    The arms of ``OWN_ARMS`` are on the map with the edges that are asked for.
    """
    network = own_network(**hepatocytes())
    problem = OwnProblem(network)
    grow(output, "arm", seeds, lambda seed: jobs(network, problem.draw(seed)))


def jobs(network, draw) -> dict:
    """Name -> what computes that row: a model that tunes itself on training rows, and its errors on test rows."""
    asked = asked_edges(network, draw.rows)
    chance = random_edges(network, len(asked), draw.seed)
    mended, random = (with_edges(draw, new) for new in (asked, chance))
    signed = replace(mended, membership=signed_membership(network.graph, stimuli(network)))
    of = {name: partial(flat, draw, rival) for name, rival in FLAT.items()}
    of |= {"GCN": partial(gcn, mended), "map as drawn": partial(gsnn, draw), "random edges": partial(gsnn, random)}
    of |= {arm: partial(gsnn, mended, arm) for arm in OWN_ARMS}
    return of | {"signed sets": partial(gsnn, signed, "regularized_loo")}


def with_edges(draw: OwnDraw, new) -> OwnDraw:
    """The same draw on a map with more edges."""
    return replace(draw, graph=replace(draw.graph, edges=draw.graph.edges + tuple(new)))


def row(draw: OwnDraw, each: np.ndarray, **choice) -> dict:
    """test_mse, the error of each output, and what was chosen."""
    return {"test_mse": float(np.mean(each))} | dict(zip(draw.graph.output_nodes, each.tolist())) | choice


def gsnn(draw: OwnDraw, arm: str = "baseline") -> dict:
    """The row of a GSNN."""
    model, choice = tuned(draw, CAREFUL, CAREFUL.layers, [arm], TUNING)[arm]
    return row(draw, errors(model, draw.x_test, draw.y_test), **{name: choice[name] for name in CHOSEN})


def gcn(draw: OwnDraw) -> dict:
    """The row of a graph convolutional network."""
    from gsnn_tutorial.study.worked.gcn import gcn_errors  # here, since torch_geometric takes seconds to import

    return row(draw, gcn_errors(draw, EPOCHS, n_folds=TUNING.folds))


def flat(draw: OwnDraw, rival: Callable) -> dict:
    """The row of a model without a network, one of ``FLAT``."""
    x, x_test = (pd.DataFrame(t.numpy(), columns=draw.graph.input_nodes) for t in (draw.x_train, draw.x_test))
    predicted = torch.as_tensor(rival(x, draw.y_train, x_test, draw.groups))
    return row(draw, (predicted - draw.y_test).square().mean(0).numpy())


def mean_of_the_line(x, y, x_test, groups):
    """Predictions that know the cell line only, whose columns have an = in their names."""
    return group_mean(x.filter(like="="), y, x_test.filter(like="="))


def pairwise_ridge(x, y, x_test, groups):
    """Predictions of ridge that knows the products of every two inputs too."""
    both = pairwise(pd.concat([x, x_test], ignore_index=True))
    return ridge(both[: len(x)], y, both[len(x) :], groups)


FLAT = {
    "mean of the cell line": mean_of_the_line, "additive ridge": ridge, "pairwise ridge": pairwise_ridge, "MLP": mlp,
}  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    study(sys.argv[1], SEEDS[: int(sys.argv[2])] if len(sys.argv) == 3 else SEEDS)
