"""What is done in a pupil's kernel for a check: a function is called with arguments that came in, its value goes out.

The kernel computes and does not judge: ``comparing`` does, in a process that has run no pupil's code. Of an exercise
with a probe (a layer is run, a training run's model is looked at) the probe runs here too, on the pupil's own object.
"""

from __future__ import annotations

import base64
import pickle

from IPython.display import publish_display_data

from gsnn_tutorial.course import values

MIME = "application/x-gsnn-value"
FRESH = """exec('''
import sys
for name in [*sys.modules]:
    if name.startswith(("gsnn_tutorial.checks", "gsnn_tutorial.course")):
        del sys.modules[name]
''', {})"""  # before each test this package is read from disk anew, whatever a submission has done to it
CODE = """exec('''
from gsnn_tutorial.course import computing
computing.{}
''', {{"user": get_ipython().user_ns}})"""


def call(name: str, arguments: bytes) -> str:
    """The code that calls a pupil's function; ``arguments``: (positional, named, probe or None), pickled."""
    return CODE.format(f"compute(user, {name!r}, {base64.b64encode(arguments).decode()!r})")


def look(name: str) -> str:
    """The code that looks what a name stands for."""
    return CODE.format(f"find(user, {name!r})")


def compute(user: dict, name: str, arguments: str):
    """Call ``name`` in the kernel and publish its value, or the error that it raises."""
    positional, named, probe = pickle.loads(base64.b64decode(arguments))
    try:
        value = user[name](*positional, **named)
        if probe is not None:
            value = probe(value, *positional)
    except BaseException as error:
        value = error
        if not isinstance(error, (Exception, SystemExit)):
            value = RuntimeError(type(error).__name__)
    publish(value)


def find(user: dict, name: str):
    """Publish whether ``name`` is a function here, and if not what it is."""
    if name not in user:
        publish(("missing", None))
    elif callable(user[name]):
        publish(("function", None))
    else:
        publish(("value", user[name]))


def publish(value):
    """Send a value out."""
    try:
        text = values.encode(value)
    except BaseException as error:  # whatever a pupil's object does when it is looked at
        text = values.encode(RuntimeError(f"its result cannot be read: {type(error).__name__}"))
    publish_display_data({MIME: text})
