"""Values and arguments as a pupil reads them: a graph by its edges, an array by its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import torch

from gsnn_tutorial.exercises.values import array, plain, size

READABLE = 36  # numbers of an array that are still read
WORDS = 300  # characters of any other argument


def inputs(case: tuple, names: Sequence[str]) -> str:
    """The arguments of a case in words."""
    return "; ".join(f"{name} = {_input(name, value)}" for name, value in zip(names, case))


def _input(name: str, value) -> str:
    """An argument as it can be read: a graph by its edges, a small array by its numbers, a large one by its shape."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        numbers = array(value)
        if numbers is not None and numbers.size and numbers.size <= 2 * READABLE and numbers.ndim == 2:
            if name in ("edge_index", "edges") and len(numbers) == 2:
                return "edges " + (", ".join(f"{int(u)} -> {int(v)}" for u, v in numbers.T) or "none")
            if name == "A" and numbers.shape[0] == numbers.shape[1] and np.isin(numbers, (-1, 0, 1)).all():
                edges = [f"{u} -> {v}{' (-1)' if numbers[u, v] < 0 else ''}" for u, v in np.argwhere(numbers)]
                return f"{len(numbers)} nodes with edges {', '.join(edges) or 'none'}"
        if numbers is not None and numbers.ndim == 2 and numbers.size > READABLE and np.isin(numbers, (0, 1)).all():
            rows = ["{" + ", ".join(map(str, np.flatnonzero(row))) + "}" for row in numbers]
            return f"{numbers.shape[0]} x {numbers.shape[1]}, its rows with 1 in columns {', '.join(rows)}"[:WORDS]
        if numbers is not None and numbers.ndim == 2 and numbers.shape[1] <= READABLE < numbers.size:
            return f"[{numbers_in_words(numbers[0])}, ...], {numbers.shape[0]} x {numbers.shape[1]}"
        if numbers is None or numbers.size > READABLE:
            return f"{type(value).__name__} of shape {tuple(value.shape)}"
        return numbers_in_words(numbers)
    if isinstance(value, (tuple, list)) and any(isinstance(part, (torch.Tensor, np.ndarray)) for part in value):
        return "[" + ", ".join(_input("", part) for part in value[:6]) + (", ...]" if len(value) > 6 else "]")
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    said = re.sub(r"<function (?:\S+\.)?(\w+) at 0x\w+>", r"\1", " ".join(repr(plain(value)).split()))
    text = re.sub(r"\d+\.\d{5,}", lambda number: f"{float(number[0]):.4g}", said)
    return text if len(text) <= WORDS else text[: WORDS - 3] + "..."


def is_readable(value) -> bool:
    """True if a value is shown by its numbers, and not by its shape."""
    return not isinstance(value, (torch.Tensor, np.ndarray)) or size(value) <= READABLE


def numbers_in_words(values: np.ndarray) -> str:
    """Numbers with four digits, on one line."""
    text = np.array2string(np.asarray(values) + 0.0, separator=", ", formatter={"float_kind": lambda v: f"{v:.4g}"})
    return " ".join(text.split()).replace("[ ", "[")


def shown(value) -> str:
    """A value in at most 80 characters; a larger array as its shape."""
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim and np.prod(value.shape) > 8:
        of = {"c": " of complex numbers", "O": " of other things than numbers", "U": " of words"}
        kind = "c" if "complex" in str(value.dtype) else getattr(value.dtype, "kind", "f")
        return f"{type(value).__name__} of shape {tuple(value.shape)}{of.get(kind, '')}"
    text = " ".join(repr(plain(value)).split()) if value is not None else "None"
    return text if len(text) <= 80 else f"{text[:77]}..."


def digits(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart, four at least."""
    for n in range(4, 18):
        if f"{a:.{n}g}" != f"{b:.{n}g}":
            return f"{a:.{n}g}", f"{b:.{n}g}"
    return repr(a), repr(b)
