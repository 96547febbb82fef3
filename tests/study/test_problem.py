"""A problem says all of it, prints itself, and makes the data: the same for a seed, whatever else is asked for."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from gsnn_tutorial import Problem, simulate
from gsnn_tutorial.simulation import expected_outputs, noise_floor, pathway_functions
from gsnn_tutorial.study.problem import STREAMS, stream

SMALL = Problem(n_train=32, n_test=16)

# What SMALL.draw(5) was before there were cross-talk and wrong members.
SPURIOUS = (("f_2_2", "f_3_0"), ("f_1_1", "f_2_2"), ("f_1_2", "f_2_0"))
SHUFFLED = [0, 1, 0, 2, 0, 3, 1, 1, 3, 2, 2, 3]
X = [-0.08702733367681503, 1.0867005586624146, -0.6487528085708618]
Y = [0.9752773642539978, 0.6128924489021301, -0.47083860635757446]
FLOOR = 0.39209404587745667


def parts(draw):
    """What must not change from one version to the next: edges, data, shuffle, floor."""
    return (draw.graph.all_edges, *(tensor.tolist() for tensor in (
        draw.x_train, draw.y_train, draw.x_test, draw.y_test, draw.shuffled)), draw.floor)  # fmt: skip


def test_a_problem_prints_all_of_it_and_what_it_prints_makes_it_again():
    problem = Problem(K=3, n_crosstalk=2, wrong=0.25)
    assert eval(repr(problem)) == problem
    assert "K=3" in repr(problem) and "n_crosstalk=2" in repr(problem) and "wrong=0.25" in repr(problem)


def test_a_draw_is_that_of_the_first_version_to_the_last_bit():
    draw = SMALL.draw(5)
    assert draw.graph.spurious_edges[:3] == SPURIOUS
    assert draw.shuffled.argmax(0).tolist() == SHUFFLED
    np.testing.assert_array_equal(draw.x_train[0, :3].numpy(), np.array(X, dtype=np.float32))
    np.testing.assert_allclose(draw.y_test[0, :3].numpy(), Y, rtol=1e-6)
    assert draw.floor == pytest.approx(FLOOR, rel=1e-6)


def test_the_first_three_streams_are_those_that_a_seed_spawns():
    for ours, spawned in zip((stream(7, name) for name in STREAMS), np.random.default_rng(7).spawn(len(STREAMS))):
        assert ours.integers(2**62) == spawned.integers(2**62)
    assert STREAMS[:3] == ("edges", "data", "shuffle")


def test_wrong_members_change_only_what_a_regularizer_is_told():
    right, wrong = SMALL.draw(3), replace(SMALL, wrong=0.5).draw(3)
    assert parts(wrong) == parts(right)
    assert torch.equal(right.membership, right.graph.membership())
    assert (wrong.membership != wrong.graph.membership()).any(0).sum() == 6
    assert wrong.membership.sum(1).tolist() == [3] * 4


def test_a_seed_makes_the_draw_and_another_seed_another_one():
    problem = replace(SMALL, n_crosstalk=3, wrong=0.5)
    one, again, other = problem.draw(1), problem.draw(1), problem.draw(2)
    assert parts(one) == parts(again) and torch.equal(one.membership, again.membership)
    assert one.graph != other.graph and not torch.equal(one.membership, other.membership)
    assert problem.draw(1).graph == problem.draw_graph(stream(1, "edges"))


def test_the_hidden_node_is_the_middle_one_of_each_chain(draw):
    assert SMALL.draw(0).hidden.tolist() == [False, True, False] * 4
    assert Problem(n_func=4, n_train=8, n_test=8).draw(0).hidden.tolist() == [False, False, True, False] * 4
    assert draw.hidden.sum() == 4 and torch.equal(draw.membership, draw.graph.membership())  # the published draw


def test_crosstalk_carries_signal_and_spurious_edges_do_not():
    problem = Problem(n_crosstalk=4, n_train=4000, n_test=8)
    draw = problem.draw(0)
    G = draw.graph.networkx(spurious=False)
    for source, target in draw.graph.edges[-4:]:
        p, q = G.nodes[source]["pathway"], G.nodes[target]["pathway"]
        own = {name for name in nx.ancestors(G, f"out_{q}_0") if name in draw.graph.input_nodes}
        assert p != q and {f"in_{p}_0", f"in_{p}_1"} <= own  # inputs of one pathway reach the other's outputs
    with_it, without = (problem.draw(0).y_train, replace(problem, n_crosstalk=0).draw(0).y_train)
    assert not torch.allclose(with_it, without, atol=0.1)


def test_the_noise_floor_with_crosstalk_is_exact():
    """Many samples at the same inputs: their mean is E[y | x], and their spread what no model can explain."""
    graph = Problem(K=4, n_func=4, n_crosstalk=12).draw_graph(2)
    G, functions = graph.networkx(spurious=False), pathway_functions(graph)
    assert graph.function_edge_is_crosstalk.sum() == 12
    x, _, y, _ = simulate(
        G, 100_000, 0, graph.input_nodes, graph.output_nodes,
        noise_scale=0.3, special_functions=functions, vectorized=True, seed=0,
    )  # fmt: skip
    residual = y - expected_outputs(graph, x)
    np.testing.assert_allclose(residual.mean(0), 0, atol=0.03)
    # Behind the first nodes all is linear: a node's noise reaches an output along so many paths.
    names = graph.function_nodes
    A = nx.to_numpy_array(G, nodelist=[*names, *graph.output_nodes])
    paths = np.linalg.inv(np.eye(len(A)) - A)[: len(names), len(names) :]
    variance = 0.3**2 * (1 + (paths**2).sum(0))
    np.testing.assert_allclose(residual.var(0), variance, rtol=0.03)
    np.testing.assert_allclose((residual * np.sin(3 * x[:, :1])).mean(0), 0, atol=0.03)  # nothing of x is left
    assert noise_floor(graph, x, y, y) == pytest.approx((variance / y.var(0, ddof=1)).mean(), rel=0.03)


@pytest.mark.parametrize(
    ("bad", "kind", "message"),
    [
        (
            {"n_crosstalk": 37},
            ValueError,
            "n_crosstalk must be at most 36, the edges between pathways that run forward",
        ),
        ({"n_crosstalk": -1}, ValueError, "n_crosstalk must be at least 0"),
        ({"n_crosstalk": 1.0}, TypeError, "n_crosstalk must be an integer"),
        ({"n_func": 1, "n_crosstalk": 1, "n_spurious": 0}, ValueError, "n_crosstalk must be at most 0"),
        ({"n_crosstalk": 4, "n_spurious": 105}, ValueError, "n_spurious must be at most 104"),
        ({"wrong": 1.5}, ValueError, "wrong must be finite and between 0 and 1"),
        ({"wrong": "half"}, TypeError, "wrong must be a number"),
        ({"wrong": 0.1}, ValueError, "wrong=0.1 of 12 function nodes in 4 pathways leaves none to exchange"),
        ({"K": 1, "n_spurious": 0, "wrong": 1.0}, ValueError, "at least two pathways"),
    ],
)
def test_what_cannot_be_is_refused_at_the_door(bad, kind, message):
    with pytest.raises(kind, match=message):
        Problem(**bad)


def test_the_largest_that_can_be_is_accepted():
    Problem(n_crosstalk=36, n_spurious=72, n_train=4, n_test=4, wrong=1.0).draw(0)


def test_an_unknown_stream_is_named():
    with pytest.raises(ValueError, match="name must be one of 'edges'"):
        stream(0, "tides")
