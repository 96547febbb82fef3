"""A JupyterLab on loopback, with a clean copy of the notebooks, in Debian's Chromium."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from gsnn_course.publishing.fresh import fresh

ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ERRORS = "() => jupyterapp.shell.currentWidget.model.sharedModel.cells.flatMap(c => c.toJSON().outputs || [])"
ERRORS += ".filter(o => o.output_type == 'error').map(o => o.ename + ': ' + o.evalue)"
CELLS = "() => jupyterapp.shell.currentWidget.model.sharedModel.cells.map(c => "
CELLS += "({source: c.getSource(), tags: (c.getMetadata().tags || [])}))"


@contextlib.contextmanager
def server(folder, *before):
    """A running JupyterLab over a clean copy in ``folder``, started by ``before``; gives its address, {} for a path."""
    fresh(ROOT, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*before, sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=kit", "--LabApp.news_url="]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment |= {f"JUPYTER_{name}_DIR": str(folder.parent / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment.pop("MPLBACKEND", None)
    news = folder.parent / "CONFIG/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false"}', encoding="utf-8")
    with (folder.parent / "lab.log").open("w", encoding="utf-8") as log:
        lab = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
        try:
            for _ in range(120):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=kit", timeout=2)
                    break
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token=kit&reset"
        finally:
            lab.terminate()
            try:
                lab.wait(30)
            except subprocess.TimeoutExpired:  # a busy machine
                lab.kill()


class Notebook:
    """A notebook that is open in JupyterLab; the errors of the browser's console are collected."""

    def __init__(self, browser, address, name):
        self.page = browser.new_page(viewport={"width": 1400, "height": 900})
        self.page.set_default_timeout(60_000)
        self.console = []
        self.page.on("console", lambda message: message.type == "error" and self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.goto(address.format(name))
        self.page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.content?.widgets?.length > 5")
        self.page.wait_for_function(
            "() => jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status == 'idle'"
        )
        self.cells = self.page.evaluate(CELLS)

    def close(self):
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()

    def command(self, name, **arguments):
        """Run one of JupyterLab's commands and wait for its end."""
        self.page.evaluate("([name, given]) => jupyterapp.commands.execute(name, given)", [name, arguments])

    def select(self, number):
        """Make a cell the active one, and bring it into view."""
        self.page.evaluate(
            "async n => { const c = jupyterapp.shell.currentWidget.content; c.activeCellIndex = n;"
            " await c.scrollToItem(n, 'start'); }", number
        )  # fmt: skip

    def run(self, until=None):
        """Run all cells, or those up to the cell of that number; returns the errors of their outputs."""
        if until is None:
            self.command("notebook:run-all-cells")
        else:
            self.select(until)
            self.command("notebook:run-all-above")
            self.select(until)
            self.command("notebook:run-cell")
        self.rest()
        return self.page.evaluate(ERRORS)

    def rest(self):
        """Wait until the kernel has nothing to do."""
        idle = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status == 'idle'"
        self.page.wait_for_function(idle, timeout=600_000)

    def cell(self, number):
        """The element of a cell, scrolled into view."""
        self.select(number)
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{number}']")

    @property
    def widgets(self):
        """The numbers of the cells that hold widgets."""
        return [number for number, cell in enumerate(self.cells) if "widget" in cell["tags"]]

    def theme(self, name):
        self.page.evaluate("name => jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        self.page.wait_for_timeout(400)


def moved(cell):
    """Move every control of a widget; {the control's name: True if the figure changed with it}."""
    changed = {}
    for number, handle in enumerate(cell.locator(".noUi-handle").all()):
        changed[f"slider {number}"] = figure_changes(cell, lambda: arrow(handle))
    for number, group in enumerate(cell.locator(".widget-toggle-buttons").all()):
        other = group.locator("button:not(.mod-active)").first
        changed[f"buttons {number}"] = figure_changes(cell, other.click)
    return changed


def arrow(handle):
    """One step by the keyboard: to the right, or to the left from the right end."""
    now, largest = (float(handle.get_attribute(f"aria-value{name}")) for name in ("now", "max"))
    handle.focus()
    handle.press("ArrowLeft" if now >= largest else "ArrowRight")


def figure_changes(cell, move):
    """True if the image below a widget is another one soon after a move, and no traceback."""
    image = cell.locator(".widget-output img, .jp-OutputArea img").last
    before = image.get_attribute("src")
    move()
    for _ in range(240):
        cell.page.wait_for_timeout(250)
        if re.search("Traceback", cell.inner_text()):
            return False
        with contextlib.suppress(Exception):
            if image.get_attribute("src", timeout=2000) != before:
                return True
    return False
