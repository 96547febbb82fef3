"""The tuned comparison of chapter 8: python notebooks/studies/hepatocytes_tuned.py OUTPUT.csv [SEEDS].

Written before a seed of it was run. Every model chooses by folds of whole combinations of the training rows, and meets
the test rows once. Each GSNN chooses from three weight decays or strengths and six epochs, the GCN from three depths
and six epochs, by two folds; ridge and the MLP from four penalties, by four. The splits are those of the seeds 100 to
111, on which no step was looked at. Their rows are those of the steps, so what was learned there about norm and depth
is not independent of them. We read, all of it corrected together by Holm,

* edges that the training rows ask for against the map as drawn, and against as many edges at random;
* the GSNN with those edges against pairwise ridge, the MLP and a GCN on the same map;
* on that map the score of chapter 5 against the baseline and both of its controls, and signed against plain sets.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from hepatocytes_steps import asked_edges, random_edges

from gsnn_tutorial.study.arms import OWN_ARMS
from gsnn_tutorial.study.files import write_csv
from gsnn_tutorial.study.own.hepatocytes import CAREFUL, hepatocytes, stimuli
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.rivals import RIVALS, group_mean, inputs_of, mlp, ridge, squared_errors
from gsnn_tutorial.study.own.own_graph import signed_membership
from gsnn_tutorial.study.own.splits import OwnDraw, OwnProblem
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.tuning import Tuning

SEEDS = range(100, 112)
EPOCHS = (16, 32, 48, 64, 80, 96)
TUNING = Tuning(folds=2, epochs=EPOCHS)


@dataclass(frozen=True)
class Changed(OwnProblem):
    """The problem with another draw: ``change`` makes it of the one that a seed gives, and ``how`` names it."""

    change: Callable[[OwnDraw], OwnDraw] = lambda draw: draw
    how: str = "as drawn"

    @property
    def described(self) -> dict:
        """The settings that stand beside the table."""
        return super().described | {"change": self.how}

    def draw(self, seed: int) -> OwnDraw:
        """One seed's draw, changed."""
        return self.change(super().draw(seed))


def with_edges(draw: OwnDraw, new) -> OwnDraw:
    """The same draw on a map with more edges."""
    return replace(draw, graph=replace(draw.graph, edges=draw.graph.edges + tuple(new)))


def changes(network) -> dict[str, tuple[Callable[[OwnDraw], OwnDraw], dict[str, str]]]:
    """The maps and sets, by name: each makes a draw of the one as drawn, and has rows {arm or rival: its name there}."""

    def asked(draw):
        return with_edges(draw, asked_edges(network, draw.rows))

    def random(draw):
        return with_edges(draw, random_edges(network, len(asked_edges(network, draw.rows)), draw.seed))

    def signed(draw):
        return replace(asked(draw), membership=signed_membership(network.graph, stimuli(network)))

    flat = ("mean of the cell line", "additive ridge", "pairwise ridge", "MLP")
    return {
        "map as drawn": (lambda draw: draw, {name: name for name in flat} | {"baseline": "map as drawn"}),
        "random edges": (random, {"baseline": "random edges"}),
        "mended map": (asked, {arm: arm for arm in ("GCN", *OWN_ARMS)}),
        "signed sets": (signed, {"regularized_loo": "signed sets"}),
    }


def mean_of_the_line(draw: OwnDraw):
    """Errors of the mean of the training rows of the same cell line, whose columns have an = in their names."""
    x, x_test = (table.filter(like="=") for table in inputs_of(draw))
    return squared_errors(draw, group_mean(x, draw.y_train, x_test))


def additive(model: Callable) -> Callable:
    """Errors of ridge or the MLP on the inputs as they are."""

    def errors(draw: OwnDraw):
        x, x_test = inputs_of(draw)
        return squared_errors(draw, model(x, draw.y_train, x_test, draw.groups))

    return errors


def gcn(draw: OwnDraw):
    """Errors of a graph convolutional network that chooses its depth and epoch."""
    from gcn import gcn_errors  # here, since torch_geometric takes seconds to import

    return gcn_errors(draw, EPOCHS, n_folds=TUNING.folds)


RIVALS.update({"mean of the cell line": mean_of_the_line, "additive ridge": additive(ridge), "MLP": additive(mlp),
               "GCN": gcn})  # fmt: skip


def study(output: str | Path, seeds=SEEDS):
    """Compute and write the table: seed, arm, test_mse, the error of each output, and what a GSNN has chosen.

    The rows of each change are kept in a file beside ``output``, from which an interrupted study goes on.
    """
    output, network, tables = Path(output), own_network(**hepatocytes()), []
    for how, (change, words) in changes(network).items():
        table = paired_study(
            Changed(network, change=change, how=how), tuple(words), seeds, recipe=CAREFUL, tuning=TUNING,
            output=output.with_suffix(f".{how.replace(' ', '_')}.csv"), resume=True,
        )  # fmt: skip
        tables.append(table.assign(arm=table["arm"].map(words)))
    table = pd.concat(tables).sort_values("seed", kind="stable")
    each = table.filter(like="mse: ").rename(columns=lambda name: name.removeprefix("mse: "))
    chosen = table[["epoch", "weight_decay", "lambda_sim", "cv_mse"]]
    write_csv(pd.concat([table[["seed", "arm", "test_mse"]], each, chosen], axis=1).round(4), output)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    study(sys.argv[1], SEEDS[: int(sys.argv[2])] if len(sys.argv) == 3 else SEEDS)
