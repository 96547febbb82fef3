"""What is timed: models on random graphs, models of the seed problem, and their training steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.problem import Draw
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


def seed_model(draw: Draw, seed: int = 0) -> GSNN:
    """The model that is trained on a draw of the seed problem."""
    generator = torch.Generator().manual_seed(seed)
    return GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=generator)


def samples_of(draw: Draw, device: str) -> list[torch.Tensor]:
    """The samples of a draw, there where they are needed: x and y to train on, x and y to test on."""
    return [t.to(device) for t in (draw.x_train, draw.y_train, draw.x_test, draw.y_test)]


def training_step(model: torch.nn.Module, x, y, regularizer=None) -> Callable:
    """A run of one step: forward, backward, Adam as ``train`` has it."""
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


def training_epochs(model: torch.nn.Module, samples: Sequence[torch.Tensor], count: int) -> Callable:
    """A run of so many epochs in a row: a step on the training samples, and the error on the test samples."""
    x, y, x_test, y_test = samples
    step = training_step(model, x, y)

    def run():
        for _ in range(count):
            step()
            with torch.no_grad():
                torch.nn.functional.mse_loss(model(x_test), y_test).item()

    return run
