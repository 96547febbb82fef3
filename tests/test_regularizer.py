import copy
import pickle

import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, pathway_graph
from gsnn_tutorial.regularizer import standardize_over_batch

SOFT = torch.zeros(3, 12).index_put(
    (torch.tensor([0, 0, 0, 1, 1, 1, 1, 2, 2]), torch.tensor([0, 3, 6, 3, 6, 9, 11, 1, 2])),
    torch.tensor([1.0, 0.5, 0.25, 2.0, 1.0, 0.1, 0.7, 0.2, 0.3]),
)  # weights of all sizes, nodes in two pathways and in none, a pathway with a total below 1


def losses(model, x, *arguments, **options):
    regularizer = PathwayLatentRegularizer(model, *arguments, **options)
    model(x)
    loss = regularizer.loss(model)
    regularizer.disable(model)
    return loss


def correlation(a, b, eps=1e-6):
    """Over the batch, with population std and eps in each denominator; 0 if one of them does not vary."""
    if min(a.std(), b.std()) < eps:
        return 0.0
    return np.mean((a - a.mean()) * (b - b.mean())) / ((a.std() + eps) * (b.std() + eps))


def loop_over_pairs(activations, M, phi, pairs=(), leave_one_out=False):
    """L_sim and L_dis without their lambdas, pair by pair; activations (B, L, N, C), phi (B, N, C) -> (B, N)."""
    M, sim, dis = M.numpy().astype(float), [], []
    for layer in range(activations.shape[1]):
        s = phi(activations[:, layer]).double().numpy()  # (B, N)

        def score(p, without=None):
            kept = [i for i in range(M.shape[1]) if i != without]
            return sum(M[p, i] * s[:, i] for i in kept) / max(sum(abs(M[p, i]) for i in kept), 1)

        S = [score(p) for p in range(len(M))]
        total = sum(
            M[p, i] * correlation(s[:, i], score(p, without=i) if leave_one_out else S[p]) for p, i in zip(*M.nonzero())
        )
        sim.append(-total / max(np.abs(M).sum(), 1))
        dis.append(np.mean([correlation(S[p], S[q]) ** 2 for p, q in pairs]) if len(pairs) else 0.0)
    return np.mean(sim), np.mean(dis)


def test_losses_of_the_untrained_published_model_are_those_of_the_reference(model, golden):
    x, pairs = golden["x_train"], [(p, q) for p in range(4) for q in range(p)]
    L_sim, L_dis = losses(model, x, golden["M_true"], pairs, lambda_sim=1.0, lambda_dis=1.0)
    assert L_sim.item() == pytest.approx(golden["init_L_sim_true_lambda1"].item(), abs=1e-5)
    assert L_dis.item() == pytest.approx(golden["init_L_dis_all_pairs_lambda1"].item(), abs=1e-5)
    L_sim, L_dis = losses(model, x, golden["M_shuffled"], lambda_sim=1.0)
    assert L_sim.item() == pytest.approx(golden["init_L_sim_shuffled_lambda1"].item(), abs=1e-5)
    assert L_dis.item() == 0


