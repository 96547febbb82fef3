"""Each fast path of ``kernels`` against its plain path, in turn, in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch

from benchmarks.clock import in_turn
from benchmarks.models import samples_of, seed_model
from benchmarks.sizes import Sizes
from gsnn_tutorial import kernels
from gsnn_tutorial.gsnn import GSNN, win_indices
from gsnn_tutorial.regularizer import LearnedScore
from gsnn_tutorial.sparse import SparseLinear
from gsnn_tutorial.study.speed import random_edges, random_model, training_step
from gsnn_tutorial.study.union import GSNNUnion

NEAR, FAR = 32, 128  # samples of the map whose gradient is in the cache, and of the one whose gradient is not
WHEN_NEAR = (
    "The fast map wins wherever memory counts: it writes its result once, where the plain one writes zeros first and "
    "adds to them."
)
WHEN_FAR = (
    "The fast map wins by more where the gradient is larger than the cache and neighbouring rows of W^T read it far "
    "apart: it visits the rows in another order."
)
WHEN_NORM = (
    "The fast path wins on small tensors by the calls that autograd need not make, on large ones by passes over memory."
)
WHEN_RESIDUAL = (
    "The fast path wins where the state is large: it writes into a tensor that is there. On small ones the order of "
    "its sums, which is that of a union, costs more than it saves."
)
WHEN_SCORE = (
    "The fast path wins where there are many nodes: its gradients are products of vectors, and not one of matrices. On "
    "few, the order of its sums, which is that of a union, costs more than it saves."
)
WHEN_STEP = "All fast paths of a step together win the more, the more of the step they make up."


@dataclass(frozen=True)
class FastPath:
    """One line of the table: milliseconds forward and backward, and when the fast path wins."""

    part: str
    plain_ms: float
    fast_ms: float
    when: str

    @property
    def ratio(self) -> float:
        return self.plain_ms / self.fast_ms

    def columns(self) -> dict:
        """The row as the CSV has it."""
        row = asdict(self)
        return row | {"ratio": self.ratio, "when": row.pop("when")}


def fast_paths(sizes: Sizes, device: str) -> Iterator[FastPath]:
    """Each fast path alone, at the size of the seed problem and of a large graph, and whole steps.

    Nothing comes where the switch is off.
    """
    if not kernels.enabled():
        return
    clock = {"device": device, "repeats": sizes.repeats}
    for where, B, when in (("near", NEAR, WHEN_NEAR), ("far apart", FAR, WHEN_FAR)):
        yield compared(f"sparse map, {where} (B={B})", sparse_map(sizes, B, device), when, **clock)

    draw = sizes.problem.draw(0)
    small, large = seed_model(draw), random_model(sizes.map_nodes, sizes.map_edges, layers=1)
    for part, run_of, when in (
        ("norm and ELU", norm_elu, WHEN_NORM),
        ("residual", residual, WHEN_RESIDUAL),
        ("learned score", learned_score, WHEN_SCORE),
    ):
        run = run_of(small.to(device), sizes.problem.n_train)
        with kernels.threads(1):
            yield compared(f"{part}, seed problem", run, when, in_a_row=50, **clock)
        yield compared(f"{part}, large graph (B={NEAR})", run_of(large.to(device), NEAR), when, **clock)

    with kernels.threads(1):
        x, y, *_ = samples_of(draw, device)
        yield compared("step, seed problem", training_step(small, x, y), WHEN_STEP, in_a_row=10, **clock)
        union, x, y = union_of(sizes, device)
        yield compared(f"step, union of {union.R} models", training_step(union, x, y), WHEN_STEP, **clock)


def compared(part: str, run: Callable, when: str, device: str, repeats: int, in_a_row: int = 1) -> FastPath:
    """A run by the fast paths and by the plain ones, in turn; short runs so many in a row."""

    def fast():
        for _ in range(in_a_row):
            run()

    def plain():
        with kernels.plain():
            fast()

    ms = in_turn({"plain": plain, "fast": fast}, device, repeats)
    return FastPath(part, ms["plain"] / in_a_row, ms["fast"] / in_a_row, when)


def sparse_map(sizes: Sizes, B: int, device: str) -> Callable:
    """W_in of a large random graph, forward and backward."""
    indices = win_indices(random_edges(sizes.map_nodes, sizes.map_edges), sizes.map_nodes, 8)
    linear = SparseLinear(indices, (sizes.map_edges, sizes.map_nodes * 8), bias=False).to(device)
    x = torch.randn(sizes.map_edges, B, device=device, requires_grad=True)
    g = torch.randn(sizes.map_nodes * 8, B, device=device)
    return lambda: torch.autograd.grad(linear(x), (linear.values, x), g)


def norm_elu(model: GSNN, B: int) -> Callable:
    """The nodes' work on their channels in one layer, forward and backward."""
    node, device = model.ResBlocks[0].node, model.edge_index.device
    z = torch.randn(model.N * model.channels, B, device=device, requires_grad=True)
    g = torch.randn(model.N, model.channels, B, device=device)
    return lambda: torch.autograd.grad(node(z), (z, *node.parameters()), g)


def residual(model: GSNN, B: int) -> Callable:
    """The residual of a layer, forward and backward; it may write into what it is given, ``out``."""
    layer, device = model.ResBlocks[0].residual, model.edge_index.device
    out, h, g = (torch.randn(model.E, B, device=device) for _ in range(3))
    h.requires_grad_()
    return lambda: torch.autograd.grad(layer(out.detach(), h), (h, layer.weight), g)


def learned_score(model: GSNN, B: int) -> Callable:
    """The score of every node, forward and backward."""
    device = model.edge_index.device
    score = LearnedScore(model.channels).to(device)
    a = torch.randn(model.N, model.channels, B, device=device, requires_grad=True)
    g = torch.randn(B, model.N, device=device)
    return lambda: torch.autograd.grad(score(a.permute(2, 0, 1)), (a, score.weight), g)


def union_of(sizes: Sizes, device: str) -> tuple[GSNNUnion, torch.Tensor, torch.Tensor]:
    """Models of as many draws of the seed problem, side by side, and their samples to train on."""
    draws = [sizes.problem.draw(r) for r in range(sizes.union)]
    x, y = (torch.cat(columns, dim=1) for columns in zip(*(samples_of(draw, device)[:2] for draw in draws)))
    return GSNNUnion([seed_model(draw, r) for r, draw in enumerate(draws)]).to(device), x, y
