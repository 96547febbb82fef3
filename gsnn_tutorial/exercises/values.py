"""How an answer's value is read and compared: numbers, words and collections, from whatever library they come.

An answer may be a tensor, sparse or dense, an array, a SciPy matrix, a DataFrame, nested lists, a dict's values. It
is compared by what it says, not by its type.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator, KeysView, Mapping, ValuesView

import numpy as np
import pandas as pd
import torch
from scipy import sparse

HALVES = (torch.bfloat16, torch.float16)


def plain(value):
    """A value in plain types: arrays dense and in NumPy, words as str, views and iterators as lists."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.float() if value.dtype in HALVES else value  # NumPy knows no bfloat16
        return (value.to_dense() if value.layout != torch.strided else value).resolve_conj().resolve_neg().numpy()
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        return value.to_numpy()
    if sparse.issparse(value):
        return value.toarray()
    if isinstance(value, str):
        return str(value)  # np.str_ too
    if isinstance(value, np.ndarray) and value.dtype.kind in "US":
        return value.tolist()
    if isinstance(value, Mapping):
        return {plain(name): plain(part) for name, part in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (ValuesView, KeysView, Iterator, range)):
        return [plain(part) for part in value]
    if isinstance(value, (tuple, list)):
        return type(value)(map(plain, value)) if type(value) in (tuple, list) else [plain(part) for part in value]
    return value


def array(value) -> np.ndarray | None:
    """A number, an array or nested lists of numbers as an array of floats; None for anything else."""
    value = plain(value)
    if not _numbers(value):
        return None
    try:
        found = np.asarray(value)
        if np.iscomplexobj(found):  # what eig gives of a symmetric matrix
            return found.real.astype(float) if np.allclose(found.imag, 0) else None
        return found.astype(float)
    except (TypeError, ValueError, OverflowError):  # a whole number may be too large for a float
        return None


def _numbers(value) -> bool:
    """Whether there is nothing but numbers in a plain value, and no None, which NumPy would read as NaN."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufc" or all(_numbers(part) for part in value.ravel().tolist())
    if isinstance(value, (tuple, list)):
        return all(map(_numbers, value))
    return isinstance(value, (numbers.Number, np.bool_))


def length(value) -> int:
    """The number of values in a tuple, list, array or tensor; 0 for a single value."""
    return len(value) if isinstance(value, (tuple, list)) or (np.ndim(value) and not isinstance(value, str)) else 0


def close(a, b, tolerance: float) -> bool:
    """Whether an outcome ``a`` says what the right outcome ``b`` says; errors are equal in type and words."""
    if isinstance(b, BaseException):  # torch and NumPy agree on an error's words up to the "for"
        return type(a) is type(b) and str(a).split(" for ")[0] == str(b).split(" for ")[0]
    if isinstance(a, BaseException):
        return False
    a, b = plain(a), plain(b)
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(close(a[name], b[name], tolerance) for name in b)
    if isinstance(b, tuple):
        return length(a) == len(b) and all(close(x, y, tolerance) for x, y in zip(a, b))
    x, y = array(a), array(b)
    if isinstance(b, list) and y is None and isinstance(a, (list, tuple)):  # rows of words, as lists or as tuples
        return len(a) == len(b) and all(close(x, y, tolerance) for x, y in zip(a, b))
    if x is None or y is None:
        return type(a) is type(b) and np.shape(a) == np.shape(b) and bool(np.all(a == b))
    return x.shape == y.shape and bool(np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True))


def shown(value) -> str:
    """A value in at most 80 characters; a larger array as its shape."""
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim and np.prod(value.shape) > 8:
        what = {"c": " of complex numbers", "O": " of other things than numbers", "U": " of words"}
        kind = "c" if "complex" in str(value.dtype) else getattr(value.dtype, "kind", "f")
        return f"{type(value).__name__} of shape {tuple(value.shape)}{what.get(kind, '')}"
    text = " ".join(repr(plain(value)).split()) if value is not None else "None"
    return text if len(text) <= 80 else f"{text[:77]}..."


def digits(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart, four at least."""
    for n in range(4, 18):
        if f"{a:.{n}g}" != f"{b:.{n}g}":
            return f"{a:.{n}g}", f"{b:.{n}g}"
    return repr(a), repr(b)
