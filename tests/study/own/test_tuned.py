"""Equal tuning on data of one's own: what is chosen is what folds by hand choose, and test rows choose nothing."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import GroupKFold

from gsnn_tutorial.study.own import fitting, tuned
from gsnn_tutorial.study.own.example import write_example
from gsnn_tutorial.study.own.fitting import Settings, errors, fitted
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.paired import OWN_ARMS, paired_comparison, trainings
from gsnn_tutorial.study.own.problem import OwnProblem
from gsnn_tutorial.study.tuning import Tuning
from gsnn_tutorial.study.worked.gcn import GraphConvolutions, gcn_errors
from gsnn_tutorial.training import History

QUICK = Settings(channels=2, epochs=3)
LAYERS = 5
TUNING = Tuning(epochs=(1, 2, 3))


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    return OwnProblem(own_network(**write_example(tmp_path_factory.mktemp("example") / "files")))


@pytest.fixture(scope="module")
def draw(problem):
    return problem.draw(0)


@pytest.fixture(scope="module")
def found(draw):
    return tuned.tuned(draw, QUICK, LAYERS, OWN_ARMS, TUNING)


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
                each.append(errors(model, draw.x_train[left], draw.y_train[left]).mean())
            mean[value, epochs] = np.mean(each)
    value, epochs = min(mean, key=mean.get)
    model, choice = found[arm]
    assert (choice[field], choice["epoch"]) == (value, epochs)
    assert choice["cv_mse"] == pytest.approx(mean[value, epochs], rel=1e-5)
    again = fitted(draw, replace(QUICK, **{field: value}, epochs=epochs), LAYERS, arm)
    assert np.array_equal(errors(model, draw.x_test, draw.y_test), errors(again, draw.x_test, draw.y_test))


def test_test_rows_choose_nothing(draw, found):
    other = replace(draw, x_test=torch.full_like(draw.x_test, torch.nan), y_test=-100 * draw.y_test)
    again = tuned.tuned(other, QUICK, LAYERS, OWN_ARMS, TUNING)
    for arm in OWN_ARMS:
        assert again[arm][1] == found[arm][1]
        for one, two in zip(again[arm][0].parameters(), found[arm][0].parameters()):
            assert torch.equal(one, two)


def test_memory_limits_how_many_are_trained_side_by_side_and_changes_nothing(draw, found, monkeypatch):
    counts = []
    monkeypatch.setattr(tuned, "SIDE_BY_SIDE", 0)
    again = tuned.tuned(draw, QUICK, LAYERS, ["baseline"], TUNING, counts.append)
    assert counts == [1] * TUNING.trainings
    assert again["baseline"][1] == pytest.approx(found["baseline"][1], rel=1e-5)


def test_a_comparison_says_what_was_chosen_and_goes_on(problem, tmp_path):
    def run(seeds, resume, tuning=TUNING):
        return paired_comparison(problem, ["baseline"], seeds, settings=QUICK, tuning=tuning, progress=False,
                                 output=tmp_path / "splits.csv", resume=resume)  # fmt: skip

    run([0], False)
    both = run([0, 1], True)
    pd.testing.assert_frame_equal(both, run([0, 1], False))
    chosen = both[both["arm"] == "baseline"]
    assert chosen[list(tuned.CHOSEN)].notna().all(axis=None) and set(chosen["epoch"]) <= set(TUNING.epochs)
    assert both.loc[both["arm"] == "mean", list(tuned.CHOSEN)].isna().all(axis=None)
    assert "baseline: weight_decay" in tuned.choices_in_words(both, TUNING)
    with pytest.raises(ValueError, match="splits.csv is of another comparison, in the column 'cv_mse'"):
        run([0], True, tuning=None)


def test_every_arm_has_as_many_trainings():
    assert trainings(4, 12, None) == 48 and trainings(4, 12, TUNING) == 48 * (3 * 3 + 1)
    assert tuned.own_tuning(60).epochs == (10, 20, 30, 40, 50, 60) and tuned.own_tuning(2).epochs == (1, 2)


def test_fewer_groups_than_folds_are_refused_in_words(draw):
    few = replace(draw, groups=np.where(np.arange(len(draw.groups)) % 2, "a", "b"))
    with pytest.raises(ValueError, match="needs as many groups of training rows, and there are 2: hold out"):
        tuned.tuned(few, QUICK, LAYERS, ["baseline"], TUNING)


def test_an_interrupted_training_is_nobodys_result(draw, monkeypatch):
    for module in (fitting, tuned):
        monkeypatch.setattr(module, "train", lambda *given, **settings: History(stopped="interrupted"))
    with pytest.raises(KeyboardInterrupt):
        fitted(draw, QUICK, LAYERS)
    with pytest.raises(KeyboardInterrupt):
        tuned.tuned(draw, QUICK, LAYERS, ["baseline"], TUNING)


def test_a_gcn_has_the_map_and_hears_over_as_many_hops_as_it_has_layers(problem, draw):
    graph = problem.network.graph
    model = GraphConvolutions(graph, width=4, layers=2, seed=1)
    x = draw.x_train[:3].clone().requires_grad_()
    G, y = graph.networkx().to_undirected(), model(x)
    assert y.shape == (3, len(graph.output_nodes))
    for k, output in enumerate(graph.output_nodes):
        (gradient,) = torch.autograd.grad(y[:, k].sum(), x, retain_graph=True)
        near = nx.single_source_shortest_path_length(G, output, cutoff=2)
        assert (gradient[0] != 0).tolist() == [name in near for name in graph.input_nodes]
    assert torch.equal(GraphConvolutions(graph, 4, 2, seed=1)(draw.x_test), model(draw.x_test))


def test_a_gcn_chooses_on_training_rows(draw):
    each = gcn_errors(draw, looks=(1, 2), depths=(1, 2))
    other = gcn_errors(replace(draw, y_test=draw.y_test + 100), looks=(1, 2), depths=(1, 2))
    assert each.shape == (draw.y_test.shape[1],) and each.mean() < 3 and (other > 5000).all()
