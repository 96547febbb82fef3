"""Every public function answers bad input with an error that names the argument and what was given."""

import networkx as nx
import numpy as np
import pytest
import torch

from gsnn_tutorial import (
    GSNN,
    PathwayGraph,
    PathwayLatentRegularizer,
    Problem,
    SparseLinear,
    evaluation,
    nx2pyg,
    pathway_graph,
    plots,
    shuffled_membership,
    simulate,
    standardize,
    train,
)
from gsnn_tutorial.graph import Node
from gsnn_tutorial.sparse import SparsePattern, sparse_map
from gsnn_tutorial.training import History

GRAPH = pathway_graph(K=2, n_in=1, n_func=2, n_out=1).with_spurious_edges(2, seed=0)  # 2 inputs, 4 functions, 2 outputs
G = GRAPH.networkx(spurious=False)
X, Y = torch.randn(6, 2), torch.randn(6, 2)
M = GRAPH.membership()
ACTIVATIONS = torch.randn(6, 3, 4, 2)
SIMILARITY = torch.eye(4).numpy()
PATTERN = SparsePattern(torch.tensor([[0, 1], [0, 0]]), (3, 2))
FUNCTIONS = ("function", "to", "function")


def bad(values, value):
    """A copy of ``values`` with ``value`` in one place."""
    values = torch.as_tensor(values).clone()
    values[0, 0] = value
    return values


def chain(*extra):
    return nx.DiGraph([("x", "f"), ("f", "g"), ("g", "y"), *extra])


def with_node(name, node_type):
    return PathwayGraph((*GRAPH.nodes, Node(name, node_type, 0, (0.0, 0.0))), GRAPH.edges)


def with_edge(*edge):
    return PathwayGraph(GRAPH.nodes, (*GRAPH.edges, edge))


def gsnn(edges=None, names=None, **options):
    edges, names = GRAPH.edge_index_dict | (edges or {}), GRAPH.names | (names or {})
    return GSNN(edges, names, **{"channels": 2, "layers": 2, "node_mlp": False} | options)


def without(mapping, key):
    return {k: v for k, v in mapping.items() if k != key}


def causal(graph=G, **options):
    settings = {"n_train": 3, "n_test": 2, "input_nodes": ["in_0_0", "in_1_0"], "output_nodes": ["out_0_0"], "seed": 0}
    return simulate(graph, **settings | options)


def regularizer(membership=M, **options):
    return PathwayLatentRegularizer(gsnn(), membership, **options)


def loss_of(samples=6, other_model=False, **options):
    model = gsnn()
    attached = PathwayLatentRegularizer(model, M, **options)
    model(X[:samples])
    return attached.loss(gsnn() if other_model else model)


def trained(x=X, y=Y, regularized=False, **options):
    model = gsnn()
    if regularized:
        options["regularizer"] = PathwayLatentRegularizer(model, M)
    return train(model, x, y, **{"epochs": 1, "progress": False} | options)


class Identity(torch.nn.Module):
    def forward(self, a):
        return a


