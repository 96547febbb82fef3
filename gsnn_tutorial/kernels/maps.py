"""The sparse map against the price of memory.

At the sizes where a sparse map takes time at all, arithmetic is cheap and memory is not. Three things help.

*Fresh memory.* The system hands out new memory page by page, at the first touch of each page, and that takes longer
than to write the numbers. So a result is written once (``@`` would fill it with zeros first and add to them), and a
large one asks Linux for pages of 2 MB instead of 4 kB.

*An order of visits.* What a row of the product reads should still be in the processor's cache from the row before.
The rows of W^T come in the order of the sources. The edges into one node share all its channels, but stand far apart
in a list that runs by source. Where that is so, and the gradient is larger than the cache, the rows are computed in
another order, a piece at a time, and put back.

*The other side.* For the same reason the gradient of the weights is then sampled in the order of W, not of W^T.
"""

from __future__ import annotations

import ctypes
import sys
from weakref import WeakKeyDictionary

import torch
from torch.autograd.function import once_differentiable

CACHE = 16e6  # bytes that stay in a processor's cache from one row to the next, about
LARGE = 32 * 2**20  # bytes; freed blocks above this go back to the system, and come fresh the next time
HUGE_PAGE, USE_HUGE_PAGES = 2**21, 14  # as Linux has them
_advise = getattr(ctypes.CDLL(None), "madvise", None) if sys.platform == "linux" else None


class _FastSparseMap(torch.autograd.Function):
    """``sparse.SparseMap``: the same products, each by the cheapest way."""

    @staticmethod
    def forward(ctx, values, x, pattern):
        ctx.pattern = pattern
        ctx.save_for_backward(values, x)
        return _product(pattern.matrix(values), x)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        (values, x), pattern, grad = ctx.saved_tensors, ctx.pattern, grad.contiguous()
        # Where the gradient fits the cache, every order of rows is as good, and the plain order needs no detour.
        visits = visits_of(pattern) if grad.nbytes > CACHE and grad.device.type == "cpu" else None
        grad_values = grad_x = None
        if ctx.needs_input_grad[0]:
            near = visits is None
            grad_values = _sampled_near(pattern, values, x, grad) if near else _sampled_far(pattern, values, x, grad)
        if ctx.needs_input_grad[1]:
            WT = None if visits is not None else pattern.transposed(values)
            grad_x = _product(WT, grad) if visits is None else visits.product(values, grad)
        return grad_values, grad_x, None


sparse_product = _FastSparseMap.apply


class Visits:
    """An order in which the rows of W^T are computed, so that neighbours read the same rows of the gradient.

    ``order`` (sources,) says which source is visited when; ``start`` and ``target`` are the CSR layout of W^T in that
    order, and ``by_visit`` (nnz,) brings weights into it.
    """

    def __init__(self, order: torch.Tensor, source: torch.Tensor, target: torch.Tensor, targets: int):
        when = torch.argsort(order)[source]  # (nnz,): at which visit each weight is read
        self.order, self.targets = order, targets
        self.by_visit = torch.argsort(when, stable=True)
        counts = torch.bincount(when, minlength=len(order))
        self.start = torch.cat([counts.new_zeros(1), counts.cumsum(0)]).to(torch.int32)
        self.target = target[self.by_visit].to(torch.int32)

    def product(self, values: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
        """W^T g, (targets, B) -> (sources, B), by pieces that stay in the cache until they are put in their place."""
        values, result = values.index_select(0, self.by_visit), _fresh(len(self.order), grad)
        rows = max(1, int(CACHE / 4 / grad[0].nbytes))
        for visit, first in zip(self.order.split(rows), range(0, len(self.order), rows)):
            start = self.start[first : first + len(visit) + 1]
            own = slice(start[0], start[-1])
            piece = torch.sparse_csr_tensor(
                start - start[0], self.target[own], values[own], (len(visit), self.targets), check_invariants=False
            )
            result.index_copy_(0, visit, _product(piece, grad))
        return result


_VISITS: WeakKeyDictionary = WeakKeyDictionary()  # of each pattern that needed them; they go when it goes


def visits_of(pattern) -> Visits | None:
    """The visits of a ``SparsePattern``, worked out once; None where its rows are neighbours as they stand."""
    if pattern not in _VISITS:
        source, target = pattern.indices.cpu()
        order = _neighbourly(source, target, pattern.sources, pattern.targets)
        _VISITS[pattern] = None if order is None else Visits(order, source, target, pattern.targets)
    return _VISITS[pattern]


def _neighbourly(source: torch.Tensor, target: torch.Tensor, sources: int, targets: int) -> torch.Tensor | None:
    """An order of the sources in which neighbours share a target; None unless most of them gain by it."""
    first = torch.full((sources,), targets).scatter_reduce_(0, source, target, "amin")  # each source's first target
    order = torch.argsort(first, stable=True)

    def shared(f):
        return (f.diff() == 0).float().mean()

    return order if shared(first[order]) > shared(first) + 0.5 else None


def _sampled_near(pattern, values: torch.Tensor, x: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
    """x g^T where weights exist, (nnz,), row by row of W^T, which is the order of ``values``."""
    return _sampled(pattern.transposed(torch.zeros_like(values)), x, grad)


def _sampled_far(pattern, values: torch.Tensor, x: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
    """The same row by row of W, put back into the order of ``values``."""
    sampled = _sampled(pattern.matrix(torch.zeros_like(values)), grad, x)
    return torch.empty_like(values).index_copy_(0, pattern.by_target, sampled)


def _sampled(places: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The entries of x y^T where ``places`` (CSR) has some; they are written into it, so that nothing is copied."""
    return torch.sparse.sampled_addmm(places, x, y.t(), beta=0, out=places).values()


def _product(W: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """W @ x, written once."""
    result = _fresh(len(W), x)
    return torch.addmm(result, W, x, beta=0, out=result)


def _fresh(rows: int, like: torch.Tensor) -> torch.Tensor:
    """A result (rows, B) that is still to be written, on large pages if it is large."""
    if like.device.type != "cpu" or not torch.backends.mkl.is_available():  # other kernels may read what was there
        return like.new_zeros(rows, like.shape[1])
    result = like.new_empty(rows, like.shape[1])
    if _advise is not None and result.nbytes > LARGE:
        first = -(-result.data_ptr() // HUGE_PAGE) * HUGE_PAGE
        whole_pages = (result.data_ptr() + result.nbytes - first) // HUGE_PAGE * HUGE_PAGE
        _advise(ctypes.c_void_p(first), ctypes.c_size_t(whole_pages), USE_HUGE_PAGES)  # only advice: it may refuse
    return result
