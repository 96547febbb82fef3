"""The address is written from one setting into everything that names it, and the Colab cell does what it says."""

import re
import shutil
import sys
import types
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jupytext
import nbformat
import pytest

from gsnn_course.publishing.checkout import Address, Checkout
from gsnn_course.publishing.first_cells import colab_cell
from gsnn_course.publishing.publish import publish
from gsnn_tutorial.__main__ import main

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"mybinder\.org/v2|colab\.research|git\+https|/hub/user-redirect")


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """A copy of what publish writes, without an address."""
    root = tmp_path_factory.mktemp("clone")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, root)
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    publish(root, address="", hub="")
    return root


@pytest.fixture
def clone(clean, tmp_path):
    return Path(shutil.copytree(clean, tmp_path / "clone"))


@pytest.fixture(scope="module")
def published(clean, tmp_path_factory):
    """The copy with an address and a hub, to be read only."""
    root = Path(shutil.copytree(clean, tmp_path_factory.mktemp("published") / "clone"))
    publish(root, "lab/kit@term/1", "https://hub.example.edu/")
    return Checkout(root)


def contents(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_this_repository_is_as_publish_writes_it(tmp_path):
    """If not: python -m gsnn_tutorial publish"""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    assert publish(tmp_path) == []


def test_without_an_address_nothing_points_to_a_repository(clean):
    checkout = Checkout(clean)
    assert checkout.address is None
    files = [clean / "README.md", *map(checkout.notebook_of, checkout.chapters), *checkout.assignments]
    assert [path for path in files if NAMED.search(path.read_text(encoding="utf-8"))] == []


def test_published_twice_is_published_once_and_taken_away_is_as_before(clone):
    before = contents(clone)
    assert len(publish(clone, "lab/kit@v1", "https://hub.example.edu")) > 20
    once = contents(clone)
    assert publish(clone, "lab/kit@v1", "https://hub.example.edu") == publish(clone) == []
    assert contents(clone) == once
    publish(clone, "", "")
    assert contents(clone) == before


def test_every_notebook_gets_badges_under_its_title_and_a_colab_cell_in_both_halves(published):
    for source in published.chapters + published.assignments:
        notebook = published.notebook_of(source)
        path = published.path_in_repository(notebook)
        for half, folded in ((jupytext.read(source), None), (nbformat.read(notebook, as_version=4), True)):
            title, line = half.cells[0].source.split("\n\n")[:2]
            assert title.startswith("# ")
            assert f"https://colab.research.google.com/github/lab/kit/blob/term/1/{path}" in line
            binder = urlsplit(next(link for link in re.findall(r"\((https://mybinder[^)]+)\)", line) if "/v2/" in link))
            assert binder.path == "/v2/gh/lab/kit/term%2F1"
            assert parse_qs(binder.query) == {"urlpath": [f"lab/tree/{path}"]}
            code = next(cell for cell in half.cells if cell.cell_type == "code")
            assert code.source == colab_cell(Address("lab", "kit", "term/1"))
            assert code.metadata.get("jupyter", {}).get("source_hidden") == folded  # JupyterLab shows three dots
            assert 'bring_the_kit("git+https://github.com/lab/kit@term/1")' in code.source


def test_what_was_computed_stays(clean, published):
    chapters = ((checkout, checkout.chapters[0]) for checkout in (Checkout(clean), published))
    before, after = (nbformat.read(checkout.notebook_of(chapter), as_version=4) for checkout, chapter in chapters)
    assert [cell.get("outputs") for cell in after.cells] == [cell.get("outputs") for cell in before.cells]
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]


def test_readme_has_badges_in_every_row_of_its_table(published):
    readme = (published.root / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if "](notebooks/0" in line]
    assert len(rows) == len(published.chapters)
    for row in rows:
        path = re.search(r"\]\((notebooks/0[^)]+)\)", row)[1]
        assert f"/blob/term/1/{path}" in row and path.replace("/", "%2F") in row


