"""The fair protocol: every arm chooses its settings by the same rule, from as many, on rows that judge nothing.

For each arm of a seed, a *grid* holds as many settings as every other arm's. Each is trained on the training rows
without one fold, and its error on that fold is looked at after ``epochs``. The setting and the epoch with the lowest
mean error over the folds are chosen, the model is trained anew on all training rows, from ``starts`` initial weights,
and keeps its weights of the chosen epoch. Test rows are read once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from sklearn.model_selection import GroupKFold, KFold

from gsnn_tutorial import validate
from gsnn_tutorial.study.recipe import Recipe

Grid = tuple[dict[str, float], ...]
GRIDS: Mapping[str, Grid] = {
    "decay": tuple({"weight_decay": value} for value in (1e-5, 1e-4, 1e-3)),
    "score": tuple({"lambda_sim": value} for value in (0.1, 0.3, 1.0)),
    "penalty": tuple({"lambda_edge": value} for value in (0.003, 0.01, 0.03)),
    "lasso": tuple({"lambda_edge": value} for value in (1e-4, 3e-4, 1e-3)),
    "both": tuple({"lambda_sim": s, "lambda_edge": e} for s, e in ((0.1, 0.01), (0.3, 0.003), (0.3, 0.01))),
}


@dataclass(frozen=True)
class Tuning:
    """What every arm may choose from: settings, epochs, folds and starts, as many for each.

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
        return [replace(recipe, epochs=self.epochs[-1], **changes) for changes in grid]

    @property
    def trainings(self) -> int:
        """How many models an arm trains for each seed."""
        return self.folds * len(next(iter(self.grids.values()))) + self.starts


def folds(rows: int, count: int, groups: Sequence | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
    """The rows to train on and those to look at, for each of ``count`` folds; a group is never in both.

    Raises ValueError for fewer rows, or groups, than folds.
    """
    splitter = KFold(count) if groups is None else GroupKFold(count)
    return list(splitter.split(np.empty((rows, 1)), groups=groups))


def chosen(errors: np.ndarray) -> tuple[int, int]:
    """The setting and the place of the epoch with the lowest mean error; ``errors`` is (settings, folds, epochs).

    A setting that diverged in a fold is not chosen; the first is, if all have.
    """
    mean = np.where(np.isfinite(errors).all(1), errors.mean(1), np.inf)  # (settings, epochs)
    setting, epoch = np.unravel_index(np.argmin(mean), mean.shape)
    return int(setting), int(epoch)
