"""``python -m gsnn_tutorial compare``: its options, and what they are handed to."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gsnn_tutorial.commands.options import option


def add(commands):
    """Add the command to those of the parser."""
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


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work, whose result is whether it finished. Raises ValueError for an option that cannot be."""
    from gsnn_tutorial.commands.compare import checked_comparison, compare_arms, compare_published
    from gsnn_tutorial.study.files import usable_device
    from gsnn_tutorial.study.problem import Problem
    from gsnn_tutorial.study.recipe import Recipe
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
    checked_comparison(problem, seeds, recipe, given.device)
    tuning = Tuning() if given.tuned else None
    return lambda: compare_arms(given.output or "runs/compare", problem, seeds, recipe, given.device, tuning=tuning)
