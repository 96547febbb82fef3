"""Training: one plain loop.

The loop needs two things from others. A ``Regularizer`` gives it two more terms to add to the error. A model that is
several models ``SideBySide`` gives it the error and the best epoch of each of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pandas as pd
import torch
from tqdm import trange

from gsnn_tutorial import kernels, validate


@dataclass
class History:
    """The course of a training, epoch by epoch.

    ``L_sim`` and ``L_dis`` are scaled by their lambdas, as they entered the loss. ``test_mse`` is empty without test
    data, ``val_mse`` without validation data. ``best_epoch`` is the one whose weights the model was given in the end,
    where validation chose it (a list for a union). ``stopped`` is 'diverged' or 'interrupted' if training ended early.
    """

    train_mse: list[float] = field(default_factory=list)
    val_mse: list[float] = field(default_factory=list)
    test_mse: list[float] = field(default_factory=list)
    L_sim: list[float] = field(default_factory=list)
    L_dis: list[float] = field(default_factory=list)
    best_epoch: int | list[int] | None = None
    stopped: str = ""

    def table(self) -> pd.DataFrame:
        """One row per epoch."""
        columns = ("train_mse", *(["val_mse"] if self.val_mse else []), "test_mse", "L_sim", "L_dis")
        table = pd.DataFrame({name: pd.Series(getattr(self, name), dtype=float) for name in columns})
        return table.rename_axis("epoch")


class Regularizer(torch.nn.Module):
    """A term that ``train`` adds to the error. Its parameters are trained too.

    ``strength`` (1.0) multiplies its loss, and ``train(warmup_epochs=)`` raises it from 0. ``smallest_batch`` is the
    smallest number of samples for which the loss is defined.
    """

    smallest_batch = 1

    def __init__(self):
        super().__init__()
        self.strength = 1.0

    def loss(self, model: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
        """Two terms to be added, after a forward pass of the model: () each, or (R,) for R models side by side."""
        raise NotImplementedError


class BestWeights:
    """The weights of the epoch with the lowest validation error so far."""

    def __init__(self, model: torch.nn.Module):
        self.weights = model.state_dict()  # these tensors follow training, the copies below do not
        self.kept = {name: tensor.clone() for name, tensor in self.weights.items()}
        self.error, self.epoch = torch.tensor(float("inf")), -1

    def look(self, error: torch.Tensor, epoch: int):
        """Keep the present weights if their validation error is lower than any before."""
        if error < self.error:
            self.error, self.epoch = error, epoch
            self.kept = {name: tensor.clone() for name, tensor in self.weights.items()}

    @torch.no_grad()
    def restore(self):
        """Put the kept weights into the model; the first ones where no epoch had a finite validation error."""
        for name, tensor in self.weights.items():
            tensor.copy_(self.kept[name])


class SideBySide:
    """R models that are trained as one. A model that is only one model needs none of this."""

    def mse(self, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Each model's own mean squared error, (R,)."""
        raise NotImplementedError

    def best_weights(self) -> BestWeights:
        """An object that keeps each model's weights of its own best epoch; its ``epoch`` is a list of R."""
        raise NotImplementedError


