"""The kit's frequent work, against the reference's formulation of it: every part in one run, as a ratio.

The peer of each part is in ``peer``. Times are medians of versions that take turns. Memory is what a step takes at
its worst moment, beyond what is kept between steps (the peer's long indices are kept, and do not count).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from benchmarks.clock import copying, in_turn, peak_bytes
from benchmarks.in_words import Row
from benchmarks.models import samples_of, seed_model, training_epochs
from benchmarks.peer import (
    DenseRegularizer,
    GatherScatterGSNN,
    GatherScatterLinear,
    both_losses,
    loop_indices,
    simulate_one_by_one,
)
from benchmarks.sizes import Sizes
from gsnn_tutorial.gsnn import win_indices
from gsnn_tutorial.kernels import threads
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.simulation import pathway_functions, simulate
from gsnn_tutorial.sparse import SparseLinear
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.speed import random_edges, random_model, slope, training_step


def sparse_maps(sizes: Sizes, device: str) -> Iterator[Row]:
    """W_in alone, forward and backward."""
    for B, wanted in ((32, 30), (128, 25)):
        indices = win_indices(random_edges(sizes.nodes, sizes.edges), sizes.nodes, 8)
        linear = SparseLinear(indices, (sizes.edges, sizes.nodes * 8), bias=False).to(device)
        peer = GatherScatterLinear(linear).to(device)
        x = torch.randn(sizes.edges, B, device=device, requires_grad=True)
        g = torch.randn(sizes.nodes * 8, B, device=device)
        x_peer, g_peer = x.detach().t().contiguous().requires_grad_(), g.t().contiguous()
        runs = {
            "peer": lambda: torch.autograd.grad(peer(x_peer), (peer.values, x_peer), g_peer),
            "ours": lambda: torch.autograd.grad(linear(x), (linear.values, x), g),
            "floor": copying(map_bytes(linear, B), device),
        }
        ms = in_turn(runs, device, sizes.repeats)
        ratio, floors = ms["peer"] / ms["ours"], ms["ours"] / ms["floor"]
        megabytes = {name: peak_bytes(runs[name], device) / 1e6 for name in ("peer", "ours")}
        note = f"a copy moves {map_bytes(linear, B) / ms['floor'] / 1e6:.0f} GB/s, the map {1 / floors:.0%} of that"
        yield Row(
            f"sparse map, B={B}", ms["peer"], ms["ours"], f">= {wanted}x, <= 6 floors", ratio >= wanted and floors <= 6,
            floors, megabytes["peer"], megabytes["ours"], note,
        )  # fmt: skip


def map_bytes(linear: SparseLinear, B: int) -> int:
    """Bytes that forward and backward must move, each operand read or written once (4 bytes a number)."""
    nnz, sources, targets = linear.values.numel(), linear.N, linear.M
    forward = (2 * nnz + targets + 1) + sources * B + targets * B  # W in CSR and x; y
    backward = (2 * nnz + sources + 1) + sources * B + targets * B + nnz + sources * B  # W^T, x, g; both gradients
    return 4 * (forward + backward)


def whole_step(sizes: Sizes, device: str) -> Iterator[Row]:
    """A whole training step of a large GSNN."""
    model = random_model(sizes.nodes, sizes.edges).to(device)
    x, y = torch.randn(2, 32, len(model.node_names_dict["input"]), device=device)
    peer = GatherScatterGSNN(model).to(device)
    runs = {"peer": training_step(peer, x, y), "ours": training_step(model, x, y)}
    ms = in_turn(runs, device, max(3, sizes.repeats // 2))
    peer_MB, ours_MB = (peak_bytes(runs[name], device) / 1e6 for name in ("peer", "ours"))
    met = ms["peer"] >= 15 * ms["ours"] and ours_MB <= peer_MB / 4
    goal = ">= 15x, <= 1/4 of the memory"
    yield Row("GSNN step, L=4, B=32", ms["peer"], ms["ours"], goal, met, np.nan, peer_MB, ours_MB)


def one_epoch(sizes: Sizes, device: str) -> Iterator[Row]:
    """The seed problem: a step on 256 samples, and the error on 1,024; ten in a row, as in training."""
    draw = sizes.problem.draw(0)
    model, samples = seed_model(draw).to(device), samples_of(draw, device)
    versions = {"peer": GatherScatterGSNN(model).to(device), "ours": model}
    runs = {name: training_epochs(version, samples, 10) for name, version in versions.items()}
    with threads(1):  # for work this small both are faster on one
        peer, ours = (ms / 10 for ms in in_turn(runs, device, 2 * sizes.repeats).values())
    note = "with its test pass; a tenth of ten in a row"
    yield Row("seed problem, one epoch", peer, ours, ">= 10x", peer >= 10 * ours, note=note)


def whole_study(sizes: Sizes, device: str) -> Iterator[Row]:
    """Three arms over many seeds; the peer's runs are estimated from a few of its steps."""
    draw = sizes.problem.draw(0)
    model, (x, y, *_) = seed_model(draw).to(device), samples_of(draw, device)
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership(), lambda_sim=1.0, phi="learned").to(device)
    regularizer.disable(model)
    peer, told = GatherScatterGSNN(model).to(device), GatherScatterGSNN(model).to(device)
    dense = DenseRegularizer(told, regularizer).to(device)
    steps = {"plain": training_step(peer, x, y), "told": training_step(told, x, y, dense)}
    with threads(1):
        ms = in_turn(steps, device, 4 * sizes.repeats)
    peer_ms = sizes.seeds * sizes.epochs * (ms["plain"] + 2 * ms["told"])
    start = time.perf_counter()
    recipe = Recipe(epochs=sizes.epochs)
    arms = ("baseline", "regularized", "control")
    table = paired_study(sizes.problem, arms, range(sizes.seeds), recipe=recipe, device=device, progress=False)
    ours_ms = 1e3 * (time.perf_counter() - start)
    if len(table) < sizes.seeds * len(arms):  # a study keeps what it has at an interrupt; its time is not a study's
        raise KeyboardInterrupt
    met = peer_ms >= 20 * ours_ms and ours_ms <= 60_000
    name = f"study, {sizes.seeds} seeds x 3 arms x {sizes.epochs} epochs"
    note = f"peer: estimated from {4 * sizes.repeats} steps, plain and regularized, no evaluation; ours: all"
    yield Row(name, peer_ms, ours_ms, ">= 20x, <= 60 s", met, note=note)


