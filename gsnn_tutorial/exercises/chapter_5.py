"""The exercises of chapter 5, the parts of the pathway loss.

``pathway_scores`` are weighted means of nodes, ``correlations`` compare them with each node over the batch, and
``leave_one_out`` takes a node out of the score that it is compared with.
"""

from __future__ import annotations

import torch

from gsnn_tutorial.exercises.diagnosis import exercise


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


pathway_scores.slips({
    "you used the membership transposed: row p of M holds the weights of pathway p's members, so its sum over nodes is "
    "s @ M.t().": {"M.t()": "M"},
    "you used the membership transposed, and the sums of its columns: a pathway's total weight is the sum of a row.":
        {"M.t()": "M", "sum(1)": "sum(0)"},
    "you took the sum over the members: divide by the pathway's total weight, or a large pathway has a large score.":
        {" / M.sum(1).clamp_min(1)": ""},
    "you divided by the number of all nodes: the mean is over the pathway's members, so divide by the sum of its row "
    "of M.": {"M.sum(1).clamp_min(1)": "M.shape[1]"},
    "you divided by the number of members: a soft member counts with its weight, so divide by the sum of the weights.":
        {"M.sum(1).clamp_min(1)": "(M > 0).sum(1)"},
    "you divided by the sum of the weights even where it is below 1: a pathway of faint members would be blown up, so "
    "divide by max(sum, 1).": {".clamp_min(1)": ""},
})  # fmt: skip


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


STD = "std.where(std > 0, torch.ones_like(std))"
correlations.slips({
    "you did not centre: without subtracting the mean over the batch this is a cosine, and a constant offset of a "
    "score changes it.": {" - t.mean(0)": ""},
    "you divided by the std, and did not centre: subtract the mean over the batch first, or a constant offset of a "
    "score changes its correlations.": {"return centred /": "return t /"},
    "you standardised over the nodes: take mean and std over the batch, dimension 0, each node for itself.":
        {"t.mean(0)": "t.mean(1, keepdim=True)", "mean(0).sqrt()": "mean(1, keepdim=True).sqrt()"},
    "you mixed two standard deviations: torch's std divides by B - 1 and the mean over the batch by B, so no r can "
    "reach 1; use correction=0.": {"centred.square().mean(0).sqrt()": "t.std(0)"},
    "this is the covariance: divide by both standard deviations, or a loud node counts more than a quiet one.":
        {f" / {STD}": ""},
    "you divided 0 by 0: a node whose score does not vary has std 0, and is to count 0.": {STD: "std"},
})  # fmt: skip


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


TOTAL, LEFT = "(s @ M.t())[:, :, None] - s[:, None, :] * M", "(M.sum(1, keepdim=True) - M)"
leave_one_out.slips({
    "nothing is left out: this is the pathway's score itself, the same for every node.":
        {TOTAL: "(s @ M.t())[:, :, None].expand(-1, *M.shape)", LEFT: "M.sum(1, keepdim=True)"},
    "you took a node's score away without its weight: subtract M[p, i] * s[:, i], which is nothing for a node that "
    "is no member.": {"s[:, None, :] * M": "s[:, None, :]"},
    "you took a member's score away as if its weight were 1: a soft member is in the sum with its weight, so subtract "
    "M[p, i] * s[:, i].": {"s[:, None, :] * M": "s[:, None, :] * (M > 0)"},
    "you divided by the weight of all members: one is gone, so divide by the total weight less M[p, i].":
        {LEFT: "M.sum(1, keepdim=True)"},
    "you took 1 from the total weight for every node: a member takes its own weight with it, and a node that is no "
    "member takes none, so subtract M[p, i].": {"True) - M": "True) - 1"},
    "you took 1 from the total weight for every member: a soft member takes its own weight with it, so subtract M[p, "
    "i].":
        {"True) - M": "True) - (M > 0).float()"},
    "you divided by 1 where less than 1 is left: here the mean is over what remains, however little, so leave out "
    "clamp_min(1).": {LEFT: f"{LEFT}.clamp_min(1)"},
    "you set nodes that are no members to 0: nothing is taken away for them, so they get the pathway's whole score.":
        {"return ": "return (M > 0) * "},
    "you took the member from the mean: take it from the weighted sum, then divide by the weight that is left.":
        {"(s @ M.t())[": "(s @ M.t() / M.sum(1))[", f" / {LEFT}": ""},
    "you divided by the number of the others: soft members count with their weight.":
        {LEFT: "((M > 0).sum(1, keepdim=True) - (M > 0).float())"},
})  # fmt: skip
