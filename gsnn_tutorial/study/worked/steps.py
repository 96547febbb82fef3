"""The steps of chapter 8 over several splits: python -m gsnn_tutorial.study.worked.steps OUTPUT.csv [SEEDS].

Each step changes one thing of an earlier one, from a careless model on the map as drawn to a map with the edges that
the training rows ask for. Nothing is tuned: this explains, and ``tuned`` compares. SEEDS splits (12) are computed; the
same command goes on with what there is.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from gsnn_tutorial.study.inference import FEWEST_SEEDS
from gsnn_tutorial.study.own.asked import asked_inputs, heard
from gsnn_tutorial.study.own.fitting import Settings, candidate, errors, fitted
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.paired import RIVALS, rival_errors
from gsnn_tutorial.study.own.problem import OwnProblem
from gsnn_tutorial.study.worked.blocked import Blocked
from gsnn_tutorial.study.worked.hepatocytes import hepatocytes
from gsnn_tutorial.study.worked.rows import grow
from gsnn_tutorial.training import train

CARELESS = Settings(channels=8, layers=10, norm="layer", share_layers=True, epochs=150, batch_size=10_000)
CAREFUL = Settings(channels=8, layers=10, norm="batch", share_layers=False, epochs=100, batch_size=32)


def everywhere(network):
    """The map with the cell line entering every function node instead of those that are read out."""
    lines = [name for name in network.graph.input_nodes if "=" in name]
    new = [(name, node) for name in lines for node in network.graph.function_nodes]
    return replace(network.graph, edges=tuple(dict.fromkeys([*network.graph.edges, *new])))


def inhibitors(network) -> dict[str, str]:
    """The node that each inhibitor blocks: inhibitors are the inputs whose names end in i, as in MEKi."""
    entering = ((name, node) for name, node in network.graph.edges if name in set(network.graph.input_nodes))
    return {name: node for name, node in entering if name.endswith("i")}


def stimuli(network) -> list[str]:
    """The inputs that start a signal: neither an inhibitor nor the label of a cell line."""
    blocking = inhibitors(network)
    return [name for name in network.graph.input_nodes if "=" not in name and name not in blocking]


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
    """Name -> (graph, settings) of each step."""
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
        "100 spurious edges": (graph.with_spurious_edges(100, draw.seed), CAREFUL),
        "inhibitors one hop further too": (further(network), CAREFUL),
        "edges asked for": (mended, CAREFUL),
        "as many random edges": (chance, CAREFUL),
    }


def study(output: str | Path, seeds=range(FEWEST_SEEDS)):
    """Compute and write the table: seed, step, test_mse, train_mse, and the error of each output."""
    network = own_network(**hepatocytes())
    problem = OwnProblem(network)
    grow(output, "step", seeds, lambda seed: jobs(network, problem.draw(seed)))


def jobs(network, draw) -> dict:
    """Name -> what computes the errors of that row."""
    names = network.graph.output_nodes

    def row(each, trained=np.nan) -> dict:
        return {"test_mse": float(each.mean()), "train_mse": float(trained)} | dict(zip(names, each.tolist()))

    def of_model(make) -> dict:
        model = make()
        trained = errors(model, draw.x_train, draw.y_train).mean()
        return row(errors(model, draw.x_test, draw.y_test), trained)

    of = {name: lambda name=name: row(rival_errors(name, draw)) for name in RIVALS}
    for name, (graph, settings) in steps(network, draw).items():
        of[name] = lambda g=graph, s=settings: of_model(lambda: fitted(replace(draw, graph=g), s, s.layers))
    return of | {"inhibitors multiply": lambda: of_model(lambda: multiplied(network, draw))}


def multiplied(network, draw) -> Blocked:
    """A careful model on the map as drawn, in which an inhibitor multiplies what its node hands on, trained."""
    one = candidate(draw, CAREFUL, CAREFUL.layers)
    model = Blocked(one.model, inhibitors(network))
    if train(model, one.x, one.y, **one.training()).stopped == "interrupted":
        raise KeyboardInterrupt
    return model


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    study(sys.argv[1], range(int(sys.argv[2]) if len(sys.argv) == 3 else FEWEST_SEEDS))
