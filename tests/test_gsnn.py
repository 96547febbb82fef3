import copy
import pickle

import pytest
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, pathway_graph
from gsnn_tutorial.gsnn.node import GroupLayerNorm, NodeMLP
from gsnn_tutorial.validate import REFERENCE_ONLY

VARIANTS = {
    "norm_batch": {"norm": "batch"},
    "norm_none": {"norm": "none"},
    "unshared": {"share_layers": False},
    "no_residual": {"residual": False},
    "no_self_edges": {"add_function_self_edges": False},
    "no_bias_tanh": {"bias": False, "nonlin": torch.nn.Tanh},
    "node_mlp": {"node_mlp": True, "node_mlp_hidden": 16},
}
# Here some scores hardly vary (std down to 3e-6) or not at all, and the gradient of L_sim divides rounding by that:
# ours in float64 is as far from the reference as ours in float32.
ILL_CONDITIONED = {"no_residual": 2e-3, "no_bias_tanh": 2e-3, "node_mlp": 2e-3}


def close(actual, expected, tolerance=1e-5):
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)


def residual_weight(block):
    (weight,) = (parameter for name, parameter in block.named_parameters() if "residual" in name)
    return weight


def hooks(model):
    return [dict(module._forward_hooks) for module in model.modules()]


# The reference's numbers


def test_edge_order_and_weight_places_are_those_of_the_reference(model, golden):
    assert torch.equal(model.edge_index, golden["homogeneous_edge_index"])
    assert torch.equal(model.function_edge_mask, golden["function_edge_mask"])
    for name, linear in [("in", model.ResBlocks[0].lin_in), ("out", model.ResBlocks[0].lin_out)]:
        assert torch.equal(linear.indices, golden[f"lin_{name}_indices"])
        assert [linear.N, linear.M] == golden[f"lin_{name}_size"].tolist()


def test_seed_0_gives_exactly_the_initial_weights_of_the_reference(model, golden):
    for block in model.ResBlocks:
        assert torch.equal(block.lin_in.values.detach(), golden["lin_in_values_init"])
        assert torch.equal(block.lin_out.values.detach(), golden["lin_out_values_init"])
    assert not model.ResBlocks[0].lin_in.bias.any() and not model.ResBlocks[0].lin_out.bias.any()


def test_the_untrained_model_puts_out_what_the_reference_does(model, golden):
    close(model(golden["x_train"]), golden["init_output_train"])
    close(model.layer_activations(golden["x_train"]), golden["init_activations_train"])


