"""The course kit: releases, what may be handed in, notebooks run in bounded time, and the grading of a class."""

import copy
import json
import re
import subprocess
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest
from assignments import RIGHT, SOURCES, TOY, Assignment, answered, handed_in, toy_kit
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

from gsnn_course import execution, intake, running
from gsnn_course import grade as grading
from gsnn_course.execution import execute
from gsnn_course.nbgrader_course import NbgraderCourse
from gsnn_course.release import release, set_seed, sources, with_seed, write_releases
from gsnn_course.report import report
from gsnn_course.watching import Limits
from gsnn_tutorial.__main__ import main


@pytest.fixture
def toy(tmp_path):
    """A folder of assignments with a small one in it."""
    return toy_kit(tmp_path)


@pytest.fixture
def blank(toy):
    return release(toy / "source" / "1_toy.py")


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Releases


def test_a_release_is_the_source_without_solutions_and_hidden_tests(blank):
    assert [cell.id for cell in blank.cells] == ["setup", "double", "double-test", "half", "half-test", "verdict"]
    assert blank.cells[1].source == "def double(x):\n    raise NotImplementedError  # your answer here"
    assert blank.cells[2].source == 'print("double")'


def test_the_years_seed_is_one_setting_which_the_release_command_writes(toy, capsys):
    assert main(["course", "release", "--assignments", str(toy), "--seed", "2031"]) == 0
    assert "SEED = 2031\n" in (toy / "source" / "1_toy.py").read_text(encoding="utf-8")
    assert nbformat.read(toy / "1_toy.ipynb", as_version=4).cells[0].source == "SEED = 2031"
    assert capsys.readouterr().out == f"{toy / '1_toy.ipynb'}\n"
    assert write_releases(toy) == [toy / "1_toy.ipynb"]  # without a seed it stays
    assert "SEED = 2031\n" in (toy / "source" / "1_toy.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", ["-5", "4294967296"])
def test_a_seed_that_cannot_be_leaves_every_source_as_it_was(toy, seed, capsys):
    before = contents(toy)
    assert main(["course", "release", "--assignments", str(toy), "--seed", seed]) == 2
    assert "seed must be at " in capsys.readouterr().err
    with pytest.raises(ValueError, match="seed must be at "):
        set_seed(toy / "source" / "1_toy.py", int(seed))
    assert contents(toy) == before


@pytest.mark.parametrize("broken", [TOY.replace("SEED = ", "SEEDS = "), TOY.replace("    ### END SOLUTION\n", "", 1)])
def test_all_sources_and_releases_are_written_or_none(toy, broken, capsys):
    (toy / "source" / "2_toy.py").write_text(broken, encoding="utf-8")
    before = contents(toy)
    assert main(["course", "release", "--assignments", str(toy), "--seed", "77"]) == 2
    assert "2_toy" in capsys.readouterr().err
    assert contents(toy) == before


def test_another_seed_leaves_the_rest_of_a_source_and_its_line_ends(toy):
    path = toy / "source" / "1_toy.py"
    path.write_bytes(TOY.replace("\n", "\r\n").encode())
    before = path.read_bytes()
    set_seed(path, 2031)
    assert path.read_bytes() == re.sub(rb"SEED = \d+", b"SEED = 2031", before) != before
    path.write_text(TOY, encoding="utf-8")
    text = with_seed(path, 2031)
    path.write_text(text, encoding="utf-8")
    assert release(path, text) == release(path)


@pytest.mark.parametrize("text", ["", "SEED = 1\nSEED = 2\n"])
def test_a_source_with_no_seed_or_two_is_refused(tmp_path, text):
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="must have one line SEED = number, got"):
        set_seed(tmp_path / "a.py", 5)
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == text


def test_a_source_that_nbgrader_cannot_read_is_refused_in_its_words(toy):
    path = toy / "source" / "1_toy.py"
    path.write_text(TOY.replace("    ### END SOLUTION\n", "", 1), encoding="utf-8")
    with pytest.raises(ValueError, match="(?s)could not release 1_toy.*no end solution statement"):
        release(path)


