"""The table of fast paths: each run takes the path that it is timed by, and computes the same. No test of a time."""

import pandas as pd
import pytest
import torch

from benchmarks import fast_paths as table
from benchmarks.command import run_bench
from benchmarks.in_words import fast_paths_in_words
from benchmarks.sizes import QUICK, Sizes
from gsnn_tutorial import Problem, kernels
from gsnn_tutorial.kernels import maps
from gsnn_tutorial.study.speed import random_model

TINY = Sizes(problem=Problem(n_train=8, n_test=8), map_nodes=50, map_edges=200, union=2, repeats=1)
RUNS = {
    "sparse_product": lambda: table.sparse_map(TINY, 7, "cpu"),
    "channel_norm": lambda: table.norm_elu(random_model(20, 60), 7),
    "activated": lambda: table.norm_elu(random_model(20, 60), 7),
    "add_residual": lambda: table.residual(random_model(20, 60), 7),
    "node_scores": lambda: table.learned_score(random_model(20, 60), 7),
}


@pytest.mark.parametrize("kernel", RUNS)
def test_a_run_takes_its_fast_path_unless_the_switch_is_off_and_computes_the_same(kernel, monkeypatch):
    taken, fast_path = [], getattr(kernels, kernel)
    monkeypatch.setattr(kernels, kernel, lambda *arguments: taken.append(kernel) or fast_path(*arguments))
    run = RUNS[kernel]()
    fast = run()
    assert taken == [kernel]
    with kernels.plain():
        plain = run()
    assert taken == [kernel]
    torch.testing.assert_close(fast, plain, rtol=1e-5, atol=1e-5)


def test_paths_take_turns_with_the_switch_set_for_each_and_given_back():
    seen = []
    table.compared("part", lambda: seen.append(kernels.enabled()), "always", device="cpu", repeats=2, in_a_row=3)
    assert seen == 3 * ([False] * 3 + [True] * 3) and kernels.enabled()


def test_a_time_is_that_of_one_run_and_the_ratio_says_how_many_times_faster(monkeypatch):
    monkeypatch.setattr(table, "in_turn", lambda runs, *_: {"plain": 30.0, "fast": 10.0})
    row = table.compared("part", None, "always", device="cpu", repeats=1, in_a_row=5)
    assert row.columns() == {"part": "part", "plain_ms": 6.0, "fast_ms": 2.0, "ratio": 3.0, "when": "always"}
    assert list(row.columns()) == ["part", "plain_ms", "fast_ms", "ratio", "when"]


def test_every_fast_path_has_a_row_that_says_when_it_wins():
    rows = list(table.fast_paths(TINY, "cpu"))
    names = [row.part for row in rows]
    assert names[:2] == ["sparse map, near (B=32)", "sparse map, far apart (B=128)"]
    assert names[-2:] == ["step, seed problem", "step, union of 2 models"]
    assert {name.split(",")[0] for name in names[2:-2]} == {"norm and ELU", "residual", "learned score"}
    assert all(row.when.endswith(".") and row.plain_ms > 0 and row.fast_ms > 0 for row in rows)


@pytest.mark.parametrize("sizes", [Sizes(), QUICK], ids=["full", "quick"])
def test_the_two_maps_are_on_either_side_of_the_cache(sizes):
    near, far = (4 * sizes.map_nodes * 8 * B for B in (table.NEAR, table.FAR))  # bytes of the gradient
    assert near <= maps.CACHE < far


def test_where_the_switch_is_off_nothing_is_measured_and_the_command_says_so(tmp_path, capsys):
    with kernels.plain():
        assert run_bench(tmp_path, sizes=TINY, only=["kernels"])
    assert "GSNN_TUTORIAL_KERNELS" in capsys.readouterr().out and not (tmp_path / "kernels.csv").exists()


def test_the_command_writes_and_prints_the_tables_of_this_group_alone(tmp_path, capsys):
    assert run_bench(tmp_path, sizes=TINY, only=["kernels"])
    names = {"kernels.csv", "cores.csv", "threads.csv", "run.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    printed = capsys.readouterr().out
    assert "far apart (B=128)" in printed and table.WHEN_FAR in printed


def test_in_words_each_sentence_is_said_once():
    rows = [table.FastPath(f"residual, {size}", 3.0, 2.0, table.WHEN_RESIDUAL) for size in ("small", "large")]
    words = fast_paths_in_words(pd.DataFrame([row.columns() for row in rows]))
    assert words.count("1.50x") == 2 and words.count(f"\nresidual: {table.WHEN_RESIDUAL}") == 1
    words = fast_paths_in_words(pd.DataFrame([rows[0].columns()]))
    assert f"\nresidual, small: {table.WHEN_RESIDUAL}" in words
