"""Chapters in a real JupyterLab: they run, hints open, and every widget works when it is moved after Run All.

``pytest -m browser`` runs two chapters whole and the others to their first widget, or to their first exercise if they
have none; BROWSER_CHAPTERS=all runs all whole. Screenshots are kept in runs/browser, which git ignores.
"""

import os
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("needs Debian's chromium: apt-get install chromium", allow_module_level=True)

from lab import FLAGS, ROOT, Notebook, moved, server  # noqa: E402

CHAPTERS = [path.stem for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]
WHOLE = CHAPTERS if os.environ.get("BROWSER_CHAPTERS") == "all" else CHAPTERS[:1] + CHAPTERS[3:4]
PICTURES = ROOT / "runs" / "browser"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with server(tmp_path_factory.mktemp("lab") / "work") as address:
        yield address


def keep(notebook, name):
    """A screenshot in light and in dark."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme in ("Light", "Dark"):
        notebook.theme(f"JupyterLab {theme}")
        notebook.page.screenshot(path=PICTURES / f"{name}_{theme.lower()}.png")
    notebook.theme("JupyterLab Light")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_and_its_widgets_work_afterwards(browser, address, chapter):
    notebook = Notebook(browser, address, f"{chapter}.ipynb")
    try:
        keep(notebook, f"{chapter}_1_first_screen")
        exercise = next(n for n, cell in enumerate(notebook.cells) if "<summary>Hint 1" in cell["source"])
        first = min(notebook.widgets, default=exercise)
        assert notebook.run(None if chapter in WHOLE else first) == []
        for number in notebook.widgets if chapter in WHOLE else notebook.widgets[:1]:
            cell = notebook.cell(number)
            cell.locator(".noUi-handle, .widget-toggle-buttons").first.wait_for()
            changed = moved(cell)
            assert changed and all(changed.values()), changed
            notebook.rest()
            keep(notebook, f"{chapter}_2_widget")
        figure = next(n for n, cell in enumerate(notebook.cells) if "plots.show(" in cell["source"])
        alts = notebook.cell(figure).locator("img").evaluate_all("images => images.map(i => i.alt)")
        assert alts and all(len(alt) > 20 for alt in alts)
        keep(notebook, f"{chapter}_3_figure")
        hint = notebook.cell(exercise).locator("details", has_text="Hint 1").first
        hint.locator("summary").first.click()
        assert hint.evaluate("element => element.open")
        keep(notebook, f"{chapter}_4_exercise")
        assert notebook.console == []
    finally:
        notebook.close()


def test_the_chapters_have_widgets_to_be_moved():
    sources = [(ROOT / "notebooks" / f"{chapter}.py").read_text(encoding="utf-8") for chapter in CHAPTERS]
    assert sum('"widget"' in source for source in sources) >= 7


def test_the_list_of_files_on_binder_shows_notebooks_by_their_full_names_and_no_sources(browser, tmp_path):
    folder = Path(shutil.copytree(ROOT / "notebooks", tmp_path / "work"))
    with server(folder, ROOT / "binder" / "start") as address:
        notebook = Notebook(browser, address, f"{CHAPTERS[0]}.ipynb")
        items = notebook.page.locator(".jp-DirListing-itemText")
        names = items.all_inner_texts()
        less = "all => all.filter(item => item.clientWidth < 0.9 * item.scrollWidth).map(item => item.innerText)"
        cut = items.evaluate_all(less)  # more than the end of .ipynb
        keep(notebook, "binder")
        notebook.close()
    assert f"{CHAPTERS[0]}.ipynb" in names and not [name for name in names if name.endswith(".py")]
    assert cut == [] and "cost.json" not in names
