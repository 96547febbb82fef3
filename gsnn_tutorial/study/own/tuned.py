"""Equal tuning on data of one's own: each arm chooses its setting and its epoch by one rule, on training rows alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.evaluation import evaluating
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.own.fitting import Candidate, Settings, candidate, fitted
from gsnn_tutorial.study.own.problem import OwnDraw
from gsnn_tutorial.study.replicas import alike
from gsnn_tutorial.study.tuned import CHOICES
from gsnn_tutorial.study.tuning import Tuning, chosen, folds
from gsnn_tutorial.study.union_regularizer import disjoint_union
from gsnn_tutorial.training import train

CHOSEN = ("epoch", *CHOICES, "cv_mse")
LOOKS = 6
SIDE_BY_SIDE = 24e6  # numbers that a step of a union may keep, about 100 MB


def own_tuning(epochs: int) -> Tuning:
    """The usual grids, three folds, and errors looked at after each sixth of ``epochs``."""
    epochs = validate.integer("epochs", epochs, 1)
    return Tuning(epochs=tuple(sorted({max(1, round(epochs * k / LOOKS)) for k in range(1, LOOKS + 1)})))


def tuned(
    draw: OwnDraw, settings: Settings, layers: int, arms: Sequence[str], tuning: Tuning,
    after: Callable[[int], None] = lambda count: None,
) -> dict[str, tuple[GSNN, dict]]:  # fmt: skip
    """For each arm its model, trained on all training rows with what it has chosen, and that choice, by ``CHOSEN``.

    Each setting of the arm's grid is trained on the training rows without one fold, whose groups are whole. The
    setting and the epoch with the lowest mean error over the folds, ``cv_mse``, are chosen. Test rows are not read.
    ``after`` is called with how many models have been trained since it was called last.

    Raises ValueError for fewer groups of training rows than folds, and for more than one start.
    """
    for arm in arms:
        validate.choice("arms", arm, tuple(ARMS))
    if validate.instance("tuning", tuning, Tuning).starts != 1:
        raise ValueError(f"tuning must have one start for data of one's own, got {tuning.starts}")
    parts = folds(len(draw.x_train), enough_groups(draw, tuning), draw.groups)
    tries = {}
    for arm in (arm for arm in arms if ARMS[arm].trained):
        tries[arm] = [
            Try(candidate(draw, setting, layers, arm, kept), draw.x_train[left_out], draw.y_train[left_out])
            for setting in tuning.settings(ARMS[arm].tunes, settings) for kept, left_out in parts
        ]  # fmt: skip
    look_at(list(chain(*tries.values())), tuning.epochs, after)
    models = {}
    for arm in arms:
        best, choice = settings, {}
        if arm in tries:
            found = np.array([each.errors for each in tries[arm]]).reshape(-1, tuning.folds, len(tuning.epochs))
            place, epoch = chosen(found)
            best = replace(tries[arm][place * tuning.folds].candidate.settings, epochs=tuning.epochs[epoch])
            choice = {"epoch": best.epochs} | {name: getattr(best, name) for name in CHOICES}
            choice["cv_mse"] = float(found[place, :, epoch].mean())
        models[arm] = fitted(draw, best, layers, arm), choice
        after(1)
    return models


class Try:
    """A model that is trained without one fold, and its errors on that fold, one for each look."""

    def __init__(self, candidate: Candidate, x: torch.Tensor, y: torch.Tensor):
        self.candidate, self.x, self.y, self.errors = candidate, x, y, []


def look_at(tries: Sequence[Try], epochs: Sequence[int], after: Callable[[int], None]):
    """Train them, those of a size and a weight decay side by side, and fill each one's ``errors`` after the epochs.

    They are trained as each alone would be, see ``GSNNUnion``: an error that training never came to is NaN.
    """
    for same in alike(tries, lambda t: (len(t.candidate.x), len(t.x), t.candidate.settings.weight_decay)):
        batch = same[0].candidate.training()["batch_size"]
        most = max(1, int(SIDE_BY_SIDE / max(_size(t.candidate.model) * batch for t in same)))
        for part in np.array_split(np.arange(len(same)), -(-len(same) // most)):
            _look_side_by_side([same[i] for i in part], epochs)
            after(len(part))


def _size(model: GSNN) -> int:
    """About how many numbers a training step keeps for each row."""
    return 4 * len(model.ResBlocks) * model.N * model.channels


def _look_side_by_side(tries: list[Try], epochs: Sequence[int]):
    candidates = [t.candidate for t in tries]
    union, regularizer = disjoint_union([c.model for c in candidates], [c.regularizer for c in candidates])
    x, y = (torch.cat([getattr(c, name) for c in candidates], dim=1) for name in "xy")
    x_left, y_left = (torch.cat([getattr(t, name) for t in tries], dim=1) for name in "xy")

    def look(epoch: int):
        if epoch + 1 in epochs:
            with evaluating(union), torch.no_grad():
                found = union.mse(union(x_left), y_left)
            for t, error in zip(tries, found.tolist()):
                t.errors.append(error)

    history = train(union, x, y, regularizer=regularizer, **candidates[0].training(), after_epoch=look)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    for t in tries:
        t.errors += [np.nan] * (len(epochs) - len(t.errors))


def enough_groups(draw: OwnDraw, tuning: Tuning) -> int:
    """The number of folds. Raises ValueError where the training rows have fewer groups."""
    groups = len(np.unique(draw.groups))
    if groups < tuning.folds:
        raise ValueError(
            f"tuning by {tuning.folds} folds of whole groups needs as many groups of training rows, and there are "
            f"{groups}: hold out a smaller share, give smaller groups, or compare untuned"
        )
    return tuning.folds


def choices_in_words(table: pd.DataFrame, tuning: Tuning) -> str:
    """What each arm of a tuned comparison has chosen over its splits: a line for each."""
    lines = []
    for arm, part in table[table["epoch"].notna()].groupby("arm", sort=False):
        names = list(tuning.grids[ARMS[arm].tunes][0])
        counts = part.groupby(names).size()
        values = [" and ".join(f"{value:g}" for value in np.atleast_1d(setting)) for setting in counts.index]
        often = ", ".join(f"{value} ({n} of {len(part)})" for value, n in zip(values, counts))
        epochs = " to ".join(dict.fromkeys(f"{epoch:g}" for epoch in (part["epoch"].min(), part["epoch"].max())))
        lines.append(f"  {ARMS[arm].words}: {' and '.join(names)} {often}; {epochs} epochs")
    return "\n".join(lines)
