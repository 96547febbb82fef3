r"""The sparse linear map: :math:`y = W x + b` where most of W does not exist.

The state is kept *edge-major*: ``x`` is (sources, B), one row per edge or channel, one column per
sample. A whole batch is then one sparse-times-dense product, and neither forward nor backward ever
holds something of size B times the number of weights.

    forward   y  = W x                     CSR of W
    backward  gx = W^T g                   CSR of W^T
              gw = (x g^T) at W's entries  a product sampled where weights exist

At this size the price is memory, in three ways. What a row of the product reads should still be in the
processor's cache from the row before: where the rows of W^T come in an order in which it never is, they
are computed in another one, a piece at a time. Nothing is written twice. And fresh memory costs more
than arithmetic: see ``_fresh``.
"""

from __future__ import annotations

import ctypes
import sys
import warnings

import torch
from torch.autograd.function import once_differentiable

from gsnn_tutorial import validate

with warnings.catch_warnings():  # torch says once per process that its CSR tensors are in beta: say it here, unheard
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor([0], [], [], (0, 0), check_invariants=False)

CACHE = 16e6  # bytes that stay in a processor's cache from one row to the next, about
LARGE = 32 * 2**20  # bytes; freed blocks above this go back to the system, and come fresh the next time
HUGE_PAGE, USE_HUGE_PAGES = 2**21, 14  # as Linux has them
_advise = getattr(ctypes.CDLL(None), "madvise", None) if sys.platform == "linux" else None


