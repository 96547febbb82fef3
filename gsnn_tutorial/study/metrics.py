"""What a study measures of a model: groups of metrics by name, all from one look at its activations.

``MEASURES`` names the groups and their columns. Every group is NaN where its question makes no sense, as
the gap between true and spurious edges in a graph that has none; the columns are always there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from gsnn_tutorial import attribution, evaluation, validate
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.problem import Draw

# Silence and occlusion run the model once for every edge and input. Test rows are independent draws, and these
# metrics are averages and rankings over them: a quarter of the usual rows moves them by some hundredths.
ATTRIBUTION_ROWS = 256


@dataclass(frozen=True)
class Subject:
    """A model to be measured, with what its seed drew for it; what groups share is computed once."""

    model: GSNN
    graph: PathwayGraph
    draw: Draw
    told: torch.Tensor | None

    @cached_property
    def activations(self) -> torch.Tensor:
        return evaluation.activations(self.model, self.draw.x_test)  # (B, L, N, C)

    @cached_property
    def similarity(self) -> np.ndarray:
        return evaluation.linear_cka(self.activations)  # (N, N), last layer

    @property
    def few(self) -> torch.Tensor:
        return self.draw.x_test[:ATTRIBUTION_ROWS]


@dataclass(frozen=True)
class Measure:
    """A group of metrics: its columns, and how they are computed."""

    columns: tuple[str, ...]
    compute: Callable[[Subject], dict[str, float]]


def _published(subject: Subject) -> dict[str, float]:
    """See ``raw_metrics`` and ``norm_metrics``."""
    raw = evaluation.raw_metrics(subject.activations, subject.draw.graph.labels)
    return raw | evaluation.norm_metrics(subject.model, subject.graph.function_edge_is_true)


def _cka(subject: Subject) -> dict[str, float]:
    """See ``structure_metrics`` and ``told_gap``."""
    told = np.nan if subject.told is None else evaluation.told_gap(subject.similarity, subject.told)
    structure = evaluation.structure_metrics(subject.similarity, subject.draw.graph.labels)
    return structure | {"cka_gap_told": told}


def _similarity(subject: Subject) -> dict[str, float]:
    """The gap and the ARI of all layers; the gap of the centred cosine, of hidden members, and of shuffled pathways.

    Null of the first two and of hidden members: the untrained model; the hidden ones are in no loss, so
    that they score is not the loss's own doing. Null of the cosine gap: 0. The shuffled pathways are
    the control's: beside it stands what the same groups score in a model that was not told of them.
    """
    draw, labels = subject.draw, subject.draw.graph.labels
    structure = evaluation.structure_metrics(evaluation.linear_cka(subject.activations, layers="all"), labels)
    cosine, hidden = evaluation.centred_cosine(subject.activations), np.asarray(draw.hidden, dtype=bool)
    return {
        "cka_gap_all": structure["cka_gap"],
        "cka_ari_all": structure["cka_ari"],
        "centred_cosine_gap": evaluation.gap(cosine, labels),
        "cka_gap_hidden": evaluation.gap(subject.similarity, labels, hidden) if hidden.any() else np.nan,
        "cka_gap_shuffled": evaluation.told_gap(subject.similarity, draw.shuffled),
    }


def _edges(subject: Subject) -> dict[str, float]:
    """AUC of true v spurious edges by norm and by silence, and of real cross-talk v spurious edges by silence.

    Null of the first two: the untrained model's, which degrees and positions in a chain keep from 0.5.
    Cross-talk runs forward along the chains, so it is compared with those spurious edges that do: they
    differ in nothing but their signal, and the null is 0.5. (Against all of them, even an untrained model
    seems to know cross-talk, since what runs backward hardly reaches an output.)
    """
    graph, is_true = subject.graph, subject.graph.function_edge_is_true
    effects = attribution.edge_effects(subject.model, subject.few, keep_mean=True)
    source, target = graph.chain_positions[graph.edge_index_dict["function", "to", "function"].numpy()]
    alike = graph.function_edge_is_crosstalk | (~is_true & (source < target))
    return {
        "auc_norm": attribution.auc(attribution.edge_norms(subject.model), is_true),
        "auc_ablation": attribution.auc(effects, is_true),
        "auc_crosstalk": attribution.auc(effects[alike], is_true[alike]),
    }


def _attribution(subject: Subject) -> dict[str, float]:
    """See ``leakage`` and ``coherence``."""
    arguments = (subject.model, subject.few, subject.graph)
    return {"leakage": attribution.leakage(*arguments), "coherence": attribution.coherence(*arguments)}


MEASURES = {
    "published": Measure(
        ("cos_within", "cos_cross", "cos_gap", "ari", "lin_in_norm_true", "lin_in_norm_spurious",
         "norm_ratio_true_over_spurious"), _published,
    ),
    "cka": Measure(("cka_within", "cka_cross", "cka_gap", "cka_ari", "cka_gap_told"), _cka),
    "similarity": Measure(
        ("cka_gap_all", "cka_ari_all", "centred_cosine_gap", "cka_gap_hidden", "cka_gap_shuffled"), _similarity
    ),
    "edges": Measure(("auc_norm", "auc_ablation", "auc_crosstalk"), _edges),
    "attribution": Measure(("leakage", "coherence"), _attribution),
}  # fmt: skip


def columns(which: Sequence[str] = ("published", "cka")) -> list[str]:
    """The columns of some groups of ``MEASURES``, in their order. Raises ValueError for an unknown or repeated one."""
    which = [which] if isinstance(which, str) else list(which)
    for name in which:
        validate.choice("which", name, tuple(MEASURES))
    if len(set(which)) < len(which):
        raise ValueError(f"which must name each group once, got {which}")
    return [column for name in which for column in MEASURES[name].columns]


def measure(
    model: GSNN,
    graph: PathwayGraph,
    draw: Draw,
    told: torch.Tensor | None = None,
    which: Sequence[str] = ("published", "cka"),
) -> dict[str, float]:
    """The columns of some groups of ``MEASURES`` for one model, on the test rows of its draw.

    Arguments
        model, graph: the model, and the graph that it was given.
        draw: what its seed drew; the true pathways are those of ``draw.graph``.
        told: membership (P, N) that its regularizer was told of, or None if it was told of nothing.
        which: names from ``MEASURES``.
    """
    names = columns(which)
    subject, found = Subject(model, graph, draw, told), {}
    for name in [which] if isinstance(which, str) else which:
        found |= MEASURES[name].compute(subject)
    return {name: float(found[name]) for name in names}
