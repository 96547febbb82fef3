"""The command line: ``python -m gsnn_tutorial --help``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from contextlib import suppress
from importlib.metadata import entry_points

from gsnn_tutorial.commands import compare_options, mine_options, study_options

FINISHED, FAILED, BAD_ARGUMENT, INTERRUPTED, NOBODY_READS = 0, 1, 2, 130, 141  # the last two as shells have them
OWN = {"compare": compare_options, "mine": mine_options, "study": study_options}


def commands() -> dict:
    """Every command by its name: the package's own, and those that an installed package adds to it."""
    return OWN | {point.name: point.load() for point in entry_points(group="gsnn_tutorial.commands")}


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="python -m gsnn_tutorial",
        description="Graph Structured Neural Networks and the pathway regularizer: the kit's work without a browser.",
    )
    choices = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands().values():
        command.add(choices)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 if it finished, 2 for a bad argument or a file that cannot be used, 1 where the system failed
    (a full disk, no permission), 130 if it was interrupted, 141 if nobody reads what it prints.

    Any other error is a mistake in this kit, and keeps its traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is printed as its escape
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return _ends(INTERRUPTED, "interrupted")
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return NOBODY_READS
        about = f"{error.filename}: " if error.filename is not None else ""
        return _ends(FAILED, f"{about}{error.strerror or error}")


def _run(arguments: list[str] | None) -> int:
    given = parser().parse_args(arguments)
    import matplotlib  # only now, so that --help need not wait for it

    from gsnn_tutorial.study.files import UnusableFile

    matplotlib.use("Agg")  # figures go to files; no screen is needed
    try:
        work = commands()[given.command].prepare(given)  # checks every argument
    except ValueError as error:
        return _ends(BAD_ARGUMENT, f"{given.command}: {error}")
    try:
        return FINISHED if work() else INTERRUPTED
    except UnusableFile as error:
        return _ends(BAD_ARGUMENT, f"{given.command}: {error}")


def _ends(code: int, why: str) -> int:
    with suppress(OSError):
        print(f"{parser().prog} {why}" if code == BAD_ARGUMENT else f"{parser().prog}: {why}", file=sys.stderr)
    _let_go(sys.stdout)
    return code


def _nobody_reads() -> bool:
    """Whether the one who read our output has gone; what is still to be printed is dropped then."""
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
    """Let what a stream cannot print any more vanish, so that Python does not complain about it at its end."""
    try:
        stream.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
