"""Samples of the structural causal model on any acyclic graph are what its equations say, node by node."""

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS

from gsnn_tutorial import simulate

FUNCTIONS = {
    "tanh of the sum": lambda parents: np.tanh(sum(parents)),
    "cosine of the sum": lambda parents: np.cos(sum(parents)),
    "first, less half of the last": lambda parents: parents[0] - 0.5 * parents[-1],  # depends on the parents' order
    "square of the first, bounded": lambda parents: parents[0] ** 2 / (1 + parents[0] ** 2),
}


@st.composite
def models(draw):
    """A DAG with names and edges in any order, and what ``simulate`` is told of it."""
    size = draw(st.integers(2, 8))
    nodes = draw(st.permutations([f"n{k}" for k in range(size)]))  # every edge runs from an earlier to a later one
    inputs = nodes[: draw(st.integers(1, size - 1))]
    possible = [(u, v) for k, v in enumerate(nodes) for u in nodes[:k] if v not in inputs]
    G = nx.DiGraph()
    if draw(st.booleans()):
        G.add_nodes_from(draw(st.permutations(nodes)))
    G.add_edges_from(draw(st.lists(st.sampled_from(possible), unique=True)))
    G.add_nodes_from(nodes)
    special = {v: draw(st.sampled_from(list(FUNCTIONS))) for v in nodes if G.in_degree(v) and draw(st.booleans())}
    for edge in G.edges:
        if draw(st.booleans()):
            G.edges[edge]["sign"] = draw(st.sampled_from([1, -1]))
    summed = [edge for edge in G.edges if edge[1] not in special]
    signs = {edge: draw(st.sampled_from([1, -1])) for edge in summed if draw(st.booleans())}
    return G, draw(st.permutations(inputs)), special, signs


def run(model, samples, seed, *, noise_scale, outputs=None, functions=FUNCTIONS, vectorized=False):
    """Inputs and outputs of all samples. Without ``outputs``, those are all nodes that are not inputs."""
    G, inputs, special, signs = model
    outputs = [node for node in G if node not in inputs] if outputs is None else outputs
    n_train = 1 + samples // 2
    x_train, x_test, y_train, y_test = simulate(
        G, n_train, samples - n_train, inputs, outputs, noise_scale=noise_scale, signed_edges=signs,
        special_functions={v: functions[name] for v, name in special.items()}, vectorized=vectorized, seed=seed,
    )  # fmt: skip
    assert len(x_train) == len(y_train) == n_train and len(x_test) == len(y_test) == samples - n_train
    return np.concatenate([x_train, x_test]), dict(zip(outputs, np.concatenate([y_train, y_test]).T))


def value_of(node, known, model):
    """A node's value in one sample without noise; ``known`` are those of the nodes without parents."""
    G, _, special, signs = model
    if node in known:
        return known[node]
    if node in special:
        return FUNCTIONS[special[node]]([value_of(parent, known, model) for parent in G.predecessors(node)])
    total = 0.0
    for parent in G.predecessors(node):
        sign = signs[parent, node] if (parent, node) in signs else G.edges[parent, node].get("sign", 1)
        total += sign * value_of(parent, known, model)
    return total


@given(model=models(), samples=st.integers(2, 6), seed=SEEDS, vectorized=st.booleans())
def test_without_noise_every_node_is_the_function_of_its_parents_down_to_the_roots(model, samples, seed, vectorized):
    G, inputs, _, _ = model
    x, y = run(model, samples, seed, noise_scale=0, vectorized=vectorized)
    roots = [node for node in y if not G.in_degree(node)]  # drawn, though they are no inputs
    for b in range(samples):
        known = dict(zip(inputs, x[b])) | {node: y[node][b] for node in roots}
        for node, values in y.items():
            np.testing.assert_allclose(values[b], value_of(node, known, model), rtol=1e-12, atol=1e-12)


@given(model=models(), seed=SEEDS, noise_scale=st.sampled_from([0.0, 0.5, 2.0]))
def test_a_nodes_noise_is_added_to_the_function_of_its_parents_and_grows_with_its_scale(model, seed, noise_scale):
    G, inputs, _, _ = model
    x, y = run(model, 5, seed, noise_scale=noise_scale)
    _, loud = run(model, 5, seed, noise_scale=1.0)
    for node in y:
        if not G.in_degree(node):
            assert np.array_equal(y[node], loud[node])
            continue
        noise = []
        for values in (y, loud):
            everything = dict(zip(inputs, x.T)) | values
            mean = [value_of(node, {p: everything[p][b] for p in G.predecessors(node)}, model) for b in range(len(x))]
            noise.append(values[node] - mean)
        np.testing.assert_allclose(noise[0], noise_scale * noise[1], rtol=0, atol=1e-9)


@given(model=models(), samples=st.integers(2, 6), seed=SEEDS, noise_scale=st.sampled_from([0.0, 0.5]))
def test_functions_of_arrays_give_the_samples_that_functions_of_numbers_give(model, samples, seed, noise_scale):
    def of_numbers(function):
        def checked(parents):
            assert all(type(value) is float for value in parents)
            return float(function(parents))

        return checked

    functions = {name: of_numbers(function) for name, function in FUNCTIONS.items()}
    x, y = run(model, samples, seed, noise_scale=noise_scale, vectorized=True)
    x_of_numbers, y_of_numbers = run(model, samples, seed, noise_scale=noise_scale, functions=functions)
    assert np.array_equal(x, x_of_numbers)
    for node in y:
        np.testing.assert_allclose(y[node], y_of_numbers[node], rtol=1e-12, atol=1e-12)


@given(model=models(), samples=st.integers(2, 6), seed=SEEDS, data=st.data())
def test_the_same_seed_gives_the_same_samples_whichever_outputs_are_asked_for(model, samples, seed, data):
    x, y = run(model, samples, seed, noise_scale=0.7)
    some = data.draw(st.lists(st.sampled_from(list(y)), unique=True, min_size=1), label="outputs")
    x_again, y_again = run(model, samples, np.random.default_rng(seed), noise_scale=0.7, outputs=some)
    assert np.array_equal(x, x_again) and list(y_again) == some
    assert all(np.array_equal(y[node], y_again[node]) for node in some)
    x_other, _ = run(model, samples, seed + 1, noise_scale=0.7)
    assert not np.isin(x_other, x).any()
