"""The beginning of every notebook: badges under its title, and the cell that brings the kit to Colab."""

from __future__ import annotations

import re

from nbformat import NotebookNode

from gsnn_course.publishing.checkout import Address

BADGES = re.compile(r"^\[!\[Open in Colab\].*\n\n", re.M)
COLAB = '''def bring_the_kit(address):
    """On Colab, install the kit: from a wheel beside this notebook, or else from its address."""
    import glob, sys

    if "google.colab" in sys.modules:
        source = (glob.glob("gsnn_tutorial-*.whl") or [address])[0]
        if not source:
            raise RuntimeError("This copy of the kit has no address to install it from. Build a wheel at home, with "
                               "'pip wheel --no-deps -w . .', upload it here, and run this cell again.")
        get_ipython().run_line_magic("pip", f"install -q {source}")

bring_the_kit("{address}")'''
IS_COLAB = re.compile(r"^(import sys; \"google\.colab\"|def bring_the_kit\()")
HIDDEN = "hide-input"  # the book folds the cell away, as JupyterLab does by the metadata of an .ipynb


def colab_cell(address: Address | None) -> str:
    """The source of the cell that prepares Colab, and does nothing elsewhere; torch stays as it is there."""
    return COLAB.replace("{address}", address.pip if address else "")


def badges(address: Address, path: str) -> str:
    """Two badges that open the notebook at ``path``, in Markdown."""
    colab = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address.colab(path)})"
    return f"{colab} [![Open in Binder](https://mybinder.org/badge_logo.svg)]({address.binder(path)})"


def with_first_cells(notebook: NotebookNode, address: Address | None, path: str, folded: bool = False) -> NotebookNode:
    """The notebook with badges below its title (none without an address) and its Colab cell; both are replaced.

    ``folded`` hides that cell's source in JupyterLab, where an .ipynb can say so.

    Raises ValueError if its first cell has no title, or its first cell of code is another one.
    """
    head = notebook.cells[0]
    title, _, rest = BADGES.sub("", head.source).partition("\n\n")
    if head.cell_type != "markdown" or not title.startswith("# ") or "\n" in title:
        raise ValueError(f"{path} must begin with a cell whose first line is its title, got {head.source[:60]!r}")
    head.source = "\n\n".join([title, *([badges(address, path)] if address else []), rest])
    code = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if code is None or not IS_COLAB.match(code.source):
        raise ValueError(f"{path} must have the cell for Colab as its first cell of code, got {code and code.source!r}")
    code.source = colab_cell(address)
    code.metadata["tags"] = [HIDDEN]
    if folded:
        code.metadata["jupyter"] = {"source_hidden": True}  # what a .py does not hold
    return notebook
