"""The options of the commands, and what each of them checks before the work starts.

The work itself is in a file of its own, which is imported late: ``--help`` waits for nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Command:
    """A command: ``add`` adds it to the parser's commands, ``prepare`` checks its options and returns the work.

    The work returns True if it finished. ``prepare`` raises ValueError for options that cannot be.
    """

    add: Callable
    prepare: Callable[[argparse.Namespace], Callable[[], bool]]


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


def _add_compare(commands):
    compare = commands.add_parser(
        "compare",
        help="does the pathway regularizer help, and is it the pathways that help?",
        description="Trains a plain GSNN (baseline), one that is rewarded when the members of a pathway co-vary "
        "(regularized), one that gets the same reward for shuffled pathways (control), and one on the true graph "
        "(oracle), on many seeds, and compares them seed by seed. Prints means, paired differences with 95% "
        "intervals and a verdict in words; writes a folder with CSV, figures (PNG, SVG) and run.json.",
    )
    compare.add_argument(
        "--published",
        action="store_true",
        help="instead replay the published tutorial: its own data, graph, shuffle, initial weights and settings, "
        "one seed, three arms; of the options below only --output and --device apply",
    )
    compare.add_argument(
        "--tuned",
        action="store_true",
        help="every arm chooses its settings and its epoch, from as many, by cross-validation inside the training "
        "rows; --lambda and --epochs do not apply. About four times the time",
    )
    option(compare, "--output", "where results are written", "runs/compare, or runs/published", metavar="FOLDER")
    option(compare, "--device", "cpu, cuda, cuda:1, ...", "cpu")
    seeds = compare.add_argument_group("seeds")
    option(seeds, "--seeds", "how many seeds", 20)
    option(seeds, "--first-seed", "the seeds are this one and those that follow it", 0)
    problem = compare.add_argument_group("problem size")
    option(problem, "--pathways", "number of pathways", 4)
    option(problem, "--inputs", "input nodes of each pathway", 2)
    option(problem, "--chain", "function nodes of each pathway", 3)
    option(problem, "--outputs", "output nodes of each pathway", 2)
    option(problem, "--spurious", "spurious edges between pathways", 8)
    option(problem, "--samples", "training samples", 256)
    option(problem, "--noise", "standard deviation of every node's noise", 0.3)
    recipe = compare.add_argument_group("model and training")
    option(recipe, "--phi", "how a node's channels become a score", "learned", choices=("learned", "mean"))
    option(recipe, "--lambda", "weight of the regularizer", 1.0, dest="lambda_sim")
    option(recipe, "--epochs", "training epochs, full batch", 500)
    option(recipe, "--layers", "GSNN layers", "one more than the chain", type=int, metavar="NUMBER")
    option(recipe, "--channels", "hidden units of each function node", 8)


def _prepare_compare(given: argparse.Namespace) -> Callable[[], bool]:
    from gsnn_tutorial.commands.compare import compare_published, prepared
    from gsnn_tutorial.study.problem import Problem
    from gsnn_tutorial.study.recipe import Recipe
    from gsnn_tutorial.study.run_folder import usable_device
    from gsnn_tutorial.study.tuning import Tuning

    if given.published:
        usable_device(given.device)
        return lambda: compare_published(given.output or "runs/published", given.device)
    problem = Problem(
        K=given.pathways, n_in=given.inputs, n_func=given.chain, n_out=given.outputs,
        n_spurious=given.spurious, n_train=given.samples, noise_scale=given.noise,
    )  # fmt: skip
    recipe = Recipe(
        channels=given.channels, layers=given.layers, phi=given.phi, lambda_sim=given.lambda_sim, epochs=given.epochs
    )
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    tuning = Tuning() if given.tuned else None
    return prepared(given.output or "runs/compare", problem, seeds, recipe, given.device, tuning=tuning)


def _add_mine(commands):
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


def _prepare_mine(given: argparse.Namespace) -> Callable[[], bool]:
    for name in ("table", "network", "sets"):
        if given.example is None and getattr(given, name) is None:
            raise ValueError(f"--{name} FILE is missing; --example FOLDER writes a set of files to start from")
    if given.lambda_sim is not None and not given.untuned:
        raise ValueError("--lambda-sim is for --untuned: a prior that is tuned chooses its strength")
    return about_files(_work_mine, given)


def _work_mine(given: argparse.Namespace) -> bool:
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


def _add_study(commands):
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


def _prepare_study(given: argparse.Namespace) -> Callable[[], bool]:
    from gsnn_tutorial.commands.named_study import checked_parts, run_study
    from gsnn_tutorial.study.run_folder import usable_device

    checked_parts(given.name, given.seeds)
    usable_device(given.device)
    return lambda: run_study(given.name, given.output, given.device, given.seeds)


COMMANDS = {
    "compare": Command(_add_compare, _prepare_compare),
    "mine": Command(_add_mine, _prepare_mine),
    "study": Command(_add_study, _prepare_study),
}
