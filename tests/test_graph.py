import pickle
import tracemalloc
from dataclasses import FrozenInstanceError

import networkx as nx
import numpy as np
import pytest
import torch

from gsnn_tutorial import nx2pyg, pathway_graph, shuffled_membership
from gsnn_tutorial.wiring import EDGE_TYPES


def named_edges(data):
    """The edges of a HeteroData as a set of name pairs, by edge type."""
    names = data.node_names_dict
    return {
        (source, to, target): {(names[source][i], names[target][j]) for i, j in data[source, to, target].edge_index.T}
        for source, to, target in data.edge_types
    }


def partition(membership):
    """The pathways as sets of members, whatever their order."""
    return {frozenset(row.nonzero().flatten().tolist()) for row in membership}


@pytest.mark.parametrize("K, n_in, n_func, n_out", [(4, 2, 3, 2), (1, 1, 1, 1), (3, 1, 5, 2)])
def test_every_pathway_has_the_asked_nodes_and_a_chain_from_inputs_to_outputs(K, n_in, n_func, n_out):
    graph = pathway_graph(K, n_in, n_func, n_out)
    assert [len(graph.names[t]) for t in ("input", "function", "output")] == [K * n_in, K * n_func, K * n_out]
    assert len(graph.edges) == K * (n_in + n_func - 1 + n_out)
    assert graph.n_pathways == K
    G = graph.networkx()
    for p in range(K):
        assert nx.shortest_path(G, f"in_{p}_0", f"out_{p}_0")[1:-1] == [f"f_{p}_{j}" for j in range(n_func)]
    components = list(nx.weakly_connected_components(G))
    assert len(components) == K
    assert all(len({G.nodes[name]["pathway"] for name in component}) == 1 for component in components)


def test_inputs_are_drawn_above_functions_above_outputs_and_no_two_nodes_on_one_spot():
    graph = pathway_graph(n_in=3)
    assert len({node.position for node in graph.nodes}) == len(graph.nodes)
    heights = {t: [node.position[1] for node in graph.nodes if node.type == t] for t in graph.names}
    assert min(heights["input"]) > max(heights["function"]) and min(heights["function"]) > max(heights["output"])


def test_labels_and_membership_say_which_function_node_is_in_which_pathway(golden):
    graph = pathway_graph()
    assert graph.labels.tolist() == golden["pathway_label"].tolist()
    assert torch.equal(graph.membership(), golden["M_true"])


def test_the_graph_cannot_be_changed_and_adding_edges_gives_another_one():
    graph = pathway_graph()
    assert graph == pathway_graph(K=4, n_in=2, n_func=3, n_out=2)  # the published sizes
    with pytest.raises(FrozenInstanceError):
        graph.edges = ()
    with pytest.raises(FrozenInstanceError):
        graph.nodes[0].pathway = 3
    noisy = graph.with_spurious_edges(5, seed=0)
    assert graph.spurious_edges == () and len(noisy.spurious_edges) == 5
    assert noisy.without_spurious_edges() == graph == graph.with_crosstalk_edges(0, 1)


def test_the_published_edges_come_out_in_the_published_order(golden, draw):
    for source, to, target in EDGE_TYPES:
        expected = golden[f"edge_index_{source}_{target}"]
        assert torch.equal(draw.graph.edge_index_dict[source, to, target], expected)
    assert draw.graph.function_edge_is_true.tolist() == golden["ff_is_true"].tolist()


def test_hetero_data_is_valid_for_pyg_and_keeps_each_type_in_its_own_store(draw):
    data = draw.graph.hetero_data()
    assert data.validate(raise_on_error=True)
    assert data.node_types == ["input", "function", "output"] and tuple(data.edge_types) == EDGE_TYPES
    assert data["function"].num_nodes == 12 and data["function"].node_names == draw.graph.function_nodes
    assert data["function"].pathway.tolist() == draw.graph.labels.tolist()
    assert data["function", "to", "function"].is_true.tolist() == draw.graph.function_edge_is_true.tolist()
    assert not data.is_undirected() and not data.has_self_loops()


