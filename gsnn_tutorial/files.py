"""Where files are written: a run's folder, with tables as CSV, figures as PNG and SVG, and run.json.

``run.json`` says how the others came about. What is written piece by piece goes through ``write_csv`` and
``write_json``, so that all files of a kind look alike.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.figure import Figure

PACKAGES = (
    "gsnn-tutorial",
    "torch",
    "numpy",
    "scipy",
    "statsmodels",
    "scikit-learn",
    "pandas",
    "networkx",
    "matplotlib",
)


def write_csv(table: pd.DataFrame, path: str | Path, append: bool = False):
    """Write a table, with the index if it has a name; ``append`` adds its rows to those that the file has."""
    named = any(level is not None for level in table.index.names)
    table.to_csv(path, mode="a" if append else "w", header=not append, index=named, lineterminator="\n")


def write_json(content, path: str | Path):
    """Write what JSON can hold, indented."""
    Path(path).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


class RunFolder:
    """Writes a run's results into ``path``, which is made if need be; the clock starts now.

    What an earlier run left there (the files that its run.json lists) is removed.

    Raises ValueError if ``path`` is a file or cannot be made.
    """

    def __init__(self, path: str | Path, settings: dict, device: str):
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"output must be a folder, got the file {self.path}")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"output must be a folder that can be made, got {self.path}: {error.strerror}") from error
        self._files = []
        earlier = self.path / "run.json"
        if earlier.exists():  # results of an earlier run must not pass for this one's
            for name in json.loads(earlier.read_text(encoding="utf-8")).get("files", []):
                (self.path / name).unlink(missing_ok=True)
            earlier.unlink()
        self._settings, self._device, self._start = settings, device, time.perf_counter()

    def table(self, name: str, table: pd.DataFrame):
        """``name``.csv, with the index if it has a name."""
        self._files.append(f"{name}.csv")
        write_csv(table, self.path / f"{name}.csv")

    def file(self, name: str) -> Path:
        """The path of a file that someone else will write, listed among the run's."""
        self._files.append(name)
        return self.path / name

    def figure(self, name: str, figure: Figure):
        """``name``.png and ``name``.svg; the figure is closed."""
        for suffix in ("png", "svg"):
            self._files.append(f"{name}.{suffix}")
            figure.savefig(self.path / f"{name}.{suffix}", dpi=150, bbox_inches="tight")
        plt.close(figure)

    def finish(self, **results) -> float:
        """Write run.json: command, settings, results, versions, device, wall time. Returns the wall time."""
        wall = time.perf_counter() - self._start
        run = {
            "command": "python -m gsnn_tutorial " + " ".join(sys.argv[1:]),
            "settings": self._settings,
            **results,
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
            "device": device_name(self._device),
            "threads": torch.get_num_threads(),
            "files": self._files,
            "wall_seconds": round(wall, 2),
        }
        write_json(run, self.path / "run.json")
        return wall


def device_name(device: str) -> str:
    """The device in words: the name of a GPU, or the processor's architecture."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device} ({platform.machine()})"


def usable_device(device: str) -> str:
    """``device`` if torch can use it, else ValueError with what it can use."""
    try:
        torch.zeros(1, device=torch.device(device))
    except (RuntimeError, AssertionError, TypeError) as error:
        usable = "'cpu'" + (" or 'cuda'" if torch.cuda.is_available() else "; torch sees no CUDA device")
        raise ValueError(f"device must be one that torch can use, {usable}; got {device!r}") from error
    return device