def building(sizes: Sizes, device: str) -> Iterator[Row]:
    """The places of the weights, for a large graph."""
    edge_index = random_edges(sizes.nodes, sizes.edges)
    runs = {
        "peer": lambda: loop_indices(edge_index, sizes.nodes, 8),
        "ours": lambda: random_model(sizes.nodes, sizes.edges),
    }
    ms = in_turn(runs, "cpu", 3)
    note = "peer: the index lists; ours: the whole model; on the CPU"
    yield Row("building the model", ms["peer"], ms["ours"], "< 1 s", ms["ours"] < 1000, note=note)


def regularizer_losses(sizes: Sizes, device: str) -> Iterator[Row]:
    """L_sim, forward and backward; time in proportion to memberships."""
    times = pd.DataFrame({m: in_turn(both_losses(m, device), device, sizes.repeats) for m in sizes.memberships}).T
    grows = {way: slope(times.index, times[way]) for way in times}
    dense, sparse = times.iloc[-1]
    met = dense >= 20 * sparse and grows["edge-major"] <= 1.2
    note = f"slope over memberships {grows['edge-major']:.2f}, of the dense form {grows['dense P x N']:.2f}"
    name = f"regularizer, {times.index[-1]:,} memberships"
    yield Row(name, dense, sparse, ">= 20x, slope <= 1.2", met, note=note)


def simulations(sizes: Sizes, device: str) -> Iterator[Row]:
    """1,280 samples of the seed problem, all at once and one by one."""
    problem = sizes.problem
    graph = problem.draw_graph(0)
    G, functions, samples = graph.networkx(spurious=False), pathway_functions(graph), problem.n_train + problem.n_test
    rng = np.random.default_rng(0)
    ends = graph.input_nodes, graph.output_nodes

    def one_by_one(draw):
        return lambda: simulate_one_by_one(G, samples, *ends, 0.3, functions, lambda i, node: draw())

    runs = {
        "peer": one_by_one(lambda: torch.distributions.Normal(0.0, 1.0).sample().item()),
        "plain loop": one_by_one(rng.standard_normal),
        "ours": lambda: simulate(
            G, problem.n_train, problem.n_test, *ends, noise_scale=0.3, special_functions=functions,
            vectorized=True, seed=0,
        ),
    }  # fmt: skip
    ms = in_turn(runs, "cpu", sizes.repeats)
    met = ms["peer"] >= 100 * ms["ours"]
    note = "peer: a loop over samples with a distribution for every draw, as a probabilistic program has it; on the CPU"
    yield Row(f"simulation, {samples:,} samples", ms["peer"], ms["ours"], ">= 100x", met, note=note)
    note = "peer: the same loop with nothing but a number drawn by NumPy"
    met = ms["plain loop"] >= 100 * ms["ours"]
    yield Row("simulation, barest loop", ms["plain loop"], ms["ours"], ">= 100x", met, note=note)
