"""The flows of the reference's first two tutorials run here when their imports are changed."""

import networkx as nx
import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, nx2pyg, simulate
from gsnn_tutorial.attribution import NodeAlone

INPUTS, OUTPUTS = ["in0", "in1", "in2"], ["out0", "out1", "out2"]
FUNCTIONS = [f"func{i}" for i in range(5)]
SPECIAL = {  # of plain Python and NumPy, for one sample at a time
    "func0": lambda x: np.mean([xx**2 for xx in x]),
    "func1": lambda x: -np.mean(x),
    "func2": lambda x: np.sum([np.exp(xx) for xx in x]),
    "func3": lambda x: -np.mean(x) if all(xx > 0 for xx in x) else np.mean(x),
}


def test_a_chain_of_two_functions_predicts():
    G = nx.DiGraph([("in0", "func0"), ("func0", "func1"), ("func1", "out0")])
    data = nx2pyg(G, ["in0"], ["func0", "func1"], ["out0"])
    model = GSNN(
        edge_index_dict=data.edge_index_dict, node_names_dict=data.node_names_dict, channels=3, layers=4
    )  # fmt: skip
    x = torch.randn((10, len(data.node_names_dict["input"])))
    assert model(x).shape == (10, 1)
    source, target = model.ResBlocks[0].lin_in.indices.numpy()
    assert len(source) == len(target) == 4 * 3  # the chain's two edges into functions, and two self-loops


def five_functions():
    """The graph, and data with next to no noise."""
    torch.manual_seed(0)
    np.random.seed(0)
    G = nx.DiGraph()
    G.add_edges_from([("in0", "func0"), ("in1", "func1"), ("in2", "func2")])
    G.add_edges_from([("func0", "func3"), ("func1", "func4"), ("func2", "func3")])
    G.add_edges_from([("func3", "out0"), ("func4", "out1"), ("func3", "out2")])
    parts = simulate(
        G, n_train=500, n_test=100, input_nodes=INPUTS, output_nodes=OUTPUTS, special_functions=SPECIAL,
        noise_scale=0.001,
    )  # fmt: skip
    return G, [torch.tensor(part, dtype=torch.float32) for part in parts]


def test_five_functions_are_learned_with_adamw_and_a_node_taken_out_is_the_function_that_made_the_data():
    G, (x_train, x_test, y_train, y_test) = five_functions()
    data = nx2pyg(G, INPUTS, FUNCTIONS, OUTPUTS)
    model = GSNN(
        data.edge_index_dict, data.node_names_dict, channels=20, layers=2, share_layers=False, bias=True,
        add_function_self_edges=False, checkpoint=False, norm="none", init="degree_normalized", residual=True,
        node_attn=False, dropout=0.0,
    )  # fmt: skip
    optim, crit = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2), torch.nn.MSELoss()
    for _ in range(300):
        model.train()
        optim.zero_grad()
        loss = crit(y_train, model(x_train))
        loss.backward()
        optim.step()
    model.eval()
    with torch.no_grad():
        assert crit(y_test, model(x_test)) < 0.2 * y_test.var()
    values = torch.linspace(-2, 2, 41)[:, None]
    learned = NodeAlone(model, "func2", layer=1)(values)[:, 0].numpy()
    made = [SPECIAL["func2"](value) for value in values.numpy()]
    assert abs(np.corrcoef(learned, made)[0, 1]) > 0.95


@pytest.mark.parametrize("name", SPECIAL)
def test_functions_of_plain_python_are_applied_sample_by_sample(name):
    G = nx.DiGraph([("a", name), ("b", name), (name, "y")])
    x, _, y, _ = simulate(G, 5, 1, ["a", "b"], ["y"], special_functions={name: SPECIAL[name]}, noise_scale=0.0, seed=0)
    np.testing.assert_allclose(y[:, 0], [SPECIAL[name](row) for row in x])