CASES = {
    "pathway_graph": [
        (lambda: pathway_graph(K=0), ValueError, "K must be at least 1, got 0"),
        (lambda: pathway_graph(n_in=-2), ValueError, "n_in must be at least 1, got -2"),
        (lambda: pathway_graph(n_func=1.5), TypeError, "n_func must be an integer, got 1.5"),
        (lambda: pathway_graph(n_out=True), TypeError, "n_out must be an integer, got True"),
    ],
    "PathwayGraph": [
        (lambda: with_node("f_0_0", "input"), ValueError, "'f_0_0' is listed 2 times"),
        (lambda: with_node("new", "hidden"),
         ValueError, "type of node 'new' must be one of 'input', 'function', 'output'; got 'hidden'"),
        (lambda: with_edge("in_0_0", "out_0_0"), ValueError, "'in_0_0' -> 'out_0_0' runs from input to output"),
        (lambda: with_edge("out_0_0", "f_0_0"), ValueError, "'out_0_0' -> 'f_0_0' runs from output to function"),
        (lambda: with_edge("f_0_0", "nowhere"), ValueError, "ends in 'nowhere', which is not a node"),
        (lambda: with_edge(*GRAPH.edges[0]), ValueError, "'in_0_0' -> 'f_0_0' is listed twice"),
    ],
    "with_spurious_edges": [
        (lambda: GRAPH.with_spurious_edges(7, 0),
         ValueError, "count must be at most 6, the free edges between pathways; got 7"),
        (lambda: GRAPH.with_spurious_edges(-1, 0), ValueError, "count must be at least 0, got -1"),
        (lambda: GRAPH.with_spurious_edges(1, seed=-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: GRAPH.with_spurious_edges(1, seed="one"), TypeError, "seed must be an integer, got 'one'"),
    ],
    "with_crosstalk_edges": [
        (lambda: GRAPH.with_crosstalk_edges(3, 0),
         ValueError, "count must be at most 1, the free edges between pathways that run forward; got 3"),
        (lambda: GRAPH.with_crosstalk_edges(-1, 0), ValueError, "count must be at least 0, got -1"),
        (lambda: GRAPH.with_crosstalk_edges(1, seed="one"), TypeError, "seed must be an integer, got 'one'"),
    ],
    "shuffled_membership": [
        (lambda: shuffled_membership(torch.ones(4), 0),
         ValueError, "membership must be a matrix, got 1 dimensions of shape (4,)"),
        (lambda: shuffled_membership(bad(M, np.nan), 0), ValueError, "membership must be finite, got 1 NaN"),
        (lambda: shuffled_membership(torch.ones(1, 4), 0), ValueError, "membership of shape (1, 4) cannot be shuffled"),
        (lambda: shuffled_membership(torch.eye(4), 0),
         ValueError, "give at least two pathways, one of them with two members"),
        (lambda: shuffled_membership(M, None), TypeError, "seed must be an integer, got None"),
    ],
    "nx2pyg": [
        (lambda: nx2pyg(chain(), ["x"], ["f", "g", "x"], ["y"]), ValueError, "'x' is listed 2 times"),
        (lambda: nx2pyg(chain(), ["x"], ["f", "f", "g"], ["y"]), ValueError, "'f' is listed 2 times"),
        (lambda: nx2pyg(chain(), ["x", "z"], ["f", "g"], ["y"]), ValueError, "must be a node of G; 'z' is not"),
        (lambda: nx2pyg(chain(), ["x"], ["f"], ["y"]),
         ValueError, "input_nodes, function_nodes or output_nodes; 'g' is in none"),
        (lambda: nx2pyg(chain(("x", "y")), ["x"], ["f", "g"], ["y"]),
         ValueError, "'x' -> 'y' runs from input to output"),
        (lambda: nx2pyg(chain(("y", "f")), ["x"], ["f", "g"], ["y"]),
         ValueError, "'y' -> 'f' runs from output to function"),
        (lambda: nx2pyg(chain(("f", "x")), ["x"], ["f", "g"], ["y"]),
         ValueError, "'f' -> 'x' runs from function to input"),
    ],
    "simulate": [
        (lambda: causal(chain(("g", "f")), input_nodes=["x"], output_nodes=["y"]),
         ValueError, "G must have no cycle, got"),
        (lambda: causal(nx.Graph(G)), ValueError, "G must be a networkx.DiGraph, directed"),
        (lambda: causal(n_train=0), ValueError, "n_train must be at least 1, got 0"),
        (lambda: causal(n_test=2.0), TypeError, "n_test must be an integer, got 2.0"),
        (lambda: causal(noise_scale=-0.1), ValueError, "noise_scale must be finite and at least 0, got -0.1"),
        (lambda: causal(noise_scale=np.inf), ValueError, "noise_scale must be finite and at least 0, got inf"),
        (lambda: causal(noise_scale="loud"), TypeError, "noise_scale must be a number, got 'loud'"),
        (lambda: causal(seed=1.5), TypeError, "seed must be an integer, got 1.5"),
        (lambda: causal(input_nodes=["in_0_0", "here"]),
         ValueError, "input_nodes must name nodes of G; 'here' is not one"),
        (lambda: causal(output_nodes=[]), ValueError, "output_nodes must name at least one node, got none"),
        (lambda: causal(output_nodes=["out_0_0"] * 2), ValueError, "output_nodes must name each node once"),
        (lambda: causal(output_nodes=["in_0_0"]), ValueError, "'in_0_0' is listed in input_nodes and in output_nodes"),
        (lambda: causal(input_nodes=["f_0_0"]), ValueError, "input node 'f_0_0' must have no parents, got ['in_0_0']"),
        (lambda: causal(special_functions={"f": sum}),
         ValueError, "special_functions must name nodes of G; 'f' is not one"),
        (lambda: causal(special_functions={"in_0_0": sum}),
         ValueError, "special_functions['in_0_0'] has nothing to work on"),
        (lambda: causal(special_functions={"f_0_0": lambda p: p}),
         ValueError, "special_functions['f_0_0'] must return one number per sample"),
        (lambda: causal(special_functions={"f_0_0": lambda p: None}),
         ValueError, "special_functions['f_0_0'] must return"),
        (lambda: causal(special_functions={"f_0_0": lambda p: np.nan}),
         ValueError, "special_functions['f_0_0'] must return finite numbers, got nan"),
        (lambda: causal(special_functions={"f_0_0": np.max}, vectorized=True),
         ValueError, "special_functions['f_0_0'] must return an array of shape (5,)"),
        (lambda: causal(signed_edges={("f_0_0", "f_1_1"): 1}),
         ValueError, "signed_edges must name edges of G; ('f_0_0', 'f_1_1') is not one"),
        (lambda: causal(signed_edges={("f_0_0", "f_0_1"): 2}),
         ValueError, "signed_edges[('f_0_0', 'f_0_1')] must be +1 or -1, got 2"),
        (lambda: causal(signed_edges={("in_0_0", "f_0_0"): 1}, special_functions={"f_0_0": sum}),
         ValueError, "signed_edges[('in_0_0', 'f_0_0')] has no effect: 'f_0_0' has a special function"),
    ],
    "standardize": [
        (lambda: standardize(torch.ones(1, 2)),
         ValueError, "train must have at least 2 rows to have a standard deviation, got 1"),
        (lambda: standardize(Y[0]), ValueError, "train must be a matrix, got 1 dimensions of shape (2,)"),
        (lambda: standardize(bad(Y, np.inf)), ValueError, "train must be finite, got 1 NaN or infinite value"),
        (lambda: standardize(Y, Y[:, :1]), ValueError, "others must have 2 columns, got shape (6, 1)"),
        (lambda: standardize(Y, bad(Y, np.nan)), ValueError, "others must be finite"),
    ],
    "Problem": [
        (lambda: Problem(n_train=1), ValueError, "n_train must be at least 2, got 1"),
        (lambda: Problem(n_test=0), ValueError, "n_test must be at least 2, got 0"),
        (lambda: Problem(noise_scale=-1), ValueError, "noise_scale must be finite and at least 0, got -1"),
        (lambda: Problem(K=0), ValueError, "K must be at least 1, got 0"),
        (lambda: Problem(K=2, n_func=1, n_spurious=3), ValueError, "n_spurious must be at most 2, the edges"),
        (lambda: Problem().draw("first"), TypeError, "seed must be an integer, got 'first'"),
    ],
    "SparseLinear": [
        (lambda: SparseLinear(torch.zeros(3, 2, dtype=torch.long), (3, 3)),
         ValueError, "indices must be int64 of shape (2, weights), got torch.int64 of shape (3, 2)"),
        (lambda: SparseLinear(torch.zeros(2, 2), (3, 3)),
         ValueError, "indices must be int64 of shape (2, weights), got torch.float32"),
        (lambda: SparseLinear(torch.tensor([[0], [3]]), (3, 3)), ValueError, "indices must lie within size=(3, 3)"),
        (lambda: SparseLinear(torch.tensor([[-1], [0]]), (3, 3)), ValueError, "indices must lie within size=(3, 3)"),
        (lambda: SparseLinear(torch.tensor([[1, 0], [0, 0]]), (3, 3)),
         ValueError, "indices must be sorted by source, then target"),
        (lambda: SparseLinear(torch.tensor([[1, 1], [0, 0]]), (3, 3)), ValueError, "no pair twice"),
        (lambda: sparse_map(torch.ones(3), torch.ones(3, 1), PATTERN),
         ValueError, "values must have 2 entries, got shape (3,)"),
        (lambda: sparse_map(torch.ones(2), torch.ones(1, 3), PATTERN),
         ValueError, "x must be edge-major, (3, B); got shape (1, 3)"),
    ],
    "GSNN": [
        (lambda: gsnn(channels=0), ValueError, "channels must be at least 1, got 0"),
        (lambda: gsnn(layers=1.0), TypeError, "layers must be an integer, got 1.0"),
        (lambda: gsnn(dropout=1.5), ValueError, "dropout must be finite and between 0 and 1, got 1.5"),
        (lambda: gsnn(dropout=np.nan), ValueError, "dropout must be finite and between 0 and 1, got nan"),
        (lambda: gsnn(norm="group"), ValueError, "norm must be one of 'layer', 'batch', 'none'; got 'group'"),
        (lambda: gsnn(init="xavier"), ValueError, "init must be one of 'degree_normalized'; got 'xavier'"),
        (lambda: gsnn(node_mlp_hidden=0), ValueError, "node_mlp_hidden must be at least 1, got 0"),
        (lambda: gsnn(names={"output": []}),
         ValueError, "node_names_dict['output'] must name at least one node, got none"),
        (lambda: GSNN(GRAPH.edge_index_dict, without(GRAPH.names, "input"), 2, 2),
         ValueError, "node_names_dict must have the keys"),
        (lambda: GSNN(without(GRAPH.edge_index_dict, FUNCTIONS), GRAPH.names, 2, 2),
         ValueError, "edge_index_dict must have the keys"),
        (lambda: gsnn({("input", "to", "output"): torch.zeros(2, 1).long()}),
         ValueError, "edge_index_dict has edges of type ('input', 'to', 'output')"),
        (lambda: gsnn({("output", "to", "function"): torch.zeros(2, 1).long()}),
         ValueError, "edge_index_dict has edges of type ('output', 'to', 'function')"),
        (lambda: gsnn({FUNCTIONS: torch.zeros(3, 2).long()}), ValueError, "'function', 'to', 'function'"),
        (lambda: gsnn({FUNCTIONS: torch.zeros(2, 2)}), ValueError, "must be integer pairs of shape (2, edges)"),
        (lambda: gsnn({FUNCTIONS: torch.tensor([[0], [4]])}),
         ValueError, "must index 4 function nodes and 4 function nodes, got the pair [0, 4]"),
        (lambda: gsnn({FUNCTIONS: torch.tensor([[-1], [0]])}), ValueError, "got the pair [-1, 0]"),
        (lambda: gsnn({FUNCTIONS: torch.tensor([[0, 0], [1, 1]])}), ValueError, "must list every edge once"),
        (lambda: gsnn()(X[:, :1]), ValueError, "x must have 2 columns, got shape (6, 1)"),
        (lambda: gsnn()(X[0]), ValueError, "x must be a matrix, got 1 dimensions of shape (2,)"),
        (lambda: gsnn()(bad(X, np.nan)), ValueError, "x must be finite, got 1 NaN or infinite value"),
        (lambda: gsnn().get_node_activations(X, agg="median"),
         ValueError, "agg must be one of 'sum', 'mean', 'max', 'last', 'all'; got 'median'"),
        (lambda: gsnn().get_node_activations(bad(X, -np.inf)), ValueError, "x must be finite"),
    ],
    "PathwayLatentRegularizer": [
        (lambda: regularizer(M[:, :3]), ValueError, "pathway_membership must have 4 columns, got shape (2, 3)"),
        (lambda: regularizer(M[0]), ValueError, "pathway_membership must be a matrix, got 1 dimensions of shape (4,)"),
        (lambda: regularizer(bad(M, np.nan)), ValueError, "pathway_membership must be finite, got 1 NaN"),
        (lambda: regularizer(bad(M, -0.5)), ValueError, "pathway_membership must have weights >= 0, got -0.5"),
        (lambda: regularizer(M * torch.tensor([[-1.0], [0.0]]), signed=True),
         ValueError, "pathway_membership must give each of 2 pathways a member; none in [1]"),
        (lambda: regularizer(M * torch.tensor([[1.0], [0.0]])),
         ValueError, "pathway_membership must give each of 2 pathways a member; none in [1]"),
        (lambda: regularizer(M[:0]), ValueError, "pathway_membership must give each of 0 pathways a member"),
        (lambda: regularizer(dissim_pairs=[(0, 2)]),
         ValueError, "dissim_pairs must pair two different pathways of 0 to 1, got [[0, 2]]"),
        (lambda: regularizer(dissim_pairs=[(1, 1)]),
         ValueError, "dissim_pairs must pair two different pathways of 0 to 1, got [[1, 1]]"),
        (lambda: regularizer(dissim_pairs=[(0, 1, 1)]),
         ValueError, "dissim_pairs must be pairs (p, q) of integers"),
        (lambda: regularizer(lambda_sim=-1), ValueError, "lambda_sim must be finite and at least 0, got -1"),
        (lambda: regularizer(lambda_dis=np.nan), ValueError, "lambda_dis must be finite and at least 0, got nan"),
        (lambda: regularizer(lambda_dis=0.5), ValueError, "lambda_dis=0.5 has nothing to act on: give dissim_pairs"),
        (lambda: regularizer(eps=-1e-6), ValueError, "eps must be finite and at least 0, got -1e-06"),
        (lambda: regularizer(phi="max"), ValueError, "must be one of 'mean', 'learned'; got 'max'"),
        (lambda: loss_of(phi=Identity()),
         ValueError, "phi must map (B, N, C) to (B, N) or (B, N, 1), (6, 4); got (6, 4, 2)"),
        (lambda: loss_of(samples=1), ValueError, "a correlation over the batch needs at least 2 samples, got B=1"),
        (lambda: loss_of(other_model=True), ValueError, "model is not the one that this regularizer reads"),
        (lambda: regularizer().disable(gsnn()), ValueError, "model is not the one that this regularizer reads"),
    ],
    "train": [
        (lambda: trained(epochs=0), ValueError, "epochs must be at least 1, got 0"),
        (lambda: trained(lr=-1), ValueError, "lr must be finite and at least 0, got -1"),
        (lambda: trained(lr="fast"), TypeError, "lr must be a number, got 'fast'"),
        (lambda: trained(weight_decay=np.inf), ValueError, "weight_decay must be finite and at least 0, got inf"),
        (lambda: trained(warmup_epochs=-1), ValueError, "warmup_epochs must be at least 0, got -1"),
        (lambda: trained(batch_size=0), ValueError, "batch_size must be at least 1, got 0"),
        (lambda: trained(batch_size=5, regularized=True),
         ValueError, "batch_size=5 with 6 samples leaves a batch of one sample"),
        (lambda: trained(batch_size=1, regularized=True),
         ValueError, "batch_size=1 with 6 samples leaves a batch of one sample"),
        (lambda: trained(X[:1], Y[:1], regularized=True), ValueError, "leaves a batch of one sample"),
        (lambda: trained(seed=-3), ValueError, "seed must be at least 0, got -3"),
        (lambda: trained(x=X[:5]), ValueError, "x_train and y_train must have as many rows, at least 1; got 5 and 6"),
        (lambda: trained(x=X[:0], y=Y[:0]),
         ValueError, "x_train and y_train must have as many rows, at least 1; got 0 and 0"),
        (lambda: trained(x=X[:, 0]), ValueError, "x_train must be a matrix, got 1 dimensions of shape (6,)"),
        (lambda: trained(x=bad(X, np.nan)), ValueError, "x_train must be finite, got 1 NaN"),
        (lambda: trained(y=bad(Y, np.inf)), ValueError, "y_train must be finite, got 1 NaN or infinite value"),
        (lambda: trained(x_test=X), ValueError, "x_test and y_test belong together: give both or neither"),
        (lambda: trained(y_test=Y), ValueError, "x_test and y_test belong together: give both or neither"),
        (lambda: trained(x_test=X, y_test=bad(Y, np.nan)), ValueError, "y_test must be finite, got 1 NaN"),
    ],
    "evaluation": [
        (lambda: evaluation.cosine_similarity(ACTIVATIONS[0]),
         ValueError, "activations must be (B, L, N, C), as layer_activations gives them; got shape (3, 4, 2)"),
        (lambda: evaluation.cosine_similarity(ACTIVATIONS * np.nan),
         ValueError, "activations must be finite, got NaN or infinite values"),
        (lambda: evaluation.linear_cka(ACTIVATIONS, layers="first"),
         ValueError, "layers must be one of 'last', 'all'; got 'first'"),
        (lambda: evaluation.linear_cka(ACTIVATIONS[:1]),
         ValueError, "activations must have at least 2 samples to be centred over, got B=1"),
        (lambda: evaluation.linear_cka(ACTIVATIONS[:, 0]), ValueError, "activations must be (B, L, N, C)"),
        (lambda: evaluation.linear_cka(ACTIVATIONS / 0), ValueError, "activations must be finite"),
        (lambda: evaluation.kmeans_clusters(ACTIVATIONS, 5),
         ValueError, "n_clusters must be at most the number of nodes, 4; got 5"),
        (lambda: evaluation.cka_clusters(SIMILARITY, 0), ValueError, "n_clusters must be at least 1, got 0"),
        (lambda: evaluation.cka_clusters(SIMILARITY, 5),
         ValueError, "n_clusters must be at most the number of nodes, 4; got 5"),
        (lambda: evaluation.cka_clusters(bad(SIMILARITY, np.nan), 2), ValueError, "similarity must be finite"),
        (lambda: evaluation.gap(SIMILARITY[:3], [0, 0, 1]),
         ValueError, "similarity must have 3 columns"),
        (lambda: evaluation.gap(SIMILARITY, [0, 0, 1]),
         ValueError, "labels must have one label for each of the 4 nodes, got shape (3,)"),
        (lambda: evaluation.gap(SIMILARITY, [0, 0, 0, 0]), ValueError, "labels must name at least two pathways"),
        (lambda: evaluation.gap(SIMILARITY, [0, 1, 2, 3]),
         ValueError, "labels must put at least two nodes into one pathway"),
        (lambda: evaluation.gap(bad(SIMILARITY, np.inf), [0, 0, 1, 1]), ValueError, "similarity must be finite"),
        (lambda: evaluation.activations(gsnn(), X[:, :1]), ValueError, "x must have 2 columns, got shape (6, 1)"),
        (lambda: evaluation.mse(gsnn(), bad(X, np.nan), Y), ValueError, "x must be finite"),
    ],
    "plots": [
        (lambda: plots.plot_training({"a": History()}, quantity="loss"),
         ValueError, "quantity must be one of 'train_mse', 'test_mse', 'L_sim', 'L_dis'; got 'loss'"),
        (lambda: plots.plot_similarity(SIMILARITY[:, :3], GRAPH),
         ValueError, "similarity must have 4 columns, got shape (4, 3)"),
        (lambda: plots.plot_similarity(SIMILARITY[:3], GRAPH),
         ValueError, "similarity must have 4 rows, got shape (3, 4)"),
        (lambda: plots.plot_similarity(bad(SIMILARITY, np.nan), GRAPH), ValueError, "similarity must be finite"),
    ],
    "train, y of another shape": [
        (lambda: trained(y=Y[:, :1]), ValueError, "y_train must have the model's 2 columns, got shape (6, 1)"),
        (lambda: train(gsnn(), X, Y, x_test=X, y_test=Y[:, :1], progress=False), ValueError, "y_test"),
        (lambda: evaluation.mse(gsnn(), X, Y[:, :1]), ValueError, "y must have 2 columns, got shape (6, 1)"),
        (lambda: evaluation.mse(gsnn(), X, bad(Y, np.nan)), ValueError, "y must be finite"),
    ],
    "a node with two places": [
        (lambda: gsnn(names={"input": GRAPH.output_nodes}), ValueError, "'out_0_0' is listed 2 times"),
        (lambda: gsnn(names={"function": ["f"] * 4}), ValueError, "'f' is listed 4 times"),
    ],
    "a graph of another kind": [
        (lambda: nx2pyg(G.to_undirected(), *GRAPH.names.values()), ValueError, "got Graph"),
        (lambda: nx2pyg(nx.MultiDiGraph(G), *GRAPH.names.values()), ValueError, "got MultiDiGraph"),
        (lambda: causal(nx.MultiDiGraph(G)), ValueError, "got MultiDiGraph"),
    ],
    "simulate, signs and functions": [
        (lambda: causal(nx.DiGraph([("x", "y", {"sign": 5})]), input_nodes=["x"], output_nodes=["y"]),
         ValueError, "the sign of edge ('x', 'y') must be +1 or -1, got 5"),
        (lambda: causal(special_functions={"f_0_0": 3}), TypeError, "must be a function of the parents, got 3"),
    ],
    "evaluation, shapes and labels": [
        (lambda: evaluation.cka_clusters(SIMILARITY[:3], 2), ValueError, "similarity must have 3 columns"),
        (lambda: evaluation.gap(3.0, [0, 0, 1]), ValueError, "similarity must be a matrix"),
        (lambda: evaluation.gap(SIMILARITY[:3, :3], [0, 0, np.nan]), ValueError, "labels must be finite"),
    ],
    "GSNN, what it is made of and given": [
        (lambda: gsnn(nonlin="relu"), TypeError, "nonlin must be a class of torch modules"),
        (lambda: gsnn(nonlin=torch.nn.ELU()), TypeError, "nonlin"),
        (lambda: gsnn()(X[:0]), ValueError, "x must have at least one row, got shape (0, 2)"),
        (lambda: gsnn(norm="batch")(X[:1]), ValueError, "x must have at least 2 rows to train with norm='batch'"),
        (lambda: PathwayLatentRegularizer(torch.nn.Linear(2, 2), M), TypeError, "model must be a GSNN, got Linear"),
        (lambda: regularizer(dissim_pairs=[(0.0, 1.0)]), ValueError, "pairs (p, q) of integers"),
        (lambda: SparseLinear([[0], [0]], (2, 2)), TypeError, "indices must be a tensor, got list"),
        (lambda: SparseLinear(torch.tensor([[-1, 0], [0, 0]]), (2, 2)), ValueError, "got the pair [-1, 0]"),
        (lambda: SparseLinear(torch.tensor([[0], [0]]), (2.5, 2)), TypeError, "2.5"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "call, kind, message", [case for cases in CASES.values() for case in cases],
    ids=[f"{function}-{message}" for function, cases in CASES.items() for _, _, message in cases],
)  # fmt: skip
def test_the_error_names_the_argument_and_what_was_given(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert message in str(caught.value)


def test_the_good_input_that_the_cases_start_from_is_accepted():
    assert gsnn()(X).shape == Y.shape
    assert len(causal()) == 4
    assert len(loss_of()) == 2
    assert len(trained(regularized=True).train_mse) == 1
    assert evaluation.gap(evaluation.linear_cka(evaluation.activations(gsnn(), X)), GRAPH.labels) <= 1
    assert nx2pyg(chain(), ["x"], ["f", "g"], ["y"]).num_nodes == 4
    assert sparse_map(torch.ones(2), torch.ones(3, 1), PATTERN).shape == (2, 1)


def test_a_cycle_in_simulate_is_spelled_out():
    with pytest.raises(ValueError, match=r"got (f -> g|g -> f) -> \.\.\.: remove one of its edges"):
        causal(chain(("g", "f")), input_nodes=["x"], output_nodes=["y"])
