"""The table of a study as a file: it grows with every finished block, and an interrupted study goes on from it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from gsnn_tutorial.study.files import EXACT, UnusableFile, alone, json_text, read_json, sweep, write_csv, write_json
from gsnn_tutorial.study.metrics import USUAL_MEASURES, chosen
from gsnn_tutorial.study.problem import Drawn
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.tuning import Tuning, tuned_columns

FIRST_COLUMNS = ["seed", "arm", "diverged", "floor", "test_mse"]
REMEDY = "give another output, or remove it"


def table_columns(
    measures: str | Sequence[str] = USUAL_MEASURES, tuning: Tuning | None = None, outputs: Sequence[str] | None = None
) -> list[str]:
    """The columns of a study's table, in their order, with those of some groups of ``MEASURES`` and of a tuning.

    ``outputs`` are the names of those of measured data: each has its error there, and a noise floor or a learning
    curve there is none.
    """
    measured = outputs is not None
    first = [name for name in FIRST_COLUMNS if not (measured and name in ("diverged", "floor"))]
    more = [] if tuning is None else tuned_columns(tuning, curve=not measured)
    return [*first, *(metric.name for metric in chosen(measures)), *more, *(f"mse: {name}" for name in outputs or ())]


def settings_of(problem: Drawn, recipe: Recipe, tuning: Tuning | None = None) -> dict:
    """The settings that a study's table belongs to, besides seeds, arms and metrics, which are in it."""
    described = getattr(problem, "described", None)  # a problem that is no dataclass of numbers describes itself
    of = {"problem": asdict(problem) if described is None else described, "recipe": recipe.described}
    return of if tuning is None else of | {"tuning": asdict(tuning)}


def settings_file(path: str | Path) -> Path:
    """The settings file that belongs to a table, e.g. study.csv.json for study.csv."""
    return Path(path).with_name(Path(path).name + ".json")


def check_settings(path: str | Path, settings: dict):
    """Raise UnusableFile unless the settings file of the table ``path`` holds these settings."""
    path, beside = Path(path), settings_file(path)
    if not beside.exists():
        raise UnusableFile(f"resume: {beside}, which says of which problem and recipe {path.name} is, is "
                           "missing; give another output, or remove the table")  # fmt: skip
    earlier = _flat(read_json(beside, {"problem": dict, "recipe": dict}))
    now = _flat(json.loads(json_text(settings)))
    differing = [key for key in {**now, **earlier} if now.get(key) != earlier.get(key)]
    if differing:
        key = differing[0]
        raise UnusableFile(f"resume: {path} is of a study of another problem or recipe, with {key} = "
                           f"{earlier.get(key)!r} and not {now.get(key)!r}; {REMEDY}")  # fmt: skip


