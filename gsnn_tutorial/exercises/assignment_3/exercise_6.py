"""Exercise 6 of assignment 3: a training run."""

from __future__ import annotations

import copy  # noqa: F401  slips use it and other optimizers

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim import SGD, Adam, AdamW  # noqa: F401

from gsnn_tutorial.exercises.diagnosis import graded
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


@graded("training", cases=small_runs, tolerance=1e-4, probe=losses_and_error, shrinks=False, pairs=False)
def fit(model, x_train, y_train, x_test, y_test, epochs, lr):
    """The loss of every epoch, before its step, and the test error after the last."""
    optimizer, losses = Adam(model.parameters(), lr=lr), []
    model.train()
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x_train), y_train)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        return losses, F.mse_loss(model(x_test), y_test).item()


TRAINED, TESTED, FOUND = "model(x_train), y_train", "model(x_test), y_test", "F.mse_loss(model(x_test), y_test).item()"
START, KEEP = "    optimizer, losses", "losses.append(loss.item())"
STEP = """        optimizer.zero_grad()
        loss = F.mse_loss(model(x_train), y_train)
        loss.backward()
        optimizer.step()
"""
BATCHES = """        for x, y in zip(x_train.split(32), y_train.split(32)):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
"""
fit.slips({
    # the steps
    "gradients pile up from epoch to epoch: optimizer.zero_grad() is missing.": {"optimizer.zero_grad()": None},
    "you trained a copy. The model that you were given is to be trained in place.":
        {START: f"    model = copy.deepcopy(model)\n{START}"},
    "the weights never move: optimizer.step() is missing, or the gradients are cleared before it.":
        {"optimizer.step()": None},
    "you make a new optimizer in every epoch. Adam's averages have to outlive an epoch: make it before the loop.":
        {STEP: "        optimizer = Adam(model.parameters(), lr=lr)\n" + STEP},
    "your optimizer is SGD. Here it is Adam.": {"Adam(": "SGD("},
    "the weights decay. Leave weight_decay at 0, and take Adam, not AdamW.": {"Adam(": "AdamW("},
    "you stepped on batches. Take all training rows together, one step in an epoch.": {STEP: BATCHES},
    "your optimizer does not know lr, and takes its own.": {", lr=lr": ""},
    # the mode
    "the model is tested in training mode, where its norm looks at the other test rows. Call model.eval() first.":
        {"model.eval()": None},
    "the model was trained in the mode in which it came. Call model.train() before the loop.": {"model.train()": None},
    "from the second epoch on the model was trained in evaluation mode. Call model.train() again after a test in the "
    "loop, or test once, at the end.": {KEEP: f"{KEEP}\n        model.eval()"},
    # the loss
    "your squared errors are added up. Take their mean over rows and outputs.":
        {TRAINED: f"{TRAINED}, reduction='sum'", TESTED: f"{TESTED}, reduction='sum'"},
    "your losses are sums of squared errors, your test error is a mean. Both are means over rows and outputs.":
        {TRAINED: f"{TRAINED}, reduction='sum'"},
    "your squared errors are added up over the outputs. Take their mean over rows and outputs.":
        {f"F.mse_loss({TRAINED})": "(model(x_train) - y_train).square().sum(1).mean()",
         f"F.mse_loss({TESTED})": "(model(x_test) - y_test).square().sum(1).mean()"},
    # when, and on which rows
    "your test error is older than the last step. Test the model as it is in the end.":
        {"        loss.backward()": f"        model.eval()\n        error = {FOUND}\n        model.train()\n"
                                   "        loss.backward()", f"return losses, {FOUND}": "return losses, error"},
    "this is an epoch's loss after its step. Keep the one from which the gradients were computed, and run the model on "
    "the training rows once in an epoch.": {KEEP: f"losses.append(F.mse_loss({TRAINED}).item())"},
    "you trained on the test rows too. They are for the end only.":
        {TRAINED: "model(torch.cat([x_train, x_test])), torch.cat([y_train, y_test])"},
    "your test error is one of the training rows.": {TESTED: TRAINED},
    "you report the best test error of all epochs, so the test rows chose the model. Test once, at the end.":
        {START: f"    errors = []\n{START}",
         KEEP: f"{KEEP}\n        model.eval()\n        errors.append({FOUND})\n        model.train()",
         f"losses, {FOUND}": "losses, min(errors)"},
    # what is returned
    "you return the losses only. Return a pair: the losses, and the test error.": {f"losses, {FOUND}": "losses"},
    "your pair is the wrong way round: first the losses, then the test error.":
        {f"losses, {FOUND}": f"{FOUND}, losses"},
    "you return the last loss only. Return a list with the loss of every epoch.":
        {"return losses": "return losses[-1]"},
})  # fmt: skip
