"""Slides of the chapters for a lecture: the type of each cell, and pages that need no network.

nbconvert makes the pages, with reveal.js and MathJax from the book's own folder.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gsnn_course.publishing.checkout import Checkout
from gsnn_tutorial.study.files import write_text

EXERCISE = re.compile(r"#{2,3} (Exercise|Exercises|References)\b")
PREPARES = re.compile(r"def bring_the_kit|import |from ")
FOLDER = "slides"  # of the site
TEMPLATE = """
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}
<script>window.MathJax = {tex: {inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]]}};</script>
<script defer src="../_static/mathjax/tex-chtml.js"></script>
{%- endblock html_head_js -%}
{%- block html_head_js_mathjax -%}{%- endblock html_head_js_mathjax -%}
{%- block html_head_css -%}
<link rel="icon" href="../_static/favicon.svg">
<style>
.reveal .slides section section { max-height: 100%; overflow: hidden auto; font-size: 24px; }
.reveal .jp-InputPrompt, .reveal .jp-OutputPrompt { display: none; }
.reveal .slides img { max-height: 560px; margin: 0; }
</style>
{%- endblock html_head_css -%}
{%- block footer_js -%}
<script src="reveal/dist/reveal.js"></script>
<script>
Reveal.initialize({hash: true, slideNumber: true, width: 1200, height: 760, margin: 0.02, center: false});
</script>
{%- endblock footer_js -%}
"""


def slide_types(notebook: NotebookNode) -> list[str]:
    """'slide', 'subslide', '-' (below what stands before it) or 'skip' for each cell.

    A section begins a slide, a text or a figure one below it; the text on a figure stands under it, as code stands
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


def slides_of(source: Path) -> str:
    """The path of a chapter's slides in the site."""
    return f"{FOLDER}/{source.stem}.html"


def write_slides(checkout: Checkout, site: Path) -> None:
    """Write the slides of every chapter, and what shows them, into ``site/slides``.

    reveal.js is taken from sphinx-revealjs, which brings a copy of it. MathJax is where Sphinx puts it.
    """
    from nbconvert import SlidesExporter  # only the book needs it

    folder = site / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    exporter = SlidesExporter(raw_template=TEMPLATE, reveal_url_prefix="reveal", reveal_theme="white")
    for source in checkout.chapters:
        notebook = nbformat.read(checkout.notebook_of(source), as_version=4)
        for cell in notebook.cells:
            if "plots.show(" in cell.source and "def " not in cell.source:
                cell.metadata["transient"] = {"remove_source": True}  # a lecture shows the figure, not what draws it
        page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": source.stem}})
        page = re.sub(r'href="(\d\d_\w+)\.ipynb', r'href="\1.html', page)  # to another chapter's slides
        page = re.sub(r'href="(assignments/\w+)\.ipynb', r'href="../\1.html', page)
        write_text(page, site / slides_of(source))
    (brought,) = importlib.util.find_spec("sphinx_revealjs").submodule_search_locations
    dist = Path(brought) / "_static" / "revealjs" / "dist"
    shutil.copytree(dist, folder / "reveal" / "dist", ignore=shutil.ignore_patterns("*.map"))
