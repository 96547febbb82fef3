"""The fair protocol: every arm chooses its settings by the same rule, from as many, on rows that judge nothing.

For each arm of a seed, a *grid* holds as many settings as every other arm's. Each is trained on the training rows
without one fold, and its error on that fold is looked at after ``epochs``. The setting and the epoch with the lowest
mean error over the folds are chosen, the model is trained once more on all training rows, from ``starts`` initial
weights, and keeps its weights of the chosen epoch. Test rows are read once, at the end.

Folds, settings and starts are replicas, trained side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.metrics import USUAL_MEASURES, has_truth
from gsnn_tutorial.study.problem import Draw, Drawn
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.replicas import Replica, entrant, seeds_per_block, train_replicas

Grid = tuple[dict[str, float], ...]
GRIDS: Mapping[str, Grid] = {
    "decay": tuple({"weight_decay": value} for value in (1e-5, 1e-4, 1e-3)),
    "score": tuple({"lambda_sim": value} for value in (0.1, 0.3, 1.0)),
    "penalty": tuple({"lambda_edge": value} for value in (0.003, 0.01, 0.03)),
    "lasso": tuple({"lambda_edge": value} for value in (1e-4, 3e-4, 1e-3)),
    "both": tuple({"lambda_sim": s, "lambda_edge": e} for s, e in ((0.1, 0.01), (0.3, 0.003), (0.3, 0.01))),
}
CHOICES = ["weight_decay", "lambda_sim", "lambda_edge"]  # fields of a recipe that the grids change
LOOKS = 6


@dataclass(frozen=True)
class Tuning:
    """Everything that every arm may choose from: settings, epochs, folds and starts, as many for each.

    Arguments
        folds: parts of the training rows; each is left out once.
        starts: initial weights of the final models; metrics are their mean.
        epochs: after which errors are looked at; the last one is how long models are trained.
        grids: for each kind of arm (``Arm.tunes``) the fields of ``Recipe`` that its settings change.

    Raises ValueError for grids of different sizes, epochs that do not rise, and fewer than two folds.
    """

    folds: int = 3
    starts: int = 1
    epochs: tuple[int, ...] = (50, 75, 100, 125, 150, 175, 200, 250, 300)
    grids: Mapping[str, Grid] = field(default_factory=lambda: dict(GRIDS))

    def __post_init__(self):
        validate.integer("folds", self.folds, 2)
        validate.integer("starts", self.starts, 1)
        epochs = [validate.integer("epochs", epoch, 1) for epoch in validate.ordered("epochs", self.epochs)]
        if not epochs or sorted(set(epochs)) != epochs:
            raise ValueError(f"epochs must rise, and be at least one; got {epochs}")
        if set(self.grids) != set(GRIDS):
            raise ValueError(f"grids must be for {sorted(GRIDS)}, got {sorted(self.grids)}")
        sizes = {kind: len(grid) for kind, grid in self.grids.items()}
        if len(set(sizes.values())) > 1 or not min(sizes.values()):
            raise ValueError(f"grids must have as many settings for every arm, at least one; got {sizes}")

    def settings(self, tunes: str, recipe: Recipe) -> list[Recipe]:
        """The recipes that an arm chooses from: ``recipe`` with the fields of its grid changed."""
        grid = self.grids[validate.choice("tunes", tunes, tuple(self.grids))]
        return [replace(recipe, epochs=self.epochs[-1], validation=0.0, **changes) for changes in grid]

    @property
    def trainings(self) -> int:
        """The number of models that an arm trains for each seed."""
        return self.folds * len(next(iter(self.grids.values()))) + self.starts


def own_tuning(epochs: int) -> Tuning:
    """The usual grids, three folds, and errors looked at after each sixth of ``epochs``."""
    epochs = validate.integer("epochs", epochs, 1)
    return Tuning(epochs=tuple(sorted({max(1, round(epochs * k / LOOKS)) for k in range(1, LOOKS + 1)})))


def trainings(arms: int, seeds: int, tuning: Tuning | None) -> int:
    """The number of models that a study trains."""
    return arms * seeds * (1 if tuning is None else tuning.trainings)


def tuned_columns(tuning: Tuning, curve: bool = True) -> list[str]:
    """The columns that a tuned study has besides the others: what was chosen, its error, and the learning curve.

    ``cv_mse`` is the mean error over the folds of the chosen setting and epoch. ``test_mse@E`` is the test MSE after
    E epochs with the chosen setting; nothing was chosen by it.
    """
    return ["epoch", *CHOICES, "cv_mse", *(f"test_mse@{epoch}" for epoch in tuning.epochs if curve)]


def folds(rows: int, count: int, groups: Sequence | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
    """The rows to train on and those to look at, for each of ``count`` folds; a group is never in both.

    Raises ValueError for fewer rows, or groups, than folds.
    """
    from sklearn.model_selection import GroupKFold, KFold  # here: whoever tunes nothing need not wait for it

    there = rows if groups is None else len(np.unique(groups))
    if groups is not None and there < count:
        raise ValueError(
            f"tuning by {count} folds of whole groups needs as many groups of training rows, and there are {there}: "
            "hold out a smaller share, give smaller groups, or compare untuned"
        )
    splitter = KFold(count) if groups is None else GroupKFold(count)
    return list(splitter.split(np.empty((rows, 1)), groups=groups))


def chosen(errors: np.ndarray) -> tuple[int, int]:
    """The setting and the place of the epoch with the lowest mean error; ``errors`` is (settings, folds, epochs).

    A setting that diverged in a fold is not chosen; the first is, if all have.
    """
    mean = np.where(np.isfinite(errors).all(1), errors.mean(1), np.inf)  # (settings, epochs)
    setting, epoch = np.unravel_index(np.argmin(mean), mean.shape)
    return int(setting), int(epoch)


def train_tuned(
    stop: threading.Event, problem: Drawn, arms: Sequence[str], seeds: Sequence[int], recipe: Recipe,
    device: str = "cpu", measures: str | Sequence[str] = USUAL_MEASURES, tuning: Tuning = Tuning(),
) -> list[dict]:  # fmt: skip
    """Tune and train the arms of some seeds: their rows of the table. Raises KeyboardInterrupt at a ``stop``."""
    depth, rows = recipe.depth(problem), []
    largest = seeds_per_block(problem, recipe, 1)  # replicas that fit near the processor's cache
    for seed in seeds:
        draw = problem.draw(seed)
        choices = _choose(stop, draw, seed, arms, recipe, depth, device, tuning, largest)
        # A learning curve needs all epochs. Where nobody draws one, training ends with the chosen epoch.
        looks = tuning.epochs if has_truth(draw.graph) else ()
        finals = {}
        for arm in arms:
            setting, choice = choices.get(arm, (recipe, {}))
            if choice and not looks:
                setting = replace(setting, epochs=choice["epoch"])
            finals[arm] = [entrant(draw, seed, arm, setting, depth, start) for start in range(tuning.starts)]
            if choice and looks:
                finals[arm] = [final.watch(draw.x_test, draw.y_test, choice["epoch"]) for final in finals[arm]]
        train_replicas(stop, chain(*finals.values()), device, looks, largest)
        for arm in arms:
            row = _mean([final.evaluate(measures) for final in finals[arm]]) | choices.get(arm, ({}, {}))[1]
            if arm in choices and looks:
                curve = np.mean([final.errors for final in finals[arm]], axis=0)
                row |= {f"test_mse@{epoch}": value for epoch, value in zip(tuning.epochs, curve)}
            rows.append({"seed": seed} | row)
    return rows


def _choose(
    stop, draw: Draw, seed: int, arms, recipe: Recipe, depth: int, device: str, tuning: Tuning, largest: int
) -> dict[str, tuple[Recipe, dict]]:
    """Each trained arm's recipe, and its choice as columns of the table."""
    parts, tried = folds(len(draw.x_train), tuning.folds, draw.groups), {}
    for arm in (arm for arm in arms if arm in ARMS and ARMS[arm].trained):
        tried[arm] = [
            Replica(draw, seed, arm, setting, depth, rows=kept).watch(draw.x_train[left_out], draw.y_train[left_out])
            for setting in tuning.settings(ARMS[arm].tunes, recipe) for kept, left_out in parts
        ]  # fmt: skip
    # All arms at once: settings that differ in no more than a lambda are trained as one union.
    train_replicas(stop, chain(*tried.values()), device, tuning.epochs, largest)
    choices = {}
    for arm, replicas in tried.items():
        errors = np.array([each.errors for each in replicas]).reshape(-1, tuning.folds, len(tuning.epochs))
        place, look = chosen(errors)
        setting = replicas[place * tuning.folds].recipe
        columns = {"epoch": tuning.epochs[look], "cv_mse": float(errors[place, :, look].mean())}
        choices[arm] = setting, columns | {name: getattr(setting, name) for name in CHOICES}
    return choices


