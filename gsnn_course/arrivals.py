"""Finds each pupil's files: in folders, zips, and downloads of Moodle, Canvas and nbgrader as they come.

Every file that is there belongs to a row of the class. A row without a notebook that can be used has a note.
"""

from __future__ import annotations

import os
import re
import stat
import time
import unicodedata
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gsnn_tutorial.study.files import UnusableFile

JUNK = {"__MACOSX", "Thumbs.db", "desktop.ini", ".DS_Store", ".ipynb_checkpoints", "__pycache__"}
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_(?P<file>.+)")
EXCHANGE = re.compile(r"(?P<id>[^+]+)\+[^+]+\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)[^+]*(?:\+.*)?")
LARGEST_ZIP = 1_000_000_000  # bytes of all that is in a zip
MOST = 20_000  # files in a zip
NONE = "no notebook, or several and none of the assignment's name"


@dataclass
class Arrival:
    """The files that one pupil handed in.

    Arguments
        pupil: the name of folders and rows, which nobody else has.
        label: the name of the file or folder as it came, or the roster's name.
        path: the notebook, or a ``.py``; None if there is none.
        time: when it was handed in, as far as that can be known.
        platform: the number that a platform knows the pupil by.
    """

    pupil: str
    label: str
    path: Path | None = None
    notes: list[str] = field(default_factory=list)
    time: datetime | None = None
    platform: str = ""
    files: list[Path] = field(default_factory=list)


def arrivals(submissions: Path, name: str, unpacked: Path) -> list[Arrival]:
    """The arrivals in a folder or a zip, with a folder, a zip or a file for each pupil; zips go to ``unpacked``.

    Raises UnusableFile for anything else, and if nothing is in it.
    """
    submissions = Path(submissions)
    if submissions.is_file() and zipfile.is_zipfile(submissions):
        submissions = _inner(unpack(submissions, unpacked / "class"))
    if not submissions.is_dir():
        raise UnusableFile(f"submissions must be a folder or a zip, got {submissions}")
    found, taken = {}, set()
    for path in _entries(submissions):
        label, key, when, notes = _whose(path)
        if key not in found:
            found[key] = Arrival(unique(label, taken), label, time=when, platform=key if key.isdigit() else "")
            if folded(label) != folded(found[key].pupil):
                found[key].notes.append(f"another has the same name: this one is called {found[key].pupil}")
        arrival = found[key]
        arrival.notes += [note for note in notes if note not in arrival.notes]
        arrival.files += _files(path, unpacked / "pupils" / arrival.pupil, arrival.notes)
    if not found:
        raise UnusableFile(f"submissions must hold a folder or a notebook for each pupil, found none in {submissions}")
    for arrival in found.values():
        arrival.path = _choose(arrival.files, name)
        arrival.time = arrival.time or _time(arrival.path)
        others = sorted({path.name for path in arrival.files if path != arrival.path} - {"timestamp.txt"})
        others = ", ".join(others[:5])
        if arrival.path is None:
            arrival.notes.append(NONE + (f": {others}" if others else ""))
        elif others:
            arrival.notes.append(f"{arrival.path.name} was read, and not {others}: look at it")
    return list(found.values())


def folded(label: str) -> str:
    """A pupil's name as the name of a folder: letters of all scripts, digits, signs such as emoji, ``_`` and ``-``.

    Anything that nbgrader or a file system would take for something else becomes ``_``.
    """
    kept = "".join(sign if _fits(sign) else " " for sign in unicodedata.normalize("NFC", label))
    ends = [] if kept.strip() == kept else [""]
    return "_".join([*kept.split(), *ends])[:80] or "_"


def _fits(sign: str) -> bool:
    if sign.isascii():
        return sign.isalnum() or sign in "_-"
    return sign.isalnum() or unicodedata.category(sign) in ("Mn", "Mc", "So", "Sk") or sign == "\u200d"


def unique(label: str, taken: set[str]) -> str:
    """``folded``, and a number behind it where another has that name; on no system may two names fall together."""
    name = first = folded(label)
    number = 1
    while name.casefold() in taken:
        number += 1
        name = f"{first}_{number}"
    taken.add(name.casefold())
    return name


