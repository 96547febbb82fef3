"""Regularizers of weights: the right edges, the right numbers, finite gradients, no dense product."""

import tracemalloc

import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, Problem, pathway_graph, train
from gsnn_tutorial.study.priors.weights import EdgePenalty, WeightTyingRegularizer, edges_outside
from gsnn_tutorial.wiring import EDGE_TYPES, NODE_TYPES

OVERLAPPING = torch.zeros(3, 12).index_put(
    (torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 1, 2]), torch.tensor([0, 1, 2, 3, 2, 3, 4, 5, 8, 11])), torch.tensor(0.5)
)  # nodes in two pathways and in none, and a pathway without an edge


@pytest.fixture
def tiny():
    """Functions 0 -> 1 -> 2 and 0 -> 2, one input into 0, one output of 2, self-loops; C = 2; weights 0, 1, 2, ..."""
    edges = {
        EDGE_TYPES[0]: torch.tensor([[0], [0]]),
        EDGE_TYPES[1]: torch.tensor([[0, 1, 0], [1, 2, 2]]),
        EDGE_TYPES[2]: torch.tensor([[2], [0]]),
    }
    model = GSNN(edges, dict(zip(NODE_TYPES, (["x"], ["f", "g", "h"], ["y"]))), channels=2, layers=2, node_mlp=False)
    with torch.no_grad():
        for values in (model.ResBlocks[0].lin_in.values, model.ResBlocks[0].lin_out.values):
            values.copy_(torch.arange(len(values)))
    return model


def dense_weights(model):
    """W_in as (E, C) rows and W_out as (E, C) columns, entry by entry, in double precision; 0 where there is none."""
    lin_in, lin_out, C = model.ResBlocks[0].lin_in, model.ResBlocks[0].lin_out, model.channels
    rows, columns = np.zeros((model.E, C)), np.zeros((model.E, C))
    for (edge, channel), value in zip(lin_in.indices.T.tolist(), lin_in.values.tolist()):
        rows[edge, channel % C] = value
    for (channel, edge), value in zip(lin_out.indices.T.tolist(), lin_out.values.tolist()):
        columns[edge, channel % C] = value
    return rows, columns


def within(edges, M):
    """E_p of each pathway, self-loops left out."""
    M = np.asarray(M)
    return [
        [e for e, (u, v) in enumerate(edges) if u != v and max(u, v) < M.shape[1] and row[u] and row[v]] for row in M
    ]


def test_the_penalty_of_a_graph_that_fits_on_a_page(tiny):
    # Edges 0 -> 1, 1 -> 2, 0 -> 2 have the numbers 0, 1, 2. W_in's rows: 0 1 | 2 3 | 4 5.
    # W_out's columns run node by node: f's channels send to edges 0, 2 and the loop 5, g's to 1 and 6, ...
    assert tiny.edge_index.tolist() == [[0, 1, 0, 3, 2, 0, 1, 2], [1, 2, 2, 0, 4, 0, 1, 2]]
    loss, nothing = EdgePenalty(tiny, torch.tensor([False, True, True]), lambda_edge=0.1).loss(tiny)
    w_in = 13**0.5 + 41**0.5  # (2, 3) and (4, 5)
    w_out = (6**2 + 8**2) ** 0.5 + (1**2 + 4**2) ** 0.5  # g -> h: the 7th and 9th; f -> h: the 2nd and 5th
    assert loss.item() == pytest.approx(0.1 * (w_in + w_out), rel=1e-6) and nothing.item() == 0


@pytest.mark.parametrize("tie", ["weights", "norms"])
@pytest.mark.parametrize("membership", ["true", "overlapping"])
def test_tying_equals_a_loop_over_pathways_and_edges(model, draw, tie, membership):
    M = {"true": draw.graph.membership(), "overlapping": OVERLAPPING}[membership]
    total, terms = 0.0, 0
    for edges in filter(None, within(model.edge_index.T.tolist(), M)):
        for w in dense_weights(model):
            w = np.linalg.norm(w, axis=1, keepdims=True) if tie == "norms" else w
            total += ((w[edges] - w[edges].mean(0)) ** 2).sum()
        terms += len(edges)
    loss, nothing = WeightTyingRegularizer(model, M, 0.7, tie=tie).loss(model)
    assert terms > 1 and loss.item() == pytest.approx(0.7 * total / terms, rel=1e-5) and nothing.item() == 0


