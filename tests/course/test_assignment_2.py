"""Assignment 2: what it asks for is what the package computes, and what can be computed in another way."""

import networkx as nx
import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import r2_score

from gsnn_tutorial import pathway_graph, simulate
from gsnn_tutorial.exercises import assignment_2 as checks
from gsnn_tutorial.simulation import expected_outputs, noise_floor, pathway_functions

SEEDS = range(3)


def digraph(parents):
    """The graph for networkx, which keeps the order of the parents."""
    G = nx.DiGraph()
    G.add_nodes_from(parents)
    G.add_edges_from((parent, node, {"sign": s}) for node in parents for parent, s in parents[node].items())
    return G


@pytest.mark.parametrize("seed", SEEDS)
def test_levels_are_generations(seed):
    for (parents,) in checks.levels.cases(seed):
        G = digraph(parents)
        level = {node: k for k, nodes in enumerate(nx.topological_generations(G)) for node in nodes}
        assert checks.levels.reference(parents) == [level[node] for node in parents]
        assert max(level.values()) == nx.dag_longest_path_length(G, weight=None)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_are_those_of_the_package_s_simulation(seed):
    for parents, functions, z, sigma in checks.scm.cases(seed):
        G, B = digraph(parents), len(z)
        inputs = [node for node in parents if not parents[node]]
        others = [node for node in nx.topological_sort(G) if node not in inputs]
        how = {"noise_scale": sigma, "special_functions": functions, "vectorized": True}
        package = simulate(G, B, 0, inputs, others, seed=seed, **how)

        rng = np.random.default_rng(seed)  # the package's order of draws: the inputs, then node by node
        draws = dict(zip(inputs, rng.standard_normal((B, len(inputs))).T))
        draws |= {node: rng.standard_normal(B) for node in others}
        ours = checks.scm.reference(parents, functions, np.stack([draws[node] for node in parents], axis=1), sigma)
        columns = [list(parents).index(node) for node in inputs + others]
        np.testing.assert_allclose(ours[:, columns], np.hstack([package[0], package[2]]))


def test_the_package_applies_the_strongest_parent_to_all_samples_at_once():
    G, how = nx.DiGraph([("a", "c"), ("b", "c")]), {"noise_scale": 0.5, "seed": 0}
    whole, one_by_one = [
        simulate(G, 50, 0, ["a", "b"], ["c"], special_functions={"c": f}, vectorized=vectorized, **how)[2]
        for f, vectorized in [(checks.strongest.reference, True), (lambda sample: max(sample, key=abs), False)]
    ]
    np.testing.assert_array_equal(whole, one_by_one)


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_in_common_is_the_covariance_of_what_the_simulation_adds_to_its_noise_free_run(seed):
    """The values are linear in the draws, so a unit of noise at a time says everything."""
    for parents, outputs, sigma in checks.shared_noise.cases(seed):
        noisy = np.diag([float(bool(signs)) for signs in parents.values()])
        arrived = checks.scm.reference(parents, {}, noisy, sigma)[:, [list(parents).index(node) for node in outputs]]
        np.testing.assert_allclose(checks.shared_noise.reference(parents, outputs, sigma), arrived.T @ arrived)


def test_outputs_of_a_pathway_share_three_of_four_noises_and_the_package_s_samples_say_so():
    graph = pathway_graph(K=2)
    parents = {node: {parent: 1 for parent in graph.networkx().predecessors(node)} for node in graph.networkx()}
    parents = {node: parents[node] for node in nx.topological_sort(graph.networkx())}
    C = checks.shared_noise.reference(parents, graph.output_nodes, 0.3) / 0.09
    np.testing.assert_allclose(C, np.kron(np.eye(2), [[4, 3], [3, 4]]))

    names = graph.input_nodes, graph.output_nodes
    how = {"special_functions": pathway_functions(graph), "vectorized": True, "seed": 0}
    _, _, noisy, _ = simulate(graph.networkx(), 100_000, 0, *names, noise_scale=0.3, **how)
    _, _, clean, _ = simulate(graph.networkx(), 100_000, 0, *names, noise_scale=0, **how)
    np.testing.assert_allclose(np.cov((noisy - clean).T) / 0.09, C, atol=0.06)


