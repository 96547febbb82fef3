"""The models of exercise 6 of assignment 3, and the part of a training run that is compared."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.graph import pathway_graph
from gsnn_tutorial.gsnn import GSNN


class _Watched(GSNN):
    """A GSNN that keeps how often it ran, how many rows it was trained on at a time, and a parameter without influence.

    Its gradient is 0, so that only a decay of the weights moves it.
    """

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.calls, self.rows, self.idle = 0, [], torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        self.calls += 1
        if self.training:
            self.rows.append(len(x))
        return super().forward(x) + 0 * self.idle


def small_runs(seed):
    """A small GSNN whose norm is another one in training than in evaluation; it comes in either mode.

    The second case's test rows obey the opposite of its training rows, so that training makes the test error worse.
    In double precision: Adam divides a gradient by its size, and would make rounding errors large.
    """
    rng = np.random.default_rng(seed)
    graph = pathway_graph(K=2, n_in=2, n_func=1, n_out=1).with_spurious_edges(2, seed=seed)
    cases = []
    for k, (epochs, lr) in enumerate([(3, 0.05), (5, 0.1)]):
        start = torch.Generator().manual_seed(seed + k)
        how = {"norm": "batch", "node_mlp": False, "bias": False, "generator": start}
        model = _Watched(graph.edge_index_dict, graph.names, channels=3, layers=1, **how).double()
        x = torch.tensor(rng.standard_normal((85, 4)))  # more training rows than a usual batch
        y = torch.stack([x[:, 0].tanh() + x[:, 1], x[:, 2] * x[:, 3]], dim=1)
        y = y + 0.5 + 0.3 * torch.tensor(rng.standard_normal(y.shape))
        y_test = y[72:] if k == 0 else -y[72:]
        cases.append((model.train(k == 1), x[:72], y[:72], x[72:], y_test, epochs, lr))
    return cases


def losses_and_error(result, model, x_train, y_train, x_test, *case):
    """A pair by its parts, or in a word what was done to the model; anything else as it is."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return result
    if not model.calls and len(result[0]) == case[1]:  # a loss for each epoch, of which this model knows nothing
        return "a copy"
    if any(rows < len(x_train) and rows != len(x_test) for rows in model.rows):
        return "batches"
    if model.idle != 1:
        return "decay"
    parts = [one_list(*(part if isinstance(part, (tuple, list)) else [part])).squeeze() for part in result]
    return dict(zip(("the losses", "the test error"), parts))


def one_list(*values) -> torch.Tensor:
    """Numbers, lists and tensors of any shape, one after the other, in double precision and without gradients."""
    parts = [torch.as_tensor(value, dtype=torch.float64).detach().flatten() for value in values]
    return torch.cat([torch.zeros(0, dtype=torch.float64), *parts])
