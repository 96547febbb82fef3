"""Where files are written and read: whole or not at all, by one process at a time.

A run's folder has tables as CSV, figures as PNG and SVG, and run.json, which says how the others came about. All
files go through ``replacing``: whoever reads one, even after a crash, finds the old file or the new one.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import matplotlib.pyplot as plt
import pandas as pd
import torch
from filelock import FileLock, Timeout
from matplotlib.figure import Figure

PACKAGES = (
    "gsnn-tutorial", "torch", "numpy", "scipy", "statsmodels", "scikit-learn", "pandas", "networkx", "matplotlib",
)  # fmt: skip
# From pandas 3.1 on every float is read to its last bit, and the option is deprecated.
EXACT = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}


class UnusableFile(ValueError):
    """A file or folder is not what it has to be. The message names it, and says what to do."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """The path of a file to write, which takes the place of ``path`` when the body has ended without an error.

    Raises OSError, with the name of ``path``, and UnusableFile if there is a folder or a device in its place.
    """
    target = Path(os.path.realpath(path))  # a link stays one
    beside = target.with_name(f".{target.name[:40]}.{uuid4().hex}.part")
    try:
        if target.exists() and not target.is_file():
            raise UnusableFile(
                f"{path} is a {'folder' if target.is_dir() else 'pipe or device'}: give the name of a file"
            )
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied", str(path))
        yield beside
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        if target.exists():
            shutil.copymode(target, beside)
        os.replace(beside, target)
    except OSError as error:
        if error.filename not in (None, str(beside)):
            raise
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def sweep(path: str | Path):
    """Remove what a process that was killed while it wrote ``path`` has left beside it."""
    path = Path(os.path.realpath(path))
    for left in path.parent.iterdir():
        if left.name.startswith(f".{path.name[:40]}.") and left.name.endswith(".part"):
            left.unlink(missing_ok=True)


def write_text(text: str, path: str | Path):
    """Write text as UTF-8, its line ends as they are; half a character (a lone surrogate) becomes its escape."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)


def write_csv(table: pd.DataFrame, path: str | Path):
    """Write a table, with the index if it has a name."""
    named = any(level is not None for level in table.index.names)
    with replacing(path) as beside:
        table.to_csv(beside, index=named, lineterminator="\n", encoding="utf-8", errors="backslashreplace")


def write_json(content, path: str | Path):
    """Write what JSON can hold, indented."""
    write_text(json_text(content) + "\n", path)


def json_text(content) -> str:
    """What JSON can hold, with NumPy's and torch's single numbers, as text."""
    return json.dumps(content, indent=2, default=lambda value: value.item())


def read_csv(path, **options) -> pd.DataFrame:
    """A table as ``write_csv`` writes it, every float to its last bit; ``options`` are those of ``pandas.read_csv``.

    Raises UnusableFile for a file that is empty or not such a table.
    """
    try:
        with (Path(path) if isinstance(path, str) else path).open(encoding="utf-8", newline="") as stored:
            return pd.read_csv(stored, **EXACT, **options)
    except ValueError as error:  # whatever pandas trips over
        why = " ".join(str(error).split())
        raise UnusableFile(f"{path} is not the table that it should be ({why}): remove it or restore it") from error


def read_json(path: str | Path, kinds: dict[str, type | tuple[type, ...]]) -> dict:
    """An object of JSON that has certain keys, with values of certain kinds.

    Raises UnusableFile for a file that holds anything else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnusableFile(f"{path} is empty, cut or not JSON ({error}): remove it or give another folder") from error
    for key, kind in kinds.items():
        if not isinstance(content, dict) or not isinstance(content.get(key), kind):
            raise UnusableFile(f"{path} is not this kit's, its {key!r} is missing or of another kind: "
                               "remove it or give another folder")  # fmt: skip
    return content


@contextmanager
def alone(path: str | Path) -> Iterator[None]:
    """No other process or thread is in the body with the same ``path``; a lock that a killed one has left is void.

    Raises UnusableFile if another one is.
    """
    path = Path(os.path.realpath(path))
    beside = path / ".lock" if path.is_dir() else path.with_name(f".{path.name}.lock")
    lock = FileLock(beside, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise UnusableFile(
            f"output {path} is being written by another run: wait until it has finished, or give another output"
        ) from error
    except NotImplementedError:  # some network drives have no locks
        warnings.warn(f"{path.parent} is on a drive without locks: let one run at a time write there", stacklevel=3)
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(lock.lock_file)
        lock.release()


class RunFolder:
    """Writes a run's results into ``path``, which is made if need be; the clock starts now.

    It is this run's alone until ``finish``, or the end of a ``with``. What an earlier run left there (the files that
    its run.json lists) is removed when the first new file is asked for: check all arguments before that. From then
    on run.json lists the files that there are, with ``finished`` false until it is said to be true.

    Raises UnusableFile, a ValueError, if ``path`` is a file or cannot be made, if another run writes there, or if
    its run.json is not this kit's.
    """

    def __init__(self, path: str | Path, settings: dict, device: str):
        self.path = Path(path)
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
        """The path of a file that someone else will write, listed among the run's."""
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
            "command": "python -m gsnn_tutorial " + " ".join(sys.argv[1:]),
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