class TableFile:
    """The rows of a study, and the CSV file that they are kept in, if there is one.

    The file is whole at any time. The settings that it belongs to stand in another one, see ``settings_file``.

    Arguments
        path: the file, or None for none; an older one is replaced, unless ``resume`` is called.
        names: the columns.
        settings: see ``settings_of``; None writes none, and checks none of an older file.
    """

    def __init__(self, path: str | Path | None, names: Sequence[str], settings: dict | None = None):
        self.path, self.names, self.rows = None if path is None else Path(path), list(names), []
        self.settings = settings

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """While the body runs, nobody else writes the file. Raises UnusableFile if someone does."""
        if self.path is None:
            yield
            return
        if not self.path.absolute().parent.is_dir():
            raise UnusableFile(f"output must be a file in a folder that exists, got {self.path}")
        with alone(self.path):
            sweep(self.path)
            yield

    def resume(self, arms: Sequence[str], seeds: Sequence[int]):
        """Take over the rows of an earlier study; those of ``seeds`` only where all arms are finished.

        A last line that was cut does not count. Raises ValueError without a path, and UnusableFile for a file that
        has other arms, columns or settings, or that no study wrote.
        """
        if self.path is None:
            raise ValueError("resume needs output, the file of the study that is to go on")
        if not self.path.exists():
            return
        table = self._read()
        if list(table) != self.names or not set(table["arm"]) <= set(arms):
            raise UnusableFile(f"resume: {self.path} is of a study of other arms or metrics; {REMEDY}")
        if not len(table):
            return
        self._check(table)
        complete = table.groupby("seed")["arm"].transform("nunique") == len(arms)
        rows = table[complete | ~table["seed"].isin(seeds)].to_dict("records")
        of_seed = {seed: place for place, seed in enumerate(table["seed"].unique())}
        of_arm = {arm: place for place, arm in enumerate(arms)}
        self.rows = sorted(rows, key=lambda row: (of_seed[row["seed"]], of_arm[row["arm"]]))

    def _read(self) -> pd.DataFrame:
        """The file's whole lines as a table."""
        try:
            text = self.path.read_bytes().decode("utf-8")
            whole = text[: text.rfind("\n") + 1]  # a line counts when its end has been written
            lines = list(csv.reader(io.StringIO(whole, newline="")))
        except (UnicodeDecodeError, csv.Error) as error:
            raise UnusableFile(f"resume: {self.path} is no table of text ({error}); {REMEDY}") from error
        if not lines:
            raise UnusableFile(f"resume: {self.path} is empty or cut in its first line; {REMEDY}")
        if len(lines[-1]) < len(lines[0]):
            del lines[-1]
        for number, line in enumerate(lines, 1):
            if len(line) != len(lines[0]):
                raise UnusableFile(f"resume: line {number} of {self.path} has {len(line)} values, and its first line "
                                   f"names {len(lines[0])}; {REMEDY}")  # fmt: skip
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerows(lines)
        buffer.seek(0)
        return pd.read_csv(buffer, **EXACT)

    def _check(self, table: pd.DataFrame):
        """Raise unless the rows are such as a study writes, and of this one's settings."""
        odd = [name for name in self.names if name != "arm" and not pd.api.types.is_numeric_dtype(table[name])]
        if odd or not pd.api.types.is_integer_dtype(table["seed"]):
            raise UnusableFile(f"resume: {self.path} has no numbers in the column {(odd or ['seed'])[0]}; {REMEDY}")
        if table.duplicated(["seed", "arm"]).any():
            seed, arm = table.loc[table.duplicated(["seed", "arm"]), ["seed", "arm"]].iloc[0]
            raise UnusableFile(f"resume: {self.path} has the arm {arm} of seed {seed} twice; {REMEDY}")
        if self.settings is not None:
            check_settings(self.path, self.settings)

    @property
    def seeds(self) -> set[int]:
        """The seeds that have rows."""
        return {row["seed"] for row in self.rows}

    def start(self):
        """Rewrite the CSV from the rows in memory, and the JSON beside it that records the settings."""
        if self.path is not None:
            write_csv(pd.DataFrame(self.rows, columns=self.names), self.path)
            if self.settings is not None:
                write_json(self.settings, settings_file(self.path))

    def add(self, rows: list[dict]):
        """Take up the rows of a finished block, at once in the file too."""
        if self.path is not None:
            write_csv(pd.DataFrame(self.rows + rows, columns=self.names), self.path)
        self.rows = self.rows + rows

    def table(self, seeds: Sequence[int]) -> pd.DataFrame:
        """The rows of these seeds, in their order."""
        order = {seed: place for place, seed in enumerate(seeds)}
        rows = [row for row in self.rows if row["seed"] in order]
        return pd.DataFrame(sorted(rows, key=lambda row: order[row["seed"]]), columns=self.names)


def _flat(settings: dict) -> dict:
    """{"recipe.epochs": 500, ...}"""
    return {f"{group}.{key}": value for group, values in settings.items() if isinstance(values, dict)
            for key, value in values.items()}  # fmt: skip
