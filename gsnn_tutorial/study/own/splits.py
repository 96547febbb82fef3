"""Measured data as a problem: a seed decides which rows are held out, what is shuffled, and how a model starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.study.own.network import OwnNetwork
from gsnn_tutorial.study.own.own_graph import OwnGraph
from gsnn_tutorial.study.priors.memberships import shuffled_membership
from gsnn_tutorial.study.problem import Draw, stream


@dataclass(frozen=True)
class OwnDraw(Draw):
    """A draw of measured data: ``floor`` is NaN, since nobody knows what noise alone costs.

    ``rows`` and ``test_rows`` are the places of the rows among those of the network's table.
    """

    rows: np.ndarray | None = None
    test_rows: np.ndarray | None = None


@dataclass(frozen=True)
class OwnProblem:
    """A network with its data, of which a seed holds some rows out.

    Arguments
        network: what ``own_network`` made; with sets, unless only ``split`` is called.
        test: the share of the groups, whole ones, that is held out; at least one is, and at least two are left.
    """

    network: OwnNetwork
    test: float = 0.2

    def __post_init__(self):
        validate.instance("network", self.network, OwnNetwork)
        validate.number("test", self.test, 0, 0.9)
        groups = self.network.groups.nunique()
        if groups < 3:
            raise ValueError(
                f"network must have at least 3 groups of rows, to hold one out and train on two; got {groups}"
            )

    @property
    def n_train(self) -> int:
        """The fewest rows that any seed trains on: groups may differ in size."""
        sizes = self.network.groups.value_counts()
        return int(sizes.sum() - sizes.head(self._held_out()).sum())

    @property
    def n_function(self) -> int:
        """N, the number of function nodes."""
        return len(self.network.graph.function_nodes)

    @property
    def hops(self) -> int:
        """The most function nodes on the shortest way from an input to an output that hears it."""
        return self.network.depth

    @property
    def depth(self) -> int:
        """The usual number of layers, see ``Recipe.depth``: every output hears of every input that reaches it."""
        return self.network.depth

    @property
    def graph(self) -> OwnGraph:
        """The graph, the same for every seed."""
        return self.network.graph

    @property
    def described(self) -> dict:
        """The settings that stand beside a study's table: a fingerprint of the data, and the share held out."""
        return {"data": self.network.fingerprint(), "test": self.test}

    def _held_out(self) -> int:
        groups = self.network.groups.nunique()
        return min(max(1, round(self.test * groups)), groups - 2)

    def split(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Places of the training rows and of the test rows: whole groups, drawn from the seed."""
        codes, names = pd.factorize(self.network.groups)
        held_out = stream(seed, "data").permutation(len(names))[: self._held_out()]
        is_test = np.isin(codes, held_out)
        return np.flatnonzero(~is_test), np.flatnonzero(is_test)

    def draw(self, seed: int) -> OwnDraw:
        """One seed's split, scaled by its training rows, with the sets and their shuffle.

        Outputs are standardised; so are inputs, unless they hold nothing but 0 and 1.

        Raises ValueError without sets, and where they cannot be shuffled.
        """
        if self.network.membership is None:
            raise ValueError("network must have sets: without any there is no prior to study")
        rows, test_rows = self.split(seed)
        x, y = (torch.tensor(table.to_numpy(), dtype=torch.float64) for table in (self.network.x, self.network.y))
        x_train, x_test = scaled(x[rows], x[test_rows], keep=((x == 0) | (x == 1)).all(0))
        y_train, y_test = scaled(y[rows], y[test_rows])
        sets = self.network.graph.membership()
        return OwnDraw(
            self.network.graph, x_train, y_train, x_test, y_test, shuffled_membership(sets, stream(seed, "shuffle")),
            float("nan"), seed, sets, self.network.groups.to_numpy()[rows], rows, test_rows,
        )  # fmt: skip


def scaled(train: torch.Tensor, test: torch.Tensor, keep: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
    """Columns with mean 0 and standard deviation 1 over the training rows, as float32.

    A column that does not vary over the training rows is only centred; those of the mask ``keep`` stay as they are.
    """
    mean, std = train.mean(0), train.std(0)
    std = torch.where(std > 1e-12 * (1 + mean.abs()), std, 1.0)
    if keep is not None:
        mean, std = torch.where(keep, 0.0, mean), torch.where(keep, 1.0, std)
    return tuple(((part - mean) / std).float() for part in (train, test))
