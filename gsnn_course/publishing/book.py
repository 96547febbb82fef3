"""The book: chapters, assignments and the reference of the package as a site that needs no network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from gsnn_course.publishing.checkout import Address, Checkout
from gsnn_course.publishing.first_cells import BADGES
from gsnn_course.publishing.slides import slides_of, write_slides

WINGS = ("gsnn", "study", "study.priors")  # of the reference, besides the files of the reading room


def build(root: str | Path = ".", output: str | Path = "site") -> Path:
    """Build the book and slides of its chapters into ``output``, in place of an earlier build; its first page.

    Raises ValueError if ``output`` holds something else, or Sphinx finds a fault, a broken link for one.
    """
    checkout, site = Checkout(root), Path(output)
    if site.exists() and any(site.iterdir()) and not (site / ".buildinfo").exists():
        raise ValueError(f"output must be a new folder, or that of an earlier book, got {output}")
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder) / "source", Path(folder) / "site"
        write_source(checkout, source)
        command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "-q", str(source), str(built)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            raise ValueError("the book has faults:\n" + done.stderr.replace(str(source) + "/", "").strip()[-3000:])
        write_slides(checkout, built)
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(built, site, ignore=shutil.ignore_patterns(".doctrees"))
    return site / "index.html"


def write_source(checkout: Checkout, source: Path):
    """Write everything that Sphinx reads: settings, notebooks with links in place of badges, a page for each module."""
    shutil.copytree(checkout.root / "book", source)
    shutil.copy(checkout.root / "notebooks" / "verdict.png", source)
    chapters = [page(checkout, path, source) for path in checkout.chapters]
    assignments = [page(checkout, path, source) for path in checkout.assignments]
    reference = [module_page(name, source) for name in modules(checkout)]
    parts = {"Chapters": chapters, "Assignments": assignments, "Reference": reference}
    trees = [tree(caption, pages) for caption, pages in parts.items()]
    index = source / "index.md"
    lectures = [f'<a href="{slides_of(path)}">{path.stem[1]}</a>' for path in checkout.chapters]
    text = index.read_text(encoding="utf-8").replace("LECTURES", ", ".join(lectures))
    index.write_text("\n".join([text, *trees]), encoding="utf-8")


def tree(caption: str, pages: list[str]) -> str:
    """A part of the table of contents."""
    return "\n".join(["```{toctree}", f":caption: {caption}", ":maxdepth: 1", "", *pages, "```", ""])


def page(checkout: Checkout, path: Path, source: Path) -> str:
    """Copy a notebook; the name of its page."""
    notebook = checkout.notebook_of(path)
    name = notebook.relative_to(checkout.root / "notebooks")
    content = nbformat.read(notebook, as_version=4)
    where = checkout.path_in_repository(notebook)
    head = content.cells[0]
    head.source = BADGES.sub(links(checkout.address, where), head.source)
    (source / name).parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, source / name)
    return name.with_suffix("").as_posix()


def links(address: Address | None, path: str) -> str:
    """The badges in words: pictures would have to be fetched."""
    if address is None:
        return ""
    return f"Run it: [in Colab]({address.colab(path)}) or [in Binder]({address.binder(path)}).\n\n"


def modules(checkout: Checkout) -> list[str]:
    """The reading room and the wings of the reference, as they are imported."""
    package = checkout.root / "gsnn_tutorial"
    rooms = [path.stem for path in sorted(package.glob("[a-z]*.py")) if path.stem != "moved"]
    for wing in WINGS:
        rooms += [f"{wing}.{path.stem}" for path in sorted((package / wing.replace(".", "/")).glob("[a-z]*.py"))]
    return [f"gsnn_tutorial.{room}" for room in rooms]


def module_page(name: str, source: Path) -> str:
    """Write the page of a module; its name."""
    folder = source / "reference"
    folder.mkdir(exist_ok=True)
    title = re.sub(r"^gsnn_tutorial\.", "", name)
    (folder / f"{title}.rst").write_text(f"{title}\n{'=' * len(title)}\n\n.. automodule:: {name}\n", encoding="utf-8")
    return f"reference/{title}"
