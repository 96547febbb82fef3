"""Measured data as a problem: whole groups, fair scaling, controls that know the graph; and the untuned study."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from gsnn_tutorial.exercises import chapter_8 as checks
from gsnn_tutorial.study.arms import OWN_ARMS, without_edges_between
from gsnn_tutorial.study.inference import summarize
from gsnn_tutorial.study.metrics import Subject, measure
from gsnn_tutorial.study.own.asked import asked_inputs, heard, restricted_errors
from gsnn_tutorial.study.own.example import write_example
from gsnn_tutorial.study.own.hepatocytes import hepatocytes
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.rivals import USUAL_RIVALS, group_folds, group_mean
from gsnn_tutorial.study.own.splits import OwnProblem, scaled
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.priors.memberships import connected_membership
from gsnn_tutorial.study.priors.weights import edges_outside
from gsnn_tutorial.study.problem import Drawn, Problem, stream
from gsnn_tutorial.study.recipe import OWN_RECIPE, Recipe
from gsnn_tutorial.study.replicas import Replica, fitted, output_errors

QUICK = replace(OWN_RECIPE, channels=2, layers=3, epochs=1)


@pytest.fixture(scope="module")
def own():
    return own_network(**hepatocytes())


def test_a_split_holds_out_whole_combinations_as_the_exercise_does(own):
    for seed in range(3):
        rows, test_rows = OwnProblem(own).split(seed)
        assert sorted([*rows, *test_rows]) == list(range(len(own.x)))
        groups = own.groups.to_numpy()
        assert not set(groups[rows]) & set(groups[test_rows])
        codes, names = pd.factorize(groups)
        order = stream(seed, "data").permutation(len(names))
        assert np.flatnonzero(checks.held_out.reference(codes, 0.2, order)).tolist() == test_rows.tolist()


def test_the_same_seed_draws_the_same_and_another_one_another(own):
    one, again, other = (OwnProblem(own).draw(seed) for seed in (0, 0, 1))
    assert torch.equal(one.x_train, again.x_train) and torch.equal(one.shuffled, again.shuffled)
    assert not torch.equal(one.shuffled, other.shuffled)
    assert one.test_rows.tolist() != other.test_rows.tolist()
    assert np.isnan(one.floor) and len(one.groups) == len(one.x_train)


def test_outputs_are_scaled_by_training_rows_and_inputs_of_0_and_1_stay(own):
    draw = OwnProblem(own).draw(0)
    assert draw.y_train.mean(0).abs().max() < 1e-5 and draw.y_train.std(0).sub(1).abs().max() < 1e-5
    assert set(draw.x_train.unique().tolist()) == {0.0, 1.0}
    train, test = scaled(torch.tensor([[5.0], [5.0]]), torch.tensor([[7.0]]))
    assert train.tolist() == [[0.0], [0.0]] and test.tolist() == [[2.0]]


def test_the_connected_control_is_connected_overlaps_freely_and_is_no_set(own):
    G, graph = own.graph.networkx().to_undirected(), own.graph
    M, true = connected_membership(graph, 0), graph.membership()
    assert M.sum(1).tolist() == true.sum(1).tolist()
    import networkx as nx

    for row, given in zip(M, true):
        members = [graph.function_nodes[i] for i in row.nonzero().flatten()]
        assert nx.is_connected(G.subgraph(members)) and not torch.equal(row, given)


def test_a_study_takes_measured_data_and_refuses_what_needs_a_truth(tmp_path):
    problem = OwnProblem(own_network(**write_example(tmp_path / "files")))
    assert isinstance(problem, Drawn) and (problem.n_function, problem.hops) == (16, problem.network.depth)
    assert problem.n_train == len(problem.draw(0).x_train) == 192
    path = tmp_path / "study.csv"

    def run(arms=None, **more):
        return paired_study(problem, arms, [0], recipe=QUICK, output=path, n_jobs=1, progress=False, **more)

    table = run()
    assert table["arm"].tolist() == [*USUAL_RIVALS, *OWN_ARMS] and table["test_mse"].notna().all()
    assert not {"floor", "diverged", "cka_gap"} & set(table)
    assert len(summarize(table, ["test_mse"], [("regularized_loo", "baseline")])) == 1
    before = path.read_bytes()
    for arm in ("oracle", "regularized_held_out", "control_held_out"):
        with pytest.raises(ValueError, match=f"arms: '{arm}' needs the true pathways"):
            run(["baseline", arm])
    with pytest.raises(ValueError, match="measures: 'leakage' needs the true pathways"):
        run(["baseline"], measures="attribution")
    assert path.read_bytes() == before


def test_no_metric_takes_sets_that_someone_believes_for_the_truth(own):
    draw = OwnProblem(own).draw(0)
    model = Replica(draw, 0, "untrained", QUICK, 2).model
    with pytest.raises(ValueError, match="'leakage' needs the true pathways"):
        measure(Subject(model, draw.graph, draw), "attribution")  # it would be 0, as every node has pathway 0


def test_a_rival_has_a_row_of_a_simulated_problem_too():
    problem, arms = Problem(n_train=32, n_test=40), ["baseline", "mean", "pairwise ridge"]
    table = paired_study(problem, arms, [0], recipe=Recipe(epochs=2), progress=False).set_index("arm")
    assert table["test_mse"].notna().all() and (table["floor"] == table["floor"].iloc[0]).all()
    assert table.loc["mean", "test_mse"] == pytest.approx(problem.draw(0).y_test.square().mean().item(), rel=1e-5)
    assert table["cka_gap"].notna().tolist() == [True, False, False]


def test_n_train_is_the_fewest_rows_of_any_split(own):
    problem = OwnProblem(own)
    rows = [len(problem.split(seed)[0]) for seed in range(20)]
    assert problem.n_train <= min(rows) and problem.n_train > 0.9 * np.mean(rows)


def test_members_of_opposite_signs_are_members_all_the_same(own):
    draw = OwnProblem(own).draw(0)
    M = torch.ones(2, len(draw.graph.function_nodes))
    M[1, ::2] = -1.0  # one set holds all nodes with one sign, another with both: products cancel, membership does not
    assert without_edges_between(replace(draw, membership=M)).edges == draw.graph.edges
    functions = draw.graph.edge_index_dict["function", "to", "function"]
    assert not edges_outside(functions, M).any()


def test_signed_sets_train_in_every_arm(own):
    M = own.membership.copy()
    M.loc["NFKB", "ikb"] = -1.0
    signed = own_network(**hepatocytes() | {"sets": M.stack()[lambda w: w != 0].rename_axis(["set", "member"])
                                            .rename("weight").reset_index()})  # fmt: skip
    assert signed.membership.loc["NFKB", "ikb"] == -1
    table = paired_study(OwnProblem(signed), OWN_ARMS, [0], recipe=QUICK, progress=False)
    assert np.isfinite(table["test_mse"]).all()


@pytest.mark.parametrize("arm", ["lasso", "recombination", "edge_penalty", "loo_penalty"])
def test_arms_that_use_weights_or_data_run_on_own_data_too(own, arm):
    draw = OwnProblem(own).draw(0)
    models = (fitted(draw, QUICK, own.depth, name) for name in ("baseline", arm))
    plain, other = (output_errors(model, draw.x_test, draw.y_test) for model in models)
    assert np.isfinite(other).all() and (other != plain).any()


def test_what_reaches_an_output_is_what_the_report_says(own):
    told = heard(own.graph)
    for name, row in own.outputs.iterrows():
        missing = set(filter(None, row["not from"].split(", ")))
        inputs = {u for u in told[name] if "=" not in u}
        assert not inputs & missing and len(inputs) == row["inputs"]


def test_the_data_ask_for_the_input_that_makes_an_output():
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.integers(0, 2, (120, 4)), columns=list("abcd"))
    y = pd.DataFrame({"y": x["a"] + 2.0 * x["c"] + 0.1 * rng.normal(size=120)})
    asked = asked_inputs(x, y, range(120), {"y": ["a"]})
    assert asked[["input", "output"]].to_numpy().tolist() == [["c", "y"]]
    lost, kept = (restricted_errors(x, y, range(120), {"y": list(t)})["y"] for t in ("a", "ac"))
    assert kept < 0.05 < 0.5 < lost and asked["gain"].item() == pytest.approx(lost - kept, abs=0.1)


def test_folds_hold_whole_groups_and_are_even():
    groups = np.repeat(np.arange(10), 3)
    fold = group_folds(groups, 5, 0)
    assert all(len(set(fold[groups == g])) == 1 for g in range(10))
    assert np.bincount(fold).tolist() == [6] * 5


def test_the_mean_of_a_category_is_that_of_its_training_rows():
    x, y = [[1, 0], [1, 0], [0, 1]], [[1.0], [3.0], [8.0]]
    assert group_mean(x, y, [[1, 0], [0, 1], [0, 0]]).tolist() == [[2.0], [8.0], [4.0]]
