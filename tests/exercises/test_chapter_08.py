"""Chapter 8: its exercises tell mistakes apart, and its figures draw what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from gsnn_tutorial import plots
from gsnn_tutorial.exercises import chapter_8 as checks
from gsnn_tutorial.plots import chapter_8 as figures


def test_half_wrong_by_hand():
    M = np.arange(8.0).reshape(2, 4)
    assert checks.half_wrong.reference(M, np.array([3, 1, 0, 2])).tolist() == [[0, 3, 2, 1], [4, 7, 6, 5]]


def test_the_mean_of_a_step_stands_where_its_splits_say():
    table = pd.DataFrame({"step": ["a", "a", "b"], "test_mse": [0.2, 0.4, 1.0]})
    ax = figures.plot_steps(table)
    bars = [line.get_xdata() for line in ax.lines if line.get_marker() == "|"]
    assert np.allclose(np.concatenate([np.atleast_1d(b) for b in bars]), [0.3, 1.0])
    plt.close("all")


def test_an_output_that_nothing_reaches_is_told_in_words_and_has_no_mark_at_0_layers():
    outputs = pd.DataFrame({"hops": [2.0, np.inf], "farthest": [3.0, np.inf]}, index=["near", "never"])
    ax = figures.plot_hops(outputs)
    assert [(text.get_position()[1], text.get_text()) for text in ax.texts] == [(1, "no input reaches it")]
    assert [list(line.get_ydata()) for line in ax.lines] == [[0], [0]]
    assert plots.style.says_it(ax.yaxis)
    plt.close("all")


def test_a_protein_that_acts_on_a_node_that_nobody_measured_is_an_input():
    def answer(edges, measured):
        acts = [u for u, v in edges if u in measured and v in measured]
        known = {name for edge in edges for name in edge}
        return [(name, "input" if name in acts else "output", name) for name in measured if name in known]

    assert "whatever it acts on" in checks.roles.diagnose(answer)


def test_a_protein_that_acts_and_is_acted_on_stands_there_once():
    def answer(edges, measured):
        rows = []
        for name in measured:
            rows += [(name, "input", name)] * any(u == name for u, _ in edges)
            rows += [(name, "output", name)] * any(v == name for _, v in edges)
        return rows

    assert "stands there twice" in checks.roles.diagnose(answer)
