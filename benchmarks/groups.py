"""The five groups of measurements, by name: each fills tables."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import parts
from benchmarks.fast_paths import fast_paths
from benchmarks.growth import scaled_steps
from benchmarks.sizes import Sizes
from benchmarks.thread_counts import beside_work, growing_steps

AGAINST_PEER = {  # each part gives rows of the table "bench"
    "map": (parts.sparse_maps,),
    "parts": (parts.whole_step, parts.one_epoch, parts.building, parts.regularizer_losses, parts.simulations),
    "study": (parts.whole_study,),
}
GROUPS = (*AGAINST_PEER, "scaling", "kernels")


def measured(group: str, sizes: Sizes, device: str) -> Iterator[tuple[str, list[dict]]]:
    """The measurements of a group as soon as they are there: the name of a table, and rows for it."""
    for part in AGAINST_PEER.get(group, ()):
        for row in part(sizes, device):
            yield "bench", [row.columns()]
    if group == "scaling":
        for points in scaled_steps(sizes, device):
            yield "scaling", points
    if group == "kernels":
        for path in fast_paths(sizes, device):
            yield "kernels", [path.columns()]
        for rows in beside_work(sizes):
            yield "cores", rows
        for row in growing_steps(sizes):
            yield "threads", [row]


def length(group: str, sizes: Sizes) -> int:
    """The number of times that ``measured`` yields with the fast paths on: the length of a progress bar."""
    scales = (sizes.scaling_edges, sizes.scaling_batch, sizes.scaling_channels, sizes.scaling_replicas)
    lengths = {"map": 2, "parts": 6, "study": 1, "scaling": sum(map(len, (*scales, sizes.memberships)))}
    return lengths.get(group, 10 + 2 + len(sizes.cores_powers))
