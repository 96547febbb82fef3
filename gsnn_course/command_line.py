"""The commands that this package adds to ``python -m gsnn_tutorial``: their options, and the work behind them."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from gsnn_tutorial.commands.options import Command, about_files, needs, option


def _add_course(commands):
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


def _prepare_course(given: argparse.Namespace) -> Callable[[], bool]:
    with needs("course"):
        from gsnn_course import grade, release, report
        from gsnn_tutorial import validate

    if given.step == "report":
        return lambda: shown(report, report.report(Path(given.output)), given.output)
    folder = Path(given.assignments)
    sources = release.sources(folder)
    if given.step == "release":
        if given.seed is not None:
            release.with_seed(next(iter(sources.values())), given.seed)
        if given.roster is not None:
            own = partial(release.write_own_releases, folder, Path(given.roster), Path(given.output), given.seed)
            return lambda: print(own(), "releases are in", given.output) is None
        return lambda: print(*release.write_releases(folder, given.seed), sep="\n") is None
    source = sources[validate.choice("assignment", given.assignment, sources)]
    limits = {name: vars(given)[name] for name in ("jobs", "cell_seconds", "seconds", "memory")}
    grade.checked_limits(**limits)
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


def _add_fresh(commands):
    fresh = commands.add_parser(
        "fresh",
        help="copy the notebooks into a folder of your own, which no update touches",
        description="Copies chapters and assignments into a folder to work in. A notebook that is there already is "
        "left alone, so the command may be given again after an update.",
    )
    fresh.add_argument("--again", action="store_true", help="clean copies of all; what you wrote is kept beside them")
    option(fresh, "--output", "your folder", "work", metavar="FOLDER")
    option(fresh, "--root", "the clone of the repository", ".", metavar="FOLDER")


def _work_fresh(given: argparse.Namespace) -> bool:
    with needs("lab"):
        from gsnn_course.publishing.fresh import fresh

    copied, left = fresh(given.root, given.output, given.again)
    print(f"{len(copied)} notebooks copied into {given.output}")
    if left:
        print(f"{len(left)} are there already and were left alone; --again makes clean copies of them, and keeps these")
    return True


def _add_book(commands):
    book = commands.add_parser(
        "book",
        help="build a site of chapters, their slides, assignments and the reference of the package",
        description="Builds a static site with search, from the notebooks as they are executed, and slides of each "
        "chapter for a lecture. It needs no network to be read or shown. "
        'pip install -e ".[book]" brings what builds it.',
    )
    option(book, "--output", "where the site is written", "site", metavar="FOLDER")
    option(book, "--root", "the clone of the repository", ".", metavar="FOLDER")


def _work_book(given: argparse.Namespace) -> bool:
    with needs("book"):
        import myst_nb  # noqa: F401  Sphinx, which is a process of its own, needs it
        import sphinx_book_theme  # noqa: F401

        from gsnn_course.publishing.book import build

    print(f"the book is in {build(given.root, given.output)}")
    return True


def _add_cost(commands):
    cost = commands.add_parser(
        "cost",
        help="measure time and peak memory of each chapter on one core, and write README's table",
        description="Runs every chapter on one core, saves its time and its kernel's peak memory in "
        "notebooks/cost.json, and writes both into README's table. Interrupted, it goes on where it was when given "
        "again. The machine should do nothing else meanwhile.",
    )
    cost.add_argument("--again", action="store_true", help="measure all of them, those that are saved too")
    option(cost, "--root", "the clone of the repository", ".", metavar="FOLDER")


def _work_cost(given: argparse.Namespace) -> bool:
    with needs("course"):
        import nbclient  # noqa: F401  the measurement is a process of its own that needs it

        from gsnn_course.publishing.cost import measure, write_readme

    try:
        measure(given.root, given.again)
    except KeyboardInterrupt:
        return False
    write_readme(given.root)
    return True


def _add_publish(commands):
    publish = commands.add_parser(
        "publish",
        help="write the repository's address into notebooks and README: badges, Colab, links for a hub",
        description="Keeps the address in pyproject.toml, and writes what follows from it: badges on top of every "
        "notebook and in README's table, the cell that installs the kit on Colab, links for a JupyterHub. Given again, "
        "it changes nothing. Without an argument it takes the address that pyproject.toml has.",
    )
    publish.add_argument("address", nargs="?", help="OWNER/REPO or OWNER/REPO@REF on GitHub; REF is main otherwise")
    publish.add_argument("--remove", action="store_true", help="forget the address, and take away all that names it")
    option(publish, "--hub", "a JupyterHub's address, for links by nbgitpuller", "what is set", metavar="URL")
    option(publish, "--root", "the clone of the repository", ".", metavar="FOLDER")


def _prepare_publish(given: argparse.Namespace) -> Callable[[], bool]:
    if given.remove and given.address:
        raise ValueError(f"--remove takes the address away; give it or {given.address}, not both")
    return about_files(_work_publish, given)


def _work_publish(given: argparse.Namespace) -> bool:
    with needs("lab"):
        from gsnn_course.publishing.publish import publish

    changed = publish(given.root, "" if given.remove else given.address, given.hub)
    print("\n".join(map(str, changed)) or "nothing had to change")
    return True


COURSE = Command(_add_course, _prepare_course)
FRESH = Command(_add_fresh, partial(about_files, _work_fresh))
BOOK = Command(_add_book, partial(about_files, _work_book))
COST = Command(_add_cost, partial(about_files, _work_cost))
PUBLISH = Command(_add_publish, _prepare_publish)
