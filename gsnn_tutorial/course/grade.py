"""Grades a class: submissions in, points, feedback and what happened out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.course import intake
from gsnn_tutorial.course.execution import execute
from gsnn_tutorial.course.nbgrader_course import NbgraderCourse
from gsnn_tutorial.course.release import read_source
from gsnn_tutorial.files import UnusableFile, read_csv, write_csv

HAPPENED = "what happened"


def grade(
    source: Path,
    submissions: Path,
    output: Path,
    *,
    jobs: int = 2,
    cell_seconds: float = 30,
    seconds: float = 300,
    progress: bool = True,
) -> pd.DataFrame:
    """Grade every submission of an assignment; a row for each pupil, see ``report``.

    ``output`` becomes an nbgrader course: gradebook.db, feedback/ with a page for each pupil, and the submissions as
    they were read, run and graded. Beside them stand grades.csv (nbgrader's export), points.csv (the table) and
    answers.csv (the diagnosis of every wrong answer).

    Arguments
        source: the assignment, with solutions and hidden tests.
        submissions: a folder with a sub-folder or a notebook for each pupil.
        output: a folder that is empty or not there yet.
        jobs, cell_seconds, seconds: as in ``execute``.

    Raises ValueError for a folder that is not as it should be.
    """
    validate.integer("jobs", jobs, 1)
    validate.number("cell_seconds", cell_seconds, 1)
    validate.number("seconds", seconds, 1)
    output = Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UnusableFile(f"output must be a new or empty folder, got {output}")
    files = intake.submissions(Path(submissions), source.stem)
    output.mkdir(parents=True, exist_ok=True)
    course = NbgraderCourse(output, source.stem)
    release = course.release(read_source(source))
    notes = {}
    for pupil, path in files.items():
        notebook, notes[pupil] = intake.read(path, release)
        course.write(notebook, "submitted", pupil)
    log = course.restore()

    readable = [pupil for pupil in files if course.notebook("executed", pupil).exists()]
    notebooks = {pupil: course.read("executed", pupil) for pupil in readable}
    limits = {"jobs": jobs, "cell_seconds": cell_seconds, "seconds": seconds}
    bar = tqdm(total=len(notebooks), desc="submissions", disable=not progress)
    with bar, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ran = execute(notebooks, Path(folder), **limits, done=lambda name: bar.update())
    for pupil, notebook in notebooks.items():
        course.write(notebook, "executed", pupil)
        notes[pupil] += ran[pupil]
    log += course.book()
    for pupil in files.keys() - notebooks.keys():
        notes[pupil].append(f"nbgrader could not read it: {log[:200]}")
    happened = {pupil: "; ".join(notes[pupil]) or "finished" for pupil in files}
    write_csv(pd.Series(happened, name=HAPPENED).rename_axis("pupil").to_frame(), output / "happened.csv")
    return report(output)


def report(output: Path) -> pd.DataFrame:
    """Write a graded class's feedback and tables, as ``grade`` does in the end, and again after grading by hand.

    A row for each pupil: the points of every graded cell (blank where one waits to be graded by hand), their ``total``,
    ``of`` how many, and ``what happened``.
    """
    output = Path(output)
    sources = sorted((output / "source").glob("*/*.ipynb"))
    if len(sources) != 1:
        raise UnusableFile(f"folder must be one that course grade has written, got {output}")
    course = NbgraderCourse(output, sources[0].stem)
    course.feedback()
    course.export(output / "grades.csv")
    most = course.points()
    columns = {"usecols": ["pupil", HAPPENED], "index_col": "pupil", "dtype": str, "keep_default_na": False}
    happened = read_csv(output / "happened.csv", **columns)[HAPPENED]
    points = pd.DataFrame.from_dict(course.grades(), orient="index", dtype=float).reindex(happened.index, columns=most)
    wrong = _wrong(course, happened.index)
    answers = [
        (pupil, _exercise(cell), points.loc[pupil, cell], most[cell], diagnosis) for pupil, cell, diagnosis in wrong
    ]
    columns = ["pupil", "cell", "points", "of", "diagnosis"]
    write_csv(pd.DataFrame(answers, columns=columns), output / "answers.csv")
    table = points.rename(columns=_exercise)
    table = table.assign(total=points.sum(axis=1), of=sum(most.values()), **{HAPPENED: happened})
    write_csv(table, output / "points.csv")
    return table


def show(table: pd.DataFrame):
    """Print the points, and below them what happened to whom."""
    print(table.drop(columns=HAPPENED).to_string(na_rep="by hand", float_format=lambda points: f"{points:g}"), "\n")
    for pupil, happened in table[HAPPENED].items():
        print(f"{pupil}: {happened}")


def _wrong(course: NbgraderCourse, pupils):
    """(pupil, graded cell, what its error says) for every graded cell that failed."""
    for pupil in pupils:
        if not course.notebook("autograded", pupil).exists():
            continue
        for cell in course.read("autograded", pupil).cells:
            if cell.metadata.get("nbgrader", {}).get("grade"):
                for error in [o for o in cell.get("outputs", []) if o.output_type == "error"][:1]:
                    shown = error.evalue if error.ename == "AssertionError" else f"{error.ename}: {error.evalue}"
                    yield pupil, cell.metadata.nbgrader.grade_id, shown


def _exercise(cell: str) -> str:
    """What a graded cell grades: the test of an answer is named after it."""
    return cell.removesuffix("-test")