def _whose(path: Path) -> tuple[str, str, datetime | None, list[str]]:
    """(name of the pupil, key that tells pupils apart, time, notes) of an entry of the class's folder."""
    if (match := MOODLE.fullmatch(path.name)) or (path.is_file() and (match := CANVAS.fullmatch(path.name))):
        late = ["the platform says late"] if match.groupdict().get("late") else []
        return match["name"], match["id"], None, late
    if match := EXCHANGE.fullmatch(path.name):
        return match["id"], match["id"], datetime.fromisoformat(match["time"]), []
    label = path.name if path.is_dir() else path.stem
    return label, path.name, None, []  # two names that fall together are two pupils


def _files(path: Path, unpacked: Path, notes: list[str]) -> list[Path]:
    """All files in a folder or a zip, or the file itself; links, pipes and the like get a note instead."""
    if path.is_symlink():
        notes.append(f"{path.name} is a link, which is not followed")
        return []
    if not (path.is_file() or path.is_dir()):
        notes.append(f"{path.name} is neither a file nor a folder: not read")
        return []
    if path.is_file():
        if path.suffix.lower() != ".zip":
            return [path]
        try:
            path = unpack(path, unpacked / f"{folded(path.name)}-{len(notes)}")
        except UnusableFile as error:
            notes.append(str(error))
            return [path]
    return [file for entry in _entries(path) for file in _files(entry, unpacked, notes)]


def _entries(folder: Path) -> list[Path]:
    """The entries of a folder, without those that systems leave behind."""
    return [path for path in sorted(folder.iterdir()) if path.name not in JUNK and not path.name.startswith(".")]


def unpack(path: Path, folder: Path) -> Path:
    """Unpack a zip into a new folder, each file with its time. Links and names that lead elsewhere stay inside.

    Raises UnusableFile for a zip that is damaged, has a password, or is too large.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            if (size := sum(member.file_size for member in members)) > LARGEST_ZIP or len(members) > MOST:
                raise UnusableFile(f"{path.name} is too large: {len(members)} files, {size / 1e6:.0f} MB")
            for member in members:
                if stat.S_ISLNK(member.external_attr >> 16):
                    continue
                written = Path(packed.extract(member, folder))
                if not member.is_dir():
                    os.utime(written, (time.mktime((*member.date_time, 0, 0, -1)),) * 2)
    except UnusableFile:
        raise
    except (zipfile.BadZipFile, RuntimeError, OSError, ValueError, EOFError) as error:
        raise UnusableFile(f"{path.name} cannot be unpacked: {type(error).__name__}") from error
    return folder


def _inner(folder: Path) -> Path:
    """The folder with the pupils, if a zip holds one folder around them all."""
    inside, *others = [*_entries(folder), folder]
    if others == [folder] and inside.is_dir():
        if sum(path.is_dir() for path in inside.iterdir()) > 1 or len([*inside.glob("*.[iI][pP]*")]) > 1:
            return inside
    return folder


def _choose(files: list[Path], name: str) -> Path | None:
    """The notebook that is called ``name``, or begins so, or is the only one; a ``.py`` if there is no notebook."""
    for suffix in (".ipynb", ".py"):
        notebooks = [path for path in files if path.suffix.lower() == suffix]
        for fits in (name.__eq__, lambda stem: stem.startswith(name), lambda stem: name in stem, lambda stem: True):
            if chosen := [path for path in notebooks if fits(path.stem)]:
                return chosen[0] if len(chosen) == 1 else None
    return None


def _time(path: Path | None) -> datetime | None:
    """The time at which a notebook was handed in: nbgrader's timestamp.txt beside it, or the file's own time."""
    if path is None:
        return None
    try:
        text = (path.parent / "timestamp.txt").read_text(encoding="utf-8").strip()
        return datetime.fromisoformat(re.sub(r" [A-Z]{3,4}$", "", text)).replace(tzinfo=None)
    except (OSError, ValueError):
        return datetime.fromtimestamp(path.stat().st_mtime).replace(microsecond=0)
