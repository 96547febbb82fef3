"""An arrow passes between nodes, and never behind one of them."""

import numpy as np
import pytest
from matplotlib.patches import ConnectionStyle

from gsnn_tutorial.plots.style import bend


def distance(rad, source, target, others):
    """How near to ``others`` matplotlib draws the arrow."""
    start, control, end = ConnectionStyle("arc3", rad=rad)(source, target).vertices
    t = np.linspace(0, 1, 101)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return np.linalg.norm(curve[:, None] - np.array(others), axis=-1).min()


@pytest.mark.parametrize("seed", range(5))
def test_a_node_on_the_way_is_passed_at_a_distance(seed):
    rng = np.random.default_rng(seed)
    source, target = rng.normal(size=2), rng.normal(size=2)
    target = source + 2 * (target - source) / np.linalg.norm(target - source)
    others = [(source + target) / 2 + rng.normal(size=2) * 0.05]  # close to the straight line
    assert distance(bend(source, target, others), source, target, others) > 0.2


def test_a_free_way_is_bent_only_a_little():
    assert abs(bend((0, 0), (2, 0), [(1, 5)])) == 0.12
