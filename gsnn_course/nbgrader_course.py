"""The part of nbgrader: it releases an assignment, books points, exports them and writes feedback."""

from __future__ import annotations

import logging
import os
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import preprocessors
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from traitlets.config import Config

from gsnn_course.outputs import whole
from gsnn_tutorial.exercises.attempt import silence
from gsnn_tutorial.study.files import UnusableFile, replacing, write_text

STUB = {"python": "raise NotImplementedError  # your answer here"}


class NbgraderCourse:
    """An nbgrader course in a folder of its own, with one assignment in one notebook of the same name.

    The folder is an ordinary one of nbgrader: its formgrader can open it.
    """

    def __init__(self, folder: str | Path, name: str):
        self.folder, self.name = Path(folder).resolve(), name
        self.database = f"sqlite:///{self.folder / 'gradebook.db'}"

    def notebook(self, step: str, pupil: str = ".") -> Path:
        """The path of the assignment's notebook in one of nbgrader's steps."""
        return self.folder / step / pupil / self.name / f"{self.name}.ipynb"

    def write(self, notebook: NotebookNode, step: str, pupil: str = "."):
        path = self.notebook(step, pupil)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(whole(nbformat.writes(notebook)).rstrip("\n") + "\n", path)

    def read(self, step: str, pupil: str = ".") -> NotebookNode:
        return nbformat.read(self.notebook(step, pupil), as_version=4)

    def release(self, source: NotebookNode, *, enter: bool = True) -> NotebookNode:
        """The notebook without solutions and hidden tests; ``enter``: put the assignment into the gradebook.

        Raises ValueError with nbgrader's words where the source's metadata are not right.
        """
        self.write(source, "source")
        steps = [step for step in GenerateAssignment().preprocessors if enter or step is not preprocessors.SaveCells]
        log = self._run(GenerateAssignment, preprocessors=steps, no_database=not enter)
        if not self.notebook("release").exists():
            raise UnusableFile(f"nbgrader could not release {self.name}: {log}")
        return self.read("release")

    def book(self) -> str:
        """executed/ -> autograded/, the points into the gradebook."""
        return self._run(
            Autograde,
            {"submitted_directory": "executed"},
            sanitize_preprocessors=[preprocessors.CheckCellMetadata],
            autograde_preprocessors=[preprocessors.LimitOutput, preprocessors.SaveAutoGrades],
        )

    def feedback(self) -> str:
        """autograded/ -> feedback/, a page for each pupil; points that were given by hand are in it."""
        return self._run(GenerateFeedback)

    def export(self, path: Path):
        """The gradebook as nbgrader exports it: one line per pupil."""
        exporter = CsvExportPlugin()
        with replacing(path) as beside, _quiet(), Gradebook(self.database) as gradebook:
            exporter.to = str(beside)
            exporter.export(gradebook)

    def grades(self) -> dict[str, dict[str, float | None]]:
        """{pupil: {cell: points}}; None for a cell that waits to be graded by hand."""
        return {
            pupil: {
                grade.name: None if grade.needs_manual_grade and grade.manual_score is None else grade.score
                for grade in notebook.grades
            }
            for pupil, notebook in self._submitted()
        }

    def points(self) -> dict[str, float]:
        """{cell: the most that it gives}, in the order of the notebook."""
        cells = [cell.metadata.get("nbgrader", {}) for cell in self.read("source").cells]
        return {cell["grade_id"]: cell["points"] for cell in cells if cell.get("grade")}

    def enter(self, pupil: str, name: str, email: str):
        """Put a pupil's name and address into the gradebook."""
        first, _, last = name.rpartition(" ")
        with Gradebook(self.database) as gradebook:
            gradebook.update_or_create_student(pupil, first_name=first or None, last_name=last, email=email or None)

    def due(self, when: datetime):
        """Put the date into the gradebook by which the assignment was due."""
        with Gradebook(self.database) as gradebook:
            gradebook.update_or_create_assignment(self.name, duedate=when)

    def stamp(self, step: str, pupil: str, when: datetime):
        """Say when a notebook was handed in, as nbgrader does."""
        path = self.notebook(step, pupil).with_name("timestamp.txt")
        write_text(when.strftime("%Y-%m-%d %H:%M:%S UTC\n"), path)

    def refuse_what_nobody_gave(self, verdicts: dict[str, dict[str, float]] | None = None):
        """Raise UnusableFile for points above the maximum; with ``verdicts``, the points that tests gave, also for
        any others, and for points by hand, which nobody can have given yet.
        """
        for pupil, grade in ((pupil, grade) for pupil, notebook in self._submitted() for grade in notebook.grades):
            where = f"{self.database}: {pupil}, {grade.name}"
            if (grade.score or 0) > grade.max_score + 1e-9:
                raise UnusableFile(f"{where} has {grade.score:g} points of {grade.max_score:g}: look who gave them")
            if verdicts is None:
                continue
            if grade.manual_score is not None or grade.extra_credit:
                raise UnusableFile(f"{where} has points by hand, and nobody has graded by hand yet")
            given = verdicts.get(pupil, {}).get(grade.name)
            if given is not None and grade.auto_score not in (None, given):  # None: nbgrader could not read it
                raise UnusableFile(f"{where} has {grade.auto_score} points, and its test gave {given:g}")

    def by_hand(self) -> dict[tuple[str, str], tuple[float | None, str | None]]:
        """{(pupil, cell): (points, comment)} that a person has given."""
        found = {}
        for pupil, notebook in self._submitted():
            comments = {comment.name: comment.manual_comment for comment in notebook.comments}
            scores = {grade.name: grade.manual_score for grade in notebook.grades}
            for cell in scores.keys() | comments:
                if scores.get(cell) is not None or comments.get(cell):
                    found[pupil, cell] = scores.get(cell), comments.get(cell)
        return found

    def give_by_hand(self, pupil: str, cell: str, points: float | None, comment: str | None):
        """Give points and a comment, as a person does in formgrader."""
        with Gradebook(self.database) as gradebook:
            notebook = gradebook.find_submission_notebook(self.name, self.name, pupil)
            for grade in notebook.grades:
                if grade.name == cell and points is not None:
                    grade.manual_score, grade.needs_manual_grade = points, False
            for written in notebook.comments:
                if written.name == cell and comment:
                    written.manual_comment = comment
            gradebook.db.commit()

    def _submitted(self) -> Iterator[tuple[str, object]]:
        """(pupil, the gradebook's notebook) for everybody who handed in."""
        with Gradebook(self.database) as gradebook:
            for submission in gradebook.assignment_submissions(self.name):
                yield submission.student.id, submission.notebooks[0]

    def _run(self, converter, folders: dict[str, str] | None = None, **options) -> str:
        """Run one of nbgrader's converters with options of its own and of the course's folders; its messages."""
        config = Config()
        config.CourseDirectory.update(root=str(self.folder), db_url=self.database, assignment_id=self.name)
        config.CourseDirectory.update(folders or {})
        config.ClearSolutions.code_stub = STUB
        with _quiet() as log:
            try:
                converter(coursedir=CourseDirectory(config=config), config=config, force=True, **options).start()
            except NbGraderException:
                pass  # one pupil's notebook failed, the others have been done; the log says why
        return "\n".join(log)


@contextmanager
def _quiet():
    """nbgrader's messages in a list; its scripts on the path, since it calls one of them by name."""
    messages = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    log, path = logging.getLogger("traitlets"), os.environ.get("PATH", "")
    propagate, log.propagate = log.propagate, False
    log.addHandler(handler)
    os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + path
    try:
        with silence():
            yield messages
    finally:
        os.environ["PATH"] = path
        log.removeHandler(handler)
        log.propagate = propagate