class SparsePattern(torch.nn.Module):
    """Where the weights of a sparse map are: fixed, and laid out once for both directions.

    Arguments
        indices: (2, nnz) source and target of each weight, sorted by source, then target, none twice.
        size: (sources, targets).
    """

    def __init__(self, indices: torch.Tensor, size: tuple[int, int]):
        super().__init__()
        self.sources, self.targets = size
        source, target = _checked(indices, size)
        self.register_buffer("indices", indices, persistent=False)
        by_target = torch.argsort(target, stable=True)
        # 32-bit indices are what the sparse kernels read; 64-bit ones would be converted at every call.
        self._keep("source_start", _row_starts(source, self.sources))
        self._keep("target", target)
        self._keep("target_start", _row_starts(target, self.targets))
        self._keep("source", source[by_target])
        self.register_buffer("by_target", by_target, persistent=False)
        visit = _neighbourly(source, target, size)
        self.register_buffer("visit", visit, persistent=False)  # None: the rows of W^T are neighbours as they stand
        if visit is not None:
            place = torch.argsort(visit)  # when the row of each source is computed
            by_visit = torch.argsort(place[source], stable=True)
            self._keep("visit_start", _row_starts(place[source][by_visit], self.sources))
            self._keep("visit_target", target[by_visit])
            self.register_buffer("by_visit", by_visit, persistent=False)

    def _keep(self, name: str, index: torch.Tensor):
        self.register_buffer(name, index.to(torch.int32), persistent=False)

    def matrix(self, values: torch.Tensor) -> torch.Tensor:
        """W as a CSR matrix (targets, sources)."""
        size = (self.targets, self.sources)
        return _csr(self.target_start, self.source, values.index_select(0, self.by_target), size)

    def transposed(self, values: torch.Tensor) -> torch.Tensor:
        """W^T as a CSR matrix (sources, targets); its order is the order of ``values``."""
        return _csr(self.source_start, self.target, values, (self.sources, self.targets))

    def backward_product(self, values: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
        """W^T g, (targets, B) -> (sources, B)."""
        if not self._far_apart(grad):
            return _product(self.transposed(values), grad)
        values, result = values.index_select(0, self.by_visit), _fresh(self.sources, grad)
        rows = max(1, int(CACHE / 4 / grad[0].nbytes))  # a piece of the result that stays in the cache
        for visit, first in zip(self.visit.split(rows), range(0, self.sources, rows)):
            start = self.visit_start[first : first + len(visit) + 1]
            own = slice(start[0], start[-1])
            piece = _csr(start - start[0], self.visit_target[own], values[own], (len(visit), self.targets))
            result.index_copy_(0, visit, _product(piece, grad))
        return result

    def sampled_product(self, values: torch.Tensor, x: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
        """x g^T where weights exist, (nnz,) in the order of ``values``."""
        if not self._far_apart(grad):
            return _sampled(self.transposed(torch.zeros_like(values)), x, grad)
        size = (self.targets, self.sources)
        sampled = _sampled(_csr(self.target_start, self.source, torch.zeros_like(values), size), grad, x)
        return torch.empty_like(values).index_copy_(0, self.by_target, sampled)

    def _far_apart(self, grad: torch.Tensor) -> bool:
        """Whether to visit rows in another order: it costs a pass over the result, and pays beyond the cache."""
        return self.visit is not None and grad.nbytes > CACHE and grad.device.type == "cpu"


def _csr(row_start, column, values, size) -> torch.Tensor:
    return torch.sparse_csr_tensor(row_start, column, values, size, check_invariants=False)


def _row_starts(row: torch.Tensor, rows: int) -> torch.Tensor:
    counts = torch.bincount(row, minlength=rows)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def _neighbourly(source: torch.Tensor, target: torch.Tensor, size: tuple[int, int]) -> torch.Tensor | None:
    """An order of the sources in which neighbours share a target; None unless most of them gain by it.

    The edges into one node share all its channels, but stand far apart in a list that runs by source.
    """
    first = torch.full((size[0],), size[1]).scatter_reduce_(0, source, target, "amin")  # each source's first target
    order = torch.argsort(first, stable=True)

    def shared(f):
        return (f.diff() == 0).float().mean()

    return order if shared(first[order]) > shared(first) + 0.5 else None


def _checked(indices: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    for side, count in zip(("sources", "targets"), size):
        validate.integer(f"size={tuple(size)}: {side}", count, 0)
    if not isinstance(indices, torch.Tensor):
        raise TypeError(f"indices must be a tensor, got {type(indices).__name__}")
    if indices.dim() != 2 or indices.shape[0] != 2 or indices.dtype != torch.long:
        raise ValueError(
            f"indices must be int64 of shape (2, weights), got {indices.dtype} of shape {tuple(indices.shape)}"
        )
    outside = ((indices < 0) | (indices >= indices.new_tensor(size)[:, None])).any(0)
    if outside.any():
        raise ValueError(
            f"indices must lie within size={tuple(size)}, got the pair {indices[:, outside][:, 0].tolist()}"
        )
    place = indices[0] * size[1] + indices[1]
    if (place.diff() <= 0).any():
        raise ValueError("indices must be sorted by source, then target, with no pair twice")
    return indices


def _product(W: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """W @ x, written once: ``@`` would fill the result with zeros first, and add to them."""
    result = _fresh(len(W), x)
    return torch.addmm(result, W, x, beta=0, out=result)


def _sampled(places: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The entries of x y^T where ``places`` (CSR) has some; they are written into it, so that nothing is copied."""
    return torch.sparse.sampled_addmm(places, x, y.t(), beta=0, out=places).values()


def _fresh(rows: int, like: torch.Tensor) -> torch.Tensor:
    """A result (rows, B) that is still to be written.

    The system hands out fresh memory page by page, at the first touch of each. That takes longer than
    to write the numbers, so for a large result Linux is asked for pages of 2 MB rather than 4 kB.
    """
    if like.device.type != "cpu" or not torch.backends.mkl.is_available():  # other kernels may read what was there
        return like.new_zeros(rows, like.shape[1])
    result = like.new_empty(rows, like.shape[1])
    if _advise is not None and result.nbytes > LARGE:
        first = -(-result.data_ptr() // HUGE_PAGE) * HUGE_PAGE
        whole_pages = (result.data_ptr() + result.nbytes - first) // HUGE_PAGE * HUGE_PAGE
        _advise(ctypes.c_void_p(first), ctypes.c_size_t(whole_pages), USE_HUGE_PAGES)  # only advice: it may refuse
    return result


class _SparseMap(torch.autograd.Function):
    """W x with the backward pass that the module docstring states."""

    @staticmethod
    def forward(ctx, values, x, pattern):
        ctx.pattern = pattern
        ctx.save_for_backward(values, x)
        return _product(pattern.matrix(values), x)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        values, x = ctx.saved_tensors
        grad = grad.contiguous()
        grad_values = grad_x = None
        if ctx.needs_input_grad[0]:
            grad_values = ctx.pattern.sampled_product(values, x, grad)
        if ctx.needs_input_grad[1]:
            grad_x = ctx.pattern.backward_product(values, grad)
        return grad_values, grad_x, None


def sparse_map(values: torch.Tensor, x: torch.Tensor, pattern: SparsePattern) -> torch.Tensor:
    """W x for weights ``values`` (nnz,) at the places of ``pattern`` and ``x`` (sources, B) -> (targets, B)."""
    if values.shape != pattern.by_target.shape:
        raise ValueError(f"values must have {len(pattern.by_target)} entries, got shape {tuple(values.shape)}")
    if x.dim() != 2 or x.shape[0] != pattern.sources:
        raise ValueError(f"x must be edge-major, ({pattern.sources}, B); got shape {tuple(x.shape)}")
    return _SparseMap.apply(values, x, pattern)


class SparseLinear(torch.nn.Module):
    r"""A linear layer whose weights exist only where the graph has an edge.

    .. math:: y_t = b_t + \sum_{s: (s, t)} w_{st} x_s

    Arguments
        indices: (2, nnz) source and target of each weight, sorted by source, then target.
        size: (N, M), the numbers of sources and targets.
        bias: whether to learn b, which starts at 0.
        generator: where the initial weights are drawn; None is torch's global one.

    Weights start at U(-1, 1) / sqrt(fan_in * fan_out), each fan + 1e-8: fan_in counts the weights
    into the target, fan_out those out of the source. One draw, in the order of ``indices``.

    Shapes
        input (N, B), output (M, B); ``values`` (nnz,), ``bias`` (M, 1).
    """

    def __init__(self, indices: torch.Tensor, size: tuple[int, int], bias: bool = True, generator=None):
        super().__init__()
        self.N, self.M = size
        self.pattern = SparsePattern(indices, size)
        self.values = torch.nn.Parameter(_degree_normalized(indices, size, generator))
        self.bias = torch.nn.Parameter(torch.zeros(self.M, 1)) if bias else None

    @property
    def indices(self) -> torch.Tensor:
        """Source and target of each weight, (2, nnz)."""
        return self.pattern.indices

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = sparse_map(self.values, x, self.pattern)
        return y if self.bias is None else y.add_(self.bias)  # y is ours alone

    def extra_repr(self) -> str:
        return f"{self.N} -> {self.M}, {self.values.numel()} weights, bias={self.bias is not None}"


def _degree_normalized(indices: torch.Tensor, size: tuple[int, int], generator) -> torch.Tensor:
    source, target = indices
    fan_in = torch.bincount(target, minlength=size[1])[target].float()
    fan_out = torch.bincount(source, minlength=size[0])[source].float()
    values = torch.empty(indices.shape[1], dtype=torch.float32).uniform_(-1, 1, generator=generator)
    return values * (1 / torch.sqrt((fan_in + 1e-8) * (fan_out + 1e-8)))
