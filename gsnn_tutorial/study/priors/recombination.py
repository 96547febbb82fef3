"""Recombination: the same membership, used on the data.

If pathways do not talk to each other, a sample is P independent experiments, one for each pathway. What pathway 1 did
in one sample and pathway 2 in another may stand together in a new one:

    x'[b, i] = x[r(b, g(i)), i],    y'[b, o] = y[r(b, g(o)), o],    r(., g) a random order of the B samples for group g

with g the group of pathways that a column belongs to. Where pathways do talk, such samples are wrong.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.wiring import Graph

COPIES = 1  # recombined samples for each measured one


def recombined(
    graph: Graph, membership, x: torch.Tensor, y: torch.Tensor, seed: int | np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """The samples (B, inputs), (B, outputs) and ``COPIES`` recombined ones for each: (2 B, inputs), (2 B, outputs).

    An input belongs to the sets of the function nodes that it enters, an output to those of the nodes that it
    leaves. Sets that share a column or a function node are one group; a column of no set moves with the first group.

    Raises ValueError for a membership of other function nodes.
    """
    group = column_groups(graph, membership)
    rng, rows_x, rows_y = validate.generator(seed), [x], [y]
    columns = [torch.tensor(group[kind]) for kind in ("input", "output")]
    groups = sorted({*group["input"], *group["output"]})
    for _ in range(COPIES):
        new_x, new_y = x.clone(), y.clone()
        for g in groups:
            order = torch.from_numpy(rng.permutation(len(x)))
            for new, old, of in ((new_x, x, columns[0]), (new_y, y, columns[1])):
                new[:, of == g] = old[order][:, of == g]
        rows_x.append(new_x), rows_y.append(new_y)
    return torch.cat(rows_x), torch.cat(rows_y)


def column_groups(graph: Graph, membership) -> dict[str, list[int]]:
    """The group of pathways that each input and each output belongs to, by node type, numbered from 0."""
    edges = validate.instance("graph", graph, Graph).edge_index_dict
    entered, left = edges["input", "to", "function"].T.tolist(), edges["function", "to", "output"].T.tolist()
    M = validate.matrix("membership", membership, columns=len(graph.function_nodes), boolean=True)
    joined = nx.Graph()
    joined.add_edges_from((("set", p), ("function", i)) for p, i in M.nonzero().tolist())
    members = set(joined)
    joined.add_edges_from((("input", u), ("function", v)) for u, v in entered if ("function", v) in members)
    joined.add_edges_from((("output", v), ("function", u)) for u, v in left if ("function", u) in members)
    of = {node: g for g, part in enumerate(nx.connected_components(joined)) for node in part}
    counts = {"input": len(graph.input_nodes), "output": len(graph.output_nodes)}
    return {kind: [of.get((kind, i), 0) for i in range(count)] for kind, count in counts.items()}
