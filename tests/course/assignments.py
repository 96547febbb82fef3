"""Help for the tests of the assignments: their cells, answers of every kind, and cells run without a kernel."""

import ast
import copy
import importlib
import json
import re
from functools import cached_property
from itertools import count
from pathlib import Path

import nbformat

from gsnn_course.release import SEED, read_source, release, set_seed, sources
from gsnn_tutorial.exercises import Graded

FOLDER = Path(__file__).parents[2] / "notebooks" / "assignments"
STYLES = Path(__file__).parent / "other_styles"


class Assignment:
    """An assignment's source, with what pupils might hand in. ``seed``: that of another year, in ``folder``."""

    def __init__(self, path: Path, seed: int | None = None, folder: Path | None = None):
        self.path = path
        if seed is not None:
            self.path = folder / path.name
            self.path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
            set_seed(self.path, seed)
        self.name, self.number = path.stem, path.stem.split("_")[0]
        self.source = read_source(self.path)
        self.checks = importlib.import_module(f"gsnn_tutorial.exercises.assignment_{self.number}")
        self.exercises = {name: value for name, value in vars(self.checks).items() if isinstance(value, Graded)}

    @property
    def seed(self) -> int:
        return int(SEED.search(self.path.read_text(encoding="utf-8"))[1])

    @cached_property
    def release(self):
        return release(self.path)

    @cached_property
    def points(self) -> dict[str, float]:
        """{exercise: points}, the autograded ones, in the order of the notebook."""
        marks = [cell.metadata.get("nbgrader", {}) for cell in self.source.cells]
        return {m.grade_id.removesuffix("-test"): m.points for m in marks if m.get("grade") and not m.solution}

    @cached_property
    def solutions(self) -> dict[str, str]:
        """{exercise: the source's own answer}."""
        return {c.id: c.source for c in self.source.cells if c.id in self.points}

    @cached_property
    def by_hand(self) -> dict[str, str]:
        """{cell: the source's own answer}, of the answers in words that a person grades."""
        marked = [cell for cell in self.source.cells if "nbgrader" in cell.metadata]
        return {c.id: c.source for c in marked if c.metadata.nbgrader.grade and c.metadata.nbgrader.solution}

    @cached_property
    def blank(self) -> dict[str, str]:
        return {cell.id: cell.source for cell in self.release.cells if cell.id in self.points}

    @property
    def styles(self) -> dict[str, dict[str, str]]:
        """{style: answers}, from the files of other_styles; a cell is the file's imports and one of its functions."""
        paths = sorted(STYLES.glob(f"{self.number}_*.py"))
        return {path.stem: _functions(path.read_text(encoding="utf-8")) for path in paths}

    def wrong(self, k: int) -> dict[str, str]:
        """Every exercise answered by the k-th mistake that its check knows (from the first again after the last)."""
        return {name: self.mistaken(name, k % len(self.exercises[name].mistakes)) for name in self.points}

    def hard_coded(self, name: str):
        """An answer that knows what the check asks, in its order, and nothing else."""
        exercise = self.exercises[name]
        right = [exercise.reference(*case) for case in exercise.cases(self.seed)]
        turn = count()
        return lambda *case: right[next(turn) % len(right)]

    def mistaken(self, name: str, k: int) -> str:
        module = self.checks.__name__
        return f"import {module} as wrong\n\n{name} = [*wrong.{name}.mistakes.values()][{k}]"

    def submission(self, answers: dict[str, str]):
        """The release with these answers in it."""
        notebook = copy.deepcopy(self.release)
        for cell in notebook.cells:
            cell.source = answers.get(cell.id, cell.source)
        return notebook

    def hand_in(self, folder: Path, pupil: str, notebook):
        (folder / pupil).mkdir(parents=True)
        nbformat.write(notebook, folder / pupil / f"{self.name}.ipynb")

    @cached_property
    def _prepared(self) -> dict:
        """The names that the cells define that are neither answers nor tests."""
        names = {}
        for cell in self.source.cells:
            if cell.cell_type == "code" and (cell.id == "setup" or "nbgrader" not in cell.metadata):
                exec(cell.source, names)
        return names

    def outcome(self, answers: dict) -> dict[str, str | None]:
        """{exercise: None if it gets its points, else the diagnosis}: answers graded without a kernel.

        An answer is the text of a cell, or the function itself.
        """
        names, result = dict(self._prepared), {}
        for cell in self.source.cells:
            if callable(answers.get(cell.id)):
                names[cell.id] = answers[cell.id]
            elif cell.id in self.points:
                exec(answers[cell.id], names)
            elif cell.id.endswith("-test"):
                try:
                    exec(cell.source, names)
                    result[cell.id.removesuffix("-test")] = None
                except AssertionError as error:
                    result[cell.id.removesuffix("-test")] = str(error)
        return result


def _functions(text: str) -> dict[str, str]:
    tree = ast.parse(text)
    imports = [ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name: "\n".join([*imports, ast.get_source_segment(text, node)]) for node in defined}


def prose(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def regions(notebook, mark: str) -> list[str]:
    """The lines between ### BEGIN and END of a mark, in all cells."""
    pattern = re.compile(rf"### BEGIN {mark}\n(.*?)### END {mark}", re.S)
    return [
        line.strip() for cell in notebook.cells for found in pattern.findall(cell.source) for line in found.split("\n")
    ]


SOURCES = sources(FOLDER)

# A small assignment: two functions and an answer in words

MARK = (
    '{{"grade": {}, "grade_id": "{}", "locked": {}, {}"schema_version": 3, "solution": {}, "task": false, '
    '"cell_type": "{}"}}'
)
TOY = f"""# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% nbgrader={MARK.format("false", "setup", "true", "", "false", "code")}
SEED = 3

# %% nbgrader={MARK.format("false", "double", "false", "", "true", "code")}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% nbgrader={MARK.format("true", "double-test", "true", '"points": 2, ', "false", "code")}
print("double")
### BEGIN HIDDEN TESTS
assert double(SEED) == 2 * SEED
### END HIDDEN TESTS

# %% nbgrader={MARK.format("false", "half", "false", "", "true", "code")}
def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION

# %% nbgrader={MARK.format("true", "half-test", "true", '"points": 3, ', "false", "code")}
print("half")
### BEGIN HIDDEN TESTS
assert half(SEED) == SEED / 2
### END HIDDEN TESTS

# %% [markdown] nbgrader={MARK.format("true", "verdict", "false", '"points": 4, ', "true", "markdown")}
# It depends.
"""
RIGHT = {"double": "def double(x):\n    return x + x", "half": "def half(x):\n    return 0.5 * x"}


def toy_kit(folder: Path) -> Path:
    """A folder of assignments with the small one in it."""
    (folder / "kit" / "source").mkdir(parents=True)
    (folder / "kit" / "source" / "1_toy.py").write_text(TOY, encoding="utf-8")
    return folder / "kit"


def handed_in(folder: Path, **notebooks) -> Path:
    """A folder of submissions with a notebook for each pupil."""
    folder.mkdir()
    for pupil, notebook in notebooks.items():
        (folder / f"{pupil}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return folder


def answered(blank, **answers):
    """A release of the small assignment with right answers, or these."""
    notebook = copy.deepcopy(blank)
    for cell in notebook.cells:
        cell.source = (RIGHT | answers).get(cell.id, cell.source)
    return notebook
