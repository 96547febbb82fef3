"""Patterns of wrong values: a factor, a sign, another order, one row only, cut-off fractions.

Every pattern is looked for in all cases together, so that chance is no pattern.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import numpy as np

from gsnn_tutorial.exercises.difference import Difference
from gsnn_tutorial.exercises.values import array

Pairs = Sequence[tuple[np.ndarray, np.ndarray]]  # (mine, want), of one shape in each pair

WHOLE = {
    "the sign is turned everywhere": lambda want: -want,
    "these are sizes without their signs": np.abs,
    "these are the squares of the right values": np.square,
    "these are the roots of the right values": lambda want: np.sqrt(np.where(want < 0, np.nan, want)),
    "this is 1 minus the right value": lambda want: 1 - want,
    "this is 1 over the right value": lambda want: 1 / np.where(want == 0, np.nan, want),
    "the fractions are cut off: integers cannot hold them, so make the result an array of floats": np.trunc,
    "the values are rounded": np.round,
    "negative values have become 0": lambda want: np.maximum(want, 0),
    "counts have become 0 or 1": lambda want: (want != 0).astype(float),
    "the last axis runs backwards": lambda want: want[..., ::-1] if want.ndim and want.shape[-1] > 2 else want,
    "the first axis runs backwards": lambda want: want[::-1] if want.ndim and len(want) > 2 else want,
    "everything has moved by one place": lambda want: np.roll(want, 1, axis=0) if want.ndim else want,
    "everything has moved back by one place": lambda want: np.roll(want, -1, axis=0) if want.ndim else want,
    "your matrix is transposed": lambda want: want.T,
    "these are running sums of the right values": lambda want: np.cumsum(want, axis=0) if want.ndim else want,
    "the values of the last axis are scaled to sum to 1": lambda want: (
        want / np.where(s := want.sum(-1, keepdims=True), s, 1) if want.ndim else want
    ),
}
SIZES = {  # how a factor may hang on the length n of an axis
    "n": lambda n: n,
    "1 / n": lambda n: 1 / n,
    "n - 1": lambda n: n - 1,
    "1 / (n - 1)": lambda n: 1 / (n - 1),
    "(n - 1) / n": lambda n: (n - 1) / n,
    "n / (n - 1)": lambda n: n / (n - 1),
    "sqrt(n)": np.sqrt,
    "1 / sqrt(n)": lambda n: 1 / np.sqrt(n),
    "sqrt((n - 1) / n)": lambda n: np.sqrt((n - 1) / n),
    "sqrt(n / (n - 1))": lambda n: np.sqrt(n / (n - 1)),
}


def pattern(differences: Sequence[Difference], cases: Sequence[tuple], names: Sequence[str]) -> str:
    """A sentence on what the wrong values of all cases have in common, or nothing."""
    pairs, tolerance = [one.arrays for one in differences], differences[0].tolerance
    factor = partial(_factor, cases=cases, names=names)
    with np.errstate(all="ignore"):
        for look in (_not_a_number, _whole, factor, _offset, _order, _place):
            if words := look(pairs, tolerance):
                return _sentence(words)
    return ""


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + ". "


def holds(words: str, one: Difference, case: tuple, names: Sequence[str]) -> bool:
    """True if a sentence on all wrong values is true of one more difference, of a smaller case."""
    for said, change in WHOLE.items():
        if words == _sentence(said):
            return _like(one.arrays[0], change(one.arrays[1]), one.tolerance)
    if "the right ones times" not in words:
        return pattern([one], [case], names) == words
    factors = _factors([one.arrays], one.tolerance)
    if factors and (named := re.search(r"times ([-+.\de]+)\. ", words)):
        return bool(np.isclose(factors[0], float(named[1]), rtol=1e-3))
    return bool(factors)


def _like(mine, want, tolerance) -> bool:
    return mine.shape == want.shape and np.allclose(mine, want, rtol=tolerance, atol=tolerance, equal_nan=True)


def _not_a_number(pairs, tolerance) -> str:
    strange = [~np.isfinite(mine) & np.isfinite(want) for mine, want in pairs]
    others = [_like(np.where(bad, want, mine), want, tolerance) for bad, (mine, want) in zip(strange, pairs)]
    if not any(bad.any() for bad in strange):
        return ""
    value = "NaN" if any(np.isnan(mine[bad]).any() for bad, (mine, want) in zip(strange, pairs)) else "infinite"
    if not all(others):
        return f"some values are {value}"
    zero = all((want[bad] == 0).all() for bad, (mine, want) in zip(strange, pairs))
    return f"your values are {value} where " + ("0 is right, and right elsewhere" if zero else "they are not right")


def _whole(pairs, tolerance) -> str:
    if all(not mine.any() for mine, want in pairs) and sum(mine.size for mine, want in pairs) > 1:
        return "all your values are 0"
    if all(v.size == 1 and v == v.round() for pair in pairs for v in pair) and len(pairs) == 1:
        return ""  # one whole number is half of another, its root and so on by chance
    for words, change in WHOLE.items():
        if all(_like(mine, change(want), tolerance) for mine, want in pairs):
            return words
    return ""


def _factors(pairs, tolerance) -> list[float] | None:
    """The factor of each pair, if each has one."""
    factors = []
    for mine, want in pairs:
        if not (np.isfinite(mine).all() and np.isfinite(want).all() and np.abs(want).max(initial=0) > tolerance):
            return None
        at = np.unravel_index(np.abs(want).argmax(), want.shape)
        factors.append(float(mine[at] / want[at]))
        if not _like(mine, factors[-1] * want, tolerance):
            return None
    return factors


def _factor(pairs, tolerance, cases, names) -> str:
    factors = _factors(pairs, tolerance)
    if not factors or min(map(abs, factors)) < tolerance:
        return ""
    of_one_value = max(want.size for mine, want in pairs) == 1
    for formula, rule in SIZES.items() if len(cases) > 1 else ():
        for a, name in enumerate(names):
            sizes = [np.shape(array(case[a]) if array(case[a]) is not None else case[a]) for case in cases]
            for axis in range(min(map(len, sizes))):
                lengths = [size[axis] for size in sizes]
                with np.errstate(divide="ignore"):  # n - 1 is 0 for an axis of length 1
                    expected = rule(np.array(lengths, dtype=float))
                if len(set(lengths)) > 1 and np.allclose(expected, factors, rtol=1e-3):
                    return f"your values are the right ones times {formula}, n the length of axis {axis} of {name}"
    if np.ptp(factors) <= 1e-3 * abs(factors[0]) and (len(factors) > 1 or not of_one_value):
        return f"your values are the right ones times {factors[0]:.4g}"
    if of_one_value:
        return ""
    listed = ", ".join(f"{f:.4g}" for f in factors)
    return f"your values are the right ones times a factor: {listed} in the cases"


def _offset(pairs, tolerance) -> str:
    offsets = [mine - want for mine, want in pairs]
    first = offsets[0].flat[0]
    enough = sum(o.size for o in offsets) > 1 and np.isfinite(first)
    if enough and all(np.allclose(o, first, rtol=tolerance, atol=tolerance) for o in offsets):
        return f"your values are all {'above' if first > 0 else 'below'} the right ones by {abs(first):.4g}"
    return ""


def _order(pairs, tolerance) -> str:
    if any(want.size < 2 for mine, want in pairs):
        return ""
    for axis, words in enumerate(("the rows", "the columns")):
        if all(want.ndim == 2 and _permuted(mine, want, axis, tolerance) for mine, want in pairs):
            return f"{words} are right, but stand in another order"
    if all(_like(np.sort(mine, None), np.sort(want, None), tolerance) for mine, want in pairs):
        return "the values are right, but stand in other places"
    for axis, words in enumerate(("row", "column")):
        if all(want.ndim == 2 and _scaled_lines(mine, want, axis, tolerance) for mine, want in pairs):
            return f"each {words} is right but for a factor of its own"
    return ""


def _permuted(mine, want, axis, tolerance) -> bool:
    lines = [sorted(np.moveaxis(v, axis, 0).round(6).tolist()) for v in (mine, want)]
    return _like(np.array(lines[0]), np.array(lines[1]), tolerance)


def _scaled_lines(mine, want, axis, tolerance) -> bool:
    mine, want = np.moveaxis(mine, axis, 0), np.moveaxis(want, axis, 0)
    size = np.abs(want).max(1, initial=0)
    if mine.shape[1] < 2 or not np.isfinite(mine).all() or not np.isfinite(want).all():
        return False
    at = np.abs(want).argmax(1)
    factor = np.where(size > tolerance, mine[np.arange(len(mine)), at] / want[np.arange(len(want)), at], 1)
    return np.abs(factor).min() > tolerance and _like(mine, factor[:, None] * want, tolerance)


def _place(pairs, tolerance) -> str:
    """The place of the wrong values, if they have one in common."""
    wrong = [~np.isclose(mine, want, rtol=tolerance, atol=tolerance, equal_nan=True) for mine, want in pairs]
    if all(w.all() for w in wrong):
        return ""
    rights = [want for mine, want in pairs]
    square = all(w.ndim == 2 and w.shape[0] == w.shape[1] and w.shape[0] > 1 for w in wrong)
    if square and all(np.diag(w).sum() == w.sum() > 1 for w in wrong):
        return "only the diagonal is wrong"
    if square and all(not np.diag(w).any() and (w | np.eye(len(w), dtype=bool)).all() for w in wrong):
        return "only the diagonal is right"
    if all((want[w] == 0).all() for w, want in zip(wrong, rights)):
        return "only values that should be 0 are wrong"
    if all((want[w] != 0).all() and not mine[w].any() for w, (mine, want) in zip(wrong, pairs)):
        return "some values are 0 that should not be, and the others are right"
    if all((want[w] < 0).all() for w, want in zip(wrong, rights)):
        return "only values that should be negative are wrong"
    for end, words in ((0, "first"), (-1, "last")):
        if all(w.ndim and len(w) > 2 and w[end].any() and np.delete(w, end, 0).sum() == 0 for w in wrong):
            return f"only the {words} {'row' if wrong[0].ndim > 1 else 'value'} is wrong"
    for axis, words in enumerate(("row", "column")):
        lines = [w.any(axis=1 - axis) for w in wrong if w.ndim == 2]
        if len(lines) == len(wrong) and all(line.sum() == 1 and len(line) > 2 for line in lines):
            return f"only one {words} is wrong, and the others are right"
    return ""
