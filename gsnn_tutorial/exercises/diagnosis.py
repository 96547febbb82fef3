"""An exercise that checks itself.

A pupil writes a function. It is run beside a right answer, on cases that are drawn from a seed, and beside the
functions that pupils write by mistake: if it agrees with one of those, the diagnosis names the mistake.

An exercise is written down like this::

    def cases(seed):
        rng = np.random.default_rng(seed)
        return [(rng.standard_normal(n),) for n in (3, 5)]

    @exercise("Sum of squares", cases=cases)
    def sum_of_squares(x):
        return (x**2).sum()

    sum_of_squares.slips({
        "you squared the sum. Square each number, then add up.": {"(x**2).sum()": "x.sum() ** 2"},
        "you added up the numbers themselves: square them first.": {"**2": ""},
    })

    @sum_of_squares.mistake("you took the largest square only.")
    def largest_square(x):
        return (x**2).max()

Most mistakes are *slips*: the right answer with something else in one place, see ``slips``. A mistake that is another
algorithm is a function of its own. ``sum_of_squares`` is then an :class:`Exercise`, and
``sum_of_squares.reference`` is the function.
"""

from __future__ import annotations

import inspect
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

from gsnn_tutorial.exercises.attempt import Overheard, outcome, outcomes, raised, same_luck, unfinished
from gsnn_tutorial.exercises.difference import difference
from gsnn_tutorial.exercises.inputs import inputs
from gsnn_tutorial.exercises.shrink import size
from gsnn_tutorial.exercises.slips import Slip, Source
from gsnn_tutorial.exercises.values import close


