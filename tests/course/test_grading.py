"""A class is graded as a whole: after its code has run, once more, with a roster. Kernels are not needed to see it."""

import nbformat
import pandas as pd
import pytest
from assignments import answered, handed_in, toy_kit
from nbgrader.api import Gradebook

from gsnn_course import grade as grading
from gsnn_course import running
from gsnn_course.nbgrader_course import NbgraderCourse
from gsnn_course.outputs import fail
from gsnn_course.release import release
from gsnn_course.report import report, show

pytestmark = pytest.mark.slow


@pytest.fixture
def kit(tmp_path):
    """A class of three: ada is right, bo is wrong, cy handed in something else."""
    blank = release(toy_kit(tmp_path) / "source" / "1_toy.py")
    wrong = answered(blank, half="def half(x):\n    return x")
    (handed_in(tmp_path / "in", ada=answered(blank, verdict="It does."), bo=wrong) / "cy.txt").touch()
    return tmp_path


def graded(kit, output, **options):
    options = {"progress": False} | options
    return grading.grade(kit / "kit" / "source" / "1_toy.py", kit / "in", kit / output, **options)


def read(path, index):
    return pd.read_csv(path, keep_default_na=False, dtype=str).set_index(index)


def run_by_hand(meanwhile=lambda name: None, ran=None):
    """In the place of kernels: bo's half is wrong, and meanwhile something happens."""

    def execute(notebooks, *, done, tests, jobs, limits):
        for name, notebook in notebooks.items():
            meanwhile(name)
            answers = [cell.source for cell in notebook.cells]
            for cell in notebook.cells:
                if cell.id == "half-test" and "def half(x):\n    return x" in answers:
                    fail(cell, "AssertionError", "half: no.")
                if cell.id.endswith("-test") and "NotImplementedError" in "".join(answers):
                    fail(cell, "AssertionError", "no answer yet.")
            if ran is not None:
                ran.append(name)
            done(name, [])

    return execute


def test_there_is_no_gradebook_while_pupils_code_runs(kit, monkeypatch):
    seen = []
    monkeypatch.setattr(running, "execute", run_by_hand(lambda name: seen.append([*(kit / "out").glob("*.db")])))
    table = graded(kit, "out")
    assert seen == [[]] * 3 and (kit / "out" / "gradebook.db").exists()
    assert table.loc["ada", ["double", "half"]].tolist() == [2, 3] and table.loc["bo", "half"] == 0
    assert table.loc["cy", "total"] == 0 and "cy.txt" in table.loc["cy", "what happened"]
    page = (kit / "out" / "class.html").read_text(encoding="utf-8")
    assert "half: no." in page and "3 of 3 pupils handed in" in page


@pytest.mark.parametrize("touched", ["kit/source/1_toy.py", "in/ada.ipynb", "before/gradebook.db"])
def test_nothing_is_graded_if_a_file_changed_that_must_not(kit, monkeypatch, touched):
    (kit / "before").mkdir()
    (kit / "before" / "gradebook.db").touch()

    def forge(name):
        with (kit / touched).open("a", encoding="utf-8") as file:
            file.write("#")

    monkeypatch.setattr(running, "execute", run_by_hand(forge))
    with pytest.raises(ValueError, match=f"something changed that they must not touch: .*{touched.split('/')[-1]}"):
        graded(kit, "out")
    assert not (kit / "out" / "gradebook.db").exists() and not (kit / "out" / "points.csv").exists()


@pytest.mark.parametrize("interrupted", [False, True])
def test_nothing_that_had_run_is_used_again_after_a_file_changed(kit, monkeypatch, interrupted):
    book, ran = kit / "before" / "gradebook.db", []
    book.parent.mkdir()
    book.touch()

    def forge(name):
        if name == "bo":
            book.write_text("forged", encoding="utf-8")
        if name == "cy" and interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "execute", run_by_hand(forge))
    with pytest.raises(KeyboardInterrupt if interrupted else ValueError):
        graded(kit, "out")
    monkeypatch.setattr(running, "execute", run_by_hand(ran=ran))
    if interrupted:
        with pytest.raises(ValueError, match="something changed that they must not touch: .*gradebook.db"):
            graded(kit, "out")
    book.write_text("", encoding="utf-8")
    graded(kit, "out")
    assert ran == ["ada", "bo", "cy"]


