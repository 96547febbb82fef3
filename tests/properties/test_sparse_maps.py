"""A sparse map is the dense matrix with zeros where no weight is: the product, its gradients, both layouts."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, WAYS, cache_of, close, examples, gradients, normal, way

from gsnn_tutorial import SparseLinear
from gsnn_tutorial.kernels import maps
from gsnn_tutorial.sparse import SparsePattern, sparse_map


@st.composite
def places(draw, largest=6):
    """Sources and targets of weights, sorted as a pattern wants them, and its size.

    One in three is far apart: every target takes from many sources, and neighbouring sources share none.
    """
    sources, targets = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    if draw(st.integers(0, 2)) == 0:
        targets, sources = max(targets, 2), 4 * max(targets, 2)
        pairs = {(s, s % targets) for s in range(sources)}
    else:
        every = [(s, t) for s in range(sources) for t in range(targets)]
        pairs = draw(st.sets(st.sampled_from(every), max_size=20))
    return torch.tensor(sorted(pairs), dtype=torch.long).reshape(-1, 2).t(), (sources, targets)


def dense(indices, size, values):
    """W^T, (sources, targets)."""
    return torch.zeros(size, dtype=values.dtype).index_put(tuple(indices), values)


def draw_numbers(indices, size, samples, seed):
    values, x = normal(seed, indices.shape[1]), normal(seed + 1, size[0], samples)
    return values.requires_grad_(), x.requires_grad_(), normal(seed + 2, size[1], samples)


@pytest.mark.parametrize("name", WAYS)
@given(places=places(), samples=st.integers(1, 5), seed=SEEDS, turned=st.booleans())
def test_product_and_gradients_are_those_of_the_dense_matrix(name, places, samples, seed, turned):
    indices, size = places
    values, x, g = draw_numbers(indices, size, samples, seed)
    given_x, given_g = (t.t().contiguous().t() if turned else t for t in (x, g))  # not contiguous
    expected = dense(indices, size, values).t() @ x
    with way(name):
        y = sparse_map(values, given_x, SparsePattern(indices, size))
        found = gradients((y * given_g).sum(), [values, x])
    close(y, expected)
    for gradient, wanted in zip(found, gradients((expected * g).sum(), [values, x])):
        close(gradient, wanted)


@given(places=places(), samples=st.integers(1, 5), seed=SEEDS, data=st.data())
def test_the_transposed_product_is_the_same_in_whatever_order_and_pieces_its_rows_are_visited(
    places, samples, seed, data
):
    indices, (sources, targets) = places
    order = torch.tensor(data.draw(st.permutations(range(sources)), label="order"))
    values, g = normal(seed, indices.shape[1]), normal(seed + 1, targets, samples)
    rows = data.draw(st.integers(1, sources), label="rows in a piece")
    with cache_of(4 * rows * samples * g.element_size()):
        found = maps.Visits(order, *indices, targets).product(values, g)
    close(found, dense(indices, (sources, targets), values) @ g)


@given(places=places(), seed=SEEDS)
def test_both_layouts_of_a_pattern_hold_every_weight_at_its_place(places, seed):
    indices, size = places
    values, pattern = normal(seed, indices.shape[1]), SparsePattern(indices, size)
    expected = dense(indices, size, values)
    assert torch.equal(pattern.transposed(values).to_dense(), expected)
    assert torch.equal(pattern.matrix(values).to_dense(), expected.t())


@pytest.mark.parametrize("name", WAYS)
@given(places=places(), samples=st.integers(1, 4), seed=SEEDS, bias=st.booleans())
def test_a_sparse_layer_adds_its_bias_to_the_product_and_leaves_its_input_alone(name, places, samples, seed, bias):
    indices, size = places
    layer = SparseLinear(indices, size, bias).double()
    for k, parameter in enumerate(layer.parameters()):
        parameter.data = normal(seed + k, *parameter.shape)
    x, g = normal(seed + 2, size[0], samples).requires_grad_(), normal(seed + 3, size[1], samples)
    before = x.detach().clone()
    expected = dense(indices, size, layer.values).t() @ x + (layer.bias if bias else 0)
    tensors = [x, *layer.parameters()]
    with way(name):
        y = layer(x)
        found = gradients((y * g).sum(), tensors)
    close(y, expected)
    for gradient, wanted in zip(found, gradients((expected * g).sum(), tensors)):
        close(gradient, wanted)
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", WAYS)
@examples(0.4)
@given(places=places(largest=4), samples=st.integers(1, 3), seed=SEEDS)
def test_gradients_are_those_of_finite_differences(name, places, samples, seed):
    indices, size = places
    values, x, _ = draw_numbers(indices, size, samples, seed)
    pattern = SparsePattern(indices, size)
    with way(name):
        assert torch.autograd.gradcheck(lambda v, x: sparse_map(v, x, pattern), (values, x))
