"""The recipe by which every model of a study is built and trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from gsnn_tutorial import validate
from gsnn_tutorial.gsnn.node import NORMS
from gsnn_tutorial.study.problem import Drawn

LATER = ("norm", "share_layers", "batch_size")  # fields that the settings of the saved studies do not have yet


@dataclass(frozen=True)
class Recipe:
    """The build and the training of a study's models; the defaults are the published ones but for phi and lambda.

    ``layers=None`` takes one layer more than a chain has function nodes, or the depth of a reader's network.
    ``lambda_edge`` and ``lambda_weight`` are those of the arms that regularize weights. ``validation`` is the share
    of the training rows, the last ones, that choose the epoch instead of being trained on; 0 keeps the last epoch.
    ``norm`` and ``share_layers`` are those of ``GSNN``. ``batch_size=None`` takes all rows at once; else minibatches,
    in an order that the seed of the draw decides.
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
    norm: str = "layer"
    share_layers: bool = True
    batch_size: int | None = None

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
        validate.choice("norm", self.norm, tuple(NORMS))
        validate.flag("share_layers", self.share_layers)
        for name in ("layers", "batch_size"):
            if getattr(self, name) is not None:
                validate.integer(name, getattr(self, name), 1)

    def depth(self, problem: Drawn) -> int:
        """The number of layers for ``problem``. Raises ValueError if its outputs are out of reach.

        A network that was given, and not made, has a ``depth``; fewer layers than that may be tried on it.
        """
        needed = getattr(problem, "depth", None)
        if self.layers is None:
            return problem.hops + 1 if needed is None else needed
        if needed is None and self.layers < problem.hops:
            raise ValueError(f"layers must be at least {problem.hops}, the hops to an output; got {self.layers}")
        return self.layers

    def validation_rows(self, problem: Drawn) -> int:
        """The number of rows that choose the epoch. Raises ValueError unless there is one, and two to train on."""
        rows = round(self.validation * problem.n_train)
        if self.validation and not 1 <= rows <= problem.n_train - 2:
            raise ValueError(
                f"validation={self.validation} of {problem.n_train} training rows is {rows}: "
                "it must be at least 1 and leave 2 to train on"
            )
        return rows

    def batch(self, rows: int) -> int:
        """The size of a minibatch of ``rows``: as given, or the next smaller one that leaves no batch of one row.

        Nothing can be correlated over a single row.
        """
        wanted = rows if self.batch_size is None else min(self.batch_size, rows)
        return next((size for size in range(wanted, 1, -1) if rows % size != 1), rows if wanted > 1 else 1)

    def training(self, rows: int, seed: int) -> dict:
        """Keyword arguments for ``train`` on so many rows; the seed is that of the minibatches' order."""
        return {
            "epochs": self.epochs, "lr": self.lr, "weight_decay": self.weight_decay, "batch_size": self.batch(rows),
            "seed": seed, "progress": False,
        }  # fmt: skip

    @property
    def described(self) -> dict:
        """The recipe as a file keeps it: fields of ``LATER`` only where they are not as the saved studies had them."""
        usual = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if name not in LATER or value != usual[name]}


OWN_RECIPE = Recipe(norm="batch", share_layers=False, batch_size=32, epochs=60, lambda_sim=0.1)
"""The usual recipe for measured data, which have few rows and weak signals: minibatches make many steps of an epoch,
a norm over the batch keeps how strong a signal is, and each layer has weights of its own."""
