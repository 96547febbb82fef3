"""A union of replicas: it refuses what it cannot hold. Properties show that it trains each as if it were alone."""

import pytest
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, Problem, pathway_graph, train
from gsnn_tutorial.study.priors.weights import EdgePenalty, RegularizerSum, WeightTyingRegularizer, edges_outside
from gsnn_tutorial.study.union import GSNNUnion
from gsnn_tutorial.study.union_regularizer import UnionRegularizer, disjoint_union

SMALL = Problem(n_train=64, n_test=32)


class Four:
    """Baseline, regularized, control and oracle of one draw, from fixed initial weights, ready to train."""

    def __init__(self, seed, phi="learned", leave_one_out=False):
        self.draw = SMALL.draw(seed)
        graph, truth = self.draw.graph, self.draw.graph.without_spurious_edges()
        memberships = [None, graph.membership(), self.draw.shuffled, None]
        self.models, self.regularizers = [], []
        for place, (g, M) in enumerate(zip([graph, graph, graph, truth], memberships)):
            weights = torch.Generator().manual_seed(seed)
            model = GSNN(g.edge_index_dict, g.names, 8, 4, node_mlp=False, generator=weights)
            regularizer = None
            if M is not None:
                settings = {"lambda_sim": 0.5 + place, "phi": phi, "generator": weights, "leave_one_out": leave_one_out}
                regularizer = PathwayLatentRegularizer(model, M, **settings)
            self.models.append(model)
            self.regularizers.append(regularizer)

    def data(self):
        return torch.cat([self.draw.x_train] * 4, 1), torch.cat([self.draw.y_train] * 4, 1)


def train_together(four, epochs):
    union, regularizer = disjoint_union(four.models, four.regularizers)
    history = train(union, *four.data(), regularizer=regularizer, criterion=union.mse, epochs=epochs, progress=False)
    union.write_back(four.models)
    return union, regularizer, history


def test_a_replica_that_diverges_does_not_touch_the_others():
    clean, poisoned = Four(2), Four(2)
    with torch.no_grad():
        poisoned.models[1].ResBlocks[0].lin_in.values[5] = float("nan")
    train_together(clean, 5)
    _, _, history = train_together(poisoned, 5)
    assert not torch.isfinite(torch.tensor(history.train_mse)[:, 1]).any()
    for r in (0, 2, 3):
        for a, b in zip(clean.models[r].parameters(), poisoned.models[r].parameters()):
            assert torch.equal(a, b)


def test_making_a_union_leaves_the_global_generator_alone():
    four = Four(0)
    before = torch.get_rng_state()
    UnionRegularizer(GSNNUnion(four.models), four.regularizers)
    assert torch.equal(before, torch.get_rng_state())


def test_unequal_settings_node_mlps_and_dropout_are_refused():
    g = pathway_graph(K=2)
    make = lambda **settings: GSNN(g.edge_index_dict, g.names, 4, 4, **settings)  # noqa: E731
    with pytest.raises(ValueError, match="bias"):
        GSNNUnion([make(node_mlp=False), make(node_mlp=False, bias=False)])
    with pytest.raises(ValueError, match="node_mlp"):
        GSNNUnion([make(), make()])
    with pytest.raises(ValueError, match="dropout"):
        GSNNUnion([make(node_mlp=False, dropout=0.1)])
    with pytest.raises(ValueError, match="at least one"):
        GSNNUnion([])


def test_a_union_of_regularizers_refuses_a_mixture_of_scores():
    learned, mean = Four(0, "learned"), Four(0, "mean")
    union = GSNNUnion(learned.models)
    mixture = [None, learned.regularizers[1], mean.regularizers[2], None]
    with pytest.raises(ValueError, match="phi"):
        UnionRegularizer(union, mixture)
    with pytest.raises(ValueError, match="4 replicas"):
        UnionRegularizer(union, [None])
    with pytest.raises(ValueError, match="at least one"):
        UnionRegularizer(union, [None] * 4)