def test_a_folder_without_sources_is_refused(tmp_path):
    with pytest.raises(ValueError, match="assignments must be a folder with source/1_name.py"):
        sources(tmp_path)


# What is handed in


@pytest.mark.parametrize("code", ["utf-8-sig", "utf-16", "utf-16-le", "utf-8"])
def test_a_notebook_counts_whatever_its_code_its_line_ends_and_what_it_lacks(blank, tmp_path, code):
    content = json.loads(nbformat.writes(answered(blank)))
    for cell in content["cells"]:
        cell.pop("outputs", None)
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    del content["nbformat_minor"]
    (tmp_path / "in.ipynb").write_bytes(json.dumps(content).replace("\n", "\r\n").encode(code))
    mended, notes = intake.read(tmp_path / "in.ipynb", blank)
    assert notes == [] and [cell.source for cell in mended.cells] == [cell.source for cell in answered(blank).cells]


def taken_in(notebook, blank, tmp_path):
    nbformat.write(notebook, tmp_path / "in.ipynb")
    return intake.read(tmp_path / "in.ipynb", blank)


def change(notebook, id, **changes):
    next(cell for cell in notebook.cells if cell.id == id).update(changes)


def without(notebook, id):
    notebook.cells = [cell for cell in notebook.cells if cell.id != id]


def strip(notebook, ids=False):
    for k, cell in enumerate(notebook.cells):
        cell.metadata = {}
        cell.id = f"c{k}" if ids else cell.id


def duplicate(notebook, id, **changes):
    """A copy in front of a cell."""
    k = [cell.id for cell in notebook.cells].index(id)
    notebook.cells.insert(k, copy.deepcopy(notebook.cells[k]))
    notebook.cells[k].update(id="other", **changes)