def test_the_penalty_equals_a_loop_over_edges(model, draw):
    outside = edges_outside(model, draw.graph.membership())
    expected = sum(np.linalg.norm(w[e]) for w in dense_weights(model) for e in outside.nonzero().flatten().tolist())
    loss, _ = EdgePenalty(model, outside, 0.3).loss(model)
    assert outside.sum() == 8 and loss.item() == pytest.approx(0.3 * expected, rel=1e-5)
    functions = EdgePenalty(model, ~draw.graph.function_edge_is_true, 0.3)  # the same edges, chosen among fewer
    assert torch.equal(loss, functions.loss(model)[0])


@pytest.mark.parametrize(
    "M", [OVERLAPPING, OVERLAPPING.to_sparse(), OVERLAPPING.tolist()], ids=["dense", "sparse", "list"]
)
def test_edges_outside_are_those_that_share_no_pathway(model, M):
    inside = {e for edges in within(model.edge_index.T.tolist(), OVERLAPPING) for e in edges}
    source, target = model.edge_index
    expected = [bool(u < 12 and v < 12 and u != v) and e not in inside for e, (u, v) in enumerate(zip(source, target))]
    assert edges_outside(model, M).tolist() == expected and 0 < sum(expected) < 16
    functions = model.edge_index_dict["function", "to", "function"]
    assert edges_outside(functions, M).tolist() == expected[:16]


def test_no_self_loop_is_outside_and_none_is_tied(model):
    alone = torch.eye(12)  # no two nodes share a pathway
    outside = edges_outside(model, alone)
    loops = model.edge_index[0] == model.edge_index[1]
    assert outside.sum() == 16 and loops.sum() == 12 and not (outside & loops).any()
    with pytest.raises(ValueError, match="a pathway that holds both ends of an edge"):
        WeightTyingRegularizer(model, alone, 1.0)


