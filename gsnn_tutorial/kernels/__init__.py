"""The fast paths, and the one switch that chooses them.

Each function here does what a plain path of the reading room does, forward and backward, in less time. Nobody has
to come in: with the switch off, everything runs on the plain paths.

    GSNN_TUTORIAL_KERNELS=off           in the environment, for a whole process
    with kernels.plain(): ...           for a block of code

=================  =============================  ==========================================================
fast path          plain path                     what it saves, and when that wins (two CPU cores, medians)
=================  =============================  ==========================================================
``sparse_map``     ``sparse.SparseMap``           page faults and a pass over the result; cache misses of W^T
                                                  where the gradient is larger than the cache. About twice as
                                                  fast on 10,000 nodes, near and far apart
``channel_norm``,  ``node.GroupLayerNorm``,       seven of eight autograd steps, a tensor, and the exponential
``elu_over``       ``torch.nn.ELU``               of the backward pass. Two and a half times as fast on the
                                                  tutorial's graph, six times on 10,000 nodes
``add_residual``   ``gsnn.Residual``              a tensor of the state's size, which pays on 10,000 nodes
                                                  only. On small graphs it is slower by a tenth of a
                                                  millisecond: it keeps the order of sums of a union
``node_scores``    ``regularizer.LearnedScore``   a product of matrices for what is one of vectors. One and a
                                                  half times as fast on 10,000 nodes; on small graphs as above
=================  =============================  ==========================================================

Together a step of the tutorial's model is a third faster, and one of a union of 15 models three times.
``python -m gsnn_tutorial bench --only kernels`` measures it again. ``threads`` and ``enough_threads`` say on how many
threads torch works meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from gsnn_tutorial.kernels.cores import enough_threads, threads
from gsnn_tutorial.kernels.maps import sparse_map
from gsnn_tutorial.kernels.nodes import add_residual, channel_norm, elu_over, may_overwrite, node_scores

__all__ = [
    "add_residual", "channel_norm", "elu_over", "enabled", "enough_threads", "may_overwrite", "node_scores", "plain",
    "sparse_map", "threads",
]  # fmt: skip

SWITCH = "GSNN_TUTORIAL_KERNELS"
_enabled = os.environ.get(SWITCH, "on")
if _enabled not in ("on", "off"):
    raise ValueError(f"{SWITCH} must be 'on' or 'off', got {_enabled!r}")
_enabled = _enabled == "on"


def enabled() -> bool:
    """Whether the fast paths are taken."""
    return _enabled


@contextmanager
def plain() -> Iterator[None]:
    """Take the plain paths for a while, in every thread."""
    global _enabled
    before, _enabled = _enabled, False
    try:
        yield
    finally:
        _enabled = before
