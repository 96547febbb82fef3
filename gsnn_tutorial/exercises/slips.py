"""A mistake as an edit: the right answer, with something else in one of its places.

An edit maps what stands in the right answer to what a pupil wrote instead; None takes the whole lines out. It is held
against the right answer's source when an exercise's file is imported, so that right and wrong cannot drift apart.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Change = tuple[int, int, str]  # from and to which character of the source, and the text that stands there instead


def undecorated(answer: Callable) -> str:
    """The source of a function or a class below its first decorator, which makes an exercise of it."""
    text = textwrap.dedent(inspect.getsource(answer))
    definition = ast.parse(text).body[0]
    first = [line.lineno for line in definition.decorator_list[1:]] or [definition.lineno]
    return "".join(text.splitlines(True)[first[0] - 1 :])


@dataclass(frozen=True)
class Source:
    """The text of a right answer, a function or a class, behind that of the helpers of its file that edits may change.

    Raises OSError if the source cannot be read, and ValueError for a helper of another file and for a function that
    reads a variable of the function around it.
    """

    answer: Callable
    helpers: Sequence[Callable] = ()

    @cached_property
    def text(self) -> str:
        """The source of the helpers, with their decorators, and of the answer, without its first."""
        for part in (*self.helpers, self.answer):
            enclosed = getattr(getattr(inspect.unwrap(part), "__code__", None), "co_freevars", ())
            if enclosed or part.__module__ != self.answer.__module__:
                raise ValueError(f"{part.__name__} must be at the top of the file of {self.answer.__name__}")
        return "\n".join([*map(inspect.getsource, self.helpers), undecorated(self.answer)])

    def slip(self, edit: Mapping[str, str | None]) -> Slip:
        """The right answer after an edit. Raises ValueError where it does not fit, changes nothing or is no Python."""
        found = set()
        for old, new in edit.items():
            places = [match.span() for match in re.finditer(re.escape(old), self.text)] if old else []
            if not places or old == new:
                raise ValueError(f"an edit of {self.answer.__name__} must change what stands in it; got {old!r}")
            found |= {(*self._lines(*span), "") if new is None else (*span, new) for span in places}
        if not found or _overlap(found):
            raise ValueError(f"an edit of {self.answer.__name__} must change each of its places once; got {edit}")
        return Slip(self, tuple(sorted(found)))

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
    """A wrong answer: a right one's source after some changes, with the names of the right one's file.

    Raises ValueError for changes after which the source is no Python.
    """

    source: Source
    changes: tuple[Change, ...]
    _code: object = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        name = f"<slip of {self.source.answer.__name__}>"
        try:
            object.__setattr__(self, "_code", compile(self.source.changed(self.changes), name, "exec"))
        except SyntaxError as error:
            raise ValueError(f"{name}, line {error.lineno}, is no Python: {error.msg}") from error

    @cached_property
    def wrong(self) -> Callable:
        """The wrong function or class. The names of its file are read at the first call, when all are there."""
        answer = inspect.unwrap(self.source.answer)
        functions = [part for part in (answer, *vars(answer).values()) if hasattr(part, "__globals__")]
        names = dict(functions[0].__globals__)
        exec(self._code, names)
        return names[self.source.answer.__name__]

    def __call__(self, *case):
        return self.wrong(*case)

    def with_other(self, other: Slip) -> Slip | None:
        """Both slips in one answer; None where they change the same place or make no Python together."""
        both = {*self.changes, *other.changes}
        if self.source is not other.source or len(both) < len(self.changes) + len(other.changes) or _overlap(both):
            return None
        try:
            return Slip(self.source, tuple(sorted(both)))
        except ValueError:
            return None


def _overlap(changes: set[Change]) -> bool:
    """True if two changes have a character or their place in common."""
    ordered = sorted(changes)
    return any(b[0] < a[1] or b[:2] == a[:2] for a, b in zip(ordered, ordered[1:]))
