"""Nobody writes into the gradebook: kernels compute, another process judges, limits hold, what changed is named."""

import ast
import asyncio
import base64
import subprocess
import sys

import numpy as np
import psutil
import pytest
import torch
from assignments import SOURCES, Assignment

from gsnn_course import comparing, computing, sandbox, values
from gsnn_course import grade as grading
from gsnn_course.guard import Guard
from gsnn_course.intake import suspicions
from gsnn_course.watching import Limits, Watch

VALUES = [None, 3, -2.5, float("inf"), True, "x", [1, (2.0, "y")], {"a": {1}, 2: ...}, 10**30]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_out_of_a_kernel_as_it_was(value):
    assert values.decode(values.encode(value)) == value


def test_arrays_and_errors_come_out_as_they_were_tensors_as_what_they_say_and_code_does_not():
    array = values.decode(values.encode(np.arange(6, dtype="int16").reshape(2, 3)))
    tensor = values.decode(values.encode(torch.eye(2, dtype=torch.float64, requires_grad=True).to_sparse()))
    error = values.decode(values.encode(KeyError("a")))
    assert array.dtype == "int16" and array.shape == (2, 3) and np.array_equal(tensor, np.eye(2))
    assert isinstance(error, KeyError) and str(error) == "'a'"
    assert isinstance(values.decode(values.encode(print)), values.Unreadable)
    for text in ("", "[", '["array", "eA=="]', '["error", ["os", "system", ["ls"], "x"]]', "[" * 10_000):
        assert isinstance(values.decode(text), (values.Unreadable, RuntimeError))
    assert isinstance(values.decode('["array", ["|O", [1], "AAAAAAAAAAA="]]'), values.Unreadable)


# A test asks, a kernel computes: here both in one process, with the code that they run


TEST = """
from gsnn_tutorial.exercises import assignment_{} as checks

checks.{}({}, 2026);
checks.{}.grade({}, 2026, hidden=84)
"""


OLD = "gsnn_tutorial.course.graders"  # the module of the checks in version 0.3


def judged(number, name, answer, monkeypatch, reply=None, test=TEST):
    """The output of a test and its error; ``reply``: what a forger's kernel sends instead of its values."""
    published, user = [], {name: answer}
    monkeypatch.setattr(computing, "publish_display_data", lambda data: published.append(data[computing.MIME]))

    def ask(kind, asked_for, asked=b""):
        if kind == "call":
            computing.compute(user, asked_for, base64.b64encode(asked).decode())
            return published[-1] if reply is None else reply
        computing.find(user, asked_for)
        return published[-1]

    return comparing.run(test.format(number, *[name] * 4), {"__name__": "__main__"}, ask)


@pytest.mark.parametrize("number", SOURCES)
def test_an_answer_in_another_process_gets_the_words_that_it_gets_in_this_one(number, monkeypatch):
    for name, exercise in Assignment(SOURCES[number]).exercises.items():
        assert judged(number, name, exercise.reference, monkeypatch) == (f"{exercise.title}: right.\n", None)
        for diagnosis, wrong in exercise.mistakes.items():
            printed, error = judged(number, name, wrong, monkeypatch)
            assert printed == f"{exercise.title}: {diagnosis}\n"
            assert error == ("AssertionError", f"{exercise.title}: {diagnosis}")


def test_the_tests_of_version_0_3_say_the_same_and_nothing_of_names_that_moved(monkeypatch):
    exercise, old = Assignment(SOURCES["1"]).exercises["membership"], TEST.replace("gsnn_tutorial.exercises", OLD)
    for answer in (exercise.reference, *exercise.mistakes.values()):
        today, then = (judged("1", "membership", answer, monkeypatch, test=test) for test in (TEST, old))
        assert then == today and old != TEST


def stub(pairs, names, P):
    raise NotImplementedError


def broken(pairs, names, P):
    return [1] / P  # breaks


