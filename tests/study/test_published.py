"""The published tutorial's path through the four names that its notebook imports from the package."""

import math

import networkx as nx
import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, nx2pyg, simulate
from gsnn_tutorial.study.published import replay

PATHWAYS, CHAIN = 4, 3
FUNCTION_TO_FUNCTION = ("function", "to", "function")


@pytest.fixture(scope="module")
def problem():
    """The graph as networkx and PyG know it, and its nodes."""
    G = nx.DiGraph()
    nodes = {"input": [], "function": [], "output": []}
    for p in range(PATHWAYS):
        functions = [f"f_{p}_{j}" for j in range(CHAIN)]
        inputs, outputs = [[f"{kind}_{p}_{i}" for i in range(2)] for kind in ("in", "out")]
        G.add_edges_from([(name, functions[0]) for name in inputs])
        G.add_edges_from(zip(functions, functions[1:]))
        G.add_edges_from([(functions[-1], name) for name in outputs])
        for kind, names in zip(nodes, (inputs, functions, outputs)):
            nodes[kind] += names
    return G, nodes, nx2pyg(G, nodes["input"], nodes["function"], nodes["output"])


@pytest.fixture(scope="module")
def data(problem):
    """Tensors x_train, x_test, y_train, y_test, simulated with scalar functions under global seeds."""
    G, nodes, _ = problem
    special = {
        "f_0_0": lambda parents: math.tanh(sum(float(p) for p in parents)),
        "f_1_0": lambda parents: 0.5 * sum(float(p) ** 2 for p in parents),
        "f_2_0": lambda parents: math.cos(sum(float(p) for p in parents)),
        "f_3_0": lambda parents: 0.3 * sum(float(p) ** 3 for p in parents),
    }
    torch.manual_seed(1)
    np.random.seed(1)
    arrays = simulate(
        G, n_train=256, n_test=1024, input_nodes=nodes["input"], output_nodes=nodes["output"],
        noise_scale=0.3, special_functions=special,
    )  # fmt: skip
    x_train, x_test, y_train, y_test = (torch.tensor(array, dtype=torch.float32) for array in arrays)
    mean, std = y_train.mean(0), y_train.std(0)
    return x_train, x_test, (y_train - mean) / (std + 1e-8), (y_test - mean) / (std + 1e-8)


@pytest.fixture(scope="module")
def noisy(problem, golden):
    """The true edges and the published spurious ones."""
    _, _, graph = problem
    edges = {kind: index.clone() for kind, index in graph.edge_index_dict.items()}
    spurious = golden["edge_index_function_function"][:, 8:]
    edges[FUNCTION_TO_FUNCTION] = torch.cat([edges[FUNCTION_TO_FUNCTION], spurious], dim=1)
    return edges, torch.arange(16) < 8


@pytest.fixture
def build(problem, noisy):
    def build():
        torch.manual_seed(0)
        return GSNN(
            edge_index_dict=noisy[0], node_names_dict=problem[2].node_names_dict, channels=8, layers=4, dropout=0.0,
            norm="layer", residual=True, node_mlp=False, node_mlp_hidden=32, add_function_self_edges=True,
        ).to("cpu")  # fmt: skip

    return build


def fit(model, data, regularizer=None, epochs=8):
    """Full-batch Adam; the test error and L_sim of every epoch."""
    x_train, x_test, y_train, y_test = data
    parameters = list(model.parameters()) + (list(regularizer.parameters()) if regularizer else [])
    optimizer, mse = torch.optim.Adam(parameters, lr=5e-3, weight_decay=1e-5), torch.nn.MSELoss()
    test_errors, similarity = [], []
    for _ in range(epochs):
        model.train()
        optimizer.zero_grad()
        total = mse(model(x_train), y_train)
        if regularizer is not None:
            L_sim, L_dis = regularizer.loss(model)
            similarity.append(float(L_sim.item()))
            total = total + L_sim + L_dis
        total.backward()
        optimizer.step()
        with torch.no_grad():
            model.eval()
            test_errors.append(mse(model(x_test), y_test).item())
    if regularizer is not None:
        regularizer.disable(model)
    return test_errors, similarity


def test_the_graph_gives_pyg_the_published_edges(problem, golden):
    _, nodes, graph = problem
    assert graph.node_names_dict == nodes
    true = golden["edge_index_function_function"][:, :8]
    assert torch.equal(graph.edge_index_dict[FUNCTION_TO_FUNCTION], true)
    ends = ("input", "to", "function"), ("function", "to", "output")
    assert set(graph.edge_index_dict) == {FUNCTION_TO_FUNCTION, *ends}


def test_the_simulated_inputs_are_the_published_ones(data, golden):
    assert torch.equal(data[0], golden["x_train"]) and torch.equal(data[1], golden["x_test"])
    assert data[2].shape == (256, 8) and data[3].shape == (1024, 8)
    torch.testing.assert_close(data[2].std(0), torch.ones(8))


def test_the_untrained_model_is_the_references(build, golden):
    torch.testing.assert_close(build()(golden["x_train"]), golden["init_output_train"], rtol=0, atol=1e-5)


def test_three_arms_train_and_the_regularizer_leaves_no_trace(build, data, golden):
    plain, _ = fit(build(), data)
    assert plain[-1] < plain[0]
    for membership in (golden["M_true"], golden["M_shuffled"]):
        model = build()
        regularizer = PathwayLatentRegularizer(model, membership.to("cpu"), lambda_sim=0.01).to("cpu")
        errors, similarity = fit(model, data, regularizer)
        assert errors[-1] < errors[0] and errors != plain
        assert all(-0.01 <= value < 0 for value in similarity)
        assert not any(module._forward_hooks for module in model.modules())


def test_activations_and_edge_norms_can_be_read_as_the_notebook_reads_them(build, problem, noisy, data):
    model, is_true = build(), noisy[1]
    fit(model, data, epochs=2)
    activations = model.get_node_activations(data[1].to("cpu"), agg="all")
    features = np.stack([activations[name].detach().reshape(-1).cpu().numpy() for name in problem[1]["function"]])
    assert features.shape == (12, 1024 * 4 * 8) and np.isfinite(features).all()

    lin_in = model.cpu().ResBlocks[0].lin_in
    values = lin_in.values.detach().cpu().reshape(-1)
    squares = torch.zeros(lin_in.N).scatter_add_(0, lin_in.indices[0].detach().cpu(), values**2)
    function_edges = model.function_edge_mask.cpu().nonzero(as_tuple=True)[0]
    assert len(function_edges) == len(is_true) + 12  # self-loops come last
    norms = squares.sqrt()[function_edges[: len(is_true)]]
    source, target = model.edge_index[:, function_edges[: len(is_true)]]
    assert torch.equal(torch.stack([source, target]), noisy[0][FUNCTION_TO_FUNCTION])
    assert norms[is_true].mean() > 0 and norms[~is_true].mean() > 0


def test_a_replay_leaves_the_global_generator_where_it_was():
    before = torch.random.get_rng_state()
    replay(epochs=1, progress=False)
    assert torch.equal(torch.random.get_rng_state(), before)
