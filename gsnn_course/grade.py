"""Grades a class: submissions in, points and feedback out.

Pupils' code runs first, where it reaches nothing (``sandbox``); the gradebook is made afterwards.
"""

from __future__ import annotations

import copy
import tempfile
from datetime import datetime
from pathlib import Path

import pandas as pd
from nbformat import NotebookNode

from gsnn_course import intake, sandbox
from gsnn_course.arrivals import Arrival, arrivals
from gsnn_course.guard import Guard
from gsnn_course.nbgrader_course import NbgraderCourse
from gsnn_course.outputs import one_line
from gsnn_course.release import read_source, release, with_own_seed
from gsnn_course.report import HAPPENED, report
from gsnn_course.roster import BEFORE, NOTHING, match, read_roster
from gsnn_course.running import UNFINISHED, Run
from gsnn_course.watching import Limits
from gsnn_tutorial import validate
from gsnn_tutorial.study.files import UnusableFile, replacing, write_csv, write_text


def grade(
    source: Path,
    submissions: Path,
    output: Path,
    *,
    roster: Path | None = None,
    due: datetime | None = None,
    own_seeds: bool = False,
    earlier: Path | None = None,
    jobs: int = 2,
    cell_seconds: float = 30,
    seconds: float = 300,
    memory: float = 4,
    progress: bool = True,
) -> pd.DataFrame:
    """Grade every submission of an assignment; a row for each pupil, see ``report``.

    ``output`` becomes an nbgrader course: gradebook.db, feedback/ with a page for each pupil, and the submissions as
    they were read, run and graded. Beside them stand the tables that ``report`` writes. If grading is interrupted,
    the same call goes on where it stopped.

    Arguments
        source: the assignment, with solutions and hidden tests.
        submissions: a folder or a zip, see ``arrivals``.
        output: a folder that is empty or not there yet, or that of the same run, interrupted.
        roster: the class's list, a CSV, see ``read_roster``.
        due: when the assignment was due; the table says how many days late each pupil was.
        own_seeds: each pupil got a release with a seed of its own, see ``own_seed``.
        earlier: the output of an earlier run; points and comments by hand are taken over where the answer is the same,
            and who handed in then and not now is left as they were.
        jobs: how many notebooks run at a time.
        cell_seconds, seconds, memory: what a cell, and a submission, may take; gigabytes. See ``Limits``.

    Raises ValueError for a folder that is not as it should be, and if anything changed that must not.
    """
    limits = checked_limits(jobs, cell_seconds, seconds, memory)
    source, submissions, output = Path(source), Path(submissions), Path(output)
    _own_package(source)
    if output.exists() and (not output.is_dir() or any(output.iterdir())) and not (output / UNFINISHED).is_file():
        raise UnusableFile(f"output must be a new or empty folder, got {output}")
    listed = None if roster is None else read_roster(roster)
    before = None if earlier is None else by_hand(Path(earlier), source.stem)
    with tempfile.TemporaryDirectory(prefix="class-", ignore_cleanup_errors=True) as folder:
        handed_in = arrivals(submissions, source.stem, Path(folder))
        handed_in = handed_in if listed is None else match(handed_in, listed)
        notebooks = _read(handed_in, release(source), own_seeds)
    output.mkdir(parents=True, exist_ok=True)
    course = NbgraderCourse(output, source.stem)
    run = Run(course, source, limits, jobs, notebooks)
    guard = Guard([source.parent.parent, *sandbox.PACKAGES, submissions, *_neighbours(output)])
    run.guard(guard)
    try:
        guard.check()  # after an interruption
        run.execute(progress)
        guard.check()
        run.check()
    except UnusableFile:
        run.forget()
        run.remember()
        raise

    course.release(read_source(source))
    if due is not None:
        course.due(due)
    log = _book(course, run, handed_in)
    for arrival in handed_in:
        arrival.notes += run.notes.get(arrival.pupil, [])
        if NOTHING not in arrival.notes and not course.notebook("autograded", arrival.pupil).exists():
            arrival.notes.append(f"nbgrader could not read it: {log[:200]}")
    if before is not None:
        carry_over(course, before, {arrival.pupil: arrival for arrival in handed_in})
    if listed is not None:
        with replacing(output / "roster.csv") as beside:
            beside.write_bytes(Path(roster).read_bytes())
        for pupil, name, email in zip([a.pupil for a in handed_in], listed.pupils["name"], listed.pupils["email"]):
            course.enter(pupil, name, email)
    _write_happened(handed_in, listed, due, output)
    write_text(sandbox.describe() + "\n", output / "how.txt")
    table = report(output)
    (output / UNFINISHED).unlink()
    return table


