"""The file of a study: whole rows only, of one study only, written by one only; and nothing finished is lost."""

import json
import signal
import subprocess
import sys

import pandas as pd
import pytest

from gsnn_tutorial import Problem
from gsnn_tutorial.study import paired
from gsnn_tutorial.study.files import UnusableFile
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.table import TableFile, settings_file

SMALL, SHORT, ARMS = Problem(n_train=16, n_test=16), Recipe(epochs=1), ["baseline", "control"]
NAMES = ["seed", "arm", "diverged", "value"]
ROWS = [{"seed": seed, "arm": arm, "diverged": False, "value": seed + 1 / 3 + 1e-9} for seed in (5, 3) for arm in "ab"]


def run(seeds, problem=SMALL, recipe=SHORT, **options):
    return paired_study(problem, ARMS, seeds, recipe=recipe, measures="cka", progress=False, **options)


def whole(path, settings=None):
    """A file with all of ``ROWS``, and its text."""
    file = TableFile(path, NAMES, settings)
    file.start()
    file.add(ROWS)
    return path.read_text(encoding="utf-8")


def resumed(path, settings=None, arms="ab", seeds=(5, 3)):
    file = TableFile(path, NAMES, settings)
    file.resume(list(arms), list(seeds))
    return file


# Whole rows


def test_a_file_that_was_cut_anywhere_is_gone_on_with_from_its_whole_seeds(tmp_path):
    path = tmp_path / "table.csv"
    text = whole(path)
    lines = text.splitlines(keepends=True)
    for cut in range(len(lines[0]), len(text)):
        path.write_text(text[:cut], encoding="utf-8")
        complete = [seed for k, seed in ((3, 5), (5, 3)) if cut >= len("".join(lines[:k]))]
        assert resumed(path).rows == [row for row in ROWS if row["seed"] in complete], cut


def test_a_last_line_that_lacks_fields_does_not_count_though_it_ends(tmp_path):
    path = tmp_path / "table.csv"
    text = whole(path)
    path.write_text(text + "7,a,False\n", encoding="utf-8")
    assert resumed(path).rows == ROWS


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda text: "", "is empty or cut in its first line"),
        (lambda text: text[:9], "is empty or cut in its first line"),
        (lambda text: "garbage\n" * 3, "is of a study of other arms or metrics"),
        (lambda text: text.replace("3,a,False,", "3,a,"), "line 4 of .* has 3 values, and its first line names 4"),
        (lambda text: text + "7,a,False,1.0,2.0\n", "line 6 of .* has 5 values"),
        (lambda text: text.replace("5,a,False,5.3", "5,a,False,x.3"), "has no numbers in the column value"),
        (lambda text: text.replace("5,a", "5.5,a"), "has no numbers in the column seed"),
        (lambda text: text.replace("5,a", ",a"), "has no numbers in the column seed"),
        (lambda text: text + text.splitlines()[1] + "\n", "has the arm a of seed 5 twice"),
        (lambda text: b"\xff\xfe" + text.encode(), "is no table of text"),
    ],
)
def test_a_file_that_no_study_wrote_is_named_with_the_remedy_and_stays(change, words, tmp_path):
    path = tmp_path / "table.csv"
    changed = change(whole(path))
    changed = changed if isinstance(changed, bytes) else changed.encode()
    path.write_bytes(changed)
    with pytest.raises(UnusableFile, match=words) as caught:
        resumed(path)
    assert str(path) in str(caught.value) and str(caught.value).endswith("give another output, or remove it")
    assert path.read_bytes() == changed


# Of one study


def test_seeds_that_are_not_asked_for_stay_in_the_file_and_out_of_the_table(tmp_path):
    path = tmp_path / "study.csv"
    before = run([0, 1, 2], output=path)
    table = run([2, 7], output=path, resume=True)
    assert sorted(set(table["seed"])) == [2, 7]
    assert set(pd.read_csv(path)["seed"]) == {0, 1, 2, 7}
    pd.testing.assert_frame_equal(run([0, 1, 2], output=path, resume=True), before, check_exact=True)


def test_a_seed_that_is_not_asked_for_stays_unfinished_as_it_is(tmp_path):
    path = tmp_path / "table.csv"
    whole(path)
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    file = resumed(path, seeds=[5])
    file.start()
    assert [(row["seed"], row["arm"]) for row in file.rows] == [(5, "a"), (5, "b"), (3, "a")]
    assert resumed(path, seeds=[5, 3]).seeds == {5}  # asked for, it is computed anew


