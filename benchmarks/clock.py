"""A clock for comparisons: versions take turns, the median counts, a GPU has finished before the clock is read."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from gsnn_tutorial import validate

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler need not announce itself


def in_turn(runs: Mapping[str, Callable], device: str = "cpu", repeats: int = 5) -> dict[str, float]:
    """Median milliseconds of each run. Each is warmed up once; then all run in turn, ``repeats`` times.

    Whatever slows the machine for a while slows all of them, so that their ratio stays.
    """
    validate.integer("repeats", repeats, 1)
    for run in runs.values():
        run()
    seconds = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            _finish(device)
            start = time.perf_counter()
            run()
            _finish(device)
            seconds[name].append(time.perf_counter() - start)
    return {name: 1e3 * statistics.median(values) for name, values in seconds.items()}


def peak_bytes(run: Callable, device: str = "cpu") -> int:
    """Bytes that ``run`` holds at its worst moment, beyond what was there before."""
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        run()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace.json")
        recorded.export_chrome_trace(str(trace))
        events = [e for e in json.loads(trace.read_text(encoding="utf-8"))["traceEvents"] if e["name"] == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e["ts"]):
        held += event["args"]["Bytes"]  # negative where a block is given back
        peak = max(peak, held)
    return peak


def copying(nbytes: int, device: str = "cpu") -> Callable:
    """A run that moves ``nbytes``: it reads one half of them, and writes the other."""
    here, there = torch.zeros(2, max(1, nbytes // 8), device=device)  # 4 bytes each
    return lambda: there.copy_(here)


def _finish(device: str):
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
