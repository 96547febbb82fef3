"""Arms that tune themselves: each seed's folds, settings and starts are replicas too, trained side by side."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch

from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.metrics import USUAL_MEASURES
from gsnn_tutorial.study.problem import Draw, Drawn
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.replicas import Replica, alike, seeds_per_block, train_union
from gsnn_tutorial.study.tuning import Tuning, chosen, folds
from gsnn_tutorial.study.union import GSNNUnion

CHOICES = ["weight_decay", "lambda_sim", "lambda_edge"]  # what the grids change


def tuned_columns(tuning: Tuning) -> list[str]:
    """The columns that a tuned study has besides the others: what was chosen, its error, and the learning curve.

    ``cv_mse`` is the mean error over the folds of the chosen setting and epoch. ``test_mse@E`` is the test MSE after
    E epochs with the chosen setting; nothing was chosen by it.
    """
    return ["epoch", *CHOICES, "cv_mse", *(f"test_mse@{epoch}" for epoch in tuning.epochs)]


class Watched:
    """A replica, and its error on rows that it is not trained on, looked at after some epochs.

    Arguments
        replica: the replica.
        x, y: the rows.
        keep: the epoch whose weights the model ends with; None for the last one.
    """

    def __init__(self, replica: Replica, x: torch.Tensor, y: torch.Tensor, keep: int | None = None):
        self.replica, self.x, self.y, self.keep, self.errors = replica, x, y, keep, []


def train_tuned(
    stop: threading.Event, problem: Drawn, arms: Sequence[str], seeds: Sequence[int], recipe: Recipe,
    device: str = "cpu", measures: str | Sequence[str] = USUAL_MEASURES, tuning: Tuning = Tuning(),
) -> list[dict]:  # fmt: skip
    """Tune and train the arms of some seeds: their rows of the table. Raises KeyboardInterrupt at a ``stop``."""
    depth, rows = recipe.depth(problem), []
    largest = seeds_per_block(problem, recipe, 1)  # replicas that fit near the processor's cache
    for seed in seeds:
        draw = problem.draw(seed)
        picked = _tune(stop, draw, seed, arms, recipe, depth, device, tuning, largest)
        finals = {}
        for arm, (setting, epoch, _) in picked.items():
            starts = range(tuning.starts)
            replicas = [Replica(draw, seed, arm, setting, depth, start) for start in starts]
            finals[arm] = [Watched(replica, draw.x_test, draw.y_test, epoch) for replica in replicas]
        watch(stop, [w for arm in finals.values() for w in arm], tuning.epochs, device, largest)
        for arm in arms:
            if arm in finals:
                setting, epoch, error = picked[arm]
                row = _mean([final.replica.evaluate(measures) for final in finals[arm]])
                row |= {"epoch": epoch, "cv_mse": error} | {name: getattr(setting, name) for name in CHOICES}
                curve = np.mean([final.errors for final in finals[arm]], axis=0)
                row |= {f"test_mse@{epoch}": value for epoch, value in zip(tuning.epochs, curve)}
            else:
                starts = range(tuning.starts)
                row = _mean([Replica(draw, seed, arm, recipe, depth, s).evaluate(measures) for s in starts])
            rows.append({"seed": seed} | row)
    return rows


def _tune(stop, draw: Draw, seed: int, arms, recipe: Recipe, depth: int, device: str, tuning: Tuning, largest: int):
    """What each trained arm chooses: {arm: (recipe, epoch, its mean error over the folds)}."""
    tried = {}
    for arm in (arm for arm in arms if ARMS[arm].trained):
        for setting in tuning.settings(ARMS[arm].tunes, recipe):
            for kept, left_out in folds(len(draw.x_train), tuning.folds, draw.groups):
                replica = Replica(draw, seed, arm, setting, depth, rows=kept)
                tried.setdefault(arm, []).append(Watched(replica, draw.x_train[left_out], draw.y_train[left_out]))
    watch(stop, [each for arm in tried.values() for each in arm], tuning.epochs, device, largest)
    picked = {}
    for arm, each in tried.items():
        errors = np.array([w.errors for w in each]).reshape(-1, tuning.folds, len(tuning.epochs))
        setting, place = chosen(errors)
        picked[arm] = (
            each[setting * tuning.folds].replica.recipe,
            tuning.epochs[place],
            errors[setting, :, place].mean(),
        )
    return picked


def watch(stop: threading.Event, watched: Sequence[Watched], epochs: Sequence[int], device: str, largest: int):
    """Train the replicas, ``largest`` at a time, and look at each one's error after some of the epochs."""
    groups = alike(watched, lambda w: (len(w.replica.x), w.replica.recipe.weight_decay, len(w.x)))
    for same in groups:
        parts = -(-len(same) // largest)
        for part in np.array_split(np.arange(len(same)), parts):
            _watch_union(stop, [same[i] for i in part], epochs, device)


def _watch_union(stop: threading.Event, watched: list[Watched], epochs: Sequence[int], device: str):
    x, y = (torch.cat([getattr(w, name) for w in watched], dim=1).to(device) for name in "xy")
    keep = torch.tensor([w.keep or -1 for w in watched])
    kept = None

    def look(union: GSNNUnion, epoch: int):
        nonlocal kept
        kept = kept or union.best_weights()
        if epoch + 1 in epochs:
            union.eval()
            with torch.no_grad():
                errors = union.mse(union(x), y)
            for w, error in zip(watched, errors.tolist()):
                w.errors.append(error)
            # Weights are kept where an error is the lowest so far: that is said of the chosen epoch alone.
            kept.look(torch.where(keep.to(errors.device) == epoch + 1, -1.0, torch.inf), epoch)
        if epoch + 1 == max(epochs) and (keep > 0).any():
            kept.restore()

    train_union(stop, [w.replica for w in watched], device, after_epoch=look)


def _mean(rows: list[dict]) -> dict:
    """The starts' rows as one: the mean of each metric, and diverged if one has."""
    first, diverged = rows[0], any(row["diverged"] for row in rows)
    names = [name for name in first if name not in ("seed", "arm", "diverged")]
    if diverged:
        return {name: first[name] for name in ("seed", "arm", "floor")} | {"diverged": True, "test_mse": np.nan}
    return {"seed": first["seed"], "arm": first["arm"], "diverged": False} | {
        name: float(np.mean([row[name] for row in rows])) for name in names
    }
