"""Values of answers, read and compared: numbers, words and collections, from whatever library they come.

An answer may be a tensor, sparse or dense, an array, a SciPy matrix, a DataFrame, nested lists, a dict's values. It
is compared by what it says, not by its type.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator, KeysView, Mapping, Sequence, ValuesView

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
    """True if there is nothing but numbers in a plain value, and no None, which NumPy would read as NaN."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufc" or all(_numbers(part) for part in value.ravel().tolist())
    if isinstance(value, (tuple, list)):
        return all(map(_numbers, value))
    return isinstance(value, (numbers.Number, np.bool_))


def length(value) -> int:
    """The number of values in a tuple, list, array or tensor; 0 for a single value."""
    return len(value) if isinstance(value, (tuple, list)) or (np.ndim(value) and not isinstance(value, str)) else 0


def size(value) -> int:
    """The number of things to read in a value."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return int(np.prod(value.shape))
    if isinstance(value, dict):
        return sum(1 + size(part) for part in value.values())
    return sum(map(size, value)) if isinstance(value, (tuple, list)) else 1


def is_constant(outcomes: Sequence) -> bool:
    """True if there is one value only in all of them."""
    found = set()
    for value in outcomes:
        numbers = array(value)
        found |= {str(plain(value))} if numbers is None else set(map(str, numbers.ravel()))
    return len(found) == 1


def close(mine, want, tolerance: float) -> bool:
    """True if an outcome says what another one says, which is right; errors are equal in type and words."""
    if isinstance(want, BaseException):  # torch and NumPy agree on an error's words up to the "for"
        return type(mine) is type(want) and str(mine).split(" for ")[0] == str(want).split(" for ")[0]
    if isinstance(mine, BaseException):
        return False
    mine, want = plain(mine), plain(want)
    if isinstance(want, dict):
        same = isinstance(mine, dict) and mine.keys() == want.keys()
        return same and all(close(mine[name], want[name], tolerance) for name in want)
    numbers = array(mine), array(want)
    words = isinstance(want, list) and numbers[1] is None and isinstance(mine, (list, tuple))  # rows, as tuples too
    if isinstance(want, tuple) or words:
        return length(mine) == len(want) and all(close(x, y, tolerance) for x, y in zip(mine, want))
    if numbers[0] is None or numbers[1] is None:
        return type(mine) is type(want) and np.shape(mine) == np.shape(want) and bool(np.all(mine == want))
    same = numbers[0].shape == numbers[1].shape
    return same and bool(np.allclose(*numbers, rtol=tolerance, atol=tolerance, equal_nan=True))
