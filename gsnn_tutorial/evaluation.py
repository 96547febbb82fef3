r"""Evaluation: did the model learn the data, and does it know the pathways?

Two families. The *published* metrics compare raw activation vectors: cosine similarity and
k-means. They depend on the basis, in which channel c of one node and channel c of another have
nothing to do with each other. *Linear CKA* does not: it compares what two nodes' activations say
about the samples, whichever way each turns its channels.

.. math::
    \mathrm{CKA}(X, Y) = \frac{\lVert X^T Y \rVert_F^2}
                              {\lVert X^T X \rVert_F \, \lVert Y^T Y \rVert_F},
    \qquad X, Y: (B, C), \text{ centred over the batch}

Source: Kornblith et al. 2019, Similarity of Neural Network Representations Revisited.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.cluster import AgglomerativeClustering, KMeans
from threadpoolctl import threadpool_limits

from gsnn_tutorial import validate
from gsnn_tutorial.gsnn import GSNN

LAYERS = ("last", "all")


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Keep the model in evaluation mode inside a ``with`` block, so that we change nothing by looking at it."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


@torch.no_grad()
def mse(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean squared error over samples and outputs, in evaluation mode."""
    with evaluating(validate.instance("model", model, torch.nn.Module)):
        prediction = model(x)
    outputs = validate.columns_of(model)[1]
    y = validate.matrix("y", y, rows=len(prediction), columns=prediction.shape[1], names=outputs, like=prediction)
    return torch.nn.functional.mse_loss(prediction, y).item()


def cosine_similarity(activations: torch.Tensor) -> np.ndarray:
    """The published similarity: cosine of everything a node did, (B, L, N, C) -> (N, N).

    Not centred, and channel by channel: it depends on the basis.
    """
    F = _features(activations)
    F = F / (np.linalg.norm(F, axis=1, keepdims=True) + 1e-8)
    return F @ F.T


def kmeans_clusters(activations: torch.Tensor, n_clusters: int) -> np.ndarray:
    """The published clusters: k-means on the same vectors, (B, L, N, C) -> (N,)."""
    F = _features(activations).astype(float)
    _clusters(n_clusters, len(F))
    # k-means only sees distances, and the rows of R^T have those of F = R^T Q^T in N dimensions, not in B*L*C.
    # Sums are rounded in the order of the threads, and that would decide between clusterings that are equally good.
    with threadpool_limits(1):
        points = np.linalg.qr(F.T, mode="r").T
        return KMeans(n_clusters=n_clusters, n_init=10, random_state=0).fit_predict(points)


def linear_cka(activations: torch.Tensor, layers: str = "last") -> np.ndarray:
    """Linear CKA between all pairs of nodes, (B, L, N, C) -> (N, N), between 0 and 1.

    ``layers='last'`` compares the last layer, 'all' joins every layer's channels. A node whose
    activation does not vary over the batch is similar to none, itself included.
    """
    X = _centred(activations, layers)
    B, N, C = X.shape
    X = X.reshape(B, N * C)
    cross = (X.T @ X).reshape(N, C, N, C).square().sum((1, 3)).numpy()  # (N, N): ||X_i^T X_j||_F^2
    return _normalised(cross)


def centred_cosine(activations: torch.Tensor) -> np.ndarray:
    """Cosine of the last layer's stacked channels, centred over the batch, (B, L, N, C) -> (N, N).

    <X_i, X_j> / (||X_i|| ||X_j||), X_i (B, C). It still compares channel c with channel c: 0 is what two
    nodes have whose channels have nothing to do with each other, however alike the nodes are. A node
    that does not vary over the batch is similar to none, as in ``linear_cka``.
    """
    X = _centred(activations, "last").transpose(0, 1).flatten(1)  # (N, B*C)
    return _normalised((X @ X.T).numpy())


def cka_clusters(similarity: np.ndarray, n_clusters: int) -> np.ndarray:
    """Average-linkage clusters of the distance 1 - CKA, (N, N) -> (N,)."""
    S = _similarity(similarity)
    _clusters(n_clusters, len(S))
    return AgglomerativeClustering(n_clusters=n_clusters, metric="precomputed", linkage="average").fit_predict(1 - S)


