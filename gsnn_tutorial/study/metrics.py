"""The metrics of a study: each has a name, a null to be compared with, and a way to be computed of a model.

``METRICS`` holds every metric by the name of its column. Those with a *margin*, the smallest difference that would
matter, are judged by ``verdict``; the others are reported beside them. ``MEASURES`` names the groups that a study
chooses from. A metric is NaN where its question makes no sense, as the gap between true and spurious edges in a
graph that has none; its column is there all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import adjusted_rand_score

from gsnn_tutorial import attribution, evaluation, validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.problem import Draw
from gsnn_tutorial.wiring import Graph

# Silence and occlusion run the model once for every edge and input. Test rows are independent draws, and these
# metrics are averages and rankings over them: a quarter of the usual rows moves them by some hundredths.
ATTRIBUTION_ROWS = 256


def has_truth(graph: Graph) -> bool:
    """True if the graph says which pathway each node is of and which edges are true, as that of a simulation does."""
    return isinstance(graph, PathwayGraph)


@dataclass(frozen=True)
class Subject:
    """A model to be measured, with the draw of its seed; anything that several metrics need is computed once.

    ``graph`` is the one that the model was given; the true pathways are those of ``draw.graph``. ``told`` is the
    membership (P, N) that its regularizer knew, or None.
    """

    model: GSNN
    graph: Graph
    draw: Draw
    told: torch.Tensor | None = None

    @property
    def labels(self) -> np.ndarray:
        """The true pathway of each function node, (N,)."""
        return self.draw.graph.labels

    @cached_property
    def activations(self) -> torch.Tensor:
        """Of all layers, on the test rows, (B, L, N, C)."""
        return evaluation.activations(self.model, self.draw.x_test)

    @cached_property
    def cosine(self) -> tuple[float, float]:
        """The published cosine within pathways, and across."""
        return evaluation.within_and_cross(evaluation.cosine_similarity(self.activations), self.labels)

    @cached_property
    def similarity(self) -> np.ndarray:
        """CKA of all pairs of nodes, last layer, (N, N)."""
        return evaluation.linear_cka(self.activations)

    @cached_property
    def similarity_all(self) -> np.ndarray:
        """CKA of all pairs of nodes, all layers, (N, N)."""
        return evaluation.linear_cka(self.activations, layers="all")

    @cached_property
    def cka(self) -> tuple[float, float]:
        """CKA of the last layer within pathways, and across."""
        return evaluation.within_and_cross(self.similarity, self.labels)

    @cached_property
    def norms(self) -> np.ndarray:
        """``edge_norms`` of the function-function edges. Raises ValueError if the graph has other edges."""
        norms, edges = attribution.edge_norms(self.model), len(self.graph.function_edge_is_true)
        if edges != len(norms):
            raise ValueError(f"graph must have the model's {len(norms)} function-function edges, got {edges}")
        return norms

    @cached_property
    def norm_means(self) -> tuple[float, float]:
        """Mean norm of true edges, and of spurious ones; NaN where there are none."""
        is_true = self.graph.function_edge_is_true
        return tuple(float(self.norms[kind].mean()) if kind.any() else np.nan for kind in (is_true, ~is_true))

    @property
    def few(self) -> torch.Tensor:
        """The test rows that attribution looks at."""
        return self.draw.x_test[:ATTRIBUTION_ROWS]

    @cached_property
    def effects(self) -> np.ndarray:
        """``edge_effects`` of the function-function edges, each held at its mean."""
        return attribution.edge_effects(self.model, self.few, keep_mean=True)

    def agreement(self, clusters: Callable[[object, int], np.ndarray], of) -> float:
        """ARI of ``clusters(of, P)`` and the true pathways."""
        return adjusted_rand_score(self.labels, clusters(of, len(np.unique(self.labels))))


@dataclass(frozen=True)
class Metric:
    """A column of a study.

    Arguments
        name, words: its name in code, tables and files, and in verdicts, figures and printed tables.
        margin: the smallest difference that would matter; None for a metric that is reported and not judged.
        null: the value of a model that knows nothing, in words, which need not be 0; None for an error. A summary sets
            a metric that has a null beside the untrained model's.
        direction: 1 where more is better, -1 where less is.
        compute: makes it, one number, of a ``Subject``.
        truth: True if it compares with the true pathways or edges, so that only a simulation has it.
    """

    name: str
    words: str
    margin: float | None = None
    null: str | None = "what an untrained model has"
    direction: int = 1
    compute: Callable[[Subject], float] | None = None
    truth: bool = True

    @property
    def better(self) -> str:
        """Its direction in words."""
        return "more is better" if self.direction > 0 else "less is better"


def _crosstalk(subject: Subject) -> float:
    """Cross-talk runs forward along the chains, so it is compared with those spurious edges that do.

    They differ in nothing but their signal. (Against all of them, even an untrained model seems to know cross-talk,
    since what runs backward hardly reaches an output.)
    """
    graph, is_true = subject.graph, subject.graph.function_edge_is_true
    source, target = graph.chain_positions[graph.edge_index_dict["function", "to", "function"].numpy()]
    alike = graph.function_edge_is_crosstalk | (~is_true & (source < target))
    return attribution.auc(subject.effects[alike], is_true[alike])


def _hidden(subject: Subject) -> float:
    """The gap of pairs with a hidden member; hidden ones are in no loss: that they score is not the loss's doing."""
    hidden = np.asarray(subject.draw.hidden, dtype=bool)
    return evaluation.gap(subject.similarity, subject.labels, hidden) if hidden.any() else np.nan


