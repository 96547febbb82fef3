r"""The pathway latent-factor regularizer: members of a pathway should be active together.

.. math::
    s_i &= \varphi(a_i)                                 && \text{one score per node and sample} \\
    S_p &= \frac{\sum_i M_{pi}\, s_i}{\max(\sum_i M_{pi}, 1)}     && \text{the pathway's score} \\
    r_{pi} &= \mathrm{corr}_B(s_i, S_p)                 && \text{over the batch} \\
    L_{sim} &= -\lambda_{sim}\, \mathrm{mean}_L
               \frac{\sum_{pi} M_{pi}\, r_{pi}}{\max(\sum_{pi} M_{pi}, 1)} \\
    L_{dis} &= \lambda_{dis}\, \mathrm{mean}_L\, \mathrm{mean}_{(p, q)}\, \mathrm{corr}_B(S_p, S_q)^2

One shared factor per pathway stands for all pairs of members, so the cost is linear in the number
of memberships.

Two variants. *Signed*: a repressor is a member with a negative weight, and sums of weights become
sums of their absolute values. *Leave one out*: a member is part of its pathway's score, and correlates with it
even if the members have nothing in common; here it is compared with the score of the others.
"""

from __future__ import annotations

import torch

from gsnn_tutorial import kernels, validate
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.gsnn.node import ActivationRecorder
from gsnn_tutorial.sparse import SparsePattern, sparse_map
from gsnn_tutorial.training import Regularizer


