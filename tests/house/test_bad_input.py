"""Every public function answers bad input with an error that names the argument and what was given."""

import importlib
import inspect
import pkgutil
import re
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

from gsnn_tutorial import (
    GSNN,
    PathwayGraph,
    PathwayLatentRegularizer,
    Problem,
    SparseLinear,
    attribution,
    evaluation,
    nx2pyg,
    pathway_graph,
    plots,
    shuffled_membership,
    simulate,
    standardize,
    study,
    train,
)
from gsnn_tutorial.graph import Node
from gsnn_tutorial.simulation import expected_outputs, noise_floor, pathway_functions
from gsnn_tutorial.sparse import SparsePattern, sparse_map
from gsnn_tutorial.study import arms, inference, metrics, published, saved, share, verdicts
from gsnn_tutorial.study.blocks import Blocks
from gsnn_tutorial.study.metrics import Subject, measure
from gsnn_tutorial.study.own.asked import asked_inputs, heard, restricted_errors
from gsnn_tutorial.study.own.example import write_example
from gsnn_tutorial.study.own.findings import Findings
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.own_graph import path_signs
from gsnn_tutorial.study.own.rivals import group_folds, pairwise
from gsnn_tutorial.study.own.sets import membership_of, read_sets
from gsnn_tutorial.study.own.sheets import read_sheet
from gsnn_tutorial.study.own.splits import OwnProblem
from gsnn_tutorial.study.paired import checked_study, paired_study
from gsnn_tutorial.study.priors.memberships import (
    adjacency_membership,
    connected_membership,
    exchanged_membership,
    matched_membership,
)
from gsnn_tutorial.study.priors.recombination import recombined
from gsnn_tutorial.study.priors.weights import EdgePenalty, RegularizerSum, WeightTyingRegularizer, edges_outside
from gsnn_tutorial.study.problem import drawn, stream
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.replicas import fitted, output_errors
from gsnn_tutorial.study.table import TableFile
from gsnn_tutorial.study.tuning import Tuning, folds, own_tuning
from gsnn_tutorial.study.union_regularizer import disjoint_union
from gsnn_tutorial.study.worlds import World
from gsnn_tutorial.training import History

GRAPH = pathway_graph(K=2, n_in=1, n_func=2, n_out=1).with_spurious_edges(2, seed=0)  # 2 inputs, 4 functions, 2 outputs
G = GRAPH.networkx(spurious=False)
X, Y = torch.randn(6, 2), torch.randn(6, 2)
M = GRAPH.membership()
ACTIVATIONS = torch.randn(6, 3, 4, 2)
SIMILARITY = torch.eye(4).numpy()
PATTERN = SparsePattern(torch.tensor([[0, 1], [0, 0]]), (3, 2))
FUNCTIONS = ("function", "to", "function")
OWN = {
    "table": pd.DataFrame({"a": range(8), "c": [i * i for i in range(8)]}),
    "network": pd.DataFrame([("a", "b"), ("b", "c")], columns=["source", "target"]),
}
OWN_NETWORK = own_network(**OWN, sets={"one": ["a", "b"], "two": ["b", "c"]})
FRAME = pd.DataFrame(X.numpy(), columns=GRAPH.input_nodes)
TOLD = pd.DataFrame(M.numpy(), columns=GRAPH.function_nodes, index=["first", "second"])
TABLE = pd.DataFrame(
    {"seed": [0, 0, 0, 1, 1, 1], "arm": ["a", "b", "c"] * 2, "test_mse": [1.0, 2.0, 3.0, 5.0, 7.0, 9.5]}
)
EDGES = GRAPH.edge_index_dict[FUNCTIONS]


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


def subject(graph=GRAPH, x=X, told=None):
    return Subject(gsnn(), graph, SimpleNamespace(graph=graph, x_test=x), told)


class Identity(torch.nn.Module):
    def forward(self, a):
        return a


# One walk over all signatures: an argument of a kind that it cannot be


class Stranger:
    """A thing of a kind that no argument takes."""

    def __repr__(self):
        return "<a stranger>"


