"""Measures a notebook on one core: its time and the kernel's peak memory, saved, and written into README's table."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil

from gsnn_course.publishing.checkout import Checkout, replace_text

SAVED = Path("notebooks") / "cost.json"
LONGEST = 900  # seconds that a chapter may take
ROW = re.compile(
    r"^(\| \[\d · [^]]+\]\(notebooks/(\w+)\.ipynb\)(?:[^|]*\|){3})[^|]*\|[^|]*\|", re.M
)  # of README's table
ONE_CORE = """
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.execv(sys.argv[1], sys.argv[1:])
"""
RUN = """
import json, resource, sys
import nbformat
from nbclient import NotebookClient
folder, path = sys.argv[1:]
client = NotebookClient(nbformat.read(path, as_version=4), timeout=None, resources={"metadata": {"path": folder}})
client.on_cell_start = lambda cell, cell_index: print(f"cell {cell_index + 1}: {cell.source[:60]!r}", file=sys.stderr)
# Play no front end to widgets. nbclient answers them past the event loop, on the socket on which it waits for the
# kernel's replies, and a reply that comes at that moment may wake nobody.
client.widget_registry = {}
client.execute()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def measure(root: str | Path = ".", again: bool = False, progress=print) -> dict[str, dict[str, float]]:
    """Seconds and peak memory (GB) of each chapter on one core, saved after each one: {chapter: {seconds, GB}}.

    A chapter that is saved with the text that it has now is not measured again, unless ``again``. The memory is the
    kernel's at its peak; the time is that of starting it and of running all cells.
    """
    checkout = Checkout(root)
    saved = {} if again else read(checkout)
    for source in checkout.chapters:
        text = source.read_text(encoding="utf-8")
        lines = sum(not line.startswith("#") for line in text.splitlines())
        if source.stem in saved and saved[source.stem]["lines_of_code"] == lines:
            continue
        seconds, kilobytes = run_on_one_core(checkout.notebook_of(source))
        row = {"seconds": round(seconds, 1), "GB": round(kilobytes * 1024 / 1e9, 2), "lines_of_code": lines}
        saved[source.stem] = row
        kept = {chapter.stem: saved[chapter.stem] for chapter in checkout.chapters if chapter.stem in saved}
        replace_text(checkout.root / SAVED, json.dumps(kept, indent=2) + "\n")
        progress(f"{source.stem}: {row['seconds']:g} s, {row['GB']:g} GB")
    return read(checkout)


def read(checkout: Checkout) -> dict[str, dict[str, float]]:
    """The saved measurement, empty if there is none."""
    path = checkout.root / SAVED
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def run_on_one_core(notebook: Path, longest: float = LONGEST) -> tuple[float, int]:
    """(seconds, peak memory of the kernel in kB) of a notebook whose process may use one core and one thread.

    Raises ValueError if a cell fails, or if the notebook has not come to its end after ``longest`` seconds.
    """
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")} | {"LOKY_MAX_CPU_COUNT": "1"}
    command = [sys.executable, "-c", RUN, str(notebook.parent.resolve()), str(notebook.resolve())]
    command = [sys.executable, "-c", ONE_CORE, *command]
    start, pipes = time.perf_counter(), {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    process = subprocess.Popen(command, env=os.environ | one, **pipes)
    try:
        said, told = process.communicate(timeout=longest)
    except subprocess.TimeoutExpired:
        end(process)
        cells = [line for line in process.communicate()[1].splitlines() if line.startswith("cell ")]
        last = cells[-1] if cells else "its kernel was not ready yet"
        raise ValueError(f"{notebook} must come to its end within {longest:g} s, got as far as {last}") from None
    except BaseException:
        end(process)
        raise
    if process.returncode:
        raise ValueError(f"{notebook} must run without an error, got {told.strip().splitlines()[-1:]}")
    return time.perf_counter() - start, int(said.split()[-1])


def end(process: subprocess.Popen):
    """End a process and all that it has started, such as a kernel."""
    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
        one.kill()


def in_words(row: dict[str, float]) -> tuple[str, str]:
    """Time and memory as README's table has them: seconds rounded up to five, memory up to a tenth of a GB."""
    return f"{-(-row['seconds'] // 5) * 5:.0f} s", f"{-(-row['GB'] * 10 // 1) / 10:.1f} GB"


def readme_with_costs(text: str, saved: dict[str, dict[str, float]]) -> str:
    """README with the measured time and memory in the rows of its table of chapters, as ``ROW`` finds them."""

    def row(found: re.Match) -> str:
        return found[1] + " {} | {} |".format(*in_words(saved[found[2]])) if found[2] in saved else found[0]

    return ROW.sub(row, text)


def write_readme(root: str | Path = ".") -> bool:
    """Write the saved measurement into README's table; True if that changed anything."""
    checkout = Checkout(root)
    readme = checkout.root / "README.md"
    return replace_text(readme, readme_with_costs(readme.read_text(encoding="utf-8"), read(checkout)))
