"""The tables and pages of a graded class: points, answers, imports for platforms, feedback, the class at a glance."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from gsnn_course import pages
from gsnn_course.nbgrader_course import NbgraderCourse
from gsnn_course.outputs import readable
from gsnn_course.roster import BEFORE, NOTHING, read_roster, write_exports, write_feedback
from gsnn_tutorial.study.files import UnusableFile, read_csv, write_csv, write_text

HAPPENED = "what happened"
BEFORE_NOW = f"{NOTHING}; {BEFORE}"  # the notes of a pupil who handed in for an earlier run only


def report(output: Path) -> pd.DataFrame:
    """Write a graded class's feedback and tables, as ``grade`` does in the end, and again after grading by hand.

    A row for each pupil: the points of every graded cell (blank where one waits to be graded by hand; all blank where a
    pupil was graded in an earlier run and not in this one), their ``total``, ``of`` how many, ``days late`` if the
    assignment had a date, and ``what happened``. Written are points.csv, answers.csv (every wrong answer's diagnosis),
    grades.csv (nbgrader's export), moodle.csv, canvas.csv, class.html, feedback.zip where Moodle's numbers are known,
    and similar/, which Dolos and JPlag read.
    """
    output = Path(output)
    sources = sorted((output / "source").glob("*/*.ipynb"))
    if len(sources) != 1:
        raise UnusableFile(f"folder must be one that course grade has written, got {output}")
    course = NbgraderCourse(output, sources[0].stem)
    course.refuse_what_nobody_gave()
    course.feedback()
    for page in (output / "feedback").glob("*/*/*.html"):
        write_text(pages.offline(page.read_text(encoding="utf-8")), page)
    course.export(output / "grades.csv")
    most = course.points()
    about = read_csv(output / "happened.csv", dtype=str, keep_default_na=False).set_index("pupil")
    points = pd.DataFrame.from_dict(course.grades(), orient="index", dtype=float).reindex(about.index, columns=most)
    absent = about[HAPPENED] == NOTHING  # and no other note: not what was graded before, not an error with these words
    before = about[HAPPENED].str.startswith(BEFORE_NOW)
    points[absent] = points[absent].fillna(0.0)
    wrong = _wrong(course, about.index)
    answers = [
        (pupil, _exercise(cell), points.loc[pupil, cell], most[cell], diagnosis) for pupil, cell, diagnosis in wrong
    ]
    answers = pd.DataFrame(answers, columns=["pupil", "cell", "points", "of", "diagnosis"])
    write_csv(answers, output / "answers.csv")
    table = points.rename(columns=_exercise)
    table = table.assign(total=points.sum(axis=1).mask(before), of=sum(most.values()))
    if (about["days late"] != "").any():
        table["days late"] = about["days late"]
    table[HAPPENED] = about[HAPPENED]
    write_csv(table, output / "points.csv")
    roster = read_roster(output / "roster.csv") if (output / "roster.csv").exists() else None
    sentences = answers["diagnosis"].str.replace(r"(?<![.!?])$", ".", regex=True)
    comments = sentences.groupby(answers["pupil"]).agg(" ".join).reindex(about.index).fillna("")
    back = about[["id", "name", "email"]].assign(total=table["total"], of=table["of"], comment=comments)
    write_exports(roster, back.assign(waits=points.isna().any(axis=1)), output, course.name)
    if roster is not None:
        write_feedback(roster, about.index, output, course.name)
    of = {_exercise(cell): points for cell, points in most.items()}
    write_text(pages.class_page(course.name, table, answers, of, absent), output / "class.html")
    _similar(course, about.index, output / "similar")
    return table


def show(table: pd.DataFrame):
    """Print the points, and below them what happened; pupils that only an earlier run has graded are counted."""
    before = table[HAPPENED].str.startswith(BEFORE_NOW)
    table = table[~before]
    print(table.drop(columns=HAPPENED).to_string(na_rep="by hand", float_format=lambda points: f"{points:g}"), "\n")
    for pupil, happened in table[HAPPENED].items():
        print(f"{pupil}: {happened}")
    if before.any():
        print(f"{before.sum()} more were graded before: left as they were, and blank in what the platforms take")


def _wrong(course: NbgraderCourse, pupils):
    """(pupil, graded cell, words of its error) for every graded cell that failed."""
    for pupil in pupils:
        if not course.notebook("autograded", pupil).exists():
            continue
        broken = {}  # {a cell: its error}
        for cell in course.read("autograded", pupil).cells:
            if mark := cell.metadata.get("nbgrader", {}):
                errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
                broken |= {mark["grade_id"]: error for error in errors[:1]}
                if mark.get("grade") and errors:
                    yield pupil, mark["grade_id"], _said(_exercise(mark["grade_id"]), errors[0], broken)


def _said(exercise: str, error, broken: dict) -> str:
    """A check's diagnosis, or the error of the answer's own cell, if the test misses a name for that reason."""
    if error.ename == "AssertionError":
        return readable(error.evalue)
    error = broken.get(exercise, error) if error.ename == "NameError" else error
    shown = re.sub(r" \(\d+\.py, (line \d+)\)$", r" (\1)", error.evalue)
    return readable(f"{exercise}: {error.ename}: {shown}")


def _similar(course: NbgraderCourse, pupils, folder: Path):
    """A file of answers for each pupil, a folder each as JPlag wants it, the list that Dolos wants, and the release."""
    release = course.read("release")
    blank = {cell.source for cell in release.cells}
    base = "\n\n".join(cell.source for cell in release.cells if cell.cell_type == "code")
    files, listed = {folder / "base" / "answers.py": base}, []
    for pupil in pupils:
        if course.notebook("submitted", pupil).exists():
            own = [c.source for c in course.read("submitted", pupil).cells if c.cell_type == "code"]
            files[folder / "pupils" / pupil / "answers.py"] = "\n\n".join(text for text in own if text not in blank)
            listed.append({"filename": f"pupils/{pupil}/answers.py", "full_name": pupil})
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(text + "\n", path)
    write_csv(pd.DataFrame(listed, columns=["filename", "full_name"]), folder / "info.csv")


def _exercise(cell: str) -> str:
    """The exercise that a cell grades: the test of an answer is named after it."""
    return cell.removesuffix("-test")
