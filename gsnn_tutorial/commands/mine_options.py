"""``python -m gsnn_tutorial mine``: its options, and what they are handed to."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

from gsnn_tutorial.commands.options import about_files, option


def add(commands):
    """Add the command to those of the parser."""
    mine = commands.add_parser(
        "mine",
        help="your own table, network and gene sets: a report, a comparison, a verdict",
        description="Reads a table, a network and gene sets, says what of them can be used, and compares a GSNN "
        "without a prior with one that is told the sets, shuffled sets and random connected sets, over splits of whole "
        "groups of rows. Each of them chooses its settings from as many, by folds of the training rows. An interrupted "
        "run goes on when the command is given again.",
    )
    files = mine.add_argument_group("files")
    option(files, "--table", "samples x columns: CSV or TSV", None, metavar="FILE")
    option(files, "--network", "edges: CSV, TSV or SIF with source, target and, if known, sign", None, metavar="FILE")
    option(files, "--sets", "gene sets: GMT, or a table of set and member", None, metavar="FILE")
    option(files, "--columns", "column, role (input, category, output, group), node", "guessed by the names",
           metavar="FILE")  # fmt: skip
    option(files, "--output", "where results are written", "runs/mine", metavar="FOLDER")
    option(files, "--example", "only write a set of small files to start from", None, metavar="FOLDER")
    run = mine.add_argument_group("comparison")
    option(run, "--splits", "how many splits; fewer than 12 give no verdict, 0 only the report", 12)
    option(run, "--test", "share of the groups that is held out", 0.2)
    option(run, "--epochs", "passes over the training rows", 60)
    option(run, "--layers", "layers of the model", "as many as the longest way needs", type=int, metavar="NUMBER")
    run.add_argument("--untuned", action="store_true", help="train every arm once, with the same settings")
    option(run, "--lambda-sim", "strength of an untuned prior", "0.1, else chosen", type=float, metavar="NUMBER")


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, whose result is whether it finished. Raises ValueError for options that cannot be."""
    for name in ("table", "network", "sets"):
        if given.example is None and getattr(given, name) is None:
            raise ValueError(f"--{name} FILE is missing; --example FOLDER writes a set of files to start from")
    if given.lambda_sim is not None and not given.untuned:
        raise ValueError("--lambda-sim is for --untuned: a prior that is tuned chooses its strength")
    return about_files(_work, given)


def _work(given: argparse.Namespace) -> bool:
    if given.example is not None:
        from gsnn_tutorial.study.own.example import write_example

        paths = write_example(given.example)
        options = " ".join(f"--{name} {path}" for name, path in paths.items())
        print(f"Small files to start from. Now:\n\n  python -m gsnn_tutorial mine {options}")
        return True
    from gsnn_tutorial.commands.mine import run_mine
    from gsnn_tutorial.study.recipe import OWN_RECIPE

    strength = {} if given.lambda_sim is None else {"lambda_sim": given.lambda_sim}
    recipe = replace(OWN_RECIPE, epochs=given.epochs, layers=given.layers, **strength)
    return run_mine(
        given.table, given.network, given.sets, given.columns, given.output or "runs/mine", splits=given.splits,
        test=given.test, recipe=recipe, tune=not given.untuned,
    )  # fmt: skip
