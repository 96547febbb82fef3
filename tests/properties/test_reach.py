"""A signal moves one hop per layer, along edges and nowhere else: what it cannot reach, it does not change by a bit."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, WAYS, examples, gradients, graphs_for, make_model, normal, options, way, wirings


def hops(wiring, inputs):
    """How many function nodes lie before each function node on the shortest way from one of the inputs."""
    distance = {j: 0 for i, j in wiring.pairs["input", "to", "function"] if i in inputs}
    for hop in range(len(wiring.names["function"])):
        for i, j in wiring.pairs["function", "to", "function"]:
            if distance.get(i) == hop:
                distance.setdefault(j, hop + 1)
    return [distance.get(n, float("inf")) for n in range(len(wiring.names["function"]))]


def layers_needed(wiring, inputs):
    """The fewest layers with which one of the inputs can reach each output."""
    distance = hops(wiring, inputs)
    into = wiring.pairs["function", "to", "output"]
    return [
        min((distance[n] + 1 for n, target in into if target == o), default=float("inf"))
        for o in range(len(wiring.names["output"]))
    ]


@pytest.mark.parametrize("name", WAYS)
@given(data=st.data(), settings=options(), seed=SEEDS, samples=st.integers(2, 5))
def test_inputs_that_do_not_reach_an_output_or_an_activation_change_no_bit_of_it(name, data, settings, seed, samples):
    wiring = data.draw(graphs_for(name), label="wiring")
    n_input = len(wiring.names["input"])
    changed = sorted(data.draw(st.sets(st.integers(0, n_input - 1), min_size=1), label="changed inputs"))
    model = make_model(wiring, settings, seed)
    x = normal(seed + 1, samples, n_input)
    other = x.clone()
    other[:, changed] = data.draw(st.sampled_from([0.0, 1.0, 1e3, 1e6])) * normal(seed + 2, samples, len(changed))
    far = torch.tensor([needed > settings["layers"] for needed in layers_needed(wiring, changed)])
    with way(name):
        assert torch.equal(model(x)[:, far], model(other)[:, far])
        one, two = model.layer_activations(x), model.layer_activations(other)
    for layer in range(settings["layers"]):
        deaf = torch.tensor([distance > layer for distance in hops(wiring, changed)])
        assert torch.equal(one[:, layer, deaf], two[:, layer, deaf])


@pytest.mark.parametrize("name", WAYS)
@examples(0.5)
@given(data=st.data(), settings=options(), seed=SEEDS)
def test_an_output_has_no_gradient_in_an_input_that_does_not_reach_it(name, data, settings, seed):
    wiring = data.draw(graphs_for(name), label="wiring")
    n_input, n_output = len(wiring.names["input"]), len(wiring.names["output"])
    model = make_model(wiring, settings, seed)
    x = normal(seed + 1, 3, n_input).requires_grad_()
    with way(name):
        for o in range(n_output):
            (gradient,) = gradients(model(x)[:, o].sum(), [x])
            for i in range(n_input):
                if layers_needed(wiring, [i])[o] > settings["layers"]:
                    assert not gradient[:, i].any()


@given(wiring=wirings(), settings=options(), seed=SEEDS)
def test_a_node_that_no_signal_reached_yet_is_the_same_in_every_sample(wiring, settings, seed):
    model = make_model(wiring, settings, seed)
    x = normal(seed + 1, 6, len(wiring.names["input"]))
    activations = model.layer_activations(x)
    distance = hops(wiring, range(len(wiring.names["input"])))
    for layer in range(settings["layers"]):
        for n in range(len(distance)):
            if distance[n] > layer:
                a = activations[:, layer, n]
                assert (a - a[0]).abs().max() <= 1e-12 * a.abs().max().clamp(min=1)
