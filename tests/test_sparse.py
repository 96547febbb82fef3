import sys

import pytest
import torch

from gsnn_tutorial import SparseLinear, pathway_graph
from gsnn_tutorial.gsnn import win_indices, wout_indices
from gsnn_tutorial.sparse import SparsePattern, sparse_map

SHAPES = {  # sources, targets, weights, samples
    "usual": (30, 20, 150, 7),
    "one sample": (5, 4, 9, 1),
    "full": (6, 5, 30, 4),
    "one weight": (8, 9, 1, 3),
    "mostly sources and targets without weights": (40, 50, 12, 5),
    "no weight at all": (3, 4, 0, 2),
}


def random_indices(sources, targets, weights):
    place = torch.randperm(sources * targets, generator=torch.Generator().manual_seed(0))[:weights].sort().values
    return torch.stack([place // targets, place % targets])


def dense(indices, size, values):
    W = torch.zeros(size, dtype=values.dtype, device=values.device)
    return W.index_put((indices[0], indices[1]), values).t()


NEEDS_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NEEDS_CUDA)])
def test_forward_and_backward_equal_a_dense_masked_product(shape, device):
    sources, targets, weights, samples = shape
    torch.manual_seed(1)
    linear = SparseLinear(random_indices(sources, targets, weights), (sources, targets)).to(device)
    torch.nn.init.normal_(linear.bias)
    x = torch.randn(sources, samples, device=device, requires_grad=True)
    g = torch.randn(targets, samples, device=device)

    parameters = (linear.values, linear.bias, x)
    y = linear(x)
    grads = torch.autograd.grad(y, parameters, g)
    expected = dense(linear.indices, (sources, targets), linear.values) @ x + linear.bias
    torch.testing.assert_close(y, expected, rtol=1e-6, atol=1e-6)
    for grad, wanted in zip(grads, torch.autograd.grad(expected, parameters, g)):
        torch.testing.assert_close(grad, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("weights", [17, 1])
def test_gradcheck(weights):
    pattern = SparsePattern(random_indices(6, 7, weights), (6, 7))
    values = torch.randn(weights, dtype=torch.float64, requires_grad=True)
    x = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v, x: sparse_map(v, x, pattern), (values, x))


@pytest.mark.parametrize("wanted", ["values", "x"])
def test_a_gradient_that_nobody_asks_for_does_not_hinder_the_other(wanted):
    pattern, values, x = SparsePattern(random_indices(4, 5, 8), (4, 5)), torch.randn(8), torch.randn(4, 3)
    asked = {"values": values, "x": x}[wanted].requires_grad_()
    sparse_map(values, x, pattern).sum().backward()
    expected = torch.autograd.grad((dense(random_indices(4, 5, 8), (4, 5), values) @ x).sum(), asked)[0]
    torch.testing.assert_close(asked.grad, expected, rtol=1e-6, atol=1e-6)


def test_memory_that_is_not_contiguous_gives_the_same():
    pattern, values = SparsePattern(random_indices(6, 5, 12), (6, 5)), torch.randn(12, requires_grad=True)
    x, g = torch.randn(3, 6).t(), torch.randn(3, 5).t()
    y = sparse_map(values, x, pattern)
    torch.testing.assert_close(y, sparse_map(values, x.contiguous(), pattern), rtol=1e-6, atol=1e-6)
    y.backward(g)
    torch.testing.assert_close(values.grad, (x @ g.t())[tuple(random_indices(6, 5, 12))], rtol=1e-6, atol=1e-6)


def test_a_bias_is_added_without_touching_the_input_or_another_result():
    linear = SparseLinear(random_indices(5, 5, 9), (5, 5))
    torch.nn.init.ones_(linear.bias)
    x = torch.randn(5, 3)
    before, first = x.clone(), linear(x)
    kept = first.clone()
    linear(x)
    assert torch.equal(x, before) and torch.equal(first, kept)


def test_targets_without_weights_get_their_bias_alone():
    linear = SparseLinear(torch.tensor([[0, 2], [1, 1]]), (3, 3))
    torch.nn.init.ones_(linear.bias)
    assert linear(torch.randn(3, 4))[[0, 2]].tolist() == [[1.0] * 4] * 2
    assert SparseLinear(torch.tensor([[0], [1]]), (3, 3), bias=False).bias is None


def test_weights_start_uniform_over_the_root_of_fan_in_times_fan_out_in_the_order_of_the_indices():
    indices = torch.tensor([[0, 0, 0, 1, 2], [0, 1, 2, 1, 1]])
    fan_in, fan_out = torch.tensor([1, 3, 1, 3, 3]), torch.tensor([3, 3, 3, 1, 1])
    torch.manual_seed(7)
    linear = SparseLinear(indices, (3, 4))
    torch.manual_seed(7)
    uniform = torch.rand(5) * 2 - 1
    torch.testing.assert_close(linear.values.detach(), uniform / (fan_in * fan_out).sqrt(), rtol=1e-6, atol=1e-7)
    assert not linear.bias.any()
    assert (linear.N, linear.M) == (3, 4) and torch.equal(linear.indices, indices)


def test_nothing_of_size_samples_times_weights_is_allocated(largest_allocation):
    sources, targets, weights, samples = 200, 220, 10_000, 64
    linear = SparseLinear(random_indices(sources, targets, weights), (sources, targets))
    x = torch.randn(sources, samples, requires_grad=True)
    largest = largest_allocation(lambda: linear(x).square().sum().backward())
    assert targets * samples * 4 <= largest < weights * samples * 4 / 10


def python_steps(run):
    """How many bytecode instructions Python executes in ``run``."""
    steps = 0

    def trace(frame, event, argument):
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return steps


def test_index_building_does_not_loop_over_edges_in_python():
    def build(graph):
        edge_index = graph.edge_index_dict["function", "to", "function"]
        nodes = len(graph.function_nodes)

        def run():
            for indices in (win_indices, wout_indices):
                size = (edge_index.shape[1], nodes * 3) if indices is win_indices else (nodes * 3, edge_index.shape[1])
                SparseLinear(indices(edge_index, nodes, 3), size)

        return run

    small, large = build(pathway_graph(K=2)), build(pathway_graph(K=200))
    python_steps(small)  # imports and caches are filled, and Python 3.12 begins to tell of its instructions
    assert python_steps(small) == python_steps(large) > 0
