"""A seed for each pupil: releases with data of their own, of which the grader knows whose they are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nbformat

from gsnn_course.arrivals import unique
from gsnn_course.release import SEED, release, sources, with_seed
from gsnn_course.roster import read_roster
from gsnn_tutorial.study.files import write_text


def own_seed(seed: int, pupil: str) -> int:
    """The seed of one pupil's release, from the year's."""
    return int(hashlib.sha256(f"{seed}:{pupil}".encode()).hexdigest()[:8], 16) % 10**6


def with_own_seed(notebook, pupil: str):
    """A release with the seed of one pupil."""
    notebook = nbformat.from_dict(json.loads(json.dumps(notebook)))
    for cell in notebook.cells:
        cell.source = SEED.sub(lambda found: f"SEED = {own_seed(int(found[1]), pupil)}", cell.source)
    return notebook


def write_own_releases(folder: Path, roster: Path, output: Path, seed: int | None = None) -> int:
    """Write a release of each assignment for each pupil of a roster, ``output``/ID/NAME.ipynb; how many there are."""
    taken, number = set(), 0
    pupils = [unique(identity, taken) for identity in read_roster(roster).pupils["id"]]
    for source in sources(folder).values():
        blank = release(source, None if seed is None else with_seed(source, seed))
        for pupil in pupils:
            path = Path(output) / pupil / f"{source.stem}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(nbformat.writes(with_own_seed(blank, pupil)).rstrip("\n") + "\n", path)
            number += 1
    return number
