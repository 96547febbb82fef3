"""The words for an answer when no known mistake agrees: the smallest case on which it differs, and how.

As an expert at the next desk would: these were the inputs, this is your value, this is the right one, and this is
what the wrong values have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gsnn_tutorial.exercises.difference import KINDS, Difference
from gsnn_tutorial.exercises.pattern import holds, pattern
from gsnn_tutorial.exercises.smallest import smallest
from gsnn_tutorial.exercises.values import size
from gsnn_tutorial.exercises.wording import inputs, is_readable, shown

Found = tuple[Difference, tuple]  # a difference, and the case on which it was found


def explanation(
    found: Sequence[tuple[Difference | None, tuple]],
    names: Sequence[str],
    axes: Sequence[str] = (),
    again: Callable[[tuple], Difference | None] | None = None,
) -> str:
    """A sentence on how an answer differs.

    Arguments
        found: (difference, or None if the answer is right there; case) of every case; one at least differs.
        names: of the arguments.
        axes: the axes' names of the right answer, such as ("pathway", "node").
        again: case -> difference, to look for a smaller case; None if these are the only ones.
    """
    wrong = [one for one in found if one[0] is not None]
    differences, cases = zip(*wrong)
    first = min(wrong, key=lambda one: (KINDS.index(one[0].kind), size(one[1])))
    outcome = first[0].outcome
    if all(one.is_turned for one in differences):
        return f"your {len(outcome[1])} values are right, and stand in the wrong order: expected {shown(outcome[1])}"
    words = ""
    yes_or_no = all(isinstance(one.outcome[1], bool) for one in differences)
    if first[0].kind == "values" and len({one.place for one in differences}) == 1 and not yes_or_no:
        words = pattern(differences, cases, names)
    shown_case, words = first, words
    if again is not None and (first[0].kind != "shape" or isinstance(outcome[1], tuple)):  # a shape is best seen whole
        shown_case, words = _smaller(first, words, names, again)
    seen, case = shown_case
    said = seen.in_words(axes)
    said = f"{words}{said[0].upper()}{said[1:]}" if words else said
    of = f"{seen.part}: " if seen.part else ""
    where = f" ({len(wrong)} of {len(found)} cases are wrong)" if len(wrong) < len(found) else ""
    return f"{of}{said}{where}. The smallest case found: {inputs(case, names)}"


def _smaller(first: Found, words: str, names: Sequence[str], again: Callable) -> tuple[Found, str]:
    """The smallest case that shows the difference, and what of the words is true of it."""

    def alike(words: str) -> Found:
        def look(case: tuple) -> Found | None:
            seen = again(case)
            if seen is None or not seen.is_like(first[0]):
                return None
            return (seen, case) if (holds(words, seen, case, names) if words else not seen.is_empty) else None

        return smallest(first, look)

    found = alike(words)
    if words and not all(map(is_readable, found[1])):  # the words hold in large cases only
        other = alike("")
        if all(map(is_readable, other[1])):
            return other, ""
    return found, words
