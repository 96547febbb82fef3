"""Chapter 3: what it defines on screen equals the package, and its exercises tell mistakes apart."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, Problem
from gsnn_tutorial.attribution import edge_effects
from gsnn_tutorial.exercises import chapter_3 as checks
from gsnn_tutorial.gsnn import win_indices, wout_indices
from gsnn_tutorial.gsnn.node import GroupLayerNorm

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOURCE = NOTEBOOKS / "03_gsnn.py"


@pytest.fixture(scope="module")
def chapter():
    """The imports, functions and classes of the notebook, and nothing that runs."""
    blocks = SOURCE.read_text(encoding="utf-8").split("\n# %%")
    code = "\n".join(block.partition("\n")[2] for block in blocks[1:] if not block.startswith(" [markdown]"))
    code = "\n".join(line for line in code.splitlines() if not line.startswith("import sys;"))
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    tree = ast.parse(code)
    tree.body = [node for node in tree.body if isinstance(node, kept)]
    namespace = {}
    exec(compile(tree, SOURCE.name, "exec"), namespace)
    return namespace


@pytest.fixture(scope="module")
def draw():
    return Problem(n_train=16, n_test=32).draw(seed=5)


def random_model(draw, seed):
    """A GSNN in which no parameter has the value that it starts with."""
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 4, 3, node_mlp=False)
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=rng))
    return model.eval()


def test_group_norm_is_the_packages(chapter):
    rng = torch.Generator().manual_seed(1)
    z = torch.randn(5, 3, 7, generator=rng)
    package = GroupLayerNorm(5, 3)
    with torch.no_grad():
        package.gamma.normal_(generator=rng)
        package.beta.normal_(generator=rng)
    leaves = [z.clone().requires_grad_() for _ in range(2)]
    ours, theirs = chapter["group_norm"](leaves[0], package.gamma, package.beta), package(leaves[1])
    torch.testing.assert_close(ours, theirs)
    weights = torch.randn(z.shape, generator=rng)
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad)  # the statistics are detached in both


def test_masked_weights_get_no_gradient(chapter):
    mask = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    linear = chapter["MaskedLinear"](mask)
    with torch.no_grad():
        linear.W.fill_(1.0)
    y = linear(torch.tensor([[2.0], [3.0]]))
    torch.testing.assert_close(y, torch.tensor([[2.0], [3.0], [5.0]]))
    y.square().sum().backward()
    assert not linear.W.grad[mask == 0].any()


def test_silence_on_screen_is_the_packages(chapter, draw):
    model = random_model(draw, 0)
    effect, x = chapter["effect_of_silence"], draw.x_test
    zero, mean = effect(model, x, lambda message: 0.0), effect(model, x, lambda message: message.mean())
    np.testing.assert_allclose(zero, edge_effects(model, x, keep_mean=False))
    np.testing.assert_allclose(mean, edge_effects(model, x, keep_mean=True))

    # The same by hand: no node hears an edge whose weights in W_in are 0.
    lin_in, (source, target) = model.ResBlocks[0].lin_in, model.edge_index
    edge = int((model.function_edge_mask & (source != target)).nonzero()[3])
    y = model(x)
    with torch.no_grad():
        lin_in.values[lin_in.indices[0] == edge] = 0
    assert (model(x) - y).square().mean().item() == pytest.approx(zero[3], rel=1e-4)


def test_a_plain_gcn_gives_alike_pathways_one_answer(chapter, draw):
    graph = draw.graph.without_spurious_edges()
    x = torch.randn(6, 1, 2, generator=torch.Generator().manual_seed(0)).expand(6, 4, 2).reshape(6, 8)
    torch.manual_seed(0)
    plain, named = chapter["GCN"](graph, 5), chapter["GCN"](graph, 5, names=True)
    with torch.no_grad():
        assert plain(x).view(6, 4, 2).std(1).max() < 1e-6
        assert named(x).view(6, 4, 2).std(1).max() > 1e-3


def test_competitors_have_about_as_many_parameters(chapter, draw):
    counts = {name: sum(p.numel() for p in m.parameters()) for name, m in chapter["competitors"](draw.graph, 0).items()}
    for name in set(counts) - {"linear"}:
        assert counts[name] == pytest.approx(counts["GSNN"], rel=0.1)


def test_exercise_references_are_the_package(draw):
    model = random_model(draw, 2)
    edge_index, N, C = model.edge_index, model.N, model.channels
    mask = checks.wout_mask.reference(edge_index, N, C)
    channel, edge = wout_indices(edge_index, N, C)
    assert mask[edge, channel].all() and mask.sum() == len(edge)

    h = torch.randn(model.E, 6, generator=torch.Generator().manual_seed(0))
    outputs = torch.arange(len(draw.graph.output_nodes)) + N + len(draw.graph.input_nodes)
    y = checks.read_out.reference(h, edge_index[1], outputs, model.layers)
    torch.testing.assert_close(y, model.read_out(h).t())

    block = model.ResBlocks[0]
    with torch.no_grad():
        for lin in (block.lin_in, block.lin_out):
            lin.bias.zero_()
        block.node.norm.gamma.fill_(1.0)
        block.node.norm.beta.zero_()
        W_in, W_out = torch.zeros(N * C, model.E), torch.zeros(model.E, N * C)
        edge, channel = win_indices(edge_index, N, C)
        W_in[channel, edge] = block.lin_in.values
        channel, edge = wout_indices(edge_index, N, C)
        W_out[edge, channel] = block.lin_out.values
        h_next = checks.layer.reference(h, W_in, W_out, block.residual.weight, C)
        torch.testing.assert_close(h_next, block(h), rtol=1e-4, atol=1e-4)


def test_no_widget_is_saved():
    notebook = json.loads(SOURCE.with_suffix(".ipynb").read_text(encoding="utf-8"))
    assert "widgets" not in notebook["metadata"]
    assert "widget-view" not in json.dumps(notebook["cells"])


def test_a_loss_through_which_no_gradient_flows_is_told_so():
    def number(prediction, y):
        return checks.huber.reference(prediction, y).item()

    assert "no gradient flows" in checks.huber.diagnose(number)
