"""Someone's own files, into a folder: what can be used of them, a paired comparison, and a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.plots.chapter_8 import plot_hops, plot_outcomes, plot_own_network
from gsnn_tutorial.study.arms import OWN_ARMS
from gsnn_tutorial.study.files import UnusableFile, read_json, write_text
from gsnn_tutorial.study.inference import FEWEST_SEEDS, contrasts, summarize
from gsnn_tutorial.study.own.network import OwnNetwork, own_network
from gsnn_tutorial.study.own.rivals import ALPHAS, USUAL_RIVALS
from gsnn_tutorial.study.own.splits import OwnProblem
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.recipe import OWN_RECIPE, Recipe
from gsnn_tutorial.study.run_folder import RunFolder
from gsnn_tutorial.study.table import check_settings, settings_file, settings_of
from gsnn_tutorial.study.tuning import Tuning, choices_in_words, folds, own_tuning, trainings
from gsnn_tutorial.study.verdicts import in_words, verdict

ARM, CONTROLS = "regularized_loo", ("control_loo", "connected_control_loo")
MOST_DRAWN = 150  # function nodes, beyond which a drawing of them shows nothing


def run_mine(
    table, network, sets, columns=None, output: str | Path = "runs/mine", *, splits: int = FEWEST_SEEDS,
    test: float = 0.2, recipe: Recipe = OWN_RECIPE, tune: bool = True, study: Callable = paired_study,
    progress: bool = True,
) -> bool:  # fmt: skip
    """Read, report, compare and judge; fill the folder ``output``. Returns True if it was finished.

    Arguments
        table, network, sets, columns: see ``own_network``.
        splits: how many; 0 ends with the report.
        recipe: of every model.
        tune: True lets each arm choose its setting and epoch, see ``own_tuning``; else all are trained by ``recipe``.
        study: makes the table of seed, arm and test_mse, as ``paired_study`` does.

    Raises ValueError for files that cannot be used, before anything is written, and for a folder of another run.
    """
    splits = validate.integer("splits", splits, 0)
    own = own_network(table, network, sets, columns)
    problem = OwnProblem(own, test)
    draw = problem.draw(0)  # says at once if the sets cannot be shuffled
    tuning = own_tuning(recipe.epochs) if tune else None
    if tuning and splits:
        folds(len(draw.x_train), tuning.folds, draw.groups)  # says at once if the groups are too few
    given = {"table": table, "network": network, "sets": sets, "columns": columns}
    chosen = {"files": {k: str(v) for k, v in given.items()}, "test": test, "recipe": asdict(recipe)}
    chosen["tuning"] = asdict(tuning) if tuning else "none"
    resume = _goes_on(Path(output), settings_of(problem, recipe, tuning))
    with RunFolder(output, chosen | {"splits": splits}, "cpu") as folder:
        return _compute(folder, problem, splits, recipe, tuning, study, resume, progress)


def _compute(folder, problem, splits, recipe, tuning, study, resume, progress) -> bool:
    own = problem.network
    for name, made in own.tables().items():
        folder.table(name, made)
    write_text(own.report() + "\n", folder.file("report.txt"))
    _figures(own, folder)
    print(own.report())
    if not splits:
        folder.finish(finished=True)
        return True
    print(f"\nlayers: {recipe.depth(problem)}; inputs {len(own.x.columns)}, outputs {len(own.y.columns)}")
    print(_cost(splits, tuning) + "\n", flush=True)
    rows = folder.path / "splits.csv"
    results = study(problem, seeds=range(splits), recipe=recipe, tuning=tuning, output=rows, resume=resume,
                    progress=progress)  # fmt: skip
    if results["seed"].nunique() < splits:
        print(f"\ninterrupted; give the same command again to go on. What there is stands in {folder.path}")
        return False
    # Listed only now: a run removes the files that an earlier one has listed, and an unfinished table is to stay.
    for path in (rows, settings_file(rows)):
        folder.file(path.name)
    figure, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    plot_outcomes(results, ax)
    folder.figure("outcomes", figure)
    said = _judged(results, splits, tuning)
    write_text(said + "\n", folder.file("verdict.txt"))
    wall = folder.finish(finished=True, verdict=said.splitlines()[0])
    means = results.groupby("arm", sort=False)[["test_mse"]].mean()
    print(in_words(means).round(3).to_string(), said, sep="\n\n")
    print(f"\n{wall:.0f} s. Report, tables, figures and run.json are in {folder.path}")
    return True


def _cost(splits: int, tuning: Tuning | None) -> str:
    """The number of trainings, in words, and what they are."""
    arms = len(OWN_ARMS)
    total = f"{trainings(arms, splits, tuning)} trainings: {splits} splits x {arms} arms"
    if tuning is None:
        return f"{total}, none of them tuned"
    settings = len(next(iter(tuning.grids.values())))
    return (f"{total} x ({settings} settings x {tuning.folds} folds + 1); --untuned takes "
            f"{trainings(arms, splits, None)}")  # fmt: skip


def _tuned_in_words(results: pd.DataFrame, tuning: Tuning | None) -> str:
    """The choices of all arms, and the rule that they were made by."""
    if tuning is None:
        return "No GSNN was tuned: all have the same settings, and the ridge alone chose its penalty."
    said = (
        f"Every GSNN chose by the same rule, from {len(tuning.grids['decay'])} settings and {len(tuning.epochs)} "
        f"numbers of epochs, by {tuning.folds} folds of whole groups of the training rows.\nThe ridge chose from "
        f"{len(ALPHAS)} penalties, by folds too. Layers, channels and learning rate were tuned for nobody. Chosen:"
    )
    return f"{said}\n{choices_in_words(results, tuning)}"


def _judged(results: pd.DataFrame, splits: int, tuning: Tuning | None) -> str:
    """The verdict on the prior, and how the network stands beside a model without one."""
    mean = results.groupby("arm")["test_mse"].mean()
    ridge = f"{mean['pairwise ridge']:.3f}" if mean["pairwise ridge"] == mean["pairwise ridge"] else "(too few groups)"
    beside = f"Held-out error: GSNN {mean['baseline']:.3f}, pairwise ridge {ridge}, the mean alone {mean['mean']:.3f}; "
    beside += "no noise floor is known."
    tuned = _tuned_in_words(results, tuning)
    if splits < 2:
        return f"{beside} One split has no spread: no verdict.\n{tuned}"
    if splits < FEWEST_SEEDS:
        beside += f"\nThe rule gives no verdict for fewer than {FEWEST_SEEDS} splits."
    arms = results[~results["arm"].isin(USUAL_RIVALS)]
    summary = summarize(arms, ["test_mse"], contrasts(ARM, CONTROLS))
    said = verdict(summary, "test_mse", ARM, controls=CONTROLS)
    if mean["baseline"] > mean["pairwise ridge"]:
        beside += "\nA model without the network predicts better: look at the report for what the network does not let "
        beside += "through, before you trust anything that is inside."
    return (
        f"{said}\n{beside}\nSplits of the same rows overlap: their interval is narrower than that of new data.\n{tuned}"
    )


def _figures(own: OwnNetwork, folder: RunFolder):
    figure, ax = plt.subplots(figsize=(7, 0.3 * min(len(own.outputs), 60) + 1.6), layout="constrained")
    plot_hops(own.outputs.head(60), ax)
    folder.figure("hops", figure)
    if len(own.graph.function_nodes) <= MOST_DRAWN:
        figure, ax = plt.subplots(figsize=(14, 9), layout="constrained")
        plot_own_network(own.graph, ax)
        folder.figure("network", figure)


def _goes_on(output: Path, settings: dict) -> bool:
    """True if the folder holds an unfinished run. Raises UnusableFile if that is of other data or settings."""
    run = output / "run.json"
    finished = run.exists() and read_json(run, {"settings": dict}).get("finished", True)
    if finished or not (output / "splits.csv").exists():
        return False
    try:
        check_settings(output / "splits.csv", settings)
    except UnusableFile as error:
        words = "output must be a new folder, or that of an unfinished run of the same files and settings"
        raise UnusableFile(f"{words}; {error}") from error
    return True
