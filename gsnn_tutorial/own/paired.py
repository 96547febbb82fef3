"""The plain paired comparison on data of one's own: the same settings for every arm, over splits that seeds decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from gsnn_tutorial import validate
from gsnn_tutorial.evaluation import evaluating
from gsnn_tutorial.files import read_csv, write_csv
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.own.problem import OwnDraw, OwnProblem
from gsnn_tutorial.own.rivals import pairwise, ridge
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.training import train

OWN_ARMS = ("baseline", "regularized_loo", "control_loo", "connected_control_loo")
RIVALS = ("mean", "pairwise ridge")
MOST_PAIRS = 60  # inputs, beyond which pairwise ridge is ridge without pairs
Comparison = Callable[..., pd.DataFrame]


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
    phi: str = "learned"


def fitted(draw: OwnDraw, settings: Settings, layers: int, arm: str = "baseline", graph: PathwayGraph | None = None):
    """A GSNN of one arm, trained on the training rows of a draw; on ``graph`` where that is not the draw's own."""
    graph = draw.graph if graph is None else graph
    chosen = ARMS[validate.choice("arm", arm, tuple(ARMS))]
    weights = torch.Generator().manual_seed(draw.seed)
    model = GSNN(
        graph.edge_index_dict, graph.names, settings.channels, layers, norm=settings.norm,
        share_layers=settings.share_layers, node_mlp=False, generator=weights,
    )  # fmt: skip
    membership = None if chosen.membership is None else chosen.membership(draw)
    regularizer, readers = None, []
    if chosen.regularizer is not None:
        recipe = Recipe(lambda_sim=settings.lambda_sim, phi=settings.phi)
        regularizer = chosen.regularizer(model, membership, draw, recipe, weights)
        readers = [part for part in regularizer.modules() if isinstance(part, PathwayLatentRegularizer)]
    for reader in readers:
        reader.enable(model)
    x, y = draw.x_train, draw.y_train
    if chosen.data is not None:
        x, y = chosen.data(draw, membership, x, y)
    rows = len(x)
    batch = min(settings.batch_size, rows)
    batch -= rows % batch == 1 and batch > 2  # no batch of a single row
    train(
        model, x, y, regularizer=regularizer, epochs=settings.epochs, lr=settings.lr,
        weight_decay=settings.weight_decay, batch_size=batch, seed=draw.seed, progress=False,
    )  # fmt: skip
    for reader in readers:
        reader.disable(model)
    return model


@torch.no_grad()
def errors(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """MSE of each output, (outputs,)."""
    with evaluating(validate.instance("model", model, torch.nn.Module)):
        return (model(x) - y).square().mean(0).numpy()


def rival_errors(name: str, draw: OwnDraw) -> np.ndarray:
    """MSE of each output of a model without a network, (outputs,): 'mean', or 'pairwise ridge' tuned by groups."""
    validate.choice("name", name, RIVALS)
    y = draw.y_test.numpy()
    if name == "mean":
        return (y**2).mean(0)  # of standardised outputs
    inputs = draw.graph.input_nodes
    both = pd.DataFrame(torch.cat([draw.x_train, draw.x_test]).numpy(), columns=inputs)
    features = (pairwise(both) if len(inputs) <= MOST_PAIRS else both).to_numpy()
    rows, groups = len(draw.x_train), np.unique(draw.groups)
    if len(groups) < 4:
        return np.full(y.shape[1], np.nan)
    return ((ridge(features[:rows], draw.y_train, features[rows:], draw.groups) - y) ** 2).mean(0)


def paired_comparison(
    problem: OwnProblem, arms: Sequence[str] = OWN_ARMS, seeds: Iterable[int] = range(8), *,
    settings: Settings = Settings(), output: str | Path | None = None, resume: bool = False, progress: bool = True,
) -> pd.DataFrame:  # fmt: skip
    """Test MSE of every arm and of two rivals on every split: seed, arm, test_mse, and a column for each output.

    ``output`` is a CSV file that grows with every seed; with ``resume`` its finished seeds are kept, those that
    are not asked for too. Every arm has the same settings, and none is tuned: that is the business of the study.
    """
    validate.instance("problem", problem, OwnProblem)
    arms = [validate.choice("arms", arm, tuple(ARMS)) for arm in arms]
    seeds = [validate.integer("seeds", seed, 0) for seed in validate.ordered("seeds", seeds)]
    layers = settings.layers or problem.network.depth
    names, tables = problem.network.graph.output_nodes, []
    if resume and output is not None and Path(output).exists():
        kept = read_csv(output)
        complete = kept.groupby("seed")["arm"].transform("nunique") == len(RIVALS) + len(arms)
        tables = [part for _, part in kept[complete].groupby("seed")]
    done = {int(part["seed"].iloc[0]) for part in tables}
    for seed in tqdm(seeds, desc="splits", unit="split", disable=not progress):
        if seed in done:
            continue
        draw, rows = problem.draw(seed), []
        for arm in (*RIVALS, *arms):
            if arm in RIVALS:
                each = rival_errors(arm, draw)
            else:
                each = errors(fitted(draw, settings, layers, arm), draw.x_test, draw.y_test)
            rows.append({"seed": seed, "arm": arm, "test_mse": float(np.mean(each))} | dict(zip(names, each.tolist())))
        tables.append(pd.DataFrame(rows))
        if output is not None:
            write_csv(pd.concat(tables), output)
    table = pd.concat(tables, ignore_index=True)
    return table[table["seed"].isin(seeds)].reset_index(drop=True)
