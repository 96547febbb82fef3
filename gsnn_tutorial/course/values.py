"""Values on their way out of a pupil's kernel: as JSON, which can hold no code, and back.

What a check can compare comes through as it was: numbers, texts, lists, tuples, dictionaries, sets, arrays, tensors,
and errors. Anything that NumPy can read as numbers comes through as an array, and of the rest only how it looks.
"""

from __future__ import annotations

import base64
import io
import json
import sys

import numpy as np
import torch

LARGEST = 100_000_000  # characters that a value may take
DEPTH = 30  # of lists in lists


class Unreadable:
    """Something of which only the looks are known."""

    def __init__(self, shown: str):
        self.shown = shown

    def __repr__(self) -> str:
        return self.shown


def encode(value) -> str:
    """A value, or an error that was raised, as text."""
    text = json.dumps(_plain(value, DEPTH))
    if len(text) > LARGEST:
        text = json.dumps(_plain(ValueError(f"the result is too large: {len(text) / 1e6:.0f} MB"), DEPTH))
    return text


def decode(text: str):
    """What ``encode`` was given; something unreadable where the text is not such."""
    try:
        return _value(json.loads(text), DEPTH)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, AttributeError, RuntimeError) as error:
        return Unreadable(f"an unreadable result ({type(error).__name__})")


def _plain(value, depth: int):
    """What JSON can hold: None, booleans, whole numbers and texts as they are, and the rest as [kind, content]."""
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if depth == 0:
        return ["shown", "something with too many lists in lists"]
    if kind is int:
        return ["int", hex(value)]
    if kind is float:
        return ["float", value.hex()]
    if value is ...:
        return ["dots", None]
    if isinstance(value, BaseException):
        arguments = [_plain(part, depth - 1) for part in value.args[:3]]
        return ["error", [kind.__module__, kind.__qualname__, arguments, str(value)[:10_000]]]
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return ["array", _bytes(value)]
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return ["number", _bytes(np.asarray(value))]
    if isinstance(value, str):
        return str.__str__(value)
    for name, sort in (("tuple", tuple), ("list", list), ("set", set), ("frozenset", frozenset)):
        if isinstance(value, sort):
            return [name, [_plain(part, depth - 1) for part in value]]
    if isinstance(value, dict):
        return ["dict", [[_plain(key, depth - 1), _plain(part, depth - 1)] for key, part in value.items()]]
    if isinstance(value, type) or callable(value):
        return ["shown", _looks(value)]
    try:
        array = np.asarray(value, dtype=float)
    except Exception:  # whatever a pupil's object does
        return ["shown", _looks(value)]
    return ["array", _bytes(array)]


def _tensor(value: torch.Tensor):
    plain = value.detach().cpu()
    if plain.layout != torch.strided or plain.is_quantized:
        return ["shown", _looks(value)]
    name = str(plain.dtype).removeprefix("torch.")
    wide = plain.float() if plain.dtype in (torch.bfloat16, torch.float16) else plain
    return ["tensor", [_bytes(wide.resolve_conj().resolve_neg().numpy()), name, value.requires_grad]]


def _bytes(array: np.ndarray) -> str:
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode()


def _looks(value) -> str:
    try:
        return repr(value)[:1000]
    except Exception:  # a pupil's own __repr__
        return f"a {type(value).__name__}"


def _value(plain, depth: int):
    if plain is None or isinstance(plain, (bool, str)):
        return plain
    kind, content = plain
    inside = [_value(part, depth - 1) for part in content] if kind in ("tuple", "list", "set", "frozenset") else None
    match kind:
        case "int":
            return int(content, 16)
        case "float":
            return float.fromhex(content)
        case "dots":
            return ...
        case "tuple" | "list" | "set" | "frozenset":
            return {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset}[kind](inside)
        case "dict":
            return {_value(key, depth - 1): _value(part, depth - 1) for key, part in content}
        case "array":
            return _array(content)
        case "number":
            return _array(content)[()]
        case "tensor":
            tensor = torch.from_numpy(_array(content[0])).to(getattr(torch, content[1]))
            return tensor.requires_grad_(content[2] and tensor.is_floating_point())
        case "error":
            return _error(*content)
        case "shown":
            return Unreadable(str(content))
    raise ValueError(kind)


def _array(text: str) -> np.ndarray:
    return np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)


def _error(module: str, name: str, arguments: list, text: str) -> BaseException:
    """The error of this type, if the type is one that is already known here; else a RuntimeError of its name."""
    kind = getattr(sys.modules.get(module), name, None)
    if isinstance(kind, type) and issubclass(kind, (Exception, SystemExit)):
        error = kind.__new__(kind)
        error.args = tuple(_value(part, DEPTH) for part in arguments)
        try:
            if str(error)[:10_000] == text:
                return error
        except Exception:  # a type whose text needs more than its arguments
            pass
        error = kind.__new__(kind)
        error.args = (text,)
        return error
    return type(name if name.isidentifier() else "Error", (RuntimeError,), {})(text)
