"""Every exercise accepts its solution, and names the mistake in every wrong answer that it knows."""

import sys
import warnings

import numpy as np
import pytest
import torch
from all_exercises import EXERCISES

from gsnn_tutorial import exercises as checks
from gsnn_tutorial.exercises import Graded
from gsnn_tutorial.exercises.values import array, plain

SEEDS = range(5)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_is_right_for_every_seed(name):
    exercise = EXERCISES[name]
    assert [exercise.diagnose(exercise.reference, seed) for seed in SEEDS] == [None] * len(SEEDS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("seed", [0, 2026, 3026, 4711, 5711])
def test_no_two_mistakes_give_the_same_and_none_what_is_right(name, seed):
    """So each gets its own diagnosis, on the data of a year and on the hidden ones."""
    exercise = EXERCISES[name]
    assert len(exercise.mistakes) >= 3 + isinstance(exercise, Graded)
    found = {"right": outcomes(exercise, exercise.reference, seed)}
    with np.errstate(all="ignore"):
        for diagnosis, wrong in exercise.mistakes.items():
            given = outcomes(exercise, wrong, seed)
            assert not [other for other, theirs in found.items() if exercise._same(given, theirs)], diagnosis
            found[diagnosis] = given


@pytest.mark.parametrize("name", [name for name, exercise in EXERCISES.items() if exercise.probe is None])
@pytest.mark.parametrize("form", [np.array, torch.tensor, lambda values: np.array(values).tolist()])
def test_results_may_be_arrays_tensors_or_lists(name, form):
    exercise = EXERCISES[name]

    def answer(*case):
        result = plain(exercise.reference(*case))
        if array(result) is None or isinstance(result, tuple):
            return [part if array(part) is None else form(part) for part in result] if type(result) is tuple else result
        return form(result)

    assert exercise.diagnose(answer, 2026) is None


@pytest.mark.parametrize("name", [f"assignment_3.{name}" for name in ("read_in", "hear", "group_norm")]
                         + [name for name in EXERCISES if name.startswith("assignment_4")])  # fmt: skip
@pytest.mark.parametrize("double", [False, True])
def test_an_answer_may_compute_in_either_precision(name, double):
    def answer(*case):
        case = [c.to(torch.double if double else torch.float) if torch.is_tensor(c) and c.is_floating_point() else c
                for c in case]  # fmt: skip
        return EXERCISES[name].reference(*case)

    assert EXERCISES[name].diagnose(answer) is None


@pytest.mark.parametrize("name", EXERCISES)
def test_no_answer_is_told_apart_from_a_wrong_one(name):
    exercise = EXERCISES[name]

    def stub(*arguments):
        raise NotImplementedError

    assert exercise.diagnose(stub) == exercise.diagnose(lambda *arguments: None) == "no answer yet."


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_can_be_read_unless_it_is_graded(name, capsys):
    EXERCISES[name].solution()
    text = capsys.readouterr().out
    assert "is graded" in text and "return" not in text if isinstance(EXERCISES[name], Graded) else "return" in text


def three_numbers(seed):
    return [(torch.arange(3.0) + seed,)]


@checks.exercise("Double", cases=three_numbers)
def double(x):
    return 2 * x


@double.mistake("you squared: double it.")
def squared(x):
    return x**2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x + 1, "at [0] yours is 1, and 0 is right. The smallest case found: x = [0]"),
        (lambda x: (2 * x)[:2], "expected shape (3,), got (2,)"),
        (lambda x: x.missing, "your function raised AttributeError"),
        (lambda: 0, "your function raised TypeError"),
        (np.zeros(3), "takes your function itself; got ndarray"),
        (lambda x: "two", "your answer is a word, 'two', and numbers are asked for"),
        (lambda x: "two" * 100, "a word, '" + ("two" * 26)[:76] + "..."),
    ],
)
def test_an_unknown_mistake_is_described(answer, words):
    assert words in double.diagnose(answer)


def test_another_style_is_right_too(capsys):
    assert double(lambda x: [2 * float(value) for value in x])
    assert double(lambda x: x.mul_(2))  # writes into its argument: its own copy
    assert capsys.readouterr().out == "Double: right.\nDouble: right.\n"


