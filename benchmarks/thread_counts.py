"""Threads that pay for themselves: on a quiet and on a busy machine, and for a growing model. All on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import torch

from benchmarks.busy import busy_cores
from benchmarks.clock import in_turn
from benchmarks.models import samples_of, seed_model, training_epochs
from benchmarks.sizes import Sizes
from gsnn_tutorial.kernels import enough_threads, threads
from gsnn_tutorial.study.speed import random_model, training_step

SAMPLES = 64  # of the model that grows


def beside_work(sizes: Sizes) -> Iterator[list[dict]]:
    """Epochs of the seed problem on as many threads as torch takes and on as many as ``enough_threads`` takes.

    The rows of a quiet machine come first, then those beside a process that works on all cores. ``ratio`` is the time
    on torch's threads over this one.
    """
    draw = sizes.problem.draw(0)
    usual = torch.get_num_threads()
    with enough_threads(weights_of(seed_model(draw)), sizes.problem.n_train):
        enough = torch.get_num_threads()
    for busy in (False, True):
        runs = {
            count: on_threads(count, training_epochs(seed_model(draw), samples_of(draw, "cpu"), sizes.cores_epochs))
            for count in dict.fromkeys((usual, enough))  # one of them if they are the same
        }
        with busy_cores() if busy else nullcontext():
            ms = in_turn(runs, "cpu", 3)
        yield [
            {
                "busy": "yes" if busy else "no",
                "threads": count,
                "ms_per_epoch": ms[count] / sizes.cores_epochs,
                "ratio": ms[usual] / ms[count],
            }
            for count in runs
        ]


def growing_steps(sizes: Sizes) -> Iterator[dict]:
    """A training step of ever larger models, on one thread and on as many as torch takes.

    ``size`` is weights times samples, which ``kernels.cores.SMALL`` is compared with; ``ratio`` above 1 says that
    several threads win.
    """
    several = torch.get_num_threads()
    for power in sizes.cores_powers:
        edges = 2**power // SAMPLES // 20  # an edge brings about twenty weights
        model = random_model(edges // 5, edges)
        step = training_step(model, *torch.randn(2, SAMPLES, len(model.node_names_dict["input"])))
        in_a_row = max(1, 2**20 // 2**power)  # so that to switch costs little, beside what small steps take
        ms = in_turn({count: on_threads(count, step, in_a_row) for count in (1, several)}, "cpu", 3)
        weights = weights_of(model)
        yield {
            "weights": weights,
            "samples": SAMPLES,
            "size": weights * SAMPLES,
            "threads": several,
            "one_thread_ms": ms[1] / in_a_row,
            "all_threads_ms": ms[several] / in_a_row,
            "ratio": ms[1] / ms[several],
        }


def on_threads(count: int, run: Callable, in_a_row: int = 1) -> Callable:
    """The run, so many times in a row, on so many threads."""

    def again():
        with threads(count):
            for _ in range(in_a_row):
                run()

    return again


def weights_of(model: torch.nn.Module) -> int:
    """The number of weights of a model, counted as ``train`` counts them."""
    return sum(parameter.numel() for parameter in model.parameters())