MODEL = gsnn().eval()
REGULARIZER = PathwayLatentRegularizer(MODEL, M)
MIXED = pathway_graph(K=2).with_spurious_edges(8, seed=0)
ALONE = attribution.NodeAlone(MODEL, "f_0_0")
S, D, ARM = SIMILARITY, [1.0, 2.0, 4.0], ["baseline"]
LABELLED = TABLE.assign(K=1)
PAIR = [("a", "b")]
TESTED = {"x_test": X, "y_test": Y, "x_val": X, "y_val": Y}
SUMMARY = inference.summarize(TABLE, ["test_mse"], [("a", "b"), ("a", "c"), ("c", "b")])
DOORS = {
    "pathway_graph": (pathway_graph, dict(K=2, n_in=1, n_func=2, n_out=1)),
    "PathwayGraph": (PathwayGraph, dict(nodes=GRAPH.nodes, edges=GRAPH.edges, spurious_edges=())),
    "with_spurious_edges": (GRAPH.with_spurious_edges, dict(count=1, seed=0)),
    "with_crosstalk_edges": (GRAPH.with_crosstalk_edges, dict(count=1, seed=0)),
    "networkx": (GRAPH.networkx, dict(spurious=True)),
    "nx2pyg": (nx2pyg, dict(G=chain(), input_nodes=["x"], function_nodes=["f", "g"], output_nodes=["y"])),
    "simulate": (simulate, dict(G=G, n_train=3, n_test=2, input_nodes=GRAPH.input_nodes, output_nodes=["out_0_0"])),
    "standardize": (standardize, dict(train=Y)),
    "pathway_functions": (pathway_functions, dict(graph=GRAPH)),
    "expected_outputs": (expected_outputs, dict(graph=GRAPH, x=X)),
    "noise_floor": (noise_floor, dict(graph=GRAPH, x_test=X, y_train=Y, y_test=Y)),
    "SparsePattern": (SparsePattern, dict(indices=PATTERN.indices, size=(3, 2))),
    "SparseLinear": (SparseLinear, dict(indices=PATTERN.indices, size=(3, 2))),
    "sparse_map": (sparse_map, dict(values=torch.ones(2), x=torch.ones(3, 1), pattern=PATTERN)),
    "GSNN": (GSNN, dict(edge_index_dict=GRAPH.edge_index_dict, node_names_dict=GRAPH.names, channels=2, layers=2)),
    "forward": (MODEL.forward, dict(x=X)),
    "get_node_activations": (MODEL.get_node_activations, dict(x=X)),
    "PathwayLatentRegularizer": (PathwayLatentRegularizer, dict(model=MODEL, pathway_membership=M)),
    "enable": (REGULARIZER.enable, dict(model=MODEL)),
    "train": (train, dict(model=gsnn(), x_train=X, y_train=Y, epochs=1, progress=False) | TESTED),
    "mse": (evaluation.mse, dict(model=MODEL, x=X, y=Y)),
    "cosine_similarity": (evaluation.cosine_similarity, dict(activations=ACTIVATIONS)),
    "kmeans_clusters": (evaluation.kmeans_clusters, dict(activations=ACTIVATIONS, n_clusters=2)),
    "linear_cka": (evaluation.linear_cka, dict(activations=ACTIVATIONS)),
    "centred_cosine": (evaluation.centred_cosine, dict(activations=ACTIVATIONS)),
    "cka_clusters": (evaluation.cka_clusters, dict(similarity=S, n_clusters=2)),
    "within_and_cross": (evaluation.within_and_cross, dict(similarity=S, labels=[0, 0, 1, 1])),
    "told_gap": (evaluation.told_gap, dict(similarity=S, membership=M)),
    "activations": (evaluation.activations, dict(model=MODEL, x=X)),
    "function_edges": (attribution.function_edges, dict(model=MODEL)),
    "edge_norms": (attribution.edge_norms, dict(model=MODEL)),
    "edge_effects": (attribution.edge_effects, dict(model=MODEL, x=X, keep_mean=True)),
    "NodeAlone": (attribution.NodeAlone, dict(model=MODEL, node="f_0_0")),
    "NodeAlone()": (ALONE, dict(messages=torch.ones(2, len(ALONE.hears)))),
    "auc": (attribution.auc, dict(score=[1.0, 2.0], is_true=[True, False])),
    "jacobian": (attribution.jacobian, dict(model=MODEL, x=X)),
    "occlusion": (attribution.occlusion, dict(model=MODEL, x=X)),
    "leakage": (attribution.leakage, dict(model=MODEL, x=X, graph=GRAPH)),
    "coherence": (attribution.coherence, dict(model=MODEL, x=X, graph=GRAPH)),
    "shuffled_membership": (shuffled_membership, dict(membership=M, seed=0)),
    "exchanged_membership": (exchanged_membership, dict(membership=M, count=2, seed=0)),
    "connected_membership": (connected_membership, dict(graph=GRAPH, seed=0)),
    "matched_membership": (matched_membership, dict(graph=MIXED, seed=0)),
    "adjacency_membership": (adjacency_membership, dict(graph=GRAPH)),
    "EdgePenalty": (EdgePenalty, dict(model=MODEL, edges=edges_outside(MODEL, M), lambda_edge=0.1)),
    "WeightTyingRegularizer": (WeightTyingRegularizer, dict(model=MODEL, pathway_membership=M, lambda_weight=0.1)),
    "RegularizerSum": (RegularizerSum, dict(parts=[REGULARIZER])),
    "edges_outside": (edges_outside, dict(edges=MODEL, membership=M)),
    "recombined": (recombined, dict(graph=GRAPH, membership=M, x=X, y=Y, seed=0)),
    "Problem": (Problem, dict()),
    "World": (World, dict()),
    "Recipe": (Recipe, dict()),
    "Tuning": (Tuning, dict()),
    "stream": (stream, dict(seed=0, name="data")),
    "drawn": (drawn, dict(problem=Problem())),
    "checked_study": (checked_study, dict(problem=Problem(), arms=ARM, seeds=[0], recipe=Recipe(), device="cpu")),
    "disjoint_union": (disjoint_union, dict(models=[MODEL])),
    "paired_differences": (inference.paired_differences, dict(table=TABLE, metric="test_mse", arm="a", versus="b")),
    "interval": (inference.interval, dict(differences=D)),
    "p_value": (inference.p_value, dict(differences=D)),
    "summarize": (inference.summarize, dict(table=TABLE, metrics=["test_mse"], comparisons=[("a", "b")])),
    "holm": (inference.holm, dict(summary=SUMMARY, primary="test_mse")),
    "non_inferior": (inference.non_inferior, dict(differences=D, margin=0.1)),
    "power_curve": (inference.power_curve, dict(differences=D, effect=1.0)),
    "seeds_needed": (inference.seeds_needed, dict(differences=D, effect=1.0)),
    "contrasts": (inference.contrasts, dict()),
    "verdict": (verdicts.verdict, dict(summary=SUMMARY, metric="test_mse", arm="a", baseline="b", controls=["c"])),
    "share": (share.share_of_the_way, dict(table=TABLE, metric="test_mse", arm="a", baseline="b", oracle="a")),
    "own_network": (own_network, dict(**OWN)),
    "OwnProblem": (OwnProblem, dict(network=OWN_NETWORK)),
    "pairwise": (pairwise, dict(x=OWN["table"])),
    "group_folds": (group_folds, dict(groups=[0, 1, 2], folds=2, seed=0)),
    "read_sheet": (read_sheet, dict(source=OWN["table"], what="table")),
    "path_signs": (path_signs, dict(graph=OWN_NETWORK.graph, starts=["a (given)"])),
    "heard": (heard, dict(graph=OWN_NETWORK.graph)),
    "own_tuning": (own_tuning, dict(epochs=3)),
    "arms_in_words": (arms.arms_in_words, dict(names=ARM)),
    "saved_study": (saved.saved_study, dict(name="wrong")),
    "saved_settings": (saved.saved_settings, dict(name="wrong")),
    "summarize_by": (inference.summarize_by, dict(table=LABELLED, by="K", metrics=["test_mse"], comparisons=PAIR)),
    "in_words": (verdicts.in_words, dict(table=TABLE.set_index("arm"))),
    "output_errors": (output_errors, dict(model=MODEL, x=X, y=Y)),
    "metric_named": (metrics.metric_named, dict(name="test_mse")),
}  # fmt: skip
# Arguments that the error calls otherwise, since another door names them.
CALLED = {
    "noise_floor.x_test": "x must be",
    "World.n_spurious": "count must be",
    "World.n_crosstalk": "count must be",
    "Tuning.grids": "not iterable",
    "checked_study.measures": "which must be",
    "disjoint_union.regularizers": "not iterable",
    "summarize.metrics": "not iterable",
    "arms_in_words.names": "not iterable",
    "summarize_by.metrics": "not iterable",
    "share.baseline": "arm must be",
    "paired_differences.versus": "arm must be",
    "read_sheet.source": "table must be",
    "verdict.arm": "summary must have",
    "verdict.baseline": "summary must have",
    "share.oracle": "arm must be",
    "group_folds.groups": "unsized",
    "metric_named.name": "metric must be",
}  # fmt: skip
ANYTHING = {
    "summarize.null", "contrasts.arm", "contrasts.baseline", "own_network.sep", "recombined.x", "recombined.y",
    "read_sheet.what", "read_sheet.sep", "read_sheet.wanted",
}  # fmt: skip


