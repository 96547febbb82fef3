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
    _option(compare, "--output", "where results are written", "runs/compare, or runs/published", metavar="FOLDER")
    _option(compare, "--device", "cpu, cuda, cuda:1, ...", "cpu")
    seeds = compare.add_argument_group("seeds")
    _option(seeds, "--seeds", "how many seeds", 20)
    _option(seeds, "--first-seed", "the seeds are this one and those that follow it", 0)
    problem = compare.add_argument_group("problem size")
    _option(problem, "--pathways", "number of pathways", 4)
    _option(problem, "--inputs", "input nodes of each pathway", 2)
    _option(problem, "--chain", "function nodes of each pathway", 3)
    _option(problem, "--outputs", "output nodes of each pathway", 2)
    _option(problem, "--spurious", "spurious edges between pathways", 8)
    _option(problem, "--samples", "training samples", 256)
    _option(problem, "--noise", "standard deviation of every node's noise", 0.3)
    recipe = compare.add_argument_group("model and training")
    _option(recipe, "--phi", "how a node's channels become a score", "learned", choices=("learned", "mean"))
    _option(recipe, "--lambda", "weight of the regularizer", 1.0, dest="lambda_sim")
    _option(recipe, "--epochs", "training epochs, full batch", 500)
    _option(recipe, "--layers", "GSNN layers", "one more than the chain", type=int, metavar="NUMBER")
    _option(recipe, "--channels", "hidden units of each function node", 8)
    return top


def _option(group, flag: str, text: str, default, **settings):
    """An option whose help ends with its default; a default in words stands for None."""
    if isinstance(default, (int, float)):
        settings |= {"type": type(default), "metavar": "NUMBER"}
    in_words = isinstance(default, str) and " " in default
    group.add_argument(flag, help=f"{text} (default: {default})", default=None if in_words else default, **settings)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 if it finished, 2 for a bad argument, 130 if it was interrupted."""
    given = parser().parse_args(arguments)

    import matplotlib  # only now, so that --help need not wait for it

    matplotlib.use("Agg")  # figures go to files; no screen is needed
    try:
        return 0 if _compare(given) else 130
    except ValueError as error:
        print(f"{parser().prog} {given.command}: {error}", file=sys.stderr)
        return 2


def _compare(given: argparse.Namespace) -> bool:
    from gsnn_tutorial.compare import compare_arms, compare_published
    from gsnn_tutorial.problem import Problem
    from gsnn_tutorial.study import Recipe

    if given.published:
        return compare_published(given.output or "runs/published", given.device)
    problem = Problem(
        K=given.pathways, n_in=given.inputs, n_func=given.chain, n_out=given.outputs,
        n_spurious=given.spurious, n_train=given.samples, noise_scale=given.noise,
    )  # fmt: skip
    recipe = Recipe(
        channels=given.channels, layers=given.layers, phi=given.phi, lambda_sim=given.lambda_sim, epochs=given.epochs
    )
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    return compare_arms(given.output or "runs/compare", problem, seeds, recipe, given.device)


if __name__ == "__main__":
    sys.exit(main())
