"""Chapter 5 defines the pathway loss on screen, step by step: each step is the package's loss."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

from gsnn_tutorial import PathwayLatentRegularizer
from gsnn_tutorial.exercises import chapter_5 as checks
from gsnn_tutorial.plots import chapter_5 as figures
from gsnn_tutorial.regularizer import standardize_over_batch

SOURCE = Path(__file__).parents[2] / "notebooks" / "05_pathway_regularizer.py"
ON_SCREEN = {
    "correlation", "standardize", "careful_standardize", "pathway_loss", "PathwayLoss", "channel_mean", "share",
    "dissimilarity_loss", "member_correlations", "others", "r_with",
}  # fmt: skip


@pytest.fixture(scope="module")
def chapter():
    """What the notebook defines, by name."""
    namespace = {"math": __import__("math"), "np": np, "torch": torch}
    for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in ON_SCREEN:
            exec(compile(ast.Module([node], []), str(SOURCE), "exec"), namespace)
    assert ON_SCREEN <= set(namespace)
    return namespace


@pytest.fixture
def soft():
    """Weights of all kinds, a node in two pathways and one in none, a pathway with a total below 1."""
    M = torch.zeros(3, 12)
    M[0, [0, 3, 6]], M[1, [3, 6, 9, 11]] = (
        torch.tensor([1.0, 0.5, 0.25]),
        torch.tensor([2.0, 1.0, 0.1, 0.7]),
    )
    M[2, [1, 2]] = torch.tensor([0.2, 0.3])
    return M


def test_both_ways_to_standardize_agree_with_the_package_where_a_score_varies(chapter):
    s = 3 + 2 * torch.randn(32, 5, generator=torch.Generator().manual_seed(1))
    expected = standardize_over_batch(s.t()).t()
    torch.testing.assert_close(chapter["standardize"](s), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(chapter["careful_standardize"](s), expected)


def test_a_score_that_does_not_vary_is_zero_without_gradient_in_the_second_way_only(chapter):
    s = (0.3 + 2e-8 * torch.randn(64, 1, generator=torch.Generator().manual_seed(1))).requires_grad_()
    target = torch.linspace(-1, 1, 64)[:, None]
    gradients = {}
    for name in ("standardize", "careful_standardize"):
        (chapter[name](s) * target).mean().backward()
        gradients[name], s.grad = s.grad.abs().max().item(), None
    assert gradients["standardize"] > 1e3 and gradients["careful_standardize"] == 0


def test_correlation_is_the_textbook_one(chapter):
    s, t = np.random.default_rng(0).normal(size=(2, 20))
    assert chapter["correlation"](s.tolist(), t.tolist()) == pytest.approx(np.corrcoef(s, t)[0, 1])


@pytest.mark.parametrize("phi", ["mean", "learned"])
@pytest.mark.parametrize("membership", ["true", "soft"])
def test_the_module_equals_the_package_on_a_real_model(chapter, model, draw, soft, phi, membership):
    M = {"true": draw.graph.membership(), "soft": soft}[membership]
    pairs = [(0, 1), (2, 0)]
    regularizer = PathwayLatentRegularizer(model, M, pairs, lambda_sim=0.6, lambda_dis=0.4, phi=phi)
    x = torch.randn(48, 8, generator=torch.Generator().manual_seed(5))
    a = model.layer_activations(x)
    model(x)
    with torch.no_grad():
        L_sim, L_dis = regularizer.loss(model)
        torch.testing.assert_close(chapter["PathwayLoss"](M, regularizer_phi(regularizer, phi), 0.6)(a), L_sim)
        own = 0.4 * chapter["dissimilarity_loss"](a, M, regularizer_phi(regularizer, phi), pairs)
        torch.testing.assert_close(own, L_dis, atol=1e-6, rtol=1e-4)
        one_layer = chapter["PathwayLoss"](M, chapter["channel_mean"])(a[:, -1:])
        torch.testing.assert_close(chapter["pathway_loss"](a[:, -1].mean(-1), M), one_layer)


def regularizer_phi(regularizer, phi):
    """The package's score for activations of any number of leading dimensions."""
    if phi == "mean":
        return lambda a: a.mean(-1)
    return lambda a: a @ regularizer.phi.weight[0]


def test_leaving_one_out_is_the_mean_of_the_others_and_the_reference_of_the_exercise(chapter):
    s = torch.randn(16, 4, generator=torch.Generator().manual_seed(2))
    expected = torch.stack([s[:, [j for j in range(4) if j != i]].mean(1) for i in range(4)], dim=1)
    torch.testing.assert_close(chapter["others"](s), expected)
    torch.testing.assert_close(checks.leave_one_out.reference(s, torch.ones(1, 4))[:, 0], expected)


def test_shares_of_a_node_lie_between_0_and_1_and_add_up_to_1(chapter):
    a = torch.randn(100, 6, 4, generator=torch.Generator().manual_seed(3)) * torch.tensor([1.0, 2.0, 0.1, 5.0])
    shares = torch.stack([chapter["share"](a, w) for w in 3 * torch.eye(4)])
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(0), torch.ones(6))


def test_member_correlations_average_to_minus_the_loss(chapter, draw):
    s, M = torch.randn(64, 12, generator=torch.Generator().manual_seed(4)), draw.graph.membership()
    torch.testing.assert_close(chapter["member_correlations"](s, M).mean(), -chapter["pathway_loss"](s, M))


def test_figures_hatch_constant_scores_and_print_the_mean_correlation(draw):
    std = torch.rand(4, 12) + 0.1
    std[0, 3:] = 0
    ax = figures.plot_score_std(std, draw.graph.function_nodes)
    assert sum(patch.get_hatch() == "////" for patch in ax.patches) == 9
    s = torch.randn(50, 1).expand(-1, 3)
    ax = figures.plot_score_scatter(s, ["f_0_0", "f_0_1", "f_0_2"])
    assert ax.texts[0].get_text() == "mean $r$ = 1.00"