def standardize_over_batch(scores: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """(s - mean) / (std + eps) over the last dimension, with the population std.

    A score that does not vary (std within eps of 0, relative to the size of the score) becomes 0
    with zero gradient: otherwise 1 / eps would amplify rounding noise into the loss.
    """
    mean = scores.mean(-1, keepdim=True)
    centred = scores - mean
    variance = centred.square().mean(-1, keepdim=True)
    varies = variance.detach() > (eps * (1 + mean.detach().abs())) ** 2
    std = torch.where(varies, variance, 1.0).sqrt()  # never sqrt(0), whose gradient is infinite
    return centred * torch.where(varies, 1 / (std + eps), 0.0)


class MeanScore(torch.nn.Module):
    """phi='mean': a node's score is the mean of its channels; (B, N, C) -> (B, N)."""

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return a.mean(-1)


class LearnedScore(torch.nn.Module):
    """phi='learned': a node's score is w . a_i, one w for all nodes and layers; (B, N, C) -> (B, N).

    w, (1, C), starts as torch starts a bias-free linear map C -> 1.
    """

    def __init__(self, channels: int, generator: torch.Generator | None = None):
        super().__init__()
        bound = channels**-0.5
        self.weight = torch.nn.Parameter(torch.empty(1, channels).uniform_(-bound, bound, generator=generator))

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return node_scores(self.weight, a)


@kernels.plain_path
def node_scores(w: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """w . a_i of every node: w (1, C), a (B, N, C) -> (B, N)."""
    return a @ w[0]


class PathwayLatentRegularizer(Regularizer):
    """Rewards pathway members whose scores follow their pathway's score over the batch.

    Constructing it enables it: forward hooks keep the activations of the model's latest forward
    pass. Pass ``regularizer.parameters()`` to the optimiser beside the model's.

    Arguments
        model: the GSNN whose activations it reads.
        pathway_membership: M, (P, N), dense or sparse, weights >= 0 (unless ``signed``), 0/1 or soft; a
            node may be in several pathways or in none.
        dissim_pairs: pairs (p, q) of pathways whose scores should not correlate.
        lambda_sim, lambda_dis: the weights of the two losses.
        phi: 'mean' over channels, 'learned' (one bias-free linear map C -> 1 for all nodes and
            layers), or a module (B, N, C) -> (B, N) or (B, N, 1).
        eps: added to every standard deviation.
        generator: where a learned phi's first weights are drawn; None is torch's global one.
        signed: allow weights < 0, for members that go down when their pathway goes up.
        leave_one_out: r_pi = corr(s_i, S_p without i's share). A member without another one that varies
            counts r = 0. It keeps a score for each membership, O(nnz(M) L B), not one for each node.

    ``strength`` (1.0) multiplies both lambdas; ``train(..., warmup_epochs=)`` raises it from 0.

    Raises ValueError for an empty pathway, columns that do not match the model's function nodes,
    negative or non-finite weights, and pairs out of range.
    """

    smallest_batch = 2  # that has a correlation

    def __init__(
        self,
        model: GSNN,
        pathway_membership,
        dissim_pairs=None,
        lambda_sim: float = 0.1,
        lambda_dis: float = 0.0,
        phi: str | torch.nn.Module = "mean",
        eps: float = 1e-6,
        generator: torch.Generator | None = None,
        *,
        signed: bool = False,
        leave_one_out: bool = False,
    ):
        super().__init__()
        validate.instance("model", model, GSNN)
        validate.torch_generator(generator)
        names, signed = model.node_names_dict["function"], validate.flag("signed", signed)
        like = next(model.parameters())
        M = validate.membership(pathway_membership, model.N, signed, names).to(like.dtype)
        self.leave_one_out = validate.flag("leave_one_out", leave_one_out)
        self.lambda_sim = validate.number("lambda_sim", lambda_sim, 0)
        self.lambda_dis = validate.number("lambda_dis", lambda_dis, 0)
        self.eps = validate.number("eps", eps, 0)
        self.phi = _score_module(phi, model, generator)
        pairs = _pairs(dissim_pairs, M.shape[0])
        if self.lambda_dis and not len(pairs):
            raise ValueError(f"lambda_dis={lambda_dis} has nothing to act on: give dissim_pairs")

        # Only memberships that exist are kept: a sparse map from nodes to pathways.
        pathway, node = M.indices()
        order = torch.argsort(node, stable=True)
        self.membership = SparsePattern(torch.stack([node, pathway])[:, order], (model.N, M.shape[0]))
        self.register_buffer("weights", M.values()[order])
        size = torch.zeros(M.shape[0], dtype=like.dtype).index_add_(0, pathway, M.values().abs())
        self.register_buffer("pathway_size", size.clamp_min(1)[:, None, None])
        self.register_buffer("dissim_pairs", pairs)
        # The shares of each pathway and of each pair in the loss.
        self.register_buffer("sim_weight", torch.ones_like(size) / size.sum().clamp_min(1))
        self.register_buffer("dis_weight", torch.ones(len(pairs), dtype=like.dtype) / max(len(pairs), 1))
        self._model = self._recorder = None
        self.to(like)
        self.enable(model)

    def enable(self, model: GSNN):
        """Start reading the model's activations, from its next forward pass on, and no other model's."""
        validate.instance("model", model, GSNN)
        if self._recorder is not None:
            self._recorder.remove()
        # A plain list hides the model from torch: its parameters are not the regularizer's.
        self._model, self._recorder = [model], ActivationRecorder(model)

    def disable(self, model: GSNN):
        """Remove the hooks from the model; without effect if there are none."""
        if self._recorder is not None:
            self._attached_to(model)
            self._recorder.remove()
        self._model = self._recorder = None

    def loss(self, model: GSNN) -> tuple[torch.Tensor, torch.Tensor]:
        """``(L_sim, L_dis)`` of the latest forward pass, times their lambdas and ``strength``.

        Raises RuntimeError before the first forward pass and when disabled, ValueError for B < 2.
        """
        if self._recorder is None:
            raise RuntimeError("the regularizer is disabled: call enable(model), then model(x)")
        self._attached_to(model)
        scores = self.node_scores(self._recorder.activations())  # (N, L, B)
        totals = self._over_members(scores)  # (P, L, B): sum_i M_pi s_i
        pathways = standardize_over_batch(totals / self.pathway_size, self.eps)
        if self.leave_one_out:
            agreement = self.agreement_with_the_others(scores, totals)
        else:
            # r is linear in the standardised score: the members' correlations add up before, not after.
            standardized = self._over_members(standardize_over_batch(scores, self.eps))
            agreement = (pathways * standardized).mean(-1)  # (P, L): sum_i M_pi r_pi
        p, q = self.dissim_pairs.t()
        overlap = (pathways[p] * pathways[q]).mean(-1).square()  # (pairs, L)
        sim_weight = self.sim_weight * (self.strength * self.lambda_sim)
        dis_weight = self.dis_weight * (self.strength * self.lambda_dis)
        return self._sum_pathways(-sim_weight * agreement.mean(1)), self._sum_pairs(dis_weight * overlap.mean(1))

    def _sum_pathways(self, terms: torch.Tensor) -> torch.Tensor:
        return terms.sum()

    def _sum_pairs(self, terms: torch.Tensor) -> torch.Tensor:
        return terms.sum()

    def node_scores(self, activations: list[torch.Tensor]) -> torch.Tensor:
        """phi of every layer's activations: L tensors (N, C, B) -> (N, L, B)."""
        N, _, B = activations[0].shape
        if B < 2:
            raise ValueError(f"a correlation over the batch needs at least 2 samples, got B={B}")
        scores = []
        for a in activations:
            s = self.phi(a.permute(2, 0, 1))  # (B, N, C) -> (B, N) or (B, N, 1)
            if s.shape not in {(B, N), (B, N, 1)}:
                raise ValueError(f"phi must map (B, N, C) to (B, N) or (B, N, 1), ({B}, {N}); got {tuple(s.shape)}")
            scores.append(s.reshape(B, N).t())
        return torch.stack(scores, dim=1)

    def agreement_with_the_others(self, scores: torch.Tensor, totals: torch.Tensor) -> torch.Tensor:
        """sum_i M_pi r_pi, r_pi leaving i out: scores (N, L, B), their sums over members (P, L, B) -> (P, L)."""
        node, pathway = self.membership.indices
        weight = self.weights[:, None, None]
        others = totals[pathway] - weight * scores[node]  # (nnz, L, B); a correlation needs no normaliser
        standardized = standardize_over_batch(scores, self.eps)
        # Where no other member varies, the difference above is rounding noise, however large it may look.
        varies = standardized.detach().ne(0).any(-1)  # (N, L)
        varying = varies.new_zeros(totals.shape[:2], dtype=torch.long).index_add(0, pathway, varies[node].long())
        r = (standardized[node] * standardize_over_batch(others, self.eps)).mean(-1)  # (nnz, L)
        r = torch.where(varying[pathway] > varies[node], r, 0.0)
        return r.new_zeros(totals.shape[:2]).index_add(0, pathway, weight[..., 0] * r)

    def _over_members(self, scores: torch.Tensor) -> torch.Tensor:
        """sum_i M_pi s_i, (N, L, B) -> (P, L, B), without a dense P x N product."""
        total = sparse_map(self.weights, scores.flatten(1), self.membership)
        return total.view(-1, *scores.shape[1:])

    def _attached_to(self, model: GSNN):
        if self._model is None or self._model[0] is not model:
            raise ValueError("model is not the one that this regularizer reads: call enable(model) first")


def _pairs(value, pathways: int) -> torch.Tensor:
    what = "pairs (p, q) of integers, the pathways' numbers"
    pairs = torch.zeros(0, 2) if value is None else validate.integers("dissim_pairs", value, what)
    if not pairs.numel():
        return torch.zeros(0, 2, dtype=torch.long)
    if pairs.dim() != 2 or pairs.shape[1] != 2:
        raise ValueError(f"dissim_pairs must be {what}; got {value}")
    if (pairs < 0).any() or (pairs >= pathways).any() or (pairs[:, 0] == pairs[:, 1]).any():
        raise ValueError(f"dissim_pairs must pair two different pathways of 0 to {pathways - 1}, got {pairs.tolist()}")
    return pairs


def _score_module(phi, model: GSNN, generator) -> torch.nn.Module:
    if isinstance(phi, torch.nn.Module):
        return phi
    validate.choice("phi (unless a torch.nn.Module)", phi, ("mean", "learned"))
    if phi == "mean":
        return MeanScore()
    return LearnedScore(model.channels, generator)