@pytest.mark.parametrize("name", DOORS)
def test_an_argument_of_another_kind_is_named(name):
    door, good = DOORS[name]
    door(**good)
    for argument, parameter in inspect.signature(door).parameters.items():
        if parameter.kind is not parameter.VAR_KEYWORD and f"{name}.{argument}" not in ANYTHING:
            with pytest.raises((TypeError, ValueError), match=re.escape(CALLED.get(f"{name}.{argument}", argument))):
                door(**good | {argument: Stranger()})


NO_MATRIX = {
    "None": None, "str": "x", "set": {1.0}, "dict": {"a": [1.0]}, "ragged": [[1.0, 2.0], [3.0]],
    "objects": np.array([[1.0, None]]), "words": [["a", "b"]], "complex": np.ones((6, 2), dtype=complex),
    "masked": np.ma.masked_less(np.ones((6, 2)), 0), "complex tensor": torch.ones(6, 2, dtype=torch.cfloat),
    "generator": (row for row in [[1.0, 2.0]]), "bool": np.ones((6, 2), dtype=bool),
}  # fmt: skip


@pytest.mark.parametrize("value", NO_MATRIX.values(), ids=NO_MATRIX)
@pytest.mark.parametrize("read", [lambda x: gsnn()(x), standardize], ids=["x", "train"])
def test_a_thing_that_is_no_matrix_of_numbers_is_refused(read, value):
    with pytest.raises(TypeError, match="(x|train) must be "):
        read(value)


@pytest.mark.parametrize("value", ["no", 1, None])
def test_a_flag_is_true_or_false(value):
    for name in ("bias", "share_layers", "add_function_self_edges", "residual", "node_mlp"):
        with pytest.raises(TypeError, match=f"{name} must be True or False, got {value!r}"):
            gsnn(**{name: value})


# Rows: what an argument of the right kind can still have wrong


