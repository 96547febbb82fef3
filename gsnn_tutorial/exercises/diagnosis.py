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
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import combinations

from gsnn_tutorial.exercises.attempt import Overheard, outcomes, raised, silence, unfinished
from gsnn_tutorial.exercises.difference import Difference, difference
from gsnn_tutorial.exercises.explanation import explanation
from gsnn_tutorial.exercises.slips import Slip, Source, undecorated
from gsnn_tutorial.exercises.values import close, is_constant, size
from gsnn_tutorial.exercises.wording import inputs


@dataclass(frozen=True)
class Exercise:
    """A task whose answer is a function.

    Arguments
        title: the name of the task, printed before each diagnosis.
        reference: a right answer, readable: ``solution()`` shows it.
        cases: seed -> argument tuples on which answers are compared; they must tell every mistake
            from the reference and from the other mistakes; the first may be the text's own examples.
        tolerance: largest difference, relative and absolute, that counts as equal.
        axes: a name for each axis of the result, such as ("pathway", "node"), in which a wrong shape is explained.
        shrinks: True if a case may be made smaller, line by line, to show where an answer differs.
        probe: (result, *case) -> what is compared instead of the result itself; None compares the result.
        helpers: functions and classes of the same file that ``reference`` calls, and that slips may change too.
        pairs: True if two slips at once are looked for; False where a call takes long.
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
        """A decorator: the function below is a mistake that pupils make, and they read this diagnosis."""
        if diagnosis in self.mistakes:
            raise ValueError(f"{self.title}: two mistakes have the diagnosis {diagnosis!r}")
        return lambda wrong: self.mistakes.setdefault(diagnosis, wrong)

    def slips(self, edits: Mapping[str, Mapping[str, str | None]]):
        """Add mistakes that are edits of the right answer: {diagnosis: {what stands there: what was written instead}}.

        None in place of a text takes the whole line out. Raises ValueError for an edit that does not fit.
        """
        for diagnosis, edit in edits.items():
            self.mistake(diagnosis)(self._source.slip(edit))

    @cached_property
    def _source(self) -> Source:
        return Source(self.reference, self.helpers)

    def __call__(self, answer: Callable, seed: int = 0) -> bool:
        """Check an answer: print what was found, return True if it is right."""
        diagnosis = self.diagnose(answer, seed)
        print(f"{self.title}: " + ("right." if diagnosis is None else diagnosis))
        return diagnosis is None

    def diagnose(self, answer: Callable, seed: int = 0) -> str | None:
        """None if the answer is right, else what is wrong with it."""
        if not callable(answer):
            return f"the check takes your function itself; got {type(answer).__name__}"
        cases, overheard = self.cases(seed), Overheard()
        with redirect_stdout(overheard):
            mine = self._outcomes(answer, cases)
        if words := unfinished(answer, mine, overheard.anything):
            return words
        want = self._outcomes(self.reference, cases)
        for error in filter(lambda value: isinstance(value, BaseException), want):
            raise error  # the exercise itself is wrong
        found = [(difference(x, y, self.tolerance), case) for x, y, case in zip(mine, want, cases)]
        wrong = sorted((one for one in found if one[0]), key=lambda one: size(one[1]))
        if not wrong:
            return None
        with silence():  # a mistake may divide by 0, which is not the pupil's doing
            for diagnosis, mistake in self.mistakes.items():
                if self._agrees(mistake, cases, mine):
                    return diagnosis
        names = list(inspect.signature(self.reference).parameters)
        for one, case in wrong:
            if one.kind == "error":
                return f"{raised(answer, one.mine)}. This is so for {inputs(case, names)}"
        if self.pairs and (words := self._two_slips(answer, seed, found)):
            return words
        again = partial(self._difference, answer) if self.shrinks else None
        return explanation(found, names, self.axes, again)

    def solution(self):
        """Print a right answer."""
        print(undecorated(self.reference))

    def _outcomes(self, function: Callable, cases: Sequence[tuple]) -> list:
        """The outcome of a function on each case, as the probe sees it, or the error that it raises."""
        return outcomes(function, cases, self.probe)

    def _difference(self, answer: Callable, case: tuple) -> Difference | None:
        """The difference on one more case, found in silence; None if there is none, or no right answer."""
        with silence():
            (mine,), (want,) = self._outcomes(answer, [case]), self._outcomes(self.reference, [case])
        return None if isinstance(want, BaseException) else difference(mine, want, self.tolerance)

    def _agrees(self, mistake: Callable, cases: Sequence[tuple], mine: Sequence) -> bool:
        """True if a mistake gives what the pupil's answer gives; it runs case by case, until they differ."""
        return all(self._same([x], self._outcomes(mistake, [case])) for case, x in zip(cases, mine))

    def _same(self, mine: list, want: list) -> bool:
        return all(close(x, y, self.tolerance) for x, y in zip(mine, want))

    def _two_slips(self, answer: Callable, seed: int, found: Sequence[tuple]) -> str | None:
        """Both diagnoses of two slips; None unless just one pair of them explains the answer, on other data too."""
        cases = [case for one, case in sorted(found, key=lambda one: (one[0] is None, size(one[1])))]
        pairs = self._pairs  # most of them fall on the first case, a small one on which the answer is wrong
        for these in (cases, self.cases(seed + 1)):
            with silence():
                mine = self._outcomes(answer, these)
                if is_constant(mine):  # 0 everywhere, say, is what many slips come to
                    return None
                pairs = {words: both for words, both in pairs.items() if self._agrees(both, these, mine)}
            if not pairs:
                return None
        return "".join(pairs) if len(pairs) == 1 else None

    @cached_property
    def _pairs(self) -> dict[str, Slip]:
        """{words: a wrong answer} of every two slips that can be made at once."""
        slips = [(diagnosis, wrong) for diagnosis, wrong in self.mistakes.items() if isinstance(wrong, Slip)]
        pairs = {
            f"two things are wrong at once. First: {one} Second: {two}": first.with_other(second)
            for (one, first), (two, second) in combinations(slips, 2)
        }
        return {words: both for words, both in pairs.items() if both is not None}


class Graded(Exercise):
    """An exercise that counts: it is graded on the data of its check and on data that nobody has seen.

    It keeps its solution to itself.
    """

    def grade(self, answer: Callable, seed: int, hidden: int):
        """Raise AssertionError with the diagnosis unless ``answer`` is right for both seeds.

        What the answer prints, or warns of, is dropped: nbgrader would take it for a failure.
        """
        with silence():
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
