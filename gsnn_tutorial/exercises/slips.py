"""A mistake as an edit: the right answer, with something else in one of its places.

An edit maps what stands in the right answer to what a pupil wrote instead; None takes the whole lines out. It is held
against the right answer's source when an exercise's file is imported, so that right and wrong cannot drift apart.
"""

from __future__ import annotations

import inspect
import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType

Change = tuple[int, int, str]  # from and to which character of the source, and the text that stands there instead


@dataclass(frozen=True)
class Source:
    """The text of a right answer, behind that of the helpers of its file that edits may change too.

    Raises ValueError for a function whose source cannot be read.
    """

    function: FunctionType
    helpers: Sequence[Callable] = ()

    @cached_property
    def text(self) -> str:
        """The source of the helpers and of the function, without decorators."""
        return "\n".join(_undecorated(part) for part in (*self.helpers, self.function))

    def changes(self, edit: Mapping[str, str | None]) -> tuple[Change, ...]:
        """Every place that an edit changes. Raises ValueError where the edit does not fit or changes nothing."""
        found = []
        for old, new in edit.items():
            places = [match.span() for match in re.finditer(re.escape(old), self.text)]
            if not places or old == new:
                raise ValueError(f"an edit of {self.function.__name__} must change what stands in it; got {old!r}")
            found += [(*self._lines(*span), "") if new is None else (*span, new) for span in places]
        found = sorted(set(found))
        if _overlap(found):
            raise ValueError(f"an edit of {self.function.__name__} changes one place twice: {edit}")
        return tuple(found)

    def _lines(self, start: int, end: int) -> tuple[int, int]:
        """The whole lines of which a part runs from ``start`` to ``end``, with the last one's line break."""
        after = self.text.find("\n", end - 1 if self.text[end - 1] == "\n" else end)
        return self.text.rfind("\n", 0, start) + 1, len(self.text) if after < 0 else after + 1

    def changed(self, changes: Sequence[Change]) -> str:
        """The text after the changes."""
        text = self.text
        for start, end, new in sorted(changes, reverse=True):
            text = text[:start] + new + text[end:]
        return text


@dataclass(frozen=True)
class Slip:
    """A wrong answer: a right one's source after some changes, compiled when it is first called.

    Raises ValueError for changes after which the source is no Python.
    """

    source: Source
    changes: tuple[Change, ...]
    _code: object = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        name, text = f"<slip of {self.source.function.__name__}>", self.source.changed(self.changes)
        try:
            object.__setattr__(self, "_code", compile(text, name, "exec"))
        except SyntaxError as error:
            raise ValueError(f"{name}, line {error.lineno}, is no Python: {error.msg}") from error
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)

    @cached_property
    def function(self) -> Callable:
        """The wrong function. It sees the names of the exercise's file as they are when it is first called."""
        names = dict(self.source.function.__globals__)
        exec(self._code, names)
        return names[self.source.function.__name__]

    def __call__(self, *case):
        return self.function(*case)

    def with_other(self, other: Slip) -> Slip | None:
        """Both slips in one answer; None where they change the same place or make no Python together."""
        both = sorted({*self.changes, *other.changes})
        if self.source is not other.source or _overlap(both) or len(both) < len(self.changes) + len(other.changes):
            return None
        try:
            return Slip(self.source, tuple(both))
        except ValueError:
            return None


def _undecorated(function: Callable) -> str:
    return re.sub(r"\A@.*?(?=^(?:def|class) )", "", inspect.getsource(function), flags=re.M | re.S)


def _overlap(changes: Sequence[Change]) -> bool:
    """True if two changes, in the order of their places, have a character in common or the same place."""
    return any(b[0] < a[1] or b[:2] == a[:2] for a, b in zip(changes, changes[1:]))