@pytest.mark.parametrize(
    "other, words",
    [
        ({"problem": Problem(n_train=17, n_test=16)}, "problem.n_train = 16 and not 17"),
        ({"recipe": Recipe(epochs=2)}, "recipe.epochs = 1 and not 2"),
        ({"recipe": Recipe(epochs=1, lambda_sim=0.1)}, "recipe.lambda_sim = 1.0 and not 0.1"),
    ],
)
def test_a_study_of_another_problem_or_recipe_is_not_gone_on_with(other, words, tmp_path):
    path = tmp_path / "study.csv"
    run([0], output=path)
    before = [path.read_bytes(), settings_file(path).read_bytes()]
    with pytest.raises(UnusableFile, match=f"another problem or recipe, with {words}; give another output"):
        run([0, 1], **other, output=path, resume=True)
    assert [path.read_bytes(), settings_file(path).read_bytes()] == before
    run([0], **other, output=path)  # without resume it is another study from now on
    assert len(run([0, 1], **other, output=path, resume=True)) == 4


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"problem": 3, "recipe": {}}'])
def test_a_table_of_which_it_is_not_said_what_it_is_of_is_not_gone_on_with(content, tmp_path):
    path = tmp_path / "study.csv"
    run([0], output=path)
    settings_file(path).unlink() if content is None else settings_file(path).write_text(content, encoding="utf-8")
    with pytest.raises(UnusableFile, match=r"study\.csv\.json"):
        run([0, 1], output=path, resume=True)
    assert len(pd.read_csv(path)) == 2


def test_a_study_says_what_it_is_of_in_a_file_that_anyone_can_read(tmp_path):
    run([0], output=tmp_path / "study.csv")
    said = json.loads((tmp_path / "study.csv.json").read_text(encoding="utf-8"))
    assert said["problem"]["n_train"] == 16 and said["recipe"]["epochs"] == 1
    assert {path.name for path in tmp_path.iterdir()} == {"study.csv", "study.csv.json"}


# Checked first, written by one


@pytest.mark.parametrize(
    "bad", [{"recipe": Recipe(layers=1)}, {"device": "abacus"}, {"block": 0}, {"n_jobs": 0}, {"seeds": [-1]}]
)
def test_a_bad_argument_leaves_an_older_file_as_it_was(bad, tmp_path):
    path = tmp_path / "study.csv"
    run([0], output=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="layers|device|block|n_jobs|seeds"):
        run(**{"seeds": [1], "output": path} | bad)
    assert path.read_bytes() == before


def test_an_output_in_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UnusableFile, match="output must be a file in a folder that exists, got .*study.csv"):
        run([0], output=tmp_path / "none" / "study.csv")


STUDY = """
import sys, time
from gsnn_tutorial import Problem
from gsnn_tutorial.study import paired
from gsnn_tutorial.study.recipe import Recipe

real = paired.train_block
def slow(stop, problem, arms, seeds, *rest):
    if 2 in seeds:
        print("ready", flush=True)
        time.sleep(300)
    return real(stop, problem, arms, seeds, *rest)
paired.train_block = slow
paired.paired_study(
    Problem(n_train=16, n_test=16), ["baseline", "control"], [0, 1, 2, 3], recipe=Recipe(epochs=1), measures="cka",
    progress=False, output=sys.argv[1], block=1, n_jobs=1,
)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_study_that_is_being_written_is_nobody_elses_and_killed_it_is_gone_on_with(tmp_path, monkeypatch):
    path, computed, real = tmp_path / "study.csv", [], paired.train_block
    command = [sys.executable, "-c", STUDY, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as running:
        try:
            assert running.stdout.readline() == "ready\n"
            for resume in (True, False):
                with pytest.raises(UnusableFile, match=r"study\.csv is being written by another run"):
                    run([0], output=path, resume=resume)
        finally:
            running.send_signal(signal.SIGKILL)
    monkeypatch.setattr(paired, "train_block", lambda *given: computed.extend(given[3]) or real(*given))
    table = run([0, 1, 2, 3], output=path, resume=True, block=1, n_jobs=1)
    assert computed == [2, 3]
    monkeypatch.undo()
    pd.testing.assert_frame_equal(table, run([0, 1, 2, 3]), check_exact=True)
