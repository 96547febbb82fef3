"""Chapter 1: what it defines on screen is what the package computes, and its pictures show it."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, pathway_graph, shuffled_membership
from gsnn_tutorial.exercises import chapter_1 as checks
from gsnn_tutorial.plots import chapter_1 as pictures

SOURCE = Path(__file__).parents[2] / "notebooks" / "01_pathway_graph.py"
SEEDS = range(5)


@pytest.fixture(scope="module")
def screen():
    """The functions that the chapter defines, from its source."""
    text = SOURCE.read_text(encoding="utf-8")
    imports = re.search(r"^from itertools.*?(?=^# %%.*\n(?!import|from))", text, re.MULTILINE | re.DOTALL)[0]
    names = {}
    exec(imports, names)
    for definition in re.findall(r"^def (?:.+\n)(?:(?:    .*)?\n)+", text, re.MULTILINE):
        if "raise NotImplementedError" not in definition:
            exec(definition, names)
    return names


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def random_graph(seed):
    rng = np.random.default_rng(seed)
    K, n_in, n_func, n_out = rng.integers(2, 5, size=4).tolist()
    return pathway_graph(K, n_in, n_func, n_out).with_spurious_edges(int(rng.integers(0, 8)), rng)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_adjacency_on_screen_holds_every_edge_once(screen, seed):
    graph = random_graph(seed)
    A_in, A, A_out = screen["split_adjacency"](graph.hetero_data())
    ends = {"in": graph.input_nodes, "f": graph.function_nodes, "out": graph.output_nodes}
    for matrix, (s, t) in zip((A_in, A, A_out), (("in", "f"), ("f", "f"), ("f", "out"))):
        found = {(ends[s][u], ends[t][v]) for u, v in np.argwhere(matrix)}
        assert found == {e for e in graph.all_edges if e[0] in ends[s] and e[1] in ends[t]}


@pytest.mark.parametrize("seed", SEEDS)
def test_receptive_fields_are_what_shortest_paths_and_an_untrained_model_say(screen, seed):
    graph = random_graph(seed)
    A_in, A, A_out = screen["split_adjacency"](graph.hetero_data())
    H = screen["receptive_fields"](A_in, A, layers=4)
    hops = pictures.hops(graph)
    steps = np.array([[hops[u].get(v, np.inf) for v in graph.function_nodes] for u in graph.input_nodes])
    model = GSNN(
        graph.edge_index_dict, graph.names, channels=6, layers=4, node_mlp=False,
        generator=torch.Generator().manual_seed(seed),
    ).double()  # fmt: skip
    I = len(graph.input_nodes)
    x = torch.randn(1, I, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    x = torch.cat([x, x + torch.eye(I, dtype=torch.float64)])
    a = model.layer_activations(x)
    moved = ((a[1:] - a[0]).abs().amax(-1) > 1e-9).transpose(0, 1).numpy()
    for l in range(4):
        np.testing.assert_array_equal(H[l], steps <= l + 1)
        np.testing.assert_array_equal(moved[l], H[l])
    y = model(x).detach()
    np.testing.assert_array_equal(((y[1:] - y[0]).abs() > 1e-9).numpy(), H[-1] @ A_out)


def test_a_node_out_of_reach_is_constant_in_the_model():
    graph = pathway_graph(n_func=4)
    model = GSNN(graph.edge_index_dict, graph.names, channels=6, layers=4, node_mlp=False).double()
    a = model.layer_activations(torch.randn(32, 8, dtype=torch.float64))
    depth = np.tile(np.arange(1, 5), 4)  # hops from the inputs to each function node
    for l in range(4):
        np.testing.assert_array_equal(a[:, l].std(0).amax(-1).numpy() > 1e-9, depth <= l + 1)


def test_first_arrivals_on_screen(screen):
    graph = pathway_graph(K=4).with_spurious_edges(8, seed=3)
    H = screen["receptive_fields"](*screen["split_adjacency"](graph.hetero_data())[:2], layers=8)
    hops = pictures.hops(graph)
    want = [[hops[f"in_{p}_0"].get(v, 0) for v in graph.function_nodes] for p in range(4)]
    np.testing.assert_array_equal(screen["arrival"](H), want)


def test_the_share_of_shuffles_that_change_nothing(screen):
    share = screen["share_unchanged"]
    assert share(2, 2) == pytest.approx(1 / 3) and share(4, 3) == pytest.approx(1 / 15400)
    M, rng = pathway_graph(K=2, n_func=2).membership(), np.random.default_rng(0)
    same = [sorted(M[:, rng.permutation(4)].tolist()) == sorted(M.tolist()) for _ in range(3000)]
    assert np.mean(same) == pytest.approx(1 / 3, abs=0.03)
    assert sorted(shuffled_membership(M, 0).tolist()) != sorted(M.tolist())


def test_the_exercises_agree_with_the_package():
    graph = random_graph(1)
    sizes = np.bincount(graph.labels).tolist()
    free = checks.count_candidates.reference(sizes) - len(graph.spurious_edges)
    assert len(graph.with_spurious_edges(free, 0).spurious_edges) == checks.count_candidates.reference(sizes)
    names = np.array(graph.function_nodes)
    sets = [names[graph.labels == p].tolist() for p in range(graph.n_pathways)]
    assert torch.equal(checks.membership_from_sets.reference(sets, graph.function_nodes), graph.membership())


def test_layers_needed_on_the_true_graph_is_the_length_of_the_chain(screen):
    graph = pathway_graph(n_func=5)
    matrices = screen["split_adjacency"](graph.hetero_data())
    assert checks.layers_needed.reference(*matrices).tolist() == [5] * 8


@pytest.mark.parametrize("order", ["pathway", "type"])
def test_the_adjacency_picture_marks_every_edge_and_tells_spurious_by_shape(order):
    graph = random_graph(2)
    ax = pictures.plot_adjacency(graph, order=order)
    marks = {line.get_marker(): len(line.get_xdata()) for line in ax.lines if line.get_marker() in "s^"}
    assert marks == {"s": len(graph.edges), "^": len(graph.spurious_edges)}
    assert ax.get_xlabel() and ax.get_ylabel()


def test_in_pathway_order_true_edges_lie_in_the_shaded_blocks():
    graph = pathway_graph().with_spurious_edges(8, seed=0)
    ax = pictures.plot_adjacency(graph)
    for line in ax.lines:
        if line.get_marker() in ("s", "^"):
            inside = np.array(line.get_xdata()) // 7 == np.array(line.get_ydata()) // 7
            assert inside.all() if line.get_marker() == "s" else not inside.any()


def test_the_spread_picture_has_a_mark_for_each_node_by_what_it_has_heard():
    graph = pathway_graph()
    for layer, reached in [(1, 4), (2, 8), (3, 20), (4, 20)]:
        ax = pictures.plot_spread(graph, layer, name="true graph")
        marks = [line.get_marker() for line in ax.lines]
        assert marks.count("o") == reached and marks.count("x") == 20 - reached
        assert ax.get_title() == f"true graph, layer {layer}"
    assert len({style["marker"] for style in pictures.HEARD.values()}) == 4
