"""Slides of the chapters that need no network: nbconvert's, with reveal.js and MathJax from the book's own folder."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

from gsnn_course.publishing.checkout import Checkout
from gsnn_tutorial.study.files import write_text

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


def slides_of(source: Path) -> str:
    """The place of a chapter's slides in the site."""
    return f"{FOLDER}/{source.stem}.html"


def write_slides(checkout: Checkout, site: Path) -> None:
    """Write the slides of every chapter, and what shows them, into ``site/slides``.

    reveal.js is taken from sphinx-revealjs, which brings a copy of it. MathJax is where Sphinx puts it.
    """
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
