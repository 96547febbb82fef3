"""Files are written and read whole or not at all, by one process at a time.

All files go through ``replacing``: whoever reads one, even after a crash, finds the old file or the new one.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pandas as pd
from filelock import FileLock, Timeout

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
    """Delete leftover temporary files from a process that was killed while writing ``path``."""
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
    """Write an object as indented JSON."""
    write_text(json_text(content) + "\n", path)


def json_text(content) -> str:
    """An object as indented JSON, with NumPy's and torch's single numbers as numbers."""
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
    """Keep other processes and threads out of a body with the same ``path``; the lock of a killed one is void.

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
