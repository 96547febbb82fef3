"""The command line: ``python -m gsnn_tutorial --help``."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import entry_points

from gsnn_tutorial.commands import ends, options


def commands() -> dict:
    """Every command by its name: the package's own, and those that an installed package adds to it."""
    more = sorted(entry_points(group="gsnn_tutorial.commands"), key=lambda point: point.name)
    return options.COMMANDS | {point.name: point.load() for point in more}


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
    """Run a command, and return its exit code, see ``ends.run``."""
    return ends.run(
        parser(), lambda given: commands()[given.command].prepare(given), lambda given: f" {given.command}", arguments
    )


if __name__ == "__main__":
    sys.exit(main())
