"""A guard of files that must not change while pupils' code runs: sources, packages, submissions, earlier runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from gsnn_tutorial.study.files import UnusableFile

SKIPPED = {"__pycache__", ".git", ".ipynb_checkpoints", ".pytest_cache", ".hypothesis"}
WHOLE = 50_000_000  # bytes up to which a file is read; of a larger one size and time count


class Guard:
    """The present state of some files and folders."""

    def __init__(self, places: Iterable[Path]):
        self.places = [Path(place).resolve() for place in places]
        self.before = self._state()

    def check(self):
        """Raise UnusableFile if anything has changed, with what."""
        after = self._state()
        if changed := sorted(path for path in self.before.keys() | after if self.before.get(path) != after.get(path)):
            shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
            raise UnusableFile(
                f"while submissions ran, something changed that they must not touch: {shown}. Nothing was graded: "
                "restore it, find out who it was, and grade in a container"
            )

    def _state(self) -> dict[str, str]:
        return {str(path): digest(path) for place in self.places for path in _files(place)}


def digest(path: Path) -> str:
    """A file's fingerprint."""
    status = path.lstat()
    if path.is_symlink() or status.st_size > WHOLE:
        return f"{os.readlink(path) if path.is_symlink() else ''} {status.st_size} {status.st_mtime_ns}"
    return hashlib.blake2b(path.read_bytes()).hexdigest()


def _files(place: Path):
    if place.is_file():
        yield place
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for path in (Path(folder) / name for name in names):
            if path.is_symlink() or path.is_file():
                yield path
