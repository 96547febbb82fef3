"""A table that grows row by row: what an older file has is kept, and not computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd

from gsnn_tutorial.study.files import read_csv, write_csv


def grow(output: str | Path, name: str, seeds: Iterable[int], jobs: Callable[[int], Mapping[str, Callable[[], dict]]]):
    """Compute and write the rows that ``output`` lacks: seed, ``name``, and what the job of that name gives.

    ``jobs`` makes of a seed what computes its rows, by their names. The file is written after each of them.
    """
    rows = read_csv(output).to_dict("records") if Path(output).exists() else []
    done = {(row["seed"], row[name]) for row in rows}
    for seed in seeds:
        for each, compute in jobs(seed).items():
            if (seed, each) not in done:
                rows.append({"seed": seed, name: each} | compute())
                write_csv(pd.DataFrame(rows).round(4), output)
                print(seed, each, round(rows[-1]["test_mse"], 3), flush=True)
