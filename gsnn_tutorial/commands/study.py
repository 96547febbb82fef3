"""A long study by its name, into a folder; an interrupted one goes on."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.files import RunFolder, usable_device, write_json
from gsnn_tutorial.study.named import STUDIES
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.verdict import in_words

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

    Raises ValueError for an unknown name, and for a folder that holds another study's parts.
    """
    chosen = STUDIES[validate.choice("name", name, STUDIES)]
    parts = [replace(part, seeds=part.seeds[:seeds]) for part in chosen.parts]
    settings = json.loads(json.dumps([asdict(part) | {"seeds": list(part.seeds)} for part in parts]))
    folder = RunFolder(
        output or Path("runs") / "study" / name, {"study": name, "parts": settings}, usable_device(device)
    )
    kept = folder.path / "parts"
    state = kept / "state.json"
    seconds = _resumable(state, settings)
    tables, finished = [], True
    for number, part in enumerate(tqdm(parts, desc=name, unit="part", disable=not progress)):
        start = time.perf_counter()
        table = paired_study(
            part.problem, part.arms, part.seeds, recipe=part.recipe, measures=part.measures, device=device,
            output=kept / f"{number}.csv", resume=True, progress=False,
        )  # fmt: skip
        seconds += time.perf_counter() - start
        write_json({"settings": settings, "seconds": seconds}, state)
        for place, (column, value) in enumerate(part.label.items()):
            table.insert(place, column, value)
        tables.append(table)
        finished = len(table) == len(part.seeds) * len(part.arms)
        if not finished:
            break
    folder.table(name, pd.concat(tables, ignore_index=True).round(4))
    folder.finish(question=chosen.question, finished=finished, seconds_of_all_runs=round(seconds, 1))
    means = pd.concat(tables).groupby([*parts[0].label, "arm"], sort=False)[SHOWN].mean()
    print(chosen.question, in_words(means.rename_axis(columns="metric")).round(3).to_string(), sep="\n")
    print(f"\n{seconds:.0f} s. The table and run.json are in {folder.path}")
    return finished


def _resumable(state: Path, settings: list) -> float:
    """The seconds that earlier runs of the same study took; 0 where there are none."""
    if state.exists():
        earlier = json.loads(state.read_text(encoding="utf-8"))
        if earlier["settings"] != settings:
            raise ValueError(
                f"output must be a folder of this study with these seeds, or new; got {state.parent.parent}"
            )
        return earlier["seconds"]
    state.parent.mkdir(exist_ok=True)
    write_json({"settings": settings, "seconds": 0.0}, state)
    return 0.0
