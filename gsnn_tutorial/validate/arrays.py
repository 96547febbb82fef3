"""Arrays as they are given: a tensor, a NumPy array, a nested list or a DataFrame, read as one dense tensor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch


def single(value):
    """The one value of a 0-dimensional array; anything else as it is."""
    return value.item() if isinstance(value, (np.ndarray, np.generic, torch.Tensor)) and value.ndim == 0 else value


def shown(value) -> str:
    """The given value, in short."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"{text.splitlines()[0][:50]}... ({type(value).__name__})"


def matrix(
    name: str, value, *, rows: int | None = None, columns: int | None = None, names=None, like=None, boolean=False
) -> torch.Tensor:
    """Return ``value`` as a finite two-dimensional floating tensor of the asked size, or raise.

    A DataFrame's columns are put into the order of ``names``, if these are known. ``like`` is a tensor whose
    device and dtype are asked for; ``boolean`` allows True and False for 1 and 0.
    """
    tensor = numbers(name, value, "a matrix of numbers", names, boolean)
    if tensor.dim() != 2:
        raise ValueError(f"{name} must be a matrix, got {tensor.dim()} dimensions of shape {tuple(tensor.shape)}")
    for axis, (word, size) in enumerate([("rows", rows), ("columns", columns)]):
        if size is not None and tensor.shape[axis] != size:
            raise ValueError(f"{name} must have {size} {word}, got shape {tuple(tensor.shape)}")
    return finite(name, tensor, ": remove or impute them first", like)


def filled(name: str, table: torch.Tensor) -> torch.Tensor:
    """Return a matrix that has a row, or raise."""
    if not len(table):
        raise ValueError(f"{name} must have at least one row, got shape {tuple(table.shape)}")
    return table


def finite(name: str, tensor: torch.Tensor, advice: str = "", like: torch.Tensor | None = None) -> torch.Tensor:
    """Return numbers as a floating tensor (with the device and dtype of ``like``) in which all are finite, or raise."""
    given = tensor if tensor.is_floating_point() else tensor.to(torch.get_default_dtype())
    cast = given if like is None else given.to(like)
    if not torch.isfinite(cast).all():
        if torch.isfinite(given).all():
            raise ValueError(f"{name} must fit into {cast.dtype}, got {given.abs().max().item():g}: scale it first")
        bad = int((~torch.isfinite(given)).sum())
        raise ValueError(f"{name} must be finite, got {bad} NaN or infinite value(s){advice}")
    return cast


def tensor(name: str, value, dimensions: str, size: int) -> torch.Tensor:
    """Return ``value`` as a tensor of ``size`` dimensions, described by ``dimensions``, or raise."""
    given = numbers(name, value, f"numbers {dimensions}")
    if given.dim() != size:
        raise ValueError(f"{name} must be {dimensions}; got shape {tuple(given.shape)}")
    return given


def integers(name: str, value, what: str) -> torch.Tensor:
    """Return ``value`` as an int64 tensor on the CPU, or raise."""
    given = numbers(name, value, what, boolean=True).cpu()
    if given.numel() and (given.is_floating_point() or given.dtype == torch.bool):
        raise ValueError(f"{name} must be {what}; got {given.dtype} of shape {tuple(given.shape)}")
    return given.long()


def index_pairs(name: str, value) -> torch.Tensor:
    """Return ``value`` as int64 pairs (2, edges) on the CPU, or raise."""
    index = integers(name, value, "integer pairs of shape (2, edges)")
    if index.dim() != 2 or index.shape[0] != 2:
        raise ValueError(f"{name} must be integer pairs of shape (2, edges), got shape {tuple(index.shape)}")
    return index


def mask(name: str, value, length: int, what: str) -> np.ndarray:
    """Return ``value`` as True or False for each of ``length`` things, or raise: numbers of things are no mask."""
    given = numbers(name, value, f"a mask of the {length} {what}", boolean=True).detach().cpu().numpy()
    if given.shape != (length,) or (length and given.dtype != bool):
        raise ValueError(
            f"{name} must be a mask of the {length} {what}, True or False for each; "
            f"got shape {given.shape} of {given.dtype}"
        )
    return given.astype(bool)


def numbers(name: str, value, wanted: str, names=None, boolean: bool = False) -> torch.Tensor:
    """Anything rectangular of real numbers as a dense tensor, or raise."""
    if isinstance(value, pd.DataFrame):
        value = _frame(name, value, names, boolean)
    if not isinstance(value, torch.Tensor):
        value = _array(name, value, wanted)
    if value.layout != torch.strided:
        raise TypeError(f"{name} must be dense, got a sparse tensor: give its to_dense()")
    if value.is_complex() or (value.dtype == torch.bool and not boolean):
        raise TypeError(f"{name} must be {wanted}, got {value.dtype}")
    return value


def _array(name: str, value, wanted: str) -> torch.Tensor:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # ragged, or tensors that NumPy may not read
        array = np.asarray(None)
    if array.dtype.kind not in "biufc" or isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must be {wanted}, as a tensor or an array; got {shown(value)}")
    if array.dtype.kind == "u" or (array.dtype.kind == "f" and array.dtype.itemsize > 8):
        array = array.astype(float)  # torch has none of these
    if isinstance(value, (list, tuple)):
        try:
            return torch.as_tensor(value)  # Python's numbers get torch's default dtype
        except (ValueError, TypeError):  # rows that are tensors
            pass
    array = np.require(array, array.dtype.newbyteorder("="), "W")
    return torch.from_numpy(array.copy() if min(array.strides, default=0) < 0 else array)


def _frame(name: str, frame: pd.DataFrame, names, boolean: bool) -> np.ndarray:
    """A DataFrame's numbers, its columns in the order of ``names`` where these are known."""
    for column, dtype in zip(frame.columns, frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype) or (pd.api.types.is_bool_dtype(dtype) and not boolean):
            raise TypeError(f"{name} must have columns of numbers, got column {column!r} of {dtype}")
    if names is not None:
        names, given = list(names), list(frame.columns)
        faults = {
            "twice": [n for n in dict.fromkeys(given) if given.count(n) > 1],
            "unknown": [n for n in dict.fromkeys(given) if n not in names],
            "missing": [n for n in names if n not in given],
        }
        if any(faults.values()):
            words = "; ".join(f"{fault}: {shown(which)}" for fault, which in faults.items() if which)
            raise ValueError(f"{name} must have a column for each of {shown(names)}, each once; {words}")
        frame = frame.iloc[:, [given.index(n) for n in names]]
    plain = {dtype for dtype in frame.dtypes if isinstance(dtype, np.dtype)}
    same = len(plain) == 1 and all(dtype in plain for dtype in frame.dtypes)
    return frame.to_numpy() if same else frame.to_numpy(dtype=float, na_value=np.nan)
