"""Linear CKA compares what two nodes say about the samples, whichever way each turns, shifts or scales its channels."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, normal

from gsnn_tutorial.evaluation import linear_cka

LAYERS = st.sampled_from(["last", "all"])


@st.composite
def activations(draw):
    """(B, L, N, C) in float64. Some nodes are copies of others, some are nearly so, some do not vary."""
    B, L, N, C = (draw(st.integers(*bounds)) for bounds in [(2, 8), (1, 3), (1, 5), (1, 4)])
    a = normal(draw(SEEDS), B, L, N, C)
    for n in range(N):
        kind = draw(st.sampled_from(["own", "own", "copy", "nearly a copy", "quiet"]))
        if kind == "quiet":
            a[:, :, n] = a[:1, :, n]
        elif kind != "own":
            a[:, :, n] = a[:, :, 0] + (0.1 * a[:, :, n] if kind == "nearly a copy" else 0)
    return a


def varies(a, layers):
    """Which nodes vary over the samples."""
    a = a[:, -1:] if layers == "last" else a
    return (a != a[:1]).any(3).any(1).any(0)


def cka_of_gram_matrices(X, Y):
    """<HKH, HLH> / (||HKH|| ||HLH||), K = X X^T and L = Y Y^T the samples' similarities, H = 1 - 1/B; 0 if one is 0."""
    H = np.eye(len(X)) - 1 / len(X)
    K, L = H @ X @ X.T @ H, H @ Y @ Y.T @ H
    scale = np.linalg.norm(K) * np.linalg.norm(L)
    return (K * L).sum() / scale if scale > 1e-12 else 0.0


def same(one, other):
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


@given(a=activations(), layers=LAYERS)
def test_it_is_the_similarity_of_the_samples_similarities(a, layers):
    nodes = [(a[:, -1, n] if layers == "last" else a[:, :, n].flatten(1)).numpy() for n in range(a.shape[2])]
    same(linear_cka(a, layers), [[cka_of_gram_matrices(X, Y) for Y in nodes] for X in nodes])


@given(a=activations(), layers=LAYERS)
def test_it_is_symmetric_between_0_and_1_and_1_with_itself_unless_a_node_does_not_vary(a, layers):
    S = linear_cka(a, layers)
    same(S, S.T)
    assert (S >= 0).all() and (S <= 1 + 1e-12).all()
    same(np.diag(S), varies(a, layers).double())
    quiet = ~varies(a, layers).numpy()
    assert not S[quiet].any() and not S[:, quiet].any()


@given(a=activations(), layers=LAYERS, seed=SEEDS, exponents=st.lists(st.integers(-3, 3), min_size=5, max_size=5))
def test_turning_scaling_and_shifting_a_nodes_channels_changes_nothing(a, layers, seed, exponents):
    turned = a.clone()
    for n in range(a.shape[2]):
        own = (slice(None), -1, n) if layers == "last" else (slice(None), slice(None), n)
        X = a[own].flatten(1)  # (B, C), or all layers' channels beside each other, (B, L*C)
        Q = torch.linalg.qr(normal(seed + n, X.shape[1], X.shape[1])).Q
        turned[own] = (10.0 ** exponents[n] * (X @ Q + normal(seed + 5 + n, X.shape[1]))).view(a[own].shape)
    same(linear_cka(turned, layers), linear_cka(a, layers))


@given(a=activations(), layers=LAYERS, data=st.data())
def test_the_order_of_samples_does_not_matter_and_that_of_nodes_goes_with_them(a, layers, data):
    samples = data.draw(st.permutations(range(a.shape[0])), label="samples")
    nodes = data.draw(st.permutations(range(a.shape[2])), label="nodes")
    same(linear_cka(a[samples][:, :, nodes], layers), linear_cka(a, layers)[np.ix_(nodes, nodes)])


@given(a=activations(), seed=SEEDS)
def test_the_last_layer_alone_counts_unless_all_are_asked_for(a, seed):
    other = a.clone()
    other[:, :-1] = normal(seed, *other[:, :-1].shape)
    assert np.array_equal(linear_cka(other), linear_cka(a))
    same(linear_cka(a, "all"), linear_cka(a.transpose(1, 2).flatten(2)[:, None]))
