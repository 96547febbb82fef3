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


@graded("similarity in any basis", cases=activations, tolerance=1e-4)
def cka(a):
    """Activations (B, N, C) -> linear CKA of all pairs of nodes, (N, N): 0 for nodes that do not vary."""
    X = a - a.mean(0)
    products = np.einsum("bnc,bmd->nmcd", X, X)  # (N, N, C, C): X^T Y of every pair
    norms = np.sqrt(np.square(products).sum((2, 3)))  # (N, N)
    size = np.diag(norms)
    return np.divide(norms**2, np.outer(size, size), out=np.zeros_like(norms), where=np.outer(size, size) > 1e-12)


COSINE = {  # one product for each pair of nodes, channel by channel
    "bmd->nmcd": "bmc->nm", "np.sqrt(np.square(products).sum((2, 3)))": "products", "np.diag(norms)":
    "np.sqrt(np.diag(norms))", "norms**2": "norms",
}  # fmt: skip
cka.slips({
    "you did not centre. Subtract each channel's mean over the batch, or levels make nodes alike.":
        {" - a.mean(0)": ""},
    "you centred over the channels of a sample. The mean runs over the batch, each channel of each node for itself.":
        {"a.mean(0)": "a.mean(2, keepdims=True)"},
    "you took one mean for all nodes. Each channel of each node has its own.": {"a.mean(0)": "a.mean((0, 1))"},
    "this is the cosine, channel by channel. Renumber one node's channels and it changes: compare all channels of one "
    "node with all of the other.": COSINE,
    "this is the raw cosine, channel by channel and not centred. Centre, and compare all channels of one node with all "
    "of the other.": COSINE | {" - a.mean(0)": ""},
    "this is the correlation of all that two nodes did, with one mean for all channels of a node. Each channel has its "
    "own, and meets all channels of the other node.": COSINE | {"a.mean(0)": "a.mean((0, 2))[:, None]"},
    "this is the squared correlation of the channel means. What channels do in opposite ways is lost: compare all "
    "channels of one node with all of the other.":
        {"a - a.mean(0)": "(a - a.mean(0)).mean(2, keepdims=True)"},
    "you standardised each channel. Then it matters along which axes a node's channels lie: centre, no more.":
        {"a - a.mean(0)": "(a - a.mean(0)) / np.where(a.std(0) > 1e-12, a.std(0), 1)"},
    "your numerator is not squared. Without the square numerator and denominator are of different kinds: loud nodes "
    "come out small.": {"norms**2": "norms"},
    "this is the root of CKA. The numerator is squared, the norms in the denominator are not under a root.":
        {"norms**2": "norms", "np.diag(norms)": "np.sqrt(np.diag(norms))"},
    "you divided by the squared norms of X and Y. The norm of X^T X is that of a (C, C) matrix, and smaller: with "
    "itself a node would not have 1.": {"np.diag(norms)": "np.square(X).sum((0, 2))"},
    "your norm is the largest singular value. The Frobenius norm is the root of the sum of all squared entries.":
        {"np.sqrt(np.square(products).sum((2, 3)))": "np.linalg.norm(products, 2, axis=(2, 3))"},
    "you multiplied samples with samples, X Y^T. Then channel c meets only channel c: take X^T Y, channels with "
    "channels.": {"bnc,bmd->nmcd": "bnc,dmc->nmbd"},
    "0/0: a node that does not vary gives NaN. It has 0 with every node, itself included.":
        {"np.zeros_like(norms)": "np.full_like(norms, np.nan)"},
    "a node that does not vary has 1 with itself in your answer. It has 0 there too: it says nothing.":
        {"np.zeros_like(norms)": "np.eye(len(norms))"},
})  # fmt: skip