BACK = [f"{id} is missing: put back" for id in ("setup", "double-test", "half-test")]
ALTERED = {
    "as it should be": (lambda notebook: None, []),
    "deleted test": (lambda notebook: without(notebook, "double-test"), ["double-test is missing: put back"]),
    "edited test": (
        lambda notebook: change(notebook, "half-test", source="print('right')"),
        ["half-test was edited: restored"],
    ),
    "duplicated test": (lambda notebook: duplicate(notebook, "half-test"), ["half-test is there 2 times"]),
    "duplicated answer": (
        lambda notebook: duplicate(notebook, "half", source="def half(x):\n    return 7"),
        ["half is there 2 times: the last one counts"],
    ),
    "edited setup": (lambda notebook: change(notebook, "setup", source="SEED = 0"), ["setup was edited: restored"]),
    "no metadata": (strip, ["no nbgrader metadata"]),
    "no metadata and no ids": (
        lambda notebook: strip(notebook, ids=True),
        ["no nbgrader metadata", *BACK, "verdict is missing"],
    ),
    "test cell turned into text": (
        lambda notebook: notebook.cells.__setitem__(2, nbformat.v4.new_markdown_cell("x", id="double-test")),
        ["double-test was edited: restored"],
    ),
    "hostile metadata": (lambda notebook: change(notebook, "half", metadata={"nbgrader": ["grade_id"]}), []),
    "cells that ask to be skipped": (
        lambda notebook: change(notebook, "double", metadata={"tags": ["skip-execution", "raises-exception"]}),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("alter", ALTERED)
def test_an_altered_notebook_is_mended_and_told_of(blank, tmp_path, alter):
    spoil, expected = ALTERED[alter]
    notebook = answered(blank)
    spoil(notebook)
    mended, notes = taken_in(notebook, blank, tmp_path)
    assert sorted(notes) == sorted(expected)
    marked = [cell for cell in mended.cells if "nbgrader" in cell.metadata]
    assert [cell.id for cell in marked] == [cell.id for cell in blank.cells]
    for cell, original in zip(marked, blank.cells):
        assert cell.metadata == original.metadata and cell.cell_type == original.cell_type
        assert cell.source == RIGHT.get(cell.id, original.source)


def test_an_answer_that_takes_the_checks_own_is_pointed_out(blank, tmp_path):
    theirs = "from gsnn_tutorial.exercises import assignment_1\n\ndouble = assignment_1.membership.reference"
    own = "reference = 2\n\ndef double(x):\n    return reference * x  # as the reference has it."
    for source, told in ((theirs, True), (own, False)):
        _, notes = taken_in(answered(blank, double=source), blank, tmp_path)
        assert ("uses .reference, where a check keeps its own answer: look at it" in notes) == told == bool(notes)


def test_an_answer_that_was_moved_to_another_cell_is_tested_there(blank, tmp_path):
    notebook = answered(blank)
    without(notebook, "double")
    notebook.cells.append(new_code_cell(RIGHT["double"]))
    mended, notes = taken_in(notebook, blank, tmp_path)
    ids = [cell.id for cell in mended.cells]
    assert notes == [] and ids.index("double-test") == ids.index("double") + 1
    without(notebook := answered(blank), "double")
    mended, notes = taken_in(notebook, blank, tmp_path)
    assert notes == ["double is missing"] and mended.cells[-1].id == "double-test"


HELPER = "def my_double(x):\n    return x + x"
USES_HELPER = "def double(x):\n    return my_double(x)"


def with_helper(notebook):
    """The answer first, then a helper that it needs, then the test."""
    change(notebook, "double", source=USES_HELPER)
    notebook.cells.insert([cell.id for cell in notebook.cells].index("double") + 1, new_code_cell(HELPER, id="helper"))
    return notebook


ORDER = ["setup", "double", HELPER, "double-test", "half", "half-test", "verdict"]
BEHIND = ["setup", "double", "double-test", HELPER, "half", "half-test", "verdict"]


@pytest.mark.parametrize(
    ("alter", "expected"),
    {
        "as it is": (lambda notebook: None, ORDER),
        "edited test": (lambda notebook: change(notebook, "double-test", source="1"), ORDER),
        "edited setup": (lambda notebook: change(notebook, "setup", source="SEED = 0"), ORDER),
        "deleted test": (lambda notebook: without(notebook, "double-test"), BEHIND),
        "another test deleted": (lambda notebook: without(notebook, "half-test"), ORDER),
        "duplicated test": (lambda notebook: duplicate(notebook, "double-test"), ORDER),
        "test before its answer": (
            lambda notebook: notebook.cells.insert(1, notebook.cells.pop(3)),
            BEHIND,
        ),
        "setup behind an answer": (lambda notebook: notebook.cells.insert(1, notebook.cells.pop(0)), ORDER),
        "a cell before the setup": (
            lambda notebook: notebook.cells.insert(0, new_code_cell("early")),
            ["early", *ORDER],
        ),
        "answers first, tests last": (
            lambda notebook: notebook.cells.insert(5, notebook.cells.pop(3)),
            ["setup", "double", HELPER, "half", "half-test", "double-test", "verdict"],
        ),
    }.values(),
)
def test_cells_stay_in_the_pupil_s_order_and_only_locked_ones_out_of_place_move(blank, tmp_path, alter, expected):
    notebook = with_helper(answered(blank))
    alter(notebook)
    mended, _ = taken_in(notebook, blank, tmp_path)
    assert [cell.id if "nbgrader" in cell.metadata else cell.source for cell in mended.cells] == expected
    locked = {cell.id: cell.source for cell in blank.cells if cell.metadata.nbgrader.locked}
    assert {cell.id: cell.source for cell in mended.cells if cell.id in locked} == locked


@pytest.mark.parametrize("number", SOURCES)
def test_an_untouched_submission_comes_out_as_it_was(number, tmp_path):
    untouched = Assignment(SOURCES[number]).release
    mended, notes = taken_in(untouched, untouched, tmp_path)
    assert notes == [] and [cell.source for cell in mended.cells] == [cell.source for cell in untouched.cells]


@pytest.mark.parametrize("content", ["{not json", "[]", "", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5}', "\0"])
def test_what_is_not_a_notebook_counts_as_blank_and_is_told_of(blank, tmp_path, content):
    (tmp_path / "in.ipynb").write_text(content, encoding="utf-8")
    notebook, notes = intake.read(tmp_path / "in.ipynb", blank)
    assert notebook == blank and notes[0].startswith("not a notebook: ")


def test_a_missing_notebook_and_one_too_large_count_as_blank(blank, tmp_path, monkeypatch):
    assert intake.read(None, blank) == (blank, [])
    monkeypatch.setattr(intake, "LARGEST", 10)
    (tmp_path / "in.ipynb").write_text("x" * 11, encoding="utf-8")
    assert intake.read(tmp_path / "in.ipynb", blank)[1][0].startswith("not read: the file has")


# The command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["7", "in"], "assignment must be one of '1'; got '7'"),
        (["1", "nowhere"], "submissions must be a folder or a zip, got nowhere"),
        (["1", "in", "--output", "taken"], "output must be a new or empty folder, got taken"),
        (["1", "in", "--jobs", "0"], "jobs must be at least 1, got 0"),
        (["1", "in", "--seconds", "0"], "seconds must be finite and at least 1, got 0"),
    ],
)
def test_a_bad_argument_ends_with_2_and_says_what_would_be_right(toy, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(toy)
    (toy / "in" / "ada").mkdir(parents=True)
    (toy / "taken").mkdir()
    (toy / "taken" / "file").touch()
    assert main(["course", "grade", *arguments, "--assignments", "."]) == 2
    assert words in capsys.readouterr().err
    assert not (toy / "runs").exists()


def test_a_folder_in_use_stops_the_program_and_is_left_as_it_is(toy):
    (toy / "in" / "ada").mkdir(parents=True)
    (toy / "taken").mkdir()
    (toy / "taken" / "points.csv").write_text("mine", encoding="utf-8")
    command = [sys.executable, "-m", "gsnn_tutorial", "course", "grade", "1", "in", "--output", "taken"]
    run = subprocess.run([*command, "--assignments", "."], cwd=toy, capture_output=True, encoding="utf-8")
    assert run.returncode == 2 and run.stdout == ""
    assert "course: output must be a new or empty folder, got taken" in run.stderr
    assert [path.name for path in (toy / "taken").iterdir()] == ["points.csv"]


def test_a_report_of_a_folder_that_was_not_graded_is_refused(tmp_path, capsys):
    assert main(["course", "report", str(tmp_path)]) == 2
    assert "folder must be one that course grade has written" in capsys.readouterr().err


# Notebooks run in bounded time


def notebook_of(*sources, graded=()):
    cells = [new_code_cell(source) for source in sources]
    for k in graded:
        cells[k].metadata["nbgrader"] = {"grade": True, "grade_id": f"cell_{k}"}
    return nbformat.v4.new_notebook(cells=cells)


def errors(notebook):
    """For each cell the name of its error, or None."""
    return [next((o.ename for o in cell.outputs if o.output_type == "error"), None) for cell in notebook.cells]


LOOP = "while True:\n    pass"
STUBBORN = "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n        pass"


@pytest.mark.slow
def test_what_breaks_a_kernel_costs_its_cell_only(tmp_path):
    cells = {  # {name: its code, its error, the notes}
        "loop": (LOOP, "TimedOut", ["the cell 'while True:' took longer than 3 s"]),
        "stubborn": (STUBBORN, "TimedOut", ["the cell 'import time' took longer than 3 s"]),
        "crash": ("import os\nos._exit(0)", "KernelDied", ["the kernel died in the cell 'import os'"]),
        "exit": ("exit()", None, []),
        "good": ("print(a)", None, []),
    }
    run = {name: notebook_of("a = 1", code, "assert a == 1") for name, (code, _, _) in cells.items()}
    assert execute(run, limits=Limits(cell_seconds=3)) == {name: notes for name, (_, _, notes) in cells.items()}
    for name, (_, error, _) in cells.items():
        assert errors(run[name]) == [None, error, None]
    assert run["good"].cells[1].outputs[0].text == "1\n"


@pytest.mark.slow
def test_a_submission_stops_when_its_time_is_up(tmp_path):
    notebook = notebook_of("a = 1", *[LOOP] * 20, "assert a == 1")
    happened = execute({"loops": notebook}, limits=Limits(cell_seconds=2, seconds=6))["loops"]
    assert re.fullmatch(r"stopped \d+ cells before the end: its 6 s were over", happened[-1])
    assert set(errors(notebook)[1:]) == {"TimedOut", "NotRun"} and errors(notebook)[-1] == "NotRun"


@pytest.mark.slow
def test_output_has_an_end_and_an_error_is_kept_whatever_came_before(tmp_path):
    flood = "for _ in range(3000):\n    print('x' * 1000)\n"
    run = {
        "flood": notebook_of(flood + "raise ValueError('y' * 10**6)", "print('z' * 10**6)", "1"),
        "swallowed": notebook_of(
            "get_ipython().set_custom_exc((Exception,), lambda *error, **more: None)", "assert False", graded=[1]
        ),
        "tricks": notebook_of(
            "import sys\nsys.displayhook(5.0)\nassert False",
            "import sys\nprint(1, file=sys.stderr)\n3.0",
            graded=[0, 1],
        ),
    }
    happened = execute(run, limits=Limits(cell_seconds=20))
    assert errors(run["flood"]) == ["ValueError", None, None]
    assert len(nbformat.writes(run["flood"])) < 500_000
    assert [note.split(":")[0] for note in happened["flood"]].count(
        "the output of the cell \"print('z' * 10**6)\" was cut"
    ) == 1
    assert errors(run["swallowed"])[1] == "AssertionError"
    assert [[o.output_type for o in cell.outputs] for cell in run["tricks"].cells] == [["error"], []]


@pytest.mark.slow
def test_an_error_says_once_what_is_wrong_and_nothing_of_this_machine(tmp_path):
    run = notebook_of(
        "import json\n\ndef f():\n    return json.loads('{')",
        "f()",
        "print('before')\nprint('half: no.')\nassert False, 'half: no.'",
        "print('half: no.')\nassert False, 'half: no.'",
        "unknown",
        "assert False",
        "import json\njson.loads('{')",
        "assert False, 'half: ' + ' '.join(['no'] * 80)",
        graded=range(2, 8),
    )
    execute({"pupil": run})
    shown = ["".join(output.get("text", output.get("traceback", ""))) for output in run.cells[2].outputs]
    assert shown == ["before\n", "half: no."]
    lines = [[output.get("text", output.get("traceback")) for output in cell.outputs] for cell in run.cells[3:]]
    long = run.cells[7].outputs[0]
    assert lines[:3] == [[["half: no."]], [["NameError: name 'unknown' is not defined"]], [["AssertionError:"]]]
    assert lines[3][0][0].startswith("JSONDecodeError: Expecting")
    assert [len(line) <= 90 for line in long.traceback] == [True] * 3 and " ".join(long.traceback) == long.evalue
    own = "\n".join(run.cells[1].outputs[0].traceback)
    assert "json/decoder.py" not in own and "return" in own and "Expecting property name" in own


def test_a_notebook_without_a_kernel_leaves_the_others_alone(tmp_path, monkeypatch):
    start, started = execution.start_kernel, []

    async def no_kernel_for_the_first(*options):
        started.append(options)
        if len(started) == 1:
            raise RuntimeError("no kernel today")
        return await start(*options)

    monkeypatch.setattr(execution, "start_kernel", no_kernel_for_the_first)
    run = {"bad": notebook_of("1", "2"), "good": notebook_of("1", "2")}
    happened = execute(run, jobs=1)
    assert happened == {"bad": ["stopped 2 cells before the end: RuntimeError: no kernel today"], "good": []}
    assert errors(run["bad"]) == ["NotRun", "NotRun"] and errors(run["good"]) == [None, None]


# A class


@pytest.mark.slow
def test_an_answer_in_words_waits_for_a_grade_by_hand_which_the_report_takes_up(toy, blank, tmp_path, capsys):
    wrong, out = answered(blank, half="def half(x):\n    return x"), tmp_path / "out"
    folder = handed_in(tmp_path / "in", ada=answered(blank, verdict="No."), bo=wrong)
    arguments = ["1", str(folder), "--output", str(out), "--assignments", str(toy)]
    assert main(["course", "grade", *arguments]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^ada +2 +3 +by hand +5 +9 *$", shown, re.M) and re.search(r"^bo +2 +0 +0 +2 +9 *$", shown, re.M)
    assert "ada: finished\nbo: finished\n" in shown

    with Gradebook(NbgraderCourse(out, "1_toy").database) as gradebook:  # as nbgrader's formgrader does
        grade = gradebook.find_grade("verdict", "1_toy", "1_toy", "ada")
        grade.manual_score = 3.5
        grade.needs_manual_grade = False
        gradebook.db.commit()
    assert main(["course", "report", str(out)]) == 0
    table = pd.read_csv(out / "points.csv", index_col="pupil")
    assert table.loc["ada", ["double", "half", "verdict", "total"]].tolist() == [2, 3, 3.5, 8.5]
    assert pd.read_csv(out / "grades.csv", index_col="student_id").loc["ada", "score"] == 8.5
    page = (out / "feedback" / "ada" / "1_toy" / "1_toy.html").read_text(encoding="utf-8")
    assert "8.5" in page and "Test cell" not in page
    links = [("double-test", "double"), ("half-test", "half"), ("verdict", "verdict")]
    assert re.findall(r'<li><a href="#([\w-]+)">(\w+)</a> \(Score', page) == links
    page = (out / "feedback" / "bo" / "1_toy" / "1_toy.html").read_text(encoding="utf-8")
    assert "AssertionError" in page and "Traceback (most recent" not in page


def graded(toy, folder, **notebooks):
    """The table of a class that got the small assignment."""
    source = toy / "source" / "1_toy.py"
    return grading.grade(source, handed_in(folder / "in", **notebooks), folder / "out", progress=False)


def with_cell(notebook, source):
    notebook.cells.insert(3, new_code_cell(source))
    return notebook


ATTACK = """
from gsnn_tutorial.exercises import diagnosis
from gsnn_tutorial.exercises import assignment_1
diagnosis.Exercise.diagnose = diagnosis.Graded.grade = lambda *arguments, **more: None
for name in ("membership", "inside", "self_loops", "win_mask", "wout", "reach"):
    setattr(assignment_1, name, diagnosis.Graded(name, print, list))
checks = assert_ = None
"""
FOREVER = "def {}(*arguments):\n    while True:\n        pass"


@pytest.mark.slow
def test_hostile_submissions_are_graded_as_far_as_possible_and_harm_nobody(tmp_path):
    assignment = Assignment(SOURCES["1"])
    right, most = assignment.solutions, assignment.points

    def hand_in(pupil, notebook=None, **answers):
        assignment.hand_in(tmp_path / "in", pupil, notebook or assignment.submission(right | answers))

    hand_in("good")
    hand_in("loop", reach=FOREVER.format("reach"))
    hand_in("loops", assignment.submission({name: FOREVER.format(name) for name in right}))
    hand_in("stubborn", with_cell(assignment.submission(right), STUBBORN))
    notebook = assignment.submission(right | {"wout": "def wout(*case):\n    return my_wout(*case)"})
    helper = new_code_cell(right["wout"].replace("def wout(", "def my_wout("))
    notebook.cells.insert([cell.id for cell in notebook.cells].index("wout-test"), helper)
    hand_in("helper", notebook)
    hand_in("crash", self_loops="import os\ndef self_loops(edge_index, N):\n    os._exit(1)")
    hand_in("import", with_cell(assignment.submission(right), "import nonesuch"))
    hand_in("attack", with_cell(assignment.submission({"membership": right["membership"]}), ATTACK))
    hand_in("prints", with_cell(assignment.submission(right), "while True:\n    print('x' * 1000)"))
    hand_in("megabyte", wout="print('x' * 10**6)\n" + right["wout"])
    hand_in("value", reach="import sys\ndef reach(*arguments):\n    sys.displayhook(4.0)")
    hand_in("warns", inside="import sys\n" + right["inside"].replace(":\n", ":\n    print(1, file=sys.stderr)\n", 1))
    without(notebook := assignment.submission(right), "wout-test")
    hand_in("deleted", notebook)
    duplicate(notebook := assignment.submission(right), "inside", source="def inside(*arguments):\n    return 1")
    hand_in("twice", notebook)
    for cell in (notebook := assignment.submission({})).cells:
        cell.source = "print('right')" if cell.id.endswith("-test") else cell.source
    hand_in("edited", notebook)
    strip(notebook := assignment.submission(right), ids=True)
    hand_in("stripped", notebook)
    (tmp_path / "in" / "broken.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "in" / "empty").mkdir()

    out = tmp_path / "out"
    table = grading.grade(assignment.path, tmp_path / "in", out, cell_seconds=15, seconds=45, progress=False)
    nothing = set(most)
    lost = dict.fromkeys(table.index, set()) | dict.fromkeys(("loops", "edited", "broken", "empty"), nothing)
    lost |= {"loop": {"reach"}, "value": {"reach"}, "crash": {"self_loops"}, "attack": nothing - {"membership"}}
    for pupil in table.index:
        expected = [0 if name in lost[pupil] else points for name, points in most.items()]
        np.testing.assert_array_equal(table.loc[pupil, list(most)], expected, pupil)
    happened = table["what happened"]
    for pupil, words in {
        "good": "finished",
        "helper": "finished",
        "loop": "reach-test took longer than 15 s",
        "loops": "before the end: its 45 s were over",
        "stubborn": "the cell 'import time' took longer than 15 s",
        "crash": "the kernel died in self_loops-test",
        "import": "No module named 'nonesuch'",
        "attack": "imports the checks or the graders: look at it",
        "prints": "the output of the cell 'while True:' was cut",
        "megabyte": "the output of wout was cut",
        "deleted": "wout-test is missing: put back",
        "twice": "inside is there 2 times: the last one counts",
        "edited": "reach-test was edited: restored",
        "stripped": "no nbgrader metadata",
        "broken": "not a notebook: JSONDecodeError",
        "empty": "no notebook",
    }.items():
        assert words in happened[pupil]
    pages = {path.parent.parent.name: path.stat().st_size for path in (out / "feedback").glob("*/*/*.html")}
    assert set(pages) == set(table.index) and max(pages.values()) < 2_000_000


def of_version_0_3(notebook):
    for cell in notebook.cells:
        cell.source = cell.source.replace("gsnn_tutorial.exercises", "gsnn_tutorial.course.graders")
    return notebook


def test_a_release_of_version_0_3_is_taken_for_what_it_is(tmp_path):
    assignment = Assignment(SOURCES["1"])
    old = of_version_0_3(assignment.submission(assignment.solutions))
    assert [c.source for c in old.cells] != [c.source for c in assignment.submission(assignment.solutions).cells]
    assert taken_in(old, assignment.release, tmp_path)[1] == []
    assert taken_in(assignment.submission({}), of_version_0_3(assignment.submission({})), tmp_path)[1] == []


@pytest.mark.slow
@pytest.mark.parametrize("source", ["of today", "of its time"])
def test_a_release_of_version_0_3_gets_the_same_points_and_says_nothing_of_names_that_moved(tmp_path, source):
    assignment = Assignment(SOURCES["1"])
    right = of_version_0_3(assignment.submission(assignment.solutions))
    assignment.hand_in(tmp_path / "in", "right", with_cell(right, "from gsnn_tutorial.files import write_text"))
    assignment.hand_in(tmp_path / "in", "wrong", of_version_0_3(assignment.submission(assignment.wrong(0))))
    path, text = assignment.path, assignment.path.read_text(encoding="utf-8")
    if source == "of its time":
        (path := tmp_path / "a" / "b" / "source" / path.name).parent.mkdir(parents=True)
        path.write_text(text.replace("gsnn_tutorial.exercises", "gsnn_tutorial.course.graders"), encoding="utf-8")
    table = grading.grade(path, tmp_path / "in", tmp_path / "out", progress=False)
    assert table.loc["right", list(assignment.points)].tolist() == list(assignment.points.values())
    assert table.loc["right", "what happened"] == "finished" and table.loc["wrong", "total"] == 0
    wrong = pd.read_csv(tmp_path / "out" / "answers.csv").set_index("cell")["diagnosis"]
    for name, exercise in assignment.exercises.items():
        assert wrong[name] == f"{exercise.title}: {next(iter(exercise.mistakes))}"
    for page in (tmp_path / "out" / "executed").rglob("*.ipynb"):
        assert "has moved to" not in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_pupil_s_kernel_only_computes_and_cannot_reach_a_point(toy, blank, tmp_path):
    forge = (
        "import builtins, sys, os\nfrom gsnn_tutorial.exercises import diagnosis\n"
        "diagnosis.Exercise.diagnose = diagnosis.Graded.grade = lambda *a, **k: None\n"
        "class Any(int):\n    __eq__ = lambda self, other: True\n    __hash__ = int.__hash__\n"
        "SEED = Any(0)\ndef half(x):\n    return Any(1)"
    )
    table = graded(toy, tmp_path, forger=answered(blank, half=forge), NA=answered(blank))
    assert table.loc["forger", ["double", "half"]].tolist() == [2, 0] and table.loc["NA", "half"] == 3
    assert "imports the checks" in table.loc["forger", "what happened"]
    with pytest.raises(ValueError, match="output must be a new or empty folder"):
        grading.grade(toy / "source" / "1_toy.py", tmp_path / "in", tmp_path / "out", progress=False)
    with Gradebook(NbgraderCourse(tmp_path / "out", "1_toy").database) as gradebook:
        gradebook.find_grade("half-test", "1_toy", "1_toy", "forger").manual_score = 20
        gradebook.db.commit()
    with pytest.raises(ValueError, match="forger, half-test has 20 points of 3"):
        report(tmp_path / "out")


@pytest.mark.slow
def test_half_a_character_costs_its_pupil_no_point_and_the_class_nothing(toy, blank, tmp_path):
    notebook = answered(blank, half=RIGHT["half"] + "\n# \ud83d")
    says = answered(
        blank, half="def half(x):\n    raise ValueError(chr(0xd83d))", double=RIGHT["double"] + "\nprint(chr(0xd83d))"
    )
    table = graded(toy, tmp_path, ada=notebook, bo=says)
    assert table[["double", "half"]].to_numpy().tolist() == [[2, 3], [2, 0]]


@pytest.mark.slow
def test_what_nbgrader_cannot_read_waits_for_a_person_and_the_others_are_graded(toy, blank, tmp_path, monkeypatch):
    book = NbgraderCourse.book

    def without_bo(course):
        path = course.notebook("executed", "bo")
        content = path.read_bytes()
        path.write_text("{", encoding="utf-8")
        log = book(course)
        path.write_bytes(content)
        return log

    monkeypatch.setattr(NbgraderCourse, "book", without_bo)
    monkeypatch.setattr(running, "execute", lambda notebooks, *, done, **options: [done(n, []) for n in notebooks])
    table = graded(toy, tmp_path, ada=answered(blank), bo=answered(blank))
    assert table.loc["ada", "half"] == 3 and table.loc["bo"].isna()["half"]
    assert "nbgrader could not read it" in table.loc["bo", "what happened"]
