"""Assignment 4: what it asks for is what the package computes."""

import math

import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, Problem
from gsnn_tutorial.exercises import assignment_4 as checks
from gsnn_tutorial.gsnn.node import GroupLayerNorm
from gsnn_tutorial.regularizer import standardize_over_batch


@pytest.fixture(params=range(3))
def model(request):
    """An untrained model, so that some nodes hear nothing in early layers, and the scores of phi='mean', (B, L, N)."""
    draw = Problem(K=3, n_spurious=3, n_train=20, n_test=10).draw(request.param)
    start = torch.Generator().manual_seed(request.param)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 6, 3, node_mlp=False, generator=start)
    x = torch.randn(32, len(draw.graph.input_nodes), generator=start)
    model.x = x
    return model, model.layer_activations(x).detach().mean(-1)


def soft(model, seed=0, signs=False):
    rng = np.random.default_rng(seed)
    M = rng.uniform(0.2, 1, (3, model.N)) * (rng.random((3, model.N)) < 0.5)
    M[:, 0] = 0.5
    return torch.tensor(M * (rng.choice([-1, 1], M.shape) if signs else 1)).float()


def package_loss(model, M, **options):
    regularizer = PathwayLatentRegularizer(model, M, lambda_sim=1.0, phi="mean", **options)
    model(model.x)
    return regularizer.loss(model)[0].item()


def memberships(M):
    pathway, node = M.nonzero().T
    return pathway, node, M[pathway, node]


def test_pairs_of_nodes_are_correlated_as_numpy_has_it():
    for s, pairs in checks.in_step.cases(0):
        right = [np.corrcoef(s[:, i], s[:, j])[0, 1] for i, j in pairs]
        np.testing.assert_allclose(checks.in_step.reference(s, pairs), right, atol=1e-5)


def test_scores_of_pathways_with_repressors_are_the_package_s(model):
    model, s = model
    M = soft(model, signs=True)
    regularizer = PathwayLatentRegularizer(model, M, signed=True)
    package = regularizer._over_members(s.permute(2, 1, 0)) / regularizer.pathway_size  # (P, L, B)
    torch.testing.assert_close(checks.pathway_scores.reference(s, M), package.permute(2, 1, 0))


def test_the_pull_is_the_package_s_gradient():
    for s, t in checks.pull.cases(0):
        s.requires_grad_()
        r = (standardize_over_batch(s.T) * standardize_over_batch(t)).mean(-1)
        (package,) = torch.autograd.grad(r.sum(), s)
        right = checks.pull.reference(s.detach(), t)
        of_epsilon = 2.1e-6 / s.detach().std(0, correction=0).clamp_min(1e-6)  # the package adds 1e-6 to the std, twice
        allowed = 1e-4 + (1e-4 + of_epsilon) * abs(right).amax(0)
        assert (abs(right - package) <= allowed).all()
        assert (package == 0).all(0).sum() == 4  # the scores that do not vary


def test_the_loss_from_a_list_is_the_package_s(model):
    model, s = model
    M = soft(model)
    assert (s.std(0) < 1e-6).any()
    ours = checks.sim_loss.reference(s, *memberships(M)).item()
    assert ours == pytest.approx(package_loss(model, M), rel=1e-3)  # eps, beside the std of another multiple of S


def test_following_the_others_makes_the_package_s_leave_one_out_loss(model):
    model, s = model
    M = soft(model)
    r = torch.stack([checks.follow.reference(s[:, l], M) for l in range(s.shape[1])])  # (L, P, N)
    ours = -(M * r).sum((1, 2)).mean().item() / M.sum().item()
    assert ours == pytest.approx(package_loss(model, M, leave_one_out=True), rel=1e-3)


def test_no_direction_keeps_more_than_the_best_and_the_channel_mean_nothing_behind_a_norm():
    for (a,) in checks.best_share.cases(0):
        start = torch.Generator().manual_seed(0)
        w = torch.randn(500, a.shape[2], generator=start)
        w[0] = torch.linalg.svd((a - a.mean(0)).flatten(0, 1))[2][0]  # the first principal component
        kept = (a @ w.T).var(0).sum(0) / (w.square().sum(1) * a.var(0).sum())
        torch.testing.assert_close(kept.max(), checks.best_share.reference(a))
        normed = GroupLayerNorm(*a.shape[1:])(a.permute(1, 2, 0)).permute(2, 0, 1).detach()
        assert normed.mean(-1).var(0).sum() < 1e-8 < checks.best_share.reference(normed)


# What the text works out by hand

