"""Everything that names the repository's address, written from one setting; a second time changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import nbformat

from gsnn_course.publishing.checkout import Address, Checkout, replace_text
from gsnn_course.publishing.first_cells import badges, with_first_cells
from gsnn_course.publishing.slides import with_slides

OPEN = " open |"  # the column of README's table that has the badges
LINKS = Path("notebooks") / "assignments" / "hub-links.md"


def publish(root: str | Path = ".", address: str | None = None, hub: str | None = None) -> list[Path]:
    """Write address and hub into pyproject.toml, and what follows from them into notebooks, README and hub-links.md.

    ``address``: 'OWNER/REPO' or 'OWNER/REPO@REF', '' for none; ``hub``: a JupyterHub's https address, '' for none.
    None keeps what pyproject.toml has. Returns the files that changed.

    Raises ValueError for an address or a hub that cannot be one, and for a notebook that lacks what every notebook
    begins with. Nothing is written before all of it is known to be good.
    """
    checkout = Checkout(root)
    settings = checkout.settings
    address = settings["address"] if address is None else address
    hub = settings["hub"] if hub is None else hub
    if hub and not re.fullmatch(r"https?://[^\s\"/][^\s\"]*", hub):
        raise ValueError(f"hub must be the address of a JupyterHub, such as https://hub.example.edu, got {hub!r}")
    where = Address.read(address)
    texts = {checkout.project: checkout.with_settings(address, hub)}
    for source in checkout.chapters + checkout.assignments:
        texts |= pair(checkout, source, where)
    readme, links = checkout.root / "README.md", checkout.root / LINKS
    texts[readme] = readme_with_badges(readme.read_text(encoding="utf-8"), where)
    if where:
        texts[links] = hub_links(checkout, where, hub)
    changed = [path for path, text in texts.items() if replace_text(path, text)]
    if not where and links.exists():
        links.unlink()
        changed.append(links)
    return changed


def pair(checkout: Checkout, source: Path, address: Address | None) -> dict[Path, str]:
    """{file: its text} for the two halves of a notebook; outputs stay as they are."""
    notebook = checkout.notebook_of(source)
    path = checkout.path_in_repository(notebook)
    halves = {source: jupytext.read(source)}
    if notebook.exists():
        halves[notebook] = nbformat.read(notebook, as_version=4)
    for file, half in halves.items():
        with_first_cells(half, address, path, folded=file == notebook)
        if source in checkout.chapters:
            with_slides(half)
    texts = {notebook: nbformat.writes(halves[notebook]) + "\n"} if notebook in halves else {}
    return {source: jupytext.writes(halves[source], "py:percent")} | texts


def readme_with_badges(text: str, address: Address | None) -> str:
    """README with the badges in the last column of its table of chapters, and without the column if there are none."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        chapter = re.match(r"\| \[\d · [^]]+\]\((notebooks/[^)]+)\)", line)
        head = line.startswith("| chapter |")
        rule = number and lines[number - 1].startswith("| chapter |")
        if not (chapter or head or rule):
            continue
        bare = re.sub(r"( open \|| \[!\[Open in Colab\].*\||(?<=\|):---:\|)$", "", line.rstrip("\n"))
        if address:
            bare += OPEN if head else ":---:|" if rule else f" {badges(address, chapter[1])} |"
        lines[number] = bare + "\n"
    return "".join(lines)


def hub_links(checkout: Checkout, address: Address, hub: str) -> str:
    """A page with a link by nbgitpuller for every notebook; without a hub's address, the part behind it."""
    words = ["# Links for a JupyterHub with nbgitpuller", ""]
    words += [] if hub else ["Put your hub's address before each of them, or give it to `publish --hub`.", ""]
    for source in checkout.chapters + checkout.assignments:
        link = address.hub(checkout.path_in_repository(checkout.notebook_of(source)), hub)
        words.append(f"* [{source.stem}]({link})" if hub else f"* {source.stem}: `{link}`")
    return "\n".join(words) + "\n"
