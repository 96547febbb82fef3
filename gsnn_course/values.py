"""Values on their way out of a pupil's kernel: as JSON, which can hold no code, and back.

All that a check can compare comes through: numbers, words, lists, tuples, dictionaries, sets, arrays, and errors. A
tensor, a table and whatever else ``exercises.values.plain`` reads comes through as its content; of the rest only its
looks.
"""

from __future__ import annotations

import base64
import json
import numbers
import sys
from collections.abc import Callable

import numpy as np

from gsnn_tutorial.exercises.values import plain

LARGEST = 100_000_000  # characters that a value may take
DEPTH = 30  # of lists in lists
SHOWN = 1000  # characters of something of which only the looks are known
GROUPS = {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset}


class Unreadable:
    """Something of which only the looks are known."""

    def __init__(self, shown: str):
        self.shown = shown

    def __repr__(self) -> str:
        return self.shown


def encode(value) -> str:
    """A value, or an error that was raised, as text."""
    text = json.dumps(_out(value, DEPTH))
    if len(text) > LARGEST:
        text = json.dumps(_out(ValueError(f"the result is too large: {len(text) / 1e6:.0f} MB"), DEPTH))
    return text


def decode(text: str):
    """The value that ``encode`` was given; something unreadable if the text is of another kind."""
    try:
        return _in(json.loads(text), DEPTH)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, AttributeError, RuntimeError,
            OverflowError, MemoryError) as error:  # fmt: skip
        return Unreadable(f"an unreadable result ({type(error).__name__})")


# Out of a kernel


def _out(value, depth: int):
    """None, booleans, words and floats as they are, and the rest as [kind, content]."""
    if depth == 0:
        return ["shown", "something with too many lists in lists"]
    if isinstance(value, BaseException):
        return ["error", _error_out(value, depth)]
    value = _look(plain, value, value)
    if value is None or type(value) in (bool, float):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if value is ...:
        return ["dots", None]
    if type(value) is int:
        return ["int", hex(value)]
    if isinstance(value, np.ndarray):
        return _array_out(value, depth)
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return ["number", _bytes(np.asarray(value))]
    for name, sort in GROUPS.items():
        if isinstance(value, sort):
            return [name, [_out(part, depth - 1) for part in value]]
    if isinstance(value, dict):
        return ["dict", [[_out(key, depth - 1), _out(part, depth - 1)] for key, part in value.items()]]
    if isinstance(value, numbers.Complex):
        return ["number", _bytes(np.asarray(complex(value) if not isinstance(value, numbers.Real) else float(value)))]
    return ["shown", _looks(value)]


def _look(how: Callable, value, otherwise):
    """A look at a pupil's object, which may do anything when it is looked at."""
    try:
        return how(value)
    except Exception:
        return otherwise


def _array_out(value: np.ndarray, depth: int):
    if value.dtype.kind in "biufc":
        return ["array", _bytes(value)]
    return ["list", [_out(part, depth - 1) for part in value.tolist()]] if value.ndim else ["shown", _looks(value)]


def _bytes(array: np.ndarray) -> list:
    """An array as [type, shape, its bytes]."""
    array = array.astype(array.dtype.newbyteorder("<"))
    return [array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode()]


def _looks(value) -> str:
    return _look(lambda value: str(repr(value))[:SHOWN], value, f"a {type(value).__name__}")


def _error_out(error: BaseException, depth: int) -> list:
    arguments = [_out(part, depth - 1) for part in error.args[:3]]
    text = _look(lambda error: str(error)[:10_000], error, "")
    return [type(error).__module__, type(error).__qualname__, arguments, text]


# And in


def _in(content, depth: int):
    if content is None or isinstance(content, (bool, float, str)):
        return content
    kind, content = content
    if kind in GROUPS:
        return GROUPS[kind](_in(part, depth - 1) for part in content)
    match kind:
        case "int":
            return int(content, 16)
        case "dots":
            return ...
        case "dict":
            return {_in(key, depth - 1): _in(part, depth - 1) for key, part in content}
        case "array":
            return _array_in(*content)
        case "number":
            return _array_in(*content)[()]
        case "error":
            return _error_in(*content)
        case "shown":
            return Unreadable(str(content)[:SHOWN])
    raise ValueError(kind)


def _array_in(kind: str, shape: list[int], text: str) -> np.ndarray:
    dtype = np.dtype(str(kind))
    if dtype.kind not in "biufc":
        raise ValueError(kind)
    return np.frombuffer(base64.b64decode(text), dtype).reshape(tuple(map(int, shape))).copy()


def _error_in(module: str, name: str, arguments: list, text: str) -> BaseException:
    """The error of this type, if the type is one that is already known here; else a RuntimeError of its name."""
    kind = getattr(sys.modules.get(module), name, None)
    if isinstance(kind, type) and issubclass(kind, (Exception, SystemExit)):
        for given in ([_in(part, DEPTH) for part in arguments], [str(text)]):
            try:
                error = kind(*given)
                if str(error)[:10_000] == text:
                    return error
            except Exception:  # a type that is made in another way
                continue
    return type(name if name.isidentifier() else "Error", (RuntimeError,), {})(str(text))
