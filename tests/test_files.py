"""Files are whole or not at all, by one process at a time, and what is on disk is not trusted."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import gsnn_tutorial
from gsnn_tutorial.study.files import (
    UnusableFile,
    alone,
    read_csv,
    read_json,
    replacing,
    sweep,
    write_csv,
    write_json,
    write_text,
)
from gsnn_tutorial.study.run_folder import RunFolder

ROOT = Path(gsnn_tutorial.__file__).parent.parent
PACKAGES = ("gsnn_tutorial", "gsnn_course", "benchmarks")
OLD = "old,and,whole\n1,2,3\n"
NOWHERE = 'open(os.devnull, "w", encoding="utf-8")'
posix = pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals and limits")


def child(code, *arguments, **options):
    """A process that runs the code; it has said that it is ready."""
    command = [sys.executable, "-c", "import matplotlib; matplotlib.use('Agg')\n" + code, *map(str, arguments)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", **options)
    assert running.stdout.readline() == "ready\n", running.communicate()[1]
    return running


def names(folder):
    return {path.name for path in folder.iterdir()}


# Whole or not at all

HALF = """
import sys, time
import pandas as pd
from gsnn_tutorial.study.files import write_csv
from gsnn_tutorial.study.run_folder import RunFolder
from matplotlib.figure import Figure

class Slow:
    def __str__(self):
        print("ready", flush=True)
        time.sleep(300)

class SlowFigure(Figure):
    def savefig(self, path, **options):
        open(path, "w", encoding="utf-8").write("half")
        print("ready", flush=True)
        time.sleep(300)
"""
WRITERS = {
    "a table": HALF + "write_csv(pd.DataFrame({'x': [1, 2, Slow()]}), sys.argv[1])",
    "a figure": HALF + "RunFolder(sys.argv[2], {}, 'cpu').figure('file', SlowFigure())",
}


@posix
@pytest.mark.parametrize("written", WRITERS)
def test_a_writer_that_is_killed_in_mid_write_leaves_the_old_file_and_the_next_one_clears_up(written, tmp_path):
    path = tmp_path / ("file.png" if written == "a figure" else "file.csv")
    path.write_text(OLD, encoding="utf-8")
    running = child(WRITERS[written], path, tmp_path)
    running.kill()
    running.communicate()
    assert path.read_text(encoding="utf-8") == OLD
    assert any(name.endswith(".part") for name in names(tmp_path))
    sweep(path)
    assert not any(name.endswith(".part") for name in names(tmp_path))


@posix
def test_a_full_disk_is_named_and_leaves_the_old_file(tmp_path):
    code = """
import resource, signal, sys
import pandas as pd
from gsnn_tutorial.study.files import write_csv
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_csv(pd.DataFrame({"x": range(5000)}), sys.argv[1])
except OSError as error:
    print(error.filename, error.strerror)
