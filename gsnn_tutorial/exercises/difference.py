"""The difference between what an answer gives for a case and what is right, found once, and said in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gsnn_tutorial.exercises.values import array, close, length, plain, size
from gsnn_tutorial.exercises.wording import digits, numbers_in_words, shown

KINDS = "values", "shape", "something else", "error"  # what is easiest to read comes first


@dataclass(frozen=True)
class Difference:
    """An outcome that is not the right one, by the first of its parts that is wrong.

    Arguments
        kind: values of the right shape, another shape, something else than numbers, or an error.
        part: the name of the part; "" where an outcome has none.
        mine, want: what the answer gives there, and what is right, in plain types.
        outcome: both, with all their parts.
        tolerance: as of the exercise.
    """

    kind: str
    part: str
    mine: object
    want: object
    outcome: tuple
    tolerance: float
    arrays: tuple[np.ndarray | None, np.ndarray | None] = field(repr=False)  # mine and want, where they are numbers

    @property
    def place(self) -> tuple[str, str]:
        """Differences of one place are wrong in the same part and in the same way."""
        return self.kind, self.part

    @property
    def is_turned(self) -> bool:
        """True if a pair, or more values, are right but for their order."""
        mine, want = self.outcome
        turned = isinstance(want, tuple) and length(mine) == len(want) > 1
        return turned and close(tuple(mine)[::-1], want, self.tolerance)

    @property
    def is_empty(self) -> bool:
        """True if nothing can be seen in a part, since there is nothing in what is right."""
        return not (self.arrays[1].size if self.kind in KINDS[:2] else size(self.want))

    def is_like(self, other: Difference) -> bool:
        """True if this one, of a smaller case, is of the other's place, and no case of another kind: too small, say."""
        mine, want = self.outcome
        whole = is_finite(want) and (is_finite(mine) or not is_finite(other.outcome[0]))
        return whole and self.place == other.place

    def in_words(self, axes: Sequence[str]) -> str:
        """A clause on the first value that is wrong; ``axes`` name the axes of an outcome without parts."""
        mine, want = self.mine, self.want
        if isinstance(want, tuple):
            return f"expected {len(want)} values, {shown(want)}, got {shown(mine)}"
        if self.kind == "something else":
            return _no_numbers(mine, want)
        if self.kind == "values" and isinstance(want, bool):
            return f"your answer is {bool(mine)}, and {bool(want)} is right"
        axes = () if self.part else axes
        return self._shape(axes) if self.kind == "shape" else self._first_value(axes)

    def _first_value(self, axes) -> str:
        mine, want = self.arrays
        if not mine.ndim:
            return "yours is {}, and {} is right".format(*digits(float(mine), float(want)))
        wrong = ~np.isclose(mine, want, rtol=self.tolerance, atol=self.tolerance, equal_nan=True)
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        said = f"{int(wrong.sum())} of {wrong.size} values differ; " if wrong.size > 1 else ""
        said += f"at [{', '.join(map(str, at))}]"
        if len(axes) == len(at):
            said += " (" + ", ".join(f"{axis} {i}" for axis, i in zip(axes, at)) + ")"
        said += " yours is {}, and {} is right".format(*digits(float(mine[at]), float(want[at])))
        return said + (self._both() if 1 < mine.size <= 12 else "")

    def _shape(self, axes) -> str:
        mine, want = (numbers.shape for numbers in self.arrays)
        both = self._both() if self.arrays[0].size <= 12 and 0 < self.arrays[1].size <= 12 else ""
        if not want:
            return f"expected one number, got shape {mine}{both}"
        meaning = ", ".join(f"a place for each {axis}" for axis in axes) if len(axes) == len(want) else ""
        said = f"expected shape {want}" + (f" ({meaning})" if meaning else "") + f", got {mine or 'one number'}"
        missing = [k for k in range(len(want)) if mine == want[:k] + want[k + 1 :]]
        if sorted(n for n in mine if n != 1) == sorted(n for n in want if n != 1) and len(mine) != len(want):
            said += ": an axis of length 1 is too many or missing"
        elif len(want) > 1 and mine == want[::-1] != want:
            said += ": it is transposed"
        elif mine and len(missing) == 1:
            said += f": axis {missing[0]}, of length {want[missing[0]]}, is missing"
        elif len(mine) > len(want):
            said += f": sum, or pick, over {len(mine) - len(want)} more axis"
        return said + both

    def _both(self) -> str:
        return " (yours: {}; right: {})".format(*map(numbers_in_words, self.arrays))


def difference(mine, want, tolerance: float) -> Difference | None:
    """The difference of an answer's outcome from the right one; None if both say the same."""
    if close(mine, want, tolerance):
        return None
    if isinstance(mine, BaseException):
        return Difference("error", "", mine, want, (mine, want), tolerance, (None, None))
    outcome = mine, want = plain(mine), plain(want)
    part = ""
    if isinstance(want, dict) and isinstance(mine, dict) and mine.keys() == want.keys():
        part, mine, want = next((str(k), mine[k], want[k]) for k in want if not close(mine[k], want[k], tolerance))
    elif isinstance(want, tuple) and length(mine) == len(want):
        k = next(k for k in range(len(want)) if not close(mine[k], want[k], tolerance))
        part, mine, want = f"value {k + 1} of {len(want)}", mine[k], want[k]
    arrays = array(mine), array(want)
    kind = "something else"
    if arrays[0] is not None and arrays[1] is not None:
        kind = "values" if arrays[0].shape == arrays[1].shape else "shape"
    return Difference(kind, part, mine, want, outcome, tolerance, arrays)


def is_finite(value) -> bool:
    """True if no number in a value is infinite or NaN."""
    if isinstance(value, (dict, tuple)):
        return all(map(is_finite, value.values() if isinstance(value, dict) else value))
    numbers = array(value)
    return numbers is None or bool(np.isfinite(numbers).all())


def _no_numbers(mine, want) -> str:
    """A clause on an outcome or on a right answer that is no array of numbers."""
    if isinstance(want, str) and isinstance(mine, str):
        return f"your answer is {mine!r}, and {want!r} is right"
    if mine is None:
        return "your function returned nothing (None) there: a path through it ends without `return`"
    if isinstance(want, dict):
        found = f"those of {', '.join(map(str, mine))}" if isinstance(mine, dict) else shown(mine)
        return f"expected values with the names {', '.join(map(str, want))}, got {found}"
    if array(want) is None:
        rows = isinstance(want, list) and isinstance(mine, (list, tuple))
        return _first_row(mine, want) if rows else f"expected {shown(want)}, got {shown(mine)}"
    if isinstance(mine, str):
        return f"your answer is a word, {shown(mine)}, and numbers are asked for"
    if isinstance(mine, (tuple, list)) and any(part is None for part in mine):
        return "there is a None among your values"
    expected = "one number" if not array(want).shape else f"numbers of shape {array(want).shape}"
    return f"expected {expected}, got {shown(mine)}"


def _first_row(mine, want) -> str:
    """A clause on the first row in which two lists of words differ."""
    k = next((k for k, (x, y) in enumerate(zip(mine, want)) if not close(x, y, 0)), min(len(mine), len(want)))
    of = f"yours has {len(mine)} rows, and {len(want)} are right; " if len(mine) != len(want) else ""
    yours = f"yours is {shown(mine[k])}" if k < len(mine) else "yours has none"
    correct = f"{shown(want[k])} is right" if k < len(want) else "none is right"
    return f"{of}at [{k}] {yours}, and {correct}"
