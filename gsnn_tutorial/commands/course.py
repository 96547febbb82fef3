"""``python -m gsnn_tutorial course``: its steps, their options, and what they do."""

from __future__ import annotations

import argparse
from pathlib import Path

from gsnn_tutorial.commands.options import option


def add(commands):
    """Add the command, with its steps, to those of the parser."""
    course = commands.add_parser("course", help="the assignments: make pupils' notebooks, grade what they hand in")
    steps = course.add_subparsers(dest="step", required=True, metavar="STEP")
    release = steps.add_parser(
        "release",
        help="make the pupils' notebooks from their sources",
        description="Writes every assignment as pupils get it, without solutions and hidden tests, beside its source.",
    )
    option(release, "--seed", "the year's seed, written into every source first", "as it is", type=int)
    grade = steps.add_parser(
        "grade",
        help="grade a class",
        description="Grades with nbgrader, and prints points and what happened for each pupil. Submissions are code: "
        "run this in a container or under a throw-away account. The output folder is an nbgrader course.",
    )
    grade.add_argument("assignment", help="its number, such as 1")
    grade.add_argument("submissions", help="a folder with a sub-folder or a notebook for each pupil", metavar="FOLDER")
    option(grade, "--output", "a new folder", "runs/course", metavar="FOLDER")
    option(grade, "--jobs", "notebooks that run at a time", 2)
    option(grade, "--cell-seconds", "how long a cell may take", 30.0)
    option(grade, "--seconds", "how long a submission may take", 300.0)
    report = steps.add_parser("report", help="tables and feedback anew, after grading by hand in nbgrader's formgrader")
    report.add_argument("output", help="a folder that course grade has written", metavar="FOLDER")
    for step in (release, grade):
        option(step, "--assignments", "where the assignments are", "notebooks/assignments", metavar="FOLDER")


def run(given: argparse.Namespace) -> bool:
    """Run a step of the command; whether it finished.

    Raises ValueError where what grading needs is not installed.
    """
    try:
        from gsnn_tutorial import validate
        from gsnn_tutorial.course import grade, release
    except ModuleNotFoundError as error:
        raise ValueError(f'{error.name} is missing; pip install -e ".[course]" brings it') from error

    if given.step == "release":
        for path in release.write_releases(Path(given.assignments), given.seed):
            print(path)
        return True
    if given.step == "report":
        table = grade.report(Path(given.output))
    else:
        sources = release.sources(Path(given.assignments))
        source = sources[validate.choice("assignment", given.assignment, sources)]
        limits = {"jobs": given.jobs, "cell_seconds": given.cell_seconds, "seconds": given.seconds}
        table = grade.grade(source, Path(given.submissions), Path(given.output), **limits)
    grade.show(table)
    print(f"feedback, gradebook and tables are in {given.output}")
    return True
