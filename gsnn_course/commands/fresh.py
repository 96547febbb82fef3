"""``python -m gsnn_tutorial fresh``: its options, and what they are handed to."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gsnn_tutorial.commands.options import about_files, needs, option


def add(commands):
    """Add the command to those of the parser."""
    fresh = commands.add_parser(
        "fresh",
        help="copy the notebooks into a folder of your own, which no update touches",
        description="Copies chapters and assignments into a folder to work in. A notebook that is there already is "
        "left alone, so the command may be given again after an update.",
    )
    fresh.add_argument("--again", action="store_true", help="clean copies of all; what you wrote is kept beside them")
    option(fresh, "--output", "your folder", "work", metavar="FOLDER")
    option(fresh, "--root", "the clone of the repository", ".", metavar="FOLDER")


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, whose result is whether it finished."""
    return about_files(_work, given)


def _work(given: argparse.Namespace) -> bool:
    with needs("lab"):
        from gsnn_course.publishing.fresh import fresh

    copied, left = fresh(given.root, given.output, given.again)
    print(f"{len(copied)} notebooks copied into {given.output}")
    if left:
        print(f"{len(left)} are there already and were left alone; --again makes clean copies of them, and keeps these")
    return True
