"""The fast sparse map gives what the plain one gives: value and every gradient, near and far apart, on any memory."""

import gc
import weakref

import pytest
import torch

from gsnn_tutorial import kernels
from gsnn_tutorial.gsnn import win_indices
from gsnn_tutorial.kernels import maps
from gsnn_tutorial.sparse import SparsePattern, sparse_map


def random_pattern(sources, targets, weights):
    place = torch.randperm(sources * targets, generator=torch.Generator().manual_seed(0))[:weights].sort().values
    return SparsePattern(torch.stack([place // targets, place % targets]), (sources, targets))


def into_nodes(nodes=40, edges=150, channels=4):
    """W_in of a random graph: edges that share their channels stand far apart in the order of the sources."""
    pairs = random_pattern(nodes, nodes, edges).indices
    return SparsePattern(win_indices(pairs, nodes, channels), (edges, nodes * channels))


PATTERNS = {
    "usual": lambda: random_pattern(30, 20, 150),
    "full": lambda: random_pattern(6, 5, 30),
    "mostly without weights": lambda: random_pattern(40, 50, 12),
    "no weight at all": lambda: random_pattern(3, 4, 0),
    "far apart": into_nodes,
}
NEVER, ALWAYS = 1e12, 0


def value_and_gradients(pattern, samples=7, seed=1):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(pattern.indices.shape[1], generator=generator, requires_grad=True)
    x = torch.randn(pattern.sources, samples, generator=generator, requires_grad=True)
    g = torch.randn(pattern.targets, samples, generator=generator)
    y = sparse_map(values, x, pattern)
    return y.detach(), *torch.autograd.grad(y, (values, x), g)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("cache", [NEVER, ALWAYS])
def test_value_and_every_gradient_equal_the_plain_path(pattern, cache, monkeypatch):
    monkeypatch.setattr(maps, "CACHE", cache)
    pattern = pattern()
    fast = value_and_gradients(pattern)
    with kernels.plain():
        plain = value_and_gradients(pattern)
    for one, other in zip(fast, plain):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_a_far_apart_pattern_is_visited_in_another_order_and_others_are_not():
    assert maps.visits_of(into_nodes()) is not None
    in_order = torch.stack([torch.arange(30), torch.arange(30) // 3])
    assert maps.visits_of(SparsePattern(in_order, (30, 10))) is None


@pytest.mark.parametrize("rows", [1, 7, 150])
def test_gradients_are_the_same_in_pieces_and_at_once(rows, monkeypatch):
    pattern = into_nodes()
    at_once = value_and_gradients(pattern, samples=6)
    monkeypatch.setattr(maps, "CACHE", rows * 4 * 6 * 4)
    far = value_and_gradients(pattern, samples=6)
    assert all(torch.equal(one, other) for one, other in zip(at_once, far))


@pytest.mark.parametrize("wanted", [0, 1], ids=["values", "x"])
def test_a_gradient_that_nobody_asks_for_is_not_computed(wanted, monkeypatch):
    pattern = random_pattern(4, 5, 8)
    inputs = [torch.randn(8), torch.randn(4, 3)]
    unwanted = "_sampled" if wanted == 1 else "_product"
    inputs[wanted].requires_grad_()
    y = sparse_map(*inputs, pattern)
    monkeypatch.setattr(maps, unwanted, None)
    y.sum().backward()
    assert inputs[wanted].grad is not None


@pytest.fixture
def poisoned():
    """Memory that is not written yet is full of NaN."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("cache", [NEVER, ALWAYS])
def test_results_do_not_depend_on_what_their_memory_held_before(pattern, cache, poisoned, monkeypatch):
    monkeypatch.setattr(maps, "CACHE", cache)
    assert torch.empty(3).isnan().all()
    assert all(result.isfinite().all() for result in value_and_gradients(pattern()))


def test_a_large_result_on_huge_pages_is_the_same(monkeypatch):
    pattern = random_pattern(30, 20, 150)
    values, x = torch.randn(150), torch.randn(30, 40_000)  # 3.2 MB: one whole page at least
    small = sparse_map(values, x, pattern)
    monkeypatch.setattr(maps, "LARGE", 0)
    assert torch.equal(sparse_map(values, x, pattern), small)
    assert torch.equal(sparse_map(values, x[:, :1], pattern), small[:, :1])  # no whole page


def test_visits_are_worked_out_once_and_go_with_their_pattern():
    pattern = into_nodes()
    assert maps.visits_of(pattern) is maps.visits_of(pattern)
    gone = weakref.ref(pattern)
    del pattern
    gc.collect()
    assert gone() is None
