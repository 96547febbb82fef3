"""What nodes do with their channels, in fewer passes over memory.

For models as small as the tutorial's, a step consists of a thousand small calls, and each that autograd need not
record counts. In a union of many models the tensors no longer fit the cache, and each pass over them counts.
"""

from __future__ import annotations

import torch
from torch.autograd.function import once_differentiable


def channel_norm(z: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float) -> torch.Tensor:
    """``GroupLayerNorm``, with its backward pass by hand: one step where autograd would take eight."""
    return _ChannelNorm.apply(z, gamma, beta, eps)


def may_overwrite(norm: torch.nn.Module, nonlin: torch.nn.Module) -> bool:
    """Whether nobody would notice that ELU writes over what the norm gave: a plain ELU, and no hook on either."""
    hooks = (norm._forward_hooks, norm._backward_hooks, nonlin._forward_hooks, nonlin._forward_pre_hooks,
             nonlin._backward_hooks)  # fmt: skip
    return type(nonlin) is torch.nn.ELU and not any(hooks)


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
    """``out + relu(r) h``, written into ``out``: r (1,), out and h (E, B)."""
    return _Residual.apply(out, r, h)


class _Residual(torch.autograd.Function):
    """One step in place of four.

    The gradient of r is added up edge by edge, in the order in which a union of models adds it up: a model alone and
    the same model in a union then train to the same bits.
    """

    @staticmethod
    def forward(ctx, out, r, h):
        ctx.save_for_backward(r, h)
        ctx.mark_dirty(out)
        return out.addcmul_(r.relu(), h)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        r, h = ctx.saved_tensors
        grad_r = grad_h = None
        if ctx.needs_input_grad[1]:
            grad_r = _added_in_order((grad * h).sum(1)) * (r > 0)
        if ctx.needs_input_grad[2]:
            grad_h = grad * r.relu()
        return grad, grad_r, grad_h


def _added_in_order(terms: torch.Tensor) -> torch.Tensor:
    """The sum over rows, one after the other: (rows, ...) -> (1, ...)."""
    everything = torch.zeros(len(terms), dtype=torch.long, device=terms.device)
    return terms.new_zeros(1, *terms.shape[1:]).index_add_(0, everything, terms)


def node_scores(w: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """``w . a`` for each node and sample: w (1, C) for all nodes or (N, C), a (N, C, B) -> (N, B)."""
    return _Score.apply(w, a)


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
        return grad_w if len(w) > 1 else _added_in_order(grad_w), w[:, :, None] * grad[:, None]
