"""Grades a class: submissions in, points, feedback and what happened out.

Pupils' code runs first, where it reaches nothing (``sandbox``); the gradebook is made afterwards.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import nbformat
import pandas as pd
from tqdm.auto import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.course import intake, sandbox
from gsnn_tutorial.course.arrivals import Arrival, arrivals, unique
from gsnn_tutorial.course.execution import execute
from gsnn_tutorial.course.guard import Guard, digest
from gsnn_tutorial.course.nbgrader_course import NbgraderCourse
from gsnn_tutorial.course.release import SEED, read_source, release, sources, with_seed
from gsnn_tutorial.course.report import HAPPENED, report, show
from gsnn_tutorial.course.roster import NOTHING, match, read_roster
from gsnn_tutorial.course.watching import Limits
from gsnn_tutorial.files import UnusableFile, read_json, write_csv, write_json, write_text

UNFINISHED = "unfinished.json"  # in the output folder, until a class is graded


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
        earlier: the output of an earlier run; points and comments by hand are taken over where the answer is the same.
        jobs: how many notebooks run at a time.
        cell_seconds, seconds, memory: what a cell, and a submission, may take; gigabytes. See ``Limits``.

    Raises ValueError for a folder that is not as it should be, and if anything changed that must not.
    """
    validate.integer("jobs", jobs, 1)
    limits = Limits(
        validate.number("cell_seconds", cell_seconds, 1),
        validate.number("seconds", seconds, 1),
        int(1e9 * validate.number("memory", memory, 0.5)),
    )
    source, submissions, output = Path(source), Path(submissions), Path(output)
    _own_package(source)
    if output.exists() and (not output.is_dir() or any(output.iterdir())) and not (output / UNFINISHED).is_file():
        raise UnusableFile(f"output must be a new or empty folder, got {output}")
    listed = None if roster is None else read_roster(roster)
    before = None if earlier is None else _by_hand(Path(earlier), source.stem)
    with tempfile.TemporaryDirectory(prefix="class-", ignore_cleanup_errors=True) as folder:
        handed_in = arrivals(submissions, source.stem, Path(folder))
        handed_in = handed_in if listed is None else match(handed_in, listed)
        blank = release(source)
        read = {}
        for arrival in handed_in:
            theirs = with_own_seed(blank, arrival.pupil) if own_seeds else blank
            notebook, notes = intake.read(arrival.path, theirs)
            arrival.notes += notes
            read[arrival.pupil] = notebook
    output.mkdir(parents=True, exist_ok=True)
    course = NbgraderCourse(output, source.stem)
    run = Run(course, source, limits, jobs, {a.pupil: read[a.pupil] for a in handed_in if NOTHING not in a.notes})
    guard = Guard([source.parent.parent, sandbox.PACKAGE, submissions, *_neighbours(output)])
    run.execute(progress)
    guard.check()
    run.check()

    course.release(read_source(source))
    if due is not None:
        course.due(due)
    log = _book(course, run, handed_in)
    for arrival in handed_in:
        arrival.notes += run.notes.get(arrival.pupil, [])
        if (
            arrival.pupil in read
            and NOTHING not in arrival.notes
            and not course.notebook("autograded", arrival.pupil).exists()
        ):
            arrival.notes.append(f"nbgrader could not read it: {log[:200]}")
    if before is not None:
        _carry(course, before, {arrival.pupil: arrival for arrival in handed_in})
    if listed is not None:
        shutil.copyfile(roster, output / "roster.csv")
        for pupil, name, email in zip([a.pupil for a in handed_in], listed.pupils["name"], listed.pupils["email"]):
            course.enter(pupil, name, email)
    _write_happened(handed_in, listed, due, output)
    write_text(sandbox.describe() + "\n", output / "how.txt")
    table = report(output)
    (output / UNFINISHED).unlink()
    return table


def own_seed(seed: int, pupil: str) -> int:
    """The seed of one pupil's release, from the year's."""
    return int(hashlib.sha256(f"{seed}:{pupil}".encode()).hexdigest()[:8], 16) % 10**6


def with_own_seed(notebook, pupil: str):
    """A release with the seed of one pupil."""
    notebook = nbformat.from_dict(json.loads(json.dumps(notebook)))
    for cell in notebook.cells:
        cell.source = SEED.sub(lambda found: f"SEED = {own_seed(int(found[1]), pupil)}", cell.source)
    return notebook


def write_own_releases(folder: Path, roster: Path, output: Path, seed: int | None = None) -> int:
    """Write a release of each assignment for each pupil of a roster, ``output``/ID/NAME.ipynb; how many there are."""
    taken, number = set(), 0
    pupils = [unique(identity, taken) for identity in read_roster(roster).pupils["id"]]
    for source in sources(folder).values():
        blank = release(source, None if seed is None else with_seed(source, seed))
        for pupil in pupils:
            path = Path(output) / pupil / f"{source.stem}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(nbformat.writes(with_own_seed(blank, pupil)).rstrip("\n") + "\n", path)
            number += 1
    return number


