"""A replica is one arm of one seed; replicas are trained side by side, as one union, and each can be watched."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.evaluation import evaluating
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.metrics import METRICS, USUAL_MEASURES, Subject, has_truth, measure
from gsnn_tutorial.study.own.rivals import RIVALS
from gsnn_tutorial.study.problem import Draw, Drawn
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.union_regularizer import disjoint_union
from gsnn_tutorial.training import train

Rows = tuple[torch.Tensor, torch.Tensor]


class Replica:
    """One arm of one seed: its model from initial weights, and its regularizer if it has one.

    Arguments
        draw, seed: what the seed drew, and the seed.
        name: the arm's, in ``ARMS``.
        recipe, layers: how the model is built.
        start: which initial weights; 0 are those of the seed itself.
        rows: numbers of the training rows that it is trained on; None takes all.
    """

    def __init__(self, draw: Draw, seed: int, name: str, recipe: Recipe, layers: int, start: int = 0, rows=None):
        self.draw, self.seed, self.arm, self.recipe = draw, seed, ARMS[name], recipe
        self.graph, self.trained = self.arm.graph(draw), self.arm.trained
        self.membership = self.regularizer = None
        weights = torch.Generator().manual_seed(_start_seed(seed, start))
        self.model = GSNN(
            self.graph.edge_index_dict, self.graph.names, recipe.channels, layers, norm=recipe.norm,
            share_layers=recipe.share_layers, node_mlp=False, generator=weights,
        )  # fmt: skip
        if self.arm.membership is not None:
            self.membership = self.arm.membership(draw)
        if self.arm.regularizer is not None:
            self.regularizer = self.arm.regularizer(self.model, self.membership, draw, recipe, weights)
        rows = slice(None) if rows is None else rows
        self.data: Rows = draw.x_train[rows], draw.y_train[rows]
        if self.arm.data is not None:
            self.data = self.arm.data(draw, self.membership, *self.data)
        self.watch(*(tensor[:0] for tensor in self.data))

    def watch(self, x: torch.Tensor, y: torch.Tensor, keep: int | None = None) -> Replica:
        """Look at its error on these rows after some epochs: ``errors`` has them. Returns the replica.

        With ``keep``, one of these epochs, the model ends with the weights that it had then.
        """
        self.watched, self.keep, self.errors = (x, y), keep, []
        return self

    def likeness(self) -> tuple:
        """The properties that replicas must share to be trained as one union."""
        rows, recipe, watched = len(self.data[0]), self.recipe, len(self.watched[0])
        company = None
        if recipe.batch(rows) < rows:
            # A seed orders the minibatches. Many small steps enlarge rounding, which depends on the company: a final
            # model is trained alone, so that it is the same in any.
            company = self.seed if watched else id(self)
        return rows, recipe.epochs, recipe.weight_decay, watched, company

    def evaluate(self, measures: str | Sequence[str] = USUAL_MEASURES) -> dict:
        """The replica's row of the table."""
        row = {"seed": self.seed, "arm": self.arm.name, "diverged": False, "floor": self.draw.floor}
        subject = Subject(self.model, self.graph, self.draw, self.membership)
        if has_truth(self.draw.graph):
            row["test_mse"] = METRICS["test_mse"].compute(subject)
        else:
            row |= _each_output(self.draw, output_errors(self.model, self.draw.x_test, self.draw.y_test))
        if not np.isfinite(row["test_mse"]):
            return row | {"diverged": True, "test_mse": np.nan}
        return row | measure(subject, measures)


class Rival:
    """A model without a network, one of ``RIVALS``, of one seed: its row of the table has errors, and nothing else."""

    trained = False

    def __init__(self, draw: Draw, seed: int, name: str):
        self.draw, self.seed, self.name = draw, seed, name

    def evaluate(self, measures: str | Sequence[str] = ()) -> dict:
        """The rival's row of the table."""
        row = {"seed": self.seed, "arm": self.name, "diverged": False, "floor": self.draw.floor}
        return row | _each_output(self.draw, RIVALS[self.name](self.draw))


def entrant(
    draw: Draw, seed: int, name: str, recipe: Recipe, layers: int, start: int = 0, rows=None
) -> Replica | Rival:  # fmt: skip
    """The replica of an arm, or the rival of this name. Arguments are those of ``Replica``."""
    return Rival(draw, seed, name) if name in RIVALS else Replica(draw, seed, name, recipe, layers, start, rows)


