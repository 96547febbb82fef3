"""The class's list, as a platform exports it, and the points as it wants them back.

A roster is a CSV with a column for an id, for a name and for an e-mail address, whatever the platform calls them:
Moodle's participants or grading worksheet, Canvas's gradebook, nbgrader's students, or one of your own.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gsnn_course.arrivals import Arrival, unique
from gsnn_tutorial.study.files import UnusableFile, replacing, write_csv

COLUMNS = {
    "id": ("id", "student_id", "student id", "id number", "sis user id", "username", "matriculation number"),
    "name": ("name", "full name", "student", "student name", "student_name"),
    "first": ("first name", "first_name", "firstname", "given name"),
    "last": ("last name", "last_name", "surname", "lastname", "family name"),
    "email": ("email", "e-mail", "email address", "e-mail address", "mail", "sis login id"),
    "platform": ("identifier", "canvas id"),
}
CANVAS = {"Student", "ID", "Section"}  # columns by which its gradebook is known
NOTHING = "nothing was handed in"
BEFORE = "graded before: left as it was"


@dataclass
class Roster:
    """The table as it was read, all text, and for each of its rows a pupil."""

    table: pd.DataFrame
    pupils: pd.DataFrame  # id, name, email, platform

    @property
    def canvas(self) -> bool:
        return CANVAS <= set(self.table.columns)

    @property
    def worksheet(self) -> bool:
        return {"Identifier", "Grade"} <= set(self.table.columns)


def read_roster(path: Path) -> Roster:
    """Read a roster; UTF-8 or UTF-16, with commas, semicolons or tabs.

    Raises UnusableFile for a file without a column that tells pupils apart, and where two rows have one id.
    """
    try:
        text = decoded(Path(path).read_bytes())
    except OSError as error:
        raise UnusableFile(f"roster must be a CSV file, got {path}: {error.strerror}") from error
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    try:
        table = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, skipinitialspace=True)
    except ValueError as error:
        raise UnusableFile(f"roster {path} is not a CSV table: {error}") from error
    table.columns = [column.strip() for column in table.columns]
    known = {column.casefold(): column for column in table.columns}
    if CANVAS <= set(table.columns):  # its ID is the platform's
        table = table[~table["Student"].str.strip().isin(["Points Possible", "Student, Test", "Test Student"])]
        known["canvas id"] = known.pop("id")
    parts = {}
    for part, names in COLUMNS.items():
        column = next((known[name] for name in names if name in known), None)
        parts[part] = table[column].str.strip() if column else pd.Series("", index=table.index)
    name = parts["name"].where(parts["name"] != "", (parts["first"] + " " + parts["last"]).str.strip())
    platform = parts["platform"].str.extract(r"(\d+)", expand=False).fillna("")
    identity = parts["id"]
    for other in (_local(parts["email"]), platform, name):
        identity = identity.where(identity != "", other)
    pupils = pd.DataFrame({"id": identity, "name": name, "email": parts["email"], "platform": platform})
    empty = (pupils == "").all(axis=1)
    table, pupils = table[~empty], pupils[~empty]
    if not len(pupils):
        raise UnusableFile(f"roster {path} must have a column id, name or email and a row for each pupil")
    if twice := sorted(set(pupils["id"][pupils["id"].duplicated()])):
        line = table.index[pupils["id"] == twice[0]][-1] + 2
        raise UnusableFile(f"roster {path}, line {line}: the id {twice[0]!r} is there twice")
    return Roster(table.reset_index(drop=True), pupils.reset_index(drop=True))


def _local(email: pd.Series) -> pd.Series:
    return email.str.split("@").str[0]


def decoded(content: bytes) -> str:
    """Text in UTF-8 or UTF-16, with a mark at its beginning or without, else in Windows' Western code."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace").lstrip("\ufeff")
    if content[1:2] == b"\0" or content[:1] == b"\0":
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be", errors="replace")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").replace("\r\n", "\n")


