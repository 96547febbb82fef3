"""Every assignment: its form, its release, and graders that give each answer what it deserves."""

import re

import jupytext
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from assignments import FOLDER, SOURCES, Assignment, prose, regions

from gsnn_course.grade import grade
from gsnn_course.publishing.checkout import Checkout
from gsnn_course.publishing.first_cells import colab_cell

COLAB = colab_cell(Checkout(FOLDER.parents[1]).address)  # python -m gsnn_tutorial publish writes it
OTHER_YEARS = (2027, 4711)


@pytest.fixture(scope="module", params=SOURCES.values(), ids=lambda path: path.stem)
def assignment(request):
    yield Assignment(request.param)
    plt.close("all")


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_release_has_a_source():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {path.stem for path in SOURCES.values()}


# The source


def test_the_source_is_as_jupytext_writes_it(assignment):
    assert jupytext.writes(jupytext.read(assignment.path), "py:percent") == assignment.path.read_text(encoding="utf-8")


def test_it_has_the_form_of_a_chapter(assignment):
    cells = [cell.source for cell in assignment.source.cells if cell.cell_type == "markdown"]
    assert re.match(rf"# Assignment {assignment.number} · ", cells[0])
    for part in ("**You will be able to**", "**Before you start:**", "**Time:**"):
        assert part in cells[0]
    objectives = re.findall(r"^\d\. ", cells[0].split("**You will be able to**")[1], re.M)
    recap = re.search(r"## Recap\n(.*?)(?=\n## |\Z)", prose(assignment.source), re.S).group(1)
    assert 3 <= len(objectives) == len(re.findall(r"^\d\. ", recap, re.M))
    assert cells[-1].rstrip().split("## ")[-1].startswith("References")
    assert code(assignment.source)[0].source == COLAB
    assert [cell.source for cell in code(assignment.source) if len(cell.source.splitlines()) > 20] == []


def test_it_says_that_the_check_cells_count(assignment):
    how = " ".join(assignment.source.cells[0].source.split("**How it works.** ")[1].split())
    assert "If you see a button *Validate*, you can ignore it, because only what the check cells print counts." in how


def test_the_points_on_screen_are_those_that_are_given(assignment):
    marks = [cell.metadata.get("nbgrader", {}) for cell in assignment.source.cells]
    given = [mark.points for mark in marks if mark.get("grade")]
    shown = [int(points) for points in re.findall(r"^●.* · (\d+) points?$", prose(assignment.source), re.M)]
    assert shown == given and f"{sum(given)} points" in assignment.source.cells[0].source


def test_each_exercise_is_an_answer_and_a_test_that_grades_it_on_hidden_data(assignment):
    assert list(assignment.points) == list(assignment.solutions) and set(assignment.points) == set(assignment.exercises)
    tests = {cell.id.removesuffix("-test"): cell for cell in assignment.source.cells if cell.id.endswith("-test")}
    for name in assignment.points:
        assert assignment.solutions[name].count("### BEGIN SOLUTION") == 1
        assert f"checks.{name}({name}, SEED);\n### BEGIN HIDDEN TESTS\n" in tests[name].source
        assert f"checks.{name}.grade({name}, SEED, hidden=SEED + 1000)" in regions(assignment.source, "HIDDEN TESTS")


# The release


def test_the_release_is_what_the_source_gives_to_the_letter(assignment):
    """If not: python -m gsnn_tutorial course release"""
    released = (FOLDER / f"{assignment.name}.ipynb").read_text(encoding="utf-8")
    assert released == nbformat.writes(assignment.release) + "\n"


def test_the_release_holds_no_solution_no_hidden_test_and_no_output(assignment):
    text = "\n".join(cell.source for cell in assignment.release.cells)
    assert "SOLUTION" not in text and "HIDDEN" not in text and ".grade(" not in text
    assert [line for line in regions(assignment.source, "SOLUTION") if len(line) > 15 and line in text] == []
    assert not any(cell.outputs or cell.execution_count for cell in code(assignment.release))


def test_the_release_holds_no_answer_in_words(assignment):
    released = {cell.id: cell.source for cell in assignment.release.cells}
    for name, answer in assignment.by_hand.items():
        assert released[name] == "YOUR ANSWER HERE"
        text = "\n".join(released.values())
        assert [line for line in answer.splitlines() if len(line) > 15 and line in text] == []


