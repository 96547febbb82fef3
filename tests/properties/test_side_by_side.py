"""Models side by side, each with a graph and a regularizer of its own, are what each of them is alone.

To the last bit where sums are taken in the same order: the weights after training in float32. (A union adds up its
errors output by output, so that an error itself may differ in the last bit; no gradient does.) In float64 everything
is the same up to rounding. Bits are asked for with tanh: torch may round ELU in the last entries of a tensor otherwise
than before them, and where a model's entries stand depends on its company.
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
    fault,
    gradients,
    make_model,
    memberships,
    normal,
    options,
    pairs_of,
    way,
    wirings,
)

from gsnn_tutorial import PathwayLatentRegularizer, disjoint_union, train
from gsnn_tutorial.study.priors.weights import EdgePenalty, WeightTyingRegularizer
from gsnn_tutorial.wiring import EDGE_TYPES

LAYOUT = "the norm's gradient is added up in the order of its memory, which a neighbour's phi='mean' turns round"

# Some edge enters a function node and some edge leaves one.
WITH_WEIGHTS = wirings().filter(
    lambda w: (
        w.pairs["function", "to", "function"]
        or (w.pairs["input", "to", "function"] and w.pairs["function", "to", "output"])
    )
)
STRENGTHS = st.sampled_from([1.0, 0.25, 1.7])
LAMBDAS = st.sampled_from([0.1, 0.3, 2.3])


@st.composite
def regularizers(draw, wiring: Wiring) -> dict | None:
    """What a regularizer of a model of this graph is made from; any kind, or none."""
    pairs = wiring.pairs["function", "to", "function"]
    between = [(i, j) for i, j in pairs if i != j]
    kinds = [None, "latent", "latent", "latent"] + ["edges", "weights", "norms"] * bool(between)
    kind = draw(st.sampled_from(kinds))
    if kind is None:
        return None
    spec = {"kind": kind, "strength": draw(STRENGTHS), "lambda": draw(LAMBDAS)}
    if kind == "edges":
        chosen = draw(st.lists(st.booleans(), min_size=len(between), max_size=len(between)))
        return spec | {"edges": chosen if any(chosen) else [True] * len(between)}
    signed = draw(st.booleans())
    M = draw(memberships(len(wiring.names["function"]), signed))
    if kind in ("weights", "norms"):
        M[0, list(draw(st.sampled_from(between)))] = 1.0  # a pathway that holds both ends of an edge
        return spec | {"M": M}
    unlike = draw(pairs_of(len(M)))
    return spec | {
        "M": M,
        "pairs": unlike,
        "lambda_dis": draw(LAMBDAS) if unlike else 0.0,
        "phi": draw(st.sampled_from(["mean", "learned"])),
        "eps": draw(st.sampled_from([1e-6, 1e-3])),
        "signed": signed,
        "leave_one_out": draw(st.booleans()),
    }


def make_regularizer(spec, model, seed):
    if spec is None:
        return None
    if spec["kind"] == "edges":
        regularizer = EdgePenalty(model, spec["edges"], spec["lambda"])
    elif spec["kind"] in ("weights", "norms"):
        regularizer = WeightTyingRegularizer(model, spec["M"], spec["lambda"], tie=spec["kind"])
    else:
        generator = torch.Generator().manual_seed(seed)
        regularizer = PathwayLatentRegularizer(
            model, spec["M"], spec["pairs"], spec["lambda"], spec["lambda_dis"], spec["phi"], spec["eps"], generator,
            signed=spec["signed"], leave_one_out=spec["leave_one_out"],
        )  # fmt: skip
    regularizer.strength = spec["strength"]
    return regularizer


@st.composite
def companies(draw, graphs=wirings(), **limits):
    """Graphs, the settings that their models share, and what each one's regularizer is made from."""
    chosen = draw(st.lists(graphs, min_size=1, max_size=4))
    return chosen, draw(options(node_mlp=st.just(False), **limits)), [draw(regularizers(w)) for w in chosen]


