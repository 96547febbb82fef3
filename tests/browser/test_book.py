"""The book needs no network, its links lead somewhere, its figures say what they show, and axe finds no fault."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason='needs axe: pip install -e ".[browser]"')
pytest.importorskip("myst_nb", reason='needs Sphinx: pip install -e ".[book]"')
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("needs Debian's chromium: apt-get install chromium", allow_module_level=True)

from lab import FLAGS, ROOT  # noqa: E402

from gsnn_course.publishing.book import build  # noqa: E402

PICTURES = ROOT / "runs" / "browser"
CHAPTERS = [path.stem for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    PICTURES.mkdir(parents=True, exist_ok=True)
    return build(ROOT, tmp_path_factory.mktemp("book") / "site").parent


@pytest.fixture(scope="module")
def page(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(90_000)
        page.home = f"http://127.0.0.1:{server.server_port}"
        yield page
        browser.close()
    server.shutdown()


@pytest.mark.parametrize("name", ["index", *CHAPTERS, "assignments/1_graph_and_masks", "reference/gsnn.model"])
def test_a_page_is_whole_without_a_network(page, site, name):
    asked, console = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: message.type == "error" and console.append(message.text))
    page.goto(f"{page.home}/{name}.html")
    page.wait_for_timeout(1500)  # for what a page asks for once it is there
    assert [url for url in asked if not url.startswith((page.home, "data:"))] == [] and console == []
    if name == "04_gpu_forward":
        assert page.locator("mjx-container").count() > 10  # the equations are set
    alts = page.locator("article img").evaluate_all("images => images.map(image => image.alt)")
    assert [alt for alt in alts if len(alt) <= 20] == []
    links = page.locator("a[href]").evaluate_all("all => all.map(a => a.href)")
    inside = {link.split("#")[0].split("?")[0].removeprefix(page.home) for link in links if link.startswith(page.home)}
    assert [path for path in inside if not (site / path.strip("/")).exists()] == []
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = {
        fault["id"]: fault["nodes"][0]["html"][:200] for fault in found if fault["impact"] in ("serious", "critical")
    }
    assert serious == {}
    page.screenshot(path=PICTURES / f"book_{Path(name).name}.png")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_lecture_needs_no_network_and_shows_figures_with_their_texts(page, site, name):
    asked, console = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: message.type == "error" and console.append(message.text))
    page.goto(f"{page.home}/slides/{name}.html")
    page.locator(".reveal.ready").wait_for()
    if "$" in (ROOT / "notebooks" / f"{name}.py").read_text(encoding="utf-8"):
        page.locator(".reveal.ready mjx-container").first.wait_for(state="attached")  # its equations are set
    assert [url for url in asked if not url.startswith((page.home, "data:"))] == [] and console == []
    alts = page.locator(".slides img").evaluate_all("images => images.map(image => image.alt)")
    assert len(alts) >= 3 and all(len(alt) > 20 for alt in alts)
    links = page.locator(".slides a[href]").evaluate_all("all => all.map(a => a.href)")
    inside = {link.split("#")[0].removeprefix(page.home) for link in links if link.startswith(page.home)}
    assert [path for path in inside if not (site / path.strip("/")).exists()] == []
    assert page.evaluate("Reveal.getTotalSlides()") > 10 and "Exercise 1" not in page.locator(".slides").inner_text()
    page.screenshot(path=PICTURES / f"slides_{name}_1.png")
    figure = page.locator(".slides section section:has(img)").first
    figure.evaluate("section => { const at = Reveal.getIndices(section); Reveal.slide(at.h, at.v); }")
    page.wait_for_timeout(1000)  # for the slide to come in
    page.screenshot(path=PICTURES / f"slides_{name}_2_figure.png")


def test_search_finds_a_chapter(page):
    page.goto(f"{page.home}/search.html?q=gather-scatter")
    page.locator("#search-results li a").first.wait_for()
    assert any("Sparse maps" in text for text in page.locator("#search-results li").all_inner_texts())
