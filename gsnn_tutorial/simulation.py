"""Simulation: a structural causal model on the graph.

Inputs are standard normal. Every other node is drawn around a function of its parents:

    value[v] ~ Normal(f_v(values of v's parents), noise_scale),    f_v = (signed) sum by default
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import networkx as nx
import numpy as np
import pandas as pd
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.graph import PathwayGraph


def tanh(parents):
    """Bounded and odd."""
    return np.tanh(sum(parents))


def half_square(parents):
    """Even: no straight line can explain any of it."""
    return 0.5 * sum(p**2 for p in parents)


def cosine(parents):
    """Even and bounded."""
    return np.cos(sum(parents))


def cubic(parents):
    """Odd, with heavy tails."""
    return 0.3 * sum(p**3 for p in parents)


NONLINEARITIES = (tanh, half_square, cosine, cubic)


def pathway_functions(graph: PathwayGraph) -> dict[str, Callable]:
    """The published choice: the first function node of pathway p applies nonlinearity p (mod 4).

    The functions take a list of parents, scalars or arrays, so they serve both modes of ``simulate``.
    """
    first = {}
    for node in validate.instance("graph", graph, PathwayGraph).nodes:
        if node.type == "function":
            first.setdefault(node.pathway, node.name)
    return {name: NONLINEARITIES[p % len(NONLINEARITIES)] for p, name in first.items()}


def simulate(
    G: nx.DiGraph,
    n_train: int,
    n_test: int,
    input_nodes,
    output_nodes,
    *,
    noise_scale: float = 1.0,
    special_functions: Mapping[str, Callable] | None = None,
    signed_edges: Mapping[tuple, int] | None = None,
    vectorized: bool = False,
    seed: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw samples from the structural causal model on a directed acyclic graph.

    Arguments
        G: the graph. Nodes that are neither input nor output are drawn and not returned.
        n_train, n_test: numbers of samples.
        input_nodes, output_nodes: names, in the order of the columns returned.
        noise_scale: standard deviation of every node around its mean. A node that has no parents
            and is no input is Normal(0, 1).
        special_functions: {node: f}; f takes the list of parent values in the order of
            ``G.predecessors(node)``, one sample at a time, and returns a number.
        signed_edges: {(parent, child): +1 or -1} for the default sum; an edge that is not named
            has the sign of its ``sign`` attribute, else +1.
        vectorized: special functions take and return arrays of shape (samples,) instead.
        seed: makes the draw reproducible. Without one, inputs come from NumPy's global generator
            and noise from torch's, as users of the reference expect.

    Returns ``x_train, x_test, y_train, y_test``, of shapes (n_train, inputs), (n_test, inputs),
    (n_train, outputs), (n_test, outputs).

    Raises ValueError for a cycle, an unknown node or edge, an edge into an input, and a special
    function that returns something else than a finite number per sample.
    """
    n_train, n_test = validate.integer("n_train", n_train, 1), validate.integer("n_test", n_test, 0)
    noise_scale = validate.number("noise_scale", noise_scale, 0)
    input_nodes, output_nodes = (
        validate.ordered("input_nodes", input_nodes),
        validate.ordered("output_nodes", output_nodes),
    )
    special_functions = validate.mapping("special_functions", special_functions)
    signed_edges, vectorized = validate.mapping("signed_edges", signed_edges), validate.flag("vectorized", vectorized)
    _check_graph(G, input_nodes, output_nodes, special_functions, signed_edges)
    draw_inputs, draw_noise = _draws(seed)

    n = n_train + n_test
    inputs = draw_inputs((n, len(input_nodes)))
    values = dict(zip(input_nodes, inputs.T))
    for node in nx.topological_sort(G):
        if node in values:
            continue
        parents = list(G.predecessors(node))
        if not parents:
            values[node] = draw_noise(n)
            continue
        if node in special_functions:
            mean = _apply(special_functions[node], node, [values[p] for p in parents], vectorized)
        else:
            signs = [signed_edges.get((p, node), G.edges[p, node].get("sign", 1)) for p in parents]
            mean = sum(sign * values[p] for sign, p in zip(signs, parents))
        values[node] = mean + noise_scale * draw_noise(n)

    outputs = np.stack([values[node] for node in output_nodes], axis=1)
    return inputs[:n_train], inputs[n_train:], outputs[:n_train], outputs[n_train:]


def _draws(seed):
    """Two functions of a shape: one draws the inputs, one the noise, both standard normal."""
    if seed is None:
        return np.random.standard_normal, lambda n: torch.randn(n, dtype=torch.float64).numpy()
    rng = validate.generator(seed)
    return rng.standard_normal, rng.standard_normal


def _read_only(values: np.ndarray) -> np.ndarray:
    """A copy to look at: what a function does to its arguments must not reach the data."""
    values = values.copy()
    values.flags.writeable = False
    return values