def test_the_first_step_has_the_losses_and_gradients_of_the_reference(model, golden):
    pairs = [(p, q) for p in range(4) for q in range(p)]
    regularizer = PathwayLatentRegularizer(model, golden["M_true"], pairs, lambda_sim=1.0, lambda_dis=1.0)
    mse = torch.nn.functional.mse_loss(model(golden["x_train"]), golden["y_train"])
    (mse + sum(regularizer.loss(model))).backward()
    close(mse.double(), golden["init_mse_train"])
    block = model.ResBlocks[0]
    close(block.lin_in.values.grad, golden["grad_lin_in_values_mse_sim_dis"])
    close(block.lin_out.values.grad, golden["grad_lin_out_values_mse_sim_dis"])
    close(block.node.norm.gamma.grad, golden["grad_norm0_gamma"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_option_computes_what_the_reference_does(variant, make_model, golden, golden_options):
    options = golden_options
    model = make_model(layers=3, **VARIANTS[variant])
    with torch.no_grad():
        for layer, block in enumerate(model.ResBlocks):
            block.lin_in.values.copy_(options[f"{variant}/lin_in_values_{layer}"])
            block.lin_out.values.copy_(options[f"{variant}/lin_out_values_{layer}"])
            prefix = f"{variant}/mlp_{layer}/mlp."
            mlp = {key.removeprefix(prefix): value for key, value in options.items() if key.startswith(prefix)}
            if mlp:
                block.node.mlp.mlp.load_state_dict(mlp)

    regularizer = PathwayLatentRegularizer(model, golden["M_true"], lambda_sim=1.0)
    output = model(options["x"])
    L_sim, _ = regularizer.loss(model)
    (torch.nn.functional.mse_loss(output, options["y"]) + L_sim).backward()
    close(output, options[f"{variant}/output"])
    close(L_sim.double(), options[f"{variant}/L_sim"])
    grad = options[f"{variant}/grad_lin_in_values_0"]
    close(model.ResBlocks[0].lin_in.values.grad, grad, ILL_CONDITIONED.get(variant, 2e-5) * max(1, grad.abs().max()))

    model.eval()
    close(model(options["x"]), options[f"{variant}/output_eval"])
    model.train()
    last = torch.stack(list(model.get_node_activations(options["x"], agg="last").values()), dim=1)
    close(last, options[f"{variant}/activations_last"])


# A dense implementation of our own


def dense_forward(model, x, *, layers, norm, residual):
    """The GSNN's formulas with masked dense matrices, batch-major: outputs and activations (B, L, N, C)."""
    N, C, (source, target) = model.N, model.channels, model.edge_index.tolist()
    n_input, n_output = x.shape[1], len(model.node_names_dict["output"])
    h = torch.zeros(len(x), len(source))
    for e, s in enumerate(source):
        if s >= N:
            h[:, e] = x[:, s - N]
    activations = []
    for block in model.ResBlocks:
        W_in, W_out = torch.zeros(len(source), N, C), torch.zeros(N, C, len(source))
        in_weights, out_weights = iter(block.lin_in.values.tolist()), iter(block.lin_out.values.tolist())
        for e, n in enumerate(target):
            for c in range(C if n < N else 0):
                W_in[e, n, c] = next(in_weights)
        for n in range(N):
            for c in range(C):
                for e in range(len(source)):
                    if source[e] == n:
                        W_out[n, c, e] = next(out_weights)
        z = torch.einsum("be,enc->bnc", h, W_in) + block.lin_in.bias.view(N, C)
        if norm == "layer":
            z = (z - z.mean(2, keepdim=True)) / (z.std(2, keepdim=True) + 0.1)
            z = z * block.node.norm.gamma[:, None] + block.node.norm.beta[:, None]
        a = torch.where(z > 0, z, z.exp() - 1)
        activations.append(a)
        out = torch.einsum("bnc,nce->be", a, W_out) + block.lin_out.bias[:, 0]
        h = out + residual_weight(block).clamp_min(0) * h if residual else out
    if residual:
        h = h / layers**0.5
    y = torch.zeros(len(x), n_output)
    for o in range(n_output):
        into = [e for e, t in enumerate(target) if t == N + n_input + o]
        if into:
            y[:, o] = h[:, into].sum(1) / len(into) ** 0.5
    return y, torch.stack(activations, dim=1)


@pytest.fixture
def tangled_graph():
    """Cycles, a diamond, an isolated function node, an input without edges, an output without edges."""
    names = {"input": ["i0", "i1", "i2"], "function": [f"f{n}" for n in range(6)], "output": ["o0", "o1", "o2"]}
    edges = {
        ("input", "to", "function"): torch.tensor([[0, 1, 1], [0, 1, 2]]),
        ("function", "to", "function"): torch.tensor([[0, 1, 0, 1, 2, 3, 3, 4], [1, 0, 2, 3, 3, 4, 0, 3]]),
        ("function", "to", "output"): torch.tensor([[3, 4, 2], [0, 0, 1]]),
    }
    return edges, names


@pytest.mark.parametrize(
    "options",
    [{}, {"add_function_self_edges": False}, {"residual": False}, {"norm": "none"}, {"share_layers": False}],
    ids=lambda options: next(iter(options), "published"),
)
def test_it_equals_a_dense_implementation_of_the_formulas(tangled_graph, options):
    settings = {"layers": 3, "norm": "layer", "residual": True} | options
    torch.manual_seed(2)
    model = GSNN(*tangled_graph, channels=4, node_mlp=False, **settings)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.7)  # no gamma of 1 and no bias of 0 that hides a mistake
    if settings["residual"]:
        torch.nn.init.constant_(residual_weight(model.ResBlocks[1]), -0.5)  # relu makes it 0
    x = torch.randn(9, 3)
    with torch.no_grad():
        output, activations = dense_forward(model, x, **{key: settings[key] for key in ("layers", "norm", "residual")})
    close(model(x), output)
    close(model.layer_activations(x), activations)


def test_the_norm_has_the_gradients_that_autograd_finds_with_mean_and_std_held_constant():
    torch.manual_seed(0)
    norm = GroupLayerNorm(5, 4).double()
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    z, g = torch.randn(5, 4, 7, dtype=torch.float64, requires_grad=True), torch.randn(5, 4, 7, dtype=torch.float64)
    inputs = (z, norm.gamma, norm.beta)
    std, mean = torch.std_mean(z.detach(), 1, keepdim=True)
    plain = norm.gamma[:, None, None] * ((z - mean) / (std + norm.eps)) + norm.beta[:, None, None]
    close(norm(z), plain, 1e-12)
    for grad, expected in zip(torch.autograd.grad(norm(z), inputs, g), torch.autograd.grad(plain, inputs, g)):
        close(grad, expected, 1e-12)


# What it promises


def test_a_signal_moves_one_hop_per_layer(make_model):
    graph = pathway_graph(K=1, n_in=1, n_func=4, n_out=1)
    model = make_model(graph, layers=5)
    spread = model.layer_activations(torch.randn(16, 1)).std(0).amax(-1)  # (L, N)
    for layer in range(5):
        for hop in range(4):
            if hop > layer:
                assert spread[layer, hop] < 1e-6, f"f{hop} varies in layer {layer}"
            else:
                assert spread[layer, hop] > 1e-3, f"f{hop} is constant in layer {layer}"


@pytest.mark.parametrize("residual", [True, False])
def test_an_output_that_no_signal_reached_yet_is_constant(make_model, residual):
    graph = pathway_graph(K=1, n_func=3)
    too_shallow, deep_enough = (make_model(graph, layers=layers, residual=residual) for layers in (2, 3))
    x = torch.randn(16, 2)
    assert too_shallow(x).std(0).max() < 1e-7 and deep_enough(x).std(0).min() > 1e-5


def test_an_input_does_not_reach_another_pathways_outputs(make_model):
    model = make_model(pathway_graph(K=2))
    x = torch.randn(5, 4)
    changed = x.clone()
    changed[:, 2:] += 1
    difference = (model(x) - model(changed)).abs().amax(0)
    assert not difference[:2].any() and difference[2:].min() > 1e-3


@pytest.mark.parametrize("norm", ["layer", "none"])
def test_outputs_do_not_depend_on_the_order_or_the_company_of_samples(make_model, golden, norm):
    model, x = make_model(norm=norm), golden["x_train"][:50]
    order = torch.randperm(50)
    close(model(x[order]), model(x)[order], 1e-6)
    close(model(x[:1]), model(x)[:1], 1e-6)


def test_layer_norm_needs_two_channels(make_model):
    with pytest.raises(ValueError, match="norm='layer' .* needs channels >= 2, got 1"):
        make_model(channels=1)
    assert make_model(channels=1, norm="none")(torch.randn(3, 8)).shape == (3, 8)


@pytest.mark.parametrize("argument", REFERENCE_ONLY)
def test_an_argument_that_only_the_reference_has_is_refused_by_name(make_model, argument):
    with pytest.raises(TypeError, match=f"'{argument}' is an argument of the reference implementation"):
        make_model(**{argument: "on"})


def test_arguments_that_only_the_reference_has_are_accepted_where_they_are_off(make_model, draw):
    without, off = make_model(), make_model(**REFERENCE_ONLY)
    assert torch.equal(without(draw.x_test), off(draw.x_test))


@pytest.mark.parametrize("argument, value", [("checkpoint", 0), ("edge_channels", True), ("edge_channels", 2)])
def test_off_is_a_value_and_not_what_python_takes_for_it(make_model, argument, value):
    with pytest.raises(TypeError, match=f"leave it out or at {REFERENCE_ONLY[argument]}, got {value}"):
        make_model(**{argument: value})


def test_the_reference_only_arguments_are_the_documented_ones():
    documented = {"verbose", "edge_channels", "checkpoint", "norm_first", "node_attn", "edge_weight_dict"}
    assert set(REFERENCE_ONLY) == documented


def test_another_unknown_argument_is_refused_as_pythons_own_functions_do(make_model):
    with pytest.raises(TypeError, match="'chanels' is not an argument of GSNN"):
        make_model(chanels=3)


def test_arguments_up_to_init_may_be_given_by_place_as_in_the_reference(draw):
    def initial(*arguments, **keywords):
        torch.manual_seed(0)
        return GSNN(draw.graph.edge_index_dict, draw.graph.names, *arguments, node_mlp=False, **keywords)

    by_place = initial(4, 2, 0.1, torch.nn.Tanh, False, False, False, "none", "degree_normalized")
    by_name = initial(
        channels=4, layers=2, dropout=0.1, nonlin=torch.nn.Tanh, bias=False, share_layers=False,
        add_function_self_edges=False, norm="none", init="degree_normalized",
    )  # fmt: skip
    assert repr(by_place) == repr(by_name)
    for one, other in zip(by_place.parameters(), by_name.parameters(), strict=True):
        assert torch.equal(one, other)


def test_dropout_acts_in_training_mode_only(make_model, golden):
    model, x = make_model(dropout=0.5), golden["x_train"]
    assert not torch.equal(model(x), model(x))
    model.eval()
    close(model(x), golden["init_output_train"])


def test_dropout_comes_after_the_nonlinearity_so_that_an_activation_is_0_or_scaled(make_model, golden):
    model, first = make_model(dropout=0.5), golden["init_activations_train"][:, 0]
    dropped = model.layer_activations(golden["x_train"])[:, 0]
    kept = dropped != 0
    close(dropped[kept], 2 * first[kept])
    signal = first != 0
    assert 0.4 < kept[signal].float().mean() < 0.6


def test_layers_share_their_maps_unless_told_otherwise(make_model):
    shared, own = make_model(), make_model(share_layers=False)
    assert len({id(block.lin_in.values) for block in shared.ResBlocks}) == 1
    assert len({id(block.lin_in.values) for block in own.ResBlocks}) == 4
    assert len({id(block.node.norm.gamma) for block in shared.ResBlocks}) == 4


def test_a_state_dict_moves_a_model(make_model, golden):
    model, other = make_model(), make_model()
    torch.nn.init.normal_(other.ResBlocks[0].lin_in.values)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(golden["x_test"]), model(golden["x_test"]))


