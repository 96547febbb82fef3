"""Exercise 6 of assignment 3: a training run."""

from __future__ import annotations

import copy  # noqa: F401  slips use it and other optimizers

import torch
import torch.nn.functional as F
from torch.optim import SGD, Adam, AdamW  # noqa: F401

from gsnn_tutorial.exercises.assignment_3.exercise_6_cases import losses_and_error, small_runs
from gsnn_tutorial.exercises.diagnosis import graded


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
