"""Random wirings, the data of several exercises of assignment 1 (3, 4 and 5)."""

from __future__ import annotations

import torch


def wiring(rng, N):
    """Two inputs, a chain of functions with a shortcut, two outputs, as a (2, E) list without order.

    The end of the chain says nothing to anyone. Functions are 0 .. N-1, inputs N and N+1, outputs N+2 and N+3.
    """
    chain = rng.permutation(N).tolist()
    edges = [*zip(chain, chain[1:]), (chain[0], chain[-1]), (chain[0], chain[2])]
    edges += [(N, chain[0]), (N + 1, chain[1]), (N + 1, chain[2]), (chain[1], N + 2), (chain[-2], N + 2)]
    edges += [(chain[-2], N + 3)]
    return torch.tensor(edges)[torch.tensor(rng.permutation(len(edges)))].T.contiguous()


def wiring_with_self_loops(rng, N):
    """The same with a self-loop at each function node, after the other edges."""
    loops = torch.arange(N).expand(2, -1)  # (2, N)
    return torch.cat([wiring(rng, N), loops], dim=1)  # (2, E + N)
