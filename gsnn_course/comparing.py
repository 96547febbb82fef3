"""The process that compares: it runs the tests, hidden ones included, and has never run a pupil's code.

A test cell is run as it stands in the source. The names that pupils define stand for their functions: a call sends
cases to the pupil's kernel and gets values back, as text that can hold no code.

Started as ``python -m gsnn_course.comparing``; messages go by standard input and output, pickled.
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
from typing import BinaryIO

import cloudpickle

from gsnn_course import values
from gsnn_tutorial.exercises.attempt import Elsewhere


class Stopped(BaseException):
    """A pupil's kernel took too long or died. No check is to take it for an error of the answer."""

    def __init__(self, name: str, text: str):
        super().__init__(text)
        self.name = name


class Answer(Elsewhere):
    """A pupil's function, which is in a kernel; ``ask``: sends a question there and gives the text that came back."""

    def __init__(self, name: str, ask, does_nothing: bool = False):
        self.__name__, self._ask, self.does_nothing = name, ask, does_nothing

    def outcomes(self, cases, probe=None, **named) -> list:
        """Its result for each case, or the error that it raised; its printed text is printed here."""
        reply = values.decode(self._ask("call", self.__name__, cloudpickle.dumps((list(cases), named, probe))))
        given, lines, printed = self._parts(reply, len(cases))
        print(printed, end="")
        for value, line in zip(given, lines):
            if isinstance(value, BaseException):
                value.line = str(line)
        return given

    def __call__(self, *arguments, **named):
        (value,) = self.outcomes([arguments], **named)
        if isinstance(value, BaseException):
            raise value
        return value

    @staticmethod
    def _parts(reply, number: int) -> tuple[list, list, str]:
        """(outcomes, lines, printed) of a reply; a pupil's kernel may have sent anything."""
        if isinstance(reply, dict) and isinstance(reply.get("outcomes"), list) and len(reply["outcomes"]) == number:
            lines = reply.get("lines")
            fits = isinstance(lines, list) and len(lines) == number
            return reply["outcomes"], lines if fits else [""] * number, str(reply.get("printed", ""))
        said = f"its result cannot be read: {reply!r}"[:300]
        return [RuntimeError(said) for _ in range(number)], [""] * number, ""


def run(source: str, names: dict, ask) -> tuple[str, tuple[str, str] | None]:
    """Run a test cell; what it printed, and the name and text of its error or None."""
    printed, theirs = io.StringIO(), []
    try:
        tree = ast.parse(source)
        theirs = unknown(tree, names)
        for name in theirs:
            match values.decode(ask("find", name)):
                case ("function", nothing):
                    names[name] = Answer(name, ask, nothing is True)
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


def unknown(tree: ast.Module, names: dict) -> list[str]:
    """The names that a cell reads and that a pupil may have defined: all but the trusted ones."""
    nodes = list(ast.walk(tree))
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    set_here = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            set_here |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            set_here.add(node.name)
        elif isinstance(node, ast.arg):
            set_here.add(node.arg)
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

    def ask(*question) -> str:
        send(outgoing, question)
        kind, *content = receive(incoming)
        if kind == "stopped":
            raise Stopped(*content)
        return content[0]

    trusted = {}
    while True:
        try:
            kind, *content = receive(incoming)
        except EOFError:
            return
        if kind == "new":
            trusted = {"__name__": "__main__"}
        elif kind == "set up":
            run_quietly(content[0], trusted)
        else:
            send(outgoing, ("done", *run(content[0], trusted, ask)))


def run_quietly(source: str, names: dict):
    """Run a set-up cell. If it fails, as it then does for the pupil too, the tests that need it say so."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(source, names)
            except (Exception, SystemExit):
                pass


if __name__ == "__main__":
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is not to stand between the messages
    sys.displayhook = lambda value: None  # nor is a value to be taken for points
    serve(incoming, outgoing)
