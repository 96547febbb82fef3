"""What a pupil hears when no known mistake agrees, and what counts as an answer at all."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from gsnn_tutorial import exercises as checks
from gsnn_tutorial.exercises import chapter_1, chapter_7, chapter_8


def matrices(seed):
    rng = np.random.default_rng(seed)
    return [(rng.uniform(1, 2, (B, 3)), rng.uniform(1, 2, 3)) for B in (4, 6)]


@checks.exercise("Scaled", cases=matrices, axes=("sample", "node"))
def scaled(x, w):
    return x * w


def cut_off(x, w):
    return (x * w).astype(int)


def one_row_wrong(x, w):
    y = x * w
    y[0] += w
    return y


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, w: 3 * x * w, "Your values are the right ones times 3."),
        (lambda x, w: -x * w, "The sign is turned everywhere."),
        (lambda x, w: x * w / len(x), "times 1 / n, n the length of axis 0 of x."),
        (lambda x, w: x * w * (len(x) - 1) / len(x), "times (n - 1) / n, n the length of axis 0 of x."),
        (lambda x, w: x * w + 0.5, "Your values are all above the right ones by 0.5."),
        (cut_off, "The fractions are cut off"),
        (one_row_wrong, "Only the first row is wrong."),
        (lambda x, w: (x * w)[::-1], "The first axis runs backwards."),
        (lambda x, w: (x * w)[:, [1, 0, 2]], "The columns are right, but stand in another order."),
        (lambda x, w: np.where(x * w > 2, np.nan, x * w), "Your values are NaN where"),
        (lambda x, w: (x * w).T, "expected shape (4, 3) (a place for each sample, a place for each node), got (3, 4)"),
        (lambda x, w: (x * w)[None], "an axis of length 1 is too many"),
        (lambda x, w: [None] * len(x), "there is a None among your values"),
        (lambda x, w: x.undefined, "in the line `(lambda x, w: x.undefined"),
    ],
)
def test_the_pattern_of_the_wrong_values_is_named(answer, words):
    assert words in scaled.diagnose(answer)


def test_the_case_is_small_and_its_inputs_are_shown():
    assert scaled.diagnose(lambda x, w: x + w).endswith("The smallest case found: x = [[2]]; w = [1.9]")


def test_a_number_has_digits_until_it_differs():
    @checks.exercise("Number", cases=lambda seed: [("a", 0.0)], tolerance=1e-9)
    def number(name, x):
        return -0.6374 + x

    said = number.diagnose(lambda name, x: -0.63740001 + x)
    assert "yours is -0.63740001, and -0.6374 is right" in said or "-0.6374000" in said


def test_a_graph_is_shown_by_its_edges():
    edges = torch.tensor([[0, 1], [1, 2]])

    @checks.exercise("Degree", cases=lambda seed: [(edges, 3)])
    def degree(edge_index, N):
        return torch.bincount(edge_index[0], minlength=N)

    assert "edge_index = edges 0 -> 1, 1 -> 2; N = 3" in degree.diagnose(
        lambda edge_index, N: torch.bincount(edge_index[1], minlength=N)
    )


def test_an_answer_that_changes_or_prints_is_neither_disturbed_nor_heard_again(capsys):
    def loud(x, w):
        print("hello")
        return x + w

    scaled.diagnose(loud)
    assert capsys.readouterr().out == "hello\nhello\n"  # once for each case, and not while a smaller one is looked for


def best_setting_then_its_best_epoch(errors):
    mean = errors.mean(1)
    setting = int(np.nanargmin(mean.mean(1)))
    return setting, int(np.nanargmin(mean[setting]))


def first_one_left_alone(M, order):
    chosen, wrong = order[: M.shape[1] // 2], M.copy()
    for node, before in zip(chosen[1:], chosen):
        wrong[:, node] = M[:, before]
    return wrong


def test_what_is_said_of_the_wrong_values_is_true_of_the_case_that_is_shown():
    said = chapter_7.choose.diagnose(best_setting_then_its_best_epoch)
    assert "Counts" not in said
    said = chapter_8.half_wrong.diagnose(first_one_left_alone)
    assert "values that should be 0 are wrong" not in said or "and 0 is right" in said


def part_of_a_longer_name(pathways, nodes):
    return [[int(name in " ".join(members)) for name in nodes] for members in pathways]


def test_one_wrong_value_on_the_diagonal_is_there_by_chance():
    assert "diagonal" not in chapter_1.membership_from_sets.diagnose(part_of_a_longer_name)


def test_a_factor_that_the_small_case_has_not_is_not_told():
    @checks.exercise("Mean", cases=lambda seed: [(np.random.default_rng(seed).uniform(1, 2, (5, 8)),)])
    def mean(x):
        return x.mean(0)

    said = mean.diagnose(lambda x: x.sum(0) / x.shape[1])
    assert "times 0.625" not in said
    assert "of shape" not in said


def test_two_values_do_not_run_backwards():
    @checks.exercise("Two", cases=lambda seed: [(np.array([[1.0, 2.0], [3.0, 5.0]]),)])
    def two(x):
        return 2 * x

    assert "The columns are right, but stand in another order." in two.diagnose(lambda x: 2 * x[:, ::-1])


def test_a_wrong_shape_is_shown_with_its_values_and_names_the_axis_that_is_missing():
    @checks.exercise("Scores", cases=lambda seed: [(np.arange(6.0).reshape(2, 3),)])
    def scores(x):
        return x

    said = scores.diagnose(lambda x: x[0])
    assert "axis 0, of length 2, is missing (yours: [0, 1, 2]; right: [[0, 1, 2], [3, 4, 5]])" in said


def test_a_pair_in_the_wrong_order_or_without_its_other_half_is_told_what_is_right():
    @checks.exercise("Pair", cases=lambda seed: [(np.arange(81.0).reshape(9, 9),)])
    def pair(x):
        return x.min(), x.max()

    assert pair.diagnose(lambda x: (x.max(), x.min())).endswith("in the wrong order: expected (0.0, 80.0)")
    said = pair.diagnose(lambda x: x.max())
    assert "expected 2 values, (0.0," in said and "of shape" not in said


def test_of_a_large_table_the_first_row_is_shown():
    @checks.exercise("Table", cases=lambda seed: [(np.arange(80.0).reshape(20, 4),)], shrinks=False)
    def total(x):
        return x.sum()

    assert total.diagnose(lambda x: 0.0).endswith("x = [[0, 1, 2, 3], ...], 20 x 4")


# Rows of words


@checks.exercise("Rows", cases=lambda seed: [([("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")],)])
def rows(edges):
    return [(u, "to", v) for u, v in edges]


def test_rows_of_words_may_be_lists():
    assert rows.diagnose(lambda edges: [[u, "to", v] for u, v in edges]) is None
    assert rows.diagnose(lambda edges: [(u, "to") for u, v in edges]) is not None


def test_the_first_row_of_words_that_differs_is_shown_in_a_small_case():
    said = rows.diagnose(lambda edges: [(u, "from" if v == "d" else "to", v) for u, v in edges])
    assert said.startswith("at [0] yours is ('c', 'from', 'd'), and ('c', 'to', 'd') is right. The smallest case")
    said = rows.diagnose(lambda edges: [(u, "to", v) for u, v in edges if v != "d"])
    assert said.startswith("yours has 0 rows, and 1 are right; at [0] yours has none, and ('c', 'to', 'd') is right")


def test_a_function_among_the_arguments_has_its_name():
    def contrast(x):
        return x

    @checks.exercise("Called", cases=lambda seed: [({"a": contrast}, 2.0)], shrinks=False)
    def called(functions, x):
        return functions["a"](x)

    assert "functions = {'a': contrast}; x = 2.0" in called.diagnose(lambda functions, x: 3.0)


# Understood


@pytest.mark.parametrize(
    "style",
    [
        pd.DataFrame,
        sparse.csr_matrix,
        lambda y: torch.tensor(y).to_sparse(),
        lambda y: torch.tensor(y).to_sparse_csr(),
        lambda y: {k: row for k, row in enumerate(y)}.values(),
        lambda y: [torch.tensor(row, requires_grad=True) for row in y],
        lambda y: [[np.array(value) for value in row] for row in y],
        lambda y: (row for row in y),
        lambda y: y + 0j,
        lambda y: y.astype(object),
    ],
)
def test_what_says_the_right_thing_is_right_in_whatever_type(style):
    assert scaled.diagnose(lambda x, w: style(x * w)) is None


@pytest.mark.parametrize("style", [lambda y: y + 1j, lambda y: y.astype(str), lambda y: [str(v) for v in y]])
def test_numbers_that_are_words_or_complex_are_not_right(style):
    assert scaled.diagnose(lambda x, w: style(x * w)) is not None


def test_words_are_compared_as_words():
    @checks.exercise("Word", cases=lambda seed: [(1,), (-1,)])
    def word(x):
        return "gain" if x > 0 else "loss"

    assert word.diagnose(lambda x: np.str_("gain" if x > 0 else "loss")) is None
    assert word.diagnose(lambda x: np.array("gain" if x > 0 else "loss")) is None
    said = word.diagnose(lambda x: "gain")
    assert (
        said == "your answer is 'gain', and 'loss' is right (1 of 2 cases are wrong). The smallest case found: x = -1"
    )


# Not there yet


def stub(x, w):
    """What it is to do."""
    raise NotImplementedError("later")


def emptied(x, w):
    """What it is to do."""
    ...


def test_a_stub_is_no_answer_yet():
    for function in (stub, emptied, lambda x, w: None):
        assert scaled.diagnose(function) == "no answer yet."


def worked_on(x, w):
    y = x * w
    print(y)
    raise NotImplementedError


def forgotten(x, w):
    x * w


def shown_only(x, w):
    print(x * w)


def sometimes(x, w):
    if len(x) > 4:
        return x * w


def test_a_forgotten_return_is_told_so(capsys):
    assert "`raise NotImplementedError` still stands" in scaled.diagnose(worked_on)
    assert scaled.diagnose(forgotten).startswith("your function returned nothing (None): end it with `return`")
    assert "printed" not in scaled.diagnose(forgotten) and "printed" in scaled.diagnose(shown_only)
    assert "a path through it ends without `return` (1 of 2 cases are wrong)" in scaled.diagnose(sometimes)
    assert capsys.readouterr().out.count("[[") == 4


# Draws


def test_unseeded_answers_are_told_the_same_each_time_and_the_pupils_generators_stay_where_they_are():
    def draws(x, w):
        return np.random.randn(*x.shape) + np.random.default_rng().normal() + torch.rand(()).item()

    np.random.seed(3), torch.manual_seed(3)
    expected = np.random.rand(), torch.rand(()).item()
    np.random.seed(3), torch.manual_seed(3)
    assert scaled.diagnose(draws) == scaled.diagnose(draws)
    assert (np.random.rand(), torch.rand(()).item()) == expected


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, w: (x * w).astype(complex) + 1j, "ndarray of shape (6, 3) of complex numbers"),
        (lambda x, w: np.full(x.shape, None), "ndarray of shape (6, 3) of other things than numbers"),
        (lambda x, w: [[10**400] * 3 for _ in x], "expected numbers of shape"),
        (lambda x, w: np.ones((3, 4)) * 1j, "expected numbers of shape"),
        (lambda x, w: [[1.0], [1.0, 2.0]], "expected numbers of shape"),
    ],
    ids=["complex", "objects", "too large for a float", "complex and turned", "ragged"],
)
def test_what_is_no_array_of_real_numbers_is_told_so_and_ends_in_no_error(answer, words):
    assert words in whole.diagnose(answer)


def test_halves_are_numbers_like_any_other():
    assert scaled.diagnose(lambda x, w: torch.tensor(x * w).to(torch.bfloat16)).startswith("at [0, ")


@checks.exercise("Whole", cases=lambda seed: matrices(seed)[1:], shrinks=False)
def whole(x, w):
    return x * w