def _mean(rows: list[dict]) -> dict:
    """The starts' rows as one: the mean of each metric, and diverged if one has."""
    first, diverged = rows[0], any(row["diverged"] for row in rows)
    names = [name for name in first if name not in ("seed", "arm", "diverged")]
    if diverged:
        return {name: first[name] for name in ("seed", "arm", "floor")} | {"diverged": True, "test_mse": np.nan}
    return {"seed": first["seed"], "arm": first["arm"], "diverged": False} | {
        name: float(np.mean([row[name] for row in rows])) for name in names
    }


def choices_in_words(table: pd.DataFrame, tuning: Tuning) -> str:
    """The choices of each arm of a tuned study over its seeds: a line for each arm."""
    lines = []
    for arm, part in table[table["epoch"].notna()].groupby("arm", sort=False):
        names = list(tuning.grids[ARMS[arm].tunes][0])
        counts = part.groupby(names).size()
        values = [" and ".join(f"{value:g}" for value in np.atleast_1d(setting)) for setting in counts.index]
        often = ", ".join(f"{value} ({n} of {len(part)})" for value, n in zip(values, counts))
        epochs = " to ".join(dict.fromkeys(f"{epoch:g}" for epoch in (part["epoch"].min(), part["epoch"].max())))
        lines.append(f"  {ARMS[arm].words}: {' and '.join(names)} {often}; {epochs} epochs")
    return "\n".join(lines)