def _told(subject: Subject) -> float:
    return np.nan if subject.told is None else evaluation.told_gap(subject.similarity, subject.told)


def _auc(subject: Subject, score: np.ndarray) -> float:
    return attribution.auc(score, subject.graph.function_edge_is_true)


DEGREES = "an untrained model's, which degrees alone keep from 1"
LETS_THROUGH = "what the graph lets through before any training"
POSITIONS = "an untrained model's, which degrees and positions in a chain keep from 0.5"
UNTOLD = "the same groups' gap in a model that was not told of them"
METRICS = {metric.name: metric for metric in (
    # Those that every study is judged by, then those that it may be judged by.
    Metric("test_mse", "test MSE", 0.01, None, -1, lambda s: evaluation.mse(s.model, s.draw.x_test, s.draw.y_test),
           truth=False),
    Metric("cka_gap", "CKA gap", 0.05, compute=lambda s: s.cka[0] - s.cka[1]),
    Metric("cka_ari", "ARI of CKA clusters", 0.05,
           compute=lambda s: s.agreement(evaluation.cka_clusters, s.similarity)),
    Metric("cos_gap", "raw cosine gap", 0.05, compute=lambda s: s.cosine[0] - s.cosine[1]),
    Metric("ari", "ARI of k-means clusters", 0.05,
           compute=lambda s: s.agreement(evaluation.kmeans_clusters, s.activations)),
    Metric("norm_ratio_true_over_spurious", "edge norms, true / spurious", 0.1, DEGREES,
           compute=lambda s: s.norm_means[0] / s.norm_means[1] if s.norm_means[1] > 0 else np.nan),
    Metric("cka_gap_shuffled", "CKA gap of the shuffled groups", 0.05, UNTOLD,
           compute=lambda s: evaluation.told_gap(s.similarity, s.draw.shuffled), truth=False),
    Metric("cka_gap_hidden", "CKA gap of hidden members", 0.05, compute=_hidden),
    Metric("cka_gap_all", "CKA gap, all layers", 0.05, compute=lambda s: evaluation.gap(s.similarity_all, s.labels)),
    Metric("cka_ari_all", "ARI of CKA clusters, all layers", 0.05,
           compute=lambda s: s.agreement(evaluation.cka_clusters, s.similarity_all)),
    Metric("centred_cosine_gap", "centred cosine gap", 0.05, "0",
           compute=lambda s: evaluation.gap(evaluation.centred_cosine(s.activations), s.labels)),
    Metric("auc_norm", "AUC of edge norms, true v spurious", 0.05, POSITIONS, compute=lambda s: _auc(s, s.norms)),
    Metric("auc_ablation", "AUC of edge ablation, true v spurious", 0.05, POSITIONS,
           compute=lambda s: _auc(s, s.effects)),
    Metric("auc_crosstalk", "AUC of edge ablation, cross-talk v spurious", 0.05, "0.5", compute=_crosstalk),
    Metric("leakage", "leakage across pathways", 0.05, LETS_THROUGH, -1,
           lambda s: attribution.leakage(s.model, s.few, s.graph)),
    Metric("coherence", "attribution within the pathway", 0.05, LETS_THROUGH,
           compute=lambda s: attribution.coherence(s.model, s.few, s.graph)),
    # And those that are reported, and not judged.
    Metric("cos_within", "raw cosine within pathways", compute=lambda s: s.cosine[0]),
    Metric("cos_cross", "raw cosine across pathways", compute=lambda s: s.cosine[1]),
    Metric("lin_in_norm_true", "norm of true edges", compute=lambda s: s.norm_means[0]),
    Metric("lin_in_norm_spurious", "norm of spurious edges", compute=lambda s: s.norm_means[1]),
    Metric("cka_within", "CKA within pathways", compute=lambda s: s.cka[0]),
    Metric("cka_cross", "CKA across pathways", compute=lambda s: s.cka[1]),
    Metric("cka_gap_told", "CKA gap of the groups told of", null=UNTOLD, compute=_told, truth=False),
)}  # fmt: skip

