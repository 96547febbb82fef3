"""``python -m gsnn_tutorial study``: its options, and what they are handed to."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gsnn_tutorial.commands.options import option


def add(commands):
    """Add the command to those of the parser."""
    study = commands.add_parser(
        "study",
        help="compute one of the long studies that the chapters show",
        description="Trains and evaluates every part of a named study. An interrupted run goes on when the command is "
        "given again.",
    )
    study.add_argument("name", help="confirmation, for example; chapters 6 and 7 list them all")
    option(study, "--seeds", "only so many seeds of each part", "all of them", type=int, metavar="NUMBER")
    option(study, "--output", "where results are written", "runs/study and the name", metavar="FOLDER")
    option(study, "--device", "cpu, cuda, cuda:1, ...", "cpu")


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, whose result is whether it finished. Raises ValueError for an option that cannot be."""
    from gsnn_tutorial.commands.study import checked_parts, run_study
    from gsnn_tutorial.study.files import usable_device

    checked_parts(given.name, given.seeds)
    usable_device(given.device)
    return lambda: run_study(given.name, given.output, given.device, given.seeds)
