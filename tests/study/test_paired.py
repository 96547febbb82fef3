"""The paired study: complete, reproducible, and honest about what went wrong."""

import pickle
import threading

import pandas as pd
import pytest
import torch

from gsnn_tutorial import Problem, train
from gsnn_tutorial.evaluation import mse
from gsnn_tutorial.kernels import threads
from gsnn_tutorial.study import blocks as blocks_module
from gsnn_tutorial.study import paired
from gsnn_tutorial.study.arms import ARMS, USUAL_ARMS, arm_named, arms_in_words
from gsnn_tutorial.study.blocks import Blocks, even_block
from gsnn_tutorial.study.metrics import MEASURES
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.priors.weights import edges_outside
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.replicas import Replica, seeds_per_block, train_block
from gsnn_tutorial.study.table import TableFile, table_columns

SMALL = Problem(n_train=48, n_test=40)
SHORT = Recipe(epochs=6)


def run(seeds=(0, 1, 2), **options):
    return paired_study(SMALL, seeds=seeds, recipe=SHORT, progress=False, **options)


def test_one_row_for_every_seed_and_arm_with_every_metric():
    table = run(seeds=[4, 2])
    assert list(zip(table["seed"], table["arm"])) == [(s, a) for s in (4, 2) for a in USUAL_ARMS]
    metrics = table.drop(columns=["seed", "arm", "diverged"])
    spurious = [column for column in metrics if "spurious" in column]
    assert metrics.drop(columns=[*spurious, "cka_gap_told"]).notna().all(axis=None)
    assert set(table.loc[table["cka_gap_told"].notna(), "arm"]) == {"regularized", "control"}
    assert table.set_index("arm").loc["oracle", spurious].isna().all(axis=None)  # it has none
    assert not table["diverged"].any()


@pytest.mark.parametrize("options", [{"block": 1}, {"block": 2, "n_jobs": 1}, {"block": 3, "n_jobs": 2}])
def test_block_size_and_jobs_do_not_change_a_bit(options):
    pd.testing.assert_frame_equal(run(**options), run(block=1, n_jobs=1), check_exact=True)


def test_thread_count_does_not_change_a_bit(monkeypatch):
    tables, seen, real = [], [], paired.train_block
    monkeypatch.setattr(paired, "train_block", lambda *given: seen.append(torch.get_num_threads()) or real(*given))
    for cores in (1, 2):
        monkeypatch.setattr(blocks_module, "cpu_count", lambda: cores)
        tables.append(run(n_jobs=1))
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert set(seen) == {1, 2}


def test_an_arm_is_the_same_in_any_company():
    alone, together = run(arms=["control"]), run()
    expected = together[together["arm"] == "control"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected, check_exact=True)


def test_arms_of_a_seed_share_data_and_start_and_seeds_do_not():
    first, other = (train_block(threading.Event(), SMALL, ["untrained", "baseline"], [s], Recipe(epochs=1, lr=0.0))
                    for s in (0, 1))  # fmt: skip
    untrained, baseline = (dict(row, arm="") for row in first)
    assert untrained == baseline  # a learning rate of 0 leaves the shared start
    assert first[0]["test_mse"] != other[0]["test_mse"]


def test_the_csv_holds_the_finished_blocks_when_a_study_is_interrupted(tmp_path, monkeypatch):
    real = paired.train_block

    def interrupted(stop, problem, arms, seeds, *rest):
        if 2 in seeds:
            raise KeyboardInterrupt
        return real(stop, problem, arms, seeds, *rest)

    monkeypatch.setattr(paired, "train_block", interrupted)
    with pytest.warns(UserWarning, match="2 finished seeds of 3"):
        table = run(block=1, n_jobs=1, output=tmp_path / "study.csv")
    assert sorted(set(table["seed"])) == [0, 1]
    stored = pd.read_csv(tmp_path / "study.csv")
    pd.testing.assert_frame_equal(stored, table, check_exact=False)


def test_a_diverged_arm_is_named_and_has_no_metrics(monkeypatch):
    real = Replica.__init__

    def poisoned(self, draw, seed, name, *rest):
        real(self, draw, seed, name, *rest)
        if (seed, name) == (1, "control"):
            with torch.no_grad():
                self.model.ResBlocks[0].lin_out.values[0] = float("inf")

    clean = run(seeds=[0, 1])
    monkeypatch.setattr(Replica, "__init__", poisoned)
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
        paired_study(SMALL, progress=False, **options)


@pytest.mark.parametrize("bad", [{"phi": "max"}, {"epochs": 0}, {"lambda_sim": -1.0}, {"channels": 1}, {"layers": 0}])
def test_a_recipe_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Recipe(**bad)


def test_each_arm_is_given_its_graph_and_told_its_pathways():
    draw = SMALL.draw(0)
    told = {"regularized": draw.graph.membership(), "control": draw.shuffled}
    for arm in USUAL_ARMS:
        replica = Replica(draw, 0, arm, SHORT, 4)
        edges = replica.model.edge_index_dict["function", "to", "function"].shape[1]
        assert edges == (8 if arm == "oracle" else 16)
        assert (replica.regularizer is not None) == (arm in told)
        if arm in told:
            node, pathway = replica.regularizer.membership.indices
            assert torch.equal(told[arm].argmax(0)[node], pathway)


