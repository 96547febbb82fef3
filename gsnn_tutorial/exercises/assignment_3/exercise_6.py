"""Exercise 6 of assignment 3: a training run."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch.optim import SGD, Adam, AdamW

from gsnn_tutorial.exercises.assignment_3.exercise_6_cases import losses_and_error, small_runs
from gsnn_tutorial.exercises.diagnosis import graded


@graded("training", cases=small_runs, tolerance=1e-4, probe=losses_and_error, shrinks=False)
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


# What is right in most mistakes


def step(optimizer, loss):
    """One step down a loss; its value, which is that before the step."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def trained(optimizer, model, x, y, epochs):
    """Training with an optimizer: the loss of every epoch."""
    model.train()
    return [step(optimizer, F.mse_loss(model(x), y)) for _ in range(epochs)]


def tested(model, x, y):
    """The MSE in evaluation mode, in which the model is left."""
    model.eval()
    return F.mse_loss(model(x), y).item()


# The steps


@fit.mistake("gradients pile up from epoch to epoch: optimizer.zero_grad() is missing.")
def gradients_pile_up(model, x_train, y_train, x_test, y_test, epochs, lr):
    optimizer, losses = Adam(model.parameters(), lr=lr), []
    model.train()
    for _ in range(epochs):
        loss = F.mse_loss(model(x_train), y_train)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, tested(model, x_test, y_test)


@fit.mistake("you trained a copy. The model that you were given is to be trained in place.")
def trained_a_copy(model, *case):
    return fit.reference(copy.deepcopy(model), *case)


@fit.mistake("the weights never move: optimizer.step() is missing, or the gradients are cleared before it.")
def no_step(model, x_train, y_train, x_test, y_test, epochs, lr):
    model.train()
    losses = [F.mse_loss(model(x_train), y_train).item() for _ in range(epochs)]
    return losses, tested(model, x_test, y_test)


@fit.mistake(
    "you make a new optimizer in every epoch. Adam's averages have to outlive an epoch: make it before the loop."
)
def optimizer_in_the_loop(model, x_train, y_train, x_test, y_test, epochs, lr):
    losses = []
    model.train()
    for _ in range(epochs):
        optimizer = Adam(model.parameters(), lr=lr)
        losses.append(step(optimizer, F.mse_loss(model(x_train), y_train)))
    return losses, tested(model, x_test, y_test)


@fit.mistake("your optimizer is SGD. Here it is Adam.")
def by_sgd(model, x_train, y_train, x_test, y_test, epochs, lr):
    losses = trained(SGD(model.parameters(), lr=lr), model, x_train, y_train, epochs)
    return losses, tested(model, x_test, y_test)


@fit.mistake("the weights decay. Leave weight_decay at 0, and take Adam, not AdamW.")
def by_adamw(model, x_train, y_train, x_test, y_test, epochs, lr):
    losses = trained(AdamW(model.parameters(), lr=lr), model, x_train, y_train, epochs)
    return losses, tested(model, x_test, y_test)


@fit.mistake("you stepped on batches. Take all training rows together, one step in an epoch.")
def by_batches(model, x_train, y_train, x_test, y_test, epochs, lr):
    optimizer, losses = Adam(model.parameters(), lr=lr), []
    model.train()
    for _ in range(epochs):
        for x, y in zip(x_train.split(32), y_train.split(32)):
            loss = step(optimizer, F.mse_loss(model(x), y))
        losses.append(loss)
    return losses, tested(model, x_test, y_test)


@fit.mistake("your optimizer does not know lr, and takes its own.")
def lr_ignored(model, x_train, y_train, x_test, y_test, epochs, lr):
    losses = trained(Adam(model.parameters()), model, x_train, y_train, epochs)
    return losses, tested(model, x_test, y_test)


# The mode


@fit.mistake(
    "the model is tested in training mode, where its norm looks at the other test rows. Call model.eval() first."
)
def tested_in_training_mode(model, x_train, y_train, x_test, y_test, epochs, lr):
    losses = trained(Adam(model.parameters(), lr=lr), model, x_train, y_train, epochs)
    return losses, F.mse_loss(model(x_test), y_test).item()


@fit.mistake("the model was trained in the mode in which it came. Call model.train() before the loop.")
def mode_as_it_came(model, x_train, y_train, x_test, y_test, epochs, lr):
    optimizer = Adam(model.parameters(), lr=lr)
    losses = [step(optimizer, F.mse_loss(model(x_train), y_train)) for _ in range(epochs)]
    return losses, tested(model, x_test, y_test)


