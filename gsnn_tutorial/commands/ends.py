"""The run of a command, and its end: an exit code, and one line in place of a traceback where a user can mend it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress

FINISHED, FAILED, BAD_ARGUMENT, INTERRUPTED, NOBODY_READS = 0, 1, 2, 130, 141  # the last two as shells have them


def run(parser: argparse.ArgumentParser, prepare: Callable, name: Callable, arguments: list[str] | None) -> int:
    """Run what the arguments name; 0 if it finished, 2 for a bad argument or a file that cannot be used, 1 where the
    system failed (a full disk, no permission), 130 if it was interrupted, 141 if nobody reads the output.

    Any other error is a mistake in this kit, and keeps its traceback.

    Arguments
        prepare: the parsed arguments -> the work, a function that returns True if it finished; it checks all of them.
        name: the parsed arguments -> what a message about a bad one adds to the program's name, such as " compare".
        arguments: the command line; None takes that of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is printed as its escape
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(parser, prepare, name, arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return _end(INTERRUPTED, f"{parser.prog}: interrupted")
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return NOBODY_READS
        about = f"{error.filename}: " if error.filename is not None else ""
        return _end(FAILED, f"{parser.prog}: {about}{error.strerror or error}")


def _run(parser, prepare, name, arguments) -> int:
    given = parser.parse_args(arguments)
    import matplotlib  # only now, so that --help need not wait for it

    from gsnn_tutorial.study.files import UnusableFile

    matplotlib.use("Agg")  # figures go to files; no screen is needed
    try:
        work = prepare(given)
    except ValueError as error:
        return _end(BAD_ARGUMENT, f"{parser.prog}{name(given)}: {error}")
    try:
        return FINISHED if work() else INTERRUPTED
    except UnusableFile as error:
        return _end(BAD_ARGUMENT, f"{parser.prog}{name(given)}: {error}")


def _end(code: int, why: str) -> int:
    with suppress(OSError):
        print(why, file=sys.stderr)
    _let_go(sys.stdout)
    return code


def _nobody_reads() -> bool:
    """True if the reader of our output has gone; the rest of the output is dropped then."""
    for stream in (sys.stdout, sys.stderr):
        try:
            print(end="", file=stream, flush=True)
            if stream is sys.stdout:
                os.write(stream.fileno(), b"\n")
        except BrokenPipeError:
            _let_go(sys.stdout), _let_go(sys.stderr)
            return True
        except (OSError, ValueError):
            continue
    return False


def _let_go(stream):
    """Drop what a stream cannot print any more, so that Python does not complain about it at its end."""
    try:
        stream.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
