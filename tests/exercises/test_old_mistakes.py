"""The 567 mistakes of version 0.3, which were functions of their own, read the same diagnoses as ever.

tests/golden/mistakes_0_3.zip holds the files of that version as they were:

    git archive --format=zip -9 -o tests/golden/mistakes_0_3.zip 5f146a9 \\
        $(git ls-tree -r --name-only 5f146a9 gsnn_tutorial/checks gsnn_tutorial/course/graders |
          grep -E "chapter_|graders/")
"""

import re
import sys
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from all_exercises import EXERCISES, exercises

ARCHIVE = Path(__file__).parents[1] / "golden" / "mistakes_0_3.zip"
MOVED = {
    "gsnn_tutorial.course.graders.": "mistakes_0_3.",
    "gsnn_tutorial.checks.": "gsnn_tutorial.exercises.",
    "gsnn_tutorial.node ": "gsnn_tutorial.gsnn.node ",
}
BETTER = {}  # {old diagnosis: the words that took its place on purpose}
ODD = ["you return the last loss only. Return a list with the loss of every epoch."]  # trained twice, which nobody does


class OldFiles(MetaPathFinder, Loader):
    """Imports files of the archive as modules of ``mistakes_0_3``, on the machinery of today."""

    def __init__(self):
        self.texts = {"mistakes_0_3": ""}
        with ZipFile(ARCHIVE) as archive:
            for path in filter(re.compile(r"(chapter|assignment)_.*\.py$").search, archive.namelist()):
                name = re.sub(r".*/(checks|graders)/|/__init__|\.py$", "", path).replace("/", ".")
                self.texts[f"mistakes_0_3.{name}"] = archive.read(path).decode()

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name in self.texts else None

    def exec_module(self, module):
        text = self.texts[module.__name__]
        for old, new in MOVED.items():
            text = text.replace(f"from {old}", f"from {new}")
        exec(compile(text, module.__name__, "exec"), vars(module))


@pytest.fixture(scope="module")
def old():
    finder = OldFiles()
    sys.meta_path.insert(0, finder)
    yield exercises("mistakes_0_3")
    sys.meta_path.remove(finder)


def test_the_archive_has_every_mistake(old):
    assert old.keys() <= EXERCISES.keys() and sum(len(task.mistakes) for task in old.values()) == 567


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EXERCISES)
def test_an_old_mistake_reads_its_diagnosis_on_every_seed(name, old, monkeypatch):
    # One mistake of linear_mse fits on rows that are all alike, of which the usual driver makes this or that by chance.
    monkeypatch.setattr(torch.linalg, "lstsq", partial(torch.linalg.lstsq, driver="gelsd"))
    with np.errstate(all="ignore"):
        for diagnosis in old[name].mistakes.keys() - ODD:
            wrong = old[name].mistakes[diagnosis]
            expected = BETTER.get(diagnosis, diagnosis)
            assert [EXERCISES[name].diagnose(wrong, seed) for seed in range(5)] == [expected] * 5
