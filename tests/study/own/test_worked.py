"""The worked examples: what each step changes, an inhibitor that multiplies, signs by hand, and the carried tables."""

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

from gsnn_tutorial import GSNN
from gsnn_tutorial.study.arms import OWN_ARMS
from gsnn_tutorial.study.own.hepatocytes import FOLDER, hepatocytes, inhibitors, stimuli
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.own_graph import path_signs, signed_membership
from gsnn_tutorial.study.own.rivals import RIVALS
from gsnn_tutorial.study.own.sachs import sachs
from gsnn_tutorial.study.own.splits import OwnProblem
from gsnn_tutorial.training import train

TABLE = pd.DataFrame({"in": [0.0, 1, 0, 1, 1], "i": [0.0, 0, 1, 1, 0], "y": [1.0, 2, 3, 4, 5], "z": [0.0, 1, 0, 1, 0]})
NETWORK = pd.DataFrame(
    [("a", "b", 1), ("b", "c", -1), ("c", "d", -1), ("c", "e", 1)], columns=["source", "target", "sign"]
)
COLUMNS = pd.DataFrame(
    [("in", "input", "a"), ("i", "input", "b"), ("y", "output", "d"), ("z", "output", "b")],
    columns=["column", "role", "node"],
)


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """The folder of the scripts, as it is when one of them runs; the rivals that they add are taken away again."""
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "notebooks" / "studies")
    before = dict(RIVALS)
    yield import_module
    for name in ("blocked", "gcn", "make_tables", "hepatocytes_steps", "hepatocytes_tuned"):
        sys.modules.pop(name, None)
    RIVALS.clear(), RIVALS.update(before)


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
    signs = path_signs(liver.graph, stimuli(liver))
    assert {name for name, sign in signs.items() if sign < 0} == {"ikb", "gsk3", "mdm2", "casp9"}


@pytest.mark.parametrize("share", [True, False])
def test_a_blocked_node_hands_on_what_is_left(small, share, scripts):
    Blocked = scripts("blocked").Blocked
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


def test_how_much_is_blocked_is_learned(small, scripts):
    draw = OwnProblem(small).draw(0)
    blocked = scripts("blocked").Blocked(model_of(small), {"i": "b"})
    train(blocked, draw.x_train, draw.y_train, epochs=3, progress=False)
    assert blocked.weight.item() != 0


@pytest.mark.parametrize(
    ("blocks", "words"),
    [({"nobody": "b"}, "nobody"), ({"i": "nowhere"}, "nowhere"), ({"i": "b", "in": "b"}, "each node once")],
)
def test_what_cannot_block_is_refused(small, blocks, words, scripts):
    with pytest.raises(ValueError, match=words):
        scripts("blocked").Blocked(model_of(small), blocks)


def test_each_step_changes_what_it_says(liver, scripts):
    draw = OwnProblem(liver).draw(0)
    made = scripts("hepatocytes_steps").steps(liver, draw)
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
    assert stimuli(liver) == ["IL1a", "TGFa", "IL6", "INS", "TNFa"]
    assert inhibitors(liver) == {"MEK12i": "mek", "PI3Ki": "pi3k", "IKKi": "ikk"}


def test_asked_edges_read_no_test_row(liver, scripts):
    steps, draw = scripts("hepatocytes_steps"), OwnProblem(liver).draw(0)
    some = replace(liver, y=liver.y[["AKT", "HistH3"]])
    spoilt = some.y.copy()
    spoilt.iloc[draw.test_rows] = 99.0
    asked = steps.asked_edges(some, draw.rows)
    assert asked and steps.asked_edges(replace(some, y=spoilt), draw.rows) == asked


def test_the_steps_go_on_with_the_splits_that_are_missing(scripts, tmp_path, monkeypatch):
    steps, computed = scripts("hepatocytes_steps"), []

    def rows(network, draw):
        computed.append(draw.seed)
        return [{"seed": draw.seed, "step": "a", "test_mse": 0.5}]

    monkeypatch.setattr(steps, "rows", rows)
    pd.DataFrame({"seed": [0], "step": ["a"], "test_mse": [1.0]}).to_csv(tmp_path / "t.csv", index=False)
    steps.study(tmp_path / "t.csv", [0, 1])
    assert computed == [1] and pd.read_csv(tmp_path / "t.csv")["test_mse"].tolist() == [1.0, 0.5]


