"""python -m gsnn_tutorial mine: from files to a verdict, with nothing old destroyed and an interrupted run resumed."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from gsnn_tutorial.__main__ import main
from gsnn_tutorial.commands.mine import run_mine
from gsnn_tutorial.study.own.example import write_example
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.recipe import OWN_RECIPE

QUICK = replace(OWN_RECIPE, channels=2, layers=3, epochs=1)


def run(paths, folder, **changed):
    return run_mine(**paths, output=folder, recipe=QUICK, progress=False, **{"splits": 2, "tune": False} | changed)


def test_the_example_runs_from_files_to_a_verdict(tmp_path, capsys):
    assert main(["mine", "--example", str(tmp_path / "files")]) == 0
    assert "mine --table" in capsys.readouterr().out
    paths = [
        f"--{kind}={tmp_path / 'files' / name}"
        for kind, name in {
            "table": "table.csv",
            "network": "network.csv",
            "sets": "sets.gmt",
            "columns": "columns.csv",
        }.items()
    ]
    rest = ["--splits=2", "--epochs=1", "--layers=5", f"--output={tmp_path / 'run'}"]
    assert main(["mine", *paths, *rest]) == 0
    said = capsys.readouterr().out
    assert "can't tell whether the prior helps" in said and "Held-out error: GSNN" in said
    assert "80 trainings: 2 splits x 4 arms x (3 settings x 3 folds + 1); --untuned takes 8" in said
    assert "The rule gives no verdict for fewer than 12 splits." in said
    assert "Every GSNN chose by the same rule, from 3 settings and 1 numbers of" in said
    assert "leave-one-out: lambda_sim" in said and "No GSNN was tuned" not in said
    written = {path.name for path in (tmp_path / "run").iterdir()}
    listed = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["files"]
    assert set(listed) | {"run.json"} == written
    assert {
        "network_used.csv",
        "sets_used.csv",
        "table_used.csv",
        "report.txt",
        "network.png",
        "verdict.txt",
    } <= written


def test_a_bad_file_destroys_nothing_and_ends_in_one_line(tmp_path, capsys):
    paths = write_example(tmp_path / "files")
    run(paths, tmp_path / "run", splits=0)
    before = sorted(path.name for path in (tmp_path / "run").iterdir())
    paths["network"].write_text("source;target\na;b\n", encoding="utf-8")
    options = [f"--{name}={path}" for name, path in paths.items()]
    assert main(["mine", *options, f"--output={tmp_path / 'run'}"]) == 2
    assert "line 1: no comma in it" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == before
    assert main(["mine"]) == 2 and "--table FILE is missing" in capsys.readouterr().err


def test_an_interrupted_run_goes_on_and_one_of_other_files_does_not(tmp_path):
    paths, seen = write_example(tmp_path / "files"), []

    def interrupted(problem, seeds, resume, **rest):
        seen.append(resume)
        return paired_study(problem, seeds=seeds[:1], resume=resume, **rest)  # as a study returns that is interrupted

    assert not run(paths, tmp_path / "run", study=interrupted)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(ValueError, match="unfinished run of the same files and settings; .* with tuning.folds"):
        run(paths, tmp_path / "run", tune=True, study=interrupted)
    with pytest.raises(ValueError, match="unfinished run of the same files and settings; .* with problem.data"):
        run(write_example(tmp_path / "others", seed=1), tmp_path / "run", study=interrupted)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert not run(paths, tmp_path / "run", study=interrupted)
    assert run(paths, tmp_path / "run") and seen == [False, True]
    assert len(pd.read_csv(tmp_path / "run" / "splits.csv")) == 2 * 6


def test_untuned_says_so_and_a_strength_is_for_it_alone(tmp_path, capsys):
    paths = write_example(tmp_path / "files")
    options = [f"--{name}={path}" for name, path in paths.items()]
    more = ["--splits=1", "--epochs=1", f"--output={tmp_path / 'run'}"]
    assert main(["mine", *options, *more, "--lambda-sim=0.5"]) == 2
    assert "--lambda-sim is for --untuned" in capsys.readouterr().err
    assert main(["mine", *options, *more, "--lambda-sim=0.5", "--untuned"]) == 0
    said = capsys.readouterr().out
    assert "4 trainings: 1 splits x 4 arms, none of them tuned" in said and "No GSNN was tuned" in said
