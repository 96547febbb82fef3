"""What README, package, conda environment, Binder and continuous integration say agrees."""

import ast
import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import networkx as nx
import pytest
import yaml
from floors import FLOORS
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
PACKAGE, PACKAGES = ROOT / "gsnn_tutorial", ("gsnn_tutorial", "gsnn_course", "benchmarks")
CONDA_NAMES = {"pytorch": "torch", "pytorch_geometric": "torch-geometric", "matplotlib-base": "matplotlib"}
IMPORT_NAMES = {"scikit-learn": "sklearn", "torch-geometric": "torch_geometric", "pillow": "PIL", "ipython": "IPython"}


def requirements(*extras):
    lines = PROJECT["dependencies"] + [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    return {r.name: r.specifier for r in map(Requirement, lines) if r.name != PROJECT["name"]}


def imports(path):
    """The modules that a file imports, by their whole names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            known = node.module.split(".")[0] in PACKAGES
            for alias in node.names:  # from a package of ours a name may be a module
                whole = f"{node.module}.{alias.name}"
                yield whole if known and (ROOT / whole.replace(".", "/")).with_suffix(".py").exists() else node.module
                if known and (ROOT / whole.replace(".", "/") / "__init__.py").exists():
                    yield whole
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def files(*packages):
    return [path for package in packages for path in (ROOT / package).rglob("*.py")]


def test_continuous_integration_runs_the_commands_of_the_readme():
    readme, ci = (ROOT / "README.md").read_text(encoding="utf-8"), (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = 'pip install -c constraints.txt -e ".[test]" && pytest'
    assert f"    {command}\n" in readme
    assert command in ci
    assert "pytest -m slow" in ci
    assert ci.index("export PYTHONWARNDEFAULTENCODING=1") < ci.index(command)  # encodings are looked at there
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert ci.splitlines()[-1] == ".ci/browser" and os.access(ROOT / ".ci" / "browser", os.X_OK)
    assert "pytest -m browser" in (ROOT / ".ci" / "browser").read_text(encoding="utf-8")


def test_a_file_that_is_opened_without_an_encoding_is_an_error(tmp_path):
    """Elsewhere than on Linux and macOS, the default is often not UTF-8."""
    for folder, module in (("gsnn_tutorial", "test_package"), ("tests", "test_tests"), ("elsewhere", "test_elsewhere")):
        (tmp_path / folder).mkdir()
        text = f"def test_it(tmp_path):\n    (tmp_path / {folder!r}).write_text('')\n"
        (tmp_path / folder / f"{module}.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-X", "warn_default_encoding", "-m", "pytest", "-q", "-c", ROOT / "pyproject.toml"]
    command += ["--rootdir", tmp_path, "-n0", "-p", "no:cacheprovider", tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    failed = set(re.findall(r"^FAILED (\w+)/.* - EncodingWarning", done.stdout, re.M))
    assert failed == {"gsnn_tutorial", "tests"} and "2 failed, 1 passed" in done.stdout, done.stdout + done.stderr


def test_the_helpers_of_tests_are_among_the_files_that_must_name_an_encoding():
    options = PYPROJECT["tool"]["pytest"]["ini_options"]
    [line] = [line for line in options["filterwarnings"] if line.startswith("error::EncodingWarning")]
    helpers = {p.stem for folder in options["pythonpath"] for p in (ROOT / folder).glob("*.py")}
    assert {name for name in helpers if not name.startswith("test_")} <= set(re.findall(r"\w+", line))


def test_the_packages_declare_what_they_import_and_nothing_else():
    declared = {IMPORT_NAMES.get(name, name) for name in requirements("course")}
    declared |= {"myst_nb", "nbconvert", "sphinx_book_theme"}
    found = {name.split(".")[0] for path in files("gsnn_tutorial", "gsnn_course") for name in imports(path)}
    third_party = found - {*sys.stdlib_module_names, *PACKAGES}
    assert third_party - {"IPython"} == declared  # a notebook, the only place where IPython is used, brings its own


def test_the_package_knows_neither_the_course_nor_the_benchmarks():
    for path in files("gsnn_tutorial"):
        assert not [n for n in imports(path) if n.startswith(("gsnn_course", "benchmarks"))], path


def test_the_wall_would_be_seen_to_fall(tmp_path):
    (tmp_path / "climber.py").write_text("def late():\n    from gsnn_course import grade\n", encoding="utf-8")
    assert "gsnn_course.grade" in list(imports(tmp_path / "climber.py"))


def test_imports_run_one_way():
    for path in files("gsnn_tutorial"):
        here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in imports(path) if here != "__init__" else ():
            room = (name.split(".") + [""])[1]
            if name.startswith("gsnn_tutorial.") and room in FLOORS and room != here:
                assert FLOORS.index(room) < FLOORS.index(here), f"{path} imports {name} from above"


def test_no_two_files_of_a_room_import_each_other():
    graph = nx.DiGraph()
    for path in files(*PACKAGES):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        late = {n for f in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(f, ast.FunctionDef)
                for i in ast.walk(f) if isinstance(i, ast.ImportFrom) for n in [i.module]}  # fmt: skip
        graph.add_edges_from((name, other) for other in imports(path) if other not in late | {name, *PACKAGES})
    assert list(nx.simple_cycles(graph)) == []


def test_every_module_has_its_floor():
    found = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in files("gsnn_tutorial")} - {"__init__"}
    assert found == set(FLOORS)


def test_conda_asks_for_what_the_package_asks_for():
    lines = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda = {}
    for line in lines:
        name, _, bound = line.partition(" ")
        conda[CONDA_NAMES.get(name, name)] = bound
    for name, specifier in requirements("lab").items():
        assert conda.pop(name) == str(specifier), name
    assert conda == {"python": "=3.12", "pip": "", "pytorch-cpu": "", "setuptools": ">=77"}
    assert PROJECT["requires-python"] == ">=3.11,<3.14"


def test_constraints_pin_what_is_asked_for():
    pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M))
    pins = {name.lower(): version for name, version in pins.items()}
    for name, specifier in requirements("lab", "test", "book", "browser").items():
        assert Version(pins[name]) in specifier, name
    assert pins["torch"] == "2.13.0"


def test_pupils_do_not_get_the_buttons_of_nbgrader():
    """Validate and Create Assignment are for courses: nothing of [lab] brings nbgrader."""
    todo, seen = list(requirements("lab")), set()
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        with contextlib.suppress(PackageNotFoundError):
            asked = [Requirement(line) for line in requires(name) or []]
            todo += [r.name for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})]
    assert "jupyterlab" in seen and "jupyter-server" in seen and "nbgrader" not in seen
    assert "nbgrader" in requirements("course")


def test_torch_is_asked_for_loosely():
    assert not [s for s in requirements()["torch"] if s.operator not in (">=", ">")]


def test_binder_uses_the_conda_environment_and_stops_at_an_error():
    conda, post = ROOT / "binder" / "environment.yml", ROOT / "binder" / "postBuild"
    assert not conda.is_symlink()  # which a clone on Windows turns into a text file
    assert conda.read_bytes() == (ROOT / "environment.yml").read_bytes()  # Binder reads nothing outside its folder
    assert os.access(post, os.X_OK)
    assert "\nset -e\n" in post.read_text(encoding="utf-8") and "--no-deps" in post.read_text(encoding="utf-8")


def test_binder_lays_the_python_that_the_environment_names(tmp_path):
    for name in ("binder", "pyproject.toml"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    command = [
        sys.executable,
        "-m",
        "repo2docker",
        "--no-build",
        "--debug",
        "--user-id",
        "1000",
        "--user-name",
        "j",
        ".",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    said = done.stdout + done.stderr
    assert "Building conda environment for python=3.12" in said
    assert "unspecified" not in said and "environment-2epy-2d3-2e12" in said  # the base that it copies


def test_a_binder_session_starts_with_one_thread():
    start = ROOT / "binder" / "start"
    assert os.access(start, os.X_OK)
    count = "import os; print(*(os.environ[f'{name}_NUM_THREADS'] for name in ('OMP', 'MKL', 'OPENBLAS')))"
    done = subprocess.run([start, sys.executable, "-c", count], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["1", "1", "1"]


def test_no_file_is_a_symbolic_link():
    """A clone on Windows makes a text file of a link, which holds the path of its target."""
    listed = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert [line for line in listed.stdout.splitlines() if line.startswith("120000")] == []


def test_the_readme_lists_every_notebook():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [p.stem for p in (ROOT / "notebooks").glob("[0-9]*.py") if p.stem not in readme] == []


@pytest.mark.parametrize(
    ("name", "figure", "place"), [("03_gsnn", "gsnn.png", 0), ("07_does_the_prior_help", "verdict.png", 2)]
)
def test_the_figures_of_the_readme_are_those_that_the_chapters_compute(name, figure, place):
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    images = [
        o["data"]["image/png"]
        for c in notebook["cells"]
        for o in c.get("outputs", [])
        if "image/png" in o.get("data", {})
    ]
    assert base64.b64decode(images[place]) == (ROOT / "notebooks" / figure).read_bytes()
    assert f"(notebooks/{figure})" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("error:gsnn_tutorial.* has moved:DeprecationWarning")
def test_the_lines_of_the_readme_run_and_print_what_it_says(capsys):
    (lines,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    names = {}
    exec(lines, names)  # noqa: S102
    printed = [re.findall(r"\d\.\d+", line)[-2:] for line in capsys.readouterr().out.splitlines()]
    (plain, floor), (penalised, _) = [[float(number) for number in line] for line in printed]
    assert floor < penalised < plain < 0.8


def test_links_in_the_readme_resolve():
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_no_file_names_a_place_on_a_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    places = re.compile("|".join(["/" + name + "/" for name in ("tmp", "work", "root", "home", "Users")]))
    named = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix not in {".npz", ".png"}:
            if places.search(path.read_text(encoding="utf-8", errors="ignore")):
                named.append(name)
    assert named == []
