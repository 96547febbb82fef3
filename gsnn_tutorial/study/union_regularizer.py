"""The regularizers of a union's replicas as one: each keeps its own memberships, lambdas, normalisers and phi."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from gsnn_tutorial import kernels
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.regularizer import LearnedScore, MeanScore, PathwayLatentRegularizer
from gsnn_tutorial.study.priors.weights import RegularizerSum, WeightRegularizer, WeightTyingRegularizer
from gsnn_tutorial.study.union import GSNNUnion
from gsnn_tutorial.training import Regularizer


class UnionScore(torch.nn.Module):
    """``LearnedScore`` with a w for each of R replicas: ``weight`` is (R, C), ``replica`` (N,) says whose a node is."""

    def __init__(self, scores: dict[int, LearnedScore], replica: torch.Tensor, replicas: int):
        super().__init__()
        weight = next(iter(scores.values())).weight.detach()
        weight = weight.new_zeros(replicas, weight.shape[1])
        for r, score in scores.items():
            weight[r] = score.weight.detach()[0]
        self.weight = torch.nn.Parameter(weight)
        self.register_buffer("replica", replica, persistent=False)

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return kernels.node_scores(self.weight[self.replica], a)


class UnionRegularizer(PathwayLatentRegularizer):
    """The regularizers of a union's replicas as one; None where a replica has none.

    Each keeps its own memberships, lambdas, normalisers and, if learned, phi. ``loss(union)`` gives
    (L_sim, L_dis) of each replica, (R,) each. The single regularizers may be disabled or not; the
    union does not touch them.

    Raises ValueError where they do not have the same kind of phi ('mean' or 'learned'), eps and
    ``leave_one_out``.
    """

    def __init__(self, union: GSNNUnion, regularizers: Sequence[PathwayLatentRegularizer | None]):
        given = {r: regularizer for r, regularizer in enumerate(regularizers) if regularizer is not None}
        _check_regularizers(union, regularizers, given)
        replica_of_node = union.replica_of_node()[: union.N]
        # Replicas' nodes lie one after the other: memberships move down by the first node, and by the pathways before.
        first_node = torch.searchsorted(replica_of_node, torch.arange(union.R)).tolist()
        memberships, pairs, pathways = [], [], 0
        for r, regularizer in given.items():
            node, pathway = regularizer.membership.indices.cpu()
            memberships.append(torch.stack([pathway + pathways, node + first_node[r]]))
            pairs.append(regularizer.dissim_pairs.cpu() + pathways)
            pathways += regularizer.membership.targets
        weights = torch.cat([regularizer.weights.cpu() for regularizer in given.values()])
        M = torch.sparse_coo_tensor(torch.cat(memberships, dim=1), weights, (pathways, union.N), check_invariants=True)
        first = next(iter(given.values()))
        super().__init__(
            union, M, torch.cat(pairs), lambda_sim=1.0, phi="mean", eps=first.eps, signed=True,
            leave_one_out=first.leave_one_out,
        )  # fmt: skip
        self.lambda_dis = 1.0  # each replica's own lambdas are in its shares
        self.sim_weight = torch.cat([g.sim_weight * (g.strength * g.lambda_sim) for g in given.values()])
        self.dis_weight = torch.cat([g.dis_weight * (g.strength * g.lambda_dis) for g in given.values()])
        owner = torch.cat([torch.full((g.membership.targets,), r) for r, g in given.items()])
        self.register_buffer("replica_of_pathway", owner, persistent=False)
        self.R = union.R
        if isinstance(first.phi, LearnedScore):
            self.phi = UnionScore({r: each.phi for r, each in given.items()}, replica_of_node, union.R)
        self.to(next(union.parameters()))

    def _sum_pathways(self, terms: torch.Tensor) -> torch.Tensor:
        return terms.new_zeros(self.R).index_add(0, self.replica_of_pathway, terms)

    def _sum_pairs(self, terms: torch.Tensor) -> torch.Tensor:
        owner = self.replica_of_pathway[self.dissim_pairs[:, 0]]
        return terms.new_zeros(self.R).index_add(0, owner, terms)


class UnionWeightRegularizer(WeightRegularizer):
    """The weight regularizers of a union's replicas as one, all of one kind; None where a replica has none.

    ``loss(union)`` gives (loss, 0) of each replica, (R,) each.
    """

    def __init__(self, union: GSNNUnion, regularizers: Sequence[WeightRegularizer | None]):
        given = {r: regularizer for r, regularizer in enumerate(regularizers) if regularizer is not None}
        replica_of_edge = union.replica_of_node()[union.edge_index[0].cpu()]
        first_edge = torch.searchsorted(replica_of_edge, torch.arange(union.R)).tolist()
        edges, groups, shares, owners, total = [], [], [], [], 0
        for r, regularizer in given.items():
            edges.append(regularizer.edge.cpu() + first_edge[r])
            groups.append(regularizer.group.cpu() + total)
            shares.append(regularizer.coefficient.cpu() * regularizer.scale)
            owners.append(torch.full((len(regularizer.edge),), r))
            total += int(regularizer.group.max()) + 1
        super().__init__(union, torch.cat(edges), torch.cat(groups), torch.cat(shares))
        self.cost = next(iter(given.values())).cost
        self.register_buffer("replica_of_term", torch.cat(owners).to(self.edge.device), persistent=False)
        self.R = union.R

    def _sum(self, terms: torch.Tensor) -> torch.Tensor:
        return terms.new_zeros(self.R).index_add(0, self.replica_of_term, terms)


def disjoint_union(
    models: Sequence[GSNN], regularizers: Sequence[Regularizer | None] | None = None
) -> tuple[GSNNUnion, Regularizer | None]:
    """R models, and each one's regularizer or None, as one model and one regularizer.

    Replicas may have regularizers of different kinds, or a sum of such: those of a kind are computed as one.

    Train them with ``train(union, x, y, regularizer=...)``, the columns of x and y being the models'
    one after the other; then ``union.write_back(models)``.
    """
    union = GSNNUnion(models)
    regularizers = [None] * union.R if regularizers is None else list(regularizers)
    _check_one_for_each(union, regularizers)
    kinds = {}
    for r, regularizer in enumerate(regularizers):
        for part in _parts(regularizer):
            of_kind = kinds.setdefault(_kind(part), [None] * union.R)
            if of_kind[r] is not None:
                raise ValueError(f"regularizers[{r}] must be a sum of regularizers of different kinds, got two alike")
            of_kind[r] = part
    parts = [(UnionWeightRegularizer if kind[0] == "weights" else UnionRegularizer)(union, of_kind)
             for kind, of_kind in kinds.items()]  # fmt: skip
    return union, (RegularizerSum(parts) if len(parts) > 1 else parts[0]) if parts else None


def _parts(regularizer: Regularizer | None) -> list[Regularizer]:
    """The parts of a sum, or the regularizer itself; none for None."""
    if not isinstance(regularizer, RegularizerSum):
        return [] if regularizer is None else [regularizer]
    if regularizer.strength != 1.0:
        raise ValueError(f"regularizers must be sums of strength 1 to be computed as one, got {regularizer.strength}")
    return list(regularizer.parts)


def _kind(regularizer) -> tuple:
    """The properties that regularizers must share to be computed as one."""
    if isinstance(regularizer, WeightRegularizer):
        tie = regularizer.tie if isinstance(regularizer, WeightTyingRegularizer) else ""
        return ("weights", type(regularizer).__name__, tie)
    if isinstance(regularizer, PathwayLatentRegularizer):
        return ("latent", type(regularizer.phi).__name__, regularizer.eps, regularizer.leave_one_out)
    raise TypeError(
        f"regularizers must be PathwayLatentRegularizer, EdgePenalty or WeightTyingRegularizer, "
        f"got {type(regularizer).__name__}"
    )


def _check_one_for_each(union: GSNNUnion, regularizers):
    if len(regularizers) != union.R:
        raise ValueError(
            f"regularizers must have one entry, or None, for each of {union.R} replicas; got {len(regularizers)}"
        )


def _check_regularizers(union: GSNNUnion, regularizers, given: dict):
    _check_one_for_each(union, regularizers)
    nodes = torch.bincount(union.replica_of_node()[: union.N], minlength=union.R).tolist()
    for r, regularizer in given.items():
        if regularizer.membership.sources != nodes[r]:
            raise ValueError(
                f"regularizers[{r}] must be that of replica {r}, which has {nodes[r]} function nodes; "
                f"its membership has {regularizer.membership.sources} columns"
            )
    if not given:
        raise ValueError("regularizers must hold at least one regularizer, got only None")
    kinds = {_kind(regularizer)[1:] for regularizer in given.values()}
    if len(kinds) > 1 or not isinstance(next(iter(given.values())).phi, (MeanScore, LearnedScore)):
        raise ValueError(
            f"regularizers must all have phi='mean' or all phi='learned', one eps, and all or none leave_one_out; "
            f"got {sorted(kinds)}"
        )
