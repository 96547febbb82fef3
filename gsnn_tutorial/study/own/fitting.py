"""One model on data of one's own: how it is built and trained, and its errors on rows that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.evaluation import evaluating
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.own.problem import OwnDraw
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.training import Regularizer, train


@dataclass(frozen=True)
class Settings:
    """How every model of a comparison is built and trained.

    ``layers=None`` takes the network's ``depth``. Unlike a study's recipe: minibatches, which make many more
    steps of an epoch; a norm over the batch, which keeps how strong a signal is; and weights of its own for each layer.
    """

    channels: int = 8
    layers: int | None = None
    norm: str = "batch"
    share_layers: bool = False
    epochs: int = 60
    batch_size: int = 32
    lr: float = 5e-3
    weight_decay: float = 1e-5
    lambda_sim: float = 0.1
    lambda_edge: float = 0.03
    phi: str = "learned"


@dataclass(frozen=True)
class Candidate:
    """A model that is to be trained, its regularizer if it has one, its settings, rows, and seed of batches."""

    model: GSNN
    regularizer: Regularizer | None
    settings: Settings
    x: torch.Tensor
    y: torch.Tensor
    seed: int

    def training(self) -> dict:
        """What ``train`` is told besides model, data and regularizer."""
        return {
            "epochs": self.settings.epochs, "lr": self.settings.lr, "weight_decay": self.settings.weight_decay,
            "batch_size": _batch_size(self.settings.batch_size, len(self.x)), "seed": self.seed, "progress": False,
        }  # fmt: skip


def candidate(
    draw: OwnDraw, settings: Settings, layers: int, arm: str = "baseline", rows: Sequence[int] | None = None
) -> Candidate:
    """One arm of a draw, untrained; ``rows`` are numbers of the training rows, None takes them all.

    A pathway regularizer does not read the model yet: it, or a union's that takes it up, is to be enabled.
    """
    chosen = ARMS[validate.choice("arm", arm, tuple(ARMS))]
    graph, weights = chosen.graph(draw), torch.Generator().manual_seed(draw.seed)
    model = GSNN(
        graph.edge_index_dict, graph.names, settings.channels, layers, norm=settings.norm,
        share_layers=settings.share_layers, node_mlp=False, generator=weights,
    )  # fmt: skip
    membership = None if chosen.membership is None else chosen.membership(draw)
    regularizer = None
    if chosen.regularizer is not None:
        recipe = Recipe(lambda_sim=settings.lambda_sim, lambda_edge=settings.lambda_edge, phi=settings.phi)
        regularizer = chosen.regularizer(model, membership, draw, recipe, weights)
    taken = slice(None) if rows is None else rows
    x, y = draw.x_train[taken], draw.y_train[taken]
    if chosen.data is not None:
        x, y = chosen.data(draw, membership, x, y)
    return Candidate(model, regularizer, settings, x, y, draw.seed)


def fitted(draw: OwnDraw, settings: Settings, layers: int, arm: str = "baseline") -> GSNN:
    """A GSNN of one arm, trained on the training rows of a draw.

    Raises KeyboardInterrupt where training was interrupted: a model that is half trained is nobody's result.
    """
    one = candidate(draw, settings, layers, arm)
    if not ARMS[arm].trained:
        return one.model.eval()
    parts = [] if one.regularizer is None else one.regularizer.modules()
    readers = [part for part in parts if isinstance(part, PathwayLatentRegularizer)]
    for reader in readers:
        reader.enable(one.model)
    history = train(one.model, one.x, one.y, regularizer=one.regularizer, **one.training())
    for reader in readers:
        reader.disable(one.model)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return one.model


@torch.no_grad()
def errors(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """MSE of each output, (outputs,)."""
    with evaluating(validate.instance("model", model, torch.nn.Module)):
        return (model(x) - y).square().mean(0).numpy()


def _batch_size(wanted: int, rows: int) -> int:
    """As wanted, or the next smaller size that leaves no batch of a single row, of which nothing can be correlated."""
    wanted = min(wanted, rows)
    return next((size for size in range(wanted, 1, -1) if rows % size != 1), rows if wanted > 1 else 1)
