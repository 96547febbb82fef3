"""Time and memory of a training step, as one size after the other grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from benchmarks.clock import in_turn, peak_bytes
from benchmarks.models import samples_of, seed_model
from benchmarks.peer import GatherScatterGSNN, both_losses
from benchmarks.sizes import Sizes
from gsnn_tutorial.kernels import threads
from gsnn_tutorial.study.problem import Draw
from gsnn_tutorial.study.speed import random_model, training_step
from gsnn_tutorial.study.union import GSNNUnion

MESSAGES = 30_000_000  # the peer stops where it would send more of them at once


def scaled_steps(sizes: Sizes, device: str) -> Iterator[list[dict]]:
    """Time and memory of a training step as E, B, C or R grows (else E=10,000, B=32, C=8), and of the regularizer.

    Each item holds a row for every way at one size.
    """
    base = {"edges E": sizes.base_edges, "samples B": 32, "channels C": 8}
    axes = {"edges E": sizes.scaling_edges, "samples B": sizes.scaling_batch, "channels C": sizes.scaling_channels}
    for axis, values in axes.items():
        for value in values:
            E, B, C = (base | {axis: value}).values()
            model = random_model(E // 10, E, C).to(device)
            x, y = torch.randn(2, B, len(model.node_names_dict["input"]), device=device)
            runs = {"edge-major": training_step(model, x, y)}
            if B * model.ResBlocks[0].lin_in.values.numel() <= MESSAGES:
                runs["gather-scatter"] = training_step(GatherScatterGSNN(model).to(device), x, y)
            yield _scaled(axis, value, runs, device)
    draws = [sizes.problem.draw(r) for r in range(max(sizes.scaling_replicas))]
    for R in sizes.scaling_replicas:
        yield _scaled("replicas R", R, _replicas(draws[:R], device), device)
    for memberships in sizes.memberships:
        yield _scaled("memberships", memberships, both_losses(memberships, device), device)


def _replicas(draws: list[Draw], device: str) -> dict[str, Callable]:
    """A step of as many models of the seed problem: as one union, our models one by one, and the peers."""
    models = [seed_model(draw, r).to(device) for r, draw in enumerate(draws)]
    data = [samples_of(draw, device)[:2] for draw in draws]
    x, y = (torch.cat(columns, dim=1) for columns in zip(*data))
    peers = [training_step(GatherScatterGSNN(model).to(device), *xy) for model, xy in zip(models, data)]
    singles = [training_step(model, *xy) for model, xy in zip(models, data)]
    return {
        "edge-major": training_step(GSNNUnion(models).to(device), x, y),
        "edge-major, one by one": lambda: [step() for step in singles],
        "gather-scatter": lambda: [step() for step in peers],
    }


def _scaled(axis: str, value: int, runs: dict[str, Callable], device: str) -> list[dict]:
    with threads(1 if axis == "replicas R" else torch.get_num_threads()):  # the seed problem is as fast on one
        ms = in_turn(runs, device, 3)
    return [
        {"axis": axis, "value": value, "way": way, "ms": ms[way], "MB": peak_bytes(run, device) / 1e6}
        for way, run in runs.items()
    ]
