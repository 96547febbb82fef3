"""A class as platforms give it and take it back: who handed in what, rosters, tables for import, pages."""

import os
import zipfile

import pandas as pd
import pytest

from gsnn_course import pages, release
from gsnn_course.arrivals import arrivals
from gsnn_course.roster import match, read_roster, write_exports, write_feedback


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()


def test_a_class_is_a_folder_with_a_folder_or_a_notebook_for_each_pupil(tmp_path):
    touch(tmp_path, "Ada L. [late]/1_toy.ipynb", "Ada L. [late]/scratch.ipynb", "two/a.ipynb", "two/b.ipynb")
    touch(tmp_path, "only/my.ipynb", "bo.ipynb", "readme.txt")
    (tmp_path / "empty").mkdir()
    found = arrived(tmp_path)
    assert {pupil: arrival.path and arrival.path.name for pupil, arrival in found.items()} == {
        "Ada_L_late_": "1_toy.ipynb", "two": None, "only": "my.ipynb", "empty": None, "bo": "bo.ipynb", "readme": None,
    }  # fmt: skip
    assert "readme.txt" in found["readme"].notes[0]
    assert found["Ada_L_late_"].notes == ["1_toy.ipynb was read, and not scratch.ipynb: look at it"]
    assert found["only"].notes == []


def test_a_text_that_came_beside_a_notebook_is_told_of_and_nbgraders_time_is_not(tmp_path):
    moodle = "Ada L_101_assignsubmission"
    touch(tmp_path, f"{moodle}_file/a.ipynb", f"{moodle}_onlinetext/onlinetext.html")
    touch(tmp_path, "bo/1_toy.ipynb", "bo/timestamp.txt")
    found = arrived(tmp_path)
    assert found["Ada_L"].notes == ["a.ipynb was read, and not onlinetext.html: look at it"]
    assert found["bo"].notes == []


def arrived(folder, where=None):
    return {arrival.pupil: arrival for arrival in arrivals(folder, "1_toy", where or folder.parent / "unpacked")}


def test_no_pupil_and_no_folder_are_refused_and_two_of_one_name_are_two(tmp_path):
    (folder := tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="submissions must hold a folder or a notebook for each pupil"):
        arrived(folder)
    with pytest.raises(ValueError, match="submissions must be a folder or a zip, got"):
        arrived(tmp_path / "nowhere")
    (folder / "a b").mkdir()
    touch(folder, "a_b.ipynb")
    assert {pupil: arrival.path and arrival.path.name for pupil, arrival in arrived(folder).items()} == {
        "a_b": None, "a_b_2": "a_b.ipynb"
    }  # fmt: skip