@torch.no_grad()
def output_errors(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """MSE of each output, (outputs,), in evaluation mode."""
    with evaluating(validate.instance("model", model, torch.nn.Module)):
        return (model(x) - y).square().mean(0).numpy()


def _each_output(draw: Draw, errors: np.ndarray) -> dict:
    """The columns of an error for each output, and ``test_mse``, their mean."""
    each = {f"mse: {name}": error for name, error in zip(draw.graph.output_nodes, errors.tolist())}
    return {"test_mse": float(np.mean(errors))} | each


def _start_seed(seed: int, start: int) -> int:
    """The seed itself for start 0, and others that no seed's start 0 is likely to have."""
    return int(np.random.SeedSequence(seed, spawn_key=(start,)).generate_state(1, np.uint64)[0]) if start else seed


def fitted(draw: Draw, recipe: Recipe, layers: int, arm: str = "baseline") -> GSNN:
    """The GSNN of one arm, trained on the training rows of a draw.

    Raises KeyboardInterrupt where training was interrupted: a model that is half trained is nobody's result.
    """
    replica = Replica(draw, draw.seed, validate.choice("arm", arm, tuple(ARMS)), recipe, layers)
    train_replicas(threading.Event(), [replica])
    return replica.model.eval()


def train_block(
    stop: threading.Event, problem: Drawn, arms: Sequence[str], seeds: Sequence[int], recipe: Recipe,
    device: str = "cpu", measures: str | Sequence[str] = USUAL_MEASURES,
) -> list[dict]:  # fmt: skip
    """Train the arms of some seeds as one union: their rows of the table. Raises KeyboardInterrupt at a ``stop``."""
    depth = recipe.depth(problem)
    replicas = [
        entrant(draw, seed, arm, recipe, depth) for seed in seeds for draw in [problem.draw(seed)] for arm in arms
    ]
    train_replicas(stop, replicas, device)
    return [replica.evaluate(measures) for replica in replicas]


def train_replicas(
    stop: threading.Event, replicas: Iterable[Replica | Rival], device: str = "cpu", looks: Sequence[int] = (),
    largest: int | None = None,
):  # fmt: skip
    """Train those replicas that are to be trained, side by side, at most ``largest`` in a union.

    ``looks`` are the epochs after which the watched ones are looked at. Raises KeyboardInterrupt at a ``stop``.
    """
    groups: dict[tuple, list[Replica]] = {}
    for replica in replicas:
        if replica.trained:
            groups.setdefault(replica.likeness(), []).append(replica)
    for same in groups.values():
        unions = -(-len(same) // (largest or len(same)))
        for part in np.array_split(np.arange(len(same)), unions):
            _train_union(stop, [same[i] for i in part], device, looks)


def _train_union(stop: threading.Event, replicas: list[Replica], device: str, looks: Sequence[int]):
    """Train replicas of one ``likeness`` as one union, and write down their errors at each look."""
    models, recipe, seed = [replica.model for replica in replicas], replicas[0].recipe, replicas[0].seed
    union, regularizer = disjoint_union(models, [replica.regularizer for replica in replicas])
    union.to(device)
    if regularizer is not None:
        regularizer.to(device)
    x, y = _beside([replica.data for replica in replicas])
    x_seen, y_seen = (tensor.to(device) for tensor in _beside([replica.watched for replica in replicas]))
    keep = torch.tensor([replica.keep or -1 for replica in replicas], device=union.edge_index.device)
    kept = union.best_weights() if (keep > 0).any() else None

    def errors(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        # Only the main thread hears of an interrupt. This one works in another, and asks at every step.
        if stop.is_set():
            raise KeyboardInterrupt
        return union.mse(prediction, target)

    def look(epoch: int):
        if epoch + 1 not in looks:
            return
        with evaluating(union), torch.no_grad():
            for replica, error in zip(replicas, union.mse(union(x_seen), y_seen).tolist()):
                replica.errors.append(error)
        if kept is not None:
            # Weights are kept where an error is lower than any before: we say so of the chosen epoch alone.
            kept.look(torch.where(keep == epoch + 1, -1.0, torch.inf), epoch)

    rows = len(x) - round(recipe.validation * len(x))
    validation = {"x_val": x[rows:], "y_val": y[rows:]} if rows < len(x) else {}
    history = train(
        union, x[:rows], y[:rows], **validation, regularizer=regularizer, criterion=errors,
        **recipe.training(rows, seed), after_epoch=look if looks else None,
    )  # fmt: skip
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    if kept is not None and not history.stopped:
        kept.restore()
    union.write_back(models)
    for replica in replicas:  # training may have ended before a look: that error is not finite, and never chosen
        replica.errors += [np.nan] * (len(looks) - len(replica.errors))


def _beside(pairs: Sequence[Rows]) -> Rows:
    """Inputs and outputs of several models as those of their union: the columns of one after the other."""
    x, y = zip(*pairs)
    return torch.cat(x, dim=1), torch.cat(y, dim=1)


def seeds_per_block(problem: Drawn, recipe: Recipe, arms: int, megabytes: float = 96) -> int:
    """The number of seeds that fit into ``megabytes`` of activations: few enough to stay near the processor's cache."""
    states = 4 * recipe.depth(problem)  # tensors of the activations' size that a layer keeps for its backward pass
    per_model = 4 * states * problem.n_function * recipe.channels * recipe.batch(problem.n_train) / 1e6
    return max(1, int(megabytes / (per_model * arms)))
