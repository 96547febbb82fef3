"""Points and comments that a person gave, taken over from an earlier run where the answer is the same."""

from __future__ import annotations

from pathlib import Path

from gsnn_course.arrivals import Arrival
from gsnn_course.nbgrader_course import NbgraderCourse
from gsnn_course.roster import NOTHING
from gsnn_tutorial.study.files import UnusableFile

BEFORE = "graded before: left as it was"


def by_hand(earlier: Path, name: str) -> tuple[NbgraderCourse, dict]:
    course = NbgraderCourse(earlier, name)
    if not (earlier / "gradebook.db").exists():
        raise UnusableFile(f"earlier must be a folder that course grade has written, got {earlier}")
    return course, course.by_hand()


def carry_over(course: NbgraderCourse, before: tuple[NbgraderCourse, dict], handed_in: dict[str, Arrival]):
    """Take over points and comments by hand, where the answer is still the same, and say where it is not.

    Who handed in then and not now has no points here, rather than 0: what was given stands.
    """
    old, given = before
    for pupil, arrival in handed_in.items():
        if NOTHING in arrival.notes and old.notebook("submitted", pupil).exists():
            arrival.notes.append(BEFORE)
    for (pupil, cell), (points, comment) in given.items():
        if pupil not in handed_in or not course.notebook("autograded", pupil).exists():
            continue
        names = (cell, cell.removesuffix("-test"))  # the answer stands before its test
        was, now = (
            next((c.source for c in which.read("executed", pupil).cells if c.id in names), None)
            for which in (old, course)
        )
        if was == now:
            course.give_by_hand(pupil, cell, points, comment)
        else:
            handed_in[pupil].notes.append(f"{cell} has another answer than when it was graded by hand")
    course.refuse_what_nobody_gave()