def test_pyg_data_makes_the_same_model_as_the_graph(draw, make_model, golden):
    data = draw.graph.hetero_data()
    torch.manual_seed(0)
    model = GSNN(data.edge_index_dict, data.node_names_dict, channels=8, layers=4, node_mlp=False)
    close(model(golden["x_train"]), golden["init_output_train"])


# Activations


@pytest.mark.parametrize("agg", ["sum", "mean", "max", "last", "all"])
def test_node_activations_join_the_layers_as_asked(model, golden, draw, agg):
    per_layer = golden["init_activations_train"]  # (B, L, N, C)
    activations = model.get_node_activations(golden["x_train"], agg=agg)
    assert list(activations) == draw.graph.function_nodes
    for n, a in enumerate(activations.values()):
        layers = [per_layer[:, layer, n] for layer in range(4)]
        expected = {
            "sum": sum(layers),
            "mean": sum(layers) / 4,
            "max": torch.stack(layers).max(0).values,
            "last": layers[-1],
            "all": torch.cat(layers, dim=1),
        }[agg]
        assert a.shape == (256, 32 if agg == "all" else 8) and not a.requires_grad
        close(a, expected)


def test_node_activations_are_summed_unless_told_otherwise(model, golden):
    x = golden["x_train"]
    assert torch.equal(model.get_node_activations(x)["f_2_1"], model.get_node_activations(x, agg="sum")["f_2_1"])


