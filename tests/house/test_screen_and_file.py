"""What a chapter writes on screen is the file that it names: given the same numbers, both give the same."""

import ast
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, Problem, kernels, pathway_graph, simulate
from gsnn_tutorial.evaluation import gap, linear_cka
from gsnn_tutorial.gsnn.node import GroupLayerNorm
from gsnn_tutorial.regularizer import standardize_over_batch
from gsnn_tutorial.simulation import pathway_functions
from gsnn_tutorial.sparse import SparseLinear, SparseMap, SparsePattern

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.py"))
FILES = {
    1: "graph.py", 2: "simulation.py", 3: "gsnn/model.py", 4: "sparse.py", 5: "regularizer.py", 6: "evaluation.py",
    7: "study/verdicts.py", 8: "study/own/splits.py",
}  # fmt: skip
READING_ROOM = (
    "graph", "wiring", "simulation", "sparse", "gsnn/node", "gsnn/model", "regularizer", "training", "evaluation",
)  # fmt: skip


def on_screen(number):
    """The constants, functions and classes that a chapter writes on screen, by name."""
    tree = ast.parse(CHAPTERS[number - 1].read_text(encoding="utf-8"))
    names = {}
    for node in tree.body:
        constant = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if constant or isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
            try:
                exec(compile(ast.Module([node], []), CHAPTERS[number - 1].name, "exec"), names)
            except NameError:  # the default of an argument is something that a cell computes
                continue
    return names


@pytest.mark.parametrize("number", FILES)
def test_each_chapter_names_the_one_file_that_the_reader_has_just_written(number):
    text = " ".join(CHAPTERS[number - 1].read_text(encoding="utf-8").replace("\n# ", " ").split())
    named = re.findall(r"\*\*The file\.\*\* What you have just written is `gsnn_tutorial/([\w/]+\.py)`", text)
    assert named == [FILES[number]]
    assert (ROOT / "gsnn_tutorial" / named[0]).exists()


@pytest.mark.parametrize("name", READING_ROOM)
def test_a_file_of_the_reading_room_can_be_read_in_one_sitting(name):
    text = (ROOT / "gsnn_tutorial" / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    assert "replica" not in text.lower()
    assert "hasattr" not in text and "enabled()" not in text  # fast paths are chosen in their own room


def test_chapter_1_pathways_are_the_graph():
    pathway_edges = on_screen(1)["pathway_edges"]
    for sizes in ((2, 3, 2), (1, 4, 3)):
        edges = [edge for p in range(3) for edge in pathway_edges(p, *sizes)]
        assert set(edges) == set(pathway_graph(3, *sizes).edges)


def test_chapter_2_loop_is_the_simulation():
    screen, graph = on_screen(2), Problem(K=3, n_spurious=0).draw_graph(0)
    G, functions = graph.networkx(), pathway_functions(graph)
    given, noise = screen["draws"](G, graph.input_nodes, 7, seed=5)
    values = screen["structural_model"](G, given, noise, functions, 0.3)
    x, _, y, _ = simulate(
        G, 7, 0, graph.input_nodes, graph.output_nodes, noise_scale=0.3, special_functions=functions,
        vectorized=True, seed=5,
    )  # fmt: skip
    np.testing.assert_array_equal(np.stack([values[node] for node in graph.input_nodes], 1), x)
    np.testing.assert_array_equal(np.stack([values[node] for node in graph.output_nodes], 1), y)


def test_chapter_3_norm_and_network_are_the_node_and_the_gsnn():
    screen, draw = on_screen(3), Problem().draw(1)
    start = torch.Generator().manual_seed(1)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=start)
    z, norm = torch.randn(3, 8, 5, generator=start), GroupLayerNorm(3, 8)
    dense = screen["dense_copy"](model)
    with kernels.plain(), torch.no_grad():
        torch.testing.assert_close(screen["group_norm"](z, norm.gamma, norm.beta), norm(z), rtol=1e-6, atol=1e-6)
        inside = model.read_out(dense(model.read_in(draw.x_test.t()))).t()
        torch.testing.assert_close(inside, model(draw.x_test), rtol=1e-4, atol=1e-5)