class Run:
    """The notebooks of a class, and which of them have been run. What has been run is kept in ``executed/``."""

    def __init__(self, course: NbgraderCourse, source: Path, limits: Limits, jobs: int, notebooks: dict):
        self.course, self.limits, self.jobs, self.notebooks = course, limits, jobs, notebooks
        self.tests = {c.id: c.source for c in read_source(source).cells if c.metadata.get("nbgrader", {}).get("grade")}
        self.locked = {
            cell.id for cell in read_source(source).cells if cell.id in self.tests and cell.cell_type == "code"
        }
        self.path = course.folder / UNFINISHED
        asked = json.dumps(
            [digest(source), {pupil: nbformat.writes(notebook) for pupil, notebook in notebooks.items()}]
        )
        self.of, self.notes, self.written = hashlib.sha256(asked.encode()).hexdigest(), {}, {}
        if self.path.exists():
            earlier = read_json(self.path, {"of": str, "done": dict})
            if earlier["of"] != self.of:
                raise UnusableFile(f"output {course.folder} holds an unfinished run of other submissions or tests: "
                                   "give another output")  # fmt: skip
            for pupil, (mark, notes) in earlier["done"].items():
                path = course.notebook("executed", pupil)
                if path.exists() and digest(path) == mark:
                    self.notes[pupil], self.written[pupil] = notes, mark
        for step in ("submitted", "autograded", "feedback", "source", "release", "gradebook.db"):
            self._remove(course.folder / step)
        self._save()

    def execute(self, progress: bool):
        """Run what has not been run."""
        pending = {pupil: notebook for pupil, notebook in self.notebooks.items() if pupil not in self.written}
        with tqdm(total=len(self.notebooks), desc="submissions", disable=not progress, smoothing=0) as bar:
            bar.update(len(self.written))

            def done(pupil: str, notes: list[str]):
                notebook = self.notebooks[pupil]
                for cell in notebook.cells:
                    if cell.id in self.locked:
                        cell.source = self.tests[cell.id]
                self.course.write(notebook, "executed", pupil)
                self.notes[pupil], self.written[pupil] = notes, digest(self.course.notebook("executed", pupil))
                self._save()
                bar.update()

            originals = {
                pupil: nbformat.from_dict(json.loads(json.dumps(notebook))) for pupil, notebook in pending.items()
            }
            execute(pending, tests=self.tests, jobs=self.jobs, limits=self.limits, done=done)
        self.originals = originals

    def check(self):
        """Raise UnusableFile if a notebook that was run is not as it was written."""
        for pupil, mark in self.written.items():
            if digest(path := self.course.notebook("executed", pupil)) != mark:
                raise UnusableFile(f"{path} was changed while other submissions ran: nothing was graded")

    def verdicts(self) -> dict[str, dict[str, float]]:
        """{pupil: {cell: points}} that the tests gave."""
        result = {}
        for pupil in self.written:
            cells = [c for c in self.course.read("executed", pupil).cells if c.id in self.locked]
            failed = {cell.id: any(o.output_type == "error" for o in cell.outputs) for cell in cells}
            result[pupil] = {c.id: 0 if failed[c.id] else c.metadata.nbgrader.points for c in cells
                             if not c.metadata.nbgrader.solution}  # fmt: skip
        return result

    def _save(self):
        done = {pupil: [mark, self.notes[pupil]] for pupil, mark in self.written.items()}
        write_json({"of": self.of, "done": done}, self.path)

    @staticmethod
    def _remove(path: Path):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _book(course: NbgraderCourse, run: Run, handed_in: Iterable[Arrival]) -> str:
    """Enter into the gradebook what the tests gave, and nothing else; nbgrader's words."""
    for arrival in handed_in:
        if arrival.pupil in run.written:
            course.write(run.originals.get(arrival.pupil, run.notebooks[arrival.pupil]), "submitted", arrival.pupil)
            if arrival.time is not None:
                course.stamp("submitted", arrival.pupil, arrival.time)
                course.stamp("executed", arrival.pupil, arrival.time)
    log = course.book()
    course.refuse_what_nobody_gave(run.verdicts())
    return log


def _write_happened(handed_in, listed, due, output):
    rows = []
    for number, arrival in enumerate(handed_in):
        known = listed.pupils.iloc[number] if listed is not None and number < len(listed.pupils) else {}
        late = max(0, -(-(arrival.time - due).total_seconds() // 86400)) if due and arrival.time else 0
        rows.append({
            "pupil": arrival.pupil, "id": known.get("id", arrival.pupil), "name": known.get("name", arrival.label),
            "email": known.get("email", ""), "handed in": arrival.time or "", "days late": int(late) if due else "",
            HAPPENED: "; ".join(arrival.notes) or "finished",
        })  # fmt: skip
    write_csv(pd.DataFrame(rows).set_index("pupil"), output / "happened.csv")


def _neighbours(output: Path) -> list[Path]:
    """The gradebooks and tables of earlier runs beside the output folder."""
    runs = [path.parent for path in output.resolve().parent.glob("*/gradebook.db") if path.parent != output.resolve()]
    return [path for run in runs for path in (run / "gradebook.db", run / "points.csv", run / "feedback")]


def _by_hand(earlier: Path, name: str) -> tuple[NbgraderCourse, dict]:
    course = NbgraderCourse(earlier, name)
    if not (earlier / "gradebook.db").exists():
        raise UnusableFile(f"earlier must be a folder that course grade has written, got {earlier}")
    return course, course.by_hand()


def _carry(course: NbgraderCourse, before: tuple[NbgraderCourse, dict], handed_in: dict[str, Arrival]):
    """Take over points and comments by hand, where the answer is still the same, and say where it is not."""
    old, given = before
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


def _own_package(source: Path):
    """Raise UnusableFile if the assignments lie in a repository with a package of its own that is not this one."""
    root = source.resolve().parent.parent.parent.parent
    package = root / "gsnn_tutorial"
    if (package / "__init__.py").exists() and package != sandbox.PACKAGE:
        raise UnusableFile(f"the assignments lie in {root}, and what grades is {sandbox.PACKAGE}: "
                           f'run pip install -e ".[course]" in {root}, and grade there')  # fmt: skip


__all__ = ["grade", "own_seed", "report", "show", "write_own_releases"]
