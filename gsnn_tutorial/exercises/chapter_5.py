"""The exercises of chapter 5, the parts of the pathway loss.

``pathway_scores`` are weighted means of nodes, ``correlations`` compare them with each node over the batch, and
``leave_one_out`` takes a node out of the score that it is compared with.
"""

from __future__ import annotations

import torch

from gsnn_tutorial.exercises.diagnosis import exercise

# ---- Pathway scores


def score_cases(seed: int):
    """As many nodes as pathways, so that a transposed M goes through; soft weights, one total below 1."""
    generator = torch.Generator().manual_seed(seed)
    s = torch.randn(6, 4, generator=generator)  # (B, N)
    M = torch.tensor([[1.0, 1, 1, 0], [0, 1, 1, 0], [0, 0.5, 0.25, 1], [0.2, 0.1, 0, 0.1]])  # (P, N)
    return [(s, M)]


@exercise("Pathway scores", cases=score_cases)
def pathway_scores(s, M):
    """s (B, N) and M (P, N) -> (B, P): the weighted mean of each pathway's members."""
    return s @ M.t() / M.sum(1).clamp_min(1)


@pathway_scores.mistake(
    "you used the membership transposed: row p of M holds the weights of pathway p's members, "
    "so its sum over nodes is s @ M.t()."
)
def transposed(s, M):
    return s @ M / M.sum(1).clamp_min(1)


@pathway_scores.mistake(
    "you used the membership transposed, and the sums of its columns: a pathway's total weight is the sum of a row."
)
def transposed_throughout(s, M):
    return s @ M / M.sum(0).clamp_min(1)


@pathway_scores.mistake(
    "you took the sum over the members: divide by the pathway's total weight, or a large pathway has a large score."
)
def sum_of_members(s, M):
    return s @ M.t()


@pathway_scores.mistake(
    "you divided by the number of all nodes: the mean is over the pathway's members, "
    "so divide by the sum of its row of M."
)
def mean_over_all_nodes(s, M):
    return s @ M.t() / M.shape[1]


@pathway_scores.mistake(
    "you divided by the number of members: a soft member counts with its weight, so divide by the sum of the weights."
)
def divided_by_members(s, M):
    return s @ M.t() / (M > 0).sum(1)


@pathway_scores.mistake(
    "you divided by the sum of the weights even where it is below 1: a pathway of faint members "
    "would be blown up, so divide by max(sum, 1)."
)
def faint_blown_up(s, M):
    return s @ M.t() / M.sum(1)


# ---- Correlation over the batch


def correlation_cases(seed: int):
    """Scores with offsets; the last node has not been reached and is 0 in every sample."""
    generator = torch.Generator().manual_seed(seed)
    s = 1 + torch.randn(8, 5, generator=generator) * torch.tensor([1.0, 2.0, 0.5, 1.5, 0.0])  # (B, N)
    S = 0.5 + torch.randn(8, 3, generator=generator)  # (B, P)
    s[:, -1] = 0
    return [(s, S)]


@exercise("Correlation over the batch", cases=correlation_cases)
def correlations(s, S):
    """s (B, N) and S (B, P) -> (P, N): correlation over the batch, 0 where a score does not vary."""

    def standardize(t):
        centred = t - t.mean(0)
        std = centred.square().mean(0).sqrt()
        return centred / std.where(std > 0, torch.ones_like(std))

    return standardize(S).t() @ standardize(s) / len(s)


@correlations.mistake(
    "you did not centre: without subtracting the mean over the batch this is a cosine, "
    "and a constant offset of a score changes it."
)
def not_centred(s, S):
    s, S = (t / (t.square().mean(0).sqrt() + 1e-12) for t in (s, S))
    return S.t() @ s / len(s)


@correlations.mistake(
    "you divided by the std, and did not centre: subtract the mean over the batch first, or a constant offset of a "
    "score changes its correlations."
)
def divided_and_not_centred(s, S):
    s, S = (t / (t.std(0, correction=0) + 1e-12) for t in (s, S))
    return S.t() @ s / len(s)


@correlations.mistake(
    "you standardised over the nodes: take mean and std over the batch, dimension 0, each node for itself."
)
def over_the_nodes(s, S):
    s, S = ((t - t.mean(1, keepdim=True)) / (t.std(1, keepdim=True, correction=0) + 1e-12) for t in (s, S))
    return S.t() @ s / len(s)


@correlations.mistake(
    "you mixed two standard deviations: torch's std divides by B - 1 and the mean over the batch "
    "by B, so no r can reach 1; use correction=0."
)
def stds_mixed(s, S):
    s, S = ((t - t.mean(0)) / (t.std(0) + 1e-12) for t in (s, S))
    return S.t() @ s / len(s)


