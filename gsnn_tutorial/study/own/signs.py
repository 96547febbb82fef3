"""Signed memberships: a repressor is a member that falls where the others rise, by the signs of the network's edges."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.study.own.own_graph import OwnGraph


def path_signs(graph: OwnGraph, starts: Sequence[str]) -> dict[str, int]:
    """+1 or -1 for each function node that is reached: the product of the signs along a shortest path to it.

    ``starts`` are the inputs that paths begin at, such as stimuli. Edges whose sign is not known, those of inputs among
    them, count as +1. Of several shortest paths the one whose edges come first is taken. Raises ValueError for a start
    that is no input, and without any.
    """
    G = validate.instance("graph", graph, OwnGraph).networkx()
    starts = [validate.choice("starts", name, tuple(graph.input_nodes)) for name in validate.ordered("starts", starts)]
    if not starts:
        raise ValueError("starts must name at least one input, got none")
    signs = {}
    for node, path in nx.multi_source_dijkstra_path(G, starts).items():
        signs[node] = 1
        for edge in zip(path, path[1:]):
            signs[node] *= G.edges[edge]["sign"] or 1
    return {name: signs[name] for name in graph.function_nodes if name in signs}


def signed_membership(graph: OwnGraph, starts: Sequence[str]) -> torch.Tensor:
    """The membership (P, N) with each weight times the ``path_signs`` of its node, if anything reaches it."""
    signs = path_signs(graph, starts)
    return graph.membership() * torch.tensor([float(signs.get(name, 1)) for name in graph.function_nodes])
