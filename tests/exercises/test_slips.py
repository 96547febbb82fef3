"""Mistakes that are edits: an edit that does not fit is refused, and two at once are named if no other pair fits."""

import copy
import sys

import numpy as np
import pytest
import torch
from all_exercises import EXERCISES

from gsnn_tutorial.exercises import exercise
from gsnn_tutorial.exercises.slips import Source


def numbers(seed):
    rng = np.random.default_rng(seed)
    return [(rng.uniform(1, 2, n),) for n in (3, 5)]


def factorial(n):
    return n * factorial(n - 1) if n > 1 else 1


@torch.no_grad()
def halved(x):
    return x / 2


class Shift:
    """A number that is added."""

    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return x + self.by


class Twice(Shift):
    def __call__(self, x):
        return super().__call__(super().__call__(x))


@exercise("Spread", cases=numbers, helpers=(halved, factorial))
def spread(x):
    """A text with x.mean() in it."""
    centred = x - x.mean()
    # three times two
    scale = factorial(3)
    return halved(centred**2) * scale


spread.slips({"do not centre.": {"centred = x - x.mean()": "centred = x"}})
spread.slips({
    "the square is missing.": {"**2": ""},
    "half is enough.": {"x / 2": "x / 4"},
    "it ends with 1.": {"else 1": "else 2"},
    "the scale is missing.": {" * scale": "", "scale = factorial(3)": None, "# three": None},
})  # fmt: skip


@spread.mistake("all 0.")
def nothing(x):
    return 0 * x


def by_hand(x, centre=True, power=2, half=2, scale=6):
    return (x - x.mean() * centre) ** power / half * scale


@pytest.mark.parametrize(
    ("how", "diagnosis"),
    [
        ({"centre": False}, "do not centre."),
        ({"power": 1}, "the square is missing."),
        ({"half": 4}, "half is enough."),
        ({"scale": 12}, "it ends with 1."),
        ({"scale": 1}, "the scale is missing."),
        ({"scale": 0}, "all 0."),
        ({"centre": False, "power": 1}, "First: do not centre. Second: the square is missing."),
        ({"power": 1, "scale": 12}, "First: the square is missing. Second: it ends with 1."),
    ],
)
def test_one_slip_or_two_are_named(how, diagnosis):
    two = "two things are wrong at once. " if "Second" in diagnosis else ""
    for seed in range(3):
        assert spread.diagnose(lambda x: by_hand(x, **how), seed) == two + diagnosis


@exercise("Add", cases=numbers)
def add(x):
    return x + 10 + 20 + 30 + 40


add.slips({"12.": {"10": "12"}, "23.": {"20": "23"}, "31.": {"30": "31"}, "44.": {"40": "44"}})


def test_two_slips_are_named_only_if_just_one_pair_explains_the_answer():
    assert add.diagnose(lambda x: x + 106) == "two things are wrong at once. First: 12. Second: 44."
    assert add.diagnose(lambda x: x + 103) == "23."  # as 12. and 31. together do
    assert "two things" not in add.diagnose(lambda x: x + 105)  # 12. and 23., or 31. and 44.


def test_two_slips_are_named_only_if_other_data_agree_and_nothing_raises():
    seen = iter([by_hand(case[0], power=1, scale=12) for case in numbers(0)])
    assert "two things" not in spread.diagnose(lambda x: next(seen, x))
    assert spread.diagnose(lambda x: x.nothing).startswith("your function raised AttributeError")


def test_two_slips_are_not_named_for_an_answer_that_is_always_the_same():
    @exercise("Sum", cases=numbers)
    def total(x):
        return 1 * x.sum() + 0

    total.slips({"times 0.": {"1 * ": "0 * "}, "one more.": {"+ 0": "+ 1"}})
    assert total.diagnose(lambda x: 0) == "times 0." and "two things" not in total.diagnose(lambda x: 1)


def test_pairs_can_be_switched_off():
    quick = copy.deepcopy(spread)
    object.__setattr__(quick, "pairs", False)
    assert "two things" in spread.diagnose(lambda x: by_hand(x, power=1, scale=12))
    assert "two things" not in quick.diagnose(lambda x: by_hand(x, power=1, scale=12))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"x.median()": "x"}, "must change what stands in it; got 'x.median()'"),
        ({"centred": "centred"}, "must change what stands in it"),
        ({"": "x"}, "must change what stands in it"),
        ({}, "must change each of its places once"),
        ({"x.mean()": "x.sum()", "x - x.mean()": "x"}, "must change each of its places once"),
        ({"(centred": "centred"}, "is no Python"),
        ({"return halved": None, "centred =": None, "scale =": None, '"""': None}, "is no Python"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_when_the_exercise_is_written(edit, words):
    with pytest.raises(ValueError, match="spread") as error:
        spread.slips({"new.": edit})
    assert words in str(error.value) and "new." not in spread.mistakes


def test_a_diagnosis_stands_for_one_mistake_only():
    with pytest.raises(ValueError, match="two mistakes have the diagnosis 'all 0.'"):
        spread.slips({"all 0.": {"**2": ""}})


def test_a_helper_of_another_file_or_inside_a_function_is_refused():
    factor = 2

    def inside(x):
        return factor * x

    for part in (inside, np.median):
        with pytest.raises(ValueError, match="must be at the top of the file"):
            exercise("Any", cases=numbers, helpers=(part,))(by_hand).slips({"any.": {"power": "half"}})


def test_a_class_may_be_the_right_answer_or_a_helper():
    assert Source(Twice).slip({"super().__call__(super().__call__(x))": "super().__call__(x)"})(3)(1) == 4
    made = Source(shifted, helpers=(Shift,)).slip({"x + self.by": "x - self.by"})
    assert made(3)(1) == -2 and type(made(3)) is not Shift and type(made(3)).__module__ == __name__


def shifted(by):
    return Shift(by)


def test_a_slip_outlives_the_import_of_its_file(monkeypatch):
    """A grader's kernel imports the files again before each test, and a pupil may hold the old ones."""
    slip = Source(Twice).slip({"super().__call__(super().__call__(x))": "super().__call__(x)"})
    monkeypatch.delitem(sys.modules, __name__)
    assert slip(3)(1) == 4


def test_an_exercise_may_be_copied():
    twin = copy.deepcopy(spread)
    assert twin.diagnose(lambda x: by_hand(x, power=1, scale=12)) == spread.diagnose(
        lambda x: by_hand(x, power=1, scale=12)
    )


def test_the_solution_has_no_decorator_that_makes_an_exercise_of_it(capsys):
    spread.solution()
    assert capsys.readouterr().out.startswith("def spread(x):")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EXERCISES)
def test_two_slips_of_an_exercise_get_no_other_pair_s_name_and_pass_only_if_they_give_what_is_right(name):
    """The pairs of an exercise that has some: at most twelve of them."""
    task = EXERCISES[name]
    pairs = list(task._pairs.items()) if task.pairs else []
    with np.errstate(all="ignore"):
        for words, both in pairs[:: len(pairs) // 12 + 1]:
            found = task.diagnose(both)
            if found is None:
                cases = task.cases(0)
                assert task._same(task._outcomes(both, cases), task._outcomes(task.reference, cases))
            elif found.startswith("two things are wrong at once. "):
                assert found == words
