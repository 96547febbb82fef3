"""Checks at the door: each names the argument, what was given, and what would be right."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from numbers import Integral, Real

import networkx as nx
import numpy as np
import torch

from gsnn_tutorial.validate import arrays
from gsnn_tutorial.validate.arrays import filled, finite, index_pairs, integers, mask, matrix, tensor

__all__ = ["filled", "finite", "index_pairs", "integers", "mask", "matrix", "tensor"]  # and all below

REFERENCE_ONLY = {  # arguments that only the reference implementation has, and the value at which each does nothing
    "verbose": False, "edge_channels": 1, "checkpoint": False, "norm_first": True, "node_attn": False,
    "edge_weight_dict": None,
}  # fmt: skip


def integer(name: str, value, minimum: int) -> int:
    """Return ``value`` as an int of at least ``minimum``, or raise. NumPy's and torch's single integers are some."""
    single = arrays.single(value)
    if isinstance(single, bool) or not isinstance(single, Integral):
        raise TypeError(f"{name} must be an integer, got {arrays.shown(value)}")
    if single < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {single}")
    return int(single)


def number(name: str, value, minimum: float, maximum: float = float("inf")) -> float:
    """Return ``value`` as a finite float between ``minimum`` and ``maximum``, or raise."""
    single = arrays.single(value)
    if isinstance(single, bool) or not isinstance(single, Real):
        raise TypeError(f"{name} must be a number, got {arrays.shown(value)}")
    if not (abs(single) <= np.finfo(float).max and minimum <= single <= maximum):  # NaN is on neither side
        bound = f"at least {minimum}" if maximum == float("inf") else f"between {minimum} and {maximum}"
        raise ValueError(f"{name} must be finite and {bound}, got {single}")
    return float(single)


def flag(name: str, value) -> bool:
    """Return ``value`` if it is True or False, or raise: "no" and 0 are neither."""
    single = arrays.single(value)
    if not isinstance(single, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {arrays.shown(value)}")
    return bool(single)


def choice(name: str, value, options) -> str:
    """Return ``value`` if it is one of ``options``, or raise."""
    if not isinstance(value, Hashable) or value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}; got {arrays.shown(value)}")
    return value


def instance(name: str, value, kind: type, hint: str = ""):
    """Return ``value`` if it is a ``kind``, or raise."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}{hint}, got {type(value).__name__}")
    return value


def module_class(name: str, value):
    """Raise unless ``value`` is a class of torch modules, which an instance is not."""
    if not (isinstance(value, type) and issubclass(value, torch.nn.Module)):
        raise TypeError(f"{name} must be a class of torch modules such as torch.nn.ELU, got {value!r}")


def ordered(name: str, value) -> list:
    """Return ``value`` as a list, read once, or raise: names and the like whose order means something."""
    if isinstance(value, (str, bytes, set, frozenset)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list, whose order is that of the columns; got {arrays.shown(value)}")
    items = list(value)
    odd = [item for item in items if not isinstance(item, Hashable)]
    if odd:
        raise TypeError(f"{name} must be a list of names, got {arrays.shown(odd[0])} in it")
    return items


def pairs(name: str, value) -> list[tuple]:
    """Return ``value`` as a list of pairs of names, or raise."""
    if isinstance(value, (str, bytes, set, frozenset)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list of pairs (source, target), got {arrays.shown(value)}")
    items = list(value)
    for item in items:
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise ValueError(f"{name} must be pairs (source, target), got {arrays.shown(item)}")
    return [tuple(item) for item in items]


def mapping(name: str, value) -> dict:
    """Return ``value`` as a dict, empty for None, or raise."""
    if not isinstance(value, (Mapping, type(None))):
        raise TypeError(f"{name} must be a dict, got {arrays.shown(value)}")
    return dict(value or {})


def digraph(G) -> nx.DiGraph:
    """Return G if it is a directed graph with one edge between two nodes, or raise."""
    if not isinstance(G, nx.DiGraph) or G.is_multigraph():
        raise (ValueError if isinstance(G, nx.Graph) else TypeError)(
            f"G must be a networkx.DiGraph, directed and with one edge between two nodes; got {type(G).__name__}"
        )
    return G


def torch_generator(value) -> torch.Generator | None:
    """Return a generator of torch, or None for the global one, or raise."""
    if value is not None and not isinstance(value, torch.Generator):
        raise TypeError(
            f"generator must be None or such as torch.Generator().manual_seed(0), got {arrays.shown(value)}"
        )
    return value


def columns_of(model: torch.nn.Module) -> tuple:
    """Names of the model's inputs and outputs, (None, None) for a model that has none."""
    names = getattr(model, "node_names_dict", {})
    return names.get("input"), names.get("output")


def trainable(model, regularizer, kind: type, criterion, after_epoch, progress) -> list[torch.nn.Parameter]:
    """Return the model's parameters, at least one, if it and what else ``train`` is given can be used, or raise."""
    parameters = list(instance("model", model, torch.nn.Module).parameters())
    if not parameters:
        raise ValueError(f"model must have parameters to train, got {type(model).__name__} without any")
    if regularizer is not None:
        instance("regularizer", regularizer, kind, " or None")
    for name, of, given in (("criterion", "(prediction, y)", criterion), ("after_epoch", "the epoch", after_epoch)):
        if given is not None and not callable(given):
            raise TypeError(f"{name} must be a function of {of} or None, got {arrays.shown(given)}")
    if not isinstance(progress, str):
        flag("progress (unless a title)", progress)
    return parameters


def labels(name: str, value, length: int) -> np.ndarray:
    """Return ``value`` as a vector of ``length`` labels, at least two different ones, or raise."""
    try:
        vector = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # ragged
        vector = np.asarray(None)
    if vector.shape == () or vector.dtype.kind == "O":
        raise TypeError(f"{name} must be one label for each of the {length} nodes, got {arrays.shown(value)}")
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
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise TypeError(f"size must be (sources, targets), got {arrays.shown(size)}")
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


def membership(value, nodes: int | None, signed: bool = False, names=None) -> torch.Tensor:
    """Return a membership matrix (P, ``nodes``) as a coalesced sparse tensor on the CPU, without zeros, or raise.

    A DataFrame's columns are nodes, put into the order of ``names``; its index may name the pathways.
    """
    if isinstance(value, torch.Tensor) and value.layout != torch.strided:
        M = value.to_sparse_coo().coalesce()
        matrix("pathway_membership", M.values().reshape(len(M.values()), -1), boolean=True)
        if M.dim() != 2 or M.shape[1] != (M.shape[1] if nodes is None else nodes):
            raise ValueError(f"pathway_membership must have {nodes} columns, got shape {tuple(M.shape)}")
    else:
        M = matrix("pathway_membership", value, columns=nodes, names=names, boolean=True).to_sparse_coo().coalesce()
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


def reference_only(owner: str, unknown: dict):
    """Raise for arguments that ``owner`` does not have, but for the reference's own at the value that is off."""
    for name, value in unknown.items():
        if name not in REFERENCE_ONLY:
            raise TypeError(f"{name!r} is not an argument of {owner}")
        off = REFERENCE_ONLY[name]
        if type(value) is not type(off) or value != off:
            raise TypeError(
                f"{name!r} is an argument of the reference implementation that this one does not have; "
                f"leave it out or at {off!r}, got {arrays.shown(value)}"
            )
