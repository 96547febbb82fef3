"""Old names of modules work for one version, and say where the new ones are."""

import importlib
import sys
import warnings
from pathlib import Path

import pytest

from gsnn_tutorial.moved import MOVED, SCRIPTS, new_places

ROOT = Path(__file__).parent.parent.parent


def imported_anew(name):
    sys.modules.pop(name, None)
    return importlib.import_module(name)


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_is_imported_with_a_warning_that_names_the_new_place(old):
    name = f"gsnn_tutorial.{old}"
    with pytest.warns(DeprecationWarning) as caught:
        module = imported_anew(name)
    (text,) = [str(w.message) for w in caught if f"{name} has moved" in str(w.message)]
    assert all(place in text for place in new_places(name))
    for place in new_places(name):
        new = vars(importlib.import_module(place))
        public = new.get("__all__", [key for key, value in new.items() if getattr(value, "__module__", "") == place])
        assert [key for key in public if not hasattr(module, key)] == []


@pytest.mark.parametrize(
    "line",
    [
        "from gsnn_tutorial.course.graders import assignment_1 as checks",
        "from gsnn_tutorial.checks import chapter_3 as checks",
        "from gsnn_tutorial.priors.weights import EdgePenalty, edges_outside",
        "from gsnn_tutorial.own.paired import OWN_ARMS, RIVALS, trainings",
        "from gsnn_tutorial.node import GroupLayerNorm",
        "from gsnn_tutorial.files import write_csv, RunFolder",
        "from gsnn_tutorial.worked.steps import CAREFUL",
    ],
)
def test_lines_of_notebooks_of_the_last_version_still_run(line):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        exec(line, {})  # noqa: S102


@pytest.mark.parametrize("old", SCRIPTS)
def test_a_module_that_is_a_script_now_says_which(old):
    assert (ROOT / "notebooks" / "studies" / SCRIPTS[old]).is_file()
    with pytest.raises(ModuleNotFoundError, match=f"is a script in version .*notebooks/studies/{SCRIPTS[old]}"):
        importlib.import_module(f"gsnn_tutorial.{old}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_name_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        importlib.import_module("gsnn_tutorial.nowhere")
    with pytest.raises(ImportError, match="nothing"):
        from gsnn_tutorial.priors.weights import nothing  # noqa: F401