CASES = {
    "graph": [
        (lambda: pathway_graph(K=0), ValueError, "K must be at least 1, got 0"),
        (lambda: pathway_graph(n_in=-2), ValueError, "n_in must be at least 1, got -2"),
        (lambda: with_node("f_0_0", "input"), ValueError, "'f_0_0' is listed 2 times"),
        (lambda: with_node("new", "hidden"),
         ValueError, "type of node 'new' must be one of 'input', 'function', 'output'; got 'hidden'"),
        (lambda: with_edge("in_0_0", "out_0_0"), ValueError, "'in_0_0' -> 'out_0_0' runs from input to output"),
        (lambda: with_edge("out_0_0", "f_0_0"), ValueError, "'out_0_0' -> 'f_0_0' runs from output to function"),
        (lambda: with_edge("f_0_0", "nowhere"), ValueError, "ends in 'nowhere', which is not a node"),
        (lambda: with_edge(*GRAPH.edges[0]), ValueError, "'in_0_0' -> 'f_0_0' is listed twice"),
        (lambda: GRAPH.with_spurious_edges(7, 0),
         ValueError, "count must be at most 6, the free edges between pathways; got 7"),
        (lambda: GRAPH.with_spurious_edges(-1, 0), ValueError, "count must be at least 0, got -1"),
        (lambda: GRAPH.with_spurious_edges(1, seed=-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: GRAPH.with_crosstalk_edges(3, 0),
         ValueError, "count must be at most 1, the free edges between pathways that run forward; got 3"),
        (lambda: nx2pyg(chain(), ["x", "z"], ["f", "g"], ["y"]), ValueError, "must be a node of G; 'z' is not"),
        (lambda: nx2pyg(chain(), ["x"], ["f"], ["y"]),
         ValueError, "input_nodes, function_nodes or output_nodes; 'g' is in none"),
        (lambda: nx2pyg(chain(("f", "x")), ["x"], ["f", "g"], ["y"]),
         ValueError, "'f' -> 'x' runs from function to input"),
    ],
    "priors": [
        (lambda: shuffled_membership(torch.ones(4), 0),
         ValueError, "membership must be a matrix, got 1 dimensions of shape (4,)"),
        (lambda: shuffled_membership(bad(M, np.nan), 0), ValueError, "membership must be finite, got 1 NaN"),
        (lambda: shuffled_membership(torch.ones(1, 4), 0), ValueError, "membership of shape (1, 4) cannot be shuffled"),
        (lambda: shuffled_membership(torch.eye(4), 0),
         ValueError, "give at least two pathways, one of them with two members"),
    ],
    "simulate": [
        (lambda: causal(chain(("g", "f")), input_nodes=["x"], output_nodes=["y"]),
         ValueError, "G must have no cycle, got"),
        (lambda: causal(nx.Graph(G)), ValueError, "G must be a networkx.DiGraph, directed"),
        (lambda: causal(n_train=0), ValueError, "n_train must be at least 1, got 0"),
        (lambda: causal(noise_scale=-0.1), ValueError, "noise_scale must be finite and at least 0, got -0.1"),
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
        (lambda: standardize(torch.ones(1, 2)),
         ValueError, "train must have at least 2 rows to have a standard deviation, got 1"),
        (lambda: standardize(Y[0]), ValueError, "train must be a matrix, got 1 dimensions of shape (2,)"),
        (lambda: standardize(bad(Y, np.inf)), ValueError, "train must be finite, got 1 NaN or infinite value"),
        (lambda: standardize(Y, Y[:, :1]), ValueError, "others must have 2 columns, got shape (6, 1)"),
        (lambda: standardize(Y, bad(Y, np.nan)), ValueError, "others must be finite"),
        (lambda: Problem(n_test=0), ValueError, "n_test must be at least 2, got 0"),
        (lambda: Problem(K=2, n_func=1, n_spurious=3), ValueError, "n_spurious must be at most 2, the edges"),
        (lambda: causal(nx.DiGraph([("x", "y", {"sign": 5})]), input_nodes=["x"], output_nodes=["y"]),
         ValueError, "the sign of edge ('x', 'y') must be +1 or -1, got 5"),
    ],
    "sparse": [
        (lambda: SparseLinear(torch.zeros(3, 2, dtype=torch.long), (3, 3)),
         ValueError, "indices must be int64 of shape (2, weights), got torch.int64 of shape (3, 2)"),
        (lambda: SparseLinear(torch.tensor([[0], [3]]), (3, 3)), ValueError, "indices must lie within size=(3, 3)"),
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
        (lambda: gsnn(dropout=1.5), ValueError, "dropout must be finite and between 0 and 1, got 1.5"),
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
        (lambda: gsnn(nonlin=torch.nn.ELU()), TypeError, "nonlin"),
        (lambda: gsnn()(X[:0]), ValueError, "x must have at least one row, got shape (0, 2)"),
        (lambda: gsnn(norm="batch")(X[:1]), ValueError, "x must have at least 2 rows to train with norm='batch'"),
        (lambda: regularizer(dissim_pairs=[(0.0, 1.0)]), ValueError, "pairs (p, q) of integers"),
    ],
    "PathwayLatentRegularizer": [
        (lambda: regularizer(M[:, :3]), ValueError, "pathway_membership must have 4 columns, got shape (2, 3)"),
        (lambda: regularizer(M[0]), ValueError, "pathway_membership must be a matrix, got 1 dimensions of shape (4,)"),
        (lambda: regularizer(bad(M, np.nan)), ValueError, "pathway_membership must be finite, got 1 NaN"),
        (lambda: regularizer(bad(M, -0.5)), ValueError, "pathway_membership must have weights >= 0, got -0.5"),
        (lambda: regularizer(M * torch.tensor([[-1.0], [0.0]]), signed=True),
         ValueError, "pathway_membership must give each of 2 pathways a member; none in [1]"),
        (lambda: regularizer(M[:0]), ValueError, "pathway_membership must give each of 0 pathways a member"),
        (lambda: regularizer(dissim_pairs=[(0, 2)]),
         ValueError, "dissim_pairs must pair two different pathways of 0 to 1, got [[0, 2]]"),
        (lambda: regularizer(dissim_pairs=[(0, 1, 1)]), ValueError, "dissim_pairs must be pairs (p, q) of integers"),
        (lambda: regularizer(lambda_sim=-1), ValueError, "lambda_sim must be finite and at least 0, got -1"),
        (lambda: regularizer(lambda_dis=np.nan), ValueError, "lambda_dis must be finite and at least 0, got nan"),
        (lambda: regularizer(lambda_dis=0.5), ValueError, "lambda_dis=0.5 has nothing to act on: give dissim_pairs"),
        (lambda: regularizer(eps=-1e-6), ValueError, "eps must be finite and at least 0, got -1e-06"),
        (lambda: regularizer(phi="max"), ValueError, "must be one of 'mean', 'learned'; got 'max'"),
        (lambda: loss_of(phi=Identity()),
         ValueError, "phi must map (B, N, C) to (B, N) or (B, N, 1), (6, 4); got (6, 4, 2)"),
        (lambda: loss_of(samples=1), ValueError, "a correlation over the batch needs at least 2 samples, got B=1"),
        (lambda: loss_of(other_model=True), ValueError, "model is not the one that this regularizer reads"),
    ],
    "train": [
        (lambda: trained(epochs=0), ValueError, "epochs must be at least 1, got 0"),
        (lambda: trained(lr=-1), ValueError, "lr must be finite and at least 0, got -1"),
        (lambda: trained(weight_decay=np.inf), ValueError, "weight_decay must be finite and at least 0, got inf"),
        (lambda: trained(warmup_epochs=-1), ValueError, "warmup_epochs must be at least 0, got -1"),
        (lambda: trained(batch_size=0), ValueError, "batch_size must be at least 1, got 0"),
        (lambda: trained(batch_size=5, regularized=True),
         ValueError, "batch_size=5 with 6 samples leaves a batch of one sample"),
        (lambda: trained(X[:1], Y[:1], regularized=True), ValueError, "leaves a batch of one sample"),
        (lambda: trained(x=X[:5]), ValueError, "x_train and y_train must have as many rows, at least 1; got 5 and 6"),
        (lambda: trained(x=X[:, 0]), ValueError, "x_train must be a matrix, got 1 dimensions of shape (6,)"),
        (lambda: trained(x=bad(X, np.nan)), ValueError, "x_train must be finite, got 1 NaN"),
        (lambda: trained(y=bad(Y, np.inf)), ValueError, "y_train must be finite, got 1 NaN or infinite value"),
        (lambda: trained(x_test=X), ValueError, "x_test and y_test belong together: give both or neither"),
        (lambda: trained(x_test=X, y_test=bad(Y, np.nan)), ValueError, "y_test must be finite, got 1 NaN"),
        (lambda: trained(y=Y[:, :1]), ValueError, "y_train must have the model's 2 columns, got shape (6, 1)"),
        (lambda: train(gsnn(), X, Y, x_test=X, y_test=Y[:, :1], progress=False), ValueError, "y_test"),
        (lambda: evaluation.mse(gsnn(), X, Y[:, :1]), ValueError, "y must have 2 columns, got shape (6, 1)"),
        (lambda: evaluation.mse(gsnn(), X, bad(Y, np.nan)), ValueError, "y must be finite"),
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
        (lambda: evaluation.cka_clusters(bad(SIMILARITY, np.nan), 2), ValueError, "similarity must be finite"),
        (lambda: evaluation.gap(SIMILARITY[:3], [0, 0, 1]), ValueError, "similarity must have 3 columns"),
        (lambda: evaluation.gap(SIMILARITY, [0, 0, 1]),
         ValueError, "labels must have one label for each of the 4 nodes, got shape (3,)"),
        (lambda: evaluation.gap(SIMILARITY, [0, 0, 0, 0]), ValueError, "labels must name at least two pathways"),
        (lambda: evaluation.gap(SIMILARITY, [0, 1, 2, 3]),
         ValueError, "labels must put at least two nodes into one pathway"),
        (lambda: evaluation.told_gap(SIMILARITY, np.ones((2, 3))),
         ValueError, "membership must have 4 columns, got shape (2, 3)"),
        (lambda: evaluation.linear_cka(evaluation.activations(gsnn(), X[:1])),
         ValueError, "at least 2 samples to be centred over, got B=1"),
        (lambda: measure(subject(graph=GRAPH.without_spurious_edges()), "published"),
         ValueError, "graph must have the model's"),
        (lambda: measure(subject(), "beauty"), ValueError, "which must be one of"),
        (lambda: evaluation.gap(3.0, [0, 0, 1]), ValueError, "similarity must be a matrix"),
        (lambda: evaluation.gap(SIMILARITY[:3, :3], [0, 0, np.nan]), ValueError, "labels must be finite"),
    ],
    "plots": [
        (lambda: plots.plot_training({"a": History()}, quantity="loss"),
         ValueError, "quantity must be one of 'train_mse', 'test_mse', 'L_sim', 'L_dis'; got 'loss'"),
        (lambda: plots.plot_similarity(SIMILARITY[:, :3], GRAPH),
         ValueError, "similarity must have 4 columns, got shape (4, 3)"),
        (lambda: plots.plot_similarity(SIMILARITY[:3], GRAPH),
         ValueError, "similarity must have 4 rows, got shape (3, 4)"),
    ],
    "tables": [
        (lambda: gsnn()(X.to_sparse()), TypeError, "x must be dense, got a sparse tensor: give its to_dense()"),
        (lambda: gsnn()(bad(X.double(), 1e300)), ValueError, "x must fit into torch.float32, got 1e+300: scale it"),
        (lambda: trained(y=bad(Y.double(), -1e300)), ValueError, "y_train must fit into torch.float32"),
        (lambda: standardize(bad(Y.double(), 1e39)), ValueError, "train must fit into torch.float32, got 1e+39"),
        (lambda: gsnn()(FRAME.rename(columns={"in_0_0": "in"})), ValueError, "unknown: ['in']; missing: ['in_0_0']"),
        (lambda: gsnn()(FRAME[["in_0_0"]]), ValueError, "x must have a column for each of ['in_0_0', 'in_1_0'], each"),
        (lambda: gsnn()(FRAME.iloc[:, [0, 0, 1]]), ValueError, "twice: ['in_0_0']"),
        (lambda: gsnn()(pd.DataFrame(X.numpy())), ValueError, "unknown: [0, 1]; missing: ['in_0_0', 'in_1_0']"),
        (lambda: gsnn()(FRAME.assign(in_0_0="a")), TypeError, "x must have columns of numbers, got column 'in_0_0' of"),
        (lambda: trained(y=FRAME), ValueError, "y_train must have a column for each of ['out_0_0', 'out_1_0']"),
        (lambda: regularizer(TOLD.iloc[:, :3]), ValueError, "pathway_membership must have a column for each of"),
        (lambda: regularizer(TOLD.assign(more=1.0)), ValueError, "unknown: ['more']"),
        (lambda: standardize(FRAME, FRAME.add_prefix("not_")), ValueError, "others must have a column for each of"),
    ],
    "attribution": [
        (lambda: evaluation.gap(SIMILARITY, [0, 0, 1, 1], involving=[0, 1]),
         ValueError, "involving must be a mask of the 4 nodes, True or False for each; got shape (2,) of int64"),
        (lambda: evaluation.within_and_cross(SIMILARITY, [0, 0, 1, 1], [1, 0, 2, 3]),
         ValueError, "involving must be a mask of the 4 nodes"),
        (lambda: attribution.auc([0.1, 0.2, 0.3], [0, 2, 1]), ValueError, "is_true must be a mask of the 3 scores"),
        (lambda: EdgePenalty(gsnn(), [0, 1], 0.1), ValueError, "edges must say True or False of each of"),
        (lambda: EdgePenalty(gsnn(), "all", 0.1), TypeError, "edges must be a mask, True or False for each edge"),
    ],
    "of another kind": [
        (lambda: PathwayGraph(GRAPH.nodes, ["ab"]), ValueError, "edges must be pairs (source, target), got 'ab'"),
        (lambda: PathwayGraph(["f"], []), TypeError, "every one of nodes must be a Node, got str"),
        (lambda: paired_study(Problem(), seeds=np.int64(3)), ValueError, "for so many seeds give range(3)"),
        (lambda: causal(signed_edges={"ab": 1}), ValueError, "signed_edges must be pairs (source, target), got 'ab'"),
        (lambda: train(torch.nn.Identity(), X, Y), ValueError, "model must have parameters to train, got Identity"),
        (lambda: evaluation.gap(SIMILARITY, None), TypeError, "labels must be one label for each of the 4 nodes"),
        (lambda: evaluation.gap(SIMILARITY, [[0], [1, 2]]), TypeError, "labels must be one label for each of the 4"),
        (lambda: attribution.NodeAlone(gsnn(), "f_0_0", layer=3), ValueError, "layer must be at most 2"),
        (lambda: attribution.NodeAlone(gsnn(), "f_0_0")(X[:, :1]), ValueError, "messages must have"),
        (lambda: attribution.occlusion(gsnn(), X[:0]), ValueError, "x must have at least one row"),
        (lambda: exchanged_membership(M, 1, 0), ValueError, "count must be 0, or from 2 to 4, the nodes; got 1"),
        (lambda: edges_outside([[0.5], [1.0]], M), ValueError, "edges (unless a GSNN) must be integer pairs of shape"),
        (lambda: disjoint_union([gsnn()], []), ValueError, "regularizers must have one entry, or None, for each of 1"),
    ],
    "study": [
        (lambda: checked_study(Problem(), ["baseline"], [0], Recipe(), "abacus"), ValueError, "device must be one"),
        (lambda: Tuning(folds=1), ValueError, "folds must be at least 2, got 1"),
        (lambda: Tuning(epochs=(2, 1)), ValueError, "epochs must rise, and be at least one; got [2, 1]"),
        (lambda: World(branching=2), ValueError, "branching must be"),
        (lambda: recombined(pathway_graph(2, 1, 2, 1), [[1]], X, Y, 0), ValueError, "membership must have 4 columns"),
        (lambda: Recipe(layers=1).depth(Problem()), ValueError, "layers must be at least 3, the hops to an output"),
        (lambda: Blocks(0), ValueError, "n_jobs must be at least 1, got 0"),
        (lambda: TableFile(None, ["seed"]).resume([], []), ValueError, "resume needs output"),
        (lambda: metrics.chosen(["cka", "cka"]), ValueError, "which must name each group once"),
        (lambda: inference.paired_differences(TABLE.drop(columns="arm"), "test_mse", "a", "b"),
         ValueError, "table must have the columns seed and arm, as a study's has; it lacks 'arm'"),
        (lambda: inference.p_value([1.0]), ValueError, "differences must be a vector of at least 2 finite values"),
        (lambda: inference.summarize(TABLE, comparisons=["ab"]), ValueError, "comparisons must be pairs"),
        (lambda: share.share_of_the_way(TABLE[TABLE["seed"] == 0], "test_mse", "a", "b", "b"),
         ValueError, "table must have at least 2 seeds with a, b and b; got 1"),
        (lambda: verdicts.verdict(inference.summarize(TABLE, ["test_mse"], [("a", "b")]).drop(columns="p"), "test_mse"),
         ValueError, "summary must be a table that summarize makes; it lacks the column 'p'"),
        (lambda: inference.non_inferior([1.0, 2.0], -1), ValueError, "margin must be finite and at least 0, got -1"),
        (lambda: inference.power_curve([1.0, 2.0], 1.0, seeds=[1]), ValueError, "seeds must be at least 2, got 1"),
        (lambda: inference.seeds_needed([1.0, 2.0], 1.0, power=2), ValueError, "power must be finite and between"),
        (lambda: inference.named_controls([]), ValueError, "controls must name at least one arm"),
    ],
    "own": [
        (lambda: published.replay(progress="loud"), TypeError, "progress must be True or False, got 'loud'"),
        (lambda: published.side_by_side(None), TypeError, "ours must be a DataFrame, got NoneType"),
        (lambda: fitted(OwnProblem(OWN_NETWORK).draw(0), Recipe(), 2, "best"), ValueError, "arm must be one of"),
        (lambda: own_network(**OWN, inputs=["a"], outputs=["nobody"]), ValueError, "table has no column 'nobody'"),
        (lambda: own_network(**OWN, inputs={"a"}, outputs=["c"]), TypeError, "inputs must be a list"),
        (lambda: own_network("nowhere.csv", OWN["network"]), ValueError, "table: nowhere.csv cannot be read"),
        (lambda: own_network(OWN["table"], OWN["table"]), ValueError, "has no column for the target"),
        (lambda: own_network(**OWN, smallest=0), ValueError, "smallest must be at least 1"),
        (lambda: own_network(**OWN, largest=1), ValueError, "largest must be at least 2"),
        (lambda: own_network(**OWN, alike=2), ValueError, "alike"),
        (lambda: own_network(**OWN, sets=OWN["table"], called={"sets": {"gene": "x"}}),
         ValueError, "columns must name 'set', 'member'"),
        (lambda: own_network(**OWN, columns=OWN["table"], inputs=["a"]), ValueError, "give columns, or inputs"),
        (lambda: own_network(**OWN, inputs=["a"], outputs=["nobody"]), ValueError, "table has no column 'nobody'"),
        (lambda: own_network(**OWN, inputs=["a"]), ValueError, "columns must name an output"),
        (lambda: own_network(OWN["table"][["a", "c"]].iloc[:3], OWN["network"]), ValueError, "at least 4 must"),
        (lambda: read_sets({"one": {"a": "x"}}), TypeError, "sets['one']['a'] must be a"),
        (lambda: read_sets({}), ValueError, "sets must hold at least one set with a member"),
        (lambda: membership_of(read_sets({"one": ["x"]}), ["a"], Findings()), ValueError, "same kind of identifier"),
        (lambda: read_sheet(OWN["table"].iloc[:0], "table"), ValueError, "has column names and no rows"),
        (lambda: OWN_NETWORK.graph.with_random_edges(100, 0), ValueError, "count must be at most 4"),
        (lambda: restricted_errors(OWN_NETWORK.x, OWN_NETWORK.y, [0] * 8, {}), ValueError, "as many as the 5 folds"),
        (lambda: asked_inputs(OWN_NETWORK.x, OWN_NETWORK.y, range(8), {}, margin=-1), ValueError, "margin must be"),
        (lambda: write_example(__file__), ValueError, "needs a folder that can be made"),
        (lambda: OwnProblem(OWN_NETWORK, 2), ValueError, "test must be"),
        (lambda: OwnProblem(own_network(OWN["table"], OWN["network"])).draw(0), ValueError, "network must have sets"),
        (lambda: path_signs(OWN_NETWORK.graph, []), ValueError, "starts must name at least one input"),
        (lambda: folds(8, 99, range(8)), ValueError, "needs as many groups"),
        (lambda: group_folds([0, 0, 1], 3, 0), ValueError, "groups must be at least as many as the 3 folds, got 2"),
    ],
}  # fmt: skip


ROOMS = ["graph", "wiring", "simulation", "sparse", "gsnn", "regularizer", "training", "evaluation", "attribution"]
ROOMS += [
    room.name.removeprefix("gsnn_tutorial.") for room in pkgutil.walk_packages(study.__path__, f"{study.__name__}.")
]


def public():
    """Every public function and class of the rooms, by the name 'room.name'."""
    for room in ROOMS:
        module = importlib.import_module(f"gsnn_tutorial.{room}")
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
            if own and (inspect.isclass(thing) or inspect.isfunction(thing)):
                yield f"{room}.{name}"


def entered(error):
    """The public functions, and the classes of the objects, whose code an error came through."""
    frame = error.__traceback__ if error is not None else None
    while frame is not None:
        code, given = frame.tb_frame, frame.tb_frame.f_locals
        room = code.f_globals["__name__"].removeprefix("gsnn_tutorial.")
        yield f"{room}.{code.f_code.co_name}"
        for kind in type(given["self"]).__mro__ if "self" in given else ():
            yield f"{kind.__module__.removeprefix('gsnn_tutorial.')}.{kind.__name__}"
        frame = frame.tb_next


def test_every_public_function_that_checks_something_has_been_seen_to_refuse():
    seen = {part for cases in CASES.values() for call, kind, _ in cases for part in entered(refusal(call))}
    for door, good in DOORS.values():
        for argument in good:
            seen |= set(entered(refusal(lambda: door(**good | {argument: Stranger()}))))
    assert [name for name in public() if checks(name) and name not in seen] == []


def refusal(call):
    try:
        call()
    except (TypeError, ValueError, AttributeError) as error:
        return error


def checks(name):
    """True if the function's or class's own text calls a check."""
    room, _, thing = name.rpartition(".")
    text = inspect.getsource(getattr(importlib.import_module(f"gsnn_tutorial.{room}"), thing))
    return "validate." in text and name not in INSIDE


INSIDE = {"study.problem.Draw", "study.worlds.simulate_at_rest"}  # they are given what others have checked


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
    assert measure(subject(told=M))
    assert nx2pyg(chain(), ["x"], ["f", "g"], ["y"]).num_nodes == 4
    assert sparse_map(torch.ones(2), torch.ones(3, 1), PATTERN).shape == (2, 1)


def test_a_cycle_in_simulate_is_spelled_out():
    with pytest.raises(ValueError, match=r"got (f -> g|g -> f) -> \.\.\.: remove one of its edges"):
        causal(chain(("g", "f")), input_nodes=["x"], output_nodes=["y"])


def test_a_dataframe_is_read_by_its_columns_names():
    model = gsnn().eval()
    y = pd.DataFrame(Y.numpy(), columns=GRAPH.output_nodes)
    assert torch.equal(model(FRAME[FRAME.columns[::-1]]), model(X))
    assert evaluation.mse(model, FRAME, y[y.columns[::-1]]) == evaluation.mse(model, X, Y)
    torch.manual_seed(0)
    by_name = trained(FRAME[FRAME.columns[::-1]], y[y.columns[::-1]]).train_mse
    torch.manual_seed(0)
    assert by_name == trained().train_mse
    for told in (TOLD[TOLD.columns[::-1]], TOLD.astype(bool), M.bool(), M.numpy().astype(bool)):
        its, ours = regularizer(told), regularizer()
        assert torch.equal(its.membership.indices, ours.membership.indices) and torch.equal(its.weights, ours.weights)


def test_arrays_of_any_layout_and_byte_order_are_read_as_they_are():
    model, x = gsnn().eval(), X.numpy()
    frozen = x.copy()
    frozen.flags.writeable = False
    for given in (x[::-1][::-1], x.astype(">f4"), np.asfortranarray(x), frozen, list(X), x.tolist(), x.astype("g")):
        assert torch.equal(model(given), model(X))
    assert torch.equal(model(x[::-1]), model(X.flip(0)))


@pytest.mark.parametrize("two", [np.int64(2), np.array(2), torch.tensor(2), np.uint8(2)])
def test_single_numbers_of_any_kind_are_numbers(two):
    assert gsnn(channels=two, layers=two).settings == gsnn(channels=2, layers=2).settings
    assert len(trained(epochs=two, lr=np.float32(0.1), weight_decay=torch.tensor(0.0)).train_mse) == 2
    assert len(causal(n_train=two)[0]) == 2
    assert regularizer(signed=np.bool_(True), lambda_sim=two).lambda_sim == 2


def test_names_may_come_from_a_generator_that_is_read_once():
    read = causal(input_nodes=(name for name in GRAPH.input_nodes), output_nodes=iter(["out_0_0"]))
    assert all(np.array_equal(one, other) for one, other in zip(read, causal()))
    data = nx2pyg(chain(), iter(["x"]), (name for name in "fg"), iter("y"))
    assert data["function"].node_names == ["f", "g"]
