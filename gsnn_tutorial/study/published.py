"""The published tutorial: its data, its settings, what it printed, and its run replayed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.graph import pathway_graph
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.kernels import threads
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.simulation import noise_floor, standardize
from gsnn_tutorial.study.files import read_csv
from gsnn_tutorial.study.metrics import Subject, measure
from gsnn_tutorial.study.priors.memberships import shuffled_membership
from gsnn_tutorial.study.problem import Draw
from gsnn_tutorial.training import History, train

PUBLISHED_ARMS = ("baseline", "regularized", "control")
MODEL = {"channels": 8, "layers": 4, "node_mlp": False}
TRAINING = {"lr": 5e-3, "weight_decay": 1e-5}
LAMBDA_SIM = 0.01
EPOCHS = 500
DATA = files("gsnn_tutorial") / "data"


def published_draw() -> Draw:
    """The published graph, samples and shuffled pathways.

    Spurious edges and shuffle follow from NumPy's generator with seed 0, as they did there. The samples are
    stored, since they came from a probabilistic program whose random stream we cannot repeat.
    """
    rng = np.random.default_rng(0)
    graph = pathway_graph(K=4, n_in=2, n_func=3, n_out=2).with_spurious_edges(8, rng)
    shuffled = shuffled_membership(graph.membership(), rng)
    with (DATA / "published.npz").open("rb") as stored:
        samples = {name: torch.tensor(array) for name, array in np.load(stored).items()}
    floor = noise_floor(graph, samples["x_test"], samples["y_train"], samples["y_test"])
    y_train, y_test = standardize(samples["y_train"], samples["y_test"])
    return Draw(graph, samples["x_train"], y_train, samples["x_test"], y_test, shuffled, floor)


def published_table() -> pd.DataFrame:
    """The table that the published tutorial printed, one row per arm."""
    return read_csv(DATA / "published_table.csv", index_col="arm")


def published_log() -> pd.DataFrame:
    """The training log that it printed: every 25th epoch of each arm."""
    return read_csv(DATA / "published_log.csv")


@dataclass(frozen=True)
class Replay:
    """The published run, run again: by arm, the model and its history; and the table.

    The table has the published columns, and four that were not published: CKA within, across, its gap and ARI.
    """

    models: dict[str, GSNN]
    histories: dict[str, History]
    table: pd.DataFrame


def replay(epochs: int = EPOCHS, device: str = "cpu", progress: bool = True) -> Replay:
    """Train the three published arms from the published initial weights, and fill in its table.

    An interrupted arm ends the run; the arms that were finished are kept.
    """
    draw, progress = published_draw(), validate.flag("progress", progress)
    graph, membership = draw.graph, {"regularized": draw.graph.membership(), "control": draw.shuffled}
    models, histories, rows = {}, {}, {}
    for arm in PUBLISHED_ARMS:
        start = torch.Generator().manual_seed(0)  # draws what torch.manual_seed(0) would, and leaves that one alone
        model = GSNN(graph.edge_index_dict, graph.names, **MODEL, generator=start).to(device)
        regularizer = None
        if arm in membership:
            regularizer = PathwayLatentRegularizer(model, membership[arm], lambda_sim=LAMBDA_SIM).to(device)
        with threads(1):
            history = train(
                model, draw.x_train, draw.y_train, x_test=draw.x_test, y_test=draw.y_test,
                regularizer=regularizer, epochs=epochs, progress=progress and f"{arm:>11}", **TRAINING,
            )  # fmt: skip
        if regularizer is not None:
            regularizer.disable(model)
        if history.stopped:
            break
        models[arm], histories[arm] = model, history
        rows[arm] = {"test_mse_final": float(np.mean(history.test_mse[-5:]))} | measure(Subject(model, graph, draw))
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("arm")
    return Replay(models, histories, table.drop(columns="cka_gap_told", errors="ignore"))


def side_by_side(ours: pd.DataFrame) -> pd.DataFrame:
    """The published table and ours, arm by arm; what was not published is missing there."""
    validate.instance("ours", ours, pd.DataFrame)
    both = pd.concat({"published": published_table(), "ours": ours}, names=["source"])
    return both.swaplevel().reindex([(arm, source) for arm in PUBLISHED_ARMS for source in ("published", "ours")])
