"""Every notebook has the form of a chapter, is executed, and is in step with its source."""

import importlib
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from gsnn_course.publishing.checkout import Checkout
from gsnn_course.publishing.first_cells import colab_cell

FOLDER = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted(FOLDER.glob("[0-9]*.py"))
ADDRESS = Checkout(FOLDER.parent).address
every_chapter = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def executed(source):
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def test_there_are_chapters():
    assert SOURCES


def test_every_notebook_has_a_source():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {path.stem for path in SOURCES}


@every_chapter
def test_the_pair_is_in_sync_to_the_letter(source):
    """JupyterLab refuses to open a pair whose newer half differs, and a clone has files of any age."""
    notebook = executed(source)
    notebook.metadata["jupytext"] = jupytext.read(source).metadata["jupytext"]
    assert jupytext.writes(notebook, "py:percent") == source.read_text(encoding="utf-8")


@every_chapter
def test_it_is_executed_in_order_and_without_errors(source):
    cells = [cell for cell in code_cells(executed(source)) if cell.source.strip()]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]


@every_chapter
def test_no_widget_is_saved(source):
    notebook = executed(source)
    assert "widgets" not in notebook.metadata
    for cell in code_cells(notebook):
        assert not [o for o in cell.outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]


@every_chapter
def test_no_cell_is_longer_than_twenty_lines(source):
    assert [c.source for c in code_cells(executed(source)) if len(c.source.splitlines()) > 20] == []


@every_chapter
def test_it_opens_with_objectives_and_closes_with_the_recap_that_mirrors_them(source):
    cells = prose(executed(source))
    assert re.match(r"# \d · ", cells[0])
    for part in ("**You will be able to**", "**Before you start", "**Time"):
        assert part in cells[0]
    objectives = re.findall(r"^\d\. ", cells[0].split("**You will be able to**")[1], re.M)
    recap = re.search(r"## Recap\n(.*?)(?=\n## |\Z)", "\n".join(cells), re.S).group(1)
    assert 3 <= len(objectives) == len(re.findall(r"^\d\. ", recap, re.M))
    assert cells[-1].rstrip().split("## ")[-1].startswith("References")


@every_chapter
def test_the_first_code_cell_prepares_colab_and_nothing_else(source):
    """If not: python -m gsnn_tutorial publish"""
    assert code_cells(executed(source))[0].source == colab_cell(ADDRESS)


@every_chapter
def test_every_figure_has_a_text_for_those_who_cannot_see_it(source):
    figures = 0
    for cell in code_cells(executed(source)):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                figures += 1
                assert len(output.metadata.get("image/png", {}).get("alt", "")) > 20, cell.source
    assert figures >= 3


@every_chapter
def test_links_between_files_resolve(source):
    for target in re.findall(r"\]\((?!https?://|#|attachment:)([^)#]+)", "\n".join(prose(executed(source)))):
        assert (FOLDER / target).exists(), target


@every_chapter
def test_it_has_exercises_whose_checks_are_called(source):
    notebook = executed(source)
    text = "\n".join(prose(notebook))
    exercises = re.findall(r"### Exercise \d", text)
    unanswered = [
        output for cell in code_cells(notebook) for output in cell.outputs if "no answer yet." in output.get("text", "")
    ]
    assert 2 <= len(exercises) == len(unanswered)
    assert text.count("<summary>Hint 1</summary>") == text.count("<summary>Solution</summary>") == len(exercises)


SOLUTION = re.compile(r"<summary>Solution</summary>\s+```python\n(.*?)```", re.S)


@every_chapter
def test_a_solution_in_place_passes_the_check_of_its_exercise(source):
    """Run where it stands: with what the chapter has imported, and nothing else."""
    text = "\n".join(cell.source for cell in jupytext.read(source).cells if cell.cell_type == "markdown")
    solutions = SOLUTION.findall(text)
    checks = importlib.import_module(f"gsnn_tutorial.exercises.chapter_{int(source.name[:2])}")
    imports = [
        line
        for line in source.read_text(encoding="utf-8").splitlines()
        if re.match(r"(import|from) (numpy|torch|math)", line)
    ]
    for solution in solutions:
        names = {}
        exec("\n".join(imports + ["F = torch.nn.functional"] * ("import torch" in imports)), names)
        exec(solution, names)
        name = re.search(r"^def (\w+)", solution, re.M).group(1)
        assert getattr(checks, name).diagnose(names[name]) is None, name
    assert len(solutions) in (0, text.count("### Exercise "))
