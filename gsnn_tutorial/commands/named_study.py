"""A long study by its name, into a folder; an interrupted one goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.study.files import UnusableFile, read_json, write_json
from gsnn_tutorial.study.named import Part, settings_of_part
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.run_folder import RunFolder, usable_device
from gsnn_tutorial.study.saved import STUDIES
from gsnn_tutorial.study.table import settings_file, settings_of
from gsnn_tutorial.study.tuning import CHOICES
from gsnn_tutorial.study.verdicts import in_words

SHOWN = ["test_mse", "cka_gap", "cka_ari"]


def run_study(
    name: str, output: str | Path | None = None, device: str = "cpu", seeds: int | None = None, progress: bool = True
) -> bool:
    """Compute a study of ``STUDIES`` into a folder: NAME.csv, with the settings in run.json.

    Finished parts and seeds are kept in ``parts``; a run that was interrupted goes on from there. Returns whether
    it was finished.

    Arguments
        output: the folder; None takes runs/study/NAME.
        seeds: only so many seeds of each part.

    Raises ValueError for an unknown name or a number of seeds that there are not, and UnusableFile, which is one, for
    a folder that holds another study's parts.
    """
    parts, progress = checked_parts(name, seeds), validate.flag("progress", progress)
    settings = {"study": name, "parts": [settings_of_part(part) for part in parts]}
    output = Path("runs") / "study" / name if output is None else output
    with RunFolder(output, settings, usable_device(device)) as folder:
        return _compute(folder, name, parts, device, progress)


def checked_parts(name: str, seeds: int | None = None) -> list[Part]:
    """The parts of a study, with only so many seeds of each. Raises ValueError for a study or seeds there are not."""
    parts = STUDIES[validate.choice("name", name, tuple(STUDIES))].parts
    if seeds is None:
        return list(parts)
    most = min(len(part.seeds) for part in parts)
    if validate.integer("seeds", seeds, 1) > most:
        raise ValueError(f"seeds must be at most {most}, which each part of {name} has; got {seeds}")
    return [replace(part, seeds=part.seeds[:seeds]) for part in parts]


def _compute(folder: RunFolder, name: str, parts: list[Part], device: str, progress: bool) -> bool:
    settings = folder.settings["parts"]
    kept = folder.path / "parts"
    state = kept / "state.json"
    known = state.exists()  # it says what the parts are of, also those of version 0.2.0, which do not themselves
    seconds = _resumable(state, settings)
    tables, finished = [], True
    for number, part in enumerate(tqdm(parts, desc=name, unit="part", disable=not progress)):
        start, csv = time.perf_counter(), kept / f"{number}.csv"
        if known and csv.exists() and not settings_file(csv).exists():
            write_json(settings_of(part.problem, part.recipe, part.tuning), settings_file(csv))
        table = paired_study(
            part.problem, part.arms, part.seeds, recipe=part.recipe, tuning=part.tuning, measures=part.measures,
            device=device, output=csv, resume=True, progress=False,
        )  # fmt: skip
        seconds += time.perf_counter() - start
        write_json({"settings": settings, "seconds": seconds}, state)
        for place, (column, value) in enumerate(part.label.items()):
            table.insert(place, column, value)
        tables.append(table)
        finished = len(table) == len(part.seeds) * len(part.arms)
        if not finished:
            break
    table = pd.concat(tables, ignore_index=True)
    folder.table(name, table.round({column: 4 for column in table if column not in CHOICES}))
    said = {"question": STUDIES[name].question, "plan": STUDIES[name].plan}
    folder.finish(**said, finished=finished, seconds_of_all_runs=round(seconds, 1))
    means = pd.concat(tables).groupby([*parts[0].label, "arm"], sort=False)[SHOWN].mean()
    print(STUDIES[name].question, in_words(means.rename_axis(columns="metric")).round(3).to_string(), sep="\n")
    print(f"\n{seconds:.0f} s. The table and run.json are in {folder.path}")
    return finished


def _resumable(state: Path, settings: list) -> float:
    """The seconds that earlier runs of the same study took; 0 where there are none."""
    if state.exists():
        earlier = read_json(state, {"settings": list, "seconds": (int, float)})
        if earlier["settings"] != settings:
            raise UnusableFile(
                f"output must be a folder of this study with these seeds, or new; got {state.parent.parent}"
            )
        return earlier["seconds"]
    state.parent.mkdir(exist_ok=True)
    write_json({"settings": settings, "seconds": 0.0}, state)
    return 0.0
