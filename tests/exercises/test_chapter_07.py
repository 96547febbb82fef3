"""Chapter 7: its exercises tell mistakes apart, and its figures draw what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gsnn_tutorial import plots
from gsnn_tutorial.exercises import chapter_7 as checks
from gsnn_tutorial.study.inference import interval, paired_differences, summarize, summarize_by


def test_the_share_of_what_there_was_to_win_by_hand():
    baseline, regularized, oracle = (pd.Series(v) for v in ([0.6, 0.8], [0.5, 0.8], [0.4, 0.6]))
    assert checks.recovered.reference(baseline, regularized, oracle) == pytest.approx(0.05 / 0.2)


@pytest.mark.parametrize(
    ("versus_baseline", "versus_control", "expected"),
    [((-3, -1), (-2, -1), "pathways"), ((-3, -1), (-2, 1), "smoother"), ((-3, 1), (-2, -1), "open"),
     ((1, 3), (-2, -1), "harms")],
)  # fmt: skip
def test_conclusions_by_hand(versus_baseline, versus_control, expected):
    assert checks.conclusion.reference(versus_baseline, versus_control) == expected


@pytest.fixture
def table():
    """Eight seeds at four sizes, with other differences in each."""
    offsets = {(32, 1): (-0.2, -0.1), (64, 1): (-0.2, -0.2), (32, 8): (0.0, 0.0), (64, 8): (0.2, 0.0)}
    rows = []
    for (n, spurious), (regularized, control) in offsets.items():
        for seed in range(8):
            wobble = 0.01 * (seed % 2) - 0.005
            for arm, value in (("baseline", 0.0), ("regularized", regularized + wobble), ("control", control)):
                rows.append({"n_train": n, "n_spurious": spurious, "seed": seed, "arm": arm, "test_mse": 1 + value})
    return pd.DataFrame(rows)


def test_a_summary_by_settings_is_that_of_each_part(table):
    summary = summarize_by(table, ["n_train", "n_spurious"], ["test_mse"])
    assert list(summary)[:2] == ["n_train", "n_spurious"] and len(summary) == 4 * 2
    part = table[(table["n_train"] == 64) & (table["n_spurious"] == 8)]
    of_part = summary[(summary["n_train"] == 64) & (summary["n_spurious"] == 8)]
    alone = summarize(part, ["test_mse"], [("regularized", "baseline"), ("regularized", "control")])
    pd.testing.assert_frame_equal(of_part.iloc[:, 2:].reset_index(drop=True), alone)
    with pytest.raises(ValueError, match="by must be one of"):
        summarize_by(table, "lambda", ["test_mse"])


def test_a_sweep_draws_each_comparison_with_its_intervals(table):
    summary = summarize_by(table[table["n_spurious"] == 1], "n_train", ["test_mse"])
    ax = plots.plot_sweep(summary, "n_train", "test_mse")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["regularized - baseline", "regularized - shuffled control"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["32", "64"]
    band = ax.collections[0].get_paths()[0].vertices  # of the first comparison
    at_first = band[band[:, 0] == band[:, 0].min(), 1]
    low, high = at_first.min(), at_first.max()
    d = paired_differences(
        table[(table["n_train"] == 32) & (table["n_spurious"] == 1)], "test_mse", "regularized", "baseline"
    )
    assert (low, high) == pytest.approx(interval(d))
    assert len({line.get_marker() for line in ax.lines if line.get_label().startswith("regularized")}) == 2
    plt.close(ax.figure)


def test_the_median_of_the_folds_is_not_their_mean():
    def median(errors):
        folds = np.median(errors, 1)
        return np.unravel_index(np.nanargmin(folds), folds.shape)

    for seed in range(5):
        assert "the median of the folds" in checks.choose.diagnose(median, seed)
