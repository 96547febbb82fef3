"""The steps of chapter 8 over several splits: python notebooks/studies/hepatocytes_steps.py OUTPUT.csv [SEEDS].

Each step changes one thing of an earlier one, from a careless model on the map as drawn to a map with the edges that
the training rows ask for. Nothing is tuned: this explains, and ``hepatocytes_tuned.py`` compares. SEEDS splits (12) are
computed; the same command goes on with the splits that are missing.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from blocked import Blocked

from gsnn_tutorial.study.files import read_csv, write_csv
from gsnn_tutorial.study.inference import FEWEST_SEEDS
from gsnn_tutorial.study.own.asked import asked_inputs, heard
from gsnn_tutorial.study.own.hepatocytes import CAREFUL, CARELESS, everywhere, hepatocytes, inhibitors
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.rivals import RIVALS, USUAL_RIVALS
from gsnn_tutorial.study.own.splits import OwnProblem
from gsnn_tutorial.study.replicas import Replica, fitted, output_errors
from gsnn_tutorial.training import train


def further(network):
    """The map with each inhibitor entering, besides its node, what that node acts on: it blocks what is handed on."""
    edges = network.graph.edges
    new = [(name, v) for name, node in inhibitors(network).items() for u, v in edges if u == node]
    functions = set(network.graph.function_nodes)
    return replace(network.graph, edges=tuple(dict.fromkeys([*edges, *(e for e in new if e[1] in functions)])))


def asked_edges(network, rows: np.ndarray) -> list[tuple[str, str]]:
    """Edges from inputs that the training rows ask for, to the node that the output is read out of."""
    asked = asked_inputs(network.x.iloc[rows], network.y.iloc[rows], network.groups.iloc[rows], heard(network.graph))
    node = {name: source for source, name in network.graph.edges if name in set(network.graph.output_nodes)}
    return [(u, node[name]) for u, name in zip(asked["input"], asked["output"])]


def random_edges(network, count: int, seed: int) -> list[tuple[str, str]]:
    """As many edges from inputs to read-out nodes, drawn from those that the graph lacks: what any edges would do."""
    read = [source for source, name in network.graph.edges if name in set(network.graph.output_nodes)]
    inputs = [name for name in network.graph.input_nodes if "=" not in name]
    free = [(u, v) for u in inputs for v in read if (u, v) not in set(network.graph.edges)]
    chosen = np.random.default_rng(seed).choice(len(free), count, replace=False)
    return [free[i] for i in chosen]


def steps(network, draw) -> dict:
    """The graph and the recipe of each step, by its name."""
    graph = network.graph
    asked = asked_edges(network, draw.rows)
    mended = replace(graph, edges=graph.edges + tuple(asked))
    chance = replace(graph, edges=graph.edges + tuple(random_edges(network, len(asked), draw.seed)))
    return {
        "careless": (everywhere(network), CARELESS),
        "minibatches": (everywhere(network), replace(CARELESS, batch_size=32, epochs=100)),
        "norm over the batch": (everywhere(network), replace(CAREFUL, share_layers=True)),
        "cell line at the read-outs": (graph, replace(CAREFUL, share_layers=True)),
        "layers of their own": (graph, CAREFUL),
        "six layers": (graph, replace(CAREFUL, layers=6)),
        "100 spurious edges": (graph.with_random_edges(100, draw.seed), CAREFUL),
        "inhibitors one hop further too": (further(network), CAREFUL),
        "edges asked for": (mended, CAREFUL),
        "as many random edges": (chance, CAREFUL),
    }


def rows(network, draw) -> list[dict]:
    """One split: step, test_mse, train_mse and the error of each output, for each rival, each step and ``Blocked``."""
    models = {
        name: lambda graph=graph, recipe=recipe: fitted(replace(draw, graph=graph), recipe, recipe.layers)
        for name, (graph, recipe) in steps(network, draw).items()
    }
    models["inhibitors multiply"] = lambda: multiplied(network, draw)
    found = [row(draw, name, RIVALS[name](draw)) for name in USUAL_RIVALS]
    for name, make in models.items():
        model = make()
        trained = output_errors(model, draw.x_train, draw.y_train).mean()
        found.append(row(draw, name, output_errors(model, draw.x_test, draw.y_test), trained))
    return found


def row(draw, name: str, each: np.ndarray, trained: float = np.nan) -> dict:
    """One row of the table."""
    of = {"seed": draw.seed, "step": name, "test_mse": float(each.mean()), "train_mse": float(trained)}
    return of | dict(zip(draw.graph.output_nodes, each.tolist()))


def multiplied(network, draw) -> Blocked:
    """A careful model on the map as drawn, in which an inhibitor multiplies what its node hands on, trained."""
    one = Replica(draw, draw.seed, "baseline", CAREFUL, CAREFUL.layers)
    model = Blocked(one.model, inhibitors(network))
    if train(model, *one.data, **CAREFUL.training(len(draw.x_train), draw.seed)).stopped == "interrupted":
        raise KeyboardInterrupt
    return model


def study(output: str | Path, seeds=range(FEWEST_SEEDS)):
    """Compute and write the splits that ``output`` lacks."""
    network = own_network(**hepatocytes())
    problem = OwnProblem(network)
    table = read_csv(output) if Path(output).exists() else pd.DataFrame({"seed": []})
    for seed in (seed for seed in seeds if seed not in set(table["seed"])):
        table = pd.concat([table, pd.DataFrame(rows(network, problem.draw(seed)))])
        write_csv(table.astype({"seed": int}).round(4), output)
        print(seed, flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    study(sys.argv[1], range(int(sys.argv[2]) if len(sys.argv) == 3 else FEWEST_SEEDS))
