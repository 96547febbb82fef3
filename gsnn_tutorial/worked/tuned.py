"""The tuned comparison of chapter 8: python -m gsnn_tutorial.worked.tuned OUTPUT.csv [SEEDS].

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
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from gsnn_tutorial.files import read_csv, write_csv
from gsnn_tutorial.own.fitting import errors
from gsnn_tutorial.own.network import own_network
from gsnn_tutorial.own.paired import OWN_ARMS
from gsnn_tutorial.own.problem import OwnProblem
from gsnn_tutorial.own.rivals import group_mean, mlp, pairwise, ridge
from gsnn_tutorial.own.tuned import tuned
from gsnn_tutorial.study.tuning import Tuning
from gsnn_tutorial.worked.hepatocytes import hepatocytes
from gsnn_tutorial.worked.signs import signed_membership
from gsnn_tutorial.worked.steps import CAREFUL, asked_edges, inhibitors, random_edges

SEEDS = range(100, 112)
EPOCHS = (16, 32, 48, 64, 80, 96)
TUNING = Tuning(folds=2, epochs=EPOCHS)


def study(output: str | Path, seeds=SEEDS):
    """Compute and write the table: seed, arm, test_mse, the error of each output, and what a GSNN has chosen.

    The arms of ``OWN_ARMS`` are on the map with the edges that are asked for. What an older file has is kept.
    """
    network = own_network(**hepatocytes())
    problem, rows = OwnProblem(network), []
    if Path(output).exists():
        rows = read_csv(output).to_dict("records")
    done = {(row["seed"], row["arm"]) for row in rows}
    for seed in seeds:
        draw = problem.draw(seed)
        for name, compute in jobs(network, draw).items():
            if (seed, name) not in done:
                each, choice = compute()
                named = dict(zip(network.graph.output_nodes, np.asarray(each).tolist()))
                rows.append({"seed": seed, "arm": name, "test_mse": float(np.mean(each))} | named | choice)
                write_csv(pd.DataFrame(rows).round(4), output)
                print(seed, name, round(rows[-1]["test_mse"], 3), flush=True)


def jobs(network, draw) -> dict:
    """Name -> what computes the errors of that row, (outputs,), and what was chosen."""
    from gsnn_tutorial.own.gcn import gcn_errors  # here, since torch_geometric takes seconds to import

    asked = asked_edges(network, draw.rows)
    chance = random_edges(network, len(asked), draw.seed)
    mended, random = (replace(draw, graph=replace(draw.graph, edges=draw.graph.edges + tuple(new)))
                      for new in (asked, chance))  # fmt: skip
    blocking = inhibitors(network)
    stimuli = [name for name in network.graph.input_nodes if "=" not in name and name not in blocking]
    signed = replace(mended, membership=signed_membership(network.graph, stimuli))
    of = {name: partial(rival, name, draw) for name in FLAT}
    of["GCN"] = lambda: (gcn_errors(mended, EPOCHS, n_folds=2), {})
    of |= {"map as drawn": partial(gsnn, draw), "random edges": partial(gsnn, random)}
    of |= {arm: partial(gsnn, mended, arm) for arm in OWN_ARMS}
    return of | {"signed sets": partial(gsnn, signed, "regularized_loo")}


def gsnn(draw, arm: str = "baseline") -> tuple[np.ndarray, dict]:
    """Errors on the test rows of a GSNN that tuned itself, and its choice."""
    model, choice = tuned(draw, CAREFUL, CAREFUL.layers, [arm], TUNING)[arm]
    return errors(model, draw.x_test, draw.y_test), {name: choice[name] for name in CHOSEN}


CHOSEN = ("epoch", "weight_decay", "lambda_sim", "cv_mse")
FLAT = {
    "mean of the cell line": lambda x, y, x_test, groups: group_mean(x.filter(like="="), y, x_test.filter(like="=")),
    "additive ridge": ridge,
    "pairwise ridge": lambda x, y, x_test, groups: ridge(*pairs(x, y, x_test), groups),
    "MLP": mlp,
}


def pairs(x, y, x_test) -> tuple:
    """The same with the products of every two inputs."""
    both = pairwise(pd.concat([x, x_test], ignore_index=True))
    return both[: len(x)], y, both[len(x) :]


def rival(name: str, draw) -> tuple[np.ndarray, dict]:
    """Errors on the test rows of a model without a network."""
    x, x_test = (pd.DataFrame(t.numpy(), columns=draw.graph.input_nodes) for t in (draw.x_train, draw.x_test))
    predicted = torch.as_tensor(FLAT[name](x, draw.y_train, x_test, draw.groups))
    return (predicted - draw.y_test).square().mean(0).numpy(), {}


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    study(sys.argv[1], SEEDS[: int(sys.argv[2])] if len(sys.argv) == 3 else SEEDS)
