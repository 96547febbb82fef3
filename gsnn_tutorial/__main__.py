"""The command line: ``python -m gsnn_tutorial --help``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


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
    bench = commands.add_parser(
        "bench",
        help="how fast, against message passing over copies of the graph?",
        description="Measures sparse map, training step, study, regularizer, simulation and building, each against "
        "the reference's formulation in the same run, and how time and memory grow with edges, samples, channels and "
        "models. Prints a table of ratios; writes a folder with CSV, figures and run.json. Three minutes on two cores.",
    )
    bench.add_argument("--quick", action="store_true", help="smaller sizes, under a minute; goals are not judged")
    _option(bench, "--output", "where results are written", "runs/bench", metavar="FOLDER")
    _option(bench, "--device", "cpu, cuda, cuda:1, ...", "cpu")
    names = commands.add_parser(
        "study",
        help="compute one of the long studies that the chapters show",
        description="Trains and evaluates every part of a named study. An interrupted run goes on when the command is "
        "given again.",
    )
    names.add_argument("name", help="confirmation, for example; chapters 6 and 7 list them all")
    _option(names, "--seeds", "only so many seeds of each part", "all of them", type=int, metavar="NUMBER")
    _option(names, "--output", "where results are written", "runs/study and the name", metavar="FOLDER")
    _option(names, "--device", "cpu, cuda, cuda:1, ...", "cpu")
    _course_options(
        commands.add_parser("course", help="the assignments: make pupils' notebooks, grade what they hand in")
    )
    return top


def _course_options(course: argparse.ArgumentParser):
    steps = course.add_subparsers(dest="step", required=True, metavar="STEP")
    release = steps.add_parser(
        "release",
        help="make the pupils' notebooks from their sources",
        description="Writes every assignment as pupils get it, without solutions and hidden tests, beside its source.",
    )
    _option(release, "--seed", "the year's seed, written into every source first", "as it is", type=int)
    grade = steps.add_parser(
        "grade",
        help="grade a class",
        description="Grades with nbgrader, and prints points and what happened for each pupil. Submissions are code: "
        "run this in a container or under a throw-away account. The output folder is an nbgrader course.",
    )
    grade.add_argument("assignment", help="its number, such as 1")
    grade.add_argument("submissions", help="a folder with a sub-folder or a notebook for each pupil", metavar="FOLDER")
    _option(grade, "--output", "a new folder", "runs/course", metavar="FOLDER")
    _option(grade, "--jobs", "notebooks that run at a time", 2)
    _option(grade, "--cell-seconds", "how long a cell may take", 30.0)
    _option(grade, "--seconds", "how long a submission may take", 300.0)
    report = steps.add_parser("report", help="tables and feedback anew, after grading by hand in nbgrader's formgrader")
    report.add_argument("output", help="a folder that course grade has written", metavar="FOLDER")
    for step in (release, grade):
        _option(step, "--assignments", "where the assignments are", "notebooks/assignments", metavar="FOLDER")


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
        return (
            0
            if {"compare": _compare, "bench": _bench, "study": _study, "course": _course}[given.command](given)
            else 130
        )
    except ValueError as error:
        print(f"{parser().prog} {given.command}: {error}", file=sys.stderr)
        return 2


def _compare(given: argparse.Namespace) -> bool:
    from gsnn_tutorial.commands.compare import compare_arms, compare_published
    from gsnn_tutorial.study.problem import Problem
    from gsnn_tutorial.study.recipe import Recipe

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


def _bench(given: argparse.Namespace) -> bool:
    from gsnn_tutorial.bench.measure import bench

    return bench(given.output, given.device, given.quick)


def _study(given: argparse.Namespace) -> bool:
    from gsnn_tutorial.commands.study import run_study

    return run_study(given.name, given.output, given.device, given.seeds)


def _course(given: argparse.Namespace) -> bool:
    try:
        from gsnn_tutorial import validate
        from gsnn_tutorial.course import grade, release
    except ModuleNotFoundError as error:
        raise ValueError(f'{error.name} is missing; pip install -e ".[course]" brings it') from error

    if given.step == "release":
        for path in release.write_releases(Path(given.assignments), given.seed):
            print(path)
        return True
    if given.step == "report":
        table = grade.report(Path(given.output))
    else:
        sources = release.sources(Path(given.assignments))
        source = sources[validate.choice("assignment", given.assignment, sources)]
        limits = {"jobs": given.jobs, "cell_seconds": given.cell_seconds, "seconds": given.seconds}
        table = grade.grade(source, Path(given.submissions), Path(given.output), **limits)
    grade.show(table)
    print(f"feedback, gradebook and tables are in {given.output}")
    return True


if __name__ == "__main__":
    sys.exit(main())