def test_what_platforms_give_is_understood_and_every_file_has_a_row(tmp_path):
    folder = tmp_path / "in"
    touch(folder, "Ada Lovelace_101_assignsubmission_file_/1_toy.ipynb", "byronlord_LATE_77_12_1_toy.ipynb")
    touch(folder, "cy+1_toy+2026-03-01 10:00:00 UTC+x/1_toy.ipynb", "_anna.ipynb", "up.IPYNB", "NA.ipynb", "script.py")
    touch(folder, "Zoe\u0308 \U0001f600.ipynb")
    (folder / "thief.ipynb").symlink_to(folder / "up.IPYNB")
    with zipfile.ZipFile(folder / "z.zip", "w") as packed:
        packed.writestr("deep/1_toy.ipynb", "{}")
    found = arrived(folder)
    assert {pupil for pupil, arrival in found.items() if arrival.path is None} == {"thief"}
    assert set(found) == {
        "Ada_Lovelace", "byronlord", "_anna", "cy", "up", "NA", "script", "Zo\u00eb_\U0001f600", "thief", "z"
    }  # fmt: skip
    assert found["thief"].notes[0] == "thief.ipynb is a link, which is not followed"
    assert found["byronlord"].notes == ["the platform says late"] and found["cy"].time.hour == 10
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for path in sorted(folder.rglob("*.ipynb")):
            packed.write(path, path.relative_to(folder))
    assert {"up", "_anna"} & set(arrived(tmp_path / "all.zip", tmp_path / "other")) == {"_anna"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
def test_a_pipe_is_not_waited_for_and_the_class_is_read_without_it(tmp_path):
    (tmp_path / "in" / "bo").mkdir(parents=True)
    os.mkfifo(tmp_path / "in" / "ada.ipynb")
    os.mkfifo(tmp_path / "in" / "bo" / "more.ipynb")
    (tmp_path / "in" / "bo" / "1_toy.ipynb").touch()
    found = arrived(tmp_path / "in")
    assert found["ada"].path is None and found["bo"].path.name == "1_toy.ipynb"
    assert found["ada"].notes[0] == "ada.ipynb is neither a file nor a folder: not read"
    assert found["bo"].notes == ["more.ipynb is neither a file nor a folder: not read"]


def test_a_roster_gives_a_row_to_no_shows_and_is_refused_with_two_of_one_id(tmp_path):
    (folder := tmp_path / "in").mkdir()
    for name in ("Ada Lovelace_101_assignsubmission_file_1_toy.ipynb", "bo.ipynb", "stranger.ipynb"):
        (folder / name).touch()
    text = "\ufeffUser;ID number;Full name;Email address\r\n1;NA;Ada Lovelace;al@x.org\r\n2;b7;Bo;bo@x.org\r\n3;null;Cy;c@x\r\n"  # noqa: E501
    (tmp_path / "roster.csv").write_bytes(text.encode("utf-16"))
    rows = match([*arrived(folder).values()], read_roster(tmp_path / "roster.csv"))
    assert [(row.pupil, row.path and row.path.name[:3]) for row in rows] == [
        ("NA", "Ada"), ("b7", "bo."), ("null", None), ("stranger", "str")
    ]  # fmt: skip
    assert rows[2].notes == ["nothing was handed in"] and "not on the roster: look at it" in rows[3].notes
    (tmp_path / "roster.csv").write_text("id,name\na,x\na,y\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 3: the id 'a' is there twice"):
        read_roster(tmp_path / "roster.csv")


def test_points_go_back_to_canvas_in_its_own_columns_and_half_a_total_stays_blank(tmp_path):
    text = 'Student,ID,SIS User ID,SIS Login ID,Section,1_toy (99)\n    Points Possible,,,,,9\n"L, Ada",7,a1,ada,S,\nBo,8,b1,bo,S,\n'  # noqa: E501
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    table = pd.DataFrame({"id": ["a1", "b1"], "name": ["L, Ada", "Bo"], "email": ["", ""], "total": [5.5, 2.0],
                          "of": 9, "waits": [False, True], "comment": ""}, index=["a1", "b1"])  # fmt: skip
    write_exports(read_roster(tmp_path / "roster.csv"), table, tmp_path, "1_toy")
    lines = (tmp_path / "canvas.csv").read_text(encoding="utf-8").splitlines()
    assert lines == ["Student,ID,SIS User ID,SIS Login ID,Section,1_toy (99)", "    Points Possible,,,,,9",
                     '"L, Ada",7,a1,ada,S,5.5', "Bo,8,b1,bo,S,"]  # fmt: skip


def test_feedback_goes_back_to_moodle_in_folders_that_it_knows_pupils_by(tmp_path):
    text = "Identifier,Full name,Email address,Grade\nParticipant 101,Zo\u00eb O'B_1/2,zoe@x.org,\n"
    text += "Participant 102,Gus,gus@x.org,\n"
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    page = tmp_path / "feedback" / "zoe" / "1_toy" / "1_toy.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>Half right.</p>", encoding="utf-8")
    write_feedback(read_roster(tmp_path / "roster.csv"), ["zoe", "gus", "stranger"], tmp_path, "1_toy")
    with zipfile.ZipFile(tmp_path / "feedback.zip") as packed:
        assert packed.namelist() == ["Zo\u00eb O'B 1 2_101_assignsubmission_file_/1_toy.html"]
        assert packed.read(packed.namelist()[0]) == b"<p>Half right.</p>"
    (tmp_path / "feedback.zip").unlink()
    (tmp_path / "roster.csv").write_text("id,name\nzoe,Zoe\n", encoding="utf-8")
    write_feedback(read_roster(tmp_path / "roster.csv"), ["zoe"], tmp_path, "1_toy")
    assert not (tmp_path / "feedback.zip").exists()  # nobody's number is known


def test_a_formula_needs_no_network_and_code_is_left_alone():
    page = '<head></head><script src="https://x.org/mathjax.js"></script><p>$a_1$ costs $5</p><pre>$b$</pre>'
    shown = pages.offline(page)
    assert "<math" in shown and "https://x" not in shown and "<pre>$b$</pre>" in shown and "max-width" in shown


def test_a_feedback_page_lets_no_script_run_before_it_shows_what_a_pupil_wrote():
    page = pages.offline("<html><head><title>x</title></head><p><script>steal()</script><img src=x onerror='steal()'>")
    policy = page.split("Content-Security-Policy")[1].split(">")[0]
    assert page.startswith("<html><head><meta http-equiv") and "script-src" not in policy
    assert "default-src 'none'" in policy and "img-src data:;" in policy


def test_the_class_page_counts_who_was_there_and_what_went_wrong_most():
    table = pd.DataFrame({"half": [0.0, 3.0, 0.0], "total": [0.0, 3.0, 0.0], "of": 3}, index=["a", "b", "ghost"])
    answers = pd.DataFrame({"pupil": ["a"], "cell": ["half"], "points": [0], "of": [3], "diagnosis": ["x < y"]})
    absent = pd.Series([False, False, True], index=table.index)
    page = pages.class_page("1_toy", table, answers, {"half": 3}, absent)
    assert "2 of 3 pupils handed in; 1 did not. Points: median 1.5, from 0 to 3, of 3." in page
    assert '<td>half<td><meter value="0.500"></meter><td>50%' in page and "<td>1<td>half<td>x &lt; y" in page


def test_each_pupil_has_a_seed_of_their_own_which_stays():
    assert release.own_seed(2027, "ada") == release.own_seed(2027, "ada")
    assert len({release.own_seed(year, pupil) for year in (2027, 2028) for pupil in ("ada", "bo")}) == 4
