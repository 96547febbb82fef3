"""The benchmark's command line: ``python -m benchmarks --help``, in a clone of the repository."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from gsnn_tutorial.commands import ends
from gsnn_tutorial.commands.options import option

GROUPS = ("map", "parts", "study", "scaling", "kernels")


def parser() -> argparse.ArgumentParser:
    """The options."""
    bench = argparse.ArgumentParser(
        prog="python -m benchmarks",
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
    return bench


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, which returns True if it finished. Raises ValueError for an option that cannot be."""
    from benchmarks.command import run_bench
    from gsnn_tutorial.study.run_folder import usable_device

    usable_device(given.device)
    return lambda: run_bench(given.output, given.device, given.quick, only=given.only)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, and return its exit code, see ``ends.run``."""
    return ends.run(parser(), prepare, lambda given: "", arguments)


if __name__ == "__main__":
    sys.exit(main())
