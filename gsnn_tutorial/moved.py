"""Old names of modules: for one version they still work, and a DeprecationWarning names the new place.

A module that is listed here may have been divided: its names are then looked up in each of its new places.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

SINCE = "0.4.0"
MOVED = {  # an old module or package, which stands for all below it: the modules that have its names now
    "arrays": ("gsnn_tutorial.validate.arrays",),
    "bench": ("benchmarks",),
    "bench.cores": ("benchmarks.thread_counts",),
    "bench.losses": ("benchmarks.peer",),
    "bench.models": ("benchmarks.models", "gsnn_tutorial.study.speed"),
    "bench.scaling": ("benchmarks.growth", "gsnn_tutorial.study.speed"),
    "bench.table": ("benchmarks.in_words", "gsnn_tutorial.study.speed"),
    "checks": ("gsnn_tutorial.exercises",),
    "checks.inputs": ("gsnn_tutorial.exercises.wording",),
    "checks.shrink": ("gsnn_tutorial.exercises.smallest", "gsnn_tutorial.exercises.values"),
    "checks.values": ("gsnn_tutorial.exercises.values", "gsnn_tutorial.exercises.wording"),
    "commands.bench": ("benchmarks.command",),
    "commands.bench_options": ("benchmarks.__main__",),
    "commands.book": ("gsnn_course.command_line",),
    "commands.compare_options": ("gsnn_tutorial.commands.options",),
    "commands.cost": ("gsnn_course.command_line",),
    "commands.course": ("gsnn_course.command_line",),
    "commands.fresh": ("gsnn_course.command_line",),
    "commands.mine_options": ("gsnn_tutorial.commands.options",),
    "commands.publish": ("gsnn_course.command_line",),
    "commands.study": ("gsnn_tutorial.commands.named_study",),
    "commands.study_options": ("gsnn_tutorial.commands.options",),
    "course": ("gsnn_course",),
    "course.carrying": ("gsnn_course.grade", "gsnn_course.roster"),
    "course.graders": ("gsnn_tutorial.exercises",),
    "course.graders.assignment_3.exercise_4_cases": ("gsnn_tutorial.exercises.assignment_3.exercise_4",),
    "course.graders.assignment_3.exercise_6_cases": ("gsnn_tutorial.exercises.assignment_3.exercise_6",),
    "course.seeds": ("gsnn_course.release",),
    "course.suspicions": ("gsnn_course.intake",),
    "files": ("gsnn_tutorial.study.files", "gsnn_tutorial.study.run_folder"),
    "node": ("gsnn_tutorial.gsnn.node",),
    "own": ("gsnn_tutorial.study.own",),
    "own.fitting": ("gsnn_tutorial.study.replicas",),
    "own.graph": ("gsnn_tutorial.study.own.own_graph",),
    "own.paired": ("gsnn_tutorial.study.arms", "gsnn_tutorial.study.own.rivals", "gsnn_tutorial.study.tuning"),
    "own.problem": ("gsnn_tutorial.study.own.splits",),
    "own.signs": ("gsnn_tutorial.study.own.own_graph",),
    "own.tuned": ("gsnn_tutorial.study.tuning",),
    "own.values": ("gsnn_tutorial.study.own.measured",),
    "plots.maps": ("gsnn_tutorial.plots.over_settings",),
    "plots.study": ("gsnn_tutorial.plots.forests",),
    "plots.training": ("gsnn_tutorial.plots.histories",),
    "priors": ("gsnn_tutorial.study.priors",),
    "publishing": ("gsnn_course.publishing",),
    "publishing.lecture": ("gsnn_course.publishing.slides",),
    "study.tuned": ("gsnn_tutorial.study.tuning",),
    "study.verdict": ("gsnn_tutorial.study.verdicts",),
    "worked": ("gsnn_tutorial.study.own",),
    "worked.steps": ("gsnn_tutorial.study.own.hepatocytes",),
}

SCRIPTS = {  # old modules that are scripts now, which nobody imports
    "worked.blocked": "blocked.py",
    "worked.gcn": "gcn.py",
    "worked.make_tables": "make_tables.py",
    "worked.rows": "hepatocytes_tuned.py",
    "worked.scale": "scale.py",
    "worked.tuned": "hepatocytes_tuned.py",
}


def new_places(name: str) -> tuple[str, ...]:
    """The modules that have the names of an old module now; none if the module has not moved."""
    package, _, old = name.partition(".")
    known, rest = old, ""
    while known and known not in MOVED:
        known, _, last = known.rpartition(".")
        rest = f".{last}{rest}"
    return tuple(place + rest for place in MOVED[known]) if known and package == "gsnn_tutorial" else ()


class OldNames(MetaPathFinder, Loader):
    """Finds a module by its old name, as a module that hands on the names of the new ones."""

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        if script := SCRIPTS.get(name.partition(".")[2]):
            raise ModuleNotFoundError(f"{name} is a script in version {SINCE}: notebooks/studies/{script}", name=name)
        return ModuleSpec(name, self, is_package=True) if new_places(name) else None

    def exec_module(self, module: ModuleType):
        places = new_places(module.__name__)
        text = f"{module.__name__} has moved to {' and '.join(places)} in version {SINCE}: import it from there"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        found = [importlib.import_module(place) for place in places]

        def look_up(name: str):
            for place in found:
                if hasattr(place, name):
                    return getattr(place, name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__getattr__ = look_up


def install():
    """Make the old names work, once."""
    if not any(isinstance(finder, OldNames) for finder in sys.meta_path):
        sys.meta_path.append(OldNames())


install()
