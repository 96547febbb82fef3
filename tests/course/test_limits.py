"""All that a submission takes has an end, and nothing that it started is left behind."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell

from gsnn_course import execution, sandbox
from gsnn_course.command_line import _interruptible
from gsnn_course.execution import execute
from gsnn_course.watching import EVERY, Limits, Watch

pytestmark = pytest.mark.slow

CHILDREN = """import subprocess, sys, time
children = [subprocess.Popen([sys.executable, "-S", "-c", {child!r}]) for _ in range({number})]
time.sleep({seconds})"""
HOG = "x = bytearray(400_000_000); import time; time.sleep(60)"


def run(*sources, **limits):
    """(the name of each cell's error or None, the notes) of a submission."""
    notebook = nbformat.v4.new_notebook(cells=[new_code_cell(source) for source in sources])
    notes = execute({"pupil": notebook}, limits=Limits(**limits))["pupil"]
    errors = [next((o.ename for o in cell.outputs if o.output_type == "error"), None) for cell in notebook.cells]
    return errors, notes


def test_memory_has_an_end_for_one_process_and_for_all_together():
    many = CHILDREN.format(child=HOG, number=3, seconds=20)
    errors, notes = run("x = bytearray(3_000_000_000)", many, "1", memory=1_000_000_000)
    assert errors == ["MemoryError", "TooLarge", None]
    assert "took more than 1 GB of memory" in notes[1] and len(notes) == 3
    assert notes[2].endswith("left running: ended")


def test_processes_have_an_end():
    many = CHILDREN.format(child="import time; time.sleep(60)", number=9, seconds=20)
    errors, notes = run(many, "1", processes=6)
    assert errors == ["TooMany", None] and "took more than 6 processes" in notes[0]


@pytest.mark.skipif(not sandbox.namespaces(), reason="this system lets nobody make namespaces")
def test_a_kernel_reads_both_packages_writes_into_neither_and_sees_nothing_else_of_the_repository():
    write = "import {0} as ours\nopen(ours.__file__, 'rb').read()\nopen(ours.__file__, 'ab')"
    look = f"import os\nassert not os.path.exists({str(Path(__file__))!r})"
    errors, _ = run(write.format("gsnn_tutorial"), write.format("gsnn_course"), look)
    assert errors == ["OSError", "OSError", None]


@pytest.mark.skipif(not sandbox.namespaces(), reason="this system lets nobody make namespaces")
@pytest.mark.parametrize("way", ["terminate", "kill"])
def test_kernels_end_with_the_process_that_grades_however_it_ends(way, tmp_path):
    code = "import asyncio, pathlib, sys; from gsnn_course.kernels import start_kernel\n"
    code += "async def main():\n    await start_kernel(pathlib.Path(sys.argv[1]), 10**9)\n    print(flush=True)\n"
    code += "    await asyncio.sleep(60)\nasyncio.run(main())"
    start = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(start, stdout=subprocess.PIPE) as grading:
        grading.stdout.readline()
        kernel = psutil.Process(grading.pid).children(recursive=True)
        getattr(grading, way)()
    gone, alive = psutil.wait_procs(kernel, timeout=5)
    for process in alive:
        process.kill()
    assert len(gone) > 1 and alive == []


@pytest.mark.parametrize("ctrl_c", [signal.default_int_handler, signal.SIG_IGN], ids=["in front", "in the background"])
def test_a_request_to_end_lets_grading_end_its_kernels_and_take_away_their_folders(monkeypatch, ctrl_c):
    made, make = [], execution.tempfile.mkdtemp

    def make_and_ask(**named):
        made.append(make(**named))
        threading.Timer(3, signal.raise_signal, [signal.SIGTERM]).start()
        return made[-1]

    monkeypatch.setattr(execution.tempfile, "mkdtemp", make_and_ask)
    before = signal.signal(signal.SIGINT, ctrl_c)
    try:
        with pytest.raises(KeyboardInterrupt):
            _interruptible(lambda: run("import time; time.sleep(25)"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(made) == 1 and not any(Path(folder).exists() for folder in made)
    assert [p for p in psutil.Process().children(recursive=True) if "kernel.py" in " ".join(p.cmdline())] == []


def test_a_large_figure_is_cut_and_the_rest_runs():
    large = "from IPython.display import display\ndisplay({'image/png': 'A' * 200_000, 'text/plain': '.'}, raw=True)"
    errors, notes = run(large, "'y' * 200_000", "1")
    assert errors == [None] * 3 and [note.endswith("was cut") for note in notes] == [True] * 2


def test_what_cannot_be_read_costs_the_cell_that_sent_it(monkeypatch):
    def output(self, outs, msg, *more):
        raise KeyError(msg["content"]["text"])

    monkeypatch.setattr(execution.Submission, "output", output)
    errors, notes = run("a = 1", "print('oh')", "assert a == 1")
    assert errors == [None, "Unreadable", None]
    assert notes == ["the cell \"print('oh')\" sent something unreadable: KeyError: 'oh\\n'"]


def test_a_kernel_is_not_charged_for_waiting_until_the_process_that_grades_looks_again():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as sleeper:
        watch = Watch(sleeper.pid, Limits())
        time.sleep(2)
        late = watch.used
        watch.tick()
        late, first = watch.used - late, watch.used
        for _ in range(10):
            time.sleep(EVERY)
            watch.tick()
        sleeper.kill()
    assert late < 1.5 < watch.used - first  # what it needs to start is its own


def test_files_have_an_end_and_memory_that_looks_like_files_too():
    fill = "import time\nfor k in range(9):\n    with open(f'{folder}/{{k}}', 'wb') as file:\n"
    fill += "        file.truncate(40_000_000) if {hole} else file.write(bytes(40_000_000))\ntime.sleep(20)"
    shm = fill.format(folder="/dev/shm", hole=False) if sandbox.namespaces() else "raise OSError"
    errors, notes = run(fill.format(folder=".", hole=True), shm, "1", disk=200_000_000)
    assert errors == ["TooLarge", "OSError", None]
    assert "took more than 0.2 GB of disk" in notes[0]
