"""The instructor guide says what the repository does: points, minutes, diagnoses, commands, files."""

import ast
import re
import shlex

import jupytext
import pytest
from assignments import FOLDER, SOURCES, Assignment, prose

from gsnn_course import execution, intake
from gsnn_tutorial.__main__ import parser
from gsnn_tutorial.study.inference import summarize
from gsnn_tutorial.study.saved import saved_study

ROOT = FOLDER.parent.parent
GUIDE = (FOLDER / "README.md").read_text(encoding="utf-8")
CHAPTERS = {path.name[1]: jupytext.read(path) for path in sorted((ROOT / "notebooks").glob("0*.py"))}
ASSIGNMENTS = {number: Assignment(path) for number, path in SOURCES.items()}
PROGRAM = "python -m gsnn_tutorial "


def section(title):
    """The text under a heading, up to the next one of its level or above."""
    level, text = re.search(rf"^(#+) {re.escape(title)}\n(.*)", GUIDE, re.M | re.S).groups()
    return re.split(rf"^#{{1,{len(level)}}} ", text, flags=re.M)[0]


def rows(text):
    """The cells of a table's rows, without its head."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in re.findall(r"^\|.*\|$", text, re.M)][2:]


def linked(cell):
    """(what a cell shows, where it leads) for a link by reference."""
    shown, name = re.fullmatch(r"\[(.*)\]\[(\w+)\]", cell).groups()
    return shown, re.search(rf"^\[{name}\]: (\S+)$", GUIDE, re.M)[1]


def top(notebook):
    """A notebook's first cell, on one line."""
    return " ".join(notebook.cells[0].source.split())


def minutes_of(notebook):
    return [int(number) for number in re.findall(r"^●[●○]{2} · (\d+) minutes", prose(notebook), re.M)]


def reading(chapter):
    return int(re.search(r"\*\*Time:\*\* (\d+) minutes to read", top(chapter))[1])


def points_of(assignment):
    """{exercise: points}, those that are given by hand included."""
    marks = [cell.metadata.get("nbgrader", {}) for cell in assignment.source.cells]
    return {mark["grade_id"].removesuffix("-test"): mark["points"] for mark in marks if mark.get("grade")}


# Chapters and assignments


def test_every_chapter_is_there_with_its_minutes_and_what_it_needs():
    found = rows(section("Chapters"))
    assert [linked(row[0])[0][0] for row in found] == list(CHAPTERS)
    for (name, _, needs, read, exercises), (number, chapter) in zip(found, CHAPTERS.items()):
        assert linked(name)[1].startswith(f"../0{number}_")
        assert read == f"{reading(chapter)} min" and exercises == f"{sum(minutes_of(chapter))} min"
        before = re.search(r"\*\*Before you start:\*\*(.*?)\*\*Time", top(chapter))[1]
        assert re.findall(r"\d", needs) == re.findall(r"\[(\d) · ", before)


def test_every_assignment_is_there_with_its_title_time_points_and_what_it_needs():
    found = rows(section("Assignments"))
    assert [linked(row[0])[0][0] for row in found] == list(ASSIGNMENTS)
    for (name, _, needs, time, points), assignment in zip(found, ASSIGNMENTS.values()):
        first = top(assignment.source)
        title, target = linked(name)
        assert first.startswith(f"# Assignment {title} ") and target == f"{assignment.name}.ipynb"
        assert f"**Time:** {time.removesuffix(' min')} minutes; {points} points;" in first
        assert int(points) == sum(points_of(assignment).values())
        before = re.search(r"\*\*Before you start:\*\*(.*?)\*\*Time", first)[1]
        assert needs.split(", ") == re.findall(r"\d", before)


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_every_exercise_is_there_with_its_points_its_minutes_and_a_diagnosis_to_the_word(number):
    assignment = ASSIGNMENTS[number]
    entry = re.compile(r"^\* \*\*(\w+)\*\* \((\d+) points?, (\d+) minutes\): (.*?)(?=^\* |\Z)", re.M | re.S)
    found = entry.findall(section(f"Assignment {number}"))
    exercises = zip(points_of(assignment).items(), minutes_of(assignment.source), strict=True)
    expected = [(name, points, minutes) for (name, points), minutes in exercises]
    assert [(name, int(points), int(minutes)) for name, points, minutes, _ in found] == expected
    for name, _, _, text in found:
        quoted = re.findall(r'"(.*?)"', " ".join(text.split()))
        if name in assignment.by_hand:
            assert quoted == [] and "by hand" in " ".join(text.split())
        else:
            assert len(quoted) == 1
            assert [d for d in assignment.exercises[name].mistakes if d.startswith(quoted[0])], quoted[0]


def test_the_workshop_fills_its_time_and_names_exercises_as_they_are():
    found = rows(section("A workshop of 90 minutes"))
    assert sum(int(minutes) for minutes, _ in found) == 90
    for minutes, what in found:
        if exercise := re.match(r"chapter (\d), exercise (\d): \*(.*)\*$", what):
            chapter, k, title = exercise.groups()
            assert f"### Exercise {k} · {title}\n" in prose(CHAPTERS[chapter])
            assert int(minutes) == minutes_of(CHAPTERS[chapter])[int(k) - 1]
        elif chapter := re.match(r"read chapter (\d)", what):
            assert int(minutes) == reading(CHAPTERS[chapter[1]])


