"""The paired study: complete, reproducible, and honest about what went wrong."""

import pandas as pd
import pytest
import torch

from gsnn_tutorial import Problem, train
from gsnn_tutorial.evaluation import mse
from gsnn_tutorial.priors.weights import edges_outside
from gsnn_tutorial.study import paired as study_module
from gsnn_tutorial.study.metrics import MEASURES
from gsnn_tutorial.study.paired import ARMS, COLUMNS, EVERY_ARM, Recipe, seeds_per_block, study

SMALL = Problem(n_train=48, n_test=40)
SHORT = Recipe(epochs=6)


def run(seeds=(0, 1, 2), **options):
    return study(SMALL, seeds=seeds, recipe=SHORT, progress=False, **options)


def test_one_row_for_every_seed_and_arm_with_every_metric():
    table = run(seeds=[4, 2])
    assert list(zip(table["seed"], table["arm"])) == [(s, a) for s in (4, 2) for a in ARMS]
    metrics = table.drop(columns=["seed", "arm", "diverged"])
    spurious = [column for column in metrics if "spurious" in column]
    assert metrics.drop(columns=[*spurious, "cka_gap_told"]).notna().all(axis=None)
    assert set(table.loc[table["cka_gap_told"].notna(), "arm"]) == {"regularized", "control"}
    assert table.set_index("arm").loc["oracle", spurious].isna().all(axis=None)  # it has none
    assert not table["diverged"].any()


@pytest.mark.parametrize("options", [{"block": 1}, {"block": 2, "n_jobs": 1}, {"block": 3, "n_jobs": 2}])
def test_block_size_and_jobs_do_not_change_a_bit(options):
    pd.testing.assert_frame_equal(run(**options), run(block=1, n_jobs=1), check_exact=True)


def test_thread_count_does_not_change_a_bit():
    threads = torch.get_num_threads()
    try:
        tables = []
        for count in (1, 2):
            torch.set_num_threads(count)
            tables.append(run(n_jobs=1))
        pd.testing.assert_frame_equal(*tables, check_exact=True)
    finally:
        torch.set_num_threads(threads)


def test_an_arm_is_the_same_in_any_company():
    alone, together = run(arms=["control"]), run()
    expected = together[together["arm"] == "control"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected, check_exact=True)


def test_arms_of_a_seed_share_data_and_start_and_seeds_do_not():
    first, other = (study_module.run_block(SMALL, ["untrained", "baseline"], [s], Recipe(epochs=1, lr=0.0), "cpu", 1)
                    for s in (0, 1))  # fmt: skip
    untrained, baseline = (dict(row, arm="") for row in first)
    assert untrained == baseline  # a learning rate of 0 leaves the shared start
    assert first[0]["test_mse"] != other[0]["test_mse"]


def test_the_csv_holds_the_finished_blocks_when_a_study_is_interrupted(tmp_path, monkeypatch):
    real = study_module.run_block

    def interrupted(problem, arms, seeds, *rest):
        if 2 in seeds:
            raise KeyboardInterrupt
        return real(problem, arms, seeds, *rest)

    monkeypatch.setattr(study_module, "run_block", interrupted)
    with pytest.warns(UserWarning, match="2 finished seeds of 3"):
        table = run(block=1, n_jobs=1, output=tmp_path / "study.csv")
    assert sorted(set(table["seed"])) == [0, 1]
    stored = pd.read_csv(tmp_path / "study.csv")
    pd.testing.assert_frame_equal(stored, table, check_exact=False)