def test_no_arm_beats_the_noise_floor_by_more_than_luck():
    table = paired_study(Problem(), seeds=[0], recipe=Recipe(epochs=150), progress=False)
    trained = table[table["arm"] != "untrained"]
    assert (trained["test_mse"] > 0.95 * trained["floor"]).all() and (trained["floor"] > 0.2).all()


def test_an_interrupt_is_passed_on_to_the_blocks_that_still_run(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    made, real = [], Blocks.__init__
    monkeypatch.setattr(paired, "train_block", interrupted)
    monkeypatch.setattr(Blocks, "__init__", lambda self, n_jobs: made.append(self) or real(self, n_jobs))
    with pytest.warns(UserWarning, match="0 finished seeds of 3"):
        run(block=1, n_jobs=1)
    assert [blocks.stop.is_set() for blocks in made] == [True]


@pytest.mark.filterwarnings("ignore:training interrupted")
def test_a_block_that_hears_of_an_interrupt_ends_and_leaves_no_trace():
    blocks, heard = Blocks(1), []

    def job(stop, *given):
        stop.set()
        heard.append(len(blocks.running))
        return train_block(stop, *given)

    with pytest.raises(KeyboardInterrupt):
        blocks.run_one(job, (SMALL, ["baseline"], [0], SHORT))
    assert heard == [1] and blocks.running == []
    with pytest.raises(KeyboardInterrupt):  # one that was still to come does not begin
        blocks.run_one(job, (SMALL, ["baseline"], [0], SHORT))
    assert heard == [1]


# The scheduler


def threads_of_a_new_thread():
    """How many threads torch works on in a thread that nobody has told anything."""
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("interrupted", [False, True])
def test_the_scheduler_leaves_no_thread_setting_behind(n_jobs, interrupted):
    def job(stop, number):
        if interrupted and number == 2:
            raise KeyboardInterrupt
        return number, torch.get_num_threads()

    found = []
    with threads(3):
        try:
            with Blocks(n_jobs) as blocks:
                found += blocks.run(job, [(number,) for number in range(6)])
        except KeyboardInterrupt:
            assert interrupted
        assert torch.get_num_threads() == threads_of_a_new_thread() == 3
    assert interrupted or found == [(number, blocks.threads) for number in range(6)]


def test_a_job_in_the_same_thread_gives_back_what_was_there(monkeypatch):
    monkeypatch.setattr(blocks_module, "cpu_count", lambda: 4)
    with threads(3):
        assert Blocks(2).run_one(lambda stop: torch.get_num_threads(), ()) == 2
        assert torch.get_num_threads() == 3


def test_a_job_that_begins_while_another_runs_and_ends_after_it_leaves_nothing_behind(monkeypatch):
    """It finds what the other has set, and gives that back: the last word has to be the scheduler's."""
    monkeypatch.setattr(blocks_module, "cpu_count", lambda: 2)
    began, may_end = ([threading.Event() for _ in range(2)] for _ in range(2))

    def job(stop, number):
        began[number].set()
        may_end[number].wait(timeout=20)

    with threads(3):
        with Blocks(2) as blocks:
            workers = [threading.Thread(target=blocks.run_one, args=(job, (number,))) for number in range(2)]
            for number, worker in enumerate(workers):
                worker.start()
                began[number].wait(timeout=20)
            for number, worker in enumerate(workers):
                may_end[number].set()
                worker.join()
            assert threads_of_a_new_thread() == 1
        assert torch.get_num_threads() == threads_of_a_new_thread() == 3


def test_cores_are_shared_among_the_jobs(monkeypatch):
    monkeypatch.setattr(blocks_module, "cpu_count", lambda: 8)
    assert (Blocks().n_jobs, Blocks().threads) == (8, 1)
    assert [Blocks(n).threads for n in (1, 2, 3, 16)] == [8, 4, 2, 1]
    assert even_block(20, 100, 2) == 10 and even_block(20, 4, 2) == 4 and even_block(0, 4, 2) == 1


@pytest.mark.filterwarnings("ignore:1 tasks which were still being processed")
def test_an_error_in_the_body_ends_the_blocks_that_still_run():
    began, heard = threading.Event(), []

    def job(stop, number):
        if number == 0:
            return "first"
        began.set()
        heard.append(stop.wait(timeout=20))
        raise KeyboardInterrupt

    with pytest.raises(ZeroDivisionError), Blocks(2) as blocks:
        for _ in blocks.run(job, [(0,), (1,)]):
            began.wait(timeout=20)
            1 / 0
    assert heard == [True] and blocks.running == []


def test_the_scheduler_keeps_nothing_in_its_module():
    plain = (int, float, str, type(None), type(blocks_module))
    kept = {name: value for name, value in vars(blocks_module).items()
            if not name.startswith("__") and not callable(value) and not isinstance(value, plain)}  # fmt: skip
    assert list(kept) == ["annotations"]  # of the future


def test_a_copy_elsewhere_is_a_scheduler_of_its_own():
    blocks = Blocks(2)
    blocks.stop.set()
    copy = pickle.loads(pickle.dumps(blocks))
    assert copy.n_jobs == 2 and not copy.stop.is_set()


# One object for an arm


def test_every_arm_says_in_words_what_it_is_told_and_how_it_uses_that():
    for name, arm in ARMS.items():
        assert arm.name == name and "_" not in arm.words + arm.told + arm.use
        assert arm.words and arm.told not in ("", "?") and arm.use not in ("", "?")
        uses = arm.regularizer is not None or arm.data is not None
        assert uses == (arm.membership is not None) or (uses and arm.told == "nothing")
    assert len({arm.words for arm in ARMS.values()}) == len({arm.marker for arm in ARMS.values()}) == len(ARMS)
    assert len({(arm.told, arm.use) for arm in ARMS.values()}) == len(ARMS)
    assert set(USUAL_ARMS) <= set(ARMS)


def test_the_colour_of_an_arm_says_what_it_is_told():
    trained = [arm for arm in ARMS.values() if arm.trained]
    colors = pd.DataFrame([(arm.told, arm.color, arm.linestyle) for arm in trained]).groupby(0).nunique()
    assert (colors == 1).all(axis=None)
    of_usual = {ARMS[name].color for name in USUAL_ARMS}
    assert len(of_usual) == len(USUAL_ARMS)


def test_the_table_of_arms_has_a_row_for_each_with_its_words():
    table = arms_in_words(["control", "regularized_loo"])
    assert list(table.index) == ["control", "regularized_loo"] and list(arms_in_words().index) == list(ARMS)
    assert list(table["in words"]) == ["shuffled control", "leave-one-out"]
    assert "shuffled" in table.loc["control", "what it is told"] and "others" in table.iloc[1]["how it uses it"]
    with pytest.raises(ValueError, match="names must be one of .*; got 'magic'"):
        arms_in_words(["magic"])


def test_an_arm_that_is_not_known_has_words_and_a_mark_of_its_own_too():
    mine = arm_named("my_arm")
    assert mine.words == "my arm" and mine.marker not in {arm.marker for arm in ARMS.values()}
    assert arm_named("control") is ARMS["control"]


@pytest.mark.parametrize("arm", ARMS)
def test_no_arm_leaves_a_hook_on_its_model(arm):
    assert not any(module._forward_hooks for module in replica(arm, SMALL.draw(2)).model.modules())


# The further arms


def replica(arm, draw, recipe=SHORT):
    return Replica(draw, draw.seed, arm, recipe, 4)


def test_every_arm_runs_beside_every_other_and_is_the_same_alone():
    together = run(seeds=[1], arms=list(ARMS))
    assert list(together["arm"]) == list(ARMS) and together["test_mse"].notna().all()
    assert together["test_mse"].nunique() == len(ARMS) - 1  # pruned is the oracle where pathways are disjoint
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
    assert list(usual) == table_columns()
    pd.testing.assert_frame_equal(more[table_columns()], usual, check_exact=True)
    assert {"cka_gap_hidden", "auc_ablation", "leakage"} <= set(more)


def test_validation_rows_choose_the_epoch_and_are_not_trained_on():
    recipe = Recipe(epochs=30, lr=0.05, validation=0.25)
    table = paired_study(SMALL, ["baseline"], [3], recipe=recipe, progress=False)
    draw, model = SMALL.draw(3), replica("baseline", SMALL.draw(3)).model
    train(model, draw.x_train[:36], draw.y_train[:36], x_val=draw.x_train[36:], y_val=draw.y_train[36:],
          epochs=30, lr=0.05, progress=False)  # fmt: skip
    assert table["test_mse"].item() == pytest.approx(mse(model, draw.x_test, draw.y_test), abs=1e-5)
    last = paired_study(SMALL, ["baseline"], [3], recipe=Recipe(epochs=30, lr=0.05), progress=False)
    assert table["test_mse"].item() != last["test_mse"].item()
    with pytest.raises(ValueError, match="validation=0.001 of 48 training rows is 0"):
        paired_study(SMALL, seeds=[0], recipe=Recipe(validation=0.001), progress=False)


# Going on


def test_a_file_of_another_study_is_not_gone_on_with(tmp_path):
    file = tmp_path / "study.csv"
    run(seeds=[0], arms=["baseline", "control"], output=file)
    before = file.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="other arms or metrics"):
        run(seeds=[0], arms=["baseline"], output=file, resume=True)
    with pytest.raises(ValueError, match="other arms or metrics"):
        run(seeds=[0], arms=["baseline", "control"], measures="cka", output=file, resume=True)
    with pytest.raises(ValueError, match="resume needs output"):
        run(resume=True)
    assert file.read_text(encoding="utf-8") == before


def test_a_table_without_a_file_is_kept_in_memory_only(tmp_path):
    table = TableFile(None, ["seed", "arm"])
    table.start()
    table.add([{"seed": 1, "arm": "a"}])
    assert len(table.table([1])) == 1 and not list(tmp_path.iterdir())
