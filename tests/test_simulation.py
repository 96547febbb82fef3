import math

import networkx as nx
import numpy as np
import pytest
import torch

from gsnn_tutorial import pathway_graph, simulate, standardize
from gsnn_tutorial.simulation import NONLINEARITIES, expected_outputs, noise_floor, pathway_functions


def simulate_one_sample_at_a_time(G, n, input_nodes, output_nodes, noise_scale, special, signed, seed):
    """The structural causal model, sample by sample, from the draws that ``simulate`` makes with this seed."""
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((n, len(input_nodes)))
    drawn = [node for node in nx.topological_sort(G) if node not in input_nodes]
    noise = {node: rng.standard_normal(n) for node in drawn}
    outputs = []
    for i in range(n):
        value = dict(zip(input_nodes, inputs[i]))
        for node in drawn:
            parents = list(G.predecessors(node))
            if not parents:
                value[node] = noise[node][i]
                continue
            if node in special:
                mean = special[node]([value[p] for p in parents])
            else:
                mean = sum(signed.get((p, node), G.edges[p, node].get("sign", 1)) * value[p] for p in parents)
            value[node] = mean + noise_scale * noise[node][i]
        outputs.append([value[node] for node in output_nodes])
    return inputs, np.array(outputs)


@pytest.fixture
def tangle():
    """A DAG with a signed edge, a node without parents, a skip connection and shuffled insertion order."""
    G = nx.DiGraph()
    G.add_edges_from([("b", "y"), ("x1", "a"), ("a", "b"), ("x2", "a"), ("x2", "b"), ("free", "b"), ("a", "z")])
    G.edges["x2", "b"]["sign"] = -1
    return G


def published(graph, seed=0, **options):
    return simulate(
        graph.networkx(), 256, 1024, graph.input_nodes, graph.output_nodes,
        **{"noise_scale": 0.3, "special_functions": pathway_functions(graph), "seed": seed} | options,
    )  # fmt: skip


def test_it_equals_a_loop_over_samples_with_the_same_draws(tangle):
    special = {"a": lambda parents: math.sin(parents[0]) * parents[1] - max(parents)}
    given = ["x2", "x1"], ["z", "y"]
    x, y = simulate_one_sample_at_a_time(tangle, 50, *given, 0.7, special, {("b", "y"): -1}, seed=5)
    x_train, x_test, y_train, y_test = simulate(
        tangle, 30, 20, *given, noise_scale=0.7, special_functions=special, signed_edges={("b", "y"): -1}, seed=5
    )
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x)
    np.testing.assert_allclose(np.concatenate([y_train, y_test]), y, rtol=0, atol=1e-12)
    assert len(x_train) == len(y_train) == 30 and len(x_test) == len(y_test) == 20


def test_scalar_and_vectorized_functions_give_the_same_samples():
    graph = pathway_graph()
    for one, other in zip(published(graph), published(graph, vectorized=True)):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_scalar_functions_are_never_given_all_samples_at_once(tangle):
    reduced = {"a": lambda parents: np.max(parents)}  # over samples too, if it were given arrays
    x, _, y, _ = simulate(tangle, 40, 0, ["x1", "x2"], ["a"], noise_scale=0, special_functions=reduced, seed=0)
    np.testing.assert_array_equal(y[:, 0], x.max(1))


def test_the_published_functions_are_tanh_half_square_cosine_and_cubic():
    graph, parents = pathway_graph(K=5), [0.3, -1.1]
    expected = [math.tanh(-0.8), 0.5 * (0.09 + 1.21), math.cos(-0.8), 0.3 * (0.027 - 1.331), math.tanh(-0.8)]
    functions = pathway_functions(graph)
    assert list(functions) == [f"f_{p}_0" for p in range(5)]
    np.testing.assert_allclose([f(parents) for f in functions.values()], expected, atol=1e-12)
    assert len(NONLINEARITIES) == 4


def test_a_sign_as_an_edge_attribute_or_as_an_argument_flips_a_parent():
    G = nx.DiGraph([("p", "y"), ("q", "y")])
    options = {"noise_scale": 0, "seed": 1}
    x, _, y, _ = simulate(G, 9, 0, ["p", "q"], ["y"], signed_edges={("q", "y"): -1}, **options)
    np.testing.assert_allclose(y[:, 0], x[:, 0] - x[:, 1])
    G.edges["p", "y"]["sign"] = -1
    _, _, y, _ = simulate(G, 9, 0, ["p", "q"], ["y"], **options)
    np.testing.assert_allclose(y[:, 0], x[:, 1] - x[:, 0])
    _, _, y, _ = simulate(G, 9, 0, ["p", "q"], ["y"], signed_edges={("p", "y"): 1}, **options)
    np.testing.assert_allclose(y[:, 0], x.sum(1))


def test_a_node_without_parents_is_standard_normal_whatever_the_noise_scale():
    G = nx.DiGraph([("x", "y")])
    G.add_node("free")
    _, _, y, _ = simulate(G, 20_000, 0, ["x"], ["free"], noise_scale=0.01, seed=0)
    assert abs(y.mean()) < 0.03 and abs(y.std() - 1) < 0.03