def checked_limits(jobs: int, cell_seconds: float, seconds: float, memory: float) -> Limits:
    """The limits of a submission, in the units of ``grade``. Raises ValueError for one that cannot be."""
    validate.integer("jobs", jobs, 1)
    times = (validate.number(*time, 1) for time in (("cell_seconds", cell_seconds), ("seconds", seconds)))
    return Limits(*times, memory=int(1e9 * validate.number("memory", memory, 0.5)))


def _read(handed_in: list[Arrival], blank: NotebookNode, own_seeds: bool) -> dict[str, NotebookNode]:
    """{pupil: notebook to run} of all who handed in; notes on them go to the arrivals."""
    notebooks = {}
    for arrival in handed_in:
        notebook, notes = intake.read(arrival.path, with_own_seed(blank, arrival.pupil) if own_seeds else blank)
        arrival.notes += notes
        if NOTHING not in arrival.notes:
            notebooks[arrival.pupil] = copy.deepcopy(notebook)  # a blank one would be shared
    return notebooks


def _book(course: NbgraderCourse, run: Run, handed_in: list[Arrival]) -> str:
    """Enter the tests' points into the gradebook, and nothing else; nbgrader's words."""
    for arrival in handed_in:
        if arrival.pupil in run.written:
            course.write(run.originals.get(arrival.pupil, run.notebooks[arrival.pupil]), "submitted", arrival.pupil)
            if arrival.time is not None:
                course.stamp("submitted", arrival.pupil, arrival.time)
                course.stamp("executed", arrival.pupil, arrival.time)
    log = course.book()
    course.refuse_what_nobody_gave(run.verdicts())
    return log


def by_hand(earlier: Path, name: str) -> tuple[NbgraderCourse, dict]:
    """An earlier course, and the points and comments in it: read before any pupil's code runs."""
    if not (earlier / "gradebook.db").exists():
        raise UnusableFile(f"earlier must be a folder that course grade has written, got {earlier}")
    course = NbgraderCourse(earlier, name)
    return course, course.by_hand()


def carry_over(course: NbgraderCourse, before: tuple[NbgraderCourse, dict], handed_in: dict[str, Arrival]):
    """Take over points and comments by hand if the answer is still the same, and say so if it is not.

    A pupil who handed in then and not now has no points here, rather than 0: the earlier ones stand.
    """
    old, given = before
    for pupil, arrival in handed_in.items():
        if NOTHING in arrival.notes and old.notebook("submitted", pupil).exists():
            arrival.notes.append(BEFORE)
    for (pupil, cell), (points, comment) in given.items():
        if pupil not in handed_in or not course.notebook("autograded", pupil).exists():
            continue
        names = (cell, cell.removesuffix("-test"))  # the answer stands before its test
        was, now = (
            next((c.source for c in which.read("executed", pupil).cells if c.id in names), None)
            for which in (old, course)
        )
        if was == now:
            course.give_by_hand(pupil, cell, points, comment)
        else:
            handed_in[pupil].notes.append(f"{cell} has another answer than when it was graded by hand")
    course.refuse_what_nobody_gave()


def _write_happened(handed_in: list[Arrival], listed, due: datetime | None, output: Path):
    rows = []
    for number, arrival in enumerate(handed_in):
        known = listed.pupils.iloc[number] if listed is not None and number < len(listed.pupils) else {}
        late = max(0, -(-(arrival.time - due).total_seconds() // 86400)) if due and arrival.time else 0
        rows.append({
            "pupil": arrival.pupil, "id": known.get("id", arrival.pupil),
            "name": known.get("name", one_line(arrival.label).lstrip("=+-@ ")),  # which begin a formula in a table
            "email": known.get("email", ""), "handed in": arrival.time or "", "days late": int(late) if due else "",
            HAPPENED: one_line("; ".join(arrival.notes)) or "finished",
        })  # fmt: skip
    write_csv(pd.DataFrame(rows).set_index("pupil"), output / "happened.csv")


def _neighbours(output: Path) -> list[Path]:
    """The gradebooks and tables of earlier runs beside the output folder."""
    runs = [path.parent for path in output.resolve().parent.glob("*/gradebook.db") if path.parent != output.resolve()]
    return [path for run in runs for path in (run / "gradebook.db", run / "points.csv", run / "feedback")]


def _own_package(source: Path):
    """Raise UnusableFile if the assignments lie in a repository with a package of its own that is not this one."""
    root = source.resolve().parent.parent.parent.parent
    package = root / "gsnn_tutorial"
    if (package / "__init__.py").exists() and package != sandbox.PACKAGE:
        raise UnusableFile(f"the assignments lie in {root}, and what grades is {sandbox.PACKAGE}: "
                           f'run pip install -e ".[course]" in {root}, and grade there')  # fmt: skip
