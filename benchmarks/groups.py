"""The groups of what is measured, by name: each fills a table."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import parts
from benchmarks.cores import beside_work, growing_steps
from benchmarks.fast_paths import fast_paths
from benchmarks.scaling import scaled_steps
from benchmarks.sizes import Sizes

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
    if group in PARTS:
        for row in PARTS[group](sizes, device):
            yield "bench", [row.columns()]
    else:
        yield from MORE[group](sizes, device)


def _scaling(sizes: Sizes, device: str) -> Iterator[tuple[str, list[dict]]]:
    for points in scaled_steps(sizes, device):
        yield "scaling", points


def _kernels(sizes: Sizes, device: str) -> Iterator[tuple[str, list[dict]]]:
    for path in fast_paths(sizes, device):
        yield "kernels", [path.columns()]


def _cores(sizes: Sizes, device: str) -> Iterator[tuple[str, list[dict]]]:
    for rows in beside_work(sizes):
        yield "cores", rows
    for row in growing_steps(sizes):
        yield "threads", [row]


MORE = {"scaling": _scaling, "kernels": _kernels, "cores": _cores}


def length(group: str, sizes: Sizes) -> int:
    """How many times ``measured`` yields, if the fast paths are on: the length of a progress bar."""
    scales = (sizes.scaling_edges, sizes.scaling_batch, sizes.scaling_channels, sizes.scaling_replicas)
    lengths = {"map": 2, "simulation": 2, "scaling": sum(map(len, (*scales, sizes.memberships))), "kernels": 10}
    return (lengths | {"cores": 2 + len(sizes.cores_powers)}).get(group, 1)