def test_moments_are_those_of_the_model():
    G = nx.DiGraph([("x1", "a"), ("x2", "a"), ("a", "y")])
    x, _, y, _ = simulate(G, 50_000, 0, ["x1", "x2"], ["a", "y"], noise_scale=0.5, seed=0)
    assert np.abs(x.mean(0)).max() < 0.02 and np.abs(x.std(0) - 1).max() < 0.02
    np.testing.assert_allclose(y.var(0), [2 + 0.25, 2 + 2 * 0.25], rtol=0.03)
    np.testing.assert_allclose(np.cov(x[:, 0], y[:, 1])[0, 1], 1, atol=0.03)


def test_columns_follow_the_given_node_lists():
    graph = pathway_graph(K=2)
    x, _, y, _ = published(graph)
    x_reversed, _, y_reversed, _ = simulate(
        graph.networkx(), 256, 1024, graph.input_nodes, graph.output_nodes[::-1],
        noise_scale=0.3, special_functions=pathway_functions(graph), seed=0,
    )  # fmt: skip
    np.testing.assert_array_equal(x, x_reversed)
    np.testing.assert_array_equal(y, y_reversed[:, ::-1])


def test_a_seed_makes_the_samples_and_leaves_the_global_generators_alone():
    graph, numpy_state, torch_state = pathway_graph(), np.random.get_state()[1].copy(), torch.get_rng_state()
    first, again, other = published(graph), published(graph), published(graph, seed=1)
    for one, two, three in zip(first, again, other):
        np.testing.assert_array_equal(one, two)
        assert not np.allclose(one, three)
    assert (np.random.get_state()[1] == numpy_state).all() and torch.equal(torch.get_rng_state(), torch_state)


def test_without_a_seed_inputs_are_the_published_ones_from_numpys_global_generator(golden):
    np.random.seed(1)
    x_train, x_test, _, _ = published(pathway_graph(), seed=None)
    assert torch.equal(torch.tensor(x_train, dtype=torch.float32), golden["x_train_raw"].float())
    assert torch.equal(torch.tensor(x_test, dtype=torch.float32), golden["x_test_raw"].float())


def test_without_a_seed_noise_comes_from_torchs_global_generator():
    def draw(numpy_seed, torch_seed):
        np.random.seed(numpy_seed)
        torch.manual_seed(torch_seed)
        x, _, y, _ = simulate(nx.DiGraph([("x", "y")]), 8, 0, ["x"], ["y"])
        return x, y - x

    x, noise = draw(1, 2)
    same_x, other_noise = draw(1, 3)
    other_x, same_noise = draw(4, 2)
    np.testing.assert_array_equal(x, same_x)
    np.testing.assert_allclose(noise, same_noise, atol=1e-12)
    assert not np.allclose(noise, other_noise) and not np.allclose(x, other_x)


def test_standardized_published_targets_equal_the_reference_exactly(golden):
    y_train, y_test = standardize(golden["y_train_raw"], golden["y_test_raw"])
    assert torch.equal(y_train, golden["y_train"]) and torch.equal(y_test, golden["y_test"])


def test_standardizing_uses_the_statistics_of_the_training_rows_only():
    train, test = torch.tensor([[0.0, 5.0], [2.0, 9.0]]), torch.tensor([[100.0, -100.0]])
    scaled, scaled_test = standardize(train, test)
    alone, _ = standardize(train, test * 7)
    assert torch.equal(scaled, alone)
    torch.testing.assert_close(scaled.std(0), torch.ones(2))
    torch.testing.assert_close(scaled_test, (test - torch.tensor([1.0, 7.0])) / torch.tensor([2**0.5, 8**0.5]))


def test_a_constant_target_is_standardized_to_zero_instead_of_nan():
    assert torch.equal(standardize(torch.full((4, 1), 3.0))[0], torch.zeros(4, 1))


def test_the_noise_floor_is_what_is_left_when_the_function_is_known(draw):
    graph = pathway_graph()
    x, _, y, _ = simulate(
        graph.networkx(), 200_000, 0, graph.input_nodes, graph.output_nodes,
        noise_scale=0.3, special_functions=pathway_functions(graph), vectorized=True, seed=0,
    )  # fmt: skip
    residual = y - expected_outputs(graph, x)
    np.testing.assert_allclose(residual.var(0), 4 * 0.3**2, rtol=0.02)  # the noise of four nodes on the way
    np.testing.assert_allclose(residual.mean(0), 0, atol=0.01)
    assert noise_floor(graph, x, y, y) == pytest.approx((4 * 0.3**2 / y.var(0, ddof=1)).mean(), rel=0.02)
    assert 0.2 < draw.floor < 0.4  # the published samples follow the same functions


@pytest.mark.parametrize("vectorized", [True, False])
def test_a_special_function_cannot_write_into_its_parents(vectorized):
    def greedy(parents):
        parents[0] *= 0
        return parents[0]

    def draw(function):
        return simulate(
            nx.DiGraph([("x", "f"), ("f", "y")]), 4, 2, ["x"], ["y"], special_functions={"f": function},
            vectorized=vectorized, seed=0,
        )[0]  # fmt: skip

    if vectorized:
        with pytest.raises(ValueError, match="read-only"):
            draw(greedy)
    else:
        np.testing.assert_array_equal(draw(greedy), draw(lambda parents: parents[0]))