USUAL_METRICS = ("test_mse", "cka_gap", "cka_ari", "cos_gap", "ari", "norm_ratio_true_over_spurious")

MEASURES = {group: tuple(METRICS[name] for name in names.split()) for group, names in {
    "published": "cos_within cos_cross cos_gap ari lin_in_norm_true lin_in_norm_spurious norm_ratio_true_over_spurious",
    "cka": "cka_within cka_cross cka_gap cka_ari cka_gap_told",
    "similarity": "cka_gap_all cka_ari_all centred_cosine_gap cka_gap_hidden cka_gap_shuffled",
    "edges": "auc_norm auc_ablation auc_crosstalk",
    "attribution": "leakage coherence",
}.items()}  # fmt: skip
USUAL_MEASURES = ("published", "cka")


def metric_named(name: str) -> Metric:
    """The metric of this name in code, one that is judged. Raises ValueError for any other name."""
    return METRICS[validate.choice("metric", name, tuple(n for n, m in METRICS.items() if m.margin is not None))]


def measured(table: pd.DataFrame) -> list[str]:
    """The judged metrics of which a table has a column, whether or not anything is in it."""
    return [name for name, metric in METRICS.items() if metric.margin is not None and name in table]


def chosen(which: str | Sequence[str] = USUAL_MEASURES) -> list[Metric]:
    """The metrics of some groups of ``MEASURES``, in their order. Raises ValueError for an unknown or repeated one."""
    which = [which] if isinstance(which, str) else validate.ordered("which", which)
    for group in which:
        validate.choice("which", group, tuple(MEASURES))
    if len(set(which)) < len(which):
        raise ValueError(f"which must name each group once, got {which}")
    return [metric for group in which for metric in MEASURES[group]]


def applicable(which: str | Sequence[str], graph: Graph) -> list[Metric]:
    """The metrics of some groups of ``MEASURES``. Raises ValueError for one that needs a truth that ``graph`` lacks."""
    metrics = chosen(which)
    lost = [metric.name for metric in metrics if metric.truth and not has_truth(graph)]
    if lost:
        raise ValueError(f"measures: {lost[0]!r} needs the true pathways and edges, which only a simulation knows")
    return metrics


def measure(subject: Subject, which: str | Sequence[str] = USUAL_MEASURES) -> dict[str, float]:
    """The metrics of some groups of ``MEASURES``, by name, for one model on the test rows of its draw."""
    return {metric.name: float(metric.compute(subject)) for metric in applicable(which, subject.draw.graph)}