TINY = torch.tensor([[0.0, 3.0], [2.0, 1.0], [4.0, 5.0]])


def test_the_tiny_scores_give_what_the_text_says():
    torch.testing.assert_close(checks.in_step.reference(TINY, [(0, 1)]), torch.tensor([0.5]))
    torch.testing.assert_close(checks.pull.reference(TINY, TINY[:, 1])[:, 0], torch.tensor([1 / 8, -1 / 4, 1 / 8]))
    torch.testing.assert_close(checks.follow.reference(TINY, torch.ones(1, 2)), torch.full((1, 2), 0.5))


@pytest.mark.parametrize("silent_layers", [0, 1])
def test_the_loss_of_the_tiny_scores_is_what_the_text_says(silent_layers):
    s = torch.stack([TINY, *[torch.full_like(TINY, 0.5)] * silent_layers], dim=1)
    loss = checks.sim_loss.reference(s, torch.tensor([0, 0]), torch.tensor([1, 0]), torch.ones(2)).item()
    assert loss == pytest.approx(-math.sqrt(3) / 2 / (1 + silent_layers), rel=1e-5)


def test_half_as_loud_is_twice_the_pull():
    start = torch.Generator().manual_seed(0)
    s, t = torch.randn(8, 3, generator=start), torch.randn(8, generator=start)
    torch.testing.assert_close(checks.pull.reference(s / 2, t), 2 * checks.pull.reference(s, t))


def test_scores_of_two_pathways_are_what_the_text_says():
    S = checks.pathway_scores.reference(torch.tensor([[[2.0, 5.0]]]), torch.tensor([[1.0, -0.5], [0.0, 0.2]]))
    torch.testing.assert_close(S.flatten(), torch.tensor([-1 / 3, 1.0]))


def test_the_channel_mean_misses_nearly_everything_behind_a_norm_and_the_best_direction_does_not():
    draw = Problem().draw(2026)
    start = torch.Generator().manual_seed(2026)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    a = model.layer_activations(draw.x_test)[:, -1].detach()
    kept = 8 * a.mean(-1).var(0).sum() / a.var(0).sum()
    assert kept < 0.02 and checks.best_share.reference(a) > 1 / 8


def test_two_nodes_with_two_channels_have_the_best_direction_that_the_text_says():
    a = torch.tensor([[[2.0, -2.0], [4.0, 4.0]], [[-2.0, 2.0], [2.0, 2.0]]])
    assert a.var(0, correction=0).flatten().tolist() == [4, 4, 1, 1]
    kept = {w: (a @ torch.tensor(w)).var(0).sum() / (2 * a.var(0).sum()) for w in [(1.0, -1.0), (1.0, 1.0)]}
    assert [round(k.item(), 6) for k in kept.values()] == [0.8, 0.2]
    assert checks.best_share.reference(a).item() == pytest.approx(0.8)


# Mistakes as pupils write them


def by_autograd(standardize):
    def answer(s, t):
        s = s.clone().requires_grad_()
        r = (standardize(s) * ((t - t.mean()) / t.std(correction=0))[:, None]).mean(0)
        r.sum().backward()
        return s.grad

    return answer


def root(s):
    return (s - s.mean(0)).square().mean(0).sqrt()


PULLS = {
    "not looked after": lambda s: (s - s.mean(0)) / s.std(0, correction=0),
    "keeps r finite": lambda s: (s - s.mean(0)) / (s.std(0, correction=0) + 1e-6),
    "does not help the root": lambda s: (s - s.mean(0)) / (root(s) + 1e-6),
    "torch.where picks 0": lambda s: torch.where(
        root(s) > 1e-6 * (1 + s.mean(0).abs()), (s - s.mean(0)) / root(s), 0.0
    ),
    "std as a constant": lambda s: torch.where(
        root(s) > 1e-6 * (1 + s.mean(0).abs()), (s - s.mean(0)) / root(s).detach().clamp_min(1e-6), 0.0
    ),
    "the std of s divides by B - 1": lambda s: torch.where(
        s.std(0) > 1e-6 * (1 + s.mean(0).abs()), (s - s.mean(0)) / s.std(0).clamp_min(1e-6), 0.0
    ),
}


@pytest.mark.parametrize("words", PULLS)
@pytest.mark.parametrize("seed", [0, 2026])
def test_pulls_by_autograd_are_diagnosed(words, seed):
    assert words in checks.pull.diagnose(by_autograd(PULLS[words]), seed)


