"""Measured data, tuned: folds by hand choose the same, test rows choose nothing, and an interrupted study goes on."""

import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import GroupKFold

from gsnn_tutorial.study import replicas
from gsnn_tutorial.study.arms import OWN_ARMS
from gsnn_tutorial.study.own.example import write_example
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.rivals import USUAL_RIVALS
from gsnn_tutorial.study.own.splits import OwnProblem
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.recipe import OWN_RECIPE
from gsnn_tutorial.study.replicas import fitted, output_errors
from gsnn_tutorial.study.tuning import Tuning, own_tuning, train_tuned, trainings
from gsnn_tutorial.training import History

QUICK = replace(OWN_RECIPE, channels=2, epochs=3)
LAYERS = 5
TUNING = Tuning(epochs=(1, 2, 3))


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    return OwnProblem(own_network(**write_example(tmp_path_factory.mktemp("example") / "files")))


@pytest.fixture(scope="module")
def draw(problem):
    return problem.draw(0)


def tuned(problem, arms=OWN_ARMS, tuning=TUNING):
    rows = train_tuned(threading.Event(), problem, arms, [0], replace(QUICK, layers=LAYERS), measures=(), tuning=tuning)
    return {row["arm"]: row for row in rows}


@pytest.fixture(scope="module")
def found(problem):
    return tuned(problem)


@pytest.mark.parametrize("arm", ["baseline", "control_loo"])
def test_the_choice_is_that_of_folds_by_hand(draw, found, arm):
    field, values = {"baseline": ("weight_decay", (1e-5, 1e-4, 1e-3)), "control_loo": ("lambda_sim", (0.1, 0.3, 1.0))}[
        arm
    ]
    mean = {}
    for value in values:
        for epochs in (1, 2, 3):
            setting, each = replace(QUICK, **{field: value}, epochs=epochs), []
            for kept, left in GroupKFold(3).split(draw.x_train, groups=draw.groups):
                part = replace(draw, x_train=draw.x_train[kept], y_train=draw.y_train[kept], groups=draw.groups[kept])
                model = fitted(part, setting, LAYERS, arm)
                each.append(output_errors(model, draw.x_train[left], draw.y_train[left]).mean())
            mean[value, epochs] = np.mean(each)
    value, epochs = min(mean, key=mean.get)
    assert (found[arm][field], found[arm]["epoch"]) == (value, epochs)
    assert found[arm]["cv_mse"] == pytest.approx(mean[value, epochs], rel=1e-5)
    again = fitted(draw, replace(QUICK, **{field: value}, epochs=epochs), LAYERS, arm)
    each = output_errors(again, draw.x_test, draw.y_test)
    assert [found[arm][f"mse: {name}"] for name in draw.graph.output_nodes] == pytest.approx(each.tolist(), rel=1e-5)
    assert found[arm]["test_mse"] == pytest.approx(each.mean(), rel=1e-5)


def test_test_rows_choose_nothing(problem, found):
    class Other(OwnProblem):
        def draw(self, seed):
            draw = super().draw(seed)
            return replace(draw, x_test=torch.flip(draw.x_test, (0,)), y_test=-100 * draw.y_test)

    again = tuned(Other(problem.network))
    for arm in OWN_ARMS:
        assert again[arm]["test_mse"] > 1000 > found[arm]["test_mse"]
        assert [again[arm][name] for name in ("epoch", "weight_decay", "lambda_sim", "cv_mse")] == [
            found[arm][name] for name in ("epoch", "weight_decay", "lambda_sim", "cv_mse")
        ]


def test_memory_limits_how_many_are_trained_side_by_side_and_changes_nothing(problem, found, monkeypatch):
    counts, real = [], replicas.disjoint_union
    monkeypatch.setattr(
        replicas, "disjoint_union", lambda models, rest: counts.append(len(models)) or real(models, rest)
    )
    monkeypatch.setattr("gsnn_tutorial.study.tuning.seeds_per_block", lambda *given: 1)
    again = tuned(problem, ["baseline"])
    assert counts == [1] * TUNING.trainings
    assert again["baseline"]["cv_mse"] == pytest.approx(found["baseline"]["cv_mse"], rel=1e-5)


def test_a_study_of_measured_data_has_rivals_choices_and_each_outputs_error_and_goes_on(problem, tmp_path):
    def run(seeds, resume, tuning=TUNING, test=0.2):
        return paired_study(replace(problem, test=test), [*USUAL_RIVALS, "baseline"], seeds, recipe=QUICK, n_jobs=1,
                            tuning=tuning, progress=False, output=tmp_path / "splits.csv", resume=resume)  # fmt: skip

    run([0], False)
    both = run([0, 1], True)
    pd.testing.assert_frame_equal(both, run([0, 1], False))
    assert list(both)[:3] == ["seed", "arm", "test_mse"] and list(both["arm"][:3]) == [*USUAL_RIVALS, "baseline"]
    each = both[[f"mse: {name}" for name in problem.graph.output_nodes]]
    np.testing.assert_allclose(each.mean(axis=1), both["test_mse"], rtol=1e-6)
    chosen = both[both["arm"] == "baseline"]
    names = ["epoch", "weight_decay", "lambda_sim", "lambda_edge", "cv_mse"]
    assert chosen[names].notna().all(axis=None) and set(chosen["epoch"]) <= set(TUNING.epochs)
    assert both.loc[both["arm"] != "baseline", names].isna().all(axis=None)
    more = run([1, 2], True)
    pd.testing.assert_frame_equal(more[more["seed"] == 1], both[both["seed"] == 1].reset_index(drop=True))
    assert set(pd.read_csv(tmp_path / "splits.csv")["seed"]) == {0, 1, 2}  # seeds that were left out stay
    with pytest.raises(ValueError, match="other arms or metrics"):
        run([0, 1], True, tuning=None)
    with pytest.raises(ValueError, match="another problem or recipe, with problem.test = 0.2 and not 0.4"):
        run([0, 1], True, test=0.4)


def test_training_stops_at_the_chosen_epoch_where_nobody_draws_a_curve(problem, monkeypatch):
    trained, real = [], replicas.train
    monkeypatch.setattr(
        replicas, "train", lambda *given, **more: trained.append(more["epochs"]) or real(*given, **more)
    )
    row = tuned(problem, ["baseline"], replace(TUNING, epochs=(1, 40)))["baseline"]
    assert trained[-1] == row["epoch"] and set(trained[:-1]) == {40}


def test_every_arm_has_as_many_trainings():
    assert trainings(4, 12, None) == 48 and trainings(4, 12, TUNING) == 48 * (3 * 3 + 1)
    assert own_tuning(60).epochs == (10, 20, 30, 40, 50, 60) and own_tuning(2).epochs == (1, 2)


def test_fewer_groups_than_folds_are_refused_in_words(problem):
    class Few(OwnProblem):
        def draw(self, seed):
            draw = super().draw(seed)
            return replace(draw, groups=np.where(np.arange(len(draw.groups)) % 2, "a", "b"))

    with pytest.raises(ValueError, match="needs as many groups of training rows, and there are 2: hold out"):
        tuned(Few(problem.network), ["baseline"])


def test_an_interrupted_training_is_nobodys_result(problem, draw, monkeypatch):
    monkeypatch.setattr(replicas, "train", lambda *given, **settings: History(stopped="interrupted"))
    with pytest.raises(KeyboardInterrupt):
        fitted(draw, QUICK, LAYERS)
    with pytest.raises(KeyboardInterrupt):
        tuned(problem, ["baseline"])
