"""What nodes do, fast and plain: the same values and the same gradients, and nobody's tensor is written over."""

import subprocess
import sys

import pytest
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, kernels
from gsnn_tutorial.gsnn import Residual
from gsnn_tutorial.gsnn.node import GroupLayerNorm, NodeFunction
from gsnn_tutorial.regularizer import LearnedScore


def both(run):
    """Value and gradients of the fast path, then of the plain one."""
    fast = run()
    with kernels.plain():
        return fast, run()


def close(fast, plain):
    for one, other in zip(fast, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def node_function(nonlin=torch.nn.ELU, norm="layer"):
    function = NodeFunction(
        5, 4, norm=norm, nonlin=nonlin, dropout=0.0, node_mlp=False, node_mlp_hidden=1, generator=None
    )
    for parameter in function.parameters():
        torch.nn.init.normal_(parameter)
    return function


@pytest.mark.parametrize("nonlin", [torch.nn.ELU, lambda: torch.nn.ELU(alpha=0.5), torch.nn.Tanh, torch.nn.ReLU])
@pytest.mark.parametrize("norm", ["layer", "none"])
def test_node_functions_agree_in_value_and_every_gradient(nonlin, norm):
    torch.manual_seed(0)
    function = node_function(nonlin, norm)
    z, g = torch.randn(20, 6, requires_grad=True), torch.randn(5, 4, 6)

    def run():
        a = function(z)
        return a.detach(), *torch.autograd.grad(a, (z, *function.parameters()), g)

    close(*both(run))


def test_the_norm_agrees_with_its_definition_and_treats_mean_and_std_as_constants():
    torch.manual_seed(0)
    norm, z = GroupLayerNorm(3, 4), torch.randn(3, 4, 5, requires_grad=True)
    mean, std = z.detach().mean(1, keepdim=True), z.detach().std(1, keepdim=True)
    for value, gradient in both(lambda: (norm(z).detach(), *torch.autograd.grad(norm(z).sum(), z))):
        torch.testing.assert_close(value, ((z - mean) / (std + 0.1)).detach())
        torch.testing.assert_close(gradient, (1 / (std + 0.1)).expand_as(z))


def test_a_hook_on_the_norm_keeps_what_the_norm_gave():
    torch.manual_seed(0)
    function, z, seen = node_function(), torch.randn(20, 6), []
    function.norm.register_forward_hook(lambda module, inputs, output: seen.append(output))
    a = function(z)
    torch.testing.assert_close(seen[0], function.norm(z.view(5, 4, 6)))
    torch.testing.assert_close(a, torch.nn.functional.elu(seen[0]))


def test_the_nonlinearity_that_a_user_gives_is_left_as_it_is():
    assert node_function().nonlin.inplace is False


def test_residuals_agree_and_a_negative_r_counts_as_0():
    torch.manual_seed(0)
    for start in (0.7, -0.7):
        residual = Residual()
        torch.nn.init.constant_(residual.weight, start)
        out, h, g = (torch.randn(6, 5) for _ in range(3))
        out.requires_grad_(), h.requires_grad_()

        def run():
            y = residual(out.clone(), h)
            return y.detach(), *torch.autograd.grad(y, (out, h, residual.weight), g)

        fast, plain = both(run)
        close(fast, plain)
        torch.testing.assert_close(plain[0], out.detach() + max(start, 0) * h.detach())


def test_learned_scores_agree():
    torch.manual_seed(0)
    score, g = LearnedScore(4), torch.randn(7, 5)
    a = torch.randn(5, 4, 7).permute(2, 0, 1).requires_grad_()  # (B, N, C)

    def run():
        s = score(a)
        return s.detach(), *torch.autograd.grad(s, (a, score.weight), g)

    close(*both(run))


def test_a_whole_model_with_its_regularizer_agrees(draw):
    graph = draw.graph
    start = torch.Generator().manual_seed(0)
    model = GSNN(graph.edge_index_dict, graph.names, 8, 4, node_mlp=False, generator=start).double()
    regularizer = PathwayLatentRegularizer(model, graph.membership(), phi="learned", generator=start)
    x, y = draw.x_train.double(), draw.y_train.double()

    def run():
        loss = torch.nn.functional.mse_loss(model(x), y) + regularizer.loss(model)[0]
        return loss.detach(), *torch.autograd.grad(loss, [*model.parameters(), *regularizer.parameters()])

    for one, other in zip(*both(run)):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_the_switch_is_given_back_after_an_error():
    assert kernels.enabled()
    with pytest.raises(KeyError), kernels.plain():
        assert not kernels.enabled()
        raise KeyError
    assert kernels.enabled()


@pytest.mark.parametrize("value, says", [("off", "False"), ("on", "True"), ("of", "must be 'on' or 'off', got 'of'")])
def test_the_environment_sets_the_switch(value, says, monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, value)
    run = subprocess.run(
        [sys.executable, "-c", "from gsnn_tutorial import kernels; print(kernels.enabled())"],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert says in run.stdout + run.stderr