def test_nx2pyg_of_the_networkx_graph_is_hetero_data_up_to_edge_order(draw):
    graph = draw.graph
    from_networkx = nx2pyg(graph.networkx(), graph.input_nodes, graph.function_nodes, graph.output_nodes)
    assert from_networkx.validate(raise_on_error=True)
    assert from_networkx.node_names_dict == graph.hetero_data().node_names_dict == graph.names
    assert named_edges(from_networkx) == named_edges(graph.hetero_data())
    assert named_edges(from_networkx)["function", "to", "function"] >= set(graph.spurious_edges)


def test_nx2pyg_numbers_nodes_by_the_given_lists_and_gives_a_type_without_edges_an_empty_index():
    edges = nx2pyg(nx.DiGraph([("x", "f"), ("f", "g"), ("g", "y")]), ["x"], ["g", "f"], ["y"]).edge_index_dict
    assert [index.tolist() for index in edges.values()] == [[[0], [1]], [[1], [0]], [[0], [0]]]
    data = nx2pyg(nx.DiGraph([("x", "f"), ("f", "y")]), ["x"], ["f"], ["y"])
    assert data["function", "to", "function"].edge_index.shape == (2, 0) and data.validate(raise_on_error=True)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [1, 30, 303])
def test_spurious_edges_are_a_draw_from_the_list_of_all_free_pairs_between_pathways(seed, count):
    graph = pathway_graph(K=5, n_func=4).with_crosstalk_edges(7, 0).with_spurious_edges(10, 0)
    label, taken = graph.labels, set(map(tuple, graph.edge_index_dict["function", "to", "function"].T.tolist()))
    pairs = [(i, j) for i in range(20) for j in range(20) if label[i] != label[j] and (i, j) not in taken]
    drawn = np.random.default_rng(seed).choice(len(pairs), size=count, replace=False)
    expected = [(graph.function_nodes[pairs[k][0]], graph.function_nodes[pairs[k][1]]) for k in drawn]
    full = graph.with_spurious_edges(count, seed)
    assert list(full.spurious_edges[10:]) == expected and full.function_edge_is_true.sum() == 15 + 7
    with pytest.raises(ValueError, match=f"count must be at most {303 - count}, the free edges between pathways; got"):
        full.with_spurious_edges(304 - count, seed)


@pytest.mark.parametrize(
    "drawn",
    [lambda seed: pathway_graph().with_spurious_edges(8, seed),
     lambda seed: pathway_graph().with_crosstalk_edges(4, seed),
     lambda seed: shuffled_membership(pathway_graph().membership(), seed).tolist()],
    ids=["spurious", "cross-talk", "shuffle"],
)  # fmt: skip
def test_a_draw_follows_its_seed(drawn):
    assert drawn(3) == drawn(3) != drawn(4)


def test_networkx_marks_spurious_edges_and_leaves_them_out_on_demand(draw):
    G = draw.graph.networkx()
    assert {edge for edge, spurious in nx.get_edge_attributes(G, "spurious").items() if spurious} == set(
        draw.graph.spurious_edges
    )
    assert set(draw.graph.networkx(spurious=False).edges) == set(draw.graph.edges)


def test_the_published_shuffle_follows_the_spurious_edges_in_the_same_random_stream(golden):
    rng = np.random.default_rng(0)
    graph = pathway_graph().with_spurious_edges(8, rng)
    assert torch.equal(shuffled_membership(graph.membership(), rng), golden["M_shuffled"])


def test_a_shuffle_keeps_the_sizes_and_is_never_the_true_partition_not_even_in_another_order():
    membership = pathway_graph(K=2, n_func=2).membership()  # a third of all permutations collide
    for seed in range(100):
        shuffled = shuffled_membership(membership, seed)
        assert shuffled.sum(1).tolist() == membership.sum(1).tolist()
        assert shuffled.sum(0).tolist() == [1, 1, 1, 1]
        assert partition(shuffled) != partition(membership), f"seed {seed}"


def test_a_shuffle_keeps_unequal_sizes_and_soft_weights():
    membership = torch.tensor([[1.0, 0.5, 1.0, 0.0, 0.0], [0.0, 0.0, 0.25, 1.0, 1.0]])
    shuffled = shuffled_membership(membership, seed=0)
    assert sorted(map(tuple, shuffled.T.tolist())) == sorted(map(tuple, membership.T.tolist()))
    assert not torch.equal(shuffled, membership)


