"""Models of the seed problem, their samples and their training epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.problem import Draw
from gsnn_tutorial.study.speed import training_step


def seed_model(draw: Draw, seed: int = 0) -> GSNN:
    """The model that is trained on a draw of the seed problem."""
    generator = torch.Generator().manual_seed(seed)
    return GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=generator)


def samples_of(draw: Draw, device: str) -> list[torch.Tensor]:
    """The samples of a draw on a device: x and y to train on, x and y to test on."""
    return [t.to(device) for t in (draw.x_train, draw.y_train, draw.x_test, draw.y_test)]


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
