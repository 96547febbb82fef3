"""Assignment 3: what it asks for is what the package computes."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LinearRegression, Ridge

from gsnn_tutorial import GSNN, Problem, train
from gsnn_tutorial.exercises import assignment_3 as checks
from gsnn_tutorial.gsnn.node import GroupLayerNorm


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
    class Flat(checks.Layer):
        def forward(self, h):
            return super().forward(h).T

    assert "must return (E, B)" in checks.layer.diagnose(Flat, 0)


def test_a_wrong_layer_is_told_where_it_differs():
    class Doubled(checks.Layer):
        def forward(self, h):
            return super().forward(h) * torch.tensor([[1.0, 1.0, 2.0, 1.0]])

    assert (
        "h' with r at its start: Each column is right but for a factor of its own. 8 of 32 values differ; at [0, 2]"
        in checks.layer.diagnose(Doubled, 0)
    )


def test_a_wrong_run_is_told_what_differs():
    def answer(*case):
        losses, error = checks.fit.reference(*case)
        return losses, 2 * error

    assert "the test error: Your values are the right ones times 2" in checks.fit.diagnose(answer, 0)
    assert "the losses: expected shape (3,), got (0,)" in checks.fit.diagnose(lambda *case: ([], 1.0), 0)


@pytest.mark.parametrize("name", ["read_in", "hear", "group_norm", "layer", "linear_mse", "fit"])
def test_no_diagnosis_is_long(name):
    exercise = getattr(checks, name)
    for result in (torch.zeros(200), ["x" * 500], {"x": "y" * 500}, lambda h: h):
        assert len(exercise.diagnose(lambda *case: result, 0)) < 700


# Wrong answers in the words of pupils


def counts_all_edges(h, values, bias, edge_index, N, C):
    z, k = bias.repeat(1, h.shape[1]), 0
    for e in range(edge_index.shape[1]):
        for c in range(C):
            weight, k = values[k], k + 1
            if edge_index[1, e] < N:
                z[edge_index[1, e] * C + c] += weight * h[e]
    return z


def counts_all_edges_numpy(h, values, bias, edge_index, N, C):
    return counts_all_edges(h, values.numpy(), bias, edge_index, N, C)


def picks_by_source(h, values, bias, edge_index, N, C):
    z = bias.numpy().repeat(h.shape[1], axis=1)
    edges = np.flatnonzero(edge_index[0].numpy() < N)
    for k, e in enumerate(edges):
        for c in range(C):
            z[edge_index[1, e].item() * C + c] += values.numpy()[k * C + c] * h[e].numpy()
    return z


def node_by_node(h, values, bias, edge_index, N, C):
    z, k = bias.repeat(1, h.shape[1]), 0
    for n in range(N):
        for e in range(edge_index.shape[1]):
            if edge_index[1, e] == n:
                z[n * C : (n + 1) * C] += values[k : k + C, None] * h[e]
                k += C
    return z


def without_node_N(x, edge_index, N):
    h = torch.zeros(edge_index.shape[1], len(x))
    inputs = (edge_index[0] > N) & (edge_index[0] < N + x.shape[1])
    h[inputs] = x.T[edge_index[0, inputs] - N]
    return h


def fills_where_edges_end(x, edge_index, N):
    h = torch.zeros(edge_index.shape[1], len(x))
    inputs = edge_index[1] >= N
    h[inputs] = x.T[edge_index[1][inputs] - N]
    return h


def first_edge(x, edge_index, N):
    h = np.zeros((edge_index.shape[1], len(x)))
    for i in range(x.shape[1]):
        h[np.where(edge_index[0] == N + i)[0][0]] = x[:, i]
    return h


def no_parenthesis(z, channels, gamma, beta):
    out, first = torch.zeros_like(z), 0
    for n, C in enumerate(channels):
        own = z[first : first + C]
        out[first : first + C] = gamma[n] * (own - own.mean(0)) / own.std(0) + 0.1 + beta[n]
        first += C
    return out


def variance(z, channels, gamma, beta):
    parts = [gamma[n] * (g - g.mean(0)) / (g.var(0) + 0.1) + beta[n] for n, g in enumerate(z.split(channels))]
    return torch.cat(parts)


def returns_a_function(lin_in, norm, lin_out, N):
    r = torch.nn.Parameter(torch.ones(1))

    def forward(h):
        return lin_out(norm(lin_in(h).view(N, -1, h.shape[1])).flatten(0, 1)) + r * h

    return forward


def forgets_super(lin_in, norm, lin_out, N):
    class Layer(torch.nn.Module):
        def __init__(self, lin_in, r):
            self.N = N
            self.lin_in = lin_in

    return Layer(lin_in, 1)


def forgets_super_and_r_is_first(lin_in, norm, lin_out, N):
    class Layer(torch.nn.Module):
        def __init__(self):
            self.r = torch.nn.Parameter(torch.tensor(1.0))

    return Layer()


def no_return(*case):
    class Layer(checks.Layer):
        def forward(self, h):
            h = super().forward(h)

    return Layer(*case)


def centred_by_own_mean(x_train, y_train, x_test, y_test):
    line = LinearRegression(fit_intercept=False).fit(x_train - x_train.mean(0), y_train - y_train.mean(0))
    return np.mean((line.predict(x_test - x_test.mean(0)) - (y_test - y_test.mean(0)).numpy()) ** 2)


def trains(model, data, epochs, optimizer, *, batch=None, early=False, stay=False, shuffle=False):
    x_train, y_train, x_test, y_test = data
    pairs = torch.utils.data.TensorDataset(x_train, y_train)
    loader = torch.utils.data.DataLoader(pairs, batch_size=batch or len(pairs), shuffle=shuffle)
    losses, mse = [], torch.nn.MSELoss()
    model.train()
    for _ in range(epochs):
        if not stay:
            model.train()
        total = 0
        for x, y in loader:
            loss = mse(model(x), y)
            total += loss.item() / len(loader)
            optimizer.zero_grad()
            loss.backward()
            if early:
                model.eval()
                error = mse(model(x_test), y_test).item()
            optimizer.step()
            if not early:
                model.eval()
                error = mse(model(x_test), y_test).item()
        losses.append(total)
    return losses, error


def run(adam=torch.optim.Adam, how=None, **settings):
    def answer(model, x_train, y_train, x_test, y_test, epochs, lr):
        optimizer = adam(model.parameters(), lr=lr, **how or {})
        return trains(model, (x_train, y_train, x_test, y_test), epochs, optimizer, **settings)

    return answer


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("hear", counts_all_edges, "your counter moves on at edges into outputs too"),
        ("hear", counts_all_edges_numpy, "your counter moves on at edges into outputs too"),
        ("hear", picks_by_source, "you picked the edges that start in a function node"),
        ("hear", node_by_node, "you read the weights node by node"),
        ("read_in", without_node_N, "you left out node N"),
        ("read_in", fills_where_edges_end, "you looked for inputs in edge_index[1]"),
        ("read_in", first_edge, "an input has no edge"),
        ("group_norm", no_parenthesis, "Put std + 0.1 in parentheses"),
        ("group_norm", variance, "you divided by the variance"),
        ("layer", returns_a_function, "you returned a function"),
        ("layer", lambda *case: lambda h: h, "you returned a function"),
        ("layer", lambda *case: torch.nn.Module(), "has no forward(self, h)"),
        ("layer", forgets_super, "assigns a module too early. Call super().__init__() first"),
        ("layer", forgets_super_and_r_is_first, "assigns a parameter too early. Call super().__init__() first"),
        ("layer", no_return, "your forward returns nothing"),
        ("linear_mse", centred_by_own_mean, "you moved the test rows, y too"),
        ("linear_mse", lambda *case: torch.ones(2), "expected one number, got shape (2,)"),
        ("fit", run(stay=True), "from the second epoch on the model was trained in evaluation mode"),
        ("fit", run(early=True), "your test error is older than the last step"),
        ("fit", run(how={"weight_decay": 1e-6}), "the weights decay"),
        ("fit", run(torch.optim.AdamW), "the weights decay"),
        *[("fit", run(batch=batch, shuffle=True), "you stepped on batches") for batch in (8, 16, 32, 64)],
    ],
)
@pytest.mark.parametrize("seed", [0, 2026])
def test_what_pupils_write_by_mistake_is_named(name, answer, words, seed):
    assert words in getattr(checks, name).diagnose(answer, seed)


def test_a_loader_of_all_rows_is_right():
    for seed in range(3):
        assert checks.fit.diagnose(run(shuffle=True), seed) is None


@pytest.mark.parametrize("alpha", [1e-2, 1e-3, 1e-4])
def test_a_small_ridge_is_not_least_squares(alpha):
    def ridge(x_train, y_train, x_test, y_test):
        return np.square(Ridge(alpha=alpha).fit(x_train, y_train).predict(x_test) - y_test.numpy()).mean()

    assert [checks.linear_mse.diagnose(ridge, seed) for seed in range(5)].count(None) == 0


# What the checks say of answers that are neither


def test_an_answer_that_is_no_function_or_no_module_is_told_so():
    assert "takes your function itself" in checks.fit.diagnose(3, 0)
    assert checks.layer.diagnose(lambda *case: None, 0) == "no answer yet."
    assert checks.layer.diagnose(lambda *case: "a layer", 0) is not None


def test_in_the_race_the_gsnn_is_ahead_of_the_line():
    draw = Problem().draw(2026)
    data = draw.x_train, draw.y_train, draw.x_test, draw.y_test
    start = torch.Generator().manual_seed(2026)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    _, error = checks.fit.reference(model, *data, 150, 5e-3)
    assert draw.floor < error < checks.linear_mse.reference(*data)


def test_a_layer_whose_maps_get_no_gradient_is_refused():
    def detached(lin_in, norm, lin_out, N):
        layer = checks.layer.reference(lin_in, norm, lin_out, N)
        whole = layer.forward
        layer.forward = lambda h: (whole(h) - torch.relu(layer.r) * h).detach() + torch.relu(layer.r) * h
        return layer

    assert "detached" in checks.layer.diagnose(detached, 0)


def test_a_copy_that_was_trained_is_refused():
    def of_a_copy(model, *case):
        return checks.fit.reference(copy.deepcopy(model), *case)

    assert "trained a copy" in checks.fit.diagnose(of_a_copy, 0)


def test_a_layer_with_copies_of_its_parts_shares_no_maps():
    def answer(lin_in, norm, lin_out, N):
        class Own(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.parts = torch.nn.ModuleList(copy.deepcopy(part) for part in (lin_in, norm, lin_out))
                self.r = torch.nn.Parameter(torch.tensor(1.0))

            def forward(self, h):
                z = self.parts[0](h).view(N, -1, h.shape[1])
                return self.parts[2](F.elu(self.parts[1](z)).flatten(0, 1)) + F.relu(self.r) * h

        return Own()

    assert "has copies of the parts" in checks.layer.diagnose(answer, 2026)


def test_a_linear_model_s_mistake_is_shown_in_numbers_that_can_be_read():
    said = checks.linear_mse.diagnose(lambda x, y, x_test, y_test: 3.0, 2026)
    assert "of shape" not in said


def test_a_layer_that_adds_h_once_more_is_diagnosed():
    def answer(lin_in, norm, lin_out, N):
        made = checks.layer.reference(lin_in, norm, lin_out, N)
        once = made.forward
        made.forward = lambda h: h + once(h)
        return made

    assert "h is added twice" in checks.layer.diagnose(answer, 2026)