def test_reading_activations_leaves_no_hook_and_no_change_behind(model, golden):
    before, state = hooks(model), {name: value.clone() for name, value in model.state_dict().items()}
    model.get_node_activations(golden["x_train"], agg="all")
    with pytest.raises(ValueError):
        model.layer_activations(golden["x_train"][:, :3])
    assert hooks(model) == before
    assert model.training and all(torch.equal(value, model.state_dict()[name]) for name, value in state.items())


# What a model is made of stays with it


def other_wiring(draw):
    """The graph with the ends of its function-function edges turned round: as many weights, other meaning."""
    functions = ("function", "to", "function")
    edges = draw.graph.edge_index_dict
    return edges | {functions: edges[functions].flip(0)}


@pytest.mark.parametrize("strict", [True, False])
def test_a_state_dict_of_another_graph_is_refused_before_a_weight_is_read(make_model, draw, strict):
    model, other = make_model(), GSNN(other_wiring(draw), draw.graph.names, channels=8, layers=4, node_mlp=False)
    before = [value.clone() for value in other.parameters()]
    with pytest.raises(ValueError, match="state_dict must be of a GSNN with the same nodes and edges"):
        other.load_state_dict(model.state_dict(), strict=strict)
    assert all(torch.equal(value, old) for value, old in zip(other.parameters(), before))


def test_a_state_dict_without_the_graphs_fingerprint_still_loads(make_model, golden):
    model, other = make_model(), torch.nn.Sequential(make_model())
    torch.nn.init.normal_(model.ResBlocks[0].lin_in.values)
    old = {f"0.{name}": value for name, value in model.state_dict().items() if "_extra_state" not in name}
    assert other.load_state_dict(old).missing_keys == []
    assert torch.equal(other(golden["x_test"]), model(golden["x_test"]))


def test_a_model_comes_back_from_a_file_and_a_copy_as_it_was(model, golden, tmp_path):
    torch.save(model.state_dict(), tmp_path / "model.pt")
    model.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin.load_state_dict(model.state_dict())
        assert torch.equal(twin(golden["x_test"]), model(golden["x_test"]))


def test_a_given_generator_is_the_only_one_that_is_drawn_from(draw):
    before = torch.random.get_rng_state()
    first, second = (
        GSNN(draw.graph.edge_index_dict, draw.graph.names, 4, 2, generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))


def test_a_node_mlp_of_a_given_generator_starts_as_torch_starts_one():
    mlp = NodeMLP(50, 80, torch.nn.ELU, 0.0, torch.Generator().manual_seed(3)).mlp
    for linear, bound in ((mlp[0], 50**-0.5), (mlp[4], 80**-0.5)):
        for parameter in linear.parameters():  # uniform between -bound and bound
            assert -bound <= parameter.min() < -0.8 * bound and 0.8 * bound < parameter.max() <= bound
        assert abs(linear.weight.mean()) < 0.05 * bound
