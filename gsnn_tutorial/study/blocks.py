"""The scheduler: blocks of work side by side in threads, which end together at an interrupt."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

import torch
from joblib import Parallel, cpu_count, delayed
from threadpoolctl import threadpool_limits

from gsnn_tutorial import validate
from gsnn_tutorial.kernels import threads

SECONDS_TO_STOP = 30.0  # more than an epoch of any block takes


class Blocks:
    """Runs blocks, ``n_jobs`` at a time, and shares the processor's cores among them.

        with Blocks(n_jobs) as blocks:
            for result in blocks.run(job, arguments): ...

    Only the main thread hears of an interrupt. When the body is left by one, or by any error, ``stop`` is set, and
    the blocks that still run are waited for: a thread that works on tensors must not outlive the program. They have
    to look at ``stop`` now and then, and raise KeyboardInterrupt if it is set.

    Arguments
        n_jobs: how many blocks run at the same time, by joblib; None takes one for each core that the container has.
    """

    def __init__(self, n_jobs: int | None = None):
        self.n_jobs = cpu_count() if n_jobs is None else validate.integer("n_jobs", n_jobs, 1)
        self.threads = max(1, cpu_count() // self.n_jobs)  # for each block
        self.stop = threading.Event()
        self.running: list[threading.Event] = []
        self._own_threads = ExitStack()

    def __enter__(self) -> Blocks:
        # A new thread begins with the number that any thread has set last: at the end, that is this one's again.
        self._own_threads.enter_context(threads(torch.get_num_threads()))
        # The same for NumPy's and scikit-learn's libraries, whose number is that of the whole program.
        self._own_threads.enter_context(threadpool_limits(1))
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None:
            self.stop.set()
            for ended in list(self.running):
                ended.wait(timeout=SECONDS_TO_STOP)
        self._own_threads.close()

    def __reduce__(self):
        return Blocks, (self.n_jobs,)  # on another machine, which no interrupt reaches, and which has other cores

    def run(self, job: Callable, arguments: Iterable[tuple]) -> Iterator:
        """The results of ``job(stop, *given)`` in the order of ``arguments``, each as soon as it is there."""
        parallel = Parallel(n_jobs=self.n_jobs, prefer="threads", return_as="generator")
        return parallel(delayed(self.run_one)(job, given) for given in arguments)

    def run_one(self, job: Callable, given: tuple):
        """The result of ``job(stop, *given)``, computed on a block's share of the cores; none once ``stop`` is set."""
        if self.stop.is_set():
            raise KeyboardInterrupt
        ended = threading.Event()
        self.running.append(ended)
        try:
            with threads(self.threads):
                return job(self.stop, *given)
        finally:
            self.running.remove(ended)
            ended.set()


def even_block(seeds: int, largest: int, n_jobs: int) -> int:
    """The size of blocks, at most ``largest``, with which all jobs are busy for as many rounds: none waits for one."""
    rounds = math.ceil(seeds / (largest * n_jobs))
    return max(1, math.ceil(seeds / (rounds * n_jobs))) if seeds else 1
