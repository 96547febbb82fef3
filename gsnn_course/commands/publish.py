"""``python -m gsnn_tutorial publish``: its options, and what they are handed to."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gsnn_tutorial.commands.options import about_files, needs, option


def add(commands):
    """Add the command to those of the parser."""
    publish = commands.add_parser(
        "publish",
        help="write the repository's address into notebooks and README: badges, Colab, links for a hub",
        description="Keeps the address in pyproject.toml, and writes what follows from it: badges on top of every "
        "notebook and in README's table, the cell that installs the kit on Colab, links for a JupyterHub. Given again, "
        "it changes nothing. Without an argument it takes the address that pyproject.toml has.",
    )
    publish.add_argument("address", nargs="?", help="OWNER/REPO or OWNER/REPO@REF on GitHub; REF is main otherwise")
    publish.add_argument("--remove", action="store_true", help="forget the address, and take away all that names it")
    option(publish, "--hub", "a JupyterHub's address, for links by nbgitpuller", "what is set", metavar="URL")
    option(publish, "--root", "the clone of the repository", ".", metavar="FOLDER")


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, whose result is whether it finished. Raises ValueError for options that cannot be."""
    if given.remove and given.address:
        raise ValueError(f"--remove takes the address away; give it or {given.address}, not both")
    return about_files(_work, given)


def _work(given: argparse.Namespace) -> bool:
    with needs("lab"):
        from gsnn_course.publishing.publish import publish

    changed = publish(given.root, "" if given.remove else given.address, given.hub)
    print("\n".join(map(str, changed)) or "nothing had to change")
    return True