"""
    (tmp_path / "file.csv").write_text(OLD, encoding="utf-8")
    command = [sys.executable, "-c", code, str(tmp_path / "file.csv")]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    assert said.startswith(str(tmp_path / "file.csv")) and (tmp_path / "file.csv").read_text(encoding="utf-8") == OLD
    assert names(tmp_path) == {"file.csv"}


def test_an_error_in_mid_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    (tmp_path / "file").write_text(OLD, encoding="utf-8")
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "file") as beside:
        beside.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt
    assert (tmp_path / "file").read_text(encoding="utf-8") == OLD and names(tmp_path) == {"file"}
    with replacing(tmp_path / "file") as beside:
        beside.write_text("new", encoding="utf-8")
        assert (tmp_path / "file").read_text(encoding="utf-8") == OLD
    assert (tmp_path / "file").read_text(encoding="utf-8") == "new" and names(tmp_path) == {"file"}


@posix
def test_a_link_stays_a_link_and_a_file_keeps_who_may_read_it(tmp_path):
    write_text("old", tmp_path / "real")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text("new", tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


@posix
@pytest.mark.parametrize("place", ["folder", "pipe", "x" * 300, "file/below"])
def test_what_cannot_be_written_is_named_and_stays(place, tmp_path):
    (
        (tmp_path / "folder").mkdir(),
        (tmp_path / "file").write_text("mine", encoding="utf-8"),
        os.mkfifo(tmp_path / "pipe"),
    )
    with pytest.raises((UnusableFile, OSError)) as caught:
        write_json({}, tmp_path / place)
    assert str(tmp_path / place) in str(caught.value)
    assert names(tmp_path) == {"folder", "file", "pipe"} and (tmp_path / "pipe").is_fifo()


def test_half_a_character_is_written_as_its_escape(tmp_path):
    write_csv(pd.DataFrame({"said": ["\ud800 Łukasz"]}), tmp_path / "file.csv")
    assert (tmp_path / "file.csv").read_bytes() == "said\n\\ud800 Łukasz\n".encode()


def test_single_numbers_of_numpy_are_numbers_in_json(tmp_path):
    write_json({"a": np.int64(3), "b": np.float32(0.5)}, tmp_path / "file.json")
    assert json.loads((tmp_path / "file.json").read_text(encoding="utf-8")) == {"a": 3, "b": 0.5}


FILES = "gsnn_tutorial/study/files.py"
WRITING = {"to_csv", "write_text", "write_bytes", "savefig", "dump", "save", "savez", "unlink", "rmtree"}


# Into ``replacing``; a table's text, for its digest; a folder that is thrown away; a script for the kit's own data.
ELSEWHERE = {
    "gsnn_tutorial/study/run_folder.py": {"savefig", "unlink"},  # through ``replacing``; an earlier run's files
    "gsnn_course/execution.py": {"rmtree"},  # a kernel's folder, which is thrown away
    # a copy of the roster, through ``replacing``; the mark of an unfinished run
    "gsnn_course/grade.py": {"write_bytes", "unlink"},
    "gsnn_course/release.py": {"write_text"},
    "gsnn_course/running.py": {"rmtree", "unlink"},  # what an unfinished run has left
    "gsnn_tutorial/study/own/network.py": {"to_csv"},  # into a fingerprint
    "gsnn_tutorial/plots/style.py": {"save"},  # into a picture in memory
    "gsnn_course/publishing/book.py": {"write_text", "rmtree"},
    "gsnn_course/publishing/publish.py": {"unlink"},  # the links to an address that has been taken away
    "notebooks/studies/make_tables.py": {"to_csv", "write_text"},
}
# The whole lines of a file that may be cut; tables of others, with their separators; the sources of the kit's own data.
READS = (
    FILES,
    "gsnn_tutorial/study/table.py",
    "gsnn_tutorial/study/own/sheets.py",
    "gsnn_course/roster.py",
    "notebooks/studies/make_tables.py",
)


def test_only_files_py_writes_files_and_reads_tables():
    folders = ("gsnn_tutorial", "gsnn_course", "benchmarks", "notebooks/studies")
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        found = {call.attr for call in calls if isinstance(call, ast.Attribute)} & WRITING
        if name != FILES:
            assert name == "gsnn_course/publishing/book.py" or "nbformat.write(" not in text
            assert not re.search(r"open\([^)]*[\"'][wax]", text.replace(NOWHERE, ""))
            assert found <= ELSEWHERE.get(name, set()), name
        if name not in READS:
            assert "pd.read_csv(" not in text, name


# What is read


def test_a_table_is_read_to_the_last_bit_and_without_a_warning(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.standard_normal(5000) * 10.0 ** rng.integers(-300, 300, 5000)})
    write_csv(table, tmp_path / "file.csv")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pd.testing.assert_frame_equal(read_csv(tmp_path / "file.csv"), table, check_exact=True)
        pd.testing.assert_frame_equal(read_csv(str(tmp_path / "file.csv")), table, check_exact=True)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n1,2,3\n", b"a\n\xff\xfe\n", b'a\n"1\n'])
def test_what_is_no_table_is_named_with_the_remedy(content, tmp_path):
    (tmp_path / "file.csv").write_bytes(content)
    with pytest.raises(UnusableFile, match=r"file\.csv is not the table .*: remove it or restore it"):
        read_csv(tmp_path / "file.csv")


@pytest.mark.parametrize("content", [b"", b'{"files": [', b"\xff", b"[" * 100_000, b"[]", b"{}", b'{"files": "all"}'])
def test_json_that_is_empty_cut_or_foreign_is_named_with_the_remedy(content, tmp_path):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(UnusableFile, match=r"run\.json is .*: remove it or give another folder"):
        read_json(tmp_path / "run.json", {"files": list})
    with pytest.raises(UnusableFile, match=r"run\.json is .*: remove it or give another folder"):
        RunFolder(tmp_path, {}, "cpu")
    assert (tmp_path / "run.json").read_bytes() == content


# A run's folder


@pytest.fixture
def earlier(tmp_path):
    """The folder of a finished run, with a file of somebody else."""
    folder = RunFolder(tmp_path / "run", {"seed": 1}, "cpu")
    folder.table("old", pd.DataFrame({"x": [1]}))
    folder.finish(finished=True)
    (tmp_path / "run" / "mine.txt").write_text("keep", encoding="utf-8")
    return tmp_path / "run"


def listed(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def test_an_earlier_run_goes_when_the_next_one_writes_and_not_before(earlier):
    before = {path.name: path.read_bytes() for path in earlier.iterdir()}
    with RunFolder(earlier, {"seed": 2}, "cpu") as folder:
        assert {name: (earlier / name).read_bytes() for name in before} == before
    assert {path.name: path.read_bytes() for path in earlier.iterdir()} == before  # it wrote nothing
    with RunFolder(earlier, {"seed": 2}, "cpu") as folder:
        folder.table("new", pd.DataFrame({"x": [2]}))
        assert names(earlier) - {".lock"} == {"new.csv", "mine.txt", "run.json"}
        assert listed(earlier)["finished"] is False and listed(earlier)["settings"] == {"seed": 2}
    assert names(earlier) == {"new.csv", "mine.txt", "run.json"}


def test_what_a_killed_run_has_left_does_not_pass_for_the_next_ones(earlier):
    folder = RunFolder(earlier, {}, "cpu")
    folder.table("half", pd.DataFrame({"x": [2]}))
    del folder  # it ends here
    assert listed(earlier)["files"] == ["half.csv"] and not listed(earlier)["finished"]
    RunFolder(earlier, {}, "cpu").finish()
    assert names(earlier) == {"mine.txt", "run.json"}


@pytest.mark.parametrize("name", ["../victim.txt", "/victim.txt", "sub/victim.txt", "..", ".", "", "sub", 3, None])
def test_a_list_that_leads_out_of_the_folder_is_not_followed(name, earlier):
    (earlier / "sub").mkdir()
    victims = [earlier.parent / "victim.txt", earlier / "sub" / "victim.txt"]
    for victim in victims:
        victim.write_text("alive", encoding="utf-8")
    if name == "/victim.txt":
        name = str(victims[0])
    run = listed(earlier) | {"files": ["old.csv", name]}
    (earlier / "run.json").write_text(json.dumps(run), encoding="utf-8")
    with pytest.raises(UnusableFile, match=r"run\.json lists .*, which is no file of this folder: remove run\.json"):
        RunFolder(earlier, {}, "cpu").finish()
    assert all(victim.read_text(encoding="utf-8") == "alive" for victim in victims) and (earlier / "old.csv").exists()
    assert not (earlier / ".lock").exists()


def test_settings_that_json_cannot_hold_are_refused_before_anything_is_made(tmp_path):
    with pytest.raises((TypeError, AttributeError)):
        RunFolder(tmp_path / "run", {"odd": object()}, "cpu")
    assert not (tmp_path / "run").exists()


def test_figures_are_written_in_both_formats_and_closed(tmp_path):
    with RunFolder(tmp_path, {}, "cpu") as folder:
        folder.figure("picture", plt.figure())
        folder.finish()
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "picture.svg").read_bytes()
    assert not plt.get_fignums() and isinstance(Figure(), Figure)


# One at a time

HOLDING = """
import sys, time
from gsnn_tutorial.study.run_folder import RunFolder
folder = RunFolder(sys.argv[1], {}, "cpu")
print("ready", flush=True)
time.sleep(300)
"""


@posix
def test_a_second_run_in_a_folder_is_refused_until_the_first_has_ended(tmp_path):
    running = child(HOLDING, tmp_path)
    try:
        with pytest.raises(UnusableFile, match="is being written by another run: wait until it has finished, or give"):
            RunFolder(tmp_path, {}, "cpu")
    finally:
        running.send_signal(signal.SIGKILL)  # and a lock that a killed process has left does not block
        running.communicate()
    assert (tmp_path / ".lock").exists()
    RunFolder(tmp_path, {}, "cpu").finish()
    assert names(tmp_path) == {"run.json"}


def test_two_in_one_process_are_refused_too_and_an_error_lets_go(tmp_path):
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path, {}, "cpu"):
        with pytest.raises(UnusableFile, match="is being written by another run"):
            RunFolder(tmp_path, {}, "cpu")
        raise ZeroDivisionError
    RunFolder(tmp_path, {}, "cpu").finish()
    with alone(tmp_path / "file.csv"), alone(tmp_path / "other.csv"):
        assert names(tmp_path) == {".file.csv.lock", ".other.csv.lock", "run.json"}
    assert names(tmp_path) == {"run.json"}