def test_there_is_a_link_for_a_hub_for_every_notebook(published):
    guide = (published.root / "notebooks" / "assignments" / "hub-links.md").read_text(encoding="utf-8")
    links = re.findall(r"\((https://hub\.example\.edu/[^)]+)\)", guide)
    notebooks = map(published.notebook_of, published.chapters + published.assignments)
    paths = map(published.path_in_repository, notebooks)
    for link, path in zip(links, paths, strict=True):
        assert urlsplit(link).path == "/hub/user-redirect/git-pull"
        query = {key: value[0] for key, value in parse_qs(urlsplit(link).query).items()}
        assert query == {"repo": "https://github.com/lab/kit", "branch": "term/1", "urlpath": f"lab/tree/kit/{path}"}


@pytest.mark.parametrize("address", ["kit", "lab/", "/kit", "lab/kit@", "lab/kit@../x", "https://x.org/a/b", "a b/c"])
def test_an_address_that_cannot_be_one_is_named_and_changes_nothing(clone, capsys, address):
    before = contents(clone)
    assert main(["publish", address, "--root", str(clone)]) == 2
    assert repr(address) in capsys.readouterr().err and contents(clone) == before


def test_a_notebook_without_its_first_cells_is_named_and_nothing_is_written(clone):
    source = Checkout(clone).chapters[-1]
    source.write_text(source.read_text(encoding="utf-8").replace("def bring_the_kit", "def other"), encoding="utf-8")
    before = contents(clone)
    with pytest.raises(ValueError, match=source.stem):
        publish(clone, "lab/kit")
    assert contents(clone) == before


def test_a_folder_that_is_no_clone_is_named(tmp_path):
    with pytest.raises(ValueError, match="root must be a clone"):
        publish(tmp_path, "lab/kit")


# The cell for Colab


@pytest.fixture
def colab(monkeypatch, tmp_path):
    """Run the cell as Colab would; returns what it asked pip for."""

    def run(address):
        asked = []
        shell = types.SimpleNamespace(run_line_magic=lambda name, line: asked.append((name, line)))
        exec(colab_cell(address), {"get_ipython": lambda: shell})
        return asked

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    return run


def test_on_colab_the_kit_comes_from_its_address_and_a_wheel_goes_first(colab, tmp_path):
    address = Address("lab", "kit", "v1")
    assert colab(address) == [("pip", "install -q git+https://github.com/lab/kit@v1")]
    (tmp_path / "gsnn_tutorial-0.2.0-py3-none-any.whl").touch()
    assert colab(address) == colab(None) == [("pip", "install -q gsnn_tutorial-0.2.0-py3-none-any.whl")]


def test_without_address_and_wheel_the_cell_says_what_to_do(colab):
    with pytest.raises(RuntimeError, match=r"pip wheel --no-deps -w \. \.', upload it here"):
        colab(None)


def test_elsewhere_the_cell_does_nothing(colab, monkeypatch):
    monkeypatch.delitem(sys.modules, "google.colab")
    assert colab(None) == colab(Address("lab", "kit")) == []


# Slides


def test_a_chapter_is_a_lecture_without_its_exercises_and_with_every_figure(clean):
    for source in Checkout(clean).chapters:
        notebook = jupytext.read(source)
        kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]
        headings = {cell.source.split("\n")[0]: kind for cell, kind in zip(notebook.cells, kinds) if kind == "slide"}
        assert len(headings) >= 4 and not [heading for heading in headings if "Exercise" in heading]
        for cell, kind in zip(notebook.cells, kinds):
            if cell.source.startswith("### Exercise") or "raise NotImplementedError" in cell.source:
                assert kind == "skip", cell.source
            if "plots.show(" in cell.source and "def " not in cell.source:
                assert kind in ("subslide", "skip"), cell.source
        assert any("plots.show(" in cell.source for cell, kind in zip(notebook.cells, kinds) if kind == "subslide")