def match(handed_in: list[Arrival], roster: Roster) -> list[Arrival]:
    """The arrivals under the roster's ids, in its order; then those who are not on it. No-shows have a row, too.

    A hand-in is known by the platform's number, the id, the e-mail address or the name, in this order.
    """
    keys = _keys(roster)
    found, strangers, taken = {}, [], set()
    ids = [unique(identity, taken) for identity in roster.pupils["id"]]
    for arrival in handed_in:
        labels = [arrival.platform, arrival.label, arrival.pupil]
        row = next((keys[key] for key in map(_key, labels) if key and keys.get(key) is not None), None)
        if row is None or row in found:
            why = "not on the roster" if row is None else f"another hand-in of {ids[row]}"
            arrival.notes.append(f"{why}: look at it")
            strangers.append(arrival)
        else:
            found[row] = arrival
    result = []
    for row, (pupil, name) in enumerate(zip(ids, roster.pupils["name"])):
        arrival = found.get(row) or Arrival(pupil, name, notes=[NOTHING])
        arrival.notes = [note for note in arrival.notes if not note.startswith("another has the same name")]
        arrival.pupil = pupil
        result.append(arrival)
    for arrival in strangers:
        arrival.pupil = unique(arrival.pupil, taken)
    return result + strangers


def _keys(roster: Roster) -> dict[str, int | None]:
    """{a pupil's possible name: the row of the roster, or None if several have it}."""
    keys, pupils = {}, roster.pupils
    first_last = pupils["name"].map(lambda name: "".join(reversed(re.split(r",\s*|\s+(?=\S+$)", name, maxsplit=1))))
    for column in (pupils["platform"], pupils["id"], pupils["email"], _local(pupils["email"]), pupils["name"],
                   first_last):  # fmt: skip
        mine = {}
        for row, label in column.items():
            if key := _key(label):
                mine[key] = None if mine.get(key, row) != row else row
        keys = mine | keys
    return keys


def _key(label: str) -> str:
    """A name without what platforms leave out of it: case, accents, spaces and signs."""
    plain = unicodedata.normalize("NFKD", label).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


def write_exports(roster: Roster | None, points: pd.DataFrame, folder: Path, title: str):
    """Write moodle.csv and canvas.csv. Blank where something waits to be graded by hand: no total is half a total.

    Arguments
        points: a row for each pupil, with ``total``, ``of``, ``waits`` and ``name`` and ``email`` where known.
        title: the assignment's column in Canvas, where no column of the roster begins with it.
    """
    grade = points["total"].map("{:g}".format).where(~points["waits"], "")
    comment = points["comment"]
    if roster is not None and roster.worksheet:
        moodle = roster.table.copy()
        moodle["Grade"] = grade.to_numpy()[: len(moodle)]
        if "Feedback comments" in moodle:
            moodle["Feedback comments"] = comment.to_numpy()[: len(moodle)]
    else:
        moodle = pd.DataFrame({"ID number": points["id"], "Full name": points["name"], "Email address": points["email"],
                               title: grade, "Feedback comments": comment})  # fmt: skip
    write_csv(moodle, folder / "moodle.csv")
    fixed = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    if roster is not None and roster.canvas:
        canvas = roster.table[[column for column in fixed if column in roster.table]].copy()
        column = next((name for name in roster.table if re.match(re.escape(title) + r"( \(\d+\))?$", name)), title)
        canvas[column] = grade.to_numpy()[: len(canvas)]
    else:
        column = title
        canvas = pd.DataFrame({"Student": points["name"], "ID": "", "SIS User ID": points["id"],
                               "SIS Login ID": points["email"], "Section": "", title: grade})  # fmt: skip
    most = {name: "" for name in canvas} | {"Student": "    Points Possible", column: f"{points['of'].max():g}"}
    write_csv(pd.concat([pd.DataFrame([most]), canvas], ignore_index=True), folder / "canvas.csv")


def write_feedback(roster: Roster, names: Iterable[str], folder: Path, title: str):
    """Write feedback.zip, for Moodle's *Upload multiple feedback files in a zip*: each pupil's page in a folder called
    as Moodle's own download calls it. Moodle reads the number, so only a grading worksheet leads to one.

    Arguments
        names: the folders in feedback/, the roster's pupils first and in its order.
        title: the assignment, and its page.
    """
    known = [
        (" ".join(re.split(r"[_/\\:\s]+", pupil["name"])), pupil["platform"], folder / "feedback" / name / title)
        for name, pupil in zip(names, roster.pupils.to_dict("records"))
        if pupil["platform"]
    ]
    if roster.canvas or not known:
        return
    with replacing(folder / "feedback.zip") as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as packed:
        for pupil, number, pages in known:
            if (page := pages / f"{title}.html").is_file():
                packed.write(page, f"{pupil}_{number}_assignsubmission_file_/{page.name}")