@correlations.mistake(
    "this is the covariance: divide by both standard deviations, or a loud node counts more than a quiet one."
)
def covariance(s, S):
    return (S - S.mean(0)).t() @ (s - s.mean(0)) / len(s)


@correlations.mistake("you divided 0 by 0: a node whose score does not vary has std 0, and is to count 0.")
def nought_by_nought(s, S):
    s, S = ((t - t.mean(0)) / t.std(0, correction=0) for t in (s, S))
    return S.t() @ s / len(s)


# ---- Leave one out


def leave_one_out_cases(seed: int):
    """Soft weights, at least three members each; node 4 is in two pathways, node 0 in one.

    The last pathway has less than 1 left without node 1 or 2, but no total below 1.
    """
    generator = torch.Generator().manual_seed(seed)
    s = torch.randn(5, 6, generator=generator)  # (B, N)
    M = torch.tensor([[1.0, 1, 0.5, 0, 0.5, 0], [0, 0, 0, 2, 0.5, 1], [0, 0.5, 0.5, 0, 0, 0.25]])  # (P, N)
    return [(s, M)]


@exercise("Leave one out", cases=leave_one_out_cases)
def leave_one_out(s, M):
    """s (B, N) and M (P, N) -> (B, P, N): pathway p's score without node i."""
    total = (s @ M.t())[:, :, None] - s[:, None, :] * M  # (B, P, N)
    return total / (M.sum(1, keepdim=True) - M)


def sum_of_others(s, M):
    """The weighted sum of pathway p without node i, (B, P, N)."""
    return (s @ M.t())[:, :, None] - s[:, None, :] * M


@leave_one_out.mistake("nothing is left out: this is the pathway's score itself, the same for every node.")
def nothing_left_out(s, M):
    return (s @ M.t() / M.sum(1))[:, :, None].expand(-1, *M.shape)


@leave_one_out.mistake(
    "you took a node's score away without its weight: subtract M[p, i] * s[:, i], which is "
    "nothing for a node that is no member."
)
def without_its_weight(s, M):
    total = (s @ M.t())[:, :, None] - s[:, None, :]
    return total / (M.sum(1, keepdim=True) - M)


@leave_one_out.mistake(
    "you took a member's score away as if its weight were 1: a soft member is in the sum with its weight, so subtract "
    "M[p, i] * s[:, i]."
)
def as_if_its_weight_were_1(s, M):
    total = (s @ M.t())[:, :, None] - s[:, None, :] * (M > 0)
    return total / (M.sum(1, keepdim=True) - M)


@leave_one_out.mistake(
    "you divided by the weight of all members: one is gone, so divide by the total weight less M[p, i]."
)
def divided_by_all_weights(s, M):
    return sum_of_others(s, M) / M.sum(1, keepdim=True)


@leave_one_out.mistake(
    "you took 1 from the total weight for every node: a member takes its own weight with it, and "
    "a node that is no member takes none, so subtract M[p, i]."
)
def one_less_for_every_node(s, M):
    return sum_of_others(s, M) / (M.sum(1, keepdim=True) - 1)


@leave_one_out.mistake(
    "you took 1 from the total weight for every member: a soft member takes its own weight with "
    "it, so subtract M[p, i]."
)
def one_less_for_every_member(s, M):
    return sum_of_others(s, M) / (M.sum(1, keepdim=True) - (M > 0).float())


@leave_one_out.mistake(
    "you divided by 1 where less than 1 is left: here the mean is over what remains, however "
    "little, so leave out clamp_min(1)."
)
def clamped(s, M):
    return sum_of_others(s, M) / (M.sum(1, keepdim=True) - M).clamp_min(1)


@leave_one_out.mistake(
    "you set nodes that are no members to 0: nothing is taken away for them, so they get the pathway's whole score."
)
def members_only(s, M):
    return leave_one_out.reference(s, M) * (M > 0)


@leave_one_out.mistake(
    "you took the member from the mean: take it from the weighted sum, then divide by the weight that is left."
)
def taken_from_the_mean(s, M):
    return (s @ M.t() / M.sum(1))[:, :, None] - s[:, None, :] * M


@leave_one_out.mistake("you divided by the number of the others: soft members count with their weight.")
def divided_by_others(s, M):
    is_member = (M > 0).float()  # (P, N)
    return sum_of_others(s, M) / (is_member.sum(1, keepdim=True) - is_member)
