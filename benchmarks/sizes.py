"""The sizes at which the benchmark measures: those that its goals are stated for, and small ones for a quick look."""

from __future__ import annotations

from dataclasses import dataclass

from gsnn_tutorial.study.problem import Problem


@dataclass(frozen=True)
class Sizes:
    """The sizes of all measurements; the goals are stated for these."""

    nodes: int = 10_000
    edges: int = 100_000
    problem: Problem = Problem()  # the seed problem
    seeds: int = 20
    epochs: int = 500
    memberships: tuple[int, ...] = (12_500, 25_000, 50_000, 100_000)
    base_edges: int = 10_000  # of the graph whose samples and channels grow
    scaling_edges: tuple[int, ...] = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
    scaling_batch: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    scaling_channels: tuple[int, ...] = (2, 4, 8, 16, 32, 64)
    scaling_replicas: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    map_nodes: int = 10_000  # of the large graph in the table of fast paths
    map_edges: int = 100_000
    union: int = 15  # models side by side there
    cores_epochs: int = 100
    cores_powers: tuple[int, ...] = tuple(range(16, 28))  # of 2: weights times samples of the model that grows
    repeats: int = 7


QUICK = Sizes(
    nodes=2_000, edges=20_000, seeds=4, epochs=50, memberships=(2_500, 5_000, 10_000, 20_000),
    scaling_edges=(1_000, 3_000, 10_000, 30_000), scaling_batch=(1, 8, 64), scaling_channels=(2, 8, 32),
    scaling_replicas=(1, 4, 16), cores_epochs=10, cores_powers=(16, 18, 20, 22, 24, 26), repeats=3,
)  # fmt: skip
