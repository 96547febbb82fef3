"""The number of threads that torch works on: set for a block of code, and set back after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

SMALL = 2**22  # weights times samples of a batch: up to here several threads gain a few percent at most


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use this number of threads inside a ``with`` block, in this thread of the program."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def enough_threads(weights: int, samples: int) -> AbstractContextManager:
    """As many threads as a step is worth: one if its model is small (``SMALL``), else as many as torch is set to.

    A small step consists of calls that take microseconds. Several threads gain nothing on them and wait for each other
    after each: on a busy machine, or in a container that has fewer cores than it shows, that takes ten times longer.
    """
    return threads(1 if weights * samples <= SMALL else torch.get_num_threads())