def test_the_text_of_a_graph_counts_its_parts(draw, talking):
    assert str(draw.graph) == (
        "PathwayGraph: 4 pathways, 8 input nodes, 12 function nodes, 8 output nodes, 24 true and 8 spurious edges"
    )
    assert str(talking).endswith("27 true (6 of them cross-talk) and 9 spurious edges")


def test_a_pickled_graph_comes_back_equal(draw):
    graph = draw.graph
    back = pickle.loads(pickle.dumps(graph))
    assert back == graph and hash(back) == hash(graph)
    for edge_type in EDGE_TYPES:
        assert torch.equal(back.edge_index_dict[edge_type], graph.edge_index_dict[edge_type])


def test_the_graph_hands_out_nothing_that_changes_it():
    graph, fresh = pathway_graph(K=2), pathway_graph(K=2)
    graph.labels[0] = 1
    graph.names["input"].append("mine")
    graph.edge_index_dict["function", "to", "function"].zero_()
    graph.function_edge_is_true[:] = False
    graph.hetero_data()["function", "to", "function"].edge_index.zero_()
    assert graph.labels.tolist() == fresh.labels.tolist() and graph.names == fresh.names
    assert torch.equal(graph.membership(), fresh.membership())
    assert graph.function_edge_is_true.all() and graph.edge_index_dict["function", "to", "function"].any()


@pytest.fixture
def talking():
    """Three chains of four with cross-talk and spurious edges."""
    return pathway_graph(K=3, n_func=4).with_crosstalk_edges(6, seed=1).with_spurious_edges(9, seed=2)


def test_chain_positions_and_middle_nodes_follow_the_order_of_the_chain():
    graph = pathway_graph(K=2, n_func=3)
    assert graph.chain_positions.tolist() == [0, 1, 2, 0, 1, 2]
    assert graph.middle_nodes.tolist() == [False, True, False] * 2
    assert pathway_graph(K=1, n_func=4).middle_nodes.tolist() == [False, False, True, False]
    alone = pathway_graph(K=1, n_func=1)
    assert alone.middle_nodes.tolist() == [True]
    for mask in (alone.function_edge_is_true, alone.function_edge_is_crosstalk):  # no edge between function nodes
        assert mask.shape == (0,) and mask.dtype == bool


@pytest.mark.parametrize("seed", range(5))
def test_crosstalk_joins_pathways_forward_without_a_cycle_or_a_path_longer_than_a_chain(seed):
    graph = pathway_graph(K=3, n_func=4)
    full = graph.with_crosstalk_edges(36, seed)  # all there are
    place = dict(zip(full.function_nodes, zip(full.labels, full.chain_positions)))
    drawn = full.edges[len(graph.edges) :]
    assert len(set(drawn)) == 36
    for (p, i), (q, j) in ((place[u], place[v]) for u, v in drawn):
        assert p != q and i < j
    assert nx.dag_longest_path_length(full.networkx()) == 1 + 3 + 1
    for p in range(3):  # a chain's first node hears of its inputs only
        assert set(full.networkx().predecessors(f"f_{p}_0")) == {f"in_{p}_0", f"in_{p}_1"}


def test_crosstalk_is_true_and_stays_when_spurious_edges_go(talking):
    is_true, is_crosstalk = talking.function_edge_is_true, talking.function_edge_is_crosstalk
    source, target = talking.edge_index_dict["function", "to", "function"].numpy()
    assert is_true.tolist() == [True] * 15 + [False] * 9
    assert is_crosstalk.tolist() == [False] * 9 + [True] * 6 + [False] * 9
    assert (talking.labels[source] != talking.labels[target]).tolist() == [False] * 9 + [True] * 15
    bare = talking.without_spurious_edges()
    assert bare.function_edge_is_crosstalk.sum() == 6 and set(bare.edges) == set(talking.edges)
    assert not {e for e, s in nx.get_edge_attributes(talking.networkx(), "spurious").items() if s} & set(talking.edges)


def test_thousands_of_nodes_need_no_list_of_all_pairs():
    graph = pathway_graph(K=1500, n_in=1, n_func=2, n_out=1)
    tracemalloc.start()
    graph.with_spurious_edges(3000, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 3000**2  # a list of 9 million pairs takes 144 MB
