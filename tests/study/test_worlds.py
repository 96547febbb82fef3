"""Worlds break the prior's assumption by degrees; without a degree they are the problem that realises it."""

import networkx as nx
import numpy as np
import pytest

from gsnn_tutorial.study.problem import Problem
from gsnn_tutorial.study.worlds import World, half_wave, simulate_at_rest


def test_a_world_that_breaks_nothing_has_the_graph_and_the_functions_of_a_problem():
    world, problem = World().draw(0), Problem(K=8, n_func=4, n_spurious=32, n_train=128).draw(0)
    assert set(world.graph.edges) == set(problem.graph.edges) and world.graph.names == problem.graph.names
    assert (world.membership == problem.membership).all() and len(world.graph.spurious_edges) == 32


@pytest.mark.parametrize("dynamics", ["sum", "rest"])
def test_every_world_is_a_graph_without_a_circle_in_which_outputs_hear_inputs(dynamics):
    for seed in range(10):
        world = World(branching=1, inside=1, overlap=0.5, partial=0.5, n_crosstalk=16, n_train=4, n_test=4,
                      dynamics=dynamics)  # fmt: skip
        draw = world.draw(seed)
        G = draw.graph.networkx(spurious=False)
        assert nx.is_directed_acyclic_graph(G)
        assert max(nx.dag_longest_path_length(G.subgraph(draw.graph.function_nodes)), 0) < world.hops
        for p in range(world.K):
            assert nx.has_path(G, f"in_{p}_0", f"out_{p}_0")
        assert np.isfinite(draw.y_test.numpy()).all() and np.isnan(draw.floor)


def test_a_node_of_two_pathways_is_in_two_rows_and_hears_from_both():
    draw = World(overlap=1.0).draw(1)
    G, M = draw.graph.networkx(spurious=False), draw.membership
    twice = np.flatnonzero(M.sum(0) == 2)
    assert len(twice) == 8 * 3  # all but the heads
    for i in twice:
        of = {G.nodes[u]["pathway"] for u in G.predecessors(draw.graph.function_nodes[i]) if "f_" in u}
        assert of == set(np.flatnonzero(M[:, i]))


def test_a_member_that_acts_in_part_passes_on_what_is_above_0():
    assert half_wave([np.array([1.0, -3.0]), np.array([0.5, 1.0])]).tolist() == [1.5, 0.0]


def test_a_world_at_rest_has_the_mean_and_the_noise_that_its_equation_has_at_rest():
    """One node that hears nothing but an input, with a linear pull: v ~ Normal(x, noise_scale)."""
    G = nx.DiGraph([("x", "v")])
    x, _, v, _ = simulate_at_rest(G, 4000, 1, ["x"], ["v"], noise_scale=0.5, special_functions={"v": sum}, seed=0)
    residual = (v - x)[:, 0]
    # Euler's step makes the variance larger by 1 / (1 - step / 2).
    assert residual.std() == pytest.approx(0.5 / np.sqrt(1 - 0.025), rel=0.04) and abs(residual.mean()) < 0.03


def test_the_same_seed_gives_the_same_world():
    for world in (World(branching=0.5, inside=0.5, overlap=0.3, partial=0.3, n_crosstalk=8), World(dynamics="rest")):
        one, two, other = world.draw(3), world.draw(3), world.draw(4)
        assert one.graph == two.graph and (one.y_train == two.y_train).all() and (one.y_train != other.y_train).any()


def test_a_world_that_cannot_be_is_refused():
    for arguments, message in (
        ({"branching": 1.5}, "branching must be"),
        ({"partial": -0.1}, "partial must be"),
        ({"dynamics": "chaos"}, "dynamics must be one of"),
        ({"n_train": 1}, "n_train must be at least 2"),
        ({"n_spurious": 10_000}, "count must be at most"),
    ):
        with pytest.raises(ValueError, match=message):
            World(**arguments)
