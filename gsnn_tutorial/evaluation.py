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
from functools import partial

import numpy as np
import torch
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score

from gsnn_tutorial import validate
from gsnn_tutorial.gsnn import GSNN

LAYERS = ("last", "all")


@contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """The model in evaluation mode for the while, so that looking at it changes nothing."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


@torch.no_grad()
def mse(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean squared error over samples and outputs, in evaluation mode."""
    with _evaluating(model):
        prediction = model(x)
    y = validate.matrix("y", y, rows=len(prediction), columns=prediction.shape[1])
    return torch.nn.functional.mse_loss(prediction, y.to(prediction)).item()


def cosine_similarity(activations: torch.Tensor) -> np.ndarray:
    """The published similarity: cosine of everything a node did, (B, L, N, C) -> (N, N).

    Not centred, and channel by channel: it depends on the basis.
    """
    F = _features(activations)
    F = F / (np.linalg.norm(F, axis=1, keepdims=True) + 1e-8)
    return F @ F.T


def kmeans_clusters(activations: torch.Tensor, n_clusters: int) -> np.ndarray:
    """The published clusters: k-means on the same vectors, (B, L, N, C) -> (N,)."""
    F = _features(activations)
    _clusters(n_clusters, len(F))
    return KMeans(n_clusters=n_clusters, n_init=10, random_state=0).fit_predict(F)


def linear_cka(activations: torch.Tensor, layers: str = "last") -> np.ndarray:
    """Linear CKA between all pairs of nodes, (B, L, N, C) -> (N, N), between 0 and 1.

    ``layers='last'`` compares the last layer, 'all' joins every layer's channels. A node whose
    activation does not vary over the batch is similar to none, itself included.
    """
    validate.choice("layers", layers, LAYERS)
    a = _activations(activations)
    if len(a) < 2:
        raise ValueError(f"activations must have at least 2 samples to be centred over, got B={len(a)}")
    a = a[:, -1] if layers == "last" else a.transpose(1, 2).flatten(2)  # (B, N, C)
    B, N, C = a.shape
    X = (a - a.mean(0)).reshape(B, N * C)
    varies = X.square().mean(0).sqrt() > 1e-6 * (1 + a.mean(0).abs().flatten())
    X = X * varies  # what is left of a constant after centring is rounding
    cross = (X.T @ X).reshape(N, C, N, C).square().sum((1, 3)).numpy()  # (N, N): ||X_i^T X_j||_F^2
    own = np.sqrt(np.diag(cross))
    product = np.outer(own, own)
    return np.divide(cross, product, out=np.zeros_like(cross), where=product > 0)


def cka_clusters(similarity: np.ndarray, n_clusters: int) -> np.ndarray:
    """Average-linkage clusters of the distance 1 - CKA, (N, N) -> (N,)."""
    S = _similarity(similarity)
    _clusters(n_clusters, len(S))
    model = AgglomerativeClustering(n_clusters=n_clusters, metric="precomputed", linkage="average")
    return model.fit_predict(1 - S)


def within_and_cross(similarity: np.ndarray, labels) -> tuple[float, float]:
    """Mean similarity of node pairs inside a pathway, and across pathways; their difference is the *gap*."""
    S = _similarity(similarity)
    labels = validate.labels("labels", labels, len(S))
    i, j = np.triu_indices(len(S), k=1)
    same = labels[i] == labels[j]
    if not same.any():
        raise ValueError("labels must put at least two nodes into one pathway, got a pathway for each")
    return float(S[i, j][same].mean()), float(S[i, j][~same].mean())


def gap(similarity: np.ndarray, labels) -> float:
    """Mean similarity within pathways minus mean similarity across them."""
    within, cross = within_and_cross(similarity, labels)
    return within - cross


def edge_norms(model: GSNN) -> np.ndarray:
    """Norm of W_in's row, sqrt(sum_c w_ec^2), for each function-function edge, self-loops left out."""
    lin_in = model.ResBlocks[0].lin_in
    squares = lin_in.values.detach().cpu().square()
    squares = squares.new_zeros(lin_in.N).index_add_(0, lin_in.indices[0].cpu(), squares)
    source, target = model.edge_index.cpu()
    return squares.sqrt()[model.function_edge_mask.cpu() & (source != target)].numpy()


