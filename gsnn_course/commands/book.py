"""``python -m gsnn_tutorial book``: its options, and what they are handed to."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gsnn_tutorial.commands.options import about_files, needs, option


def add(commands):
    """Add the command to those of the parser."""
    book = commands.add_parser(
        "book",
        help="build a site of chapters, their slides, assignments and the reference of the package",
        description="Builds a static site with search, from the notebooks as they are executed, and slides of each "
        "chapter for a lecture. It needs no network to be read or shown. "
        'pip install -e ".[book]" brings what builds it.',
    )
    option(book, "--output", "where the site is written", "site", metavar="FOLDER")
    option(book, "--root", "the clone of the repository", ".", metavar="FOLDER")


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, whose result is whether it finished."""
    return about_files(_work, given)


def _work(given: argparse.Namespace) -> bool:
    with needs("book"):
        import myst_nb  # noqa: F401  Sphinx, which is a process of its own, needs it
        import sphinx_book_theme  # noqa: F401

        from gsnn_course.publishing.book import build

    print(f"the book is in {build(given.root, given.output)}")
    return True
