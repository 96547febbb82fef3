"""The smallest case on which an answer still differs from the right one, as hypothesis looks for it.

Lines are taken out of arrays, and numbers are rounded, as long as the difference stays of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from gsnn_tutorial.exercises.values import plain

ATTEMPTS = 120


def smallest(found: tuple, look: Callable[[tuple], tuple | None], attempts: int = ATTEMPTS) -> tuple:
    """The last that ``look`` finds: case -> (difference, case) or None, from ``found`` on, in so many attempts.

    What was found is kept, since an answer that counts its calls gives something else the next time.
    """
    going = True
    while going:
        going = False
        for smaller in _smaller(found[1]):
            attempts -= 1
            if other := look(smaller):
                found, going = other, attempts > 0
            if other or attempts <= 0:
                break
    return found


def _smaller(case: tuple) -> Iterator[tuple]:
    """Cases that are a little smaller: halves first, then one line less, then rounder numbers."""
    lengths = sorted({n for value in case for n in _shape(value) if n > 1}, reverse=True)
    for n in lengths:
        if n > 3:
            yield _keep(case, n, slice(0, (n + 1) // 2))
    for n in lengths:
        for k in reversed(range(n)):
            yield _keep(case, n, [i for i in range(n) if i != k])
    for a, value in enumerate(case):
        if isinstance(value, list) and len(value) > 1 and not _shape(value):
            for k in reversed(range(len(value))):
                yield (*case[:a], value[:k] + value[k + 1 :], *case[a + 1 :])
    for a, value in enumerate(case):
        for rounded in _rounder(value):
            yield (*case[:a], rounded, *case[a + 1 :])


def _shape(value) -> tuple[int, ...]:
    if isinstance(value, dict):  # a graph's nodes: what has a line for each of them is cut with it
        return (len(value),)
    return tuple(value.shape) if isinstance(value, (torch.Tensor, np.ndarray)) else ()


def _keep(case: tuple, n: int, kept) -> tuple:
    """The case with these lines of every axis of length n: axes of one length are taken for one and the same."""
    parts = []
    for value in case:
        if isinstance(value, dict) and len(value) == n:
            value = {name: value[name] for name in np.array(list(value), dtype=object)[kept]}
        if _shuffles(value, n):
            parts.append(_without(value, n, kept))
            continue
        for axis, length in enumerate(_shape(value)):
            if length == n and not (axis == 0 and _pairs(value)):
                value = _alike(value[(slice(None),) * axis + (kept,)], value)
        parts.append(value)
    return tuple(parts)


def _shuffles(value, n: int) -> bool:
    """True for an order of n things, and for a list or an array of such orders."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(part, np.ndarray) and _shuffles(part, n) for part in value)
    found = value if isinstance(value, np.ndarray) else np.empty(0)
    return found.dtype.kind in "iu" and found.shape[-1] == n and bool((np.sort(found) == np.arange(n)).all())


def _without(value, n: int, kept):
    """Orders of the things that are kept, numbered from 0."""
    if isinstance(value, list):
        return [_without(part, n, kept) for part in value]
    kept = np.arange(n)[kept]
    rows = [np.searchsorted(kept, row[np.isin(row, kept)]) for row in value.reshape(-1, n)]
    return np.array(rows, dtype=value.dtype).reshape(*value.shape[:-1], len(kept))


def _alike(smaller, value):
    """A part of a tensor asks for gradients if the tensor does, as a tensor of its own."""
    return smaller.detach().requires_grad_(value.requires_grad) if isinstance(value, torch.Tensor) else smaller


def _pairs(value) -> bool:
    """True if an array has a row of sources and a row of targets, as a list of edges has."""
    whole = not value.is_floating_point() if isinstance(value, torch.Tensor) else value.dtype.kind in "iu"
    return whole and value.ndim == 2 and len(value) == 2


def _rounder(value) -> Iterator:
    for places in (0, 1, 2):
        if isinstance(value, float):
            rounded = round(value, places)
        elif isinstance(value, torch.Tensor) and value.is_floating_point():
            rounded = _alike(value.round(decimals=places), value)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            rounded = value.round(places)
        else:
            return
        if not np.array_equal(plain(rounded), plain(value)) and (not isinstance(value, float) or rounded):
            yield rounded
