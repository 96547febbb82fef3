"""What nodes are called and in what order nodes and edges are listed does not matter, if the weights go with them."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, Wiring, close, make_model, memberships, normal, options, pairs_of, wirings

from gsnn_tutorial import PathwayLatentRegularizer


@st.composite
def relabellings(draw, wiring: Wiring):
    """The same graph, nodes and edges listed in another order; and for each type the old place of each new one."""
    old = {t: draw(st.permutations(range(len(names)))) for t, names in wiring.names.items()}
    new = {t: {i: k for k, i in enumerate(places)} for t, places in old.items()}
    names = {t: [wiring.names[t][i] for i in places] for t, places in old.items()}
    pairs = {
        (s, to, t): draw(st.permutations([(new[s][i], new[t][j]) for i, j in pairs]))
        for (s, to, t), pairs in wiring.pairs.items()
    }
    return Wiring(names, pairs), old


def named_edges(wiring, self_edges):
    """Edges by the names of their ends, and whether they are of those that were added, in their order."""
    given = sum(map(len, wiring.pairs.values()))
    edges = wiring.edge_list(self_edges)
    return [(wiring.names[s][i], wiring.names[t][j], k >= given) for k, ((s, i), (t, j)) in enumerate(edges)]


def entering(edges, names):
    return [edge for edge in edges if edge[1] in names]


def leaving(edges, names, channels):
    """(edge, channel) in the order of W_out's weights: node by node, channel by channel, edge by edge."""
    return [(edge, c) for name in names for c in range(channels) for edge in edges if edge[0] == name]


@torch.no_grad()
def give_weights(model, wiring, other, other_wiring, settings, old):
    """Give ``other`` the weights that ``model`` has for the same nodes and edges."""
    C, nodes = settings["channels"], old["function"]
    ours, theirs = (named_edges(w, settings["add_function_self_edges"]) for w in (wiring, other_wiring))
    functions, other_functions = wiring.names["function"], other_wiring.names["function"]

    def places(wanted, listed):
        return [listed.index(one) for one in wanted]

    into = places(entering(theirs, functions), entering(ours, functions))
    out = places(leaving(theirs, other_functions, C), leaving(ours, functions, C))
    edges = places(theirs, ours)
    state = model.state_dict()
    for name, tensor in other.state_dict().items():
        value = state[name]
        if name.endswith("lin_in.values"):
            value = value.view(-1, C)[into].flatten()
        elif name.endswith("lin_out.values"):
            value = value[out]
        elif name.endswith("lin_out.bias"):
            value = value[edges]
        elif name.endswith("lin_in.bias") or (".norm." in name and value.dim()):
            value = value.view(len(nodes), -1)[nodes].reshape(value.shape)
        tensor.copy_(value)


@given(data=st.data(), wiring=wirings(), settings=options(), seed=SEEDS)
def test_another_order_of_nodes_and_edges_permutes_activations_and_changes_no_prediction(data, wiring, settings, seed):
    other_wiring, old = data.draw(relabellings(wiring), label="relabelled")
    model, other = make_model(wiring, settings, seed), make_model(other_wiring, settings, seed + 1)
    give_weights(model, wiring, other, other_wiring, settings, old)
    x = normal(seed + 2, 4, len(old["input"]))
    close(other(x[:, old["input"]]), model(x)[:, old["output"]])
    model.eval(), other.eval()
    close(other(x[:, old["input"]]), model(x)[:, old["output"]])
    close(other.layer_activations(x[:, old["input"]]), model.layer_activations(x)[:, :, old["function"]])


@given(data=st.data(), wiring=wirings(), settings=options(), seed=SEEDS, others=st.booleans())
def test_another_order_of_nodes_and_pathways_does_not_change_the_losses(data, wiring, settings, seed, others):
    other_wiring, old = data.draw(relabellings(wiring), label="relabelled")
    M = data.draw(memberships(len(old["function"]), signed=True), label="M")
    order = data.draw(st.permutations(range(len(M))), label="pathways")
    pairs = data.draw(pairs_of(len(M)), label="pairs")
    other_pairs = [(order.index(p), order.index(q)) for p, q in pairs]
    model, other = make_model(wiring, settings, seed), make_model(other_wiring, settings, seed + 1)
    give_weights(model, wiring, other, other_wiring, settings, old)
    lambdas = {"lambda_sim": 1.0, "lambda_dis": 1.0 if pairs else 0.0, "signed": True, "leave_one_out": others}
    regularizer = PathwayLatentRegularizer(model, M, pairs, **lambdas)
    relabelled = PathwayLatentRegularizer(other, M[order][:, old["function"]], other_pairs, **lambdas)
    x = normal(seed + 2, 6, len(old["input"]))
    model(x), other(x[:, old["input"]])
    for loss, wanted in zip(relabelled.loss(other), regularizer.loss(model)):
        close(loss, wanted)
