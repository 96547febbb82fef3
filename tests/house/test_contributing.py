"""CONTRIBUTING.md is a map of the house as it stands, and its recipes say what the code asks for."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from floors import FLOORS

import gsnn_tutorial
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.metrics import MEASURES, METRICS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gsnn_tutorial"
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHAPTERS = {int(path.name[:2]): path for path in sorted((ROOT / "notebooks").glob("[0-9]*.py"))}


def test_every_room_is_on_the_map_and_in_the_readme_and_no_other():
    rows = " ".join(line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `"))
    files, wings = set(re.findall(r"`(\w+)\.py`", rows)), set(re.findall(r"`(\w+)/`", rows))
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert wings == folders
    assert modules - {"moved"} <= files and "`moved.py`" in GUIDE
    assert all(list(PACKAGE.rglob(f"{name}.py")) for name in files)
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("## The package")[1].split("\n## ")[0]
    named = {name for line in readme.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}
    assert named == modules - {"moved"} | folders


def test_the_order_of_the_wings_is_the_order_of_the_floors():
    wings = [name for name in re.findall(r"^\| `(\w+)/` ", GUIDE, re.M) if name != "gsnn"]  # of the reading room
    assert [room for room in FLOORS if room in wings] == wings


@pytest.mark.parametrize(
    "path", re.findall(r"`((?:study|exercises|kernels|tests|notebooks|benchmarks|gsnn_course|\.ci)/[\w./]*)`", GUIDE)
)
def test_every_path_of_the_recipes_exists(path):
    for name in (path, path.replace("chapter_N", "chapter_1").replace("0N_name", "01_pathway_graph")):
        if (PACKAGE / name).exists() or (ROOT / name).exists():
            return
    pytest.fail(f"{path} is not there")


def test_an_arm_is_told_apart_by_its_words_and_its_marker():
    assert all(arm.name == name and arm.words and arm.told and arm.use for name, arm in ARMS.items())
    assert len({arm.words for arm in ARMS.values()}) == len({str(arm.marker) for arm in ARMS.values()}) == len(ARMS)


def test_a_metric_stands_in_a_group_and_says_what_it_is():
    grouped = [metric.name for metrics in MEASURES.values() for metric in metrics]
    assert len(grouped) == len(set(grouped))
    for name, metric in METRICS.items():
        assert metric.name == name and metric.words and metric.direction in (1, -1)
        assert name == "test_mse" or name in grouped  # the error is in every study


@pytest.mark.parametrize("number", CHAPTERS)
def test_an_exercise_has_a_stub_of_its_name_and_arguments_and_a_call(number):
    checks = ast.parse((PACKAGE / "exercises" / f"chapter_{number}.py").read_text(encoding="utf-8"))
    exercises = {
        node.name: [a.arg for a in node.args.args]
        for node in checks.body
        if isinstance(node, ast.FunctionDef) and any("exercise(" in ast.unparse(d) for d in node.decorator_list)
    }
    text = CHAPTERS[number].read_text(encoding="utf-8")
    stubs = {
        node.name: [a.arg for a in node.args.args]
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and "raise NotImplementedError" in ast.unparse(node)
    }
    assert stubs == exercises
    assert set(re.findall(r"^checks\.(\w+)\((\w+)\);", text, re.M)) == {(name, name) for name in exercises}


def test_versions_agree_and_the_newest_change_is_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = re.findall(r"^## ([\d.]+), (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert cited["version"] == gsnn_tutorial.__version__ == changes[0][0]
    assert str(cited["date-released"]) == changes[0][1]
    assert f"version {gsnn_tutorial.__version__}" in (ROOT / "README.md").read_text(encoding="utf-8")