def _apply(function, node: str, parents: list[np.ndarray], vectorized: bool) -> np.ndarray:
    n = len(parents[0])
    if vectorized:
        result = function([_read_only(p) for p in parents])
    else:
        samples = zip(*(p.tolist() for p in parents))
        result = [function(list(sample)) for sample in samples]
    try:
        mean = np.asarray(result, dtype=float)
    except (TypeError, ValueError):
        mean = None
    if mean is None or mean.shape != (n,):
        wanted = f"an array of shape ({n},)" if vectorized else "one number per sample"
        got = getattr(mean, "shape", None) or type(result if vectorized else result[0]).__name__
        raise ValueError(f"special_functions[{node!r}] must return {wanted}, got {got}")
    if not np.isfinite(mean).all():
        raise ValueError(f"special_functions[{node!r}] must return finite numbers, got {mean[~np.isfinite(mean)][0]}")
    return mean


def _check_graph(G, input_nodes, output_nodes, special_functions, signed_edges):
    validate.digraph(G)
    validate.pairs("signed_edges", signed_edges)
    if not nx.is_directed_acyclic_graph(G):
        cycle = " -> ".join(map(str, [u for u, _ in nx.find_cycle(G)]))
        raise ValueError(f"G must have no cycle, got {cycle} -> ...: remove one of its edges")
    named = {"input_nodes": input_nodes, "output_nodes": output_nodes, "special_functions": special_functions}
    for argument, nodes in named.items():
        for node in nodes:
            if node not in G:
                raise ValueError(f"{argument} must name nodes of G; {node!r} is not one")
    for argument in ("input_nodes", "output_nodes"):
        if not named[argument]:
            raise ValueError(f"{argument} must name at least one node, got none")
        if len(set(named[argument])) < len(named[argument]):
            raise ValueError(f"{argument} must name each node once, got {named[argument]}")
    for node in input_nodes:
        if G.in_degree(node):
            raise ValueError(f"input node {node!r} must have no parents, got {list(G.predecessors(node))}")
        if node in output_nodes:
            raise ValueError(f"{node!r} is listed in input_nodes and in output_nodes: give it one type")
    for node, function in special_functions.items():
        if not callable(function):
            raise TypeError(f"special_functions[{node!r}] must be a function of the parents, got {function!r}")
        if not G.in_degree(node):
            raise ValueError(f"special_functions[{node!r}] has nothing to work on: the node has no parents")
    for u, v, sign in G.edges.data("sign", default=1):
        if sign not in (-1, 1):
            raise ValueError(f"the sign of edge {(u, v)} must be +1 or -1, got {sign}")
    for edge, sign in signed_edges.items():
        if not G.has_edge(*edge):
            raise ValueError(f"signed_edges must name edges of G; {edge} is not one")
        if edge[1] in special_functions:
            raise ValueError(f"signed_edges[{edge}] has no effect: {edge[1]!r} has a special function")
        if sign not in (-1, 1):
            raise ValueError(f"signed_edges[{edge}] must be +1 or -1, got {sign}")


def expected_outputs(graph: PathwayGraph, x) -> np.ndarray:
    """E[y | x] in the pathway simulation: its outputs with the noise switched off, (B, inputs) -> (B, outputs).

    Exact, since only sums come after the noise of the first function node of a chain, with cross-talk
    too, which never enters a first one. No model can predict better.
    """
    names = validate.instance("graph", graph, PathwayGraph).input_nodes
    x = validate.matrix("x", x, columns=len(names), names=names).detach().cpu().double().numpy()
    G, functions, values = graph.networkx(spurious=False), pathway_functions(graph), dict(zip(graph.input_nodes, x.T))
    for node in nx.topological_sort(G):
        if node not in values:
            values[node] = functions.get(node, sum)([values[parent] for parent in G.predecessors(node)])
    return np.stack([values[node] for node in graph.output_nodes], axis=1)


def noise_floor(graph: PathwayGraph, x_test, y_train, y_test) -> float:
    """The test MSE of the exact E[y | x], in units of the training rows; y is not yet standardised."""
    names = validate.instance("graph", graph, PathwayGraph).output_nodes
    y_train, y_test = (
        validate.matrix(name, y, columns=len(names), names=names)
        for name, y in (("y_train", y_train), ("y_test", y_test))
    )
    _, expected, y = standardize(y_train, expected_outputs(graph, x_test), y_test)
    return torch.nn.functional.mse_loss(expected, y).item()


def standardize(train, *others) -> list[torch.Tensor]:
    """Scale columns to mean 0 and standard deviation 1 of the *training* rows, as float32.

    z = (y - mean_train) / (std_train + 1e-8), with the unbiased std. Test rows are scaled by the
    training statistics too, since rows that the model has not seen must not tell it anything.
    """
    names = list(train.columns) if isinstance(train, pd.DataFrame) else None
    like = torch.empty(0, dtype=torch.float32)
    train = validate.matrix("train", train, names=names, like=like)
    if len(train) < 2:
        raise ValueError(f"train must have at least 2 rows to have a standard deviation, got {len(train)}")
    mean, std = train.mean(0), train.std(0)
    others = [validate.matrix("others", y, columns=train.shape[1], names=names, like=like) for y in others]
    return [(y - mean) / (std + 1e-8) for y in (train, *others)]
