"""Checks at the door: each names the argument, what was given, and what would be right."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
import torch


def integer(name: str, value, minimum: int) -> int:
    """Return ``value`` as an int of at least ``minimum``, or raise."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return int(value)


def number(name: str, value, minimum: float, maximum: float = float("inf")) -> float:
    """Return ``value`` as a finite float between ``minimum`` and ``maximum``, or raise."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not (np.isfinite(value) and minimum <= value <= maximum):
        bound = f"at least {minimum}" if maximum == float("inf") else f"between {minimum} and {maximum}"
        raise ValueError(f"{name} must be finite and {bound}, got {value}")
    return float(value)


def choice(name: str, value, options) -> str:
    """Return ``value`` if it is one of ``options``, or raise."""
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}; got {value!r}")
    return value


def matrix(name: str, value, *, rows: int | None = None, columns: int | None = None) -> torch.Tensor:
    """Return ``value`` as a finite two-dimensional floating tensor of the asked size, or raise."""
    tensor = torch.as_tensor(value)
    if tensor.dim() != 2:
        raise ValueError(f"{name} must be a matrix, got {tensor.dim()} dimensions of shape {tuple(tensor.shape)}")
    for axis, (word, size) in enumerate([("rows", rows), ("columns", columns)]):
        if size is not None and tensor.shape[axis] != size:
            raise ValueError(f"{name} must have {size} {word}, got shape {tuple(tensor.shape)}")
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.get_default_dtype())
    if not torch.isfinite(tensor).all():
        bad = int((~torch.isfinite(tensor)).sum())
        raise ValueError(f"{name} must be finite, got {bad} NaN or infinite value(s): remove or impute them first")
    return tensor


def labels(name: str, value, length: int) -> np.ndarray:
    """Return ``value`` as a vector of ``length`` labels, at least two different ones, or raise."""
    vector = np.asarray(value)
    if vector.dtype.kind == "f" and not np.isfinite(vector).all():
        raise ValueError(f"{name} must be finite, got {vector.tolist()}")
    if vector.shape != (length,):
        raise ValueError(f"{name} must have one label for each of the {length} nodes, got shape {vector.shape}")
    if len(np.unique(vector)) < 2:
        raise ValueError(f"{name} must name at least two pathways, got only {vector[0]!r}")
    return vector


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Return a NumPy generator: a given one as it is, or a new one from an integer seed."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(integer("seed", seed, 0))


def sparse_indices(indices, size: tuple[int, int]) -> torch.Tensor:
    """Return (2, nnz) places of a sparse map as they are, sorted by source, then target, or raise."""
    for side, count in zip(("sources", "targets"), size):
        integer(f"size={tuple(size)}: {side}", count, 0)
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


def membership(value, nodes: int, signed: bool = False) -> torch.Tensor:
    """Return a membership matrix (P, ``nodes``) as a coalesced sparse tensor on the CPU, without zeros, or raise."""
    if isinstance(value, torch.Tensor) and value.layout != torch.strided:
        M = value.to_sparse_coo().coalesce()
        matrix("pathway_membership", M.values()[:, None])
        if M.dim() != 2 or M.shape[1] != nodes:
            raise ValueError(f"pathway_membership must have {nodes} columns, got shape {tuple(M.shape)}")
    else:
        M = matrix("pathway_membership", value, columns=nodes).to_sparse_coo().coalesce()
    M = M.cpu()
    exists = M.values() != 0
    M = torch.sparse_coo_tensor(M.indices()[:, exists], M.values()[exists], M.shape, check_invariants=False).coalesce()
    if not signed and (M.values() < 0).any():
        raise ValueError(f"pathway_membership must have weights >= 0, got {M.values().min().item():g}")
    members = torch.bincount(M.indices()[0], minlength=M.shape[0])
    empty = (members == 0).nonzero().flatten().tolist()
    if empty or not len(M):
        raise ValueError(f"pathway_membership must give each of {len(M)} pathways a member; none in {empty}")
    return M
