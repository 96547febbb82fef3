"""From an assignment's source, a percent .py with solutions, to the notebook that pupils get."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from gsnn_tutorial.course.nbgrader_course import NbgraderCourse

ASSIGNMENTS = Path("notebooks") / "assignments"
SEED = re.compile(r"^SEED = (\d+)", re.M)


def sources(folder: Path = ASSIGNMENTS) -> dict[str, Path]:
    """{number of an assignment: its source}. Raises ValueError where there is none."""
    found = {path.stem.split("_")[0]: path for path in sorted((folder / "source").glob("[0-9]*_*.py"))}
    if not found:
        raise ValueError(f"assignments must be a folder with source/1_name.py and so on, found none in {folder}")
    return found


def read_source(path: Path) -> NotebookNode:
    """A source as a notebook; a cell has the same id each time, that of its grade if it has one."""
    notebook = jupytext.read(path)
    # JupyterLab is not to pair a pupil's notebook with a .py of its own, whatever the repository's settings say.
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "jupytext": {"formats": "ipynb"}}
    for number, cell in enumerate(notebook.cells):
        cell.metadata = {key: cell.metadata[key] for key in ("nbgrader", "tags") if key in cell.metadata}
        if "hide-input" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell-{number}")
    return nbformat.from_dict(notebook)


def release(path: Path) -> NotebookNode:
    """What pupils get: a source without its solutions and hidden tests."""
    with tempfile.TemporaryDirectory() as folder:
        return NbgraderCourse(folder, path.stem).release(read_source(path), enter=False)


def write_releases(folder: Path = ASSIGNMENTS, seed: int | None = None) -> list[Path]:
    """Make every release anew, beside ``source``; with ``seed``, write it into the sources first."""
    paths = list(sources(folder).values())
    if seed is not None:
        for path in paths:
            set_seed(path, seed)
    for path in paths:
        nbformat.write(release(path), folder / f"{path.stem}.ipynb")
    return [folder / f"{path.stem}.ipynb" for path in paths]


def set_seed(path: Path, seed: int):
    """Change the one setting from which an assignment's data, visible and hidden tests follow."""
    text, lines = SEED.subn(f"SEED = {seed}", path.read_text(encoding="utf-8"))
    if lines != 1:
        raise ValueError(f"{path} must have one line SEED = number, got {lines}")
    path.write_text(text, encoding="utf-8")
