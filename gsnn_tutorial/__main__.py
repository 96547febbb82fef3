"""The command line: ``python -m gsnn_tutorial --help``."""

from __future__ import annotations

import argparse
import sys

from gsnn_tutorial.commands import bench_options, compare_options, course, mine_options, study_options

COMMANDS = {
    "compare": compare_options,
    "mine": mine_options,
    "bench": bench_options,
    "study": study_options,
    "course": course,
}


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="python -m gsnn_tutorial",
        description="Graph Structured Neural Networks and the pathway regularizer: the kit's work without a browser.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        command.add(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 if it finished, 2 for a bad argument, 130 if it was interrupted."""
    given = parser().parse_args(arguments)
    import matplotlib  # only now, so that --help need not wait for it

    matplotlib.use("Agg")  # figures go to files; no screen is needed
    try:
        return 0 if COMMANDS[given.command].run(given) else 130
    except ValueError as error:
        print(f"{parser().prog} {given.command}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
