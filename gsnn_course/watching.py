"""Watches what a kernel and its children take, and ends them when it is too much.

The processor's time counts, and time asleep. Time in which a busy machine let the kernel wait for a processor does not
count, up to ``PATIENCE`` times the time that is allowed; nor does it if the process that grades is late.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE = 10  # how much longer than its time a cell may take on a busy machine
EVERY = 0.2  # seconds between two looks
FILES = 20_000  # that a kernel's folder may have


@dataclass(frozen=True)
class Limits:
    """The limits of a submission.

    Arguments
        cell_seconds, seconds: time of a cell, and of a whole notebook, the processor's or asleep.
        memory: bytes of a kernel and its children together.
        processes: how many may run at a time, the kernel included.
        disk: bytes of the files in a kernel's folder.
    """

    cell_seconds: float = 30
    seconds: float = 300
    memory: int = 4_000_000_000
    processes: int = 64
    disk: int = 1_000_000_000


class Broken(Exception):
    """A kernel that can be used no more: the name of an error, and in words."""

    def __init__(self, name: str, text: str):
        super().__init__(text)
        self.name, self.text = name, text


class Watch:
    """The processes of one kernel: ``pid`` and all that it has started; and what they write into ``folder``."""

    def __init__(self, pid: int, limits: Limits, folder: Path | None = None):
        self.limits, self.folder, self.used = limits, folder, 0.0  # used: seconds so far
        self._root, self._seen = psutil.Process(pid), {}
        self._own = set(self._look())  # the kernel itself, and what it runs in
        self._start()

    async def until(self, seconds: float) -> tuple[str, str]:
        """Returns when more than ``seconds``, or than another limit, is used: (the error's name, in words)."""
        first, start = self.used, self._start()
        while True:
            await asyncio.sleep(EVERY)
            running = self.tick()
            if not self._own <= running.keys():
                return "KernelDied", "this cell took the kernel down"
            if self.used - first > seconds or time.monotonic() - start > PATIENCE * seconds:
                return "TimedOut", f"longer than {seconds:g} s"
            memory, written = sum(_of(running, lambda process: process.memory_info().rss)), self._written()
            if memory > self.limits.memory:
                return "TooLarge", f"more than {self.limits.memory / 1e9:g} GB of memory ({memory / 1e9:.1f})"
            if written > self.limits.disk:
                return "TooLarge", f"more than {self.limits.disk / 1e9:g} GB of disk ({written / 1e9:.1f})"
            if (number := len(running.keys() - self._own) + 1) > self.limits.processes:
                return "TooMany", f"more than {self.limits.processes} processes ({number})"

    def tick(self) -> dict[int, psutil.Process]:
        """Add what was used since the last time; the processes that run now."""
        running = self._look()
        now, processor = time.monotonic(), _processor(running)
        asleep = min(now - self._before, 2 * EVERY) if _asleep(running) else 0.0  # a late look knows no more
        self.used += max(0.0, processor - self._last, asleep)
        self._last, self._before = processor, now
        return running

    def end(self) -> int:
        """End everything that was ever seen; the number of processes that a pupil's code had left running."""
        left = self._look().keys() - self._own
        for process in self._seen.values():
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(self._seen.values(), timeout=3)
        return len(left)

    def _start(self) -> float:
        """Count from now on; the time."""
        self._last, self._before = _processor(self._look()), time.monotonic()
        return self._before

    def _look(self) -> dict[int, psutil.Process]:
        """The processes that run now, those included that have lost their parents since they were seen."""
        with suppress(psutil.Error):
            for process in [self._root, *self._root.children(recursive=True)]:
                self._seen.setdefault(process.pid, process)
        return {pid: process for pid, process in self._seen.items() if any(_of({pid: process}, _runs))}

    def _written(self) -> int:
        """Bytes of the files in the folder; of so many files that counting them would take long, more than allowed."""
        total = number = 0
        for folder, _, names in os.walk(self.folder) if self.folder else ():
            number += 1 + len(names)
            for name in names:
                with suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
            if number > FILES:
                return self.limits.disk + total + 1
        return total


def _of(running: dict[int, psutil.Process], look: Callable) -> Iterator:
    """The results of a look at each process; one that has gone meanwhile has none."""
    for process in running.values():
        with suppress(psutil.Error):
            yield look(process)


def _processor(running) -> float:
    return sum(_of(running, lambda process: sum(process.cpu_times()[:2])))  # user and system


def _asleep(running) -> bool:
    """True if no process works, or waits for a processor or a disk."""
    return not {psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP}.intersection(_of(running, psutil.Process.status))


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
