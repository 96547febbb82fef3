"""The groups of what is measured, by name: each fills a table."""

from __future__ import annotations

from collections.abc import Iterator

from gsnn_tutorial.bench import parts
from gsnn_tutorial.bench.scaling import scaled_steps
from gsnn_tutorial.bench.sizes import Sizes

PARTS = {
    "map": parts.sparse_maps,
    "step": parts.whole_step,
    "epoch": parts.one_epoch,
    "study": parts.whole_study,
    "building": parts.building,
    "regularizer": parts.regularizer_losses,
    "simulation": parts.simulations,
}


def measured(group: str, sizes: Sizes, device: str) -> Iterator[tuple[str, list[dict]]]:
    """What a group measures, as soon as it is there: the name of a table, and rows for it."""
    if group == "scaling":
        for points in scaled_steps(sizes, device):
            yield "scaling", points
    else:
        for row in PARTS[group](sizes, device):
            yield "bench", [row.columns()]


def length(group: str, sizes: Sizes) -> int:
    """How many times ``measured`` yields."""
    scales = (sizes.scaling_edges, sizes.scaling_batch, sizes.scaling_channels, sizes.scaling_replicas)
    lengths = {"map": 2, "simulation": 2, "scaling": sum(map(len, (*scales, sizes.memberships)))}
    return lengths.get(group, 1)
