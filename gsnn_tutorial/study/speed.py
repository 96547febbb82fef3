"""Models of any size, and their training step: what speed is measured on, and the measurements that the kit brings."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import numpy as np
import pandas as pd
import torch

from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.files import read_csv
from gsnn_tutorial.training import SideBySide
from gsnn_tutorial.wiring import EDGE_TYPES


def random_edges(nodes: int, edges: int, seed: int = 0) -> torch.Tensor:
    """``edges`` different pairs of nodes, (2, edges), by source, as networkx lists them."""
    place = np.sort(np.random.default_rng(seed).choice(nodes * nodes, edges, replace=False))
    return torch.tensor(np.stack([place // nodes, place % nodes]))


def random_model(nodes: int, edges: int, channels: int = 8, layers: int = 4, seed: int = 0) -> GSNN:
    """A GSNN on a random graph; every tenth node has an input, every tenth an output."""
    ends = torch.arange(0, nodes, 10)
    number = torch.arange(len(ends))
    index = {
        ("input", "to", "function"): torch.stack([number, ends]),
        ("function", "to", "function"): random_edges(nodes, edges, seed),
        ("function", "to", "output"): torch.stack([ends, number]),
    }
    counts = {"input": len(ends), "function": nodes, "output": len(ends)}
    names = {kind: [f"{kind}_{i}" for i in range(count)] for kind, count in counts.items()}
    generator = torch.Generator().manual_seed(seed)
    edge_index_dict = {edge_type: index[edge_type] for edge_type in EDGE_TYPES}
    # No self-edges: the random ones may be among the edges already.
    return GSNN(
        edge_index_dict, names, channels, layers, node_mlp=False, add_function_self_edges=False, generator=generator
    )


def training_step(model: torch.nn.Module, x, y, regularizer=None) -> Callable:
    """A function that makes one step: forward, backward, Adam as ``train`` has it."""
    parameters = [*model.parameters(), *(regularizer.parameters() if regularizer is not None else ())]
    optimizer = torch.optim.Adam(parameters, lr=5e-3, foreach=True)
    error = model.mse if isinstance(model, SideBySide) else torch.nn.functional.mse_loss

    def step():
        optimizer.zero_grad()
        loss = error(model(x), y).sum()
        if regularizer is not None:
            loss = loss + regularizer.loss(model)[0]
        loss.backward()
        optimizer.step()

    return step


def saved_bench() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table and the scaling of the benchmark's run that the package brings, of two CPU cores."""
    data = files("gsnn_tutorial") / "data"
    return tuple(read_csv(data / name) for name in ("bench.csv", "bench_scaling.csv"))


def slope(sizes, values) -> float:
    """The slope of a straight line through the points on log-log axes; 1 is in proportion."""
    return float(np.polyfit(np.log(np.asarray(sizes, dtype=float)), np.log(values), 1)[0])


def slopes(table: pd.DataFrame) -> pd.DataFrame:
    """Slope of time and memory on log-log axes over each line's upper half: 1 is in proportion."""
    rows = []
    for (axis, way), line in table.groupby(["axis", "way"], sort=False):
        line = line.sort_values("value").tail(max(2, (len(line) + 1) // 2))
        if len(line) > 1:
            time, memory = (slope(line["value"], line[column]) for column in ("ms", "MB"))
            rows.append({"axis": axis, "way": way, "time": time, "memory": memory})
    return pd.DataFrame(rows)
