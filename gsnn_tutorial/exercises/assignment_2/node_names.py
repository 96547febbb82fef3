"""Names for the nodes in the data of several exercises of assignment 2 (1, 3 and 4)."""

from __future__ import annotations


def node_names(rng, N):
    """N names in no order."""
    return [f"g{code}" for code in rng.permutation(100)[:N]]
