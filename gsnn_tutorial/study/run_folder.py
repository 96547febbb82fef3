"""A run's folder: tables as CSV, figures as PNG and SVG, and run.json, which says how the others came about."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.figure import Figure

from gsnn_tutorial.study.files import UnusableFile, alone, json_text, read_json, replacing, sweep, write_csv, write_json

PACKAGES = (
    "gsnn-tutorial", "torch", "numpy", "scipy", "statsmodels", "scikit-learn", "pandas", "networkx", "matplotlib",
)  # fmt: skip


class RunFolder:
    """Writes a run's results into ``path``, which is made if need be; the clock starts now.

    The folder belongs to this run alone until ``finish``, or the end of a ``with``. The files that an earlier run's
    run.json lists are removed when the first new file is opened: check all arguments before that. From then on
    run.json lists the files that there are, with ``finished`` false until ``finish`` says that it is true.

    Arguments
        settings, device: for run.json, as is ``program``, the start of the command line.

    Raises UnusableFile, a ValueError, if ``path`` is a file or cannot be made, if another run writes there, or if
    its run.json is not this kit's.
    """

    def __init__(self, path: str | Path, settings: dict, device: str, program: str = "python -m gsnn_tutorial"):
        self.path, self._program = Path(path), program
        self.settings = json.loads(json_text(settings))
        if self.path.exists() and not self.path.is_dir():
            raise UnusableFile(f"output must be a folder, got the file {self.path}")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableFile(f"output must be a folder that can be made, got {path}: {error.strerror}") from error
        self._files, self._begun = [], False
        self._device, self._start = device, time.perf_counter()
        with ExitStack() as claim:
            claim.enter_context(alone(self.path))
            self._earlier()  # says at once if it cannot be used
            self._claim = claim.pop_all()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind, error, traceback):
        self._claim.close()

    def _earlier(self) -> Sequence[str]:
        """The files of an earlier run, all of which lie in the folder itself."""
        path = self.path / "run.json"
        if not path.exists():
            return []
        names = read_json(path, {"command": str, "settings": dict, "files": list})["files"]
        for name in names:
            inside = isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name
            if not inside or (self.path / name).is_dir():
                raise UnusableFile(f"{path} lists {name!r}, which is no file of this folder: "
                                   "remove run.json or give another folder")  # fmt: skip
        return names

    def _begin(self):
        if not self._begun:
            self._begun, self._files = True, list(self._earlier())
            sweep(self.path / "run.json")
            self._write(finished=False)
            for name in self._files:  # results of an earlier run must not pass for this one's
                (self.path / name).unlink(missing_ok=True)
            self._files = []

    def file(self, name: str) -> Path:
        """The path of a file that the caller will write; run.json lists it."""
        self._begin()
        if name not in self._files:
            self._files.append(name)
        self._write(finished=False)
        sweep(self.path / name)
        return self.path / name

    def table(self, name: str, table: pd.DataFrame):
        """``name``.csv, with the index if it has a name."""
        write_csv(table, self.file(f"{name}.csv"))

    def figure(self, name: str, figure: Figure):
        """``name``.png and ``name``.svg; the figure is closed."""
        for suffix in ("png", "svg"):
            with replacing(self.file(f"{name}.{suffix}")) as beside:
                figure.savefig(beside, format=suffix, dpi=150, bbox_inches="tight")
        plt.close(figure)

    def finish(self, **results) -> float:
        """Write run.json: command, settings, results, versions, device, wall time. Returns the wall time."""
        self._begin()
        wall = self._write(**results)
        self._claim.close()
        return wall

    def _write(self, **results) -> float:
        wall = time.perf_counter() - self._start
        run = {
            "command": " ".join([self._program, *sys.argv[1:]]),
            "settings": self.settings,
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