@pytest.mark.parametrize("wrong", [([1.0, 2.0], 3.0), ([torch.ones(1, requires_grad=True)] * 2, 3.0), 3.0])
def test_a_pair_of_unequal_parts_is_compared_part_by_part(wrong):
    @checks.exercise("Pair", cases=three_numbers)
    def pair(x):
        return [0.0, 1.0], 2.0

    assert pair.diagnose(lambda x: ([0.0, 1.0], 2.0)) is None
    assert "raised" not in pair.diagnose(lambda x: wrong)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_mistake_raises_an_error_only_where_that_is_the_mistake(name):
    exercise = EXERCISES[name]
    raised = [type(v).__name__ for m in exercise.mistakes.values() for v in outcomes(exercise, m) if is_error(v)]
    expected = {
        "assignment_3.read_in": {"IndexError"},
        "assignment_3.hear": {"IndexError", "RuntimeError"},
        "assignment_3.layer": {"AttributeError"},
    }
    assert set(raised) == expected.get(name, set())


def is_error(value):
    return isinstance(value, BaseException)


def outcomes(exercise, function, seed=0):
    return exercise._outcomes(function, exercise.cases(seed))


@checks.exercise("Third", cases=three_numbers)
def third(x):
    return x[2]


@third.mistake("the third one has number 2.")
def fourth(x):
    return x[3]


def test_a_mistake_that_raises_is_known_by_its_error():
    assert third.diagnose(lambda x: x[3]) == third.diagnose(lambda x: x.numpy()[3]) == "the third one has number 2."
    assert third.diagnose(lambda x: x[4]).startswith("your function raised IndexError: index 4 is out of bounds")
    assert "your function raised IndexError: list index out of range" in third.diagnose(lambda x: x.tolist()[3])


def test_results_with_names_are_compared_name_by_name():
    @checks.exercise("Named", cases=lambda seed: [(torch.ones(2),)])
    def named(x):
        return {"sum": x.sum(), "all": x}

    assert named.diagnose(lambda x: {"sum": 2.0, "all": x}) is None
    assert named.diagnose(lambda x: {"sum": 3.0, "all": x}) == (
        "sum: yours is 3, and 1 is right. The smallest case found: x = [1]"
    )
    assert named.diagnose(lambda x: {"sum": 2.0, "all": 0 * x}).startswith("all: All your values are 0. 2 of 2 values")
    assert "expected values with the names sum, all, got those of sum." in named.diagnose(lambda x: {"sum": 2.0})


# Grading


@checks.graded("Double", cases=three_numbers)
def graded_double(x):
    return 2 * x


@graded_double.mistake("you squared: double it.")
def squared_when_graded(x):
    return x**2


@graded_double.mistake("you added 2: double it.")
def two_added(x):
    return x + 2


def test_grading_names_the_mistake_and_passes_what_is_right():
    graded_double.grade(lambda x: x + x, 1, hidden=2)
    with pytest.raises(AssertionError, match="Double: you squared"):
        graded_double.grade(lambda x: x * x, 1, hidden=2)


def test_an_answer_that_is_right_on_the_visible_data_only_is_wrong():
    with pytest.raises(
        AssertionError, match="Double: right on the visible data only. On other data: .* yours is 2, and 4 is right"
    ):
        graded_double.grade(lambda x: [2.0, 4.0, 6.0], 1, hidden=2)


def test_grading_is_not_confused_by_what_an_answer_prints_or_warns_of(capfd, recwarn):
    def noisy(x):
        print("hello")
        warnings.warn("careful")
        return 2 * x

    graded_double.grade(noisy, 1, hidden=2)
    assert capfd.readouterr() == ("", "") and not recwarn.list


@checks.exercise("Rows over their spread", cases=lambda seed: [(np.array([[1.0, 1.0], [2.0, 5.0]]),)])
def over_spread(x):
    return x / (x.std(1, keepdims=True) + 1)


over_spread.slips({"you did not add 1 to the spread.": {" + 1": ""}})


def test_a_pupil_sees_no_warning_of_a_mistake_that_the_answer_is_compared_with(recwarn):
    assert "add 1" not in over_spread.diagnose(lambda x: x + 7)
    assert not recwarn.list


def test_an_answer_that_leaves_is_told_so():
    assert "your function raised SystemExit" in double.diagnose(lambda x: sys.exit(1))


def test_a_constant_factor_is_told_where_an_axis_has_length_one():
    cases = [(torch.arange(1.0, 3)[:, None],), (torch.arange(1.0, 13).reshape(4, 3),)]

    @checks.exercise("Rows", cases=lambda seed: cases)
    def rows(x):
        return x.sum(1)

    assert "the right ones times 3" in rows.diagnose(lambda x: 3 * x.sum(1))
