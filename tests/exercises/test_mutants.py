"""No exercise lets its right answer pass with one thing changed, on any of twenty seeds."""

import numpy as np
import pytest
import torch
from all_exercises import EXERCISES
from mutants import mutants

from gsnn_tutorial.exercises import Exercise, exercise

LONG = {"assignment_3.fit", "assignment_3.layer"}  # a training run takes long; a class is no function
SHORT = sorted(EXERCISES.keys() - LONG)
# Other ways to write the right answer: {exercise: what the changed lines hold}
EQUIVALENT = {
    "chapter_1.layers_needed": ["len(A) + 2"],  # one layer too many to look at
    "chapter_2.mse_floor": ["reach[-1] = 2"],  # a ratio: all routes count double
    "chapter_2.scale_test": ["std - 1e-08"],
    "chapter_3.huber": ["d < 1"],  # square and line meet at 1
    "chapter_4.row_starts": ["cumsum(-1)"],  # of a single axis
    "assignment_1.inside": ["v <= len(shared)"],  # node N is an input, in which no edge ends
    "assignment_2.levels": ["if True"],  # computes again what it knows
    "assignment_3.hear": ["target <= N"],  # no edge ends in an input
    "assignment_3.linear_mse": ["ones(len(x), 2)"],  # two columns of ones fit what one fits
    "chapter_7.choose": ["errors.sum(1)"],  # the smallest sum is the smallest mean
    # to tell these would refuse an eps of rounding, and answers in single precision
    "assignment_4.pull": [">= 1e-06", "1 + s.abs()", "(2 + s", "s.mean(0).square()", "s.sum(0).abs()"],
    "assignment_4.sim_loss": [
        "mean(1)",
        "int(pathway.max()) + 2",
        ".max(1)",
    ],  # means over L and B in turn; an empty row
    # a ratio: the factor cancels; without ``out`` chance decides; norms of what does not vary are 0 too
    "assignment_5.cka": ["mean((2, 3))", "size), where=", "out=norms,", "size) >= 1e-12"],
}


def passes(task: Exercise, answer, seeds) -> list[int]:
    """The seeds on which an answer passes; case by case, for most mutants differ in the first."""
    passed = []
    for seed in seeds:
        cases = task.cases(seed)
        if all(task._same(*(task._outcomes(f, [case]) for f in (answer, task.reference))) for case in cases):
            passed.append(seed)
    return passed


def alive(name: str, seeds, every: int = 1) -> dict[str, list[int]]:
    """{what was changed: the seeds on which it passes} of every ``every``-th mutant that is not called equivalent."""
    torch.set_num_threads(1)
    same = EQUIVALENT.get(name, [])
    with np.errstate(all="ignore"):
        found = [pair for pair in mutants(EXERCISES[name].reference) if not any(part in pair[0] for part in same)]
        passed = {words: passes(EXERCISES[name], mutant, seeds) for words, mutant in found[::every]}
    return {words: seeds for words, seeds in passed.items() if seeds}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SHORT)
def test_a_sample_of_the_mutants_is_refused(name):
    assert alive(name, [0], every=4) == {}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SHORT)
def test_every_mutant_is_refused_on_every_seed_or_is_said_to_be_equivalent(name):
    assert len(list(mutants(EXERCISES[name].reference))) >= 3 or name.endswith("strongest")
    assert alive(name, range(20)) == {}


def test_a_mutant_that_passes_is_found():
    @exercise("Larger", cases=lambda seed: [(1, 2), (3, 2)])  # no case has two that are equal
    def larger(a, b):
        return a if a > b else a + 1 if a == b else b

    passed = [words for words, mutant in mutants(larger.reference) if passes(larger, mutant, [0])]
    assert any("a >= b" in words for words in passed) and not any("a < b" in words for words in passed)
