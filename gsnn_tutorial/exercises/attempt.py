"""Runs a pupil's function with the same random numbers every time, and explains if it is unfinished or raises."""

from __future__ import annotations

import copy
import dis
import io
import linecache
import os
import random
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from unittest.mock import patch

import numpy as np
import torch

NO_ANSWER = "no answer yet."


@contextmanager
def same_luck() -> Iterator[Callable[[], None]]:
    """Yields a function after each call of which unseeded draws come out alike; then puts the generators back."""
    python, numpy, fresh = random.getstate(), np.random.get_state(), np.random.default_rng

    def seeded(seed=None):
        return fresh(0 if seed is None else seed)

    def restart():
        random.seed(0)
        np.random.seed(0)
        torch.default_generator.manual_seed(0)  # torch.manual_seed speaks to every kind of device too, each time

    with torch.random.fork_rng(devices=[]), patch.object(np.random, "default_rng", seeded):
        try:
            yield restart
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


@contextmanager
def silence() -> Iterator[None]:
    """Drops all that is printed or warned of."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield


class Elsewhere:
    """A pupil's function that runs in another process, from which ``outcomes`` brings its results."""

    does_nothing = False  # True for an untouched stub, as was seen there

    def outcomes(self, cases: Sequence[tuple], probe: Callable | None) -> list:
        raise NotImplementedError


def outcomes(function: Callable, cases: Sequence[tuple], probe: Callable | None = None) -> list:
    """The outcome of a function on each case, or the error that it raises."""
    if isinstance(function, Elsewhere):
        return function.outcomes(cases, probe)
    found = []
    with same_luck() as restart:
        for case in cases:
            try:
                found.append(outcome(function, case, probe, restart))
            except (Exception, SystemExit) as error:
                found.append(error)
    return found


def outcome(function: Callable, case: tuple, probe: Callable | None, restart: Callable[[], None]):
    """The result that is compared; the probe sees the arguments as the function left them, a model trained in place."""
    case = copy.deepcopy(case)  # so that an answer that writes into its arguments harms nobody
    restart()
    result = function(*case)
    result = result if probe is None else probe(result, *case)
    return list(result) if isinstance(result, Iterator) else result  # it can be read once only


class Overheard(io.TextIOBase):
    """Passes on what is printed, and remembers if anything was."""

    def __init__(self):
        self.anything, self.screen = False, sys.stdout

    def write(self, text: str) -> int:
        self.anything |= bool(text.strip())
        return self.screen.write(text)

    def flush(self):
        self.screen.flush()


def unfinished(answer: Callable, mine: list, printed: bool) -> str | None:
    """Words for a stub, for one that was worked on, and for a forgotten return; None for an answer."""
    raises = any(isinstance(value, NotImplementedError) for value in mine)
    if not raises and not all(value is None or value is ... for value in mine):
        return None
    if does_nothing(answer):
        return NO_ANSWER
    if raises:
        return "the line `raise NotImplementedError` still stands in your function and was reached: take it out."
    said = " It printed something; what is printed is seen, and not handed on." if printed else ""
    return f"your function returned nothing (None): end it with `return` and the value that it found.{said}"


def does_nothing(answer: Callable) -> bool:
    """True if a function's body is pass, ..., a docstring, return None, or raises NotImplementedError at once."""
    if isinstance(answer, Elsewhere):
        return answer.does_nothing
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("RESUME", "COPY_FREE_VARS", "NOP")]
    named = {step.argval for step in steps if step.opname == "LOAD_GLOBAL"}
    simple = ("LOAD_CONST", "RETURN", "LOAD_GLOBAL", "PUSH_NULL", "CALL", "PRECALL", "RAISE_VARARGS")
    return named <= {"NotImplementedError"} and all(step.opname.startswith(simple) for step in steps)


def raised(answer: Callable, error: BaseException) -> str:
    """The error in words, and the line of the answer in which it was raised, if that can be found."""
    said = f"your function raised {type(error).__name__}: {error}"
    line = getattr(error, "line", "") if isinstance(answer, Elsewhere) else line_of(answer, error)
    return f"{said}, in the line `{line}`" if line else said


def line_of(answer: Callable, error: BaseException) -> str:
    """The line of an answer in which an error was raised; nothing where it cannot be found."""
    code = getattr(answer, "__code__", None)
    lines = [step for step in traceback.extract_tb(error.__traceback__) if code and step.filename == code.co_filename]
    return linecache.getline(lines[-1].filename, lines[-1].lineno).strip() if lines else ""