def test_an_interrupted_run_goes_on_and_refuses_other_submissions(kit, monkeypatch):
    def stop(name):
        if name == "bo":
            raise KeyboardInterrupt

    ran = []
    monkeypatch.setattr(running, "execute", run_by_hand(stop, ran))
    with pytest.raises(KeyboardInterrupt):
        graded(kit, "out")
    assert ran == ["ada"]
    monkeypatch.setattr(running, "execute", run_by_hand(ran=ran))
    (kit / "in" / "dora.txt").touch()
    with pytest.raises(ValueError, match="holds an unfinished run of other submissions or tests"):
        graded(kit, "out")
    (kit / "in" / "dora.txt").unlink()
    table = graded(kit, "out")
    assert ran == ["ada", "bo", "cy"] and table.loc[["ada", "bo"], "half"].tolist() == [3, 0]


def test_points_by_hand_are_carried_over_where_the_answer_is_the_same(kit, monkeypatch):
    monkeypatch.setattr(running, "execute", run_by_hand())
    graded(kit, "first")
    with Gradebook(NbgraderCourse(kit / "first", "1_toy").database) as gradebook:
        for pupil in ("ada", "bo"):
            grade = gradebook.find_grade("verdict", "1_toy", "1_toy", pupil)
            grade.manual_score, grade.needs_manual_grade = 3.5, False
            gradebook.find_comment("verdict", "1_toy", "1_toy", pupil).manual_comment = "Why?"
        gradebook.db.commit()
    later = answered(release(kit / "kit" / "source" / "1_toy.py"), verdict="Another answer.")
    nbformat.write(later, kit / "in" / "bo.ipynb")
    table = graded(kit, "second", earlier=kit / "first")
    assert table.loc["ada", "verdict"] == 3.5 and pd.isna(table.loc["bo", "verdict"])
    assert "verdict has another answer than when it was graded by hand" in table.loc["bo", "what happened"]
    assert "Why?" in (kit / "second" / "feedback" / "ada" / "1_toy" / "1_toy.html").read_text(encoding="utf-8")


def test_one_pupil_graded_anew_leaves_the_points_of_others_as_the_platform_has_them(kit, monkeypatch, capsys):
    monkeypatch.setattr(running, "execute", run_by_hand())
    (kit / "roster.csv").write_text("id,name\nada,A\nbo,B\nghost,G\ncy,C\n", encoding="utf-8")
    graded(kit, "first", roster=kit / "roster.csv")
    (kit / "in" / "ada.ipynb").unlink()
    (kit / "in" / "cy.txt").unlink()
    nbformat.write(answered(release(kit / "kit" / "source" / "1_toy.py")), kit / "in" / "bo.ipynb")
    table = graded(kit, "second", roster=kit / "roster.csv", earlier=kit / "first")
    canvas = read(kit / "second" / "canvas.csv", "SIS User ID")
    assert canvas["1_toy"].to_dict() == {"": "9", "ada": "", "bo": "5", "ghost": "0", "cy": ""}
    assert table.loc["ada", "what happened"] == "nothing was handed in; graded before: left as it was"
    assert table.loc[["ada", "bo", "ghost"], "total"].fillna(-1).tolist() == [-1, 5, 0]
    show(table)
    shown = capsys.readouterr().out
    assert "\nada" not in shown and "\nbo" in shown and "2 more were graded before: left as they were" in shown


def test_from_a_roster_to_the_platforms(kit, monkeypatch):
    monkeypatch.setattr(running, "execute", run_by_hand())
    rows = ["id,name,email", "NA,Ada L,ada@x.org", "b7,Bo,bo@x.org", "g1,Gus,gus@x.org", "c3,Cy,cy@x.org"]
    (kit / "roster.csv").write_text("\n".join(rows), encoding="utf-8")
    due = pd.Timestamp("2026-01-01").to_pydatetime()
    table = graded(kit, "out", roster=kit / "roster.csv", due=due)
    assert table.index.tolist() == ["NA", "b7", "g1", "c3"]
    assert table.loc["g1", "total"] == 0 and table.loc["g1", "what happened"] == "nothing was handed in"
    assert table.loc["NA", "days late"] > "0" and table.loc["g1", "days late"] == "0"
    canvas = read(kit / "out" / "canvas.csv", "SIS User ID")
    assert canvas["1_toy"].to_dict() == {"": "9", "NA": "", "b7": "2", "g1": "0", "c3": "0"}
    assert "half: no." in read(kit / "out" / "moodle.csv", "ID number").loc["b7", "Feedback comments"]
    assert report(kit / "out").equals(table)


