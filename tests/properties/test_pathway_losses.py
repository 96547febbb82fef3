"""The pathway losses are their formulas, computed pathway by pathway and member by member from a dense P x N matrix.

Whatever the scores: constant ones, copies and mirror images, ones that vary less than their level allows to see.
"""

from itertools import cycle

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import (
    SEEDS,
    WAYS,
    Wiring,
    close,
    examples,
    gradients,
    graphs_for,
    make_model,
    memberships,
    normal,
    options,
    pairs_of,
    way,
)

from gsnn_tutorial import PathwayLatentRegularizer
from gsnn_tutorial.gsnn.node import ActivationRecorder
from gsnn_tutorial.regularizer import standardize_over_batch


def is_quiet(s, eps):
    return (s - s.mean()).square().mean().sqrt() <= eps * (1 + s.mean().abs())


def is_faint(s, eps):
    """Whether s varies, but so little that rounding errors become large beside it, and larger in the gradient."""
    return not is_quiet(s, eps) and is_quiet(s, 1e-3)


def standardized(s, eps):
    """(s - mean) / (std + eps); 0, a constant, if s does not vary."""
    centred = s - s.mean()
    return torch.zeros_like(s) if is_quiet(s, eps) else centred / (centred.square().mean().sqrt() + eps)


def dense_losses(scores, M, pairs, eps, leave_one_out):
    """L_sim and L_dis without lambdas, from each layer's scores (N, B)."""
    P, N = M.shape
    sim, dis = 0.0, 0.0
    for s in scores:
        S = [standardized(M[p] @ s / max(M[p].abs().sum().item(), 1), eps) for p in range(P)]
        for p in range(P):
            for i in range(N):
                partner = S[p]
                if leave_one_out:
                    others = [j for j in range(N) if j != i and M[p, j]]
                    if all(is_quiet(s[j], eps) for j in others):
                        continue  # a member without another one that varies counts 0
                    partner = standardized(sum(M[p, j] * s[j] for j in others), eps)
                sim = sim + M[p, i] * (standardized(s[i], eps) * partner).mean()
        for p, q in pairs:
            dis = dis + (S[p] * S[q]).mean() ** 2 / len(pairs)
    zero = 0 * sum(s.sum() for s in scores)
    return zero - sim / max(M.abs().sum().item(), 1) / len(scores), zero + dis / len(scores)


@st.composite
def node_scores(draw, nodes, layers):
    """Scores of each layer and node, (L, N, B)."""
    samples = draw(st.integers(2, 8))
    scores = normal(draw(SEEDS), layers, nodes, samples)
    scores = (scores - scores.mean(-1, keepdim=True)) / scores.std(-1, correction=0, keepdim=True)
    changes = {
        "varies": lambda s: s,
        "small": lambda s: 0.0213 * s,  # no weight of a membership brings it to an eps
        "at a level": lambda s: 10 + s,
        "large": lambda s: 30 * s,
        "constant": lambda s: 0 * s + 7.3,
        "zero": lambda s: 0 * s,
        "rounding": lambda s: 7.3 + 1e-15 * s,
        "quiet at its level": lambda s: 300 + 1e-4 * s,
        "copy": lambda s: scores[0, 0],
        "mirror image": lambda s: -scores[0, 0],
    }
    for s in scores.flatten(0, 1):
        s.copy_(changes[draw(st.sampled_from(list(changes)))](s))
    return scores


class Given(torch.nn.Module):
    """A phi that has its own idea of what the scores of each layer are."""

    def __init__(self, scores):
        super().__init__()
        self.next_layer = cycle([s.t() for s in scores])

    def forward(self, a):
        return next(self.next_layer)


def functions_alone(nodes):
    """A graph of so many function nodes and little else."""
    names = {"input": ["i"], "function": [f"f{n}" for n in range(nodes)], "output": ["o"]}
    pairs = {("input", "to", "function"): [(0, 0)], ("function", "to", "output"): [(0, 0)]}
    return Wiring(names, pairs | {("function", "to", "function"): []})