class Company:
    """Models, regularizers and data of a company, made anew from the same seed."""

    def __init__(self, company, seed, samples, dtype=torch.float64):
        graphs, settings, specs = company
        self.models = [make_model(w, settings, seed + r, dtype) for r, w in enumerate(graphs)]
        for block in (block for model in self.models for block in model.ResBlocks if block.residual is not None):
            block.residual.weight.data = block.residual.weight.data.float().to(dtype)  # a union holds them in float32
        self.regularizers = [make_regularizer(s, m, seed + r) for r, (s, m) in enumerate(zip(specs, self.models))]
        self.xs, self.ys = (
            [normal(seed + shift + r, samples, len(w.names[t]), dtype=dtype) for r, w in enumerate(graphs)]
            for shift, t in ((10, "input"), (20, "output"))
        )

    def train_alone(self, **settings):
        for model, regularizer, x, y in zip(self.models, self.regularizers, self.xs, self.ys):
            train(model, x, y, regularizer=regularizer, epochs=3, progress=False, **settings)

    def union(self):
        """The union and its regularizer, all of the models' dtype."""
        union, regularizer = disjoint_union(self.models, self.regularizers)
        return union.to(self.xs[0].dtype), regularizer

    def train_together(self, **settings):
        union, regularizer = self.union()
        x, y = torch.cat(self.xs, 1), torch.cat(self.ys, 1)
        train(union, x, y, regularizer=regularizer, epochs=3, progress=False, **settings)
        union.write_back(self.models)

    def states(self):
        return [model.state_dict() for model in self.models]


