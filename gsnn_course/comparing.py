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
from contextlib import redirect_stdout, suppress
from typing import BinaryIO

import cloudpickle

from gsnn_course import values
from gsnn_tutorial.exercises.attempt import Elsewhere, silence

SIZE = struct.Struct("<Q")  # of a message, in front of it


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
        """The result for each case, or the error that it raised; the function's output is printed here."""
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
    """Run a test cell; the text that it printed, and the name and text of its error or None."""
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
        with silence(), redirect_stdout(printed):
            exec(compile(tree, "<test>", "exec"), names)
    except Stopped as stopped:
        return printed.getvalue(), (stopped.name, str(stopped))
    except (Exception, SystemExit) as error:
        return printed.getvalue(), (type(error).__name__, str(error))
    finally:
        for name in theirs:  # the next test has to ask the kernel again
            names.pop(name, None)
    return printed.getvalue(), None


def unknown(tree: ast.Module, names: dict) -> list[str]:
    """The names that a cell reads and that a pupil may have defined: all but the trusted ones."""
    nodes = list(ast.walk(tree))
    used = [node for node in nodes if isinstance(node, ast.Name)]
    set_here = {node.id for node in used if isinstance(node.ctx, ast.Store)}
    set_here |= {(node.asname or node.name).split(".")[0] for node in nodes if isinstance(node, ast.alias)}
    set_here |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    set_here |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    read = {node.id for node in used if isinstance(node.ctx, ast.Load)}
    return sorted(read - set_here - names.keys() - vars(builtins).keys())


def framed(message) -> bytes:
    """A message as it goes through a pipe: its size, then the message itself, pickled."""
    content = pickle.dumps(message)
    return SIZE.pack(len(content)) + content


def send(stream: BinaryIO, message):
    stream.write(framed(message))
    stream.flush()


def receive(stream: BinaryIO):
    """The next message. Raises EOFError when there is none any more."""
    head = stream.read(SIZE.size)
    if len(head) < SIZE.size:
        raise EOFError
    return pickle.loads(stream.read(*SIZE.unpack(head)))


def serve(incoming: BinaryIO, outgoing: BinaryIO):
    """Answer ("new",), ("set up", source) and ("test", source) until nobody asks any more."""

    def ask(*question) -> str:
        send(outgoing, question)
        kind, *content = receive(incoming)
        if kind == "stopped":
            raise Stopped(*content)
        return content[0]

    trusted = {}
    with suppress(EOFError):
        while True:
            match receive(incoming):
                case ("new",):
                    trusted = {"__name__": "__main__"}
                case ("set up", source):  # if it fails, as it then does for the pupil too, its tests say so
                    with silence(), suppress(Exception, SystemExit):
                        exec(source, trusted)
                case ("test", source):
                    send(outgoing, ("done", *run(source, trusted, ask)))


if __name__ == "__main__":
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is not to stand between the messages
    sys.displayhook = lambda value: None  # nor is a value to be taken for points
    serve(incoming, outgoing)
