"""A class's notebooks on their way through the kernels; finished ones outlive an interruption."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from pathlib import Path

import nbformat
from tqdm.auto import tqdm

from gsnn_course.execution import execute
from gsnn_course.guard import Guard, digest
from gsnn_course.nbgrader_course import NbgraderCourse
from gsnn_course.release import read_source
from gsnn_course.watching import Limits
from gsnn_tutorial.study.files import UnusableFile, read_json, write_json

UNFINISHED = "unfinished.json"  # in the output folder, until a class is graded


class Run:
    """The notebooks of a class, and which of them have been run: those are kept in ``executed/``."""

    def __init__(self, course: NbgraderCourse, source: Path, limits: Limits, jobs: int, notebooks: dict):
        self.course, self.limits, self.jobs, self.notebooks = course, limits, jobs, notebooks
        self.tests = {
            cell.id: cell.source
            for cell in read_source(source).cells
            for mark in [cell.metadata.get("nbgrader", {})]
            if cell.cell_type == "code" and mark.get("grade") and not mark.get("solution")
        }
        self.path = course.folder / UNFINISHED
        asked = [digest(source), {pupil: nbformat.writes(notebook) for pupil, notebook in notebooks.items()}]
        self.of = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        self.forget()
        if self.path.exists():
            earlier = read_json(self.path, {"of": str, "done": dict, "guarded": dict})
            if earlier["of"] != self.of:
                raise UnusableFile(f"output {course.folder} holds an unfinished run of other submissions or tests: "
                                   "give another output")  # fmt: skip
            self.guarded = earlier["guarded"]
            for pupil, (mark, notes) in earlier["done"].items():
                if self._digest(pupil) == mark:
                    self.notes[pupil], self.written[pupil] = notes, mark
        for step in ("submitted", "autograded", "feedback", "source", "release"):
            if (left := course.folder / step).exists():
                shutil.rmtree(left)
        (course.folder / "gradebook.db").unlink(missing_ok=True)
        self.remember()

    def guard(self, guard: Guard):
        """Guard the state that files had when the run began, before an interruption too."""
        guard.before = self.guarded = self.guarded or guard.before
        self.remember()

    def forget(self):
        """Use no finished notebook again: code that changed a file may have changed notebooks as well."""
        self.notes, self.written, self.guarded = {}, {}, {}  # guarded: {path: fingerprint} from when the run began

    def execute(self, progress: bool):
        """Run the notebooks that have not been run."""
        pending = {pupil: notebook for pupil, notebook in self.notebooks.items() if pupil not in self.written}
        self.originals = copy.deepcopy(pending)
        with tqdm(total=len(self.notebooks), desc="submissions", disable=not progress, smoothing=0) as bar:
            bar.update(len(self.written))

            def done(pupil: str, notes: list[str]):
                notebook = self.notebooks[pupil]
                for cell in notebook.cells:
                    cell.source = self.tests.get(cell.id, cell.source)
                self.course.write(notebook, "executed", pupil)
                self.notes[pupil], self.written[pupil] = notes, self._digest(pupil)
                self.remember()
                bar.update()

            execute(pending, tests=self.tests, jobs=self.jobs, limits=self.limits, done=done)

    def check(self):
        """Raise UnusableFile if a notebook that was run is not as it was written."""
        for pupil, mark in self.written.items():
            if self._digest(pupil) != mark:
                path = self.course.notebook("executed", pupil)
                raise UnusableFile(f"{path} was changed while other submissions ran: nothing was graded")

    def verdicts(self) -> dict[str, dict[str, float]]:
        """{pupil: {cell: points}} that the tests gave."""
        return {
            pupil: {
                cell.id: 0 if any(o.output_type == "error" for o in cell.outputs) else cell.metadata.nbgrader.points
                for cell in self.course.read("executed", pupil).cells
                if cell.id in self.tests
            }
            for pupil in self.written
        }

    def remember(self):
        done = {pupil: [mark, self.notes[pupil]] for pupil, mark in self.written.items()}
        write_json({"of": self.of, "done": done, "guarded": self.guarded}, self.path)

    def _digest(self, pupil: str) -> str | None:
        path = self.course.notebook("executed", pupil)
        return digest(path) if path.exists() else None
