"""Every exercise accepts its solution, and names the mistake in every wrong answer that it knows."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch

from gsnn_tutorial import checks
from gsnn_tutorial.checks import Exercise

EXERCISES = {
    f"{module.name}.{name}": value
    for module in pkgutil.iter_modules(checks.__path__)
    for name, value in vars(importlib.import_module(f"gsnn_tutorial.checks.{module.name}")).items()
    if isinstance(value, Exercise)
}
SEEDS = range(5)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_is_right_for_every_seed(name):
    exercise = EXERCISES[name]
    assert [exercise.diagnose(exercise.reference, seed) for seed in SEEDS] == [None] * len(SEEDS)


@pytest.mark.parametrize("name", EXERCISES)
def test_every_mistake_gets_its_own_diagnosis(name):
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= 3
    for diagnosis, wrong in exercise.mistakes.items():
        assert [exercise.diagnose(wrong, seed) for seed in SEEDS] == [diagnosis] * len(SEEDS)


@pytest.mark.parametrize("name", EXERCISES)
def test_no_answer_is_told_apart_from_a_wrong_one(name):
    exercise = EXERCISES[name]

    def stub(*arguments):
        raise NotImplementedError

    assert exercise.diagnose(stub) == exercise.diagnose(lambda *arguments: None) == "no answer yet."


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_can_be_read(name, capsys):
    EXERCISES[name].solution()
    assert "return" in capsys.readouterr().out


double = Exercise(
    title="Double",
    reference=lambda x: 2 * x,
    cases=lambda seed: [(torch.arange(3.0) + seed,)],
    mistakes={"you squared: double it.": lambda x: x**2},
)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x + 1, "2 of 3 values differ; the first, at (0,), is 1 and should be 0"),
        (lambda x: (2 * x)[:2], "expected shape (3,), got (2,)"),
        (lambda x: x.missing, "your function raised AttributeError"),
        (lambda: 0, "your function raised TypeError"),
        (np.zeros(3), "takes your function itself; got ndarray"),
        (lambda x: "two", "expected something like"),
    ],
)
def test_an_unknown_mistake_is_described(answer, words):
    assert words in double.diagnose(answer)


def test_another_style_is_right_too(capsys):
    assert double(lambda x: [2 * float(value) for value in x])
    assert double(lambda x: x.mul_(2))  # writes into its argument: its own copy
    assert capsys.readouterr().out == "Double: right.\nDouble: right.\n"
