"""Exercises of chapter 5: the parts of the pathway loss."""

from __future__ import annotations

import torch

from gsnn_tutorial.checks.diagnosis import Exercise

# Pathway scores


def _pathway_scores(s, M):
    """s (B, N) and M (P, N) -> (B, P): the weighted mean of each pathway's members."""
    return s @ M.t() / M.sum(1).clamp_min(1)


def _score_cases(seed: int):
    """As many nodes as pathways, so that a transposed M goes through; soft weights, one total below 1."""
    generator = torch.Generator().manual_seed(seed)
    s = torch.randn(6, 4, generator=generator)
    M = torch.tensor([[1.0, 1, 1, 0], [0, 1, 1, 0], [0, 0.5, 0.25, 1], [0.2, 0.1, 0, 0.1]])
    return [(s, M)]


pathway_scores = Exercise(
    title="Pathway scores",
    reference=_pathway_scores,
    cases=_score_cases,
    mistakes={
        "you used the membership transposed: row p of M holds the weights of pathway p's members, "
        "so its sum over nodes is s @ M.t().": lambda s, M: s @ M / M.sum(1).clamp_min(1),
        "you used the membership transposed, and the sums of its columns: a pathway's total weight "
        "is the sum of a row.": lambda s, M: s @ M / M.sum(0).clamp_min(1),
        "you took the sum over the members: divide by the pathway's total weight, or a large pathway "
        "has a large score.": lambda s, M: s @ M.t(),
        "you divided by the number of all nodes: the mean is over the pathway's members, "
        "so divide by the sum of its row of M.": lambda s, M: s @ M.t() / M.shape[1],
        "you divided by the number of members: a soft member counts with its weight, "
        "so divide by the sum of the weights.": lambda s, M: s @ M.t() / (M > 0).sum(1),
        "you divided by the sum of the weights even where it is below 1: a pathway of faint members "
        "would be blown up, so divide by max(sum, 1).": lambda s, M: s @ M.t() / M.sum(1),
    },
)

# Correlation over the batch


def _correlations(s, S):
    """s (B, N) and S (B, P) -> (P, N): correlation over the batch, 0 where a score does not vary."""

    def standardize(t):
        centred = t - t.mean(0)
        std = centred.square().mean(0).sqrt()
        return centred / std.where(std > 0, torch.ones_like(std))

    return standardize(S).t() @ standardize(s) / len(s)


def _correlation_with(centre=0, correction=0, batch=0):
    """The same with one thing wrong: what is centred, which std, over which dimension."""

    def answer(s, S):
        def standardize(t):
            centred = t if centre is None else t - t.mean(batch, keepdim=True)
            std = t.std(batch, keepdim=True, correction=correction)
            if centre is None:
                std = t.square().mean(batch, keepdim=True).sqrt()
            return centred / (std + 1e-12)

        return standardize(S).t() @ standardize(s) / len(s)

    return answer


def _covariance(s, S):
    return (S - S.mean(0)).t() @ (s - s.mean(0)) / len(s)


def _undefined(s, S):
    s, S = (t - t.mean(0) for t in (s, S))
    return (S / S.square().mean(0).sqrt()).t() @ (s / s.square().mean(0).sqrt()) / len(s)


def _correlation_cases(seed: int):
    """Scores with offsets; the last node has not been reached and is 0 in every sample."""
    generator = torch.Generator().manual_seed(seed)
    s = 1 + torch.randn(8, 5, generator=generator) * torch.tensor([1.0, 2.0, 0.5, 1.5, 0.0])
    S = 0.5 + torch.randn(8, 3, generator=generator)
    s[:, -1] = 0
    return [(s, S)]


correlations = Exercise(
    title="Correlation over the batch",
    reference=_correlations,
    cases=_correlation_cases,
    mistakes={
        "you did not centre: without subtracting the mean over the batch this is a cosine, "
        "and a constant offset of a score changes it.": _correlation_with(centre=None),
        "you standardised over the nodes: take mean and std over the batch, dimension 0, "
        "each node for itself.": _correlation_with(batch=1),
        "you mixed two standard deviations: torch's std divides by B - 1 and the mean over the batch "
        "by B, so no r can reach 1; use correction=0.": _correlation_with(correction=1),
        "this is the covariance: divide by both standard deviations, or a loud node counts more "
        "than a quiet one.": _covariance,
        "you divided 0 by 0: a node whose score does not vary has std 0, and is to count 0.": _undefined,
    },
)

# Leave one out


def _leave_one_out(s, M):
    """s (B, N) and M (P, N) -> (B, P, N): pathway p's score without node i."""
    total = (s @ M.t())[:, :, None] - s[:, None, :] * M  # (B, P, N)
    return total / (M.sum(1, keepdim=True) - M)


def _kept_in(s, M):
    return (s @ M.t() / M.sum(1))[:, :, None].expand(-1, *M.shape)


def _weightless(s, M):
    return ((s @ M.t())[:, :, None] - s[:, None, :]) / (M.sum(1, keepdim=True) - M)


def _from_the_mean(s, M):
    return (s @ M.t() / M.sum(1))[:, :, None] - s[:, None, :] * M


def _over(remaining):
    """The right sum over another weight: ``remaining`` turns M into (P, N) or (P, 1)."""

    def answer(s, M):
        return ((s @ M.t())[:, :, None] - s[:, None, :] * M) / remaining(M)

    return answer


def _members_only(s, M):
    return _leave_one_out(s, M) * (M > 0)


def _leave_one_out_cases(seed: int):
    """Soft weights, at least three members each; node 4 is in two pathways, node 0 in one.

    The last pathway has less than 1 left without node 1 or 2, but no total below 1.
    """
    generator = torch.Generator().manual_seed(seed)
    s = torch.randn(5, 6, generator=generator)
    M = torch.tensor([[1.0, 1, 0.5, 0, 0.5, 0], [0, 0, 0, 2, 0.5, 1], [0, 0.5, 0.5, 0, 0, 0.25]])
    return [(s, M)]


leave_one_out = Exercise(
    title="Leave one out",
    reference=_leave_one_out,
    cases=_leave_one_out_cases,
    mistakes={
        "nothing is left out: this is the pathway's score itself, the same for every node.": _kept_in,
        "you took a node's score away without its weight: subtract M[p, i] * s[:, i], which is "
        "nothing for a node that is no member.": _weightless,
        "you divided by the weight of all members: one is gone, so divide by the total weight less M[p, i].": _over(
            lambda M: M.sum(1, keepdim=True)
        ),
        "you took 1 from the total weight for every node: a member takes its own weight with it, and "
        "a node that is no member takes none, so subtract M[p, i].": (_over(lambda M: M.sum(1, keepdim=True) - 1)),
        "you took 1 from the total weight for every member: a soft member takes its own weight with "
        "it, so subtract M[p, i].": _over(lambda M: M.sum(1, keepdim=True) - (M > 0).float()),
        "you divided by 1 where less than 1 is left: here the mean is over what remains, however "
        "little, so leave out clamp_min(1).": (_over(lambda M: (M.sum(1, keepdim=True) - M).clamp_min(1))),
        "you set nodes that are no members to 0: nothing is taken away for them, so they get the "
        "pathway's whole score.": _members_only,
        "you took the member from the mean: take it from the weighted sum, then divide by the weight "
        "that is left.": _from_the_mean,
        "you divided by the number of the others: soft members count with their weight.": (
            _over(lambda M: (M > 0).sum(1, keepdim=True) - (M > 0).float())
        ),
    },
)
