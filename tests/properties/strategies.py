"""What the property tests draw from: graphs, settings, memberships, models; and how many examples they take.

Hypothesis draws the structure, which it can shrink; numbers come from a drawn seed. ``GSNN_TUTORIAL_PROPERTIES`` is
one of

    usual     the same examples in every run, and what fails as it was found
    small     the same, and what fails made as small as possible, which takes a while
    hunt      twelve times as many examples, new ones in each run, and what fails made small
"""

import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import pytest
import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from gsnn_tutorial import GSNN, kernels
from gsnn_tutorial.kernels import maps
from gsnn_tutorial.wiring import EDGE_TYPES, NODE_TYPES

PROFILE = os.environ.get("GSNN_TUTORIAL_PROPERTIES", "usual")
ALWAYS = {
    "deadline": None,
    "database": None,
    "report_multiple_bugs": False,  # one error as it is, not a group of them
    "suppress_health_check": [HealthCheck.too_slow],
}
FOUND = [phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)]
settings.register_profile("usual", derandomize=True, max_examples=40, phases=FOUND, **ALWAYS)
settings.register_profile("small", derandomize=True, max_examples=40, **ALWAYS)
settings.register_profile("hunt", derandomize=False, max_examples=480, print_blob=True, **ALWAYS)
settings.load_profile(PROFILE)


def examples(share: float) -> settings:
    """A share of the profile's examples, for what takes longer than the rest, or needs more of them."""
    return settings(max_examples=max(1, round(share * settings.default.max_examples)))


def fault(reason: str, error=AssertionError):
    """A test that fails for a known reason, and says so when it no longer does."""
    return pytest.mark.xfail(strict=True, raises=error, reason=reason)


SEEDS = st.integers(0, 2**32 - 1)
WAYS = ("fast", "far apart", "plain")


def way(name: str):
    """The fast kernels, those for a gradient that is larger than the cache, or the plain paths, for a block of code."""
    return {"fast": nullcontext, "far apart": lambda: cache_of(0), "plain": kernels.plain}[name]()


@contextmanager
def cache_of(size: float):
    """As if the processor's cache had so many bytes; with 0, no gradient fits into it."""
    before, maps.CACHE = maps.CACHE, size
    try:
        yield
    finally:
        maps.CACHE = before


# Graphs


@dataclass(frozen=True)
class Wiring:
    """Nodes and edges by type, as ``GSNN`` takes them."""

    names: dict
    pairs: dict

    @property
    def edges(self) -> dict:
        """The pairs as (2, E) tensors."""
        return {t: torch.tensor(self.pairs[t], dtype=torch.long).reshape(-1, 2).t() for t in EDGE_TYPES}

    def edge_list(self, self_edges: bool) -> list:
        """All edges ((type, place), (type, place)) in the order that a GSNN's edge states have."""
        order = ("function", "to", "function"), ("input", "to", "function"), ("function", "to", "output")
        edges = [((s, i), (t, j)) for s, to, t in order for i, j in self.pairs[s, to, t]]
        own = [(("function", n),) * 2 for n in range(len(self.names["function"]))]
        return edges + (own if self_edges else [])


@st.composite
def wirings(draw, functions=st.integers(1, 6), density=st.sampled_from(["sparse", "dense", "far apart"])) -> Wiring:
    """Any graph that a GSNN takes: cycles, self-loops, nodes without edges, outputs that nothing reaches.

    The densities: a few edges; all but a few, in any order; and all but a few, in the order of their sources, so that
    the edges into a node stand far apart.
    """
    sizes = {"input": draw(st.integers(1, 3)), "function": draw(functions), "output": draw(st.integers(1, 3))}
    pairs = {}
    for s, to, t in EDGE_TYPES:
        every = [(i, j) for i in range(sizes[s]) for j in range(sizes[t])]
        how = draw(density)
        if how == "sparse":
            pairs[s, to, t] = draw(st.lists(st.sampled_from(every), unique=True, max_size=10))
        else:
            missing = draw(st.sets(st.sampled_from(every), max_size=3))
            kept = [pair for pair in every if pair not in missing]
            pairs[s, to, t] = draw(st.permutations(kept)) if how == "dense" else kept
    if not any(pairs.values()):
        pairs["input", "to", "function"] = [(0, 0)]
    return Wiring({t: [f"{t[0]}{i}" for i in range(sizes[t])] for t in NODE_TYPES}, pairs)


# The edges into a node stand so far apart that a gradient larger than the cache is computed in another order.
FAR_APART = wirings(st.integers(3, 6), st.just("far apart"))


def graphs_for(name: str):
    """Any graphs, or for the way "far apart" those for which it is another way than the fast one."""
    return FAR_APART if name == "far apart" else wirings()


# Models


@st.composite
def options(draw, norms=("layer", "batch", "none"), node_mlp=st.booleans(), layers=st.integers(1, 4)) -> dict:
    """Settings of a GSNN."""
    norm = draw(st.sampled_from(norms))
    return {
        "channels": draw(st.integers(2 if norm == "layer" else 1, 4)),
        "layers": draw(layers),
        "norm": norm,
        "nonlin": draw(st.sampled_from([torch.nn.ELU, torch.nn.Tanh])),
        "share_layers": draw(st.booleans()),
        "residual": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "add_function_self_edges": draw(st.booleans()),
        "node_mlp": draw(node_mlp),
        "node_mlp_hidden": draw(st.integers(1, 5)),
    }


def make_model(wiring: Wiring, options: dict, seed: int, dtype=torch.float64) -> GSNN:
    """A GSNN with every parameter and running statistic drawn anew: no gamma of 1 and no bias of 0 hides a mistake."""
    draws = torch.Generator().manual_seed(seed)
    model = GSNN(wiring.edges, wiring.names, **options, generator=draws).to(dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.7, generator=draws)
        for name, buffer in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.uniform_(0.5, 2, generator=draws)
    return model


def normal(seed: int, *shape: int, dtype=torch.float64) -> torch.Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


# Memberships

WEIGHTS = [1.0, 1.0, 0.1, 0.3, 0.7, 1.7, 3.3]


@st.composite
def memberships(draw, nodes: int, signed: bool, pathways=st.integers(1, 4)) -> torch.Tensor:
    """M, (P, nodes) in float64: soft weights, overlaps, nodes that are in none; ``signed`` allows negative ones."""
    M = torch.zeros(draw(pathways), nodes, dtype=torch.float64)
    for p in range(len(M)):
        for i in draw(st.sets(st.integers(0, nodes - 1), min_size=1)):
            M[p, i] = draw(st.sampled_from(WEIGHTS + [-w for w in WEIGHTS] * signed))
    return M


def pairs_of(pathways: int):
    """Some pairs (p, q) of different pathways, possibly none."""
    every = [(p, q) for p in range(pathways) for q in range(pathways) if p != q]
    return st.lists(st.sampled_from(every), unique=True, max_size=4) if every else st.just([])


# Comparisons


def close(actual, expected, tolerance: float = 1e-10):
    """Equal up to ``tolerance``, of the largest entry where that is above 1."""
    actual, expected = actual.detach(), expected.detach()
    scale = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * scale)


def gradients(loss, tensors) -> list:
    """The gradient in each tensor, zeros where the loss does not depend on it."""
    tensors = list(tensors)
    if not tensors or not loss.requires_grad:
        return [torch.zeros_like(tensor) for tensor in tensors]
    return list(torch.autograd.grad(loss, tensors, retain_graph=True, allow_unused=True, materialize_grads=True))
