"""From an assignment's source, a percent .py with solutions, to the notebook that pupils get, each with a seed."""

from __future__ import annotations

import copy
import hashlib
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from gsnn_course.arrivals import unique
from gsnn_course.nbgrader_course import NbgraderCourse
from gsnn_course.roster import read_roster
from gsnn_tutorial import validate
from gsnn_tutorial.study.files import UnusableFile, replacing, write_text

ASSIGNMENTS = Path("notebooks") / "assignments"
LARGEST_SEED = 2**32 - 1  # of NumPy's older generators
SEED = re.compile(r"^SEED = (\d+)", re.M)


def sources(folder: Path = ASSIGNMENTS) -> dict[str, Path]:
    """{number of an assignment: its source}. Raises ValueError where there is none."""
    found = {path.stem.split("_")[0]: path for path in sorted((folder / "source").glob("[0-9]*_*.py"))}
    if not found:
        raise UnusableFile(f"assignments must be a folder with source/1_name.py and so on, found none in {folder}")
    return found


def read_source(path: Path, text: str | None = None) -> NotebookNode:
    """A source, or another ``text`` for it, as a notebook; a cell has the same id each time, that of its grade if it
    has one.
    """
    notebook = jupytext.read(path) if text is None else jupytext.reads(text, fmt="py:percent")
    # JupyterLab is not to pair a pupil's notebook with a .py of its own, whatever the repository's settings say.
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "jupytext": {"formats": "ipynb"}}
    for number, cell in enumerate(notebook.cells):
        cell.metadata = {key: cell.metadata[key] for key in ("nbgrader", "tags") if key in cell.metadata}
        if "hide-input" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell-{number}")
    return nbformat.from_dict(notebook)


def release(path: Path, text: str | None = None) -> NotebookNode:
    """The pupils' notebook: a source, or another ``text`` for it, without its solutions and hidden tests."""
    with tempfile.TemporaryDirectory() as folder:
        return NbgraderCourse(folder, path.stem).release(read_source(path, text), enter=False)


def as_file(notebook: NotebookNode) -> str:
    """A notebook as the text of its file."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write_releases(folder: Path = ASSIGNMENTS, seed: int | None = None) -> list[Path]:
    """Write every release, beside ``source``; with ``seed``, write it into the sources first.

    All are written, or none where one cannot be made.
    """
    files = {}
    for path in sources(folder).values():
        text = None if seed is None else with_seed(path, seed)
        if text is not None:
            files[path] = text
        files[folder / f"{path.stem}.ipynb"] = as_file(release(path, text))
    with ExitStack() as together:
        for path, text in files.items():
            beside = together.enter_context(replacing(path))
            beside.write_text(text, encoding="utf-8", newline="")
    return [path for path in files if path.suffix == ".ipynb"]


def set_seed(path: Path, seed: int):
    """Change the one setting from which an assignment's data, visible and hidden tests follow."""
    write_text(with_seed(path, seed), path)


def with_seed(path: Path, seed: int) -> str:
    """A source's text with another seed. Raises ValueError for a seed that cannot be, and UnusableFile, which is one,
    for a source that has not one line for it.
    """
    if validate.integer("seed", seed, 0) > LARGEST_SEED:
        raise ValueError(f"seed must be at most {LARGEST_SEED}, got {seed}")
    text, lines = SEED.subn(f"SEED = {seed}", path.read_bytes().decode("utf-8"))
    if lines != 1:
        raise UnusableFile(f"{path} must have one line SEED = number, got {lines}")
    return text


def own_seed(seed: int, pupil: str) -> int:
    """The seed of one pupil's release, from the year's."""
    return int(hashlib.sha256(f"{seed}:{pupil}".encode()).hexdigest()[:8], 16) % 10**6


def with_own_seed(notebook: NotebookNode, pupil: str) -> NotebookNode:
    """A release with data of one pupil's own; from the seed in it the grader knows whose it is."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        cell.source = SEED.sub(lambda found: f"SEED = {own_seed(int(found[1]), pupil)}", cell.source)
    return notebook


def write_own_releases(folder: Path, roster: Path, output: Path, seed: int | None = None) -> int:
    """Write each assignment for each pupil of a roster, as ``output``/ID/NAME.ipynb; the number of releases."""
    taken, number = set(), 0
    pupils = [unique(identity, taken) for identity in read_roster(roster).pupils["id"]]
    for source in sources(folder).values():
        blank = release(source, None if seed is None else with_seed(source, seed))
        for pupil in pupils:
            path = Path(output) / pupil / f"{source.stem}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(as_file(with_own_seed(blank, pupil)), path)
            number += 1
    return number
