"""``python -m gsnn_tutorial course``: its steps, their options, and what they do."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from gsnn_tutorial.commands.options import option


def add(commands):
    """Add the command, with its steps, to those of the parser."""
    course = commands.add_parser("course", help="the assignments: make pupils' notebooks, grade what they hand in")
    steps = course.add_subparsers(dest="step", required=True, metavar="STEP")
    release = steps.add_parser(
        "release",
        help="make the pupils' notebooks from their sources",
        description="Writes every assignment as pupils get it, without solutions and hidden tests, beside its source.",
    )
    option(release, "--seed", "the year's seed, written into every source first", "as it is", type=int)
    release.add_argument(
        "--roster", help="a release with a seed of its own for each pupil of this CSV, in OUTPUT", metavar="CSV"
    )
    option(release, "--output", "where the releases of a roster go", "../class/releases", metavar="FOLDER")
    grade = steps.add_parser(
        "grade",
        help="grade a class",
        description="Grades with nbgrader, and prints points and what happened for each pupil. Submissions are code: "
        "run this in a container or under a throw-away account. The output folder is an nbgrader course.",
    )
    grade.add_argument("assignment", help="its number, such as 1")
    grade.add_argument("submissions", help="a folder or a zip: what a platform gives, or a notebook for each pupil")
    option(grade, "--output", "a new folder, or that of an interrupted run", "runs/course", metavar="FOLDER")
    grade.add_argument("--roster", help="the class's list, with ids, names and e-mail addresses", metavar="CSV")
    grade.add_argument("--due", help="when it was due, such as 2027-03-05T23:59", metavar="TIME")
    grade.add_argument("--own-seeds", action="store_true", help="each pupil got a release with a seed of its own")
    grade.add_argument(
        "--earlier",
        help="take over points and comments by hand from this run; who is only there is left as they were",
        metavar="FOLDER",
    )
    option(grade, "--jobs", "notebooks that run at a time", 2)
    option(grade, "--cell-seconds", "how long a cell may take", 30.0)
    option(grade, "--seconds", "how long a submission may take", 300.0)
    option(grade, "--memory", "gigabytes that a submission may take", 4.0)
    report = steps.add_parser("report", help="tables and feedback anew, after grading by hand in nbgrader's formgrader")
    report.add_argument("output", help="a folder that course grade has written", metavar="FOLDER")
    for step in (release, grade):
        option(step, "--assignments", "where the assignments are", "notebooks/assignments", metavar="FOLDER")


def prepare(given: argparse.Namespace) -> Callable[[], bool]:
    """The work of a step, whose result is whether it finished.

    Raises ValueError for an option that cannot be, and where what grading needs is not installed.
    """
    try:
        from gsnn_course import grade, release, report, seeds
        from gsnn_tutorial import validate
    except ModuleNotFoundError as error:
        raise ValueError(f'{error.name} is missing; pip install -e ".[course]" brings it') from error

    if given.step == "report":
        return lambda: shown(report, report.report(Path(given.output)), given.output)
    folder = Path(given.assignments)
    sources = release.sources(folder)
    if given.step == "release":
        if given.seed is not None:
            release.with_seed(next(iter(sources.values())), given.seed)
        if given.roster is not None:
            own = partial(seeds.write_own_releases, folder, Path(given.roster), Path(given.output), given.seed)
            return lambda: print(own(), "releases are in", given.output) is None
        return lambda: print(*release.write_releases(folder, given.seed), sep="\n") is None
    source = sources[validate.choice("assignment", given.assignment, sources)]
    validate.integer("jobs", given.jobs, 1)
    limits = {"jobs": given.jobs} | {
        name: validate.number(name, vars(given)[name], 1) for name in ("cell_seconds", "seconds")
    }
    limits["memory"] = validate.number("memory", given.memory, 0.5)
    class_ = {"roster": given.roster and Path(given.roster), "earlier": given.earlier and Path(given.earlier)}
    class_ |= {"own_seeds": given.own_seeds, "due": _time(given.due)}
    graded = partial(grade.grade, source, Path(given.submissions), Path(given.output), **limits, **class_)
    return lambda: shown(report, _interruptible(graded), given.output)


def _interruptible(work: Callable):
    """The result of ``work``, which a request to end (SIGTERM) interrupts as Ctrl-C does, so that it ends its kernels.

    A script's job in the background ignores SIGINT, so that is not what is raised.
    """

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        return work()
    finally:
        signal.signal(signal.SIGTERM, before)


def _time(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise ValueError(f"due must be a time such as 2027-03-05T23:59, got {text!r}") from None


def shown(report, table, output: str) -> bool:
    """Print a table of points, and where it is."""
    report.show(table)
    if (how := Path(output) / "how.txt").exists():
        print(f"\n{how.read_text(encoding='utf-8').strip()}")
    print(f"feedback, gradebook and tables are in {output}; class.html shows the class at a glance")
    return True