def train(
    model: torch.nn.Module,
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    *,
    x_test: torch.Tensor | None = None,
    y_test: torch.Tensor | None = None,
    x_val: torch.Tensor | None = None,
    y_val: torch.Tensor | None = None,
    regularizer: Regularizer | None = None,
    epochs: int = 500,
    lr: float = 5e-3,
    weight_decay: float = 1e-5,
    batch_size: int | None = None,
    warmup_epochs: int = 0,
    seed: int = 0,
    progress: str | bool = True,
    criterion: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    after_epoch: Callable[[int], None] | None = None,
) -> History:
    """Minimise MSE + L_sim + L_dis with Adam; the model ends in evaluation mode.

    Arguments
        x_train, y_train: (samples, inputs) and (samples, outputs); moved to the model's device.
        x_test, y_test: if given, their MSE is recorded after every epoch. Nothing is chosen by it.
        x_val, y_val: if given, the model ends with the weights of the epoch whose MSE on them was lowest
            (early stopping that looks at all epochs first), each model of a union with its own epoch's.
        regularizer: its parameters are trained too. One of pathways, of weights, or a sum of them.
        epochs, lr, weight_decay: passes over the data, and Adam's settings.
        batch_size: None takes all samples at once; else minibatches in a new random order each epoch.
        warmup_epochs: raise the regularizer's strength linearly from 0 to 1 over so many epochs.
        seed: of the minibatch order.
        progress: show a progress bar; a text is its title.
        criterion: (prediction, y) -> the error; None is the MSE. A union of R models has one each,
            (R,), its ``mse``: their losses are summed, and an entry of the history is a list of R.
        after_epoch: called with the epoch's number, 0 first, when the epoch has ended: to look at the model.

    A loss that is not finite (for every model, if there are several) ends training with a warning, before it reaches
    the weights. An interrupt (Ctrl-C, the stop button) ends it too. Both keep the history, see ``History.stopped``.

    Raises ValueError for data of the wrong shape or not finite, and for batches of one sample
    where the regularizer has to correlate.
    """
    epochs = validate.integer("epochs", epochs, 1)
    warmup_epochs = validate.integer("warmup_epochs", warmup_epochs, 0)
    lr, weight_decay = validate.number("lr", lr, 0), validate.number("weight_decay", weight_decay, 0)
    parameters = validate.trainable(model, regularizer, Regularizer, criterion, after_epoch, progress)
    x_train, y_train = _samples("train", x_train, y_train, model, parameters[0])
    x_test, y_test = _samples("test", x_test, y_test, model, parameters[0])
    x_val, y_val = _samples("val", x_val, y_val, model, parameters[0])
    batch_size = _batch_size(batch_size, len(x_train), regularizer)
    order = torch.Generator().manual_seed(validate.integer("seed", seed, 0))
    weights = sum(parameter.numel() for parameter in parameters)
    parameters += [] if regularizer is None else list(regularizer.parameters())
    # foreach: all tensors in one call. (fused is faster still, but rounds by an entry's place in its tensor, so that
    # a union of models would not train to the last bit as each of them alone.)
    optimizer = torch.optim.Adam(parameters, lr=lr, weight_decay=weight_decay, foreach=True)
    several = isinstance(model, SideBySide)
    if criterion is None:
        criterion = model.mse if several else torch.nn.functional.mse_loss
    best = None if x_val is None else model.best_weights() if several else BestWeights(model)
    full_strength = 1.0 if regularizer is None else regularizer.strength
    history = History()
    title = progress if isinstance(progress, str) else "training"
    try:
        with kernels.enough_threads(weights, batch_size):
            for epoch in trange(epochs, desc=title, unit="epoch", mininterval=0.5, disable=not progress):
                if warmup_epochs and regularizer is not None:
                    regularizer.strength = full_strength * min(1.0, (epoch + 1) / warmup_epochs)
                model.train()
                sums = 0
                for rows in _batches(len(x_train), batch_size, order):
                    optimizer.zero_grad()
                    losses = _losses(model, x_train[rows], y_train[rows], criterion, regularizer)
                    total = losses.sum(0)  # one number for each model
                    # Checked before the backward pass, so that no weight becomes NaN and the model can still be used.
                    if not torch.isfinite(total).any():
                        raise FloatingPointError(f"the loss became {total.tolist()} in epoch {epoch}")
                    total.sum().backward()  # models side by side share no weight: each has the gradient of its own loss
                    optimizer.step()
                    sums = sums + losses.detach() * (len(x_train[rows]) / len(x_train))  # the last batch may be smaller
                if best is not None:
                    error = _error(model, x_val, y_val, criterion)
                    best.look(error, epoch)
                    history.val_mse.append(error.tolist())
                if x_test is not None:
                    history.test_mse.append(_error(model, x_test, y_test, criterion).tolist())
                for column, value in zip((history.train_mse, history.L_sim, history.L_dis), sums.tolist()):
                    column.append(value)
                if after_epoch is not None:
                    after_epoch(epoch)
    except FloatingPointError as error:
        history.stopped = "diverged"
        warnings.warn(f"training stopped: {error}; try a smaller lr or lambda", stacklevel=2)
    except KeyboardInterrupt:
        history.stopped = "interrupted"
        done = len(history.train_mse)
        warnings.warn(f"training interrupted after {done} of {epochs} epochs; the history so far is kept", stacklevel=2)
    finally:
        model.eval()
        if best is not None and history.val_mse:
            best.restore()
            history.best_epoch = best.epoch
        if regularizer is not None:
            regularizer.strength = full_strength
    return history


def _losses(model, x, y, criterion, regularizer) -> torch.Tensor:
    """MSE, L_sim and L_dis of one batch: (3,), or (3, R) for a union of R models."""
    mse = criterion(model(x), y)
    L_sim, L_dis = (torch.zeros_like(mse),) * 2 if regularizer is None else regularizer.loss(model)
    return torch.stack([mse, L_sim, L_dis])


def _error(model, x, y, criterion) -> torch.Tensor:
    """The error on data that are only looked at, in evaluation mode: (), or (R,) for a union."""
    model.eval()
    with torch.no_grad():
        return criterion(model(x), y)


def _batches(samples: int, batch_size: int, order: torch.Generator) -> Iterator:
    """Row selections: everything as it stands, or minibatches in random order."""
    if batch_size >= samples:
        return iter([slice(None)])
    return iter(torch.randperm(samples, generator=order).split(batch_size))


def _batch_size(value, samples: int, regularizer) -> int:
    batch_size = samples if value is None else validate.integer("batch_size", value, 1)
    smallest = samples % batch_size or min(batch_size, samples)
    if regularizer is not None and smallest < regularizer.smallest_batch:
        raise ValueError(
            f"batch_size={batch_size} with {samples} samples leaves a batch of one sample, and a "
            "correlation over the batch needs two: choose another batch_size"
        )
    return batch_size


def _samples(which: str, x, y, model, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """x and y, checked, with the device and dtype of the model's parameters; None where neither is given."""
    if which != "train" and x is None and y is None:
        return None, None
    if which != "train" and (x is None or y is None):
        raise ValueError(f"x_{which} and y_{which} belong together: give both or neither")
    inputs, outputs = validate.columns_of(model)
    x = validate.matrix(f"x_{which}", x, names=inputs, like=like)
    y = validate.matrix(f"y_{which}", y, names=outputs, like=like)
    if len(x) != len(y) or not len(x):
        raise ValueError(f"x_{which} and y_{which} must have as many rows, at least 1; got {len(x)} and {len(y)}")
    with torch.no_grad():
        wanted = model.eval()(x[:1]).shape
    if wanted != y[:1].shape:
        raise ValueError(f"y_{which} must have the model's {wanted[-1]} columns, got shape {tuple(y.shape)}")
    return x, y
