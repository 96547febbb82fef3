"""Memberships other than the truth: how wrong, how connected, how large."""

import networkx as nx
import numpy as np
import pytest
import torch

from gsnn_tutorial import Problem, pathway_graph
from gsnn_tutorial.study.priors.memberships import (
    adjacency_membership,
    connected_membership,
    exchanged_membership,
    matched_membership,
)

TRUE = pathway_graph(K=4, n_func=3).membership()


def partition(M):
    return {frozenset(row.nonzero().flatten().tolist()) for row in M}


def undirected(graph):
    return nx.Graph(graph.edge_index_dict["function", "to", "function"].T.tolist())


@pytest.mark.parametrize("count", [0, 2, 3, 5, 11, 12])
@pytest.mark.parametrize("seed", range(10))
def test_exactly_so_many_nodes_are_in_another_pathway_and_sizes_stay(count, seed):
    wrong = exchanged_membership(TRUE, count, seed)
    assert (wrong != TRUE).any(0).sum() == count
    assert wrong.sum(1).tolist() == TRUE.sum(1).tolist() and wrong.sum(0).tolist() == [1] * 12
    assert (partition(wrong) == partition(TRUE)) == (count == 0)


@pytest.mark.parametrize(("sizes", "count", "most"), [((3, 3), 5, 4), ((3, 3), 4, 4), ((6, 1, 1), 8, 4)])
def test_as_many_change_as_any_permutation_allows(sizes, count, most):
    M = torch.repeat_interleave(torch.eye(len(sizes)), torch.tensor(sizes), dim=1)
    for seed in range(20):
        wrong = exchanged_membership(M, count, seed)
        assert (wrong != M).any(0).sum() == most and wrong.sum(1).tolist() == list(sizes)


def test_every_node_is_wrong_in_some_draw_and_the_membership_itself_is_left_alone():
    before = TRUE.clone()
    wrong = sum((exchanged_membership(TRUE, 3, seed) != TRUE).any(0).long() for seed in range(60))
    assert wrong.min() > 0 and torch.equal(TRUE, before)
    assert torch.equal(exchanged_membership(TRUE, 4, 7), exchanged_membership(TRUE, 4, 7))


@pytest.mark.parametrize(
    "problem",
    [Problem(), Problem(K=8, n_func=4, n_spurious=32), Problem(n_spurious=1), Problem(K=2, n_func=2, n_spurious=1),
     Problem(K=3, n_spurious=0, n_crosstalk=1), Problem(n_func=4, n_spurious=8, n_crosstalk=4)],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("seed", range(4))
def test_connected_sets_are_connected_of_the_right_size_and_no_pathway(problem, seed):
    graph = problem.draw_graph(seed)
    G = undirected(graph)
    M = connected_membership(graph, seed)
    assert M.sum(1).tolist() == graph.membership().sum(1).tolist()
    for members in partition(M):
        assert nx.is_connected(G.subgraph(members))
    assert not partition(M) & partition(graph.membership())
    assert torch.equal(M, connected_membership(graph, seed))


def test_connected_sets_are_mostly_different_and_cover_most_nodes():
    problem = Problem(K=8, n_func=4, n_spurious=32)
    different, covered, kept = [], [], []
    for seed in range(20):
        graph = problem.draw_graph(seed)
        M = connected_membership(graph, seed)
        different.append(len(partition(M)))
        covered.append((M.sum(0) > 0).float().mean().item())
        together = torch.triu(M.T @ M, diagonal=1)
        kept.append((together[torch.as_tensor(graph.labels[:, None] == graph.labels)].sum() / together.sum()).item())
    assert np.mean(different) > 7.9 and np.mean(covered) > 0.65
    assert np.mean(kept) < 0.35  # of the pairs that it joins; a shuffle's share is 0.1


def test_adjacency_has_one_pathway_for_each_edge_that_a_model_sees():
    graph = Problem().draw_graph(0)
    M = adjacency_membership(graph)
    pairs = [tuple(row.nonzero().flatten().tolist()) for row in M]
    assert pairs == [tuple(sorted(e)) for e in graph.edge_index_dict["function", "to", "function"].T.tolist()]
    assert len(M) == 16 and set(M.unique().tolist()) == {0, 1}


def test_matched_sets_are_connected_disjoint_cover_all_nodes_and_are_not_the_pathways():
    problem = Problem(K=8, n_func=4, n_spurious=32, n_train=8)
    for seed in range(8):
        graph = problem.draw_graph(seed)
        M, truth, G = matched_membership(graph, seed), graph.membership(), undirected(graph)
        assert (M.sum(0) == 1).all() and (M.sum(1) == truth.sum(1)).all()
        assert all(nx.is_connected(G.subgraph(members)) for members in partition(M))
        assert len(partition(M) & partition(truth)) <= 2
        assert torch.equal(matched_membership(graph, seed), M) and not torch.equal(M, matched_membership(graph, 99))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [(lambda: exchanged_membership(TRUE, 1, 0), ValueError, "count must be 0, or from 2 to 12"),
     (lambda: exchanged_membership(TRUE, 13, 0), ValueError, "from 2 to 12, the nodes; got 13"),
     (lambda: exchanged_membership(TRUE, -1, 0), ValueError, "count must be at least 0"),
     (lambda: exchanged_membership(TRUE, 2.0, 0), TypeError, "count must be an integer"),
     (lambda: connected_membership(pathway_graph(), 0), ValueError, "connected sets of 3 function nodes that are no"),
     (lambda: matched_membership(pathway_graph(3, 1, 2, 1), 0), ValueError, "that are not the pathways"),
     (lambda: adjacency_membership(pathway_graph(n_func=1)), ValueError, "an edge between two function nodes")],
)  # fmt: skip
def test_sets_that_cannot_be_made_are_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
