"""A GSNN on any graph, with any settings, computes what its formulas say when they are written out with dense matrices.

Outputs, activations and every gradient, in float64, with the fast kernels and without them.
"""

import pytest
import torch
from hypothesis import given
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
    normal,
    options,
    way,
)

from gsnn_tutorial.gsnn.node import ActivationRecorder


def dense_in(values, edges, N, C):
    """W_in, (E, N, C): edge by edge, the channels of the function node that it enters."""
    places = [(e, n, c) for e, (_, (kind, n)) in enumerate(edges) if kind == "function" for c in range(C)]
    return _dense(places, values, (len(edges), N, C))


def dense_out(values, edges, N, C):
    """W_out, (N, C, E): channel by channel, the edges that leave its function node."""
    leaving = [[e for e, (source, _) in enumerate(edges) if source == ("function", n)] for n in range(N)]
    return _dense([(n, c, e) for n in range(N) for c in range(C) for e in leaving[n]], values, (N, C, len(edges)))


def _dense(places, values, size):
    assert len(places) == len(values)
    index = torch.tensor(places, dtype=torch.long).reshape(-1, 3)
    return torch.zeros(size, dtype=values.dtype).index_put(tuple(index.t()), values)


def nonlinear(z, nonlin):
    if nonlin is torch.nn.Tanh:
        return z.tanh()
    return torch.where(z > 0, z, z.clamp(max=0).exp() - 1)


def normalised(z, norm, kind, training):
    """(B, N, C) -> (B, N, C)."""
    if kind == "layer":  # mean and std are constants for the gradient
        mean = z.detach().sum(2, keepdim=True) / z.shape[2]
        std = ((z.detach() - mean).square().sum(2, keepdim=True) / (z.shape[2] - 1)).sqrt()
        return norm.gamma[:, None] * (z - mean) / (std + 0.1) + norm.beta[:, None]
    if kind == "batch":
        mean, variance = norm.running_mean.view(z.shape[1:]), norm.running_var.view(z.shape[1:])
        if training:
            mean = z.sum(0) / len(z)
            variance = (z - mean).square().sum(0) / len(z)
        return (z - mean) / (variance + 1e-3).sqrt() * norm.weight.view(z.shape[1:]) + norm.bias.view(z.shape[1:])
    return z


def node_mlp(a, mlp, nonlin):
    """A layer, LayerNorm, nonlinearity, another layer, on each node's channels."""
    first, norm, second = mlp[0], mlp[1], mlp[4]
    hidden = a @ first.weight.t() + first.bias
    hidden = hidden - hidden.mean(-1, keepdim=True)
    hidden = hidden / (hidden.square().mean(-1, keepdim=True) + 1e-5).sqrt() * norm.weight + norm.bias
    return nonlinear(hidden, nonlin) @ second.weight.t() + second.bias


def dense(model, wiring, settings, x, training):
    """Outputs (B, outputs) and the activations of each layer (B, N, C), from the model's parameters alone."""
    N, C = len(wiring.names["function"]), settings["channels"]
    edges = wiring.edge_list(settings["add_function_self_edges"])
    h = torch.stack([x[:, i] if kind == "input" else torch.zeros_like(x[:, 0]) for (kind, i), _ in edges], dim=1)
    activations = []
    for block in model.ResBlocks:
        z = torch.einsum("be,enc->bnc", h, dense_in(block.lin_in.values, edges, N, C))
        if settings["bias"]:
            z = z + block.lin_in.bias.view(N, C)
        a = nonlinear(normalised(z, block.node.norm, settings["norm"], training), settings["nonlin"])
        if settings["node_mlp"]:
            a = node_mlp(a, block.node.mlp.mlp, settings["nonlin"])
        activations.append(a)
        out = torch.einsum("bnc,nce->be", a, dense_out(block.lin_out.values, edges, N, C))
        if settings["bias"]:
            out = out + block.lin_out.bias[:, 0]
        h = out + block.residual.weight.clamp(min=0) * h if settings["residual"] else out
    y = []
    for o in range(len(wiring.names["output"])):
        into = [e for e, (_, target) in enumerate(edges) if target == ("output", o)]
        total = h[:, into].sum(1) / max(len(into), 1) ** 0.5
        y.append(total / settings["layers"] ** 0.5 if settings["residual"] else total)
    return torch.stack(y, dim=1), activations


@pytest.mark.parametrize("name", WAYS)
@examples(1.5)
@given(data=st.data(), settings=options(), seed=SEEDS, training=st.booleans())
def test_outputs_activations_and_all_gradients_are_those_of_dense_masked_matrices(name, data, settings, seed, training):
    wiring = data.draw(graphs_for(name), label="wiring")
    samples = data.draw(st.integers(2 if training and settings["norm"] == "batch" else 1, 5), label="samples")
    model = make_model(wiring, settings, seed).train(training)
    x = normal(seed + 1, samples, len(wiring.names["input"])).requires_grad_()
    expected_y, expected_a = dense(model, wiring, settings, x, training)
    tensors = [x, *model.parameters()]

    def weighted(y, activations):
        """One number in which every output and every activation counts."""
        parts = [y, *activations]
        return sum((part * normal(seed + 2 + k, *part.shape)).sum() for k, part in enumerate(parts))

    expected_gradients = gradients(weighted(expected_y, expected_a), tensors)
    with way(name):
        recorder = ActivationRecorder(model)
        y = model(x)
        activations = [a.permute(2, 0, 1) for a in recorder.activations()]
        found = gradients(weighted(y, activations), tensors)
    close(y, expected_y)
    for a, wanted in zip(activations, expected_a, strict=True):
        close(a, wanted)
    for gradient, wanted in zip(found, expected_gradients, strict=True):
        close(gradient, wanted)


@given(inputs=st.integers(1, 6), layers=st.integers(1, 4), residual=st.booleans(), idle=st.integers(0, 2), seed=SEEDS)
def test_an_output_is_the_sum_of_its_edges_over_the_root_of_their_number_also_if_it_is_alone(
    inputs, layers, residual, idle, seed
):
    """With maps of zeros every edge into the output holds its bias (and what residuals add up of it)."""
    functions = [f"f{n}" for n in range(inputs)]
    names = {"input": ["i"], "function": functions, "output": ["o", "p", "q"][: 1 + idle]}
    pairs = {
        ("input", "to", "function"): [(0, 0)],
        ("function", "to", "function"): [],
        ("function", "to", "output"): [(n, 0) for n in range(inputs)],
    }
    settings = {"channels": 2, "layers": layers, "residual": residual, "node_mlp": False}
    model = make_model(Wiring(names, pairs), settings | {"add_function_self_edges": False}, seed)
    with torch.no_grad():
        for block in model.ResBlocks:
            block.lin_out.values.zero_()
            block.lin_out.bias.fill_(1.0)
            if residual:
                block.residual.weight.fill_(1.0)
    sent = layers / layers**0.5 if residual else 1.0
    expected = torch.zeros(3, 1 + idle, dtype=torch.float64)
    expected[:, 0] = inputs**0.5 * sent
    close(model(normal(seed, 3, 1)), expected)
