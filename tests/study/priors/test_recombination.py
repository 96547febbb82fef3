"""Recombined samples are put together from the pathways of different samples, and from nothing else."""

import pytest
import torch

from gsnn_tutorial.graph import pathway_graph
from gsnn_tutorial.study.priors.memberships import matched_membership
from gsnn_tutorial.study.priors.recombination import column_groups, recombined
from gsnn_tutorial.study.problem import Problem


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
    assert (
        groups["input"][0] == groups["input"][1] != groups["input"][2] and groups["output"][:2] == groups["input"][:2]
    )


def test_a_membership_of_other_nodes_is_refused():
    graph = pathway_graph(2, 1, 2, 1)
    with pytest.raises(ValueError, match="membership must have 4 columns"):
        recombined(graph, torch.ones(2, 3), torch.ones(4, 2), torch.ones(4, 2), 0)


def test_matched_sets_are_connected_disjoint_cover_all_nodes_and_are_not_the_pathways():
    import networkx as nx

    problem = Problem(K=8, n_func=4, n_spurious=32, n_train=8)
    for seed in range(8):
        graph = problem.draw_graph(seed)
        M, truth = matched_membership(graph, seed), graph.membership()
        assert (M.sum(0) == 1).all() and (M.sum(1) == truth.sum(1)).all()
        G = nx.Graph(graph.edge_index_dict["function", "to", "function"].T.tolist())
        assert all(nx.is_connected(G.subgraph(row.nonzero().flatten().tolist())) for row in M)
        alike = sum(any((row == true).all() for true in truth) for row in M)
        assert alike <= 2
        assert (matched_membership(graph, seed) == M).all() and not all((M == matched_membership(graph, 99)).flatten())


def test_a_graph_in_which_only_the_pathways_are_connected_has_no_matched_sets():
    with pytest.raises(ValueError, match="that are not the pathways"):
        matched_membership(pathway_graph(3, 1, 2, 1), 0)
