"""The fast paths, and the one switch that chooses them.

Each function here equals a plain function of the reading room that has the same name and the mark ``@plain_path``,
forward and backward, and takes less time. Nobody has to come in: with the switch off, the plain ones run.

    GSNN_TUTORIAL_KERNELS=off           in the environment, for a whole process
    with kernels.plain(): ...           for a block of code

=================  =============================  ==========================================================
fast path          plain path                     what it saves, and when that wins (two CPU cores, medians)
=================  =============================  ==========================================================
``sparse_product`` ``sparse.sparse_product``      page faults and a pass over the result; cache misses of W^T
                                                  where the gradient is larger than the cache. About twice as
                                                  fast on 10,000 nodes, near and far apart
``channel_norm``,  ``node.channel_norm``,         seven of eight autograd steps, a tensor, and the exponential
``activated``      ``node.activated``             of the backward pass. Two and a half times as fast on the
                                                  tutorial's graph, six times on 10,000 nodes
``add_residual``   ``model.add_residual``         a tensor of the state's size, which pays on 10,000 nodes
                                                  only. On small graphs it is slower by a tenth of a
                                                  millisecond: it keeps the order of sums of a union
``node_scores``    ``regularizer.node_scores``    a product of matrices for what is one of vectors. One and a
                                                  half times as fast on 10,000 nodes; on small graphs as above
=================  =============================  ==========================================================

Together a step of the tutorial's model is a third faster, and one of a union of 15 models three times.
``python -m benchmarks --only kernels`` measures it again. ``threads`` and ``enough_threads`` say on how many
threads torch works meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

from gsnn_tutorial.kernels.cores import enough_threads, threads
from gsnn_tutorial.kernels.maps import sparse_product
from gsnn_tutorial.kernels.nodes import activated, add_residual, channel_norm, node_scores

__all__ = [
    "activated", "add_residual", "channel_norm", "enabled", "enough_threads", "node_scores", "plain", "plain_path",
    "sparse_product", "threads",
]  # fmt: skip

SWITCH = "GSNN_TUTORIAL_KERNELS"
_enabled = os.environ.get(SWITCH, "on")
if _enabled not in ("on", "off"):
    raise ValueError(f"{SWITCH} must be 'on' or 'off', got {_enabled!r}")
_enabled = _enabled == "on"


def enabled() -> bool:
    """True if the fast paths run."""
    return _enabled


def plain_path(function: Callable) -> Callable:
    """Mark a plain function of which this room has a fast one, of the same name: the switch chooses between them."""

    @wraps(function)
    def chosen(*arguments):
        return globals()[function.__name__](*arguments) if _enabled else function(*arguments)

    return chosen


@contextmanager
def plain() -> Iterator[None]:
    """Take the plain paths for a while, in every thread."""
    global _enabled
    before, _enabled = _enabled, False
    try:
        yield
    finally:
        _enabled = before