def chatty(pairs, names, P):
    print("so far")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (stub, "membership: no answer yet."),
        (broken, "unsupported operand type(s) for /: 'list' and 'int', in the line `return [1] / P  # breaks`"),
        (chatty, "It printed something; what is printed is seen, and not handed on."),
        (7, "the check takes your function itself; got int"),
    ],
)
def test_a_stub_an_error_and_a_forgotten_return_are_told_across_processes(answer, words, monkeypatch):
    printed, error = judged("1", "membership", answer, monkeypatch)
    assert words in error[1] and words in printed and ("so far" in printed) == (answer is chatty)


@pytest.mark.parametrize(
    "reply",
    ["", "{}", '["dict", []]', values.encode({"outcomes": [None, None], "lines": 3, "printed": 5}),
     values.encode({"outcomes": [True] * 9}), '["dict", [["outcomes", ["shown", "anything"]]]]'],
)  # fmt: skip
def test_whatever_a_forgers_kernel_sends_gives_no_point(reply, monkeypatch):
    right = Assignment(SOURCES["1"]).exercises["membership"].reference
    assert judged("1", "membership", right, monkeypatch, reply)[1] is not None


def test_the_names_that_a_test_asks_for_are_those_that_no_one_else_defines():
    code = "import math as m\nfor k in range(3):\n    print(m.pi, half(k), (lambda x: x)(SEED))"
    assert comparing.unknown(ast.parse(code), {"SEED": 3}) == ["half"]


def test_time_is_the_processors_or_asleep_and_a_process_left_behind_is_ended():
    code = "import subprocess, sys, time; sys.stdin.readline(); "
    code += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print(flush=True); time.sleep(60)"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    running = subprocess.Popen([sys.executable, "-c", code], **pipes)
    try:
        watch = Watch(running.pid, Limits())
        running.stdin.write(b"go\n")
        running.stdin.close()
        running.stdout.readline()
        assert asyncio.run(watch.until(1)) == ("TimedOut", "longer than 1 s")
        (child,) = psutil.Process(running.pid).children()
        assert watch.end() == 1 and not (child.is_running() and child.status() != psutil.STATUS_ZOMBIE)
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def test_without_namespaces_it_says_so_and_runs_as_the_account(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox, "namespaces", lambda: False)
    assert sandbox.command(tmp_path, ["python"]) == ["python"]
    assert "this account's rights" in sandbox.describe() and "Grade in a container" in sandbox.describe()
    monkeypatch.setattr(sandbox, "namespaces", lambda: True)
    assert "in namespaces" in sandbox.describe() and "unshare" in sandbox.command(tmp_path, ["python"])


def test_assignments_of_another_repository_are_refused(tmp_path):
    source = tmp_path / "notebooks" / "assignments" / "source" / "1_toy.py"
    (tmp_path / "gsnn_tutorial").mkdir()
    (tmp_path / "gsnn_tutorial" / "__init__.py").touch()
    with pytest.raises(ValueError, match="the assignments lie in .*, and what grades is "):
        grading.grade(source, tmp_path, tmp_path / "out")


def test_what_must_not_change_is_named_when_it_did(tmp_path):
    (tmp_path / "book.db").write_text("a", encoding="utf-8")
    guard = Guard([tmp_path])
    guard.check()
    (tmp_path / "book.db").write_text("b", encoding="utf-8")
    with pytest.raises(ValueError, match="something changed that they must not touch: .*book.db"):
        guard.check()


@pytest.mark.parametrize(
    ("code", "words"),
    {
        "from gsnn_tutorial.exercises import assignment_1": "imports the checks or the graders",
        "import sys; sys._getframe(1).f_globals": "walks the frames",
        "import sys; sys.meta_path.insert(0, Hook())": "changes how names are imported",
        "get_ipython().input_transformers_post.append(f)": "changes how cells are run",
        "import sqlite3": "reaches for the gradebook",
    }.items(),
)
def test_what_looks_like_a_trick_is_pointed_out(code, words):
    assert any(words in note for note in suspicions([code])) and suspicions(["# " + code, "x = [1]\nx.append(2)"]) == []
