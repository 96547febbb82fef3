"""Chapter 2: what it defines on screen is what the package computes, and its exercises diagnose."""

import inspect
import re
from pathlib import Path

import jupytext
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from gsnn_tutorial import pathway_graph, simulate
from gsnn_tutorial.exercises import chapter_2 as checks
from gsnn_tutorial.plots import chapter_2 as pictures
from gsnn_tutorial.simulation import NONLINEARITIES, pathway_functions

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02_simulation.py"
EXERCISES = {name: getattr(checks, name) for name in ("simulate_chain", "mse_floor", "scale_test")}


def cell(defines):
    """The source of the code cell that holds ``defines``."""
    sources = [c.source for c in jupytext.read(NOTEBOOK).cells if c.cell_type == "code"]
    return next(source for source in sources if defines in source)


@pytest.fixture(scope="module")
def screen():
    """What the chapter defines: structural_model, draws, expect, and the signal variances."""
    names = {"np": np, "nx": nx, "NONLINEARITIES": NONLINEARITIES}
    exec(cell("def structural_model"), names)
    exec(cell("def draws").split("\n\n\ngiven")[0], names)
    exec(cell("def expect"), names)
    return names


@pytest.fixture
def tangle():
    G = nx.DiGraph([("b", "y"), ("x1", "a"), ("a", "b"), ("x2", "a"), ("x2", "b"), ("a", "y")])
    return G, {"b": lambda parents: np.cos(parents[0]) * parents[1]}


@pytest.mark.parametrize("seed", [0, 7])
def test_ten_lines_on_screen_are_the_packages_simulation(screen, tangle, seed):
    G, special = tangle
    given, noise = screen["draws"](G, ["x2", "x1"], 60, seed)
    values = screen["structural_model"](G, given, noise, special, 0.7)
    x, x_test, y, y_test = simulate(
        G, 40, 20, ["x2", "x1"], ["y", "a"],
        noise_scale=0.7, special_functions=special, vectorized=True, seed=seed,
    )  # fmt: skip
    np.testing.assert_array_equal(np.stack([values["x2"], values["x1"]], 1), np.concatenate([x, x_test]))
    np.testing.assert_array_equal(np.stack([values["y"], values["a"]], 1), np.concatenate([y, y_test]))


def test_the_floor_on_screen_is_the_residual_variance_of_the_package(screen):
    graph, sizes = pathway_graph(), (100_000, 0)
    names = graph.input_nodes, graph.output_nodes
    options = {"special_functions": pathway_functions(graph), "vectorized": True, "seed": 11}
    noisy = simulate(graph.networkx(), *sizes, *names, noise_scale=0.3, **options)[2][:, ::2]
    clean = simulate(graph.networkx(), *sizes, *names, noise_scale=0, **options)[2][:, ::2]
    np.testing.assert_allclose((noisy - clean).var(0), 4 * 0.3**2, rtol=0.03)
    np.testing.assert_allclose(clean.var(0), list(screen["signal"].values()), rtol=0.06)


def test_the_exercises_floor_is_the_chapters_on_a_chain(screen):
    for signal in screen["signal"].values():
        floor = checks.mse_floor.reference(np.diag(np.ones(3), 1), 0.3, signal)
        assert floor == pytest.approx(0.36 / (signal + 0.36))


def test_the_exercises_floor_is_the_residual_variance_on_a_signed_graph_with_detours():
    A = np.array([[0, 1, -1, 1], [0, 0, 1, 1], [0, 0, 0, -1], [0, 0, 0, 0]])
    G = nx.DiGraph([("x", 0)])
    G.add_edges_from((u, v, {"sign": int(A[u, v])}) for u, v in zip(*A.nonzero()))
    draw = {
        "special_functions": {0: lambda parents: np.cos(parents[0])},
        "vectorized": True,
        "seed": 3,
    }
    noisy = simulate(G, 200_000, 0, ["x"], [3], noise_scale=0.4, **draw)[2]
    clean = simulate(G, 200_000, 0, ["x"], [3], noise_scale=0, **draw)[2]
    variance = simulate(G, 200_000, 0, ["x"], [0], noise_scale=0, **draw)[2].var()
    floor = checks.mse_floor.reference(A, 0.4, variance)
    assert floor == pytest.approx((noisy - clean).var() / noisy.var(), rel=0.02)


def test_the_exercises_scale_is_the_packages():
    from gsnn_tutorial import standardize

    train, test = checks.scale_test.cases(0)[0]
    np.testing.assert_allclose(checks.scale_test.reference(train, test), standardize(train, test)[1], atol=1e-5)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_stub_on_screen_has_the_references_arguments(name, capsys):
    exercise = EXERCISES[name]
    space = {"checks": checks}
    source = cell(f"checks.{name}(")
    exec(source, space)
    assert "no answer yet." in capsys.readouterr().out
    stub = space[re.search(rf"checks\.{name}\((\w+)\)", source)[1]]
    assert inspect.signature(stub) == inspect.signature(exercise.reference)


def test_mean_given_sum_is_the_mean_of_samples_with_that_sum():
    a, b = np.random.default_rng(0).standard_normal((2, 400_000))
    near = np.abs(a + b - 1) < 0.05
    for f in NONLINEARITIES:
        expected = f([a[near], b[near]]).mean()
        np.testing.assert_allclose(pictures.mean_given_sum(f, np.array([1.0])), expected, atol=0.05)


def test_limits_of_an_unknown_quantity_are_refused():
    with pytest.raises(ValueError, match="quantity"):
        pictures.plot_limits(pd.Series([0.3]), {}, quantity="accuracy")
