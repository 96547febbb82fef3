"""Someone's own files, into a folder: what can be used of them, a paired comparison, and a verdict."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.files import RunFolder, read_json, write_json, write_text
from gsnn_tutorial.own.network import OwnNetwork, own_network
from gsnn_tutorial.own.paired import Comparison, Settings, paired_comparison
from gsnn_tutorial.own.problem import OwnProblem
from gsnn_tutorial.plots.chapter_8 import plot_hops, plot_outcomes, plot_own_network
from gsnn_tutorial.study.inference import contrasts, summarize
from gsnn_tutorial.study.verdict import in_words, verdict

ARM, CONTROLS = "regularized_loo", ("control_loo", "connected_control_loo")
MOST_DRAWN = 150  # function nodes, beyond which a drawing of them shows nothing


def run_mine(
    table, network, sets, columns=None, output: str | Path = "runs/mine", *, splits: int = 8, test: float = 0.2,
    settings: Settings = Settings(), compare: Comparison = paired_comparison, progress: bool = True,
) -> bool:  # fmt: skip
    """Read, report, compare and judge; fill the folder ``output``. Returns whether it was finished.

    Arguments
        table, network, sets, columns: see ``own_network``.
        splits: how many; 0 ends with the report.
        compare: makes the table of seed, arm and test_mse of (problem, seeds=, settings=, output=, resume=, progress=).

    Raises ValueError for files that cannot be used, before anything is written, and for a folder of another run.
    """
    splits = validate.integer("splits", splits, 0)
    own = own_network(table, network, sets, columns)
    problem = OwnProblem(own, test)
    problem.draw(0)  # says at once if the sets cannot be shuffled
    given = {"table": table, "network": network, "sets": sets, "columns": columns}
    chosen = {"files": {k: str(v) for k, v in given.items()}, "test": test, "settings": asdict(settings)}
    state = chosen | {"data": _fingerprint(own)}
    resume = _goes_on(Path(output), state)
    with RunFolder(output, chosen | {"splits": splits}, "cpu") as folder:
        return _compute(folder, own, problem, state, splits, settings, compare, resume, progress)


def _compute(folder, own, problem, state, splits, settings, compare, resume, progress) -> bool:
    write_json(state, folder.file("state.json"))
    for name, made in own.tables().items():
        folder.table(name, made)
    write_text(own.report() + "\n", folder.file("report.txt"))
    _figures(own, folder)
    print(own.report())
    if not splits:
        folder.finish(finished=True)
        return True
    print(f"\nlayers: {settings.layers or own.depth}; inputs {len(own.x.columns)}, outputs {len(own.y.columns)}\n")
    try:
        results = compare(problem, seeds=range(splits), settings=settings, output=folder.path / "splits.csv",
                          resume=resume, progress=progress)  # fmt: skip
    except KeyboardInterrupt:
        print(f"\ninterrupted; give the same command again to go on. What there is stands in {folder.path}")
        return False
    folder.file("splits.csv")
    figure, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    plot_outcomes(results, ax)
    folder.figure("outcomes", figure)
    said = _judged(results, splits)
    write_text(said + "\n", folder.file("verdict.txt"))
    wall = folder.finish(finished=True, verdict=said.splitlines()[0])
    means = results.groupby("arm", sort=False)[["test_mse"]].mean()
    print(in_words(means).round(3).to_string(), said, sep="\n\n")
    print(f"\n{wall:.0f} s. Report, tables, figures and run.json are in {folder.path}")
    return True


def _judged(results: pd.DataFrame, splits: int) -> str:
    """The verdict on the prior, and how the network stands beside a model without one."""
    mean = results.groupby("arm")["test_mse"].mean()
    beside = (
        f"Held-out error: GSNN {mean['baseline']:.3f}, pairwise ridge {mean['pairwise ridge']:.3f}, the mean alone "
    )
    beside += f"{mean['mean']:.3f}; no noise floor is known."
    if splits < 2:
        return beside + " One split has no spread: no verdict."
    arms = results[~results["arm"].isin(["mean", "pairwise ridge"])]
    summary = summarize(arms, ["test_mse"], contrasts(ARM, CONTROLS))
    said = verdict(summary, "test_mse", ARM, controls=CONTROLS)
    if mean["baseline"] > mean["pairwise ridge"]:
        beside += "\nA model without the network predicts better: look at the report for what the network does not let "
        beside += "through, before you trust anything that is inside."
    return (
        f"{said}\n{beside}\nSplits of the same rows overlap: their interval is narrower than that of new data. No GSNN "
        "was tuned: all have the same settings, and the ridge alone chose its penalty."
    )


def _figures(own: OwnNetwork, folder: RunFolder):
    figure, ax = plt.subplots(figsize=(7, 0.3 * min(len(own.outputs), 60) + 1.6), layout="constrained")
    plot_hops(own.outputs.head(60), ax)
    folder.figure("hops", figure)
    if len(own.graph.function_nodes) <= MOST_DRAWN:
        figure, ax = plt.subplots(figsize=(14, 9), layout="constrained")
        plot_own_network(own.graph, ax)
        folder.figure("network", figure)


def _fingerprint(own: OwnNetwork) -> str:
    digest = hashlib.sha256()
    for table in own.tables().values():
        digest.update(table.to_csv().encode())
    return digest.hexdigest()[:16]


def _goes_on(output: Path, state: dict) -> bool:
    """Whether the folder holds an unfinished run of the same files and settings."""
    run = output / "run.json"
    finished = run.exists() and read_json(run, {"settings": dict}).get("finished", True)
    if finished or not (output / "splits.csv").exists():
        return False
    file = output / "state.json"
    earlier = read_json(file, {}) if file.exists() else None
    if earlier != json.loads(json.dumps(state)):
        raise ValueError(f"output must be a new folder, or that of an unfinished run of the same files; got {output}")
    return True
