"""How an option is written down, and what is said where an extra is missing or a file cannot be used."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import contextmanager


def option(group, flag: str, text: str, default, **settings):
    """An option whose help ends with its default; a default in words stands for None."""
    if isinstance(default, (int, float)):
        settings |= {"type": type(default), "metavar": "NUMBER"}
    in_words = isinstance(default, str) and " " in default
    group.add_argument(flag, help=f"{text} (default: {default})", default=None if in_words else default, **settings)


@contextmanager
def needs(extra: str):
    """Around imports that an extra of the package brings: where one is missing, ValueError says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ValueError(f'{error.name} is missing; pip install -e ".[{extra}]" brings it') from error


def about_files(work: Callable[[argparse.Namespace], bool], given: argparse.Namespace) -> Callable[[], bool]:
    """The work of a command that does little but read files: a ValueError of it is about one of them."""

    def run() -> bool:
        from gsnn_tutorial.study.files import UnusableFile

        try:
            return work(given)
        except ValueError as error:
            raise error if isinstance(error, UnusableFile) else UnusableFile(str(error)) from error

    return run