@fit.mistake(
    "from the second epoch on the model was trained in evaluation mode. Call model.train() again after a test in "
    "the loop, or test once, at the end."
)
def mode_of_the_last_test(model, x_train, y_train, x_test, y_test, epochs, lr):
    optimizer, losses = Adam(model.parameters(), lr=lr), []
    model.train()
    for _ in range(epochs):
        losses.append(step(optimizer, F.mse_loss(model(x_train), y_train)))
        error = tested(model, x_test, y_test)
    return losses, error


# The loss


def summed(prediction, y):
    return (prediction - y).square().sum()


def summed_over_outputs(prediction, y):
    return (prediction - y).square().sum(1).mean()


def trained_on(loss, model, x, y, epochs, lr):
    """Training on a loss of one's own: its value in every epoch."""
    optimizer = Adam(model.parameters(), lr=lr)
    model.train()
    return [step(optimizer, loss(model(x), y)) for _ in range(epochs)]


@fit.mistake("your squared errors are added up. Take their mean over rows and outputs.")
def added_up(model, x_train, y_train, x_test, y_test, epochs, lr):
    losses = trained_on(summed, model, x_train, y_train, epochs, lr)
    return losses, summed(model.eval()(x_test), y_test).item()


@fit.mistake("your losses are sums of squared errors, your test error is a mean. Both are means over rows and outputs.")
def losses_added_up(model, x_train, y_train, x_test, y_test, epochs, lr):
    losses = trained_on(summed, model, x_train, y_train, epochs, lr)
    return losses, tested(model, x_test, y_test)


@fit.mistake("your squared errors are added up over the outputs. Take their mean over rows and outputs.")
def outputs_added_up(model, x_train, y_train, x_test, y_test, epochs, lr):
    losses = trained_on(summed_over_outputs, model, x_train, y_train, epochs, lr)
    return losses, summed_over_outputs(model.eval()(x_test), y_test).item()


# When, and on which rows


@fit.mistake("your test error is older than the last step. Test the model as it is in the end.")
def tested_before_the_step(model, x_train, y_train, x_test, y_test, epochs, lr):
    optimizer, losses = Adam(model.parameters(), lr=lr), []
    for _ in range(epochs):
        model.train()
        loss = F.mse_loss(model(x_train), y_train)
        error = tested(model, x_test, y_test)
        losses.append(step(optimizer, loss))
    return losses, error


@fit.mistake(
    "this is an epoch's loss after its step. Keep the one from which the gradients were computed, and run the "
    "model on the training rows once in an epoch."
)
def loss_after_the_step(model, x_train, y_train, x_test, y_test, epochs, lr):
    optimizer, losses = Adam(model.parameters(), lr=lr), []
    model.train()
    for _ in range(epochs):
        step(optimizer, F.mse_loss(model(x_train), y_train))
        losses.append(F.mse_loss(model(x_train), y_train).item())
    return losses, tested(model, x_test, y_test)


@fit.mistake("you trained on the test rows too. They are for the end only.")
def trained_on_all_rows(model, x_train, y_train, x_test, y_test, epochs, lr):
    x, y = torch.cat([x_train, x_test]), torch.cat([y_train, y_test])
    return fit.reference(model, x, y, x_test, y_test, epochs, lr)


@fit.mistake("your test error is one of the training rows.")
def tested_on_training_rows(model, x_train, y_train, x_test, y_test, epochs, lr):
    return fit.reference(model, x_train, y_train, x_train, y_train, epochs, lr)


@fit.mistake("you report the best test error of all epochs, so the test rows chose the model. Test once, at the end.")
def best_of_all_epochs(model, x_train, y_train, x_test, y_test, epochs, lr):
    optimizer, losses, errors = Adam(model.parameters(), lr=lr), [], []
    for _ in range(epochs):
        losses += trained(optimizer, model, x_train, y_train, epochs=1)
        errors.append(tested(model, x_test, y_test))
    return losses, min(errors)


# What is returned


@fit.mistake("you return the losses only. Return a pair: the losses, and the test error.")
def losses_only(*case):
    losses, _ = fit.reference(*case)
    return losses


@fit.mistake("your pair is the wrong way round: first the losses, then the test error.")
def wrong_way_round(*case):
    losses, error = fit.reference(*case)
    return error, losses


@fit.mistake("you return the last loss only. Return a list with the loss of every epoch.")
def last_loss_only(*case):
    losses, _ = fit.reference(*case)
    _, error = fit.reference(*case)  # a second run, of the model as the first has left it
    return losses[-1], error
