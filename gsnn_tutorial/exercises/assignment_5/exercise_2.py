"""Exercise 2 of assignment 5, a similarity in any basis: linear CKA of all pairs of nodes."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import graded


def activations(seed):
    """Nodes that share some of their signals, each in a basis of its own and at its own level; two do not vary."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, N, C in [(8, 5, 3), (12, 6, int(rng.integers(4, 6)))]:
        signals = rng.standard_normal((B, 1, C)) * np.linspace(1.5, 0.5, C)
        a = signals * rng.uniform(0.4, 1, (N, C)) + 0.6 * rng.standard_normal((B, N, C))  # (B, N, C)
        bases = np.linalg.qr(rng.standard_normal((N, C, C)))[0]
        a = np.einsum("bnc,ncd->bnd", a, bases) + rng.uniform(0.5, 2, (N, C))
        a[:, 2] *= 0.05  # quiet, and yet it varies
        a[:, :2] = 0.5, *[0.25] * (C - 1)
        cases.append((a[:, rng.permutation(N)],))
    return cases


def over_sizes(products, size):
    """``products`` (N, N) over ``size`` (N,) of both nodes, 0 where that is 0."""
    scale = np.outer(size, size)  # (N, N)
    return np.divide(products, scale, out=np.zeros_like(scale), where=scale > 1e-12)


@graded("similarity in any basis", cases=activations, tolerance=1e-4)
def cka(a):
    """Activations (B, N, C) -> linear CKA of all pairs of nodes, (N, N): 0 for nodes that do not vary."""
    X = a - a.mean(0)
    products = np.einsum("bnc,bmd->nmcd", X, X)  # (N, N, C, C): X^T Y of every pair
    norms = np.sqrt(np.square(products).sum((2, 3)))  # (N, N)
    return over_sizes(norms**2, np.diag(norms))


# Helpers of the mistakes


def centred(a):
    return a - a.mean(0)


def frobenius(X):
    """X (B, N, C) -> the norm of X^T Y for all pairs of nodes, (N, N)."""
    return np.sqrt(np.square(np.einsum("bnc,bmd->nmcd", X, X)).sum((2, 3)))


def cka_as_it_stands(X):
    """CKA of X (B, N, C) that is taken for centred."""
    return over_sizes(frobenius(X) ** 2, np.diag(frobenius(X)))


def cosine(X):
    """X (B, N, C) -> the cosine of all that two nodes did, channel by channel, (N, N)."""
    products = np.einsum("bnc,bmc->nm", X, X)
    return over_sizes(products, np.sqrt(np.diag(products)))


def does_not_vary(a):
    return (a == a[0]).all((0, 2))  # (N,)


# Mistakes


@cka.mistake("you did not centre. Subtract each channel's mean over the batch, or levels make nodes alike.")
def not_centred(a):
    return cka_as_it_stands(a)


@cka.mistake(
    "you centred over the channels of a sample. The mean runs over the batch, each channel of each node for itself."
)
def centred_over_channels(a):
    return cka_as_it_stands(a - a.mean(2, keepdims=True))


@cka.mistake("you took one mean for all nodes. Each channel of each node has its own.")
def one_mean_for_all_nodes(a):
    return cka_as_it_stands(a - a.mean((0, 1)))


@cka.mistake(
    "this is the cosine, channel by channel. Renumber one node's channels and it changes: compare all channels of "
    "one node with all of the other."
)
def centred_cosine(a):
    return cosine(centred(a))


@cka.mistake(
    "this is the raw cosine, channel by channel and not centred. Centre, and compare all channels of one node with "
    "all of the other."
)
def raw_cosine(a):
    return cosine(a)


@cka.mistake(
    "this is the correlation of all that two nodes did, with one mean for all channels of a node. Each channel has "
    "its own, and meets all channels of the other node."
)
def correlation(a):
    return np.corrcoef(a.swapaxes(0, 1).reshape(a.shape[1], -1))


@cka.mistake(
    "this is the squared correlation of the channel means. What channels do in opposite ways is lost: compare all "
    "channels of one node with all of the other."
)
def correlation_of_channel_means(a):
    return cosine(centred(a).mean(2, keepdims=True)) ** 2


@cka.mistake("you standardised each channel. Then it matters along which axes a node's channels lie: centre, no more.")
def standardised(a):
    X = centred(a)
    std = X.std(0)  # (N, C)
    return cka_as_it_stands(np.divide(X, std, out=np.zeros_like(X), where=std > 1e-12))


@cka.mistake(
    "your numerator is not squared. Without the square numerator and denominator are of different kinds: loud "
    "nodes come out small."
)
def numerator_not_squared(a):
    norms = frobenius(centred(a))
    return over_sizes(norms, np.diag(norms))


@cka.mistake("this is the root of CKA. The numerator is squared, the norms in the denominator are not under a root.")
def root_of_cka(a):
    return np.sqrt(cka.reference(a))


@cka.mistake(
    "you divided by the squared norms of X and Y. The norm of X^T X is that of a (C, C) matrix, and smaller: with "
    "itself a node would not have 1."
)
def squared_norms_of_the_nodes(a):
    X = centred(a)
    return over_sizes(frobenius(X) ** 2, np.square(X).sum((0, 2)))


@cka.mistake(
    "your norm is the largest singular value. The Frobenius norm is the root of the sum of all squared entries."
)
def largest_singular_value(a):
    X = centred(a)
    norms = np.linalg.norm(np.einsum("bnc,bmd->nmcd", X, X), 2, axis=(2, 3))  # (N, N)
    return over_sizes(norms**2, np.diag(norms))


@cka.mistake(
    "you multiplied samples with samples, X Y^T. Then channel c meets only channel c: take X^T Y, channels with "
    "channels."
)
def samples_with_samples(a):
    X = centred(a)
    squared = np.square(np.einsum("bnc,dmc->nmbd", X, X)).sum((2, 3))  # (N, N)
    return over_sizes(squared, np.sqrt(np.diag(squared)))


@cka.mistake("0/0: a node that does not vary gives NaN. It has 0 with every node, itself included.")
def nan_where_constant(a):
    constant = does_not_vary(a)
    return np.where(constant[:, None] | constant, np.nan, cka.reference(a))


@cka.mistake("a node that does not vary has 1 with itself in your answer. It has 0 there too: it says nothing.")
def constant_is_like_itself(a):
    return np.where(np.diag(does_not_vary(a)), 1, cka.reference(a))
