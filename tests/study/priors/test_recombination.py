"""Recombined samples are put together from the pathways of different samples, and from nothing else."""

import pytest
import torch

from gsnn_tutorial.graph import pathway_graph
from gsnn_tutorial.study.priors.recombination import column_groups, recombined


def test_each_pathway_of_a_recombined_sample_is_that_of_one_measured_sample():
    graph, B = pathway_graph(3, 2, 2, 2), 10
    x, y = (torch.arange(B, dtype=torch.float32)[:, None].expand(B, 6).clone() for _ in range(2))
    new_x, new_y = recombined(graph, graph.membership(), x, y, 0)
    assert (new_x[:B] == x).all() and (new_y[:B] == y).all() and len(new_x) == 2 * B
    for p in range(3):
        columns = [2 * p, 2 * p + 1]
        both = torch.cat([new_x[B:, columns], new_y[B:, columns]], 1)
        assert (both == both[:, :1]).all()  # all of one sample
        assert both[:, 0].sort().values.tolist() == list(range(B))  # each once
    assert (new_x[B:, 0] != new_x[B:, 2]).any()  # and not the same for two pathways


def test_sets_that_share_a_node_or_a_column_move_together():
    graph = pathway_graph(3, 1, 2, 1)
    M = graph.membership()
    assert column_groups(graph, M) == {"input": [0, 1, 2], "output": [0, 1, 2]}
    M[1, 0] = 1  # the first pathway's head is in the second too
    groups = column_groups(graph, M)
    assert groups["input"][0] == groups["input"][1] != groups["input"][2]
    assert groups["output"][:2] == groups["input"][:2]


def test_a_membership_of_other_nodes_is_refused():
    graph = pathway_graph(2, 1, 2, 1)
    with pytest.raises(ValueError, match="membership must have 4 columns"):
        recombined(graph, torch.ones(2, 3), torch.ones(4, 2), torch.ones(4, 2), 0)
