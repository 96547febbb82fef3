"""The benchmark as a command: it measures with a progress bar, prints tables, and fills a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from benchmarks.groups import GROUPS, length, measured
from benchmarks.in_words import cores_in_words, fast_paths_in_words, table_of, threads_in_words
from benchmarks.sizes import QUICK, Sizes
from gsnn_tutorial import kernels, validate
from gsnn_tutorial.plots.scaling import plot_scaling
from gsnn_tutorial.study.files import write_csv
from gsnn_tutorial.study.run_folder import RunFolder, device_name, usable_device
from gsnn_tutorial.study.speed import slopes

WITH_DEVICE = ("bench", "scaling")  # the tables that the package brings, without the run.json beside them


def run_bench(
    output: str | Path,
    device: str = "cpu",
    quick: bool = False,
    sizes: Sizes | None = None,
    only: Sequence[str] | None = None,
) -> bool:
    """Measure every group, or ``only`` some, print the tables, fill the folder ``output``.

    Returns True if all of it was measured. Tables are written as they grow: an interrupt keeps what was measured.
    """
    sizes = (QUICK if quick else Sizes()) if sizes is None else validate.instance("sizes", sizes, Sizes)
    chosen = {validate.choice("only", name, GROUPS) for name in _named(only)}
    groups = [group for group in GROUPS if group in chosen]  # in the order in which they are printed
    settings = {"sizes": asdict(sizes), "quick": validate.flag("quick", quick), "groups": groups}
    with RunFolder(output, settings, usable_device(device), "python -m benchmarks") as folder:
        return _bench(folder, groups, sizes, device, quick)


def _named(only: Sequence[str] | None) -> Sequence[str]:
    """The groups that are named; all for None."""
    if only is None:
        return GROUPS
    named = [only] if isinstance(only, str) else validate.ordered("only", only)
    if not named:
        raise ValueError(f"only must name at least one group, or be None for all; got {only!r}")
    return named


def _bench(folder: RunFolder, groups: list[str], sizes: Sizes, device: str, quick: bool) -> bool:
    where = {"device": device_name(device), "torch": torch.__version__}
    tables, finished = GrowingTables(folder), False
    torch.manual_seed(0)
    bar = tqdm(total=sum(length(group, sizes) for group in groups), desc="bench", unit="row")
    try:
        for group in groups:
            for name, rows in measured(group, sizes, device):
                tables.add(name, [row | where for row in rows] if name in WITH_DEVICE else rows)
                bar.update()
        finished = True
    except KeyboardInterrupt:
        pass  # what was measured is printed, and said to be all
    finally:
        bar.close()
    for name, figure in scaling_figures(pd.DataFrame(tables.rows.get("scaling", []))).items():
        folder.figure(name, figure)
    wall = folder.finish(finished=finished)
    print("\n\n".join(in_words(tables.rows, judged=not quick)) or "nothing was measured")
    if "kernels" in groups and not kernels.enabled():
        print(f"\nThe fast paths are off, by {kernels.SWITCH}: they were not measured.")
    state = "" if finished else "Interrupted: what is missing was not measured. "
    print(f"\n{state}{wall:.0f} s on {where['device']}. Tables, figures and run.json are in {folder.path}")
    return finished


class GrowingTables:
    """The tables of a run: each is in the folder from its first row on, and rewritten with each row."""

    def __init__(self, folder: RunFolder):
        self.rows, self._folder, self._files = {}, folder, {}

    def add(self, name: str, rows: list[dict]):
        """Add rows to a table."""
        if name not in self.rows:
            self.rows[name], self._files[name] = [], self._folder.file(f"{name}.csv")
        self.rows[name] += rows
        write_csv(pd.DataFrame(self.rows[name]), self._files[name])


def in_words(tables: dict[str, list[dict]], judged: bool = True) -> list[str]:
    """Every table that has rows, as it is printed."""
    words = {
        "bench": lambda table: table_of(table, judged),
        "kernels": fast_paths_in_words,
        "cores": cores_in_words,
        "threads": threads_in_words,
        "scaling": slopes_in_words,
    }
    return [say(pd.DataFrame(tables[name])) for name, say in words.items() if name in tables]


def slopes_in_words(points: pd.DataFrame) -> str:
    """The slope of each line of the scaling."""
    title = "Slopes on log-log axes, upper half of each line (1: in proportion)"
    return f"{title}\n\n{slopes(points).round(2).to_string(index=False)}"


def scaling_figures(points: pd.DataFrame) -> dict[str, Figure]:
    """One figure for each axis: time left, memory right."""
    axes = points["axis"].unique() if len(points) else ()
    return {"scaling_" + axis.split()[0]: plot_scaling(points[points["axis"] == axis]) for axis in axes}