@torch.no_grad()
def edge_effects(model: GSNN, x: torch.Tensor, *, keep_mean: bool) -> np.ndarray:
    """Mean squared change of the outputs when an edge falls silent, for each function-function edge.

    No node hears the edge's message in any layer; with ``keep_mean`` all hear its mean over the
    batch instead, which takes away what the message tells and leaves what it serves for as a bias.
    Self-loops are left out, as in ``edge_norms``.
    """
    source, target = model.edge_index
    edges, effects = (model.function_edge_mask & (source != target)).nonzero().flatten().tolist(), []

    def silence(edge, module, inputs):
        h = inputs[0].clone()  # (E, B)
        h[edge] = h[edge].mean() if keep_mean else 0.0
        return (h,)

    with _evaluating(model):
        y = model(x)
        for edge in edges:
            maps = {block.lin_in for block in model.ResBlocks}
            hooks = [lin_in.register_forward_pre_hook(partial(silence, edge)) for lin_in in maps]
            try:
                effects.append((model(x) - y).square().mean().item())
            finally:
                for hook in hooks:
                    hook.remove()
    return np.array(effects)


def published_metrics(model: GSNN, x: torch.Tensor, labels, edge_is_true) -> dict[str, float]:
    """The structural columns of the published table, computed as published.

    Without spurious edges (or without true ones) their norm and the ratio are NaN.
    """
    with _evaluating(model):
        activations = model.layer_activations(x)
    labels = validate.labels("labels", labels, model.N)
    within, cross = within_and_cross(cosine_similarity(activations), labels)
    norms, is_true = edge_norms(model), np.asarray(edge_is_true, dtype=bool)
    if is_true.shape != norms.shape:
        raise ValueError(
            f"edge_is_true must say of each of the {len(norms)} function-function edges whether it is true, "
            f"got shape {is_true.shape}"
        )
    true, spurious = (float(norms[chosen].mean()) if chosen.any() else np.nan for chosen in (is_true, ~is_true))
    return {
        "cos_within": within,
        "cos_cross": cross,
        "cos_gap": within - cross,
        "ari": adjusted_rand_score(labels, kmeans_clusters(activations, len(np.unique(labels)))),
        "lin_in_norm_true": true,
        "lin_in_norm_spurious": spurious,
        "norm_ratio_true_over_spurious": true / spurious if spurious > 0 else np.nan,
    }


def cka_metrics(model: GSNN, x: torch.Tensor, labels, told=None) -> dict[str, float]:
    """Pathway structure by linear CKA at the last layer: within, across, their gap, and the ARI of its clusters.

    With ``told``, the labels that a model was told of, also the gap between those groups.
    """
    labels = validate.labels("labels", labels, model.N)
    with _evaluating(model):
        similarity = linear_cka(model.layer_activations(x))
    clusters = cka_clusters(similarity, len(np.unique(labels)))
    within, cross = within_and_cross(similarity, labels)
    metrics = {"cka_within": within, "cka_cross": cross, "cka_gap": within - cross}
    metrics["cka_ari"] = adjusted_rand_score(labels, clusters)
    return metrics if told is None else metrics | {"cka_gap_told": gap(similarity, told)}


def _activations(activations) -> torch.Tensor:
    a = torch.as_tensor(activations).detach().cpu().double()
    if a.dim() != 4:
        raise ValueError(
            f"activations must be (B, L, N, C), as layer_activations gives them; got shape {tuple(a.shape)}"
        )
    if not torch.isfinite(a).all():
        raise ValueError("activations must be finite, got NaN or infinite values: the model has diverged")
    return a


def _similarity(value) -> np.ndarray:
    S = validate.matrix("similarity", value)
    return validate.matrix("similarity", S, columns=len(S)).numpy()


def _features(activations) -> np.ndarray:
    """One row per node: its activations in every sample, layer and channel, (N, B*L*C), float32 as published."""
    return _activations(activations).permute(2, 0, 1, 3).flatten(1).float().numpy()


def _clusters(n_clusters: int, nodes: int):
    validate.integer("n_clusters", n_clusters, 1)
    if n_clusters > nodes:
        raise ValueError(f"n_clusters must be at most the number of nodes, {nodes}; got {n_clusters}")
