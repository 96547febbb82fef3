"""The work of a pupil's kernel for a check: a function is run on cases that came in, and its results go out.

The kernel computes and does not judge: ``comparing`` does, in a process that has run no pupil's code. Of an exercise
with a probe (a layer is run, a training run's model is looked at) the probe runs here too, on the pupil's own object.
"""

from __future__ import annotations

import base64
import io
import pickle
from contextlib import redirect_stdout
from functools import partial

from IPython.display import publish_display_data

from gsnn_course import values
from gsnn_tutorial.exercises.attempt import does_nothing, line_of, outcomes, silence

MIME = "application/x-gsnn-value"
PRINTED = 20_000  # characters of what a function prints that go out
FRESH = """exec('''
import sys
for name in [*sys.modules]:
    if name.startswith(("gsnn_course", *(f"gsnn_tutorial.{old}" for old in ("exercises", "checks", "course")))):
        del sys.modules[name]
''', {})"""  # before each test the checks are read from disk again, whatever a submission has done to them
CODE = """exec('''
from gsnn_course import computing
computing.{}
''', {{"user": get_ipython().user_ns}})"""


class Heard(io.TextIOBase):
    """Keeps the beginning of all that is printed."""

    def __init__(self):
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text[: PRINTED - len(self.text)]
        return len(text)


def call(name: str, asked: bytes) -> str:
    """The code that runs a pupil's function; ``asked``: (cases, named arguments, probe or None), pickled."""
    return CODE.format(f"compute(user, {name!r}, {base64.b64encode(asked).decode()!r})")


def look(name: str) -> str:
    """The code that looks up a name."""
    return CODE.format(f"find(user, {name!r})")


def compute(user: dict, name: str, asked: str):
    """Run ``name`` in the kernel and publish its outcomes, the line of each error, and what was printed."""
    cases, named, probe = pickle.loads(base64.b64decode(asked))
    answer, heard = user.get(name), Heard()
    with silence(), redirect_stdout(heard):
        try:
            found = outcomes(partial(answer, **named) if named else answer, cases, probe)
        except BaseException as error:  # what no answer may raise, such as KeyboardInterrupt
            found = [RuntimeError(type(error).__name__)] * len(cases)
        lines = [line_of(answer, value) if isinstance(value, BaseException) else "" for value in found]
        publish({"outcomes": found, "lines": lines, "printed": heard.text})


def find(user: dict, name: str):
    """Publish the kind of thing that ``name`` is here: a function, and if it does nothing, or a value."""
    if name not in user:
        publish(("missing", None))
    elif callable(user[name]):
        publish(("function", bool(does_nothing(user[name]))))
    else:
        publish(("value", user[name]))


def publish(value):
    """Send a value out."""
    try:
        text = values.encode(value)
    except BaseException as error:  # whatever a pupil's object does when it is looked at
        text = values.encode(("unreadable", type(error).__name__))
    publish_display_data({MIME: text})
