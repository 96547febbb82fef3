"""Every exercise of the package, by its file and name."""

import importlib

from gsnn_tutorial.exercises import Exercise

FILES = [f"chapter_{k}" for k in range(1, 9)] + [f"assignment_{k}" for k in range(1, 6)]


def exercises(package: str = "gsnn_tutorial.exercises") -> dict[str, Exercise]:
    """{file.name: exercise} of a package with these files."""
    modules = {file: vars(importlib.import_module(f"{package}.{file}")) for file in FILES}
    return {
        f"{file}.{name}": value
        for file, names in modules.items()
        for name, value in list(names.items())
        if isinstance(value, Exercise)
    }


EXERCISES = exercises()
