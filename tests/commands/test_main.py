import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from gsnn_tutorial.__main__ import main
from gsnn_tutorial.study.published import PUBLISHED_ARMS as ARMS
from gsnn_tutorial.study.published import published_draw, published_log, published_table, replay, side_by_side
from gsnn_tutorial.study.run_folder import RunFolder

COLUMNS = [
    "test_mse_final", "cos_within", "cos_cross", "cos_gap", "ari",
    "lin_in_norm_true", "lin_in_norm_spurious", "norm_ratio_true_over_spurious",
]  # fmt: skip


# The published pieces


def test_the_published_draw_is_the_reference_data_bit_for_bit(golden):
    draw = published_draw()
    for name in ("x_train", "y_train", "x_test", "y_test"):
        assert torch.equal(getattr(draw, name), golden[name]), name
    assert torch.equal(draw.shuffled, golden["M_shuffled"])
    assert torch.equal(draw.graph.membership(), golden["M_true"])


def test_the_published_table_holds_the_printed_figures():
    table = published_table()
    assert tuple(table.index) == ARMS and list(table.columns) == COLUMNS
    assert table["test_mse_final"].tolist() == [0.4959, 0.4416, 0.4427]
    np.testing.assert_allclose(table["cos_gap"], table["cos_within"] - table["cos_cross"], atol=1.5e-4)
    ratio = table["lin_in_norm_true"] / table["lin_in_norm_spurious"]
    np.testing.assert_allclose(table["norm_ratio_true_over_spurious"], ratio, atol=2e-4)


def test_the_published_log_holds_every_25th_epoch_of_each_arm(golden_trajectories):
    log = published_log()
    assert set(log["arm"]) == set(ARMS)
    for _, lines in log.groupby("arm"):
        assert lines["epoch"].tolist() == [*range(0, 500, 25), 499]
    baseline = log.query("arm == 'baseline' and epoch <= 100")
    reference = golden_trajectories["baseline_test"][baseline["epoch"].tolist()]
    np.testing.assert_allclose(baseline["test_mse"], reference, atol=2e-4)
    assert (log.query("arm == 'baseline'")["L_sim"] == 0).all() and (log.query("arm != 'baseline'")["L_sim"] < 0).all()


def test_a_short_replay_trains_the_three_arms_from_one_start_and_fills_the_table():
    run = replay(epochs=6, progress=False)
    assert tuple(run.models) == tuple(run.histories) == tuple(run.table.index) == ARMS
    assert (
        list(run.table.columns) == [*COLUMNS, "cka_within", "cka_cross", "cka_gap", "cka_ari"]
        and np.isfinite(run.table.to_numpy()).all()
    )
    assert len({round(history.train_mse[0], 6) for history in run.histories.values()}) == 1
    for arm, history in run.histories.items():
        printed = published_log().query("epoch == 0").set_index("arm").loc[arm]
        assert history.train_mse[0] == pytest.approx(printed["train_mse"], abs=1e-4)
        assert history.L_sim[0] == pytest.approx(printed["L_sim"], abs=6e-5)
        assert run.table.loc[arm, "test_mse_final"] == pytest.approx(np.mean(history.test_mse[-5:]))
        assert not any(module._forward_hooks for module in run.models[arm].modules())


def test_side_by_side_puts_published_and_own_figures_of_each_arm_beside_each_other():
    ours = published_table().loc[["baseline"]] + 1
    both = side_by_side(ours.assign(cka_gap=0.5))
    assert both.index.tolist() == [(arm, source) for arm in ARMS for source in ("published", "ours")]
    assert both.loc[("baseline", "ours"), "ari"] == both.loc[("baseline", "published"), "ari"] + 1
    assert np.isnan(both.loc[("baseline", "published"), "cka_gap"]) and both.loc[("control", "ours")].isna().all()


# The command line


def test_help_names_the_command_and_its_options(capsys):
    words = {("--help",): ["compare"], ("compare", "--help"): ["--published", "--output", "--device"]}
    for arguments, expected in words.items():
        with pytest.raises(SystemExit) as stopped:
            main(list(arguments))
        assert stopped.value.code == 0
        text = capsys.readouterr().out
        assert all(word in text for word in expected)


