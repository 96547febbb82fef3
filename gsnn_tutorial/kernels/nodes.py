"""The work of nodes on their channels, in fewer passes over memory.

For models as small as the tutorial's, a step consists of a thousand small calls, and each that autograd need not
record counts. In a union of many models the tensors no longer fit the cache, and each pass over them counts.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch.autograd.function import once_differentiable


def channel_norm(z: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float) -> torch.Tensor:
    """``GroupLayerNorm``, with its backward pass by hand: one step where autograd would take eight."""
    return _ChannelNorm.apply(z, gamma, beta, eps)


def activated(z: torch.Tensor, norm: torch.nn.Module, nonlin: torch.nn.Module) -> torch.Tensor:
    """The nonlinearity of the normed channels; ELU runs in place where nobody can see it."""
    normed = norm(z)
    return elu_over(normed, nonlin.alpha) if may_overwrite(norm, nonlin) else nonlin(normed)


def may_overwrite(norm: torch.nn.Module, nonlin: torch.nn.Module) -> bool:
    """True if ELU may run in place: it is a plain ELU on a norm's own result, and no hook would see it overwritten."""
    hooks = (norm._forward_hooks, norm._backward_hooks, nonlin._forward_hooks, nonlin._forward_pre_hooks,
             nonlin._backward_hooks)  # fmt: skip
    own_result = not isinstance(norm, torch.nn.Identity)  # without a norm, the channels are the sparse map's
    return type(nonlin) is torch.nn.ELU and own_result and not any(hooks)


def elu_over(normed: torch.Tensor, alpha: float) -> torch.Tensor:
    """ELU, written over its argument.

    A saved activation is then also its own derivative, since ELU'(z) = ELU(z) + alpha below 0, and the backward pass
    takes no exponential.
    """
    return torch.nn.functional.elu_(normed, alpha)


class _ChannelNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, gamma, beta, eps):
        centred = z - z.mean(1, keepdim=True)  # (N, C, B)
        # Two sums: torch's own std over a middle dimension is several times slower.
        out = centred * centred  # and the memory of the result, below: a new block of it costs more than the sum
        variance = out.sum(1, keepdim=True).div_(z.shape[1] - 1)
        scale = variance.sqrt_().add_(eps).reciprocal_()  # (N, 1, B)
        ctx.save_for_backward(centred, scale, gamma)
        return torch.addcmul(beta[:, None, None], centred, scale * gamma[:, None, None], out=out)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        centred, scale, gamma = ctx.saved_tensors
        out = grad * centred
        grad_gamma = (out.sum(1, keepdim=True) * scale).sum((1, 2))
        return torch.mul(grad, scale * gamma[:, None, None], out=out), grad_gamma, grad.sum((1, 2)), None


def add_residual(out: torch.Tensor, r: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """``out + relu(r) h``, written into ``out``: r (1,), out and h (E, B).

    Each edge takes a copy of r, so that its gradient is added up edge by edge, in the order in which a union of models
    adds it up: a model alone and the same model in a union then train to the same bits.
    """
    of_edge = r.relu().index_select(0, _zeros(len(h), r.device))
    return out.addcmul_(of_edge[:, None], h)


@lru_cache(maxsize=16)
def _zeros(rows: int, device: torch.device) -> torch.Tensor:
    return torch.zeros(rows, dtype=torch.long, device=device)


def node_scores(w: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """``w . a`` for each node and sample: w (1, C) for all nodes or (N, C), a (B, N, C) -> (B, N)."""
    return _Score.apply(w, a.permute(1, 2, 0)).t()  # (N, C, B), as a lies in memory


class _Score(torch.autograd.Function):
    """The gradients by hand, because the one of a product of matrices takes ten times as long for a = w g^T."""

    @staticmethod
    def forward(ctx, w, a):
        ctx.save_for_backward(w, a)
        return torch.bmm(w.expand(len(a), -1)[:, None], a)[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        w, a = ctx.saved_tensors
        grad_w = torch.bmm(a, grad[:, :, None])[:, :, 0]  # (N, C)
        if len(w) == 1:  # added up node by node, for the same reason as in ``add_residual``
            grad_w = grad_w.new_zeros(1, grad_w.shape[1]).index_add_(0, _zeros(len(a), w.device), grad_w)
        return grad_w, w[:, :, None] * grad[:, None]