def test_the_formula_with_the_sample_std_is_diagnosed():
    def answer(s, t):
        varies = s.std(0) > 1e-6 * (1 + s.mean(0).abs())
        z, target = (s - s.mean(0)) / s.std(0), ((t - t.mean()) / t.std())[:, None]
        return torch.where(varies, (target - (z * target).mean(0) * z) / (len(t) * s.std(0)), 0.0)

    assert "the formula holds for the one that divides by B" in checks.pull.diagnose(answer, 0)


def test_adding_up_by_a_list_of_pathways_is_diagnosed():
    def answer(s, pathway, node, weight):
        S = torch.zeros(*s.shape[:2], int(pathway.max()) + 1)
        S[:, :, pathway] += weight * s[:, :, node]
        z, Z = (standardize_over_batch(x.permute(2, 1, 0)) for x in (s, S))
        return -(weight[:, None] * (z[node] * Z[pathway]).mean(-1)).sum(0).mean() / weight.sum().clamp_min(1)

    assert "keeps its last member only" in checks.sim_loss.diagnose(answer, 0)


def test_batch_and_nodes_mistaken_for_each_other_are_diagnosed():
    def answer(s, pathway, node, weight):
        S = torch.zeros(*s.shape[:2], int(pathway.max()) + 1).index_add(2, pathway, weight * s[:, :, node])
        z, Z = standardize_over_batch(s), standardize_over_batch(S)
        r = (z[:, :, node] * Z[:, :, pathway]).mean(0)  # (L, K)
        return -(r * weight).sum(1).mean() / weight.sum().clamp_min(1)

    assert "whatever that is" in checks.sim_loss.diagnose(answer, 0)


def test_a_correlation_that_is_undefined_is_diagnosed():
    def answer(s, M):
        r = np.zeros(M.shape)
        for p, i in M.nonzero().tolist():
            others = sum(M[p, j] * s[:, j] for j in range(len(M.T)) if j != i)
            r[p, i] = np.corrcoef(s[:, i], others + 0 * s[:, i])[0, 1]
        return r

    with np.errstate(all="ignore"):
        assert "0/0" in checks.follow.diagnose(answer, 0)


# What the checks say of answers that are no mistakes of the list


def pull_by_rule(does_not_vary, eps=0.0):
    def answer(s, t):
        mean, std = s.mean(0), s.std(0, correction=0)
        z, target = (s - mean) / (std + eps), ((t - t.mean()) / t.std(correction=0))[:, None]
        gradient = (target - (z * target).mean(0) * z) / (len(t) * (std + eps))
        return torch.where(does_not_vary(mean.abs(), std), 0.0, gradient)

    return answer


@pytest.mark.parametrize("seed", [0, 1, 2026])
def test_a_rule_a_thousand_times_too_wide_is_diagnosed(seed):
    flat = pull_by_rule(lambda level, std: std <= torch.maximum(torch.full_like(std, 1e-3), 1e-6 * (1 + level)))
    relative = pull_by_rule(lambda level, std: std <= 1e-3 * (1 + level))
    level_forgotten = pull_by_rule(lambda level, std: std <= 1e-3)
    assert "with 1e-3 whatever the score's level" in checks.pull.diagnose(level_forgotten, seed)
    assert "that vary a little. Only" in checks.pull.diagnose(flat, seed)
    assert "for their level" in checks.pull.diagnose(relative, seed)


@pytest.mark.parametrize("seed", [0, 1, 2026])
def test_a_small_epsilon_and_single_precision_are_right_where_a_score_varies(seed):
    for eps in (1e-8, 1e-6):
        assert checks.pull.diagnose(pull_by_rule(lambda level, std: std <= 1e-6 * (1 + level), eps), seed) is None
    exact = pull_by_rule(lambda level, std: std <= 1e-6 * (1 + level))
    assert checks.pull.diagnose(lambda s, t: exact(s, t).float(), seed) is None


def test_a_gradient_that_divides_by_one_less_is_said_to_be_off_by_a_factor():
    said = checks.pull.diagnose(lambda s, t: checks.pull.reference(s, t) * len(t) / (len(t) - 1), 2026)
    assert "times n / (n - 1), n the length of axis 0 of s" in said


def test_a_layer_in_which_nothing_varies_keeps_its_place_in_the_mean():
    def answer(s, pathway, node, weight):
        heard = s[:, (s.amax(0) > s.amin(0)).any(1)]
        return checks.sim_loss.reference(heard, pathway, node, weight)

    assert "a layer in which nothing varies" in checks.sim_loss.diagnose(answer, 2026)