def rows_of(whole, parts):
    """A tensor of the union cut into pieces like those of its models, which lie one after the other."""
    rows = [part.numel() // max(whole[:1].numel(), 1) for part in parts]
    return [rows.reshape(part.shape) for rows, part in zip(whole.split(rows), parts)]


def gradients_by_name(loss, module):
    names, parameters = zip(*module.named_parameters())
    return dict(zip(names, gradients(loss, parameters)))


def losses_of(model, regularizer, mse):
    """MSE, L_sim and L_dis."""
    return mse, *((torch.zeros_like(mse),) * 2 if regularizer is None else regularizer.loss(model))


@pytest.mark.parametrize("name", WAYS)
@given(company=companies(), seed=SEEDS, samples=st.integers(2, 6))
def test_predictions_losses_and_all_gradients_are_those_of_the_models_alone(name, company, seed, samples):
    parts = Company(company, seed, samples)
    with way(name):
        union, regularizer = parts.union()
        prediction = union(torch.cat(parts.xs, 1))
        losses = losses_of(union, regularizer, union.mse(prediction, torch.cat(parts.ys, 1)))  # (R,) each
        found = gradients_by_name(sum(losses).sum(), union)
        of_scores = [] if regularizer is None else gradients(sum(losses).sum(), regularizer.parameters())  # (R, C) each

        expected = []
        for r, (model, own, x, y) in enumerate(zip(parts.models, parts.regularizers, parts.xs, parts.ys)):
            alone = model(x)
            first = sum(other.shape[1] for other in parts.ys[:r])
            close(prediction[:, first : first + y.shape[1]], alone)
            losses_alone = losses_of(model, own, (alone - y).square().mean())
            for loss, wanted in zip(losses, losses_alone, strict=True):
                close(loss[r], wanted)
            expected.append(gradients_by_name(sum(losses_alone), model))
            if own is not None:  # of one kind of regularizer, so that the rows of the other kinds have no gradient
                wanted = gradients(sum(losses_alone), own.parameters())
                no_score = torch.zeros(1, model.channels, dtype=torch.float64)
                close(sum((gradient[r : r + 1] for gradient in of_scores), no_score), sum(wanted, no_score))
    for name, gradient in found.items():
        wanted = [of_model[name] for of_model in expected]
        for part, one in zip(rows_of(gradient, wanted), wanted, strict=True):
            close(part, one)


SETTINGS = st.sampled_from([{}, {"batch_size": 4}, {"warmup_epochs": 2}])


@examples(0.4)
@given(
    company=companies(WITH_WEIGHTS, norms=["batch", "none"]),
    seed=SEEDS,
    samples=st.sampled_from([8, 10, 14]),
    how=SETTINGS,
)
def test_training_together_gives_the_weights_of_training_alone_to_the_last_bit(company, seed, samples, how):
    company[1]["nonlin"] = torch.nn.Tanh
    alone, together = (Company(company, seed, samples, torch.float32) for _ in range(2))
    alone.train_alone(**how)
    together.train_together(**how)
    for state, wanted in zip(together.states(), alone.states(), strict=True):
        for name in wanted:
            assert torch.equal(state[name], wanted[name]), name


@examples(0.4)
@given(company=companies(WITH_WEIGHTS), seed=SEEDS, samples=st.sampled_from([8, 10, 14]), how=SETTINGS)
def test_training_together_in_float64_gives_the_weights_of_training_alone(company, seed, samples, how):
    alone, together = (Company(company, seed, samples) for _ in range(2))
    alone.train_alone(**how)
    together.train_together(**how)
    for state, wanted in zip(together.states(), alone.states(), strict=True):
        for name in wanted:
            # Adam divides by the size of a gradient, and so magnifies the rounding of one that should be 0.
            close(state[name].double(), wanted[name].double(), 1e-8)


# One example of each fault


CHAIN = Wiring(
    {"input": ["i"], "function": ["f", "g", "h"], "output": ["o"]},
    {
        ("input", "to", "function"): [(0, 0)],
        ("function", "to", "function"): [(0, 1), (1, 2)],
        ("function", "to", "output"): [(2, 0)],
    },
)


@fault("a union's residual weights are float32 whatever its models are")
def test_a_union_has_the_dtype_of_its_models():
    union, _ = disjoint_union([make_model(CHAIN, {"channels": 2, "layers": 1, "node_mlp": False}, seed=0)])
    assert {parameter.dtype for parameter in union.parameters()} == {torch.float64}


@fault("write_back divides by the size of a tensor's first row, also where there is none", IndexError)
def test_models_without_an_edge_from_a_function_node_get_their_weights_back():
    nothing = {edge_type: [] for edge_type in EDGE_TYPES}
    graph = Wiring(CHAIN.names, nothing | {("input", "to", "function"): [(0, 0)]})
    settings = {"channels": 2, "layers": 1, "node_mlp": False, "add_function_self_edges": False}
    models = [make_model(graph, settings, seed) for seed in (0, 1)]
    before = [{name: tensor.clone() for name, tensor in model.state_dict().items()} for model in models]
    union, _ = disjoint_union(models)
    union.write_back(models)
    for model, state in zip(models, before):
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, state[name])


@fault(LAYOUT)
def test_a_model_trains_to_the_same_bits_whether_or_not_its_neighbour_has_a_regularizer():
    settings = {"channels": 4, "layers": 2, "node_mlp": False, "nonlin": torch.nn.Tanh}
    spec = {"kind": "latent", "M": torch.ones(1, 3), "pairs": [], "phi": "mean", "lambda": 1.0, "lambda_dis": 0.0}
    spec |= {"eps": 1e-6, "signed": False, "leave_one_out": False, "strength": 1.0}
    for seed in range(20):
        both = [([CHAIN, CHAIN], settings, [None, other]) for other in (None, spec)]
        without, beside = (Company(company, seed, 10, torch.float32) for company in both)
        without.train_together()
        beside.train_together()
        for name, tensor in without.states()[0].items():
            assert torch.equal(beside.states()[0][name], tensor), name