def test_the_unit_teaches_every_chapter_before_the_assignment_that_needs_it():
    taught, out, back = [], [], []
    needs = {linked(row[0])[0][0]: row[2].split(", ") for row in rows(section("Assignments"))}
    for _, lesson, minutes, given, due in rows(section("A unit of two weeks")):
        back += re.findall(r"\d", due)
        assert set(back) <= set(out)
        if minutes:
            taught += re.findall(r"\d", lesson)
            assert int(minutes) == reading(CHAPTERS[taught[-1]]) + sum(minutes_of(CHAPTERS[taught[-1]]))
        out += re.findall(r"\d", given)
        assert all(set(needs[number]) <= set(taught) for number in out)
    assert taught == list(CHAPTERS) and sorted(out) == sorted(back) == list(ASSIGNMENTS)


# Commands, files and words


def test_every_command_is_one_that_the_program_takes():
    code = "\n".join(re.findall(r"^    (.*)$", GUIDE, re.M)).replace("\\\n", "")
    commands = re.findall(rf"{PROGRAM}(.*?)'?$", code, re.M)
    given = [vars(parser().parse_args(shlex.split(command))) for command in commands]
    assert {arguments.get("step", "publish") for arguments in given} == {"release", "grade", "report", "publish"}
    assert {arguments["assignment"] for arguments in given if arguments.get("step") == "grade"} <= set(ASSIGNMENTS)
    options = set(re.findall(r"`(--[a-z-]+)`", GUIDE))
    assert options and options <= {f"--{name.replace('_', '-')}" for arguments in given for name in arguments}


def test_what_it_says_of_limits_is_what_the_program_does():
    grade = parser().parse_args(["course", "grade", "1", "folder"])
    words = section("What happens to broken and hostile submissions")
    assert f"after {grade.cell_seconds:g} s that cell" in words and f"after {grade.seconds:g} s the rest" in words
    assert f"cut at {execution.LONGEST:,} characters" in words
    assert f"more than {intake.LARGEST // 10**6} MB" in words


def test_every_note_that_it_quotes_is_one_that_grading_writes():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "gsnn_course").glob("*.py"))
    notes = [row[2].strip("`") for row in rows(section("What happens to broken and hostile submissions"))]
    assert len([note for note in notes if note]) > 10
    assert [note for note in notes if note not in code and note != "ModuleNotFoundError"] == []
    assert "right on the visible data only" in " ".join(GUIDE.split())


def test_its_python_names_what_is_there():
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    ast.parse(code)
    assignment = ASSIGNMENTS["5"]
    assert f'name = "{assignment.name}"' in code
    assert [f'"{cell}"' in code for cell in assignment.by_hand] == [True]


def test_the_line_that_it_adds_to_a_test_runs():
    (line,) = re.findall(r"^    (checks\..*\.grade\(.*\))$", GUIDE, re.M)
    assignment = ASSIGNMENTS["1"]
    names = {"checks": assignment.checks, "SEED": assignment.seed}
    names["membership"] = assignment.checks.membership.reference
    exec(line, names)
    with pytest.raises(AssertionError, match="no answer yet."):
        exec(line, names | {"membership": lambda *arguments: None})


def test_the_table_of_assignment_5_has_the_intervals_of_its_exercise_4():
    saved, checks = saved_study("crosstalk"), ASSIGNMENTS["5"].checks
    table = saved[saved["n_crosstalk"] == 4]
    summary = summarize(table, ["test_mse"]).query("arm == 'regularized'").set_index("versus")
    values = {arm: rows.set_index("seed")["test_mse"].to_dict() for arm, rows in table.groupby("arm")}
    for versus in ("baseline", "control"):
        own = checks.paired_interval.reference(values["regularized"], values[versus])
        assert tuple(summary.loc[versus, ["low", "high"]]) == pytest.approx(own)


def test_every_file_that_it_names_exists():
    links = re.findall(r"^\[\w+\]: (\S+)$", GUIDE, re.M) + re.findall(r"\]\(([^)]+)\)", GUIDE)
    assert len(links) > 12
    for link in links:
        path, _, heading = link.partition("#")
        assert (FOLDER / path).exists(), link
        if heading:
            assert re.search(rf"^#+ {heading}$", (FOLDER / path).read_text(encoding="utf-8"), re.M | re.I), link
    for path in re.findall(r"(?<![\w./])(?:notebooks|tests|source|gsnn_tutorial|binder)/[\w./]*", GUIDE):
        assert (ROOT / path).exists() or (FOLDER / path).exists(), path
    for path in re.findall(r"`(\d_\w+\.ipynb)`", GUIDE):
        assert (FOLDER / path).exists(), path


def test_its_lines_are_short():
    assert [line for line in GUIDE.splitlines() if len(line) > 110] == []
