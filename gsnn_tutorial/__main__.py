"""The command line: ``python -m gsnn_tutorial --help``."""

from __future__ import annotations

import argparse
import sys


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m gsnn_tutorial",
        description="Graph Structured Neural Networks and the pathway regularizer: the kit's work without a browser.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    compare = commands.add_parser(
        "compare",
        help="train baseline, regularized and shuffled-pathway control, and say which is better",
        description="Three arms: a plain GSNN, one that is rewarded when the members of a pathway co-vary, and "
        "the control, which gets the same reward for shuffled pathways. Prints a table, and writes a folder "
        "with CSV, figures (PNG, SVG) and run.json.",
    )
    compare.add_argument(
        "--published",
        action="store_true",
        required=True,
        help="the published tutorial's own data, graph, shuffle, initial weights and settings, one seed",
    )
    compare.add_argument("--output", metavar="FOLDER", default="runs/published", help="default: %(default)s")
    compare.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ...; default: %(default)s")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 if it finished, 2 for a bad argument, 130 if it was interrupted."""
    given = parser().parse_args(arguments)

    import matplotlib  # from here on, so that --help need not wait for torch

    from gsnn_tutorial.compare import compare_published

    matplotlib.use("Agg")  # figures go to files; no screen is needed
    try:
        finished = compare_published(given.output, given.device)
    except ValueError as error:
        print(f"{parser().prog} {given.command}: {error}", file=sys.stderr)
        return 2
    return 0 if finished else 130


if __name__ == "__main__":
    sys.exit(main())
