"""``python -m gsnn_tutorial cost``: its options, and what they are handed to."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gsnn_tutorial.commands.options import about_files, needs, option


def add(commands):
    """Add the command to those of the parser."""
    cost = commands.add_parser(
        "cost",
        help="measure time and peak memory of each chapter on one core, and write README's table",
        description="Runs every chapter on one core, saves its time and its kernel's peak memory in "
        "notebooks/cost.json, and writes both into README's table. Interrupted, it goes on where it was when given "
        "again. The machine should do nothing else meanwhile.",
    )
    cost.add_argument("--again", action="store_true", help="measure all of them, those that are saved too")
    option(cost, "--root", "the clone of the repository", ".", metavar="FOLDER")


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, whose result is whether it finished."""
    return about_files(_work, given)


def _work(given: argparse.Namespace) -> bool:
    with needs("course"):
        import nbclient  # noqa: F401  the measurement is a process of its own that needs it

        from gsnn_course.publishing.cost import measure, write_readme

    try:
        measure(given.root, given.again)
    except KeyboardInterrupt:
        return False
    write_readme(given.root)
    return True
