"""A busy machine: a second process that works on all cores until it is ended.

This file is also what the second process runs, and so imports only what comes with Python.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def busy_cores(cores: int | None = None) -> Iterator[subprocess.Popen]:
    """Keep this number of cores (None: all of them) busy inside a ``with`` block.

    The second process ends with the block, after an error or an interrupt too; and by itself if this process is gone.
    """
    command = [sys.executable, "-I", __file__, str(cores or os.cpu_count())]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        worker.stdout.readline()  # it works
        yield worker
    finally:
        worker.kill()
        worker.communicate()


def spin(cores: int):
    """Work in so many threads, until there is no one left who could write to this process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interrupt of both ends this one without a word
    for _ in range(cores):
        threading.Thread(target=_work, daemon=True).start()
    print("at work", flush=True)
    sys.stdin.read()


def _work():
    block = bytes(2**20)
    while True:
        hashlib.sha256(block)  # arithmetic, outside Python's global lock


if __name__ == "__main__":
    spin(int(sys.argv[1]))