def test_models_without_regularizers_have_no_regularizer_together():
    four = Four(0)
    assert disjoint_union(four.models)[1] is None
    assert disjoint_union(four.models, [None] * 4)[1] is None


def test_a_regularizer_of_another_size_is_refused():
    small, large = pathway_graph(K=2, n_func=2), pathway_graph(K=3, n_func=3)
    models = [GSNN(g.edge_index_dict, g.names, 4, 4, node_mlp=False) for g in (small, large)]
    wrong = PathwayLatentRegularizer(models[1], large.membership())
    with pytest.raises(ValueError, match=r"regularizers\[0\].*4 function nodes.*9 columns"):
        UnionRegularizer(GSNNUnion(models), [wrong, None])


def test_a_mixture_of_dtypes_is_refused():
    with pytest.raises(ValueError, match="dtype"):
        GSNNUnion([Four(0).models[0].double(), Four(0).models[1]])


def test_strength_and_lambda_set_afterwards_count_in_the_union_too():
    four = Four(0)
    four.regularizers[1].lambda_sim, four.regularizers[2].strength = 3.0, 0.25
    union, regularizer = disjoint_union(four.models, four.regularizers)
    union(four.data()[0])
    L_sim, _ = regularizer.loss(union)
    for r in (1, 2):
        four.models[r](four.draw.x_train)
        torch.testing.assert_close(L_sim[r], four.regularizers[r].loss(four.models[r])[0])


def mixed(seed):
    """Four models of a draw with regularizers of four kinds, two of them of weights."""
    four = Four(seed)
    M, models = four.draw.graph.membership(), four.models
    outside = edges_outside(models[0], M)
    four.regularizers = [
        EdgePenalty(models[0], outside, 0.1),
        PathwayLatentRegularizer(models[1], M, lambda_sim=0.5, leave_one_out=True),
        WeightTyingRegularizer(models[2], four.draw.graph.membership(), 0.3),
        WeightTyingRegularizer(models[3], M[:2], 0.2, tie="norms"),
    ]
    return four


def test_each_replica_of_a_mixture_has_its_own_loss_and_those_of_a_kind_are_one():
    four = mixed(1)
    four.regularizers[3] = WeightTyingRegularizer(four.models[3], four.draw.graph.membership()[1:], 0.2)
    union, regularizer = disjoint_union(four.models, four.regularizers)
    assert len(regularizer.parts) == 3  # two replicas tie weights
    union(four.data()[0])
    L_sim, _ = regularizer.loss(union)
    four.regularizers[1].enable(four.models[1])
    four.models[1](four.draw.x_train)
    for r, (model, single) in enumerate(zip(four.models, four.regularizers)):
        torch.testing.assert_close(L_sim[r], single.loss(model)[0])


def test_leave_one_out_is_not_mixed_with_the_other_score():
    one, with_self = Four(3, leave_one_out=True), Four(3)
    with pytest.raises(ValueError, match="leave_one_out"):
        UnionRegularizer(GSNNUnion(one.models), [None, one.regularizers[1], with_self.regularizers[2], None])


def test_strength_of_a_sum_multiplies_that_of_its_parts():
    four = mixed(1)
    four.regularizers[0].strength = 0.5
    total = RegularizerSum([four.regularizers[0], EdgePenalty(four.models[0], torch.ones(16, dtype=torch.bool), 0.2)])
    whole = total.loss(four.models[0])[0].item()
    total.strength = 0.25
    assert total.loss(four.models[0])[0].item() == pytest.approx(0.25 * whole)
    total.strength = 1.0
    assert total.loss(four.models[0])[0].item() == pytest.approx(whole)
    with pytest.raises(ValueError, match="at least one regularizer"):
        RegularizerSum([])


def test_what_no_union_can_hold_is_refused():
    four = mixed(0)
    with pytest.raises(TypeError, match="regularizers must be"):
        disjoint_union(four.models, [torch.nn.Identity(), None, None, None])
    with pytest.raises(ValueError, match="4 replicas"):
        disjoint_union(four.models, [None])
