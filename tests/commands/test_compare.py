"""``compare`` over paired seeds: what it prints, what it leaves behind, and how it says that it could not."""

import functools
import json
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from gsnn_tutorial import Problem
from gsnn_tutorial.__main__ import main
from gsnn_tutorial.commands.compare import compare_arms
from gsnn_tutorial.study import blocks, paired
from gsnn_tutorial.study.arms import USUAL_ARMS
from gsnn_tutorial.study.metrics import USUAL_METRICS
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.run_folder import RunFolder
from gsnn_tutorial.study.tuning import Tuning
from gsnn_tutorial.study.verdicts import verdict

SMALL = ["--seeds", "6", "--epochs", "4", "--samples", "40", "--pathways", "3", "--spurious", "4"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "run"
    assert main(["compare", *SMALL, "--output", str(folder)]) == 0
    return folder


def test_the_folder_holds_rows_summary_figures_and_settings(finished):
    names = {path.name for path in finished.iterdir()}
    assert names == {"study.csv", "study.csv.json", "summary.csv", "run.json"} | {
        f"{n}.{s}" for n in ("arms", "forest") for s in ("png", "svg")
    }
    rows = pd.read_csv(finished / "study.csv")
    assert len(rows) == 6 * len(USUAL_ARMS)
    run = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    assert run["finished"] and run["wall_seconds"] > 0
    assert run["settings"]["problem"]["K"] == 3 and run["settings"]["recipe"]["epochs"] == 4
    assert run["settings"]["seeds"] == list(range(6))
    assert {"python", "torch", "numpy"} <= set(run["versions"]) and "device" in run


def test_tuned_arms_choose_for_themselves_and_their_learning_curves_are_drawn(tmp_path):
    small = ["--seeds", "2", "--samples", "24", "--pathways", "2", "--chain", "2", "--spurious", "2", "--channels", "2"]
    assert main(["compare", "--tuned", *small, "--output", str(tmp_path)]) == 0
    assert {"learning_curves.png", "study.csv", "run.json"} <= {path.name for path in tmp_path.iterdir()}
    table = pd.read_csv(tmp_path / "study.csv")
    chosen = table[table["arm"] != "untrained"]
    assert chosen["epoch"].isin(Tuning().epochs).all() and set(chosen["lambda_sim"]) <= {0.1, 0.3, 1.0}
    run = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert run["settings"]["tuning"]["folds"] == Tuning().folds


def test_the_verdicts_follow_from_the_summary_that_is_written(finished):
    run = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    summary = pd.read_csv(finished / "summary.csv")
    assert run["verdicts"] == {metric: verdict(summary, metric).splitlines()[0] for metric in USUAL_METRICS}


def test_the_command_prints_means_intervals_and_verdicts(tmp_path, capsys):
    assert main(["compare", *SMALL, "--first-seed", "7", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    words = ("untrained", "oracle", "Paired differences over 6 seeds", "test MSE:", "regularized - shuffled control")
    assert [each for each in words if each not in printed] == []
    assert "shuffled control" in printed.splitlines()[0] and printed.splitlines()[2].startswith("test MSE ")
    assert sorted(set(pd.read_csv(tmp_path / "study.csv")["seed"])) == list(range(7, 13))


def test_an_interrupted_comparison_keeps_the_finished_seeds(tmp_path, monkeypatch):
    real = paired.train_block

    def interrupted(stop, problem, arms, seeds, *rest):
        if 3 in seeds:
            raise KeyboardInterrupt
        return real(stop, problem, arms, seeds, *rest)

    monkeypatch.setattr(paired, "train_block", interrupted)
    monkeypatch.setattr(paired, "seeds_per_block", lambda *_: 1)
    monkeypatch.setattr(blocks, "cpu_count", lambda: 1)
    with pytest.warns(UserWarning, match="3 finished seeds of 6"):
        assert main(["compare", *SMALL, "--output", str(tmp_path)]) == 130
    assert sorted(set(pd.read_csv(tmp_path / "study.csv")["seed"])) == [0, 1, 2]
    assert not json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["finished"]


def test_a_problem_without_spurious_edges_is_compared_too(tmp_path):
    problem = Problem(K=2, n_spurious=0, n_train=40, n_test=20)
    assert compare_arms(tmp_path, problem, range(6), Recipe(epochs=2), progress=False)
    assert "norm_ratio_true_over_spurious" not in set(pd.read_csv(tmp_path / "summary.csv")["metric"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "1"], "seeds must be at least 2"),
        (["--lambda", "-1"], "lambda_sim"),
        (["--layers", "2"], "layers must be at least 3"),
        (["--spurious", "1000"], "n_spurious must be at most"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_a_bad_option_ends_with_its_name_and_code_2(arguments, words, tmp_path, capsys):
    assert main(["compare", *arguments, "--output", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_arm_that_diverges_everywhere_does_not_take_the_report_with_it(tmp_path):
    assert main(["compare", *SMALL, "--lambda", "1e6", "--epochs", "3", "--output", str(tmp_path)]) == 0
    assert (tmp_path / "summary.csv").exists()
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["finished"]


def test_results_of_an_earlier_run_do_not_stay_in_the_folder(tmp_path):
    folder = RunFolder(tmp_path, {}, "cpu")
    folder.table("old", pd.DataFrame({"x": [1]}))
    folder.finish()
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    RunFolder(tmp_path, {}, "cpu").finish()
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", "run.json"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_an_interrupt_ends_the_command_cleanly_with_threads_at_work(tmp_path):
    arguments = [sys.executable, "-m", "gsnn_tutorial", "compare", "--seeds", "60", "--output", str(tmp_path)]
    listen = functools.partial(
        signal.signal, signal.SIGINT, signal.SIG_DFL
    )  # a job in the background inherits deafness
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, encoding="utf-8", preexec_fn=listen) as running:
        try:
            while not (tmp_path / "study.csv").exists() and running.poll() is None:
                time.sleep(0.2)
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130, errors
    assert len(pd.read_csv(tmp_path / "study.csv")) % len(USUAL_ARMS) == 0
    assert not json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["finished"]