def within_and_cross(similarity: np.ndarray, labels, involving=None) -> tuple[float, float]:
    """Mean similarity of node pairs inside a pathway, and across pathways; their difference is the *gap*.

    ``involving``, a mask (N,), leaves only pairs with at least one of those nodes.
    """
    S = _similarity(similarity)
    labels = validate.labels("labels", labels, len(S))
    everyone = np.ones(len(S), dtype=bool)
    counted = everyone if involving is None else validate.mask("involving", involving, len(S), "nodes")
    within, cross = _pair_means(S, labels[:, None] == labels, counted[:, None] | counted)
    if np.isnan(within) and involving is not None:
        raise ValueError(f"involving must leave pairs inside a pathway, got the nodes {np.flatnonzero(counted)}")
    if np.isnan(within):
        raise ValueError("labels must put at least two nodes into one pathway, got a pathway for each")
    return within, cross


def gap(similarity: np.ndarray, labels, involving=None) -> float:
    """Mean similarity within pathways minus mean similarity across them; ``involving`` as in ``within_and_cross``.

    Null: not 0 but what an untrained model has, since members of a chain see the same inputs.
    """
    within, cross = within_and_cross(similarity, labels, involving)
    return within - cross


def told_gap(similarity: np.ndarray, membership) -> float:
    """The gap of groups that a model was *told*: pairs that share a told pathway minus pairs that do not.

    ``membership`` (P, N): any weight but 0 makes a node a member, pathways may overlap, and nodes that
    are in none are left out. NaN where one kind of pair is missing. Null: the same groups' gap in a
    model that was not told of them, which for shuffled pathways is near 0 or below.
    """
    S = _similarity(similarity)
    member = validate.matrix("membership", membership, columns=len(S), boolean=True).ne(0).cpu().numpy()  # (P, N)
    told = member.any(0)
    within, cross = _pair_means(S, (member[:, :, None] & member[:, None, :]).any(0), told[:, None] & told)
    return within - cross


def activations(model: GSNN, x: torch.Tensor) -> torch.Tensor:
    """All layers' activations in evaluation mode, (B, L, N, C): every metric here reads them."""
    with evaluating(validate.instance("model", model, GSNN)):
        return model.layer_activations(x)


def _pair_means(S: np.ndarray, same: np.ndarray, counted: np.ndarray) -> tuple[float, float]:
    """Mean of S over the counted pairs that are the same, and over those that are not; NaN where there are none."""
    upper = np.triu_indices(len(S), k=1)
    S, same, counted = S[upper], same[upper], counted[upper]
    chosen = (S[counted & same], S[counted & ~same])
    return tuple(float(values.mean()) if len(values) else np.nan for values in chosen)


def _centred(activations, layers: str) -> torch.Tensor:
    """Channels of the last layer, or of all, minus their mean over the batch: (B, L, N, C) -> (B, N, C or L*C)."""
    validate.choice("layers", layers, LAYERS)
    a = _activations(activations)
    if len(a) < 2:
        raise ValueError(f"activations must have at least 2 samples to be centred over, got B={len(a)}")
    a = a[:, -1] if layers == "last" else a.transpose(1, 2).flatten(2)  # (B, N, C)
    mean = a.mean(0)
    X = a - mean
    varies = X.square().mean(0).sqrt() > 1e-6 * (1 + mean.abs())
    return X * varies  # a constant leaves rounding noise behind when it is centred


def _normalised(products: np.ndarray) -> np.ndarray:
    """products_ij / sqrt(products_ii products_jj), and 0 for a node that has nothing."""
    own = np.sqrt(np.diag(products))
    scale = np.outer(own, own)
    return np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)


def _activations(activations) -> torch.Tensor:
    a = validate.tensor("activations", activations, "(B, L, N, C), as layer_activations gives them", 4)
    a = a.detach().cpu().double()
    if not torch.isfinite(a).all():
        raise ValueError("activations must be finite, got NaN or infinite values: the model has diverged")
    return a


def _similarity(value) -> np.ndarray:
    S = validate.matrix("similarity", value)
    return validate.matrix("similarity", S, columns=len(S)).detach().cpu().numpy()


def _features(activations) -> np.ndarray:
    """One row per node: its activations in every sample, layer and channel, (N, B*L*C), float32 as published."""
    return _activations(activations).permute(2, 0, 1, 3).flatten(1).float().numpy()


def _clusters(n_clusters: int, nodes: int):
    if validate.integer("n_clusters", n_clusters, 1) > nodes:
        raise ValueError(f"n_clusters must be at most the number of nodes, {nodes}; got {n_clusters}")
