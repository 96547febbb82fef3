"""The tables of threads, and the process that keeps a machine busy: it ends with its block. No test of a time."""

import resource
import time
from contextlib import contextmanager

import pandas as pd
import pytest
import torch

from benchmarks import thread_counts as table
from benchmarks.busy import busy_cores
from benchmarks.command import run_bench
from benchmarks.in_words import cores_in_words, several_win_from, threads_in_words
from benchmarks.sizes import Sizes
from gsnn_tutorial import Problem
from gsnn_tutorial.kernels import cores, threads

TINY = Sizes(problem=Problem(n_train=8, n_test=8), cores_epochs=4, cores_powers=(16, 18))


@pytest.fixture
def three_threads():
    with threads(3):
        yield
        assert torch.get_num_threads() == 3


@pytest.fixture
def watched(monkeypatch):
    """What ``beside_work`` runs, noted and not run: (whether the machine is busy, threads)."""
    seen, busy = [], []

    @contextmanager
    def pretend():
        busy.append(True)
        yield
        busy.clear()

    def epochs(model, samples, count):
        assert count == TINY.cores_epochs
        return lambda: seen.append((bool(busy), torch.get_num_threads())) or time.sleep(0.001)

    monkeypatch.setattr(table, "busy_cores", pretend)
    monkeypatch.setattr(table, "training_epochs", epochs)
    return seen


# The busy process


def cpu_seconds_of_ended_processes():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def test_the_second_process_works_for_the_while_and_is_gone_afterwards():
    before = cpu_seconds_of_ended_processes()
    with busy_cores(2) as worker:
        time.sleep(1)
        assert worker.poll() is None
    assert worker.poll() is not None
    assert cpu_seconds_of_ended_processes() - before > 0.2  # a Python that only starts takes a few hundredths


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_second_process_is_gone_after_an_interrupt_too(error):
    with pytest.raises(error), busy_cores(1) as worker:
        raise error
    assert worker.poll() is not None


def test_the_second_process_ends_by_itself_where_its_parent_is_gone():
    with busy_cores(1) as worker:
        worker.stdin.close()  # what the system does with a pipe whose other end is gone
        worker.wait(timeout=30)
        worker.stdin = None


def test_an_interrupt_of_the_benchmark_ends_the_second_process(tmp_path, monkeypatch):
    workers = []

    def interrupted(runs, *_):
        raise KeyboardInterrupt

    @contextmanager
    def noted():
        with busy_cores(1) as worker:
            workers.append(worker)
            yield
            raise AssertionError("not interrupted")

    monkeypatch.setattr(table, "busy_cores", noted)
    monkeypatch.setattr(table, "in_turn", lambda runs, *_: interrupted(runs) if workers else dict.fromkeys(runs, 1.0))
    assert run_bench(tmp_path, sizes=TINY, only=["kernels"]) is False
    assert len(workers) == 1 and workers[0].poll() is not None
    assert (pd.read_csv(tmp_path / "cores.csv")["busy"] == "no").all()


# The tables


def test_the_seed_problem_runs_on_torchs_threads_and_on_one_without_and_with_company(watched, three_threads):
    rows = pd.DataFrame(sum(table.beside_work(TINY), []))
    assert rows[["busy", "threads"]].to_numpy().tolist() == [["no", 3], ["no", 1], ["yes", 3], ["yes", 1]]
    assert watched == 4 * [(False, 3), (False, 1)] + 4 * [(True, 3), (True, 1)]  # a warm-up and three turns
    assert (rows["ms_per_epoch"] >= 1 / TINY.cores_epochs).all()
    assert rows["ratio"][[0, 2]].tolist() == [1, 1]


def test_a_ratio_above_1_says_that_fewer_threads_are_faster(watched, three_threads, monkeypatch):
    monkeypatch.setattr(table, "in_turn", lambda runs, *_: {3: 40.0, 1: 8.0})
    rows = pd.DataFrame(sum(table.beside_work(TINY), []))
    assert rows["ms_per_epoch"].tolist() == [10, 2, 10, 2] and rows["ratio"].tolist() == [1, 5, 1, 5]


def test_where_the_rule_takes_torchs_threads_there_is_nothing_to_compare(watched, three_threads, monkeypatch):
    monkeypatch.setattr(cores, "SMALL", 0)
    assert [row["threads"] for (row,) in table.beside_work(TINY)] == [3, 3]


def test_a_growing_model_steps_on_one_thread_and_on_all(three_threads, monkeypatch):
    seen = []

    def step(model, x, y):
        return lambda: seen.append((table.weights_of(model) * len(x), torch.get_num_threads()))

    monkeypatch.setattr(table, "training_step", step)
    rows = list(table.growing_steps(TINY))
    for row, power in zip(rows, TINY.cores_powers, strict=True):
        assert row["size"] == row["weights"] * row["samples"] and 0.8 < row["size"] / 2**power < 1.2
        assert {threads for size, threads in seen if size == row["size"]} == {1, row["threads"]} == {1, 3}
        assert row["ratio"] == pytest.approx(row["one_thread_ms"] / row["all_threads_ms"])


def test_a_steps_time_is_that_of_one_step(three_threads, monkeypatch):
    monkeypatch.setattr(table, "in_turn", lambda runs, *_: {1: 64.0, 3: 32.0})
    (row,) = table.growing_steps(Sizes(cores_powers=(16,)))
    assert (row["one_thread_ms"], row["all_threads_ms"], row["ratio"]) == (4.0, 2.0, 2.0)


@pytest.mark.parametrize(
    "ratios, size", [([0.5, 0.9, 1.2, 1.6], 8), ([0.5, 1.1, 0.9, 1.6], 16), ([0.5, 1.1, 1.2, 0.9], None)]
)
def test_several_threads_win_from_where_they_win_at_every_larger_size(ratios, size):
    found = several_win_from(pd.DataFrame({"size": [2, 4, 8, 16], "ratio": ratios}))
    assert found == size


def test_both_tables_read_in_words():
    words = cores_in_words(
        pd.DataFrame({"busy": ["no", "yes"], "threads": [2, 1], "ms_per_epoch": [3.0, 4.0], "ratio": [1.0, 9.7]})
    )
    assert "9.7x" in words.splitlines()[-1] and "yes" in words.splitlines()[-1]
    steps = pd.DataFrame({"size": [2**16, 2**17], "threads": 2, "one_thread_ms": 3.0, "all_threads_ms": 2.0})
    words = threads_in_words(steps.assign(ratio=[0.9, 1.5]))
    assert "2^16.0" in words and "2 threads ms" in words and "Several threads win from 131,072 on." in words
    assert "do not win" in threads_in_words(steps.assign(ratio=[0.9, 0.8]))
