"""``python -m gsnn_tutorial publish``: its options, and what they are handed to."""

from __future__ import annotations

import argparse

from gsnn_tutorial.commands.options import needs, option


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


def run(given: argparse.Namespace) -> bool:
    """Run the command; whether it finished. Raises ValueError if both an address and --remove are given."""
    with needs("lab"):
        from gsnn_tutorial.publishing.publish import publish

    if given.remove and given.address:
        raise ValueError(f"--remove takes the address away; give it or {given.address}, not both")
    changed = publish(given.root, "" if given.remove else given.address, given.hub)
    print("\n".join(map(str, changed)) or "nothing had to change")
    return True
