"""``python -m gsnn_tutorial bench``: its options, and what they are handed to."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gsnn_tutorial.commands.options import option

GROUPS = ("map", "step", "epoch", "study", "building", "regularizer", "simulation", "scaling", "kernels", "cores")


def add(commands):
    """Add the command to those of the parser."""
    bench = commands.add_parser(
        "bench",
        help="how fast, against message passing over copies of the graph?",
        description="Measures sparse map, training step, study, regularizer, simulation and building, each against "
        "the reference's formulation in the same run; how time and memory grow with edges, samples, channels and "
        "models; each fast path against its plain one; and what threads are worth, beside a busy process too. Prints "
        "tables of ratios; writes a folder with CSV, figures and run.json. A few minutes on two cores.",
    )
    bench.add_argument("--quick", action="store_true", help="smaller sizes, under a minute; goals are not judged")
    bench.add_argument(
        "--only",
        nargs="+",
        choices=GROUPS,
        metavar="GROUP",
        help=f"measure only these, some of {', '.join(GROUPS)} (default: all)",
    )
    option(bench, "--output", "where results are written", "runs/bench", metavar="FOLDER")
    option(bench, "--device", "cpu, cuda, cuda:1, ...", "cpu")


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, whose result is whether it finished. Raises ValueError for an option that cannot be."""
    from benchmarks.command import run_bench
    from gsnn_tutorial.study.files import usable_device

    usable_device(given.device)
    return lambda: run_bench(given.output, given.device, given.quick, only=given.only)