@dataclass(frozen=True)
class Exercise:
    """A task whose answer is a function.

    Arguments
        title: what the pupil is told has been checked.
        reference: a right answer, readable: ``solution()`` shows it.
        cases: seed -> argument tuples on which answers are compared; they must tell every mistake
            from the reference and from the other mistakes; the first may be the text's own examples.
        tolerance: largest difference, relative and absolute, that counts as equal.
        axes: what each axis of the result is about, such as ("pathway", "node"): a wrong shape is told in these words.
        shrinks: whether a case may be made smaller, line by line, to show where an answer differs.
        probe: (result, *case) -> what is compared instead of the result itself; None compares the result.
        helpers: functions and classes of the same file that ``reference`` calls, and that slips may change too.
        pairs: whether two slips at once are looked for; False where a call takes long.
        mistakes: {diagnosis: a wrong function, which may raise}, filled by ``mistake`` and ``slips``. A diagnosis
            names the mistake and says what would be right.
    """

    title: str
    reference: Callable
    cases: Callable[[int], Sequence[tuple]]
    tolerance: float = 1e-5
    probe: Callable | None = None
    axes: tuple[str, ...] = ()
    shrinks: bool = True
    helpers: tuple[Callable, ...] = ()
    pairs: bool = True
    mistakes: dict[str, Callable] = field(default_factory=dict)

    def mistake(self, diagnosis: str) -> Callable[[Callable], Callable]:
        """A decorator: the function below is a mistake that pupils make, and this is what they are told."""

        def keep(wrong: Callable) -> Callable:
            self._add(diagnosis, wrong)
            return wrong

        return keep

    def slips(self, edits: Mapping[str, Mapping[str, str | None]]):
        """Add mistakes that are edits of the right answer: {diagnosis: {what stands there: what was written instead}}.

        None in place of a text takes the whole line out. Raises ValueError for an edit that does not fit.
        """
        source = Source(self.reference, self.helpers)
        for diagnosis, edit in edits.items():
            self._add(diagnosis, Slip(source, source.changes(edit)))

    def _add(self, diagnosis: str, wrong: Callable):
        if diagnosis in self.mistakes:
            raise ValueError(f"{self.title}: two mistakes have the diagnosis {diagnosis!r}")
        self.mistakes[diagnosis] = wrong

    def __call__(self, answer: Callable, seed: int = 0) -> bool:
        """Check an answer: print what was found, return whether it is right."""
        diagnosis = self.diagnose(answer, seed)
        print(f"{self.title}: " + ("right." if diagnosis is None else diagnosis))
        return diagnosis is None

    def diagnose(self, answer: Callable, seed: int = 0) -> str | None:
        """None if the answer is right, else what is wrong with it."""
        if not callable(answer):
            return f"the check takes your function itself; got {type(answer).__name__}"
        cases = self.cases(seed)
        overheard = Overheard()
        with redirect_stdout(overheard):
            given = self._outcomes(answer, cases)
        if words := unfinished(answer, given, overheard.anything):
            return words
        with same_luck() as start_anew:
            right = [outcome(self.reference, case, self.probe, start_anew) for case in cases]
        if self._same(given, right):
            return None
        for diagnosis, wrong in self.mistakes.items():
            if self._agrees(wrong, cases, given):
                return diagnosis
        broken = [(size(case), k) for k, case in enumerate(cases) if isinstance(given[k], BaseException)]
        if self.pairs and not broken and (words := self._two_slips(cases, given)):  # two answers break alike by chance
            return words
        names = list(inspect.signature(self.reference).parameters)
        if broken:
            k = min(broken)[1]
            return f"{raised(answer, given[k])}. This is so for {inputs(cases[k], names)}"
        again = self._again(answer) if self.shrinks else None
        settings = {"names": names, "tolerance": self.tolerance, "axes": self.axes}
        return difference(cases, given, right, again=again, **settings)

    def _again(self, answer: Callable) -> Callable[[tuple], tuple]:
        """case -> (what the answer gives, what is right), in silence."""

        def both(case: tuple) -> tuple:
            with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return tuple(self._outcomes(function, [case])[0] for function in (answer, self.reference))

        return both

    def solution(self):
        """Print a right answer."""
        print(re.sub(r"\A@.*?(?=^def )", "", inspect.getsource(self.reference), flags=re.M | re.S))

    def _outcomes(self, function: Callable, cases: Sequence[tuple]) -> list:
        """What is compared of a function's answer to each case, or the error that it raises."""
        return outcomes(function, cases, self.probe)

    def _agrees(self, wrong: Callable, cases: Sequence[tuple], given: Sequence) -> bool:
        """True if a wrong answer gives what the pupil's gives; it runs case by case, until they differ."""
        return all(self._same([mine], self._outcomes(wrong, [case])) for case, mine in zip(cases, given))

    def _two_slips(self, cases: Sequence[tuple], given: Sequence) -> str | None:
        """What is wrong with an answer that makes two slips at once; None unless just one pair of them explains it."""
        slips = [(diagnosis, wrong) for diagnosis, wrong in self.mistakes.items() if isinstance(wrong, Slip)]
        found = []
        for (one, a), (two, b) in combinations(slips, 2):
            both = a.with_other(b)
            if both is not None and self._agrees(both, cases, given):
                found.append(f"two things are wrong at once. First: {one} Second: {two}")
        return found[0] if len(found) == 1 else None

    def _same(self, a: list, b: list) -> bool:
        return all(close(x, y, self.tolerance) for x, y in zip(a, b))


class Graded(Exercise):
    """An exercise that counts: it is graded on the data of its check and on data that nobody has seen.

    It keeps its solution to itself.
    """

    def grade(self, answer: Callable, seed: int, hidden: int):
        """Raise AssertionError with the diagnosis unless ``answer`` is right for both seeds.

        What the answer prints, or warns of, is dropped: nbgrader would take it for a failure.
        """
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                diagnosis = self.diagnose(answer, seed)
                if diagnosis is None and (unseen := self.diagnose(answer, hidden)):
                    diagnosis = f"right on the visible data only. On other data: {unseen}"
        if diagnosis is not None:
            raise AssertionError(f"{self.title}: {diagnosis}")

    def solution(self):
        """Say that there is none to be seen."""
        print(f"{self.title}: this exercise is graded, so its solution is not shown.")


def exercise(title: str, *, kind: type[Exercise] = Exercise, **settings) -> Callable[[Callable], Exercise]:
    """A decorator: the function below is a right answer, and becomes an exercise with its ``cases`` and so on."""
    return lambda reference: kind(title, reference, **settings)


graded = partial(exercise, kind=Graded)
