"""Learning curves: errors fall, and rise again, while models are trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from gsnn_tutorial import validate
from gsnn_tutorial.plots.style import axes, tidy
from gsnn_tutorial.study.arms import arm_named

LOOKED_AT = "test_mse@"  # the columns of a tuned study that hold its learning curves


def learning_curves(table: pd.DataFrame) -> pd.DataFrame:
    """The mean test MSE over the seeds, one row per epoch and one column per arm, of a tuned study's table.

    Raises ValueError for a table of a study that tuned nothing, which holds no curves.
    """
    validate.instance("table", table, pd.DataFrame)
    columns = [column for column in table if column.startswith(LOOKED_AT)]
    if not columns:
        raise ValueError(f"table must be that of a tuned study, with columns {LOOKED_AT}EPOCH; it has none")
    trained = table.dropna(subset=columns)
    means = trained.groupby("arm", sort=False)[columns].mean().T
    means.index = pd.Index([int(column.removeprefix(LOOKED_AT)) for column in columns], name="epoch")
    return means


def plot_learning_curves(table: pd.DataFrame, arms: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """The mean test MSE of each arm over the epochs; a tick below marks the median of the epochs that it chose.

    Epochs are chosen inside the training rows, not by these curves. Arms of one colour differ in their dashes, and
    ticks at the same epoch stand one above the other.
    """
    means, ax = learning_curves(table), axes(ax, (7.0, 3.8))
    arms = list(means) if arms is None else validate.ordered("arms", arms)
    colors, ends = Counter(), Counter()
    for name in arms:
        arm = arm_named(validate.choice("arms", name, tuple(means)))
        dashes = [arm.linestyle, (0, (1, 1.5)), (0, (6, 2, 1, 2))][colors[arm.color] % 3]
        style = {"color": arm.color, "marker": arm.marker, "linestyle": dashes, "markersize": 6}
        ax.plot(means.index, means[name], label=arm.words, **style)
        colors[arm.color] += 1
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.15 * (high - low), high)  # room for the ticks
    for name in arms:
        chosen = table.loc[table["arm"] == name, "epoch"].median()
        arm, foot = arm_named(name), 0.07 * ends[chosen]
        style = {"color": arm.color, "marker": arm.marker, "markevery": [1], "linewidth": 2.5}
        ax.plot([chosen, chosen], [foot, foot + 0.05], **style, transform=ax.get_xaxis_transform())
        ends[chosen] += 1
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    ax.set(xlabel="epochs of training", ylabel="test MSE, mean over the seeds")
    return tidy(ax)
