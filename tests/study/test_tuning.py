"""Every arm chooses by the same rule, from as many settings, on rows that judge nothing."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.study.arms import ARMS
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.problem import Problem
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.replicas import Replica
from gsnn_tutorial.study.tuning import GRIDS, Tuning, chosen, folds, train_tuned, tuned_columns
from gsnn_tutorial.training import train

SMALL = Problem(K=2, n_func=2, n_spurious=2, n_train=24, n_test=20)
QUICK = Tuning(folds=2, epochs=(2, 4, 6))
RECIPE = Recipe(channels=2, layers=3)


def test_every_arm_chooses_from_as_many_settings():
    sizes = {name: len(Tuning().settings(arm.tunes, Recipe())) for name, arm in ARMS.items()}
    assert set(sizes.values()) == {3}
    with pytest.raises(ValueError, match="grids must have as many settings for every arm"):
        Tuning(grids=GRIDS | {"score": ({"lambda_sim": 1.0},)})


def test_the_lowest_mean_error_is_chosen_and_none_that_diverged():
    errors = np.full((3, 2, 4), 1.0)  # settings, folds, epochs
    errors[1, :, 2] = [0.9, 0.5]  # mean 0.7
    errors[2, :, 3] = [0.1, 0.8]  # mean 0.45
    assert chosen(errors) == (2, 3)
    errors[2, 1, 3] = np.nan
    assert chosen(errors) == (1, 2)


def test_each_row_is_left_out_once_and_groups_stay_together():
    for groups in (None, np.repeat(np.arange(6), 4)):
        parts = folds(24, 3, groups)
        assert sorted(np.concatenate([out for _, out in parts])) == list(range(24))
        for kept, out in parts:
            assert not set(kept) & set(out)
            assert groups is None or not set(groups[kept]) & set(groups[out])


def test_a_tuned_arm_is_what_training_by_hand_gives():
    """The folds, the choice, and the final model of one arm, each trained alone with plain ``train``."""
    draw, settings = SMALL.draw(3), QUICK.settings("decay", RECIPE)

    def alone(setting, rows, x, y, epochs):
        replica = Replica(draw, 3, "baseline", setting, 3, rows=rows)
        curve = []
        for count in epochs:  # anew for each, so that nothing but the number of epochs differs
            model = GSNN(replica.graph.edge_index_dict, replica.graph.names, 2, 3, node_mlp=False,
                         generator=torch.Generator().manual_seed(3))  # fmt: skip
            train(model, *replica.data, epochs=count, lr=setting.lr, weight_decay=setting.weight_decay,
                  progress=False)  # fmt: skip
            with torch.no_grad():
                curve.append(torch.nn.functional.mse_loss(model(x), y).item())
        return curve

    errors = np.array([
        [alone(s, kept, draw.x_train[out], draw.y_train[out], QUICK.epochs) for kept, out in folds(24, 2)]
        for s in settings
    ])  # fmt: skip
    setting, place = np.unravel_index(errors.mean(1).argmin(), (3, 3))
    [row] = train_tuned(threading.Event(), SMALL, ["baseline"], [3], RECIPE, tuning=QUICK)
    assert row["epoch"] == QUICK.epochs[place] and row["weight_decay"] == settings[setting].weight_decay
    assert row["cv_mse"] == pytest.approx(errors[setting, :, place].mean(), rel=1e-5)
    curve = alone(settings[setting], None, draw.x_test, draw.y_test, QUICK.epochs)
    assert [row[f"test_mse@{e}"] for e in QUICK.epochs] == pytest.approx(curve, rel=1e-5)
    assert row["test_mse"] == pytest.approx(curve[place], rel=1e-5)  # the weights of the chosen epoch


def test_test_rows_choose_nothing():
    class Other(Problem):
        def draw(self, seed):
            draw = super().draw(seed)
            return replace(draw, y_test=torch.flip(draw.y_test, (0,)))

    arms = ["baseline", "edge_penalty", "regularized_loo"]
    rows = [train_tuned(threading.Event(), kind(**vars(SMALL)), arms, [1], RECIPE, tuning=QUICK)
            for kind in (Problem, Other)]  # fmt: skip
    for one, other in zip(*rows):
        assert all(one[name] == other[name] for name in ("epoch", "cv_mse", "lambda_sim", "lambda_edge"))
        assert one["test_mse"] != other["test_mse"]


def test_a_tuned_study_grows_a_table_and_goes_on(tmp_path):
    arms, path = ["untrained", "baseline", "recombination", "loo_penalty", "lasso"], tmp_path / "study.csv"
    table = paired_study(SMALL, arms, range(2), recipe=RECIPE, tuning=QUICK, output=path, progress=False)
    assert set(tuned_columns(QUICK)) <= set(table) and len(table) == 10 and not table["diverged"].any()
    again = paired_study(SMALL, arms, range(3), recipe=RECIPE, tuning=QUICK, output=path, resume=True, progress=False)
    assert again.head(10).equals(table) or (again.head(10)["test_mse"] == table["test_mse"]).all()
    with pytest.raises(ValueError, match="another"):
        paired_study(SMALL, arms, range(3), recipe=RECIPE, output=path, resume=True, progress=False)


def test_starts_are_averaged():
    one, two = (train_tuned(threading.Event(), SMALL, ["baseline"], [5], RECIPE, tuning=replace(QUICK, starts=s))[0]
                for s in (1, 2))  # fmt: skip
    assert one["cv_mse"] == two["cv_mse"] and one["test_mse"] != two["test_mse"]


def test_a_tuning_that_cannot_be_is_refused():
    for arguments, message in (
        ({"folds": 1}, "folds must be at least 2"),
        ({"starts": 0}, "starts must be at least 1"),
        ({"epochs": (3, 2)}, "epochs must rise"),
        ({"epochs": ()}, "epochs must rise"),
        ({"grids": {}}, "grids must be for"),
    ):
        with pytest.raises(ValueError, match=message):
            Tuning(**arguments)