def test_a_comment_names_the_exercise_whose_cell_broke_and_what_its_answer_said(kit, monkeypatch):
    def execute(notebooks, *, done, tests, jobs, limits):
        for name, notebook in notebooks.items():
            for cell in notebook.cells:
                if name == "bo" and cell.id == "half":
                    fail(cell, "SyntaxError", "expected ':' (1247631472.py, line 1)")
                if name == "bo" and cell.id == "half-test":
                    fail(cell, "NameError", "name 'half' is not defined")
                if name == "ada" and cell.id == "half-test":
                    fail(cell, "TimedOut", "longer than 30 s")
            done(name, [])

    monkeypatch.setattr(running, "execute", execute)
    graded(kit, "out")
    moodle = read(kit / "out" / "moodle.csv", "Full name")["Feedback comments"]
    assert moodle["bo"] == "half: SyntaxError: expected ':' (line 1)."
    assert moodle["ada"] == "half: TimedOut: longer than 30 s."
    assert (
        read(kit / "out" / "answers.csv", "pupil").loc["bo", "diagnosis"] == "half: SyntaxError: expected ':' (line 1)"
    )


def test_answers_are_written_for_tools_that_look_for_similar_ones_without_the_release(kit, monkeypatch):
    monkeypatch.setattr(running, "execute", run_by_hand())
    (kit / "in" / "bo.ipynb").rename(kit / "in" / "base.ipynb")  # a pupil may have any name
    graded(kit, "out")
    similar = kit / "out" / "similar"
    listed = read(similar / "info.csv", "full_name")["filename"]
    assert {"ada", "base"} <= set(listed.index)
    texts = {pupil: (similar / path).read_text(encoding="utf-8") for pupil, path in listed.items()}
    assert "def half(x):\n    return x" in texts["base"] and "NotImplementedError" not in texts["ada"]
    release_only = (similar / "base" / "answers.py").read_text(encoding="utf-8")
    assert "NotImplementedError" in release_only and "return x" not in release_only


def test_what_a_pupil_writes_neither_moves_a_cursor_nor_makes_a_row_nor_passes_for_absence(kit, monkeypatch, capsys):
    said = "the cell 'x': ValueError: \x1b[2J\u202enothing was handed in\nada: finished"

    def execute(notebooks, *, done, **options):
        for name in notebooks:
            for cell in notebooks[name].cells:
                if name == "bo" and cell.id == "half-test":
                    fail(cell, "ValueError", "\x1b]0;half\x07\x00\nno.")
            done(name, [said] if name == "bo" else [])

    monkeypatch.setattr(running, "execute", execute)
    (kit / "in" / "cy.txt").rename(kit / "in" / "=1+1\x1b[2J\ncy.txt")
    table = graded(kit, "out")
    show(table)
    printed, about = capsys.readouterr().out, pd.read_csv(kit / "out" / "happened.csv", index_col="pupil")
    assert "\x1b" not in printed and "\u202e" not in printed and "\nada: finished\n" in printed
    assert (
        printed.count("ada: finished") == 2
        and "nothing was handed in ada: finished" in about.loc["bo", "what happened"]
    )
    answers = (kit / "out" / "answers.csv").read_text(encoding="utf-8")
    assert "ValueError: \ufffd]0;half\ufffd\ufffd\nno." in answers
    assert about["name"].tolist()[0] == "1+1\ufffd[2J cy" and "\x1b" not in about.to_string()
    assert "3 of 3 pupils handed in; 0 did not" in (kit / "out" / "class.html").read_text(encoding="utf-8")
