"""Commands: what was there stays until there is something new, and every end has its code and its sentence."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from gsnn_tutorial import Problem
from gsnn_tutorial.__main__ import main
from gsnn_tutorial.commands import compare as compare_command
from gsnn_tutorial.commands import named_study as study_command
from gsnn_tutorial.commands import options
from gsnn_tutorial.commands.compare import compare_arms, compare_published
from gsnn_tutorial.commands.named_study import run_study
from gsnn_tutorial.study.files import UnusableFile
from gsnn_tutorial.study.named import NamedStudy, Part
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.run_folder import RunFolder
from gsnn_tutorial.study.saved import STUDIES

MODULE = [sys.executable, "-m", "gsnn_tutorial"]
TINY = ["--seeds", "2", "--epochs", "1", "--samples", "16", "--pathways", "2", "--spurious", "2"]


@pytest.fixture(autouse=True)
def children_warn_of_no_encoding_of_others(monkeypatch):
    """What the commands print is compared to the letter, and libraries open files without an encoding."""
    monkeypatch.delenv("PYTHONWARNDEFAULTENCODING", raising=False)


SHORT = NamedStudy(
    "Is it short?",
    (Part({"n_train": 16}, Problem(n_train=16, n_test=16), Recipe(epochs=1), ("baseline", "control"), range(3)),),
)
posix = pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals, limits and devices")


@pytest.fixture
def keep(tmp_path):
    """The folder of an earlier run."""
    folder = RunFolder(tmp_path / "keep", {}, "cpu")
    folder.table("summary", pd.DataFrame({"x": [1]}))
    folder.finish(finished=True)
    return tmp_path / "keep"


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Checked before anything is destroyed


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "--layers", "1"],
        ["compare", "--seeds", "1"],
        ["compare", "--seeds", "-1"],
        ["compare", "--first-seed", "-5"],
        ["compare", "--device", "abacus"],
        ["compare", "--published", "--device", "abacus"],
        ["study", "nonesuch"],
        ["study", "both_controls", "--device", "abacus"],
        ["study", "both_controls", "--seeds", "0"],
        ["study", "both_controls", "--seeds", "-1"],
        ["study", "both_controls", "--seeds", "1000"],
    ],
)
def test_a_bad_argument_ends_with_2_and_leaves_the_earlier_run(arguments, keep, capsys):
    before = content(keep)
    assert main([*arguments, "--output", str(keep)]) == 2
    assert content(keep) == before
    said = capsys.readouterr().err
    assert said.startswith(f"python -m gsnn_tutorial {arguments[0]}: ") and said.count("\n") == 1


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda keep: compare_arms(keep, seeds=[1]), "seeds must be at least 2"),
        (lambda keep: compare_arms(keep, Problem(), recipe=Recipe(layers=1)), "layers must be at least 3"),
        (lambda keep: compare_arms(keep, device="abacus"), "device must be one"),
        (lambda keep: compare_arms(keep, progress="yes"), "progress must be True or False"),
        (lambda keep: compare_published(keep, device="abacus"), "device must be one"),
        (lambda keep: compare_published(keep, progress="yes"), "progress must be True or False"),
        (lambda keep: run_study("both_controls", keep, seeds=-1), "seeds must be at least 1, got -1"),
        (lambda keep: run_study("both_controls", keep, seeds=25), "seeds must be at most 24, .*; got 25"),
        (lambda keep: run_study("both_controls", keep, seeds="all"), "seeds must be an integer"),
        (lambda keep: run_study("both_controls", keep, progress="yes"), "progress must be True or False"),
    ],
)
def test_a_bad_value_leaves_the_earlier_run(call, words, keep):
    before = content(keep)
    with pytest.raises((ValueError, TypeError), match=words):
        call(keep)
    assert content(keep) == before


def test_a_folder_of_another_study_is_refused_with_its_table_in_place(keep, monkeypatch):
    monkeypatch.setitem(STUDIES, "short", SHORT)
    (keep / "parts").mkdir()
    for text in ('{"settings": [], "seconds": 1.0}', "", "[]", '{"settings": []', '{"settings": 3, "seconds": 1}'):
        (keep / "parts" / "state.json").write_text(text, encoding="utf-8")
        before = content(keep)
        with pytest.raises(UnusableFile, match=r"output must be a folder of this study|state\.json is .*: remove it"):
            run_study("short", keep, progress=False)
        assert content(keep) == before


def test_all_seeds_of_a_study_may_be_asked_for(monkeypatch, tmp_path):
    monkeypatch.setitem(STUDIES, "short", SHORT)
    assert run_study("short", tmp_path, seeds=3, progress=False)
    assert len(pd.read_csv(tmp_path / "short.csv")) == 6


def test_parts_of_the_version_before_are_gone_on_with_where_the_state_says_what_they_are(monkeypatch, tmp_path):
    monkeypatch.setitem(STUDIES, "short", SHORT)
    run_study("short", tmp_path, progress=False)
    before = (tmp_path / "short.csv").read_bytes()
    (tmp_path / "parts" / "0.csv.json").unlink()
    assert run_study("short", tmp_path, progress=False)
    assert (tmp_path / "short.csv").read_bytes() == before
    (tmp_path / "parts" / "0.csv.json").unlink(), (tmp_path / "parts" / "state.json").unlink()
    with pytest.raises(UnusableFile, match=r"0\.csv\.json, which says"):
        run_study("short", tmp_path, progress=False)


# Killed, interrupted, two at once


HANGING = """
import sys, time
from gsnn_tutorial.__main__ import main
from gsnn_tutorial.study import paired

