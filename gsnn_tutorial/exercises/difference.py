"""What a pupil is told when no known mistake agrees: the smallest case on which the answer differs, and how.

As an expert at the next desk would: these were the inputs, this is your value, this is the right one, and this is
what the wrong values have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gsnn_tutorial.exercises.inputs import in_words, inputs, is_readable
from gsnn_tutorial.exercises.pattern import holds, pattern
from gsnn_tutorial.exercises.shrink import shrunk, size
from gsnn_tutorial.exercises.values import array, close, digits, length, plain, shown


def difference(
    cases: Sequence[tuple],
    given: Sequence,
    right: Sequence,
    *,
    names: Sequence[str],
    tolerance: float,
    axes: Sequence[str] = (),
    again: Callable[[tuple], tuple] | None = None,
) -> str:
    """Say what differs.

    Arguments
        cases, given, right: argument tuples, what the answer gives for each, and what is right.
        names: of the arguments.
        tolerance: as of the exercise.
        axes: what each axis of the right answer is about, such as ("pathway", "node").
        again: case -> (given, right), to look for a smaller case; None if these are the only ones.
    """
    wrong = [k for k, (g, r) in enumerate(zip(given, right)) if not close(g, r, tolerance)]
    k = min(wrong, key=lambda k: (_kind(given[k], right[k], tolerance), size(cases[k])))
    kind, label = _kind(given[k], right[k], tolerance), _part(given[k], right[k], tolerance)[0]
    case, mine, want = cases[k], given[k], right[k]
    if all(_turned(given[j], right[j], tolerance) for j in wrong):
        return f"your {len(plain(want))} values are right, and stand in the wrong order: expected {shown(want)}"
    words = _common(kind, label, [(given[j], right[j], cases[j]) for j in wrong], names, tolerance)

    def smaller_case(words: str) -> tuple:
        found = case, mine, want

        def alike(smaller: tuple) -> bool:
            nonlocal found
            outcome = again(smaller)
            if _differs_alike(*outcome, smaller, kind, label, words, _finite(mine), names, tolerance):
                found = smaller, *outcome  # kept, since an answer that counts its calls gives another one next time
                return True
            return False

        shrunk(case, alike)
        return found

    if again is not None and (kind != 1 or isinstance(plain(want), tuple)):  # a shape is best seen in a whole case
        found = smaller_case(words)
        if words and not all(map(is_readable, found[0])):  # what is said holds in large cases only
            other = smaller_case("")
            found, words = (other, "") if all(map(is_readable, other[0])) else (found, words)
        case, mine, want = found
    where = f" ({len(wrong)} of {len(cases)} cases are wrong)" if len(wrong) < len(cases) else ""
    label, mine, want = _part(mine, want, tolerance)
    said = _said(kind, mine, want, tolerance, axes if not label else ())
    of = f"{label}: " if label else ""
    said = said[0].upper() + said[1:] if words else said
    return f"{of}{words}{said}{where}. The smallest case found: {inputs(case, names)}"


# What kind of difference it is


def _kind(mine, want, tolerance) -> int:
    """0: values of the right shape; 1: another shape; 2: something else; 3: an error."""
    if isinstance(mine, BaseException):
        return 3
    _, mine, want = _part(mine, want, tolerance)
    x, y = array(mine), array(want)
    return 2 if x is None or y is None else int(x.shape != y.shape)


def _part(mine, want, tolerance) -> tuple:
    """(its name, given, right) of the part of an answer that differs; without a name where it has no parts."""
    mine, want = plain(mine), plain(want)
    if isinstance(want, dict) and isinstance(mine, dict) and mine.keys() == want.keys():
        wrong = [name for name in want if not close(mine[name], want[name], tolerance)]
        return (str(wrong[0]), mine[wrong[0]], want[wrong[0]]) if wrong else ("", mine, want)
    if isinstance(want, tuple) and length(mine) == len(want):
        wrong = [k for k in range(len(want)) if not close(mine[k], want[k], tolerance)]
        if wrong:
            return f"value {wrong[0] + 1} of {len(want)}", mine[wrong[0]], want[wrong[0]]
    return "", mine, want


def _turned(mine, want, tolerance) -> bool:
    """Whether a pair, or more, is right but for its order."""
    mine, want = plain(mine), plain(want)
    return isinstance(want, tuple) and length(mine) == len(want) > 1 and close(tuple(mine)[::-1], want, tolerance)


def _common(kind, label, outcomes, names, tolerance) -> str:
    """What all wrong values have in common; nothing unless all differ in the same part and the same way."""
    parts = [(_kind(g, r, tolerance), *_part(g, r, tolerance)) for g, r, _ in outcomes]
    parts = [
        (array(g), array(r), case) for (k, name, g, r), (*_, case) in zip(parts, outcomes) if (k, name) == (0, label)
    ]
    if kind != 0 or len(parts) != len(outcomes) or all(_yes_or_no(r) for _, r, _ in outcomes):
        return ""
    return pattern([part[:2] for part in parts], [part[2] for part in parts], names, tolerance)


def _differs_alike(mine, want, case, kind, label, words, finite, names, tolerance) -> bool:
    """Whether a smaller case is a proper one, on which the answer differs in the same way."""
    if isinstance(want, BaseException) or close(mine, want, tolerance):
        return False
    if not _finite(want) or (finite and not _finite(mine)):  # a case of another kind: too few samples, say
        return False
    if (_kind(mine, want, tolerance), _part(mine, want, tolerance)[0]) != (kind, label):
        return False
    _, x, y = _part(mine, want, tolerance)
    if kind == 2:
        return bool(size(y))
    if words:
        return holds(words, (array(x), array(y)), case, names, tolerance)
    return bool(array(y).size)


def _yes_or_no(value) -> bool:
    return isinstance(value, (bool, np.bool_))


def _finite(value) -> bool:
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, tuple):
        return all(map(_finite, value))
    numbers = array(value)
    return numbers is None or bool(np.isfinite(numbers).all())


# What is said of it


def _said(kind, mine, want, tolerance, axes) -> str:
    if isinstance(want, tuple):
        return f"expected {len(want)} values, {shown(want)}, got {shown(mine)}"
    if kind == 2:
        return _words(mine, want)
    if kind == 0 and _yes_or_no(want):
        return f"your answer is {bool(mine)}, and {bool(want)} is right"
    x, y = array(mine), array(want)
    if kind == 1:
        both = f" (yours: {in_words(x)}; right: {in_words(y)})" if x.size <= 12 and 0 < y.size <= 12 else ""
        return _shapes(x.shape, y.shape, axes) + both
    if not x.ndim:
        return "yours is {}, and {} is right".format(*digits(float(x), float(y)))
    wrong = ~np.isclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    yours, correct = digits(float(x[at]), float(y[at]))
    said = f"{int(wrong.sum())} of {wrong.size} values differ; " if wrong.size > 1 else ""
    said += f"at [{', '.join(map(str, at))}]"
    if len(axes) == len(at):
        said += " (" + ", ".join(f"{axis} {i}" for axis, i in zip(axes, at)) + ")"
    said += f" yours is {yours}, and {correct} is right"
    if 1 < x.size <= 12:
        said += f" (yours: {in_words(x)}; right: {in_words(y)})"
    return said


def _words(mine, want) -> str:
    if isinstance(want, str) and isinstance(mine, str):
        return f"your answer is {mine!r}, and {want!r} is right"
    if mine is None:
        return "your function returned nothing (None) there: a path through it ends without `return`"
    if isinstance(want, dict):
        found = f"those of {', '.join(map(str, mine))}" if isinstance(mine, dict) else shown(mine)
        return f"expected values with the names {', '.join(map(str, want))}, got {found}"
    if isinstance(want, list) and array(want) is None and isinstance(mine, (list, tuple)):
        return _rows(mine, want)
    if array(want) is None:
        return f"expected {shown(want)}, got {shown(mine)}"
    if isinstance(mine, str):
        return f"your answer is a word, {shown(mine)}, and numbers are asked for"
    if isinstance(mine, (tuple, list)) and any(part is None for part in mine):
        return "there is a None among your values"
    expected = "one number" if not array(want).shape else f"numbers of shape {array(want).shape}"
    return f"expected {expected}, got {shown(mine)}"


def _rows(mine, want) -> str:
    """The first row in which two lists of words differ."""
    k = next((k for k, (x, y) in enumerate(zip(mine, want)) if not close(x, y, 0)), min(len(mine), len(want)))
    of = f"yours has {len(mine)} rows, and {len(want)} are right; " if len(mine) != len(want) else ""
    yours = f"yours is {shown(mine[k])}" if k < len(mine) else "yours has none"
    correct = f"{shown(want[k])} is right" if k < len(want) else "none is right"
    return f"{of}at [{k}] {yours}, and {correct}"


def _shapes(mine: tuple, want: tuple, axes) -> str:
    if not want:
        return f"expected one number, got shape {mine}"
    meaning = ", ".join(f"a place for each {axis}" for axis in axes) if len(axes) == len(want) else ""
    said = f"expected shape {want}" + (f" ({meaning})" if meaning else "") + f", got {mine or 'one number'}"
    if sorted(n for n in mine if n != 1) == sorted(n for n in want if n != 1) and len(mine) != len(want):
        return said + ": an axis of length 1 is too many or missing"
    if len(want) > 1 and mine == want[::-1] != want:
        return said + ": it is transposed"
    missing = [k for k in range(len(want)) if mine == want[:k] + want[k + 1 :]]
    if mine and len(missing) == 1:
        return said + f": axis {missing[0]}, of length {want[missing[0]]}, is missing"
    if len(mine) > len(want):
        return said + f": sum, or pick, over {len(mine) - len(want)} more axis"
    return said
