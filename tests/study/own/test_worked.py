"""The worked examples: what each step changes, an inhibitor that multiplies, signs by hand, and the carried tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from gsnn_tutorial import GSNN
from gsnn_tutorial.study.own.fitting import candidate
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.problem import OwnProblem
from gsnn_tutorial.study.own.signs import path_signs, signed_membership
from gsnn_tutorial.study.tuning import Tuning
from gsnn_tutorial.study.worked import make_tables, rows, steps, tuned
from gsnn_tutorial.study.worked.blocked import Blocked
from gsnn_tutorial.study.worked.hepatocytes import FOLDER, hepatocytes
from gsnn_tutorial.study.worked.sachs import sachs
from gsnn_tutorial.training import train

TABLE = pd.DataFrame({"in": [0.0, 1, 0, 1, 1], "i": [0.0, 0, 1, 1, 0], "y": [1.0, 2, 3, 4, 5], "z": [0.0, 1, 0, 1, 0]})
NETWORK = pd.DataFrame(
    [("a", "b", 1), ("b", "c", -1), ("c", "d", -1), ("c", "e", 1)], columns=["source", "target", "sign"]
)
COLUMNS = pd.DataFrame(
    [("in", "input", "a"), ("i", "input", "b"), ("y", "output", "d"), ("z", "output", "b")],
    columns=["column", "role", "node"],
)


@pytest.fixture(scope="module")
def small():
    return own_network(TABLE, NETWORK, sets={"one": ["a", "b", "c"], "two": ["c", "d"]}, columns=COLUMNS)


@pytest.fixture(scope="module")
def liver():
    return own_network(**hepatocytes())


def model_of(network, **settings):
    start = torch.Generator().manual_seed(0)
    graph = network.graph
    return GSNN(graph.edge_index_dict, graph.names, 2, 5, node_mlp=False, generator=start, **settings)


def test_a_sign_is_the_product_along_the_shortest_path(small):
    assert path_signs(small.graph, ["in"]) == {"a": 1, "b": 1, "c": -1, "d": 1, "e": -1}
    assert path_signs(small.graph, ["i"]) == {"b": 1, "c": -1, "d": 1, "e": -1}
    signed = signed_membership(small.graph, ["in"])
    assert signed.tolist() == [[1, 1, -1, 0, 0], [0, 0, -1, 1, 0]]


def test_the_liver_has_the_repressors_that_the_field_knows(liver):
    signs = path_signs(liver.graph, steps.stimuli(liver))
    assert {name for name, sign in signs.items() if sign < 0} == {"ikb", "gsk3", "mdm2", "casp9"}


@pytest.mark.parametrize("share", [True, False])
def test_a_blocked_node_hands_on_what_is_left(small, share):
    model, x = model_of(small, share_layers=share), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    plain = model_of(small, share_layers=share)
    blocked = Blocked(model, {"i": "b"})
    columns = {name: k for k, name in enumerate(small.graph.output_nodes)}
    with torch.no_grad():
        assert torch.equal(blocked(x[:1]), plain(x[:1]))  # nothing is given, nothing is blocked
        blocked.weight.fill_(-50.0)
        assert torch.allclose(blocked(x), plain(x))
        blocked.weight.fill_(50.0)  # b hands on nothing: c, and d behind it, hear what they hear without a and b
        cut = model_of(small, share_layers=share)
        edge = names_of(cut).index(("b", "c"))
        for block in cut.ResBlocks:
            into = block.lin_in.indices[0] == edge
            block.lin_in.values[into] = 0
        assert torch.allclose(blocked(x)[1, columns["y"]], cut(x)[1, columns["y"]], atol=1e-6)
        assert torch.allclose(blocked(x)[1, columns["z"]], plain(x)[1, columns["z"]])  # what is read out of b


def names_of(model):
    """Each edge of a model by the names of its nodes."""
    names = [*model.node_names_dict["function"], *model.node_names_dict["input"], *model.node_names_dict["output"]]
    return [(names[u], names[v]) for u, v in model.edge_index.T.tolist()]


def test_how_much_is_blocked_is_learned(small):
    draw = OwnProblem(small).draw(0)
    one = candidate(draw, replace(steps.CAREFUL, channels=2, epochs=3, norm="none"), 5)
    blocked = Blocked(one.model, {"i": "b"})
    train(blocked, one.x, one.y, **one.training())
    assert blocked.weight.item() != 0


@pytest.mark.parametrize(
    ("blocks", "words"),
    [({"nobody": "b"}, "nobody"), ({"i": "nowhere"}, "nowhere"), ({"i": "b", "in": "b"}, "each node once")],
)
def test_what_cannot_block_is_refused(small, blocks, words):
    with pytest.raises(ValueError, match=words):
        Blocked(model_of(small), blocks)


def test_each_step_changes_what_it_says(liver):
    draw = OwnProblem(liver).draw(0)
    made = steps.steps(liver, draw)
    edges = {name: set(graph.all_edges) for name, (graph, _) in made.items()}
    drawn = edges["layers of their own"]
    assert drawn == set(liver.graph.all_edges)
    assert edges["careless"] > drawn and made["careless"][1].norm == "layer"
    asked, chance = edges["edges asked for"] - drawn, edges["as many random edges"] - drawn
    assert len(asked) == len(chance) > 10 and asked != chance
    assert {u for u, _ in asked | chance} <= set(liver.graph.input_nodes)
    new = edges["inhibitors one hop further too"] - drawn
    assert {u for u, _ in new} == {"MEK12i", "PI3Ki", "IKKi"} and ("MEK12i", "erk") in new
    assert len(edges["100 spurious edges"] - drawn) == 100
    assert steps.stimuli(liver) == ["IL1a", "TGFa", "IL6", "INS", "TNFa"]
    assert steps.inhibitors(liver) == {"MEK12i": "mek", "PI3Ki": "pi3k", "IKKi": "ikk"}


def test_asked_edges_read_no_test_row(liver):
    draw = OwnProblem(liver).draw(0)
    some = replace(liver, y=liver.y[["AKT", "HistH3"]])
    spoilt = some.y.copy()
    spoilt.iloc[draw.test_rows] = 99.0
    asked = steps.asked_edges(some, draw.rows)
    assert asked and steps.asked_edges(replace(some, y=spoilt), draw.rows) == asked


def test_the_tuned_comparison_gives_every_arm_its_map_and_its_sets(liver, monkeypatch):
    draw, seen = OwnProblem(liver).draw(100), {}

    def no_training(draw, settings, layers, arms, tuning):
        seen[len(seen)] = (len(draw.graph.edges), arms[0], float(draw.membership.min()), tuning)
        return {
            arms[0]: (torch.nn.Linear(draw.x_train.shape[1], draw.y_train.shape[1]), dict.fromkeys(tuned.CHOSEN, 0))
        }

    monkeypatch.setattr(tuned, "tuned", no_training)
    monkeypatch.setattr(tuned, "asked_edges", lambda network, rows: [("TNFa", "akt"), ("TNFa", "mek")])
    jobs = tuned.jobs(liver, draw)
    for name in [name for name in jobs if name not in (*tuned.FLAT, "GCN")]:
        jobs[name]()
    edges = {place: row[0] for place, row in seen.items()}
    assert edges[1] == edges[2] == edges[6] > edges[0] == len(liver.graph.edges)
    assert [row[1] for row in seen.values()][-2:] == ["connected_control_loo", "regularized_loo"]
    assert [row[2] for row in seen.values()] == [0, 0, 0, 0, 0, 0, -1]
    assert all(row[3] == Tuning(folds=2, epochs=tuned.EPOCHS) for row in seen.values())


def test_a_flat_rival_reads_training_rows_only(liver):
    draw = OwnProblem(liver).draw(100)
    error = tuned.flat(draw, tuned.pairwise_ridge)["test_mse"]
    spoilt = tuned.flat(replace(draw, y_test=draw.y_test + 10), tuned.pairwise_ridge)["test_mse"]
    assert 0.1 < error < 0.4
    assert spoilt == pytest.approx(error + 100, abs=20)


def test_a_table_goes_on_where_it_stopped(tmp_path, capsys):
    computed = []

    def jobs(seed):
        return {name: lambda name=name: computed.append((seed, name)) or {"test_mse": 0.5} for name in "ab"}

    pd.DataFrame({"seed": [0, 0], "arm": ["a", "b"], "test_mse": [1.0, 2.0]}).to_csv(tmp_path / "t.csv", index=False)
    rows.grow(tmp_path / "t.csv", "arm", [0, 1], jobs)
    assert computed == [(1, "a"), (1, "b")]
    assert pd.read_csv(tmp_path / "t.csv")["test_mse"].tolist() == [1.0, 2.0, 0.5, 0.5]


def test_the_saved_studies_have_every_split_and_arm():
    for name, column, seeds in (("steps", "step", range(12)), ("tuned", "arm", tuned.SEEDS)):
        table = pd.read_csv(FOLDER / f"{name}.csv")
        assert not table.duplicated(["seed", column]).any()
        assert sorted(table["seed"].unique()) == list(seeds)
        assert (table.groupby(column)["seed"].nunique() == len(seeds)).all()
        assert np.isfinite(table["test_mse"]).all()


def test_cells_of_sachs_are_logs_of_every_fifth_cell():
    table, edges = (pd.read_csv(sachs()[name]) for name in ("table", "network"))
    assert table.shape == (1494, 11) and len(edges) == 18
    assert table.iloc[0]["praf"] == pytest.approx(np.log2(26.4), abs=0.005)


def test_a_script_makes_the_tables_from_the_originals(tmp_path):
    source = tmp_path / "originals"
    source.mkdir()
    pd.DataFrame({"a": [1.0, 2, 2, 2, 2, 8], "b": 4.0}).to_csv(source / "sachs2005.csv", index=False)
    pd.DataFrame({"Cause": ["a"], "Effect": ["b"]}).to_csv(source / "sachs2005_edges.csv", index=False)
    make_tables.make_sachs(source, tmp_path / "made")
    assert pd.read_csv(tmp_path / "made/table.csv.gz")["a"].tolist() == [0, 3]
    assert list(pd.read_csv(tmp_path / "made/network.csv")) == ["source", "target"]


def test_the_readouts_that_nothing_reaches_are_those_that_the_report_names(liver):
    assert set(liver.outputs.index[np.isinf(liver.outputs["hops"])]) == {"STAT2", "Tyk2"}
