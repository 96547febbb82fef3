"""A clean copy of the notebooks to write into: updating the kit does not touch it, nor does it touch the kit."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat

from gsnn_course.publishing.checkout import Checkout, replace_text


def fresh(root: str | Path = ".", output: str | Path = "work", again: bool = False) -> tuple[list[Path], list[Path]]:
    """Copy chapters, assignments and what they link to into ``output``; returns (copied, left alone).

    A notebook that is there already is somebody's work, and is left alone. With ``again`` it is kept under the next
    free name ('03_gsnn kept 1.ipynb'), and a clean one takes its place. A copy has no ``.py`` beside it.

    Raises ValueError if ``output`` is a file, or the folder of the kit's own notebooks.
    """
    checkout, target = Checkout(root), Path(output)
    own = checkout.root / "notebooks"
    if target.exists() and (not target.is_dir() or target.resolve().is_relative_to(own.resolve())):
        raise ValueError(f"output must be a folder of your own, such as work, got {output}")
    copied, left = [], []
    for source in checkout.chapters + checkout.assignments:
        notebook = checkout.notebook_of(source)
        copy = target / notebook.relative_to(own)
        text = unpaired(notebook)
        if copy.exists() and copy.read_text(encoding="utf-8") != text:
            if not again:
                left.append(copy)
                continue
            copy.rename(next_free(copy))
        if replace_text(copy, text):
            copied.append(copy)
    for picture in own.glob("*.png"):
        shutil.copy(picture, target)
    return copied, left


def unpaired(notebook: Path) -> str:
    """A notebook's text, for a copy that JupyterLab does not pair with a source."""
    content = nbformat.read(notebook, as_version=4)
    content.metadata["jupytext"] = {"formats": "ipynb"}
    return nbformat.writes(content) + "\n"


def next_free(path: Path) -> Path:
    """'name kept 1.ipynb', or the first number that is free."""
    number = 1
    while (kept := path.with_name(f"{path.stem} kept {number}{path.suffix}")).exists():
        number += 1
    return kept