real, paired.seeds_per_block = paired.train_block, lambda *given: 1
def slow(stop, problem, arms, seeds, *rest):
    if 1 in seeds:
        print("ready", flush=True)
        time.sleep(300)
    return real(stop, problem, arms, seeds, *rest)
paired.train_block = slow
main(["compare", *sys.argv[1:]])
"""


@posix
def test_two_comparisons_in_one_folder_the_second_is_refused_and_a_killed_one_does_not_block(tmp_path, capsys):
    command = [sys.executable, "-c", HANGING, *TINY, "--output", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as first:
        try:
            assert first.stdout.readline() == "ready\n"
            assert main(["compare", *TINY, "--output", str(tmp_path)]) == 2
            said = capsys.readouterr()
            assert "is being written by another run: wait until it has finished" in said.err and said.out == ""
            assert said.err.count("\n") == 1
        finally:
            first.send_signal(signal.SIGKILL)
    run = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert run["finished"] is False and run["settings"]["seeds"] == [0, 1]  # whole, and true
    assert len(pd.read_csv(tmp_path / "study.csv")) % 5 == 0
    assert main(["compare", *TINY, "--output", str(tmp_path)]) == 0
    assert len(pd.read_csv(tmp_path / "study.csv")) == 2 * 5
    assert set(json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["files"]) | {"run.json"} == {
        path.name for path in tmp_path.iterdir()
    }


def test_an_interrupt_at_any_time_ends_with_130_and_leaves_the_study(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(compare_command, "study_figures", interrupt)
    assert main(["compare", *TINY, "--output", str(tmp_path)]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "study.csv")) == 2 * 5
    run = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert run["finished"] is False and run["files"] == ["study.csv", "study.csv.json", "summary.csv"]


def interrupt(*given, **options):
    raise KeyboardInterrupt


# What an end is called


def does(monkeypatch, work):
    """Let ``compare`` do something else."""
    changed = replace(options.COMMANDS["compare"], prepare=lambda given: work)
    monkeypatch.setitem(options.COMMANDS, "compare", changed)


def fails(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize("error", [ValueError("a mistake"), TypeError("another"), KeyError("x"), UnicodeError("y")])
def test_a_mistake_of_ours_keeps_its_traceback(error, monkeypatch):
    does(monkeypatch, fails(error))
    with pytest.raises(type(error)):
        main(["compare"])


@pytest.mark.parametrize(
    "error, code, words",
    [
        (
            UnusableFile("run.json is cut: remove it"),
            2,
            "python -m gsnn_tutorial compare: run.json is cut: remove it\n",
        ),
        (
            OSError(28, "No space left on device", "a.csv"),
            1,
            "python -m gsnn_tutorial: a.csv: No space left on device\n",
        ),
        (OSError("odd"), 1, "python -m gsnn_tutorial: odd\n"),
        (BrokenPipeError(32, "Broken pipe"), 1, "python -m gsnn_tutorial: Broken pipe\n"),  # of somebody else's pipe
        (KeyboardInterrupt(), 130, "python -m gsnn_tutorial: interrupted\n"),
    ],
)
def test_what_the_system_or_the_user_ends_is_one_sentence_and_a_code(error, code, words, monkeypatch, capsys):
    does(monkeypatch, fails(error))
    assert main(["compare"]) == code
    assert capsys.readouterr().err == words


@posix
@pytest.mark.parametrize("place", ["x" * 300, "file/below", "/dev/null/below", "/proc/none"])
def test_a_folder_that_cannot_be_made_is_named(place, tmp_path, capsys):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for command in (["compare", *TINY], ["study", "both_controls"]):
        assert main([*command, "--output", str(tmp_path / place)]) in (1, 2)
        said = capsys.readouterr().err
        assert place.split("/")[0] in said and said.count("\n") == 1


def limited():
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


@posix
def test_a_disk_that_is_full_during_a_run_is_one_sentence_and_no_file_is_torn(tmp_path):
    command = [*MODULE, "compare", *TINY, "--output", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", preexec_fn=limited, cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "File too large" in done.stderr.splitlines()[-1]
    run = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert run["finished"] is False
    assert all(not path.name.endswith(".part") and path.stat().st_size <= 3000 for path in (tmp_path / "run").iterdir())
    assert set(pd.read_csv(tmp_path / "run" / "study.csv")["seed"]) <= {0, 1}


PRINTS = """
import dataclasses, sys
from gsnn_tutorial.__main__ import main, options

work = lambda given: lambda: print({text}) is None
options.COMMANDS["compare"] = dataclasses.replace(options.COMMANDS["compare"], prepare=work)
sys.exit(main(["compare"]))
"""


def printing(text, encoding="utf-8", **options):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", PRINTS.format(text=text)]
    return subprocess.run(command, stderr=subprocess.PIPE, env=environment | {"PYTHONIOENCODING": encoding}, **options)


@posix
@pytest.mark.parametrize("text", ["'x'", "'x' * 1_000_000"])
def test_a_reader_who_has_gone_ends_it_quietly(text):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = printing(text, stdout=writing)
        assert (done.returncode, done.stderr) == (141, b"")
    finally:
        os.close(writing)


@posix
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_what_is_printed_is_a_sentence():
    with open("/dev/full", "wb") as full:
        done = printing("'x'", stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"python -m gsnn_tutorial: No space left on device\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_name_that_the_terminal_cannot_print_is_printed_as_its_escape(encoding):
    text = "'\\u0141ukasz \\ud800'"
    done = printing(text, encoding, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout.strip()) == (0, rb"\u0141ukasz \ud800")


def test_no_lock_is_left_where_a_run_ends(keep, monkeypatch):
    monkeypatch.setattr(study_command, "_compute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_study("both_controls", keep)
    assert not (keep / ".lock").exists()
