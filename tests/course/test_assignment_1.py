"""Assignment 1: what it asks for is what the package computes."""

import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, pathway_graph
from gsnn_tutorial.exercises import assignment_1 as checks
from gsnn_tutorial.gsnn import win_indices

SEEDS = range(3)


@pytest.fixture(params=SEEDS)
def graph(request):
    return pathway_graph(K=3, n_in=2, n_func=2, n_out=1).with_spurious_edges(3, seed=request.param)


@pytest.fixture
def wiring(graph):
    """A model on the graph, the package's edges with self-loops, and the numbers of nodes of each type."""
    start = torch.Generator().manual_seed(0)
    model = GSNN(graph.edge_index_dict, graph.names, channels=4, layers=2, node_mlp=False, generator=start).double()
    return model, model.edge_index, len(graph.function_nodes), len(graph.input_nodes), len(graph.output_nodes)


def test_membership(graph):
    pairs = [(node.pathway, node.name) for node in graph.nodes]
    assert torch.equal(checks.membership.reference(pairs, graph.names, 3), graph.membership())


def test_edges_inside_a_pathway_are_the_true_ones(graph, wiring):
    edges = wiring[1][:, : wiring[0].function_edge_mask.sum() - wiring[2]]  # between functions, without self-loops
    inside = checks.inside.reference(graph.membership(), edges)
    np.testing.assert_array_equal(inside, graph.function_edge_is_true)


def test_self_loops(wiring):
    _, edge_index, N, _, _ = wiring
    assert torch.equal(checks.self_loops.reference(edge_index[:, :-N], N), edge_index)


def test_the_mask_of_w_in(wiring):
    model, edge_index, N, _, _ = wiring
    edge, channel = win_indices(edge_index, N, 4)
    mask = checks.win_mask.reference(edge_index, [4] * N)
    assert mask[channel, edge].all() and mask.sum() == len(edge)


def test_the_weights_of_w_out(wiring):
    model, edge_index, N, _, _ = wiring
    lin = model.ResBlocks[0].lin_out
    W = checks.wout.reference(lin.values, edge_index, N, 4)
    a = torch.randn(4 * N, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(W.double() @ a + lin.bias, lin(a), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_who_is_heard_is_whom_an_untrained_model_hears(graph, wiring, layers):
    _, edge_index, N, I, O = wiring
    start = torch.Generator().manual_seed(0)
    model = GSNN(graph.edge_index_dict, graph.names, 6, layers, node_mlp=False, generator=start).double()
    x = torch.randn(1, I, dtype=torch.float64, generator=start)
    y = model(torch.cat([x, x + torch.eye(I, dtype=torch.float64)])).detach()
    moved = (y[1:] - y[0]).abs() > 1e-9
    np.testing.assert_array_equal(checks.reach.reference(edge_index[:, :-N], N, I, O, layers), moved)


def test_weights_that_go_edge_by_edge_within_a_node_are_diagnosed():
    def answer(values, edge_index, N, C):
        W, k = torch.zeros(edge_index.shape[1], N * C), 0
        for e in torch.argsort(edge_index[0], stable=True).tolist():
            if (n := int(edge_index[0, e])) < N:
                W[e, n * C : n * C + C] = values[k : k + C]
                k += C
        return W

    assert "within a node you went edge by edge" in checks.wout.diagnose(answer, 2026)
