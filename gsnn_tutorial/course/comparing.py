"""The process that compares: it runs the tests, hidden ones included, and has never run a pupil's code.

A test cell is run as it stands in the source. The names that pupils define stand for their functions: a call sends
the arguments to the pupil's kernel and gets a value back, as text that can hold no code.

Started as ``python -m gsnn_tutorial.course.comparing``; messages go by standard input and output, pickled.
"""

from __future__ import annotations

import ast
import builtins
import io
import os
import pickle
import struct
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from typing import BinaryIO

import cloudpickle

from gsnn_tutorial.checks.diagnosis import Exercise
from gsnn_tutorial.course import values


class Stopped(BaseException):
    """A pupil's kernel took too long or died. No check is to take it for an error of the answer."""

    def __init__(self, name: str, text: str):
        super().__init__(text)
        self.name = name


class Answer:
    """A pupil's function, which is elsewhere. ``probe`` is applied there to its result."""

    def __init__(self, name: str, ask, probe=None):
        self.__name__, self._ask, self._probe = name, ask, probe

    def through(self, probe) -> Answer:
        return Answer(self.__name__, self._ask, probe)

    def __call__(self, *arguments, **named):
        kind, *content = self._ask("call", self.__name__, cloudpickle.dumps((arguments, named, self._probe)))
        if kind == "stopped":
            raise Stopped(*content)
        value = values.decode(content[0])
        if isinstance(value, BaseException):
            raise value
        return value if self._probe is None else Probed(value)


class Probed:
    """What a probe has made of a result."""

    def __init__(self, value):
        self.value = value


def _diagnose(exercise: Exercise, answer, seed: int = 0, plain=Exercise.diagnose):
    """``Exercise.diagnose``, with the probe where the answer is."""
    if isinstance(answer, Answer) and (probe := exercise.probe) is not None:

        def unless_done(result, *case):
            return result.value if isinstance(result, Probed) else probe(result, *case)

        return plain(replace(exercise, probe=unless_done), answer.through(probe), seed)
    return plain(exercise, answer, seed)


def run(source: str, names: dict, ask) -> tuple[str, tuple[str, str] | None]:
    """Run a test cell; what it printed, and the name and text of its error or None."""
    printed, theirs = io.StringIO(), []
    try:
        tree = ast.parse(source)
        theirs = _unknown(tree, names)
        for name in theirs:
            kind, *content = ask("find", name)
            if kind == "stopped":
                raise Stopped(*content)
            match values.decode(content[0]):
                case ("function", _):
                    names[name] = Answer(name, ask)
                case ("value", value):
                    names[name] = value
        with redirect_stdout(printed), redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(tree, "<test>", "exec"), names)
    except Stopped as stopped:
        return printed.getvalue(), (stopped.name, str(stopped))
    except (Exception, SystemExit) as error:
        return printed.getvalue(), (type(error).__name__, str(error))
    finally:
        for name in theirs:  # the next test asks for it anew
            names.pop(name, None)
    return printed.getvalue(), None


def _unknown(tree: ast.Module, names: dict) -> list[str]:
    """The names that a cell reads and that a pupil may have defined: all but the trusted ones."""
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    set_here = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            set_here |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            set_here |= {node.name} if not isinstance(node, ast.Lambda) else set()
            if not isinstance(node, ast.ClassDef):
                set_here |= {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
    return sorted(read - set_here - names.keys() - vars(builtins).keys())


def send(stream: BinaryIO, message):
    content = pickle.dumps(message)
    stream.write(struct.pack("<Q", len(content)) + content)
    stream.flush()


def receive(stream: BinaryIO):
    """The next message. Raises EOFError when there is none any more."""
    head = stream.read(8)
    if len(head) < 8:
        raise EOFError
    return pickle.loads(stream.read(struct.unpack("<Q", head)[0]))


def serve(incoming: BinaryIO, outgoing: BinaryIO):
    """Answer ("new",), ("set up", source) and ("test", source) until nobody asks any more."""
    Exercise.diagnose = _diagnose

    def ask(*question):
        send(outgoing, question)
        return receive(incoming)

    trusted = {}
    while True:
        try:
            kind, *content = receive(incoming)
        except EOFError:
            return
        if kind == "new":
            trusted = {"__name__": "__main__"}
        elif kind == "set up":
            with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
                exec(content[0], trusted)
        else:
            send(outgoing, ("done", *run(content[0], trusted, ask)))


if __name__ == "__main__":
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what anything prints is not to stand between the messages
    serve(incoming, outgoing)