def test_nothing_in_the_release_fails_before_there_is_an_answer(assignment, capsys):
    names = {}
    for cell in code(assignment.release):
        exec(cell.source, names)
    assert capsys.readouterr().out.count("no answer yet.") == len(assignment.points)


# The graders


def test_the_source_gets_every_point_and_the_blank_release_none(assignment):
    assert set(assignment.outcome(assignment.solutions).values()) == {None}
    for diagnosis in assignment.outcome(assignment.blank).values():
        assert diagnosis.endswith("no answer yet.")


def test_solutions_in_other_styles_get_every_point(assignment):
    assert len(assignment.styles) >= 2
    for style, answers in assignment.styles.items():
        assert set(assignment.outcome(answers).values()) == {None}, style


def test_a_wrong_answer_loses_its_points_and_no_others_and_is_named(assignment):
    for name, exercise in assignment.exercises.items():
        outcome = assignment.outcome(assignment.solutions | {name: assignment.mistaken(name, 0)})
        assert outcome.pop(name) == f"{exercise.title}: {next(iter(exercise.mistakes))}"
        assert set(outcome.values()) <= {None}


COPIES = {"fit": "trained a copy", "layer": "has copies of the parts"}


def test_a_hard_coded_answer_that_passes_the_visible_check_is_found(assignment, capsys):
    for name, exercise in assignment.exercises.items():
        outcome, seen = (
            assignment.outcome(assignment.solutions | {name: assignment.hard_coded(name)}),
            capsys.readouterr(),
        )
        if name in COPIES:  # a model that has not been trained, or other parts: the visible check sees it
            assert COPIES[name] in outcome[name]
            continue
        assert f"{exercise.title}: right." in seen.out
        assert outcome[name].startswith(f"{exercise.title}: right on the visible data only. On other data: ")


@pytest.mark.parametrize("seed", OTHER_YEARS)
def test_in_another_year_other_data_are_asked_for_and_right_answers_get_every_point(assignment, seed, tmp_path):
    later = Assignment(assignment.path, seed, tmp_path)
    for answers in (later.solutions, *later.styles.values()):
        assert set(later.outcome(answers).values()) == {None}
    for name in assignment.exercises:
        assert later.outcome(assignment.solutions | {name: assignment.hard_coded(name)})[name] is not None


# The pipeline


@pytest.mark.slow
def test_a_class_gets_the_points_that_it_deserves(assignment, tmp_path):
    half = dict(list(assignment.solutions.items())[: len(assignment.points) // 2])
    whole = assignment.solutions | assignment.by_hand
    answers = {"reference": whole, "blank": {}, "partial": half, **assignment.styles}
    answers |= {f"wrong_{k}": assignment.wrong(k) for k in range(4)}
    for pupil, given in answers.items():
        assignment.hand_in(tmp_path / "in", pupil, assignment.submission(given))
    table = grade(assignment.path, tmp_path / "in", tmp_path / "out", progress=False)

    right = {"reference": assignment.points, "partial": half} | dict.fromkeys(assignment.styles, assignment.points)
    for pupil in answers:
        expected = [most if name in right.get(pupil, ()) else 0 for name, most in assignment.points.items()]
        np.testing.assert_array_equal(table.loc[pupil, list(assignment.points)], expected, pupil)
        for name in assignment.by_hand:  # waits for a person; what nobody has written has its 0
            assert np.isnan(table.loc[pupil, name]) if name in answers[pupil] else table.loc[pupil, name] == 0
        note = "imports the checks or the graders: look at it" if pupil.startswith("wrong_") else "finished"
        assert note in table.loc[pupil, "what happened"]
        assert (tmp_path / "out" / "feedback" / pupil / assignment.name / f"{assignment.name}.html").exists()
    gradebook = pd.read_csv(tmp_path / "out" / "grades.csv", index_col="student_id")
    pd.testing.assert_series_equal(gradebook["score"], table["total"], check_names=False)

    diagnoses = pd.read_csv(tmp_path / "out" / "answers.csv").set_index(["pupil", "cell"])["diagnosis"]
    for k in range(4):
        for name, exercise in assignment.exercises.items():
            expected = list(exercise.mistakes)[k % len(exercise.mistakes)]
            assert diagnoses[f"wrong_{k}", name] == f"{exercise.title}: {expected}"