def test_the_tuned_comparison_gives_every_arm_its_map_and_its_sets(liver, scripts, monkeypatch, tmp_path):
    tuned, seen = scripts("hepatocytes_tuned"), {}
    monkeypatch.setattr(tuned, "asked_edges", lambda network, rows: [("TNFa", "akt"), ("TNFa", "mek")])

    def no_training(problem, arms, seeds, **options):
        draw = problem.draw(seeds[0])
        seen[problem.how] = (arms, len(draw.graph.edges), float(draw.membership.min()))
        assert options["tuning"].folds == 2 and options["tuning"].epochs == tuned.EPOCHS and options["resume"]
        names = ["epoch", "weight_decay", "lambda_sim", "cv_mse", *(f"mse: {y}" for y in draw.graph.output_nodes)]
        return pd.DataFrame({"seed": seeds[0], "arm": arms, "test_mse": 0.5} | dict.fromkeys(names, 0.1))

    monkeypatch.setattr(tuned, "paired_study", no_training)
    tuned.study(tmp_path / "tuned.csv", [100])
    drawn = len(liver.graph.edges)
    assert {how: edges - drawn for how, (_, edges, _) in seen.items()} == {
        "map as drawn": 0, "random edges": 2, "mended map": 2, "signed sets": 2,
    }  # fmt: skip
    assert seen["mended map"][0] == ("GCN", *OWN_ARMS) and seen["signed sets"][0] == ("regularized_loo",)
    assert [least for _, _, least in seen.values()] == [0, 0, 0, -1]
    made, saved = (pd.read_csv(folder / "tuned.csv") for folder in (tmp_path, FOLDER))
    assert list(made) == list(saved) and set(made["arm"]) == set(saved["arm"])


def test_a_rival_of_the_script_reads_no_test_outputs(liver, scripts):
    scripts("hepatocytes_tuned")
    draw = OwnProblem(liver).draw(100)
    for name, low, high in (
        ("pairwise ridge", 0.1, 0.4),
        ("additive ridge", 0.1, 0.9),
        ("mean of the cell line", 0.5, 2),
    ):
        error = RIVALS[name](draw).mean()
        spoilt = RIVALS[name](replace(draw, y_test=draw.y_test + 10)).mean()
        assert low < error < high and spoilt == pytest.approx(error + 100, abs=20)


def test_a_gcn_has_the_map_and_hears_over_as_many_hops_as_it_has_layers(small, scripts):
    graph, GraphConvolutions = small.graph, scripts("gcn").GraphConvolutions
    model = GraphConvolutions(graph, width=4, layers=2, seed=1)
    x = torch.rand(3, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    G, y = graph.networkx().to_undirected(), model(x)
    assert y.shape == (3, len(graph.output_nodes))
    for k, output in enumerate(graph.output_nodes):
        (gradient,) = torch.autograd.grad(y[:, k].sum(), x, retain_graph=True)
        near = nx.single_source_shortest_path_length(G, output, cutoff=2)
        assert (gradient[0] != 0).tolist() == [name in near for name in graph.input_nodes]
    assert torch.equal(GraphConvolutions(graph, 4, 2, seed=1)(x), y)


def test_a_gcn_chooses_on_training_rows(liver, scripts):
    gcn_errors, draw = scripts("gcn").gcn_errors, OwnProblem(liver).draw(0)
    each = gcn_errors(draw, looks=(1, 2), depths=(1, 2))
    other = gcn_errors(replace(draw, y_test=draw.y_test + 100), looks=(1, 2), depths=(1, 2))
    assert each.shape == (draw.y_test.shape[1],) and each.mean() < 3 and (other > 5000).all()


def test_the_saved_studies_have_every_split_and_arm():
    for name, column, seeds in (("steps", "step", range(12)), ("tuned", "arm", range(100, 112))):
        table = pd.read_csv(FOLDER / f"{name}.csv")
        assert not table.duplicated(["seed", column]).any()
        assert sorted(table["seed"].unique()) == list(seeds)
        assert (table.groupby(column)["seed"].nunique() == len(seeds)).all()
        assert np.isfinite(table["test_mse"]).all()


def test_cells_of_sachs_are_logs_of_every_fifth_cell():
    table, edges = (pd.read_csv(sachs()[name]) for name in ("table", "network"))
    assert table.shape == (1494, 11) and len(edges) == 18
    assert table.iloc[0]["praf"] == pytest.approx(np.log2(26.4), abs=0.005)


def test_a_script_makes_the_tables_from_the_originals(tmp_path, scripts):
    source = tmp_path / "originals"
    source.mkdir()
    pd.DataFrame({"a": [1.0, 2, 2, 2, 2, 8], "b": 4.0}).to_csv(source / "sachs2005.csv", index=False)
    pd.DataFrame({"Cause": ["a"], "Effect": ["b"]}).to_csv(source / "sachs2005_edges.csv", index=False)
    scripts("make_tables").make_sachs(source, tmp_path / "made")
    assert pd.read_csv(tmp_path / "made/table.csv.gz")["a"].tolist() == [0, 3]
    assert list(pd.read_csv(tmp_path / "made/network.csv")) == ["source", "target"]


def test_the_readouts_that_nothing_reaches_are_those_that_the_report_names(liver):
    assert set(liver.outputs.index[np.isinf(liver.outputs["hops"])]) == {"STAT2", "Tyk2"}
