"""All studies by name, and the results that the package carries.

``python -m gsnn_tutorial study NAME`` computes one again. Chapters show the saved tables, and compute a few of
their rows again.
"""

from __future__ import annotations

import json
from importlib.resources import files

import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.study.files import read_csv
from gsnn_tutorial.study.named import UNTUNED
from gsnn_tutorial.study.plans import PLANNED

STUDIES = UNTUNED | PLANNED


def saved_study(name: str) -> pd.DataFrame:
    """The table of a study as the package carries it: the part's label, then the columns of ``paired_study``."""
    validate.choice("name", name, STUDIES)
    return read_csv(files("gsnn_tutorial") / "data" / "studies" / f"{name}.csv")


def saved_settings(name: str) -> dict:
    """The origin of a saved study: command, settings, versions, device, wall time."""
    validate.choice("name", name, STUDIES)
    return json.loads((files("gsnn_tutorial") / "data" / "studies" / f"{name}.json").read_text(encoding="utf-8"))