def test_chapter_4_map_is_the_sparse_map_to_the_last_bit():
    screen = on_screen(4)
    place = torch.randperm(600, generator=torch.Generator().manual_seed(0))[:150].sort().values
    indices, size = torch.stack([place // 20, place % 20]), (30, 20)
    pattern = SparsePattern(indices, size)
    values, x, g = (
        torch.randn(shape, generator=torch.Generator().manual_seed(1)) for shape in ((150,), (30, 7), (20, 7))
    )
    values.requires_grad_(), x.requires_grad_()
    written, plain = (way.apply(values, x, pattern) for way in (screen["EdgeMajorMap"], SparseMap))
    assert torch.equal(written, plain)
    gradients = [torch.autograd.grad(y, (values, x), g) for y in (written, plain)]
    assert all(torch.equal(one, other) for one, other in zip(*gradients))
    module, linear = screen["EdgeMajor"](indices, size, values.detach()), SparseLinear(indices, size, bias=False)
    with torch.no_grad(), kernels.plain():
        linear.values.copy_(values)
        assert torch.equal(module(x), linear(x))


@pytest.mark.parametrize("phi", ["mean", "learned"])
def test_chapter_5_loss_is_the_regularizer(phi):
    screen, draw = on_screen(5), Problem().draw(2)
    start = torch.Generator().manual_seed(2)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    M = draw.graph.membership()
    regularizer = PathwayLatentRegularizer(model, M, lambda_sim=0.7, phi=phi, generator=start)
    a = model.layer_activations(draw.x_train)
    score = screen["channel_mean"]
    if phi == "learned":
        score = torch.nn.Linear(8, 1, bias=False)
        score.load_state_dict(regularizer.phi.state_dict())  # the same w
    loss = screen["PathwayLoss"](M, score, 0.7)
    model(draw.x_train)
    torch.testing.assert_close(loss(a), regularizer.loss(model)[0])


def test_chapter_5_standardised_scores_are_the_regularizers():
    s = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    s[:, 1] = 4.0
    torch.testing.assert_close(on_screen(5)["standardize"](s), standardize_over_batch(s.t()).t(), rtol=1e-4, atol=1e-5)


def test_chapter_6_similarity_is_the_evaluations():
    screen, a = on_screen(6), torch.randn(40, 1, 5, 3, generator=torch.Generator().manual_seed(0)).double()
    similarity = linear_cka(a)
    for i in range(5):
        for j in range(i):
            np.testing.assert_allclose(screen["cka"](a[:, 0, i], a[:, 0, j]), similarity[i, j])
    labels = np.array([0, 0, 1, 1, 1])
    pairs = [(i, j) for i in range(5) for j in range(i)]
    inside = [similarity[i, j] for i, j in pairs if labels[i] == labels[j]]
    across = [similarity[i, j] for i, j in pairs if labels[i] != labels[j]]
    assert gap(similarity, labels) == pytest.approx(np.mean(inside) - np.mean(across))


def test_the_reading_room_does_not_depend_on_the_rooms_above():
    G = nx.DiGraph()
    for name in READING_ROOM:
        for node in ast.walk(ast.parse((ROOT / "gsnn_tutorial" / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("gsnn_tutorial"):
                rest = node.module.removeprefix("gsnn_tutorial").lstrip(".")
                others = [rest.replace(".", "/")] if rest else [a.name for a in node.names]
                G.add_edges_from((name, "gsnn/model" if other == "gsnn" else other) for other in others)
    assert set(G) <= {*READING_ROOM, "validate", "kernels"}
    assert nx.is_directed_acyclic_graph(G)
