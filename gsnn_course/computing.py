"""The work of a pupil's kernel for a check: it runs a function on cases that come in, and sends the results out.

The kernel computes and does not judge: ``comparing`` does, in a process that has run no pupil's code. Of an exercise
with a probe (a layer is run, a training run's model is looked at) the probe runs here too, on the pupil's own object.
"""

from __future__ import annotations

import base64
import io
import pickle
import warnings
from contextlib import redirect_stderr, redirect_stdout
from functools import partial

from IPython.display import publish_display_data

from gsnn_course import values
from gsnn_tutorial.exercises.attempt import does_nothing, line_of, outcomes

MIME = "application/x-gsnn-value"
PRINTED = 20_000  # characters of what a function prints that go out
FRESH = """exec('''
import sys
for name in [*sys.modules]:
    if name.startswith(("gsnn_tutorial.exercises", "gsnn_course")):
        del sys.modules[name]
''', {})"""  # before each test this package is read from disk anew, whatever a submission has done to it
CODE = """exec('''
from gsnn_course import computing
computing.{}
''', {{"user": get_ipython().user_ns}})"""


class Heard(io.TextIOBase):
    """Printed text, up to a limit."""

    def __init__(self):
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text[: PRINTED - len(self.text)]
        return len(text)


def call(name: str, asked: bytes) -> str:
    """The code that runs a pupil's function; ``asked``: (cases, named arguments, probe or None), pickled."""
    return CODE.format(f"compute(user, {name!r}, {base64.b64encode(asked).decode()!r})")


def look(name: str) -> str:
    """The code that looks what a name stands for."""
    return CODE.format(f"find(user, {name!r})")


def compute(user: dict, name: str, asked: str):
    """Run ``name`` in the kernel and publish its outcomes, the line of each error, and what was printed."""
    cases, named, probe = pickle.loads(base64.b64decode(asked))
    answer, heard = user.get(name), Heard()
    with redirect_stdout(heard), redirect_stderr(Heard()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = outcomes(partial(answer, **named) if named else answer, cases, probe)
        except BaseException as error:  # what no answer may raise, such as KeyboardInterrupt
            found = [RuntimeError(type(error).__name__)] * len(cases)
        lines = [line_of(answer, value) if isinstance(value, BaseException) else "" for value in found]
        publish({"outcomes": found, "lines": lines, "printed": heard.text})


def find(user: dict, name: str):
    """Publish whether ``name`` is a function here, and whether it does nothing; if it is none, what it is."""
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
