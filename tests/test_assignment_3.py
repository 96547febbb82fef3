"""Assignment 3: what it asks for is what the package computes."""

import copy

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from gsnn_tutorial import GSNN, Problem, train
from gsnn_tutorial.checks import assignment_3 as checks
from gsnn_tutorial.gsnn import GroupLayerNorm


@pytest.fixture(params=range(3))
def trained(request):
    """A draw of a small problem, a model that is away from its start, and the state after reading in."""
    draw = Problem(K=2, n_spurious=3, n_train=20, n_test=10).draw(request.param)
    start = torch.Generator().manual_seed(request.param)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 4, 3, node_mlp=False, generator=start)
    train(model, draw.x_train, draw.y_train, epochs=5, lr=0.05, progress=False)
    return draw, model, model.read_in(draw.x_test.T)


def test_reading_in(trained):
    draw, model, h = trained
    assert torch.equal(checks.read_in.reference(draw.x_test, model.edge_index, model.N), h)


def test_w_in_by_messages(trained):
    _, model, h = trained
    lin = model.ResBlocks[0].lin_in
    z = checks.hear.reference(h, lin.values, lin.bias, model.edge_index, model.N, 4)
    torch.testing.assert_close(z, lin(h), rtol=1e-5, atol=1e-6)


def test_the_group_norm_is_the_package_s_where_all_nodes_are_of_one_size():
    z = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    norm, gamma, beta = GroupLayerNorm(3, 5), torch.tensor([0.5, 1.0, 2.0]), torch.tensor([-1.0, 0.0, 1.0])
    norm.load_state_dict({"gamma": gamma, "beta": beta})
    ours = checks.group_norm.reference(z.flatten(0, 1), [5, 5, 5], gamma, beta)
    torch.testing.assert_close(ours.view(3, 5, 4), norm(z))


def test_layers_of_ours_make_the_package_s_model(trained):
    draw, model, h = trained
    for block in model.ResBlocks:
        ours = checks.layer.reference(block.lin_in, block.node.norm, block.lin_out, model.N)
        ours.r.data.copy_(block.residual.weight)
        h = ours(h)
    torch.testing.assert_close(model.read_out(h).T, model(draw.x_test))


def test_the_linear_model():
    for x_train, y_train, x_test, y_test in checks.linear_mse.cases(0):
        line = LinearRegression().fit(x_train, y_train)
        right = np.square(line.predict(x_test) - y_test.numpy()).mean()
        assert checks.linear_mse.reference(x_train, y_train, x_test, y_test).item() == pytest.approx(right, rel=1e-5)


def test_the_training_run_is_the_package_s(trained):
    draw, model, _ = trained
    data = draw.x_train, draw.y_train, draw.x_test, draw.y_test
    ours, package = copy.deepcopy(model), copy.deepcopy(model)
    losses, error = checks.fit.reference(ours, *data, 4, 0.01)
    watched = dict(x_test=draw.x_test, y_test=draw.y_test)
    history = train(package, *data[:2], **watched, epochs=4, lr=0.01, weight_decay=0, progress=False)
    np.testing.assert_allclose(losses, history.train_mse, rtol=1e-4)
    assert error == pytest.approx(history.test_mse[-1], rel=1e-4)


# What the text works out by hand

TINY = torch.tensor([[2, 0, 2, 0, 3, 1], [0, 4, 1, 1, 1, 4]])


def test_the_tiny_graph_reads_in_as_the_text_says():
    h = checks.read_in.reference(torch.tensor([[7.0, 8.0]]), TINY, 2)
    assert h.flatten().tolist() == [7, 0, 7, 0, 8, 0]


def test_the_tiny_graph_hears_what_the_text_says():
    h, bias = torch.tensor([[1.0], [9], [1], [2], [3], [9]]), torch.tensor([[0.0], [0], [0], [1]])
    z = checks.hear.reference(h, torch.arange(1.0, 9), bias, TINY, 2, 2)
    assert z.flatten().tolist() == [1, 2, 34, 41]


def test_one_node_is_normalised_as_the_text_says():
    z = torch.tensor([[1.0], [2.0], [3.0]])
    y = checks.group_norm.reference(z, [3], torch.tensor([2.2]), torch.tensor([5.0]))
    torch.testing.assert_close(y.flatten(), torch.tensor([3.0, 5.0, 7.0]))


# What the checks say of answers that are no mistakes of the list


def test_losses_that_hold_their_graph_are_numbers_all_the_same():
    def with_graph(model, x_train, y_train, *rest):
        losses, error = checks.fit.reference(model, x_train, y_train, *rest)
        return [torch.tensor(loss, requires_grad=True) for loss in losses], torch.tensor(error, requires_grad=True)

    assert checks.fit.diagnose(with_graph, 0) is None


def test_a_layer_of_another_shape_is_told_so():
    class Flat(checks._Layer):
        def forward(self, h):
            return super().forward(h).T

    assert "must return (E, B)" in checks.layer.diagnose(Flat, 0)


def test_an_answer_that_is_no_function_or_no_module_is_told_so():
    assert "takes your function itself" in checks.fit.diagnose(3, 0)
    assert checks.layer.diagnose(lambda *case: None, 0) == "no answer yet."
    assert checks.layer.diagnose(lambda *case: "a layer", 0) is not None


@pytest.mark.parametrize("double", [False, True])
def test_answers_may_be_of_either_precision(double):
    def other(function):
        def answer(*case):
            case = [c.double() if double and torch.is_tensor(c) and c.is_floating_point() else c for c in case]
            return function(*case)

        return answer

    for exercise in (checks.read_in, checks.hear, checks.group_norm):
        assert exercise.diagnose(other(exercise.reference), 0) is None


def test_in_the_race_the_gsnn_is_ahead_of_the_line():
    draw = Problem().draw(2026)
    data = draw.x_train, draw.y_train, draw.x_test, draw.y_test
    start = torch.Generator().manual_seed(2026)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    _, error = checks.fit.reference(model, *data, 150, 5e-3)
    assert draw.floor < error < checks.linear_mse.reference(*data)