def test_the_parser_needs_nothing_that_takes_long_to_import():
    code = (
        "import sys, gsnn_tutorial; before = set(sys.modules); import gsnn_tutorial.__main__ as m; m.parser(); "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)));"
        "print(*sorted(name for name in set(sys.modules) - before if name.startswith('gsnn_tutorial')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    packages, own = done.stdout.splitlines()
    assert packages.split() == ["gsnn_course", "gsnn_tutorial"]
    assert all(name.startswith(("gsnn_tutorial.__main__", "gsnn_tutorial.commands")) for name in own.split())


def test_a_device_that_torch_has_not_ends_with_2_and_names_it(capsys, tmp_path):
    assert main(["compare", "--published", "--device", "nonesuch", "--output", str(tmp_path / "run")]) == 2
    message = capsys.readouterr().err
    assert "device" in message and "'nonesuch'" in message and "'cpu'" in message
    assert not (tmp_path / "run").exists()


def test_an_output_that_is_a_file_ends_with_2_and_names_it(capsys, tmp_path):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    assert main(["compare", "--published", "--output", str(tmp_path / "taken")]) == 2
    assert "output must be a folder" in capsys.readouterr().err
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_an_unknown_option_ends_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--published", "--sideways"])
    assert stopped.value.code == 2 and "--sideways" in capsys.readouterr().err


@pytest.mark.slow
def test_compare_published_prints_both_tables_and_fills_a_folder(tmp_path):
    folder = tmp_path / "deep" / "run"
    command = [sys.executable, "-m", "gsnn_tutorial", "compare", "--published", "--output", str(folder)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for column in COLUMNS:
        assert column in done.stdout
    for figure in published_table().to_numpy().flatten():
        assert f"{figure:.4f}" in done.stdout
    assert "published" in done.stdout and "ours" in done.stdout and str(folder) in done.stdout
    assert "100%" in done.stderr

    figures = {path.stem for path in folder.glob("*.png")}
    assert figures >= {"graph", "training", "table", "similarity"}
    assert figures == {path.stem for path in folder.glob("*.svg")}
    assert all(path.stat().st_size > 1000 for path in folder.iterdir() if path.suffix in (".png", ".svg"))

    table = pd.read_csv(folder / "table.csv", index_col=["arm", "source"])
    assert table.loc[("control", "published"), "cos_gap"] == -0.0440
    assert table.xs("ours", level="source").notna().all(axis=None)
    for figure in table.xs("ours", level="source")["test_mse_final"]:
        assert f"{figure:.4f}" in done.stdout
    assert len(pd.read_csv(folder / "history.csv")) == 1500

    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert {"command", "settings", "finished", "versions", "device", "wall_seconds"} <= set(run)
    assert run["finished"] is True and run["settings"]["epochs"] == 500 and run["settings"]["lr"] == 5e-3
    assert run["versions"]["torch"] == torch.__version__ and run["wall_seconds"] > 0 and "cpu" in run["device"]


def test_a_table_with_two_index_levels_keeps_both_in_its_csv(tmp_path):
    index = pd.MultiIndex.from_tuples([(0, "a")], names=["epoch", "arm"])
    RunFolder(tmp_path, {}, "cpu").table("history", pd.DataFrame({"x": [1.0]}, index=index))
    assert list(pd.read_csv(tmp_path / "history.csv").columns) == ["epoch", "arm", "x"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_replay_runs_on_cuda():
    assert replay(epochs=2, device="cuda", progress=False).table.notna().all(axis=None)


def test_the_replay_is_the_same_on_any_number_of_threads():
    threads = torch.get_num_threads()
    try:
        tables = []
        for count in (1, 2):
            torch.set_num_threads(count)
            tables.append(replay(epochs=8, progress=False).table)
            assert torch.get_num_threads() == count
        pd.testing.assert_frame_equal(*tables, check_exact=True)
    finally:
        torch.set_num_threads(threads)
