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

    @sum_of_squares.mistake("you squared the sum. Square each number, then add up.")
    def squared_sum(x):
        return x.sum() ** 2

``sum_of_squares`` is then an :class:`Exercise`, and ``sum_of_squares.reference`` is the function.
"""

from __future__ import annotations

import copy
import inspect
import os
import re
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch


@dataclass(frozen=True)
class Exercise:
    """A task whose answer is a function.

    Arguments
        title: what the pupil is told has been checked.
        reference: a right answer, readable: ``solution()`` shows it.
        cases: seed -> argument tuples on which answers are compared; they must tell every mistake
            from the reference and from the other mistakes.
        tolerance: largest difference, relative and absolute, that counts as equal.
        probe: (result, *case) -> what is compared instead of the result itself; None compares the result.
        mistakes: {diagnosis: a wrong function, which may raise}, filled by ``mistake``. A diagnosis names the
            mistake and says what would be right.
    """

    title: str
    reference: Callable
    cases: Callable[[int], Sequence[tuple]]
    tolerance: float = 1e-5
    probe: Callable | None = None
    mistakes: dict[str, Callable] = field(default_factory=dict)

    def mistake(self, diagnosis: str) -> Callable[[Callable], Callable]:
        """A decorator: the function below is a mistake that pupils make, and this is what they are told."""
        if diagnosis in self.mistakes:
            raise ValueError(f"{self.title}: two mistakes have the diagnosis {diagnosis!r}")

        def keep(wrong: Callable) -> Callable:
            self.mistakes[diagnosis] = wrong
            return wrong

        return keep

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
        given = [self._outcome(answer, case) for case in cases]
        errors = [value for value in given if isinstance(value, BaseException)]
        if any(isinstance(error, NotImplementedError) for error in errors):
            return "no answer yet."
        if all(value is None or value is ... for value in given):
            return "no answer yet."
        right = [self._compared(self.reference, case) for case in cases]
        if self._same(given, right):
            return None
        for diagnosis, wrong in self.mistakes.items():
            if self._same(given, [self._outcome(wrong, case) for case in cases]):
                return diagnosis
        if errors:
            return f"your function raised {type(errors[0]).__name__}: {errors[0]}"
        return _difference(given, right, self.tolerance)

    def solution(self):
        """Print a right answer."""
        print(re.sub(r"\A@.*?(?=^def )", "", inspect.getsource(self.reference), flags=re.M | re.S))

    def _outcome(self, function: Callable, case: tuple):
        """What is compared of a function's answer to a case, or the error that it raises."""
        try:
            return self._compared(function, case)
        except (Exception, SystemExit) as error:
            return error

    def _compared(self, function: Callable, case: tuple):
        """What is compared; the probe sees the arguments as the function has left them, a model trained in place."""
        case = _copies(case)
        result = function(*case)
        return result if self.probe is None else self.probe(result, *case)

    def _same(self, a: list, b: list) -> bool:
        return all(_close(x, y, self.tolerance) for x, y in zip(a, b))


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


def _copies(case: tuple) -> tuple:
    """The arguments anew, so that an answer that writes into them harms nobody."""
    return copy.deepcopy(case)


def _array(value) -> np.ndarray | None:
    """A number, array, tensor or nested list as an array; None for anything else."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: a list of tensors that need gradients
        return None


def _length(value) -> int:
    """The number of values in a tuple, list, array or tensor; 0 for a single value."""
    return len(value) if isinstance(value, (tuple, list)) or np.ndim(value) else 0


def _shown(value) -> str:
    """A value in at most 80 characters."""
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim:
        return f"{type(value).__name__} of shape {tuple(value.shape)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _close(a, b, tolerance: float) -> bool:
    if isinstance(b, BaseException):  # torch and NumPy agree on an error's words up to the "for"
        return type(a) is type(b) and str(a).split(" for ")[0] == str(b).split(" for ")[0]
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(_close(a[name], b[name], tolerance) for name in b)
    if isinstance(b, tuple):
        return _length(a) == len(b) and all(_close(x, y, tolerance) for x, y in zip(a, b))
    x, y = _array(a), _array(b)
    if x is None or y is None:
        return type(a) is type(b) and a == b
    return x.shape == y.shape and np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)


def _difference(given: list, right: list, tolerance: float) -> str:
    """What differs, in the first case that does: the shape, or how many values."""
    mine, want = next((g, r) for g, r in zip(given, right) if not _close(g, r, tolerance))
    if isinstance(want, dict) and isinstance(mine, dict) and mine.keys() == want.keys():
        name = next(name for name in want if not _close(mine[name], want[name], tolerance))
        return f"{name}: {_difference([mine[name]], [want[name]], tolerance)}"
    if isinstance(want, tuple):
        if _length(mine) != len(want):
            return f"expected {len(want)} values, got {_length(mine) or _shown(mine)}"
        return _difference(list(mine), list(want), tolerance)
    x, y = _array(mine), _array(want)
    if x is None or y is None:
        return f"expected something like {_shown(want)}, got {_shown(mine)}"
    if x.shape != y.shape and not y.shape:
        return f"expected one number, got shape {x.shape}"
    if x.shape != y.shape:
        return f"expected shape {y.shape}, got {x.shape}"
    wrong = ~np.isclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f"{int(wrong.sum())} of {wrong.size} values differ; the first, at {first}," if first else "it"
    return f"{where} is {x[first]:.4g} and should be {y[first]:.4g}"