def test_a_cosine_of_normal_noise_is_flatter_and_has_the_error_of_the_closed_form():
    s, sigma, M = np.linspace(-3, 3, 13), 0.8, 200_000
    z = norm.ppf((np.arange(M) + 0.5) / M)
    prediction, error = checks.through.reference(np.cos, s, z, sigma)
    mean = np.exp(-(sigma**2) / 2) * np.cos(s)
    square = (1 + np.exp(-2 * sigma**2) * np.cos(2 * s)) / 2
    np.testing.assert_allclose(prediction, mean, atol=1e-4)
    np.testing.assert_allclose(error, square - mean**2 + sigma**2, atol=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_prediction_has_a_smaller_error_and_noise_in_front_of_a_line_adds_up(seed):
    for f, s, z, sigma in checks.through.cases(seed):
        prediction, error = checks.through.reference(f, s, z, sigma)
        last = np.array([-1, 1])  # any noise with mean 0 and variance 1
        y = f(s[:, None] + sigma * z)[:, :, None] + sigma * last  # (B, M, 2)

        def mse(guess):
            return np.square(y - guess[:, None, None]).mean((1, 2))

        np.testing.assert_allclose(mse(prediction), error)
        assert all((mse(guess) > error).all() for guess in (prediction + 0.01, prediction - 0.01))
        line = checks.through.reference(lambda x: 1 - x, s, z, sigma)
        np.testing.assert_allclose(line, [1 - s, 0 * s + 2 * sigma**2])


@pytest.mark.parametrize("seed", SEEDS)
def test_floor_and_ceiling_are_the_package_s_and_scikit_learn_s(seed):
    graph = pathway_graph(K=3)
    how = {"special_functions": pathway_functions(graph), "vectorized": True, "noise_scale": 0.5, "seed": seed}
    _, x_test, y_train, y_test = simulate(graph.networkx(), 40, 30, graph.input_nodes, graph.output_nodes, **how)
    expected = expected_outputs(graph, x_test)
    floor, ceiling = checks.limits.reference(y_train, y_test, expected)
    assert floor.mean() == pytest.approx(noise_floor(graph, x_test, y_train, y_test), rel=1e-5)
    np.testing.assert_allclose(ceiling, r2_score(y_test, expected, multioutput="raw_values"))


# What the text works out by hand

TINY = {"a": {}, "b": {}, "c": {"a": 1, "b": -1}, "d": {"c": 1, "a": 1}}


def test_the_tiny_graph_has_the_levels_and_values_that_the_text_says():
    assert checks.levels.reference(TINY) == [0, 0, 1, 2]
    assert checks.levels.reference({node: TINY[node] for node in "dacb"}) == [2, 0, 1, 0]
    z = np.array([[1.0, 4, 2, -4]])
    np.testing.assert_allclose(checks.scm.reference(TINY, {}, z, 0.5), [[1, 4, -2, -3]])
    np.testing.assert_allclose(checks.scm.reference(TINY, {"d": checks.strongest.reference}, z, 0.5), [[1, 4, -2, -4]])
    np.testing.assert_allclose(checks.shared_noise.reference(TINY, ["c", "d"], 2.0), [[4, 4], [4, 8]])


def test_the_other_examples_of_the_text():
    assert checks.strongest.reference([np.array([1.0]), np.array([-3.0])]).tolist() == [-3]
    assert checks.strongest.reference([np.array([1, 2]), np.array([-3, 0.5])]).tolist() == [-3, 2]
    prediction, error = checks.through.reference(np.square, np.array([3.0]), np.array([-1.0, 1.0]), 2.0)
    assert (prediction.item(), error.item()) == (13, 148)
    column = [np.array(values, dtype=float)[:, None] for values in ([0, 2, 4], [1, 7], [2, 6])]
    np.testing.assert_allclose(checks.limits.reference(*column), [[1 / 4], [8 / 9]])


def test_the_figure_of_the_blurred_cosine_shows_what_the_text_says():
    s, sigma = np.linspace(-5, 5, 201), 0.8
    z = np.random.default_rng(2026).standard_normal(2000)
    prediction, error = checks.through.reference(np.cos, s, (z - z.mean()) / z.std(), sigma)
    assert np.abs(prediction).max() < 0.8 and (error < 2 * sigma**2).all()
    steep = np.abs(np.sin(s))
    assert np.corrcoef(steep, error)[0, 1] > 0.9


def apart(n, seed):
    """|log(floor / (1 - ceiling))| of the eight outputs of a draw."""
    graph = pathway_graph()
    how = {"special_functions": pathway_functions(graph), "vectorized": True, "noise_scale": 0.3, "seed": seed}
    _, x, y_train, y_test = simulate(graph.networkx(), n, n, graph.input_nodes, graph.output_nodes, **how)
    floor, ceiling = checks.limits.reference(y_train, y_test, expected_outputs(graph, x))
    return np.abs(np.log(floor / (1 - ceiling)))


def test_floor_and_ceiling_add_up_to_one_in_the_long_run_but_not_on_a_draw_and_least_of_all_the_cubic_s():
    assert max(apart(20_000, seed).max() for seed in (2026, 2027, 4711)) < 0.15
    few = np.mean([apart(64, seed) for seed in range(100)], axis=0).reshape(4, 2).mean(1)
    assert few.argmax() == 3 and few[3] > 0.4 and few.min() > 0.05


# Mistakes as pupils write them


def largest_by_max(parents):
    return np.max(parents)


def strongest_row(parents):
    stacked = np.stack(parents)
    return stacked[np.argmax(np.abs(stacked), axis=0)]


def largest_over_samples(parents):
    stacked = np.stack(parents)
    return stacked[np.arange(len(stacked)), np.abs(stacked).argmax(1)]


def once_through(parents):
    level = dict.fromkeys(parents, 0)
    for node, of in parents.items():
        for parent in of:
            level[node] = max(level[node], level[parent] + 1)
    return list(level.values())


def breadth_first(parents):
    level = {node: 0 for node in parents if not parents[node]}
    queue = list(level)
    while queue:
        node = queue.pop(0)
        for child in parents:
            if node in parents[child] and child not in level:
                level[child] = level[node] + 1
                queue.append(child)
    return [level[node] for node in parents]


def all_noisy(parents, functions, z, sigma):
    values = sigma * z
    for k, (node, signs) in enumerate(parents.items()):
        given = [values[:, list(parents).index(parent)] for parent in signs]
        if node in functions:
            values[:, k] += functions[node](given)
        elif given:
            values[:, k] += sum(sign * value for sign, value in zip(signs.values(), given))
    return values


def by_inverse(parents, outputs, sigma):
    place = {node: k for k, node in enumerate(parents)}
    A = np.zeros((len(place), len(place)))
    for node, signs in parents.items():
        for parent, sign in signs.items():
            A[place[parent], place[node]] = sign
    ways = np.linalg.inv(np.eye(len(A)) - A)[:, [place[node] for node in outputs]]
    return sigma**2 * ways.T @ ways  # the inputs' rows are in it


def sampled_std(f, s, z, sigma):
    values = f(s[:, None] + sigma * z)
    return values.mean(1), np.var(values, axis=1, ddof=1) + sigma**2


def by_scaler(y_train, y_test, expected):
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(y_train)
    floor = np.square(scaler.transform(y_test) - scaler.transform(expected)).mean(0)
    return floor, r2_score(y_test, expected, multioutput="raw_values")


WRONG = [
    (checks.levels, once_through, "once"),
    (checks.levels, breadth_first, "shortest path"),
    (checks.strongest, largest_by_max, "one number, the largest"),
    (checks.strongest, strongest_row, "(B, B)"),
    (checks.strongest, largest_over_samples, "a number for each parent"),
    (checks.scm, all_noisy, "scaled by sigma"),
    (checks.shared_noise, by_inverse, "without parents brought noise"),
    (checks.through, sampled_std, "divides by M - 1"),
    (checks.limits, by_scaler, "divides by n - 1"),
]


@pytest.mark.parametrize("exercise, answer, words", WRONG, ids=lambda value: getattr(value, "__name__", ""))
def test_mistakes_as_pupils_write_them_are_diagnosed(exercise, answer, words):
    for seed in (0, 1, 2026):
        assert words in exercise.diagnose(answer, seed)


# What the checks say of answers that are no mistakes of the list


def test_an_answer_may_write_into_its_arguments():
    def answer(parents, functions, z, sigma):
        result = checks.scm.reference(parents, functions, z, sigma)
        z[:] = 0
        parents.clear()
        return result

    assert checks.scm.diagnose(answer, 0) is None