MAKERS = {
    "penalty": lambda m: EdgePenalty(m, torch.tensor([True, False, True]), 0.4),
    "weights": lambda m: WeightTyingRegularizer(m, torch.ones(1, 3), 0.4),
    "norms": lambda m: WeightTyingRegularizer(m, [[1, 1, 1], [1, 1, 0], [0, 1, 1]], 0.4, tie="norms"),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_gradcheck(tiny, make):
    tiny.double()
    regularizer, block = make(tiny), tiny.ResBlocks[0]
    generator = torch.Generator().manual_seed(0)
    given = [
        torch.randn(len(m.values), generator=generator, dtype=torch.float64) for m in (block.lin_in, block.lin_out)
    ]

    def loss(w_in, w_out):
        block.lin_in.values, block.lin_out.values = w_in, w_out
        return regularizer.loss(tiny)[0]

    for lin in (block.lin_in, block.lin_out):
        del lin._parameters["values"]
    assert torch.autograd.gradcheck(loss, [w.requires_grad_() for w in given])


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_gradients_at_weights_of_zero_are_zero_and_not_nan(tiny, make):
    with torch.no_grad():
        for parameter in tiny.parameters():
            parameter.zero_()
    make(tiny).loss(tiny)[0].backward()
    for values in (tiny.ResBlocks[0].lin_in.values, tiny.ResBlocks[0].lin_out.values):
        assert torch.equal(values.grad, torch.zeros_like(values))


def test_only_chosen_edges_get_a_gradient(model, draw):
    EdgePenalty(model, ~draw.graph.function_edge_is_true, 1.0).loss(model)[0].backward()
    lin_in = model.ResBlocks[0].lin_in
    touched = lin_in.indices[0][lin_in.values.grad != 0].unique().tolist()
    assert touched == list(range(8, 16))


def test_layers_with_weights_of_their_own_add_up(make_model, draw):
    M = draw.graph.membership()
    model = make_model(share_layers=False)
    parts = []
    for block in model.ResBlocks:
        twin = make_model()
        with torch.no_grad():
            twin.ResBlocks[0].lin_in.values.copy_(block.lin_in.values)
            twin.ResBlocks[0].lin_out.values.copy_(block.lin_out.values)
        parts.append(WeightTyingRegularizer(twin, M, 1.0).loss(twin)[0])
    torch.testing.assert_close(WeightTyingRegularizer(model, M, 1.0).loss(model)[0], sum(parts))
    assert len({part.item() for part in parts}) == 4


def test_training_takes_them_in_batches_of_any_size_and_penalised_edges_shrink(make_model, draw):
    norms = {}
    for strength in (0.0, 0.1):
        model = make_model()
        penalty = EdgePenalty(model, ~draw.graph.function_edge_is_true, strength)
        history = train(
            model, draw.x_train[:9], draw.y_train[:9], regularizer=penalty, epochs=30, batch_size=4, progress=False
        )
        norms[strength] = EdgePenalty(model, ~draw.graph.function_edge_is_true, 1.0).loss(model)[0].item()
        assert len(history.L_sim) == 30 and set(history.L_dis) == {0.0}
    assert norms[0.1] < 0.5 * norms[0.0]


def test_strength_and_lambda_scale_the_loss_and_may_be_set_afterwards(model, draw):
    for regularizer, name in [
        (EdgePenalty(model, ~draw.graph.function_edge_is_true, 1.0), "lambda_edge"),
        (WeightTyingRegularizer(model, draw.graph.membership(), 1.0), "lambda_weight"),
    ]:
        whole = regularizer.loss(model)[0].item()
        regularizer.strength = 0.25
        setattr(regularizer, name, 2.0)
        assert regularizer.loss(model)[0].item() == pytest.approx(0.5 * whole)
        assert list(regularizer.parameters()) == []


def test_they_follow_their_model_to_another_precision_and_refuse_another_graph(make_model, draw):
    model, other = make_model().double(), make_model(Problem().draw_graph(5))
    regularizer = WeightTyingRegularizer(model, draw.graph.membership(), 1.0)
    assert regularizer.loss(model)[0].dtype == torch.float64
    with pytest.raises(ValueError, match="model must have the edges"):
        regularizer.loss(other)


def test_no_product_of_pathways_and_edges_is_ever_dense(make_model):
    graph = pathway_graph(K=1000, n_in=1, n_func=3, n_out=1)
    model, M = make_model(graph, layers=1, channels=2), graph.membership().to_sparse()
    tracemalloc.start()
    outside = edges_outside(model, M)
    regularizer = WeightTyingRegularizer(model, M, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not outside.any() and len(regularizer.edge) == 2000
    assert peak < 1000 * model.E / 2  # half a byte for each pathway and edge


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [(lambda m: EdgePenalty(m, torch.zeros(16, dtype=torch.bool), 1.0), ValueError, "edges must choose at least one"),
     (lambda m: EdgePenalty(m, torch.ones(m.E, dtype=torch.bool), 1.0), ValueError, "only between function nodes"),
     (lambda m: EdgePenalty(m, torch.ones(7, dtype=torch.bool), 1.0), ValueError, "each of 16 function-function"),
     (lambda m: EdgePenalty(m, torch.ones(16), 1.0), ValueError, "edges must say True or False"),
     (lambda m: EdgePenalty(m, torch.ones(16, dtype=torch.bool), -1.0), ValueError, "lambda_edge must be finite"),
     (lambda m: WeightTyingRegularizer(m, torch.ones(1, 11), 1.0), ValueError, "must have 12 columns"),
     (lambda m: WeightTyingRegularizer(m, torch.ones(1, 12), np.nan), ValueError, "lambda_weight must be finite"),
     (lambda m: WeightTyingRegularizer(m, torch.ones(1, 12), 1.0, "signs"), ValueError, "tie must be one of"),
     (lambda m: edges_outside(m, torch.ones(1, 11)), ValueError, "must have 12 columns"),
     (lambda m: edges_outside(torch.ones(3, 2), torch.ones(1, 11)), ValueError, "must be integer pairs of shape")],
)  # fmt: skip
def test_bad_arguments_are_named(model, make, kind, message):
    with pytest.raises(kind, match=message):
        make(model)
