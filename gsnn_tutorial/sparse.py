r"""The sparse linear map: :math:`y = W x + b` where most of W does not exist.

The state is kept *edge-major*: ``x`` is (sources, B), one row per edge or channel, one column per sample. A
whole batch is then one sparse-times-dense product, and neither forward nor backward ever holds something
of size B times the number of weights.

    forward   y  = W x                     CSR of W
    backward  gx = W^T g                   CSR of W^T
              gw = (x g^T) at W's entries  a product sampled where weights exist
"""

from __future__ import annotations

import warnings

import torch
from torch.autograd.function import once_differentiable

from gsnn_tutorial import kernels, validate

with warnings.catch_warnings():  # torch says once per process that its CSR tensors are in beta: say it here, unheard
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor([0], [], [], (0, 0), check_invariants=False)


class SparsePattern(torch.nn.Module):
    """The places of a sparse map's weights: fixed, and laid out once for both directions.

    Arguments
        indices: (2, nnz) source and target of each weight, sorted by source, then target, none twice.
        size: (sources, targets).
    """

    def __init__(self, indices: torch.Tensor, size: tuple[int, int]):
        super().__init__()
        source, target = validate.sparse_indices(indices, size)
        self.sources, self.targets = size
        by_target = torch.argsort(target, stable=True)
        self.register_buffer("indices", indices, persistent=False)
        # 32-bit indices are what the sparse kernels read; 64-bit ones would be converted at every call.
        self._keep("source_start", row_starts(source, self.sources))
        self._keep("target", target)
        self._keep("target_start", row_starts(target, self.targets))
        self._keep("source", source[by_target])
        self.register_buffer("by_target", by_target, persistent=False)

    def _keep(self, name: str, index: torch.Tensor):
        self.register_buffer(name, index.to(torch.int32), persistent=False)

    def matrix(self, values: torch.Tensor) -> torch.Tensor:
        """W as a CSR matrix (targets, sources)."""
        return csr(self.target_start, self.source, values.index_select(0, self.by_target), (self.targets, self.sources))

    def transposed(self, values: torch.Tensor) -> torch.Tensor:
        """W^T as a CSR matrix (sources, targets); its order is the order of ``values``."""
        return csr(self.source_start, self.target, values, (self.sources, self.targets))


def row_starts(row: torch.Tensor, rows: int) -> torch.Tensor:
    """The start of each row, for sorted row numbers (nnz,) -> (rows + 1,)."""
    counts = torch.bincount(row, minlength=rows)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def csr(row_start, column, values, size: tuple[int, int]) -> torch.Tensor:
    return torch.sparse_csr_tensor(row_start, column, values, size, check_invariants=False)


class SparseMap(torch.autograd.Function):
    """W x, with the backward pass that the module docstring states."""

    @staticmethod
    def forward(ctx, values, x, pattern):
        ctx.pattern = pattern
        ctx.save_for_backward(values, x)
        return pattern.matrix(values) @ x  # (targets, B)

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        (values, x), g = ctx.saved_tensors, g.contiguous()
        WT = ctx.pattern.transposed(values)
        # Weight (s, t) changes y_t by x_s, so its gradient is row s of x times row t of g. The dense product x g^T
        # would hold every pair of rows; we compute the pairs that have a weight, in the order of ``values``.
        grad_values = torch.sparse.sampled_addmm(WT, x, g.t(), beta=0).values()  # (nnz,)
        return grad_values, WT @ g, None  # nothing for ``pattern``, which is no tensor


def sparse_map(values: torch.Tensor, x: torch.Tensor, pattern: SparsePattern) -> torch.Tensor:
    """W x for weights ``values`` (nnz,) at the places of ``pattern`` and ``x`` (sources, B) -> (targets, B)."""
    for name, given, kind in (
        ("values", values, torch.Tensor),
        ("x", x, torch.Tensor),
        ("pattern", pattern, SparsePattern),
    ):
        validate.instance(name, given, kind)
    if values.shape != pattern.by_target.shape:
        raise ValueError(f"values must have {len(pattern.by_target)} entries, got shape {tuple(values.shape)}")
    if x.dim() != 2 or x.shape[0] != pattern.sources:
        raise ValueError(f"x must be edge-major, ({pattern.sources}, B); got shape {tuple(x.shape)}")
    if values.dtype not in (torch.float32, torch.float64) or x.dtype != values.dtype:
        raise TypeError(f"values and x must both be float32, or both float64; got {values.dtype} and {x.dtype}")
    return sparse_product(values, x, pattern)


@kernels.plain_path
def sparse_product(values: torch.Tensor, x: torch.Tensor, pattern: SparsePattern) -> torch.Tensor:
    """W x of arguments that have been checked."""
    return SparseMap.apply(values, x, pattern)


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
        self.pattern = SparsePattern(indices, size)
        self.N, self.M = size
        bias, generator = validate.flag("bias", bias), validate.torch_generator(generator)
        self.values = torch.nn.Parameter(degree_normalized(indices, size, generator))
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


class FixedMap(torch.nn.Module):
    """A sparse map that learns nothing: entry k has the weight 1 / sqrt(degree_k) / sqrt(layers). In any order."""

    def __init__(self, source, target, size, degree, layers: int = 1):
        super().__init__()
        order = torch.argsort(source * size[1] + target)
        self.pattern = SparsePattern(torch.stack([source, target])[:, order], size)
        self.register_buffer("degree", degree[order], persistent=False)
        self.layers, self._values = layers, {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return sparse_map(self.values(x.dtype, x.device), x, self.pattern)

    def values(self, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """The weights, made once for each dtype, so that float64 has all its digits."""
        if (dtype, device) not in self._values:
            self._values[dtype, device] = self.degree.to(dtype).rsqrt() / self.layers**0.5
        return self._values[dtype, device]


def degree_normalized(indices: torch.Tensor, size: tuple[int, int], generator) -> torch.Tensor:
    """The initial weights of ``SparseLinear``, (nnz,), drawn in float32 whatever torch's default is."""
    source, target = indices
    fan_in = torch.bincount(target, minlength=size[1])[target].float()
    fan_out = torch.bincount(source, minlength=size[0])[source].float()
    values = torch.empty(indices.shape[1], dtype=torch.float32).uniform_(-1, 1, generator=generator)
    return (values * (1 / torch.sqrt((fan_in + 1e-8) * (fan_out + 1e-8)))).to(torch.get_default_dtype())