@pytest.mark.parametrize("leave_one_out", [False, True], ids=["with itself", "leave one out"])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@given(data=st.data(), nodes=st.integers(1, 5), layers=st.integers(1, 2), eps=st.sampled_from([1e-6, 1e-3]))
def test_losses_and_their_gradients_are_those_of_the_dense_formulas(leave_one_out, signed, data, nodes, layers, eps):
    M = data.draw(memberships(nodes, signed), label="M")
    pairs = data.draw(pairs_of(len(M)), label="pairs")
    scores = data.draw(node_scores(nodes, layers), label="scores").requires_grad_()
    model = make_model(functions_alone(nodes), {"channels": 2, "layers": layers, "node_mlp": False}, seed=0)
    regularizer = PathwayLatentRegularizer(
        model, M.to_sparse() if data.draw(st.booleans(), label="sparse") else M, pairs, eps=eps, lambda_sim=0.7,
        lambda_dis=0.4 if pairs else 0.0, phi=Given(scores), signed=signed, leave_one_out=leave_one_out,
    )  # fmt: skip
    regularizer.strength = 1.7
    model(torch.zeros(scores.shape[2], 1))
    expected = dense_losses(scores, M, pairs, eps, leave_one_out)
    for loss, wanted, scale in zip(regularizer.loss(model), expected, (1.7 * 0.7, 1.7 * 0.4)):
        close(loss, scale * wanted)
        close(*(gradients(one, [scores])[0] for one in (loss, scale * wanted)))


@given(nodes=st.integers(1, 4), size=st.sampled_from([1e6, 1e9, 1e12]), seed=SEEDS, data=st.data())
def test_a_member_whose_company_does_not_vary_agrees_with_nobody_however_large_its_score(nodes, size, seed, data):
    """What is left of the sum without it is rounding noise, and as large as its score is."""
    scores = torch.full((1, 1 + nodes, 6), 7.3, dtype=torch.float64)
    scores[0, 0] = size * normal(seed, 6)
    scores.requires_grad_()
    weights = st.lists(st.sampled_from([0.1, 0.3, 0.7, 1.7]), min_size=1 + nodes, max_size=1 + nodes)
    model = make_model(functions_alone(1 + nodes), {"channels": 2, "layers": 1, "node_mlp": False}, seed=0)
    regularizer = PathwayLatentRegularizer(model, [data.draw(weights)], phi=Given(scores), leave_one_out=True)
    model(torch.zeros(6, 1))
    loss, _ = regularizer.loss(model)
    assert loss == 0 and not gradients(loss, [scores])[0].any()


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("phi", ["mean", "learned"])
@examples(0.6)
@given(data=st.data(), settings=options(), seed=SEEDS, others=st.booleans())
def test_the_gradients_reach_every_parameter_through_the_scores(name, phi, data, settings, seed, others):
    wiring = data.draw(graphs_for(name), label="wiring")
    model = make_model(wiring, settings, seed)
    M = data.draw(memberships(model.N, signed=True), label="M")
    pairs = data.draw(pairs_of(len(M)), label="pairs")
    regularizer = PathwayLatentRegularizer(
        model, M, pairs, lambda_sim=0.7, lambda_dis=0.4 if pairs else 0.0, phi=phi, signed=True, leave_one_out=others
    )
    x, recorder = normal(seed + 1, 6, len(wiring.names["input"])), ActivationRecorder(model)
    tensors = [*model.parameters(), *regularizer.parameters()]
    with way(name):
        model(x)
        found = sum(regularizer.loss(model))
        found_gradients = gradients(found, tensors)
    model(x)
    w = next(regularizer.parameters())[0] if phi == "learned" else torch.ones(model.channels).double() / model.channels
    scores = [torch.einsum("ncb,c->nb", a, w) for a in recorder.activations()]
    of_pathways = [M[p] @ s - M[p, i] * s[i] * others for s in scores for p in range(len(M)) for i in range(len(s))]
    assume(not any(is_faint(s, regularizer.eps) for s in [*torch.cat(scores), *of_pathways]))
    sim, dis = dense_losses(scores, M, pairs, regularizer.eps, others)
    close(found, 0.7 * sim + 0.4 * dis)
    for gradient, wanted in zip(found_gradients, gradients(0.7 * sim + 0.4 * dis, tensors)):
        close(gradient, wanted)


@given(data=st.data(), eps=st.sampled_from([1e-6, 1e-3]), seed=SEEDS)
def test_a_score_that_does_not_vary_becomes_exactly_0_with_exactly_zero_gradient(data, eps, seed):
    scores = data.draw(node_scores(nodes=5, layers=1), label="scores")[0].requires_grad_()
    found = standardize_over_batch(scores, eps)
    expected = torch.stack([standardized(s, eps) for s in scores])
    g = normal(seed, *scores.shape)
    (gradient,) = gradients((found * g).sum(), [scores])
    close(found, expected)
    close(gradient, gradients((expected * g).sum(), [scores])[0])
    quiet = torch.stack([is_quiet(s, eps) for s in scores])
    assert not found[quiet].any() and not gradient[quiet].any()