class SquareScore(torch.nn.Module):
    """A score of one's own, (B, N, C) -> (B, N, 1), with a parameter."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, a):
        return (self.scale * a**2).sum(-1, keepdim=True)


@pytest.mark.parametrize("phi", ["mean", "learned", "module"])
@pytest.mark.parametrize("membership", ["true", "soft"])
def test_it_equals_a_loop_over_all_pairs(model, golden, phi, membership):
    M = {"true": golden["M_true"], "soft": SOFT}[membership]
    pairs = [(0, 1), (2, 0)]
    regularizer = PathwayLatentRegularizer(
        model, M, pairs, lambda_sim=0.7, lambda_dis=0.3, phi=SquareScore() if phi == "module" else phi
    )
    model(golden["x_train"])
    with torch.no_grad():
        L_sim, L_dis = regularizer.loss(model)
        score = {
            "mean": lambda a: a.mean(-1),
            "learned": lambda a: a @ next(regularizer.parameters()).flatten(),
            "module": lambda a: (0.5 * a**2).sum(-1),
        }[phi]
        sim, dis = loop_over_pairs(golden["init_activations_train"], M, score, pairs)
    assert L_sim.item() == pytest.approx(0.7 * sim, abs=2e-5)
    assert L_dis.item() == pytest.approx(0.3 * dis, abs=2e-5)
    assert abs(sim) > 0.01 and dis > 0.001


def test_a_membership_may_be_an_array_of_any_number_type(model, golden):
    x, M = golden["x_train"], golden["M_true"]
    expected = losses(model, x, M)[0]
    for same in (M.numpy(), M.numpy().astype(np.float64), M.bool(), M.long(), M.tolist()):
        torch.testing.assert_close(losses(model, x, same)[0], expected)


def test_node_scores_that_do_not_vary_count_0_with_exactly_zero_gradient():
    scores = torch.stack([torch.zeros(16), torch.full((16,), 7.3), 7.3 + 1e-6 * torch.rand(16), torch.randn(16)])
    scores.requires_grad_()
    standardized = standardize_over_batch(scores)
    (standardized * torch.randn(4, 16)).sum().backward()
    assert not standardized[:3].any() and not scores.grad[:3].any()
    assert standardized[3].all() and scores.grad[3].all() and torch.isfinite(scores.grad).all()
    torch.testing.assert_close(standardized[3].std(correction=0), torch.tensor(1.0))


def test_samples_that_are_all_the_same_give_loss_0_and_zero_gradients_instead_of_nan(model, golden):
    pairs = [(0, 1)]
    lambdas = {"lambda_sim": 1.0, "lambda_dis": 1.0}
    regularizer = PathwayLatentRegularizer(model, golden["M_true"], pairs, **lambdas, phi="learned")
    model(golden["x_train"][:1].expand(32, -1))
    L_sim, L_dis = regularizer.loss(model)
    (L_sim + L_dis).backward()
    assert L_sim.item() == 0 and L_dis.item() == 0
    grads = [p.grad for p in [*model.parameters(), *regularizer.parameters()] if p.grad is not None]
    assert grads and not any(grad.any() for grad in grads)


def test_a_node_without_signal_stays_in_the_normaliser(make_model):
    graph = pathway_graph(K=1, n_func=2)
    model = make_model(graph, layers=1)  # the second function node is still constant
    L_sim, _ = losses(model, torch.randn(64, 2), torch.ones(1, 2), lambda_sim=1.0)
    assert L_sim.item() == pytest.approx(-1 / 2, abs=1e-3)


def test_members_that_agree_perfectly_give_the_smallest_loss(make_model):
    model = make_model(pathway_graph(K=1, n_func=1), layers=1)
    L_sim, _ = losses(model, torch.randn(64, 2), torch.ones(1, 1), lambda_sim=0.25)
    assert L_sim.item() == pytest.approx(-0.25, abs=1e-4)


def test_gradcheck_of_standardized_scores():
    scores = torch.randn(3, 2, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(standardize_over_batch, scores)


def test_strength_scales_both_losses(model, golden):
    regularizer = PathwayLatentRegularizer(model, golden["M_true"], [(0, 1)], lambda_sim=1.0, lambda_dis=1.0)
    model(golden["x_train"])
    full = regularizer.loss(model)
    regularizer.strength = 0.25
    for part, whole in zip(regularizer.loss(model), full):
        assert part.item() == pytest.approx(0.25 * whole.item()) and whole.item() != 0


# Cost


@pytest.fixture(scope="module")
def many_pathways():
    return pathway_graph(K=500, n_in=1, n_func=3, n_out=1)


def test_no_dense_product_of_pathways_and_nodes_is_allocated(make_model, many_pathways, largest_allocation):
    model = make_model(many_pathways, layers=2, channels=2)
    regularizer = PathwayLatentRegularizer(model, many_pathways.membership(), [(0, 1)], lambda_dis=1.0, phi="learned")
    model(torch.randn(4, 500))
    dense = 500 * 1500 * 4
    assert largest_allocation(lambda: sum(regularizer.loss(model)).backward()) < dense / 10


def test_what_it_keeps_grows_with_the_memberships_and_not_with_pathways_times_nodes(make_model, many_pathways):
    model = make_model(many_pathways, layers=2, channels=2)
    regularizer = PathwayLatentRegularizer(model, many_pathways.membership())
    memberships, pathways, nodes = 1500, 500, 1500
    assert sum(buffer.numel() for buffer in regularizer.buffers()) < 10 * (memberships + pathways + nodes)


# Beside the model


def hooks(model):
    return [dict(module._forward_hooks) for module in model.modules()]


def test_enabling_and_disabling_leaves_the_model_as_it_was(model, golden):
    x = golden["x_train"]
    own_hook = model.ResBlocks[0].register_forward_hook(lambda *_: None)
    before, output, keys = hooks(model), model(x), list(model.state_dict())
    parameters = [id(parameter) for parameter in model.parameters()]
    regularizer = PathwayLatentRegularizer(model, golden["M_true"], phi="learned")
    assert hooks(model) != before
    assert torch.equal(model(x), output)
    regularizer.loss(model)
    assert list(model.state_dict()) == keys and [id(parameter) for parameter in model.parameters()] == parameters
    regularizer.disable(model)
    regularizer.disable(model)  # a second time does no harm
    assert hooks(model) == before
    assert torch.equal(model(x), output)
    own_hook.remove()


def test_enabling_twice_does_not_double_the_hooks(model, golden):
    before = hooks(model)
    regularizer = PathwayLatentRegularizer(model, golden["M_true"])
    regularizer.enable(model)
    regularizer.disable(model)
    assert hooks(model) == before


def test_loss_needs_a_forward_pass_since_it_was_enabled(model, golden):
    regularizer = PathwayLatentRegularizer(model, golden["M_true"])
    with pytest.raises(RuntimeError, match=r"run model\(x\) first"):
        regularizer.loss(model)
    model(golden["x_train"])
    expected = regularizer.loss(model)[0]
    regularizer.disable(model)
    with pytest.raises(RuntimeError, match=r"disabled: call enable\(model\)"):
        regularizer.loss(model)
    regularizer.enable(model)
    with pytest.raises(RuntimeError, match=r"run model\(x\) first"):
        regularizer.loss(model)
    model(golden["x_train"])
    assert torch.equal(regularizer.loss(model)[0], expected)


def test_loss_is_of_the_latest_forward_pass(model, golden):
    regularizer = PathwayLatentRegularizer(model, golden["M_true"])
    model(golden["x_test"])
    model(golden["x_train"])
    assert torch.equal(regularizer.loss(model)[0], losses(model, golden["x_train"], golden["M_true"])[0])


def test_its_parameters_are_those_of_phi_and_nothing_of_the_model(model, golden):
    M = golden["M_true"]
    assert list(PathwayLatentRegularizer(model, M).parameters()) == []
    torch.manual_seed(3)
    (weight,) = PathwayLatentRegularizer(model, M, phi="learned").parameters()
    torch.manual_seed(3)
    assert torch.equal(weight, torch.nn.Linear(8, 1, bias=False).weight)
    own = SquareScore()
    assert list(PathwayLatentRegularizer(model, M, phi=own).parameters()) == [own.scale]


def test_a_learned_phi_gets_a_gradient(model, golden):
    regularizer = PathwayLatentRegularizer(model, golden["M_true"], phi="learned")
    model(golden["x_train"])
    regularizer.loss(model)[0].backward()
    (weight,) = regularizer.parameters()
    assert weight.grad.any() and torch.isfinite(weight.grad).all()


def test_enabling_on_another_model_lets_go_of_the_first(make_model, draw):
    first, second = make_model(), make_model()
    regularizer = PathwayLatentRegularizer(first, draw.graph.membership())
    regularizer.enable(second)
    second(draw.x_train)
    regularizer.loss(second)
    assert not any(module._forward_hooks for module in first.modules())


def test_a_copy_of_model_and_regularizer_lives_its_own_life(make_model, draw):
    model = make_model()
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership())
    model(draw.x_train)
    before = regularizer.loss(model)[0].item()
    twin = copy.deepcopy(model)
    twin(2 * draw.x_train)
    assert regularizer.loss(model)[0].item() == before
    pickle.dumps(model)


def test_lambda_may_be_set_afterwards(make_model, draw):
    model = make_model()
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership(), lambda_sim=0.1)
    model(draw.x_train)
    before = regularizer.loss(model)[0].item()
    regularizer.lambda_sim = 1.0
    assert regularizer.loss(model)[0].item() == pytest.approx(10 * before, rel=1e-5)


# Signed memberships and leaving one out

SIGNED = SOFT * torch.tensor([1.0, -1, 1, -1, 1, 1, 1, -1, 1, -1, 1, 1])


@pytest.mark.parametrize("phi", ["mean", "learned"])
@pytest.mark.parametrize(
    ("M", "options"),
    [(SIGNED, {"signed": True}), (SOFT, {"leave_one_out": True}), (SIGNED, {"signed": True, "leave_one_out": True})],
    ids=["signed", "leave one out", "both"],
)
def test_the_variants_equal_a_loop_over_all_pairs(model, golden, phi, M, options):
    pairs = [(0, 1), (2, 0)]
    regularizer = PathwayLatentRegularizer(model, M, pairs, lambda_sim=0.7, lambda_dis=0.3, phi=phi, **options)
    model(golden["x_train"])
    with torch.no_grad():
        L_sim, L_dis = regularizer.loss(model)
        score = (lambda a: a.mean(-1)) if phi == "mean" else lambda a: a @ next(regularizer.parameters()).flatten()
        sim, dis = loop_over_pairs(
            golden["init_activations_train"], M, score, pairs, options.get("leave_one_out", False)
        )
    assert L_sim.item() == pytest.approx(0.7 * sim, abs=2e-5) and abs(sim) > 0.005
    assert L_dis.item() == pytest.approx(0.3 * dis, abs=2e-5)


@pytest.mark.parametrize("options", [{}, {"leave_one_out": True}])
def test_signed_changes_nothing_where_all_weights_are_positive(model, golden, options):
    x = golden["x_train"]
    assert torch.equal(losses(model, x, SOFT, signed=True, **options)[0], losses(model, x, SOFT, **options)[0])


def loss_of_scores(scores, M, **options):
    """L_sim at lambda 1 for given node scores (N, B), in their precision."""
    graph = pathway_graph(K=1, n_func=len(scores))
    model = GSNN(graph.edge_index_dict, graph.names, channels=2, layers=1, node_mlp=False).to(scores.dtype)
    regularizer = PathwayLatentRegularizer(model, M, lambda_sim=1.0, **options)
    regularizer.node_scores = lambda activations: scores[:, None]  # (N, L, B)
    model(torch.zeros(scores.shape[1], 2))
    return regularizer.loss(model)[0]


def test_a_repressor_that_mirrors_its_pathway_agrees_if_its_weight_is_negative():
    s = torch.randn(32, generator=torch.Generator().manual_seed(0))
    scores = torch.stack([s, s, -s])
    assert loss_of_scores(scores, [[1.0, 1.0, -1.0]], signed=True).item() == pytest.approx(-1, abs=1e-4)
    assert loss_of_scores(scores, [[1.0, 1.0, 1.0]]).item() == pytest.approx(-1 / 3, abs=1e-4)


def test_independent_members_agree_with_a_score_that_holds_them_and_not_with_that_of_the_others():
    scores = torch.randn(3, 20_000, generator=torch.Generator().manual_seed(1))
    M = torch.ones(1, 3)
    assert loss_of_scores(scores, M).item() == pytest.approx(-(3**-0.5), abs=0.01)
    assert loss_of_scores(scores, M, leave_one_out=True).item() == pytest.approx(0, abs=0.02)


def test_a_member_that_varies_alone_has_no_other_to_agree_with_however_large_it_is():
    s = 1000 * torch.randn(64, generator=torch.Generator().manual_seed(2))
    scores = torch.stack([s, torch.full_like(s, 0.1), torch.full_like(s, 0.7)]).requires_grad_()
    loss = loss_of_scores(scores, [[1.0, 1.0, 1.0]], leave_one_out=True)
    assert loss.item() == 0 and not torch.autograd.grad(loss, scores)[0].any()
    assert loss_of_scores(scores[:1], [[2.0]], leave_one_out=True).item() == 0  # a pathway of one


def test_members_of_a_pathway_of_one_stay_in_the_normaliser():
    s = torch.randn(64, generator=torch.Generator().manual_seed(3))
    M = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    loss = loss_of_scores(torch.stack([s, 2 * s, torch.rand(64)]), M, leave_one_out=True)
    assert loss.item() == pytest.approx(-2 / 3, abs=1e-4)


@pytest.mark.parametrize("options", [{}, {"signed": True}, {"leave_one_out": True}])
def test_gradcheck_of_the_variants(options):
    M = [[1.0, -0.5 if "signed" in options else 0.5, 2.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    scores = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda scores: loss_of_scores(scores, M, **options), scores)


def test_an_entry_that_is_written_down_as_zero_is_no_member(model, golden):
    indices, values = SOFT.to_sparse().indices(), SOFT.to_sparse().values()
    indices = torch.cat([indices, torch.tensor([[0, 2], [10, 11]])], dim=1)
    padded = torch.sparse_coo_tensor(indices, torch.cat([values, torch.zeros(2)]), SOFT.shape, check_invariants=True)
    for options in ({}, {"leave_one_out": True}):
        x = golden["x_train"]
        assert torch.equal(losses(model, x, padded, **options)[0], losses(model, x, SOFT, **options)[0])


def test_leaving_one_out_allocates_what_the_memberships_need(make_model, many_pathways, largest_allocation):
    model = make_model(many_pathways, layers=2, channels=2)
    regularizer = PathwayLatentRegularizer(model, many_pathways.membership(), leave_one_out=True)
    model(torch.randn(4, 500))
    dense = 500 * 1500 * 4
    assert largest_allocation(lambda: regularizer.loss(model)[0].backward()) < dense / 10


def test_a_regularizer_that_nobody_keeps_takes_its_hooks_away(make_model, draw):
    model = make_model()
    for _ in range(3):  # a cell that is run again
        regularizer = PathwayLatentRegularizer(model, draw.graph.membership())
    model(draw.x_train)
    assert [len(block.node._forward_hooks) for block in model.ResBlocks] == [1] * 4
    regularizer.loss(model)
    del regularizer
    model(draw.x_train)
    assert not any(module._forward_hooks for module in model.modules())


def test_a_copy_of_both_reads_the_copy(make_model, draw):
    model = make_model()
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership())
    for twin, its in (copy.deepcopy((model, regularizer)), pickle.loads(pickle.dumps((model, regularizer)))):
        twin(draw.x_train)
        assert its.loss(twin)[0].item() < 0
    with pytest.raises(RuntimeError, match="no activations yet"):
        regularizer.loss(model)