def test_a_diverged_arm_is_named_and_has_no_metrics(monkeypatch):
    real = study_module.Replica.__init__

    def poisoned(self, draw, seed, name, *rest):
        real(self, draw, seed, name, *rest)
        if (seed, name) == (1, "control"):
            with torch.no_grad():
                self.model.ResBlocks[0].lin_out.values[0] = float("inf")

    clean = run(seeds=[0, 1])
    monkeypatch.setattr(study_module.Replica, "__init__", poisoned)
    with pytest.warns(UserWarning, match="control"):
        table = run(seeds=[0, 1])
    lost = (table["seed"] == 1) & (table["arm"] == "control")
    assert table.loc[lost, "diverged"].all()
    assert table.loc[lost, ["test_mse", "cka_gap"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(table[~lost], clean[~lost], check_exact=True)


def test_the_global_generators_are_left_alone():
    before = torch.get_rng_state()
    run(seeds=[0])
    assert torch.equal(before, torch.get_rng_state())


def test_blocks_shrink_as_models_grow():
    large = Problem(K=16, n_func=8, n_train=4096)
    assert (
        seeds_per_block(SMALL, SHORT, 5) > seeds_per_block(Problem(), SHORT, 5) > seeds_per_block(large, SHORT, 5) == 1
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arms": ["baseline", "magic"]}, "magic"),
        ({"arms": ["baseline", "baseline"]}, "each once"),
        ({"seeds": 5}, r"range\(5\)"),
        ({"seeds": [1, 1]}, "each once"),
        ({"seeds": []}, "at least one"),
        ({"seeds": [-1]}, "seeds"),
        ({"block": 0}, "block"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"recipe": Recipe(layers=2)}, "layers must be at least 3"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        study(SMALL, progress=False, **options)


@pytest.mark.parametrize("bad", [{"phi": "max"}, {"epochs": 0}, {"lambda_sim": -1.0}, {"channels": 1}, {"layers": 0}])
def test_a_recipe_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Recipe(**bad)


def test_each_arm_is_given_its_graph_and_told_its_pathways():
    draw = SMALL.draw(0)
    told = {"regularized": draw.graph.membership(), "control": draw.shuffled}
    for arm in ARMS:
        replica = study_module.Replica(draw, 0, arm, SHORT, 4)
        edges = replica.model.edge_index_dict["function", "to", "function"].shape[1]
        assert edges == (8 if arm == "oracle" else 16)
        assert (replica.regularizer is not None) == (arm in told)
        if arm in told:
            node, pathway = replica.regularizer.membership.indices
            assert torch.equal(told[arm].argmax(0)[node], pathway)


def test_no_arm_beats_the_noise_floor_by_more_than_luck():
    table = study(Problem(), seeds=[0], recipe=Recipe(epochs=150), progress=False)
    trained = table[table["arm"] != "untrained"]
    assert (trained["test_mse"] > 0.95 * trained["floor"]).all() and (trained["floor"] > 0.2).all()


def test_an_interrupt_is_passed_on_to_the_blocks_that_still_run(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    heard = []
    monkeypatch.setattr(study_module, "run_block", interrupted)
    monkeypatch.setattr(study_module._STOP, "set", lambda: heard.append("stop"))
    with pytest.warns(UserWarning, match="0 finished seeds of 3"):
        run(block=1, n_jobs=1)
    assert heard == ["stop"]


@pytest.mark.filterwarnings("ignore:training interrupted")
def test_a_block_that_hears_of_an_interrupt_ends_and_leaves_no_trace(monkeypatch):
    monkeypatch.setattr(study_module._STOP, "is_set", lambda: True)
    with pytest.raises(KeyboardInterrupt):
        study_module.run_block(SMALL, ["baseline"], [0], SHORT, "cpu", 1)
    assert study_module._RUNNING == []


# The further arms


def replica(arm, draw, recipe=SHORT):
    return study_module.Replica(draw, draw.seed, arm, recipe, 4)


def test_every_arm_runs_beside_every_other_and_is_the_same_alone():
    together = run(seeds=[1], arms=list(EVERY_ARM))
    assert list(together["arm"]) == list(EVERY_ARM) and together["test_mse"].notna().all()
    assert together["test_mse"].nunique() == len(EVERY_ARM) - 1  # pruned is the oracle where pathways are disjoint
    for arm in ("edge_penalty", "weight_tying_norms", "adjacency"):
        expected = together[together["arm"] == arm].reset_index(drop=True)
        pd.testing.assert_frame_equal(run(seeds=[1], arms=[arm]), expected, check_exact=True)


def test_held_out_arms_are_not_told_of_the_hidden_members():
    draw = SMALL.draw(2)
    for arm, truth in (("regularized_held_out", draw.membership), ("control_held_out", draw.shuffled)):
        told = replica(arm, draw).membership
        assert told[:, draw.hidden].sum() == 0 and draw.hidden.sum() == 4
        assert torch.equal(told[:, ~draw.hidden], truth[:, ~draw.hidden])


def test_penalties_are_of_the_edges_that_the_pathways_do_not_hold():
    draw = SMALL.draw(2)
    chosen = {arm: set(replica(arm, draw).regularizer.edge.tolist())
              for arm in ("edge_penalty", "edge_penalty_control", "edge_penalty_random")}  # fmt: skip
    model = replica("baseline", draw).model
    assert chosen["edge_penalty"] == set(edges_outside(model, draw.membership).nonzero().flatten().tolist())
    assert chosen["edge_penalty_control"] == set(edges_outside(model, draw.shuffled).nonzero().flatten().tolist())
    assert len(chosen["edge_penalty_random"]) == len(chosen["edge_penalty"]) == 8
    assert chosen["edge_penalty_random"] not in (chosen["edge_penalty"], chosen["edge_penalty_control"])


def test_pruning_cuts_real_cross_talk_too_and_the_oracle_does_not():
    draw = Problem(n_train=48, n_test=40, n_crosstalk=4).draw(0)
    edges = {arm: replica(arm, draw).model.edge_index_dict["function", "to", "function"].shape[1]
             for arm in ("baseline", "oracle", "pruned")}  # fmt: skip
    assert edges == {"baseline": 8 + 4 + 8, "oracle": 8 + 4, "pruned": 8}


def test_controls_that_know_the_graph_do_not_know_the_pathways():
    draw = SMALL.draw(2)
    pathways = set(map(tuple, draw.membership.tolist()))
    connected = replica("connected_control", draw).membership
    assert connected.shape == draw.membership.shape and not pathways & set(map(tuple, connected.tolist()))
    assert replica("adjacency", draw).membership.sum(1).tolist() == [2] * 16  # the ends of each edge


def test_a_regularizer_is_told_wrong_memberships_where_the_problem_has_them():
    draw = Problem(n_train=48, n_test=40, wrong=0.5).draw(0)
    assert torch.equal(replica("regularized", draw).membership, draw.membership)
    assert not torch.equal(draw.membership, draw.graph.membership())


def test_more_metrics_may_be_asked_for_and_the_usual_ones_stay_the_same():
    usual, more = run(seeds=[1]), run(seeds=[1], measures=list(MEASURES))
    assert list(usual) == COLUMNS
    pd.testing.assert_frame_equal(more[COLUMNS], usual, check_exact=True)
    assert {"cka_gap_hidden", "auc_ablation", "leakage"} <= set(more)


def test_validation_rows_choose_the_epoch_and_are_not_trained_on():
    recipe = Recipe(epochs=30, lr=0.05, validation=0.25)
    table = study(SMALL, ["baseline"], [3], recipe=recipe, progress=False)
    draw, model = SMALL.draw(3), replica("baseline", SMALL.draw(3)).model
    train(model, draw.x_train[:36], draw.y_train[:36], x_val=draw.x_train[36:], y_val=draw.y_train[36:],
          epochs=30, lr=0.05, progress=False)  # fmt: skip
    assert table["test_mse"].item() == pytest.approx(mse(model, draw.x_test, draw.y_test), abs=1e-5)
    last = study(SMALL, ["baseline"], [3], recipe=Recipe(epochs=30, lr=0.05), progress=False)
    assert table["test_mse"].item() != last["test_mse"].item()
    with pytest.raises(ValueError, match="validation=0.001 of 48 training rows is 0"):
        study(SMALL, seeds=[0], recipe=Recipe(validation=0.001), progress=False)


# Going on


def test_a_study_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    file, computed, real = tmp_path / "study.csv", [], study_module.run_block
    run(seeds=[2, 0], output=file)
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:-1]) + "\n")  # seed 0 lacks its last arm
    monkeypatch.setattr(study_module, "run_block", lambda *given: computed.extend(given[2]) or real(*given))
    table = run(seeds=[0, 1, 2], output=file, resume=True)
    assert computed == [0, 1]
    monkeypatch.undo()
    pd.testing.assert_frame_equal(table, run(), check_exact=True)
    assert len(pd.read_csv(file)) == len(table)


def test_a_file_of_another_study_is_not_gone_on_with(tmp_path):
    file = tmp_path / "study.csv"
    run(seeds=[0], arms=["baseline", "control"], output=file)
    before = file.read_text()
    with pytest.raises(ValueError, match="other arms or metrics"):
        run(seeds=[0], arms=["baseline"], output=file, resume=True)
    with pytest.raises(ValueError, match="other arms or metrics"):
        run(seeds=[0], arms=["baseline", "control"], measures="cka", output=file, resume=True)
    with pytest.raises(ValueError, match="resume needs output"):
        run(resume=True)
    assert file.read_text() == before
