"""The recipe: how every model of a study is built and trained."""

from __future__ import annotations

from dataclasses import dataclass

from gsnn_tutorial import validate
from gsnn_tutorial.study.problem import Drawn, drawn


@dataclass(frozen=True)
class Recipe:
    """How every model of a study is built and trained; the defaults are the published ones but for phi and lambda.

    ``layers=None`` takes one layer more than a chain has function nodes. ``lambda_edge`` and
    ``lambda_weight`` are those of the arms that regularize weights. ``validation`` is the share of the
    training rows, the last ones, that choose the epoch instead of being trained on; 0 keeps the last epoch.
    """

    channels: int = 8
    layers: int | None = None
    phi: str = "learned"
    lambda_sim: float = 1.0
    epochs: int = 500
    lr: float = 5e-3
    weight_decay: float = 1e-5
    lambda_edge: float = 0.03
    lambda_weight: float = 0.1
    validation: float = 0.0

    def __post_init__(self):
        validate.number("lambda_edge", self.lambda_edge, 0, 1e6)
        validate.number("lambda_weight", self.lambda_weight, 0, 1e6)
        validate.number("validation", self.validation, 0, 0.9)
        validate.integer("channels", self.channels, 2)
        validate.choice("phi", self.phi, ("mean", "learned"))
        validate.number("lambda_sim", self.lambda_sim, 0, 1e6)
        validate.number("lr", self.lr, 0, 10)
        validate.number("weight_decay", self.weight_decay, 0, 10)
        validate.integer("epochs", self.epochs, 1)
        if self.layers is not None:
            validate.integer("layers", self.layers, 1)

    def depth(self, problem: Drawn) -> int:
        """The number of layers for ``problem``. Raises ValueError if its outputs are out of reach."""
        drawn(problem)
        if self.layers is None:
            return problem.hops + 1
        if self.layers < problem.hops:
            raise ValueError(f"layers must be at least {problem.hops}, the hops to an output; got {self.layers}")
        return self.layers

    def validation_rows(self, problem: Drawn) -> int:
        """How many training rows choose the epoch. Raises ValueError unless one is left, and two to train on."""
        drawn(problem)
        rows = round(self.validation * problem.n_train)
        if self.validation and not 1 <= rows <= problem.n_train - 2:
            raise ValueError(
                f"validation={self.validation} of {problem.n_train} training rows is {rows}: "
                "it must be at least 1 and leave 2 to train on"
            )
        return rows
