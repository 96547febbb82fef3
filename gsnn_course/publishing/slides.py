"""The cells of a chapter that are slides of a lecture; ``jupyter nbconvert --to slides`` reads it from the metadata."""

from __future__ import annotations

import re

from nbformat import NotebookNode

EXERCISE = re.compile(r"#{2,3} (Exercise|Exercises|References)\b")
PREPARES = re.compile(r"def bring_the_kit|import |from ")


def slide_types(notebook: NotebookNode) -> list[str]:
    """'slide', 'subslide', '-' (below what stands before it) or 'skip' for each cell.

    A section begins a slide, a text or a figure one below it, and what a figure shows stands under it, as code stands
    under its text. Exercises, references and imports are for readers, not for a lecture.
    """
    types, exercise, figure = [], False, False
    for cell in notebook.cells:
        markdown = cell.cell_type == "markdown"
        text = re.sub(r"^```.*?^```", "", cell.source, flags=re.M | re.S) if markdown else ""
        headings = re.findall(r"^#{1,3} .*", text, re.M)
        section = any(re.match(r"##? ", heading) and not EXERCISE.match(heading) for heading in headings)
        if headings:
            exercise = bool(EXERCISE.match(headings[0])) and not section
        if exercise or "raise NotImplementedError" in cell.source or (not markdown and PREPARES.match(cell.source)):
            types.append("skip")
        elif section:
            types.append("slide")
        elif "plots.show(" in cell.source or (markdown and not figure):
            types.append("subslide")
        else:
            types.append("-")
        if headings:
            exercise = bool(EXERCISE.match(headings[-1]))
        figure = "plots.show(" in cell.source
    return types


def with_slides(notebook: NotebookNode) -> NotebookNode:
    """The notebook with the type of every cell in its metadata, where it is not '-'."""
    for cell, kind in zip(notebook.cells, slide_types(notebook), strict=True):
        others = {key: value for key, value in cell.metadata.items() if key != "slideshow"}
        mark = {} if kind == "-" else {"slideshow": {"slide_type": kind}}
        cell.metadata = NotebookNode(sorted((others | mark).items()))  # sorted, as an .ipynb has it
    return notebook
