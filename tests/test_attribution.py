"""What reaches the output: edges, derivatives, occlusion; against loops, closed forms and separate pathways."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsnn_tutorial import attribution, pathway_graph
from gsnn_tutorial.attribution import NodeAlone, coherence, edge_effects, edge_norms, jacobian, leakage, occlusion

LINEAR = {"nonlin": torch.nn.Identity, "norm": "none"}  # a model whose output is affine in x
SEPARATE = pathway_graph(K=2)


def norms_by_loop(model):
    """W_in's row norm of each function-function edge that is no self-loop, from the weight list."""
    lin_in, norms = model.ResBlocks[0].lin_in, []
    for e, (source, target) in enumerate(model.edge_index.T.tolist()):
        if model.function_edge_mask[e] and source != target:
            row = [w for w, k in zip(lin_in.values.tolist(), lin_in.indices[0].tolist()) if k == e]
            norms.append(np.sqrt(np.sum(np.square(row))))
    return np.array(norms)


def test_edge_norms_equal_a_loop_and_leave_self_loops_out(model, make_model):
    torch.nn.init.normal_(model.ResBlocks[0].lin_in.values)
    norms = edge_norms(model)
    np.testing.assert_allclose(norms, norms_by_loop(model), rtol=1e-6)
    assert len(norms) == 16 == len(edge_norms(make_model(add_function_self_edges=False)))


@pytest.mark.parametrize("share_layers", [True, False])
def test_an_edge_that_tells_nothing_has_no_effect_and_one_that_does_has_the_effect_of_its_weights(
    make_model, draw, share_layers
):
    model = make_model(share_layers=share_layers).eval()
    for block in model.ResBlocks:
        with torch.no_grad():
            block.lin_in.values[block.lin_in.indices[0] == 3] = 0  # nobody listens to edge 3
    effects = edge_effects(model, draw.x_test, keep_mean=False)
    assert effects[3] == 0 and (np.delete(effects, 3) > 0).any()
    before, loudest = model(draw.x_test), int(effects.argmax())
    for block in model.ResBlocks:
        with torch.no_grad():
            block.lin_in.values[block.lin_in.indices[0] == loudest] = 0
    assert effects[loudest] == pytest.approx((model(draw.x_test) - before).square().mean().item(), rel=1e-4)
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_double_precision_is_measured_too(make_model, draw):
    single, double = make_model(), make_model().double()
    assert edge_norms(double) == pytest.approx(edge_norms(single), rel=1e-6)


@pytest.mark.parametrize("keep_mean", [True, False])
def test_edges_silenced_side_by_side_are_as_edges_silenced_one_by_one(model, draw, monkeypatch, keep_mean):
    together = edge_effects(model, draw.x_test, keep_mean=keep_mean)
    monkeypatch.setattr(attribution, "COLUMNS_AT_ONCE", 3 * len(draw.x_test))
    np.testing.assert_allclose(edge_effects(model, draw.x_test, keep_mean=keep_mean), together, rtol=1e-5)


def test_an_edge_that_always_says_the_same_tells_nothing_but_may_serve_as_a_bias(make_model, draw):
    x = draw.x_test.clone()
    x[:, :2] = 1.0  # what pathway 0 hears is constant, so its edges are too
    model = make_model(draw.graph.without_spurious_edges())
    own = [edge[0].startswith("f_0") for edge in draw.graph.edges if edge[0][0] == edge[1][0] == "f"]
    assert edge_effects(model, x, keep_mean=True)[own].max() < 1e-12
    assert edge_effects(model, x, keep_mean=False)[own].min() > 1e-9


def test_the_auc_of_four_scores_by_hand():
    assert attribution.auc([4.0, 2.0, 3.0, 1.0], [True, True, False, False]) == 0.75  # 3 of 4 pairs are right
    assert attribution.auc([1.0, 1.0], [True, False]) == 0.5
    assert np.isnan(attribution.auc([1.0, 2.0], [True, True]))
    assert np.isnan(attribution.auc([], []))


def test_the_jacobian_of_a_linear_model_is_what_unit_inputs_do(make_model, draw):
    model = make_model(**LINEAR).double()
    zero, units = torch.zeros(1, 8, dtype=torch.float64), torch.eye(8, dtype=torch.float64)
    expected = (model(units) - model(zero)).T.detach()
    J = jacobian(model, draw.x_test[:5].double())
    torch.testing.assert_close(J, expected.expand(5, -1, -1))


def test_the_jacobian_of_every_sample_is_autograds(model, draw):
    model.eval()
    expected = [torch.autograd.functional.jacobian(lambda x: model(x[None])[0], x) for x in draw.x_test[:4]]
    torch.testing.assert_close(jacobian(model, draw.x_test[:4]), torch.stack(expected))


def test_occlusion_of_a_linear_model_is_the_squared_weight_times_the_inputs_variance(make_model, draw):
    model, x = make_model(**LINEAR).double(), draw.x_test.double()
    expected = jacobian(model, x[:1])[0].square() * x.var(0, unbiased=False)
    torch.testing.assert_close(occlusion(model, x), expected)


def test_inputs_occluded_side_by_side_are_as_inputs_occluded_one_by_one(model, draw, monkeypatch):
    x = draw.x_test
    expected = []
    for i in range(8):
        occluded = x.clone()
        occluded[:, i] = x[:, i].mean()
        expected.append((model(occluded) - model(x)).square().mean(0).detach())
    for columns in (1, 3 * len(x)):
        monkeypatch.setattr(attribution, "COLUMNS_AT_ONCE", columns)
        torch.testing.assert_close(occlusion(model, x), torch.stack(expected, dim=1))


def test_nothing_leaks_between_separate_pathways_and_all_does_if_their_outputs_change_places(make_model):
    model, x = make_model(SEPARATE), torch.randn(50, 4)
    assert leakage(model, x, SEPARATE) == 0 and coherence(model, x, SEPARATE) == pytest.approx(1)
    swapped = [replace(n, pathway=1 - n.pathway) if n.type == "output" else n for n in SEPARATE.nodes]
    swapped = replace(SEPARATE, nodes=swapped)
    assert leakage(model, x, swapped) == 1 and coherence(model, x, swapped) == pytest.approx(0)


def test_leakage_and_coherence_are_shares_by_a_loop(model, draw):
    x, place = draw.x_test[:30], {"input": [], "output": []}
    for node in draw.graph.nodes:
        if node.type in place:
            place[node.type].append(node.pathway)
    J, A = jacobian(model, x).square(), occlusion(model, x)
    crossing = [(o, i) for o, p in enumerate(place["output"]) for i, q in enumerate(place["input"]) if p != q]
    shares = [sum(J[b, o, i] for o, i in crossing) / J[b].sum() for b in range(30)]
    assert leakage(model, x, draw.graph) == pytest.approx(np.mean(shares), rel=1e-5)
    own = [1 - sum(A[o, i] for p, i in crossing if p == o) / A[o].sum() for o in range(8)]
    assert coherence(model, x, draw.graph) == pytest.approx(np.mean(own), rel=1e-5)


def test_where_nothing_reaches_an_output_there_is_no_share(make_model):
    model, x = make_model(SEPARATE, layers=2), torch.randn(20, 4)  # three hops to an output
    assert not jacobian(model, x).any()
    assert np.isnan(leakage(model, x, SEPARATE)) and np.isnan(coherence(model, x, SEPARATE))


def test_an_output_that_no_input_moves_is_left_out_of_the_mean(make_model):
    edges = [edge for edge in SEPARATE.edges if edge[1] != "out_1_0"]
    graph = replace(SEPARATE, edges=edges)
    assert coherence(make_model(graph), torch.randn(20, 4), graph) == pytest.approx(1)


def test_looking_changes_neither_model_nor_input(make_model, draw):
    model, x = make_model(norm="batch", dropout=0.3).train(), draw.x_test[:20]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for look in (leakage, coherence):
        assert look(model, x, draw.graph) == look(model, x, draw.graph)
    edge_effects(model, x, keep_mean=True)
    assert model.training and not x.requires_grad
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_hooks_and_mode_are_put_back_after_an_error(make_model, draw):
    model = make_model().train()
    with pytest.raises(ValueError):
        edge_effects(model, draw.x_test[:, :3], keep_mean=True)
    with pytest.raises(ValueError):
        jacobian(model, draw.x_test[:, :3])
    assert model.training and not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model, x: leakage(model, x, pathway_graph(K=3)), "graph must have the model's nodes"),
        (lambda model, x: coherence(model, x, pathway_graph(K=3)), "graph must have the model's nodes"),
        (lambda model, x: attribution.auc([1.0, 2.0], [True]), "is_true must be a mask of the 2 scores"),
        (lambda model, x: attribution.auc([1.0, np.nan], [True, False]), "score must be finite"),
    ],
)
def test_bad_input_is_named(call, message, model, draw):
    with pytest.raises(ValueError, match=message):
        call(model, draw.x_test)


@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
def test_a_node_taken_out_says_what_it_says_inside_the_model(make_model, draw, norm):
    model = make_model(norm=norm, share_layers=False, residual=False).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x, states = draw.x_test[:9], []
    for block in model.ResBlocks:
        block.register_forward_hook(lambda _, given, sent: states.append((given[0].detach(), sent.detach())))
    model(x)
    names = model.node_names_dict
    everyone = [*names["function"], *names["input"], *names["output"]]
    ends = [(everyone[u], everyone[v]) for u, v in model.edge_index.T.tolist()]
    for layer, (given, sent) in enumerate(states, start=1):
        for node in names["function"]:
            alone = NodeAlone(model, node, layer)
            messages = torch.stack([given[ends.index((u, node))] for u in alone.hears], 1)
            inside = torch.stack([sent[ends.index((node, v))] for v in alone.tells], 1)
            torch.testing.assert_close(alone(messages), inside)


def test_a_node_alone_reads_the_model_as_it_is_now_and_leaves_its_mode(make_model):
    model = make_model(dropout=0.5).train()
    alone = NodeAlone(model, "f_0_0")
    messages = torch.randn(4, len(alone.hears))
    before = alone(messages)
    assert torch.equal(alone(messages), before) and model.training  # no dropout
    with torch.no_grad():
        model.ResBlocks[0].lin_out.bias += 1
    torch.testing.assert_close(alone(messages), before + 1)
