"""The benchmark: its peers compute the same, its machinery writes what it measured. No test of a time."""

import json
import sys

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import __main__ as options
from benchmarks import command as bench
from benchmarks import groups, growth, parts
from benchmarks.__main__ import main
from benchmarks.clock import copying, in_turn, peak_bytes
from benchmarks.in_words import Row, table_of
from benchmarks.peer import (
    DenseRegularizer,
    GatherScatterGSNN,
    GatherScatterLinear,
    both_losses,
    loop_indices,
    simulate_one_by_one,
)
from benchmarks.sizes import Sizes
from gsnn_tutorial import PathwayLatentRegularizer, Problem, SparseLinear, simulate
from gsnn_tutorial.gsnn import win_indices
from gsnn_tutorial.plots.scaling import plot_all_scaling, plot_scaling
from gsnn_tutorial.simulation import pathway_functions
from gsnn_tutorial.study import speed
from gsnn_tutorial.study.speed import random_edges, random_model, training_step
from gsnn_tutorial.study.union import GSNNUnion

NEAR = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def changed(model):
    """The model with every parameter moved a little, so that none is 0 or 1 by its start."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


def in_order_of_the_peer(model):
    """The tensors of ``model`` by the names that its peer gives them."""
    return {name.replace("norm.", "").replace("residual.weight", "residual"): p for name, p in model.named_parameters()}


# The peers


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("samples", [1, 7])
def test_the_peer_has_the_outputs_and_gradients_of_the_model(make_model, draw, share, samples):
    model = changed(make_model(share_layers=share))
    peer = GatherScatterGSNN(model)
    x, y = draw.x_train[:samples], draw.y_train[:samples]
    torch.testing.assert_close(peer(x), model(x), **NEAR)
    for each in (model, peer):
        torch.nn.functional.mse_loss(each(x), y).backward()
    wanted, found = in_order_of_the_peer(model), dict(peer.named_parameters())
    assert wanted.keys() == found.keys()
    for name, parameter in found.items():
        assert parameter.grad.any() or "lin_out.bias" in name
        torch.testing.assert_close(parameter.grad.flatten(), wanted[name].grad.flatten(), **NEAR)


def test_the_peer_has_weights_of_its_own_and_one_index_for_each_batch_size(make_model, draw):
    model = make_model()
    peer = GatherScatterGSNN(model)
    before = model(draw.x_test).detach().clone()
    with torch.no_grad():
        for parameter in peer.parameters():
            parameter.zero_()
    torch.testing.assert_close(model(draw.x_test), before)
    linear = peer.ResBlocks[0].lin_in
    peer(draw.x_train[:3]), peer(draw.x_train[:3]), peer(draw.x_train[:5])
    kept = {name: len(index[0]) for name, index in linear.named_buffers() if name != "indices"}
    assert sorted(kept.values()) == [3 * len(linear.values), 5 * len(linear.values)]


@pytest.mark.parametrize("options", [{"norm": "none"}, {"residual": False}, {"node_mlp": True}, {"dropout": 0.5}])
def test_a_model_that_the_peer_cannot_stand_for_is_refused(make_model, options):
    with pytest.raises(ValueError, match=f"model must have {next(iter(options))}="):
        GatherScatterGSNN(make_model(**options))
    with pytest.raises(TypeError, match="GSNNUnion"):
        GatherScatterGSNN(GSNNUnion([make_model()]))


def test_loops_over_nodes_and_edges_find_the_index_lists_of_the_model(model):
    win, wout = loop_indices(model.edge_index, model.N, model.channels)
    assert torch.equal(win, model.ResBlocks[0].lin_in.indices)
    assert torch.equal(wout, model.ResBlocks[0].lin_out.indices)


@pytest.mark.parametrize("phi", ["mean", "learned"])
def test_the_dense_regularizer_has_the_loss_and_gradients_of_the_sparse_one(make_model, draw, phi):
    model = changed(make_model())
    peer = GatherScatterGSNN(model)
    M = torch.rand(5, model.N, generator=torch.Generator().manual_seed(0)) + 0.1
    M[:, ::2] = 0  # soft memberships, and nodes in no pathway
    sparse = PathwayLatentRegularizer(model, M, lambda_sim=0.7, phi=phi)
    dense = DenseRegularizer(peer, sparse)
    torch.testing.assert_close(dense.M, M)
    model(draw.x_train), peer(draw.x_train)
    losses = [sparse.loss(model)[0], dense.loss(peer)[0]]
    torch.testing.assert_close(*losses, **NEAR)
    of_model, of_peer = model.ResBlocks[0].lin_in.values, peer.ResBlocks[0].lin_in.values
    phis = list(sparse.phi.parameters())
    grads = [torch.autograd.grad(loss, [values, *phis]) for loss, values in zip(losses, (of_model, of_peer))]
    for wanted, found in zip(*grads):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_samples_one_by_one_are_those_of_simulate_given_the_same_draws():
    graph = Problem().draw_graph(0)
    G, functions, samples = graph.networkx(spurious=False), pathway_functions(graph), 30
    rng, noise = np.random.default_rng(3), {}
    noise |= zip(graph.input_nodes, rng.standard_normal((samples, len(graph.input_nodes))).T)
    noise |= {node: rng.standard_normal(samples) for node in nx.topological_sort(G) if node not in noise}
    ends = graph.input_nodes, graph.output_nodes
    x, y = simulate_one_by_one(G, samples, *ends, 0.3, functions, lambda i, node: noise[node][i])
    options = {"noise_scale": 0.3, "special_functions": functions, "vectorized": True, "seed": 3}
    x_train, x_test, y_train, y_test = simulate(G, 20, 10, *ends, **options)
    np.testing.assert_allclose(x, np.concatenate([x_train, x_test]), rtol=1e-12)
    np.testing.assert_allclose(y, np.concatenate([y_train, y_test]), rtol=1e-12)


def test_the_peer_of_a_sparse_map_gives_the_same_values_and_gradients():
    torch.manual_seed(0)
    linear = SparseLinear(win_indices(random_edges(20, 60), 20, 3), (60, 60))
    torch.nn.init.normal_(linear.bias)
    peer, x, g = GatherScatterLinear(linear), torch.randn(60, 5, requires_grad=True), torch.randn(60, 5)
    x_peer = x.detach().t().clone().requires_grad_()  # (B, sources)
    y, y_peer = linear(x), peer(x_peer)
    torch.testing.assert_close(y_peer.t(), y)
    wanted = torch.autograd.grad(y, (linear.values, linear.bias, x), g)
    found = torch.autograd.grad(y_peer, (peer.values, peer.bias, x_peer), g.t())
    torch.testing.assert_close((found[0], found[1], found[2].t()), (wanted[0], wanted[1].flatten(), wanted[2]))


# The clock


def test_versions_take_turns_and_each_is_warmed_up_once():
    calls = []
    ms = in_turn({name: lambda name=name: calls.append(name) for name in "ab"}, repeats=3)
    assert calls == list("ab" * 4) and set(ms) == {"a", "b"} and min(ms.values()) >= 0


def test_peak_memory_is_that_of_the_worst_moment_and_not_of_everything_ever_held():
    def run():
        for _ in range(5):
            block = torch.empty(250_000)
            del block

    assert 1_000_000 <= peak_bytes(run) < 1_100_000


def test_a_copy_of_n_bytes_reads_half_of_them_and_writes_the_other():
    assert 4 * copying(8_000)().numel() == 4_000


# The command


TINY = Sizes(
    nodes=100, edges=300, problem=Problem(n_train=8, n_test=8), seeds=2, epochs=1, memberships=(500, 1000),
    base_edges=200, scaling_edges=(200, 300), scaling_batch=(2, 4),
    scaling_channels=(8, 16), scaling_replicas=(1, 2), repeats=1, map_nodes=50, map_edges=200, union=2,
    cores_epochs=1, cores_powers=(16,),
)  # fmt: skip


def interrupted(*arguments, **options):
    raise KeyboardInterrupt


def test_the_command_prints_the_table_and_fills_a_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "QUICK", TINY)
    monkeypatch.setattr(growth, "MESSAGES", 32 * 202 * 8)  # of 200 edges and 2 inputs, and no more
    monkeypatch.setattr(bench, "plot_scaling", lambda points: plt.figure())  # its own test draws it; saving takes long
    assert main(["--quick", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    table, points = pd.read_csv(tmp_path / "bench.csv"), pd.read_csv(tmp_path / "scaling.csv")
    assert len(table) == 9 and all(part in printed for part in table["part"])
    assert (table["ratio"] > 0).all() and table["goal"].notna().all()
    np.testing.assert_allclose(table["ratio"], table["peer_ms"] / table["ours_ms"])
    assert (points[["ms", "MB"]] > 0).all(axis=None)
    peer = points[points["way"] == "gather-scatter"].groupby("axis")["value"].max()
    assert peer.to_dict() == {"edges E": 200, "samples B": 4, "channels C": 8, "replicas R": 2}
    for measured in (table, points):
        assert (measured["torch"] == torch.__version__).all() and measured["device"].str.startswith("cpu").all()
    for axis in ("edges", "samples", "channels", "replicas", "memberships"):
        assert all((tmp_path / f"scaling_{axis}.{kind}").stat().st_size > 1000 for kind in ("png", "svg"))
    run = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert run["finished"] is True and run["settings"]["sizes"]["nodes"] == 100
    assert {"bench.csv", "scaling.csv", "kernels.csv", "cores.csv", "threads.csv"} <= set(run["files"])
    assert "scaling_edges.png" in run["files"]
    fast, cores = pd.read_csv(tmp_path / "kernels.csv"), pd.read_csv(tmp_path / "cores.csv")
    assert list(fast) == ["part", "plain_ms", "fast_ms", "ratio", "when"]
    assert list(cores) == ["busy", "threads", "ms_per_epoch", "ratio"]
    places = [printed.index(text) for text in (table["part"].iloc[-1], fast["part"].iloc[0], "all cores busy")]
    assert places == sorted(places)  # the table against the peer comes first


def test_only_the_groups_that_are_named_are_measured_in_the_usual_order(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "QUICK", TINY)
    assert main(["--quick", "--only", "study", "map", "--output", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"bench.csv", "run.json"}
    parts_measured = pd.read_csv(tmp_path / "bench.csv")["part"].tolist()
    assert parts_measured == ["sparse map, B=32", "sparse map, B=128", "study, 2 seeds x 3 arms x 1 epochs"]
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["settings"]["groups"] == ["map", "study"]
    printed = capsys.readouterr().out
    assert "study, " in printed and "Slopes" not in printed


@pytest.mark.parametrize(
    "options, words",
    [
        ({"only": []}, "only must name at least one group"),
        ({"sizes": "small"}, "sizes must be a Sizes"),
        ({"quick": "yes"}, "quick must be True or False"),
        ({"device": "abacus"}, "device must be one"),
    ],
)
def test_a_bad_argument_is_refused_before_anything_is_written(options, words, tmp_path):
    with pytest.raises((ValueError, TypeError), match=words):
        bench.run_bench(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_a_device_that_torch_has_not_ends_with_2_and_one_line(tmp_path, capsys):
    assert main(["--device", "abacus", "--output", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("python -m benchmarks: device must be one") and said.count("\n") == 1


def test_the_run_is_on_disk_before_it_is_printed(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "measured", lambda group, sizes, device: iter([]))
    monkeypatch.setattr(bench, "in_words", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.run_bench(tmp_path, only=["map"])
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["finished"] is True


def test_a_group_that_there_is_not_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "maps", "--output", str(tmp_path / "run")])
    assert stopped.value.code == 2 and "'maps'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="only must be one of 'map'"):
        bench.run_bench(tmp_path / "run", sizes=TINY, only=["maps"])
    assert not (tmp_path / "run").exists()


def test_the_parser_offers_the_groups_that_there_are():
    assert options.GROUPS == groups.GROUPS


@pytest.mark.parametrize("group", options.GROUPS)
def test_the_bar_is_as_long_as_what_is_measured(group):
    assert len(list(groups.measured(group, TINY, "cpu"))) == groups.length(group, TINY)


def test_an_interrupt_keeps_what_was_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(groups.AGAINST_PEER, "study", (interrupted,))
    assert bench.run_bench(tmp_path, sizes=TINY, only=["study", "map"]) is False
    assert "Interrupted" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "bench.csv")) == 2
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["finished"] is False


def test_a_study_that_was_interrupted_is_not_measured(monkeypatch):
    monkeypatch.setattr(
        parts, "paired_study", lambda problem, arms, seeds, **options: pd.DataFrame({"seed": [0, 0, 0]})
    )
    with pytest.raises(KeyboardInterrupt):
        list(parts.whole_study(TINY, "cpu"))


def test_a_goal_that_is_missed_is_shown_as_missed():
    rows = [Row("slow", 10.0, 5.0, ">= 30x", False), Row("fast", 90.0, 2.0, ">= 30x", True)]
    rows = [row.columns() for row in rows]
    slow, fast = table_of(rows).splitlines()[1:3]
    assert "slow" in slow and "2.0x" in slow and "MISSED" in slow
    assert "fast" in fast and "45.0x" in fast and fast.endswith("met")
    assert "MISSED" not in table_of(rows, judged=False) and "not judged" in table_of(rows, judged=False)


def test_rows_say_missed_where_the_clock_says_so(monkeypatch):
    times = {"peer": 100.0, "ours": 10.0, "plain loop": 100.0, "floor": 1.0, "plain": 1.0, "told": 1.0}
    times |= {"dense P x N": 100.0, "edge-major": 10.0}
    monkeypatch.setattr(parts, "in_turn", lambda runs, *_: {name: times[name] for name in runs})
    for part in (parts.sparse_maps, parts.whole_step, parts.regularizer_losses, parts.simulations):
        assert not any(row.met for row in part(TINY, "cpu")), part.__name__
    (epoch,) = parts.one_epoch(TINY, "cpu")
    assert epoch.met and epoch.ratio == 10


def test_a_random_graph_has_as_many_edges_as_asked_for_none_twice():
    for nodes, edges in ((100, 1000), (30, 900), (1000, 5000)):
        found = random_edges(nodes, edges)
        assert found.shape == (2, edges) and 0 <= found.min() and found.max() < nodes
        assert torch.unique(found, dim=1).shape == (2, edges)
    assert torch.equal(random_edges(100, 50), random_edges(100, 50))


def test_the_bytes_of_a_map_are_those_that_its_arrays_have():
    indices = win_indices(random_edges(30, 60), 30, 4)
    linear, B = SparseLinear(indices, (60, 120), bias=False), 5
    p, x, y, values = linear.pattern, torch.empty(60, B), torch.empty(120, B), linear.values
    read_and_written = [p.target_start, p.source, values, x, y]  # forward
    read_and_written += [p.source_start, p.target, values, x, y, values, x]  # backward
    assert parts.map_bytes(linear, B) == sum(t.nbytes for t in read_and_written)


def test_the_slope_of_a_power_is_its_exponent_and_a_table_takes_each_lines_upper_half():
    sizes = np.array([1, 2, 4, 8, 16])
    assert speed.slope(sizes, 3.0 * sizes**2) == pytest.approx(2)
    overhead = np.maximum(3.0 * sizes, 12.0)
    table = pd.DataFrame({"axis": "edges E", "way": "edge-major", "value": sizes, "ms": overhead, "MB": sizes**0.5})
    assert speed.slopes(table)[["time", "memory"]].to_numpy().tolist() == [[pytest.approx(1), pytest.approx(0.5)]]


def test_the_regularizers_two_forms_agree_where_they_are_measured():
    runs = both_losses(1000, "cpu")
    ((dense,), (sparse,)) = (run() for run in runs.values())
    assert sparse.any()
    torch.testing.assert_close(dense, sparse.permute(2, 0, 1), rtol=1e-4, atol=1e-8)


def test_the_scaling_figure_has_a_line_for_each_way_and_says_where_one_stops():
    points = pd.DataFrame(
        [("edges E", e, "edge-major", e / 10, e / 20) for e in (10, 100, 1000)]
        + [("edges E", e, "gather-scatter", e, e / 2) for e in (10, 100)],
        columns=["axis", "value", "way", "ms", "MB"],
    )
    figure = plot_scaling(points)
    for ax, column in zip(figure.axes, ("ms", "MB")):
        assert (
            ax.get_xscale() == ax.get_yscale() == "log" and ax.get_xlabel() == "edges of the graph" and ax.get_ylabel()
        )
        lines = {line.get_label(): line for line in ax.lines}
        assert len({(line.get_marker(), line.get_color()) for line in ax.lines}) == 2
        assert lines["gather-scatter"].get_ydata().tolist() == points[column][3:].tolist()
        assert [text.get_text() for text in ax.texts] == ["stops: too large"]


def test_all_scaling_is_one_figure_with_a_column_for_each_axis_and_one_legend():
    rows = [
        (axis, v, way, v, 2 * v) for axis in ("edges E", "samples B") for v in (10, 100) for way in ("edge-major", "x")
    ]
    figure = plot_all_scaling(pd.DataFrame(rows, columns=["axis", "value", "way", "ms", "MB"]))
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "edges of the graph", "samples in a batch"]
    assert [ax.get_ylabel() for ax in figure.axes] == ["milliseconds a step", "", "megabytes at the peak", ""]
    assert all(len(ax.lines) == 2 and ax.get_legend() is None for ax in figure.axes)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["edge-major", "x"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_benchmark_runs_on_cuda(tmp_path):
    assert bench.run_bench(tmp_path, "cuda", sizes=TINY)
    assert (pd.read_csv(tmp_path / "bench.csv")["device"] == torch.cuda.get_device_name()).all()


# Causes of speed that must not be lost; tests/test_sparse.py and tests/test_regularizer.py hold those of their parts


def python_calls(run):
    """How many Python functions are called in ``run``."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return calls


def test_building_a_model_does_not_loop_over_edges_in_python():
    def build(edges):
        return lambda: random_model(100, edges)

    build(300)()  # imports and caches are filled
    assert python_calls(build(300)) == python_calls(build(3000)) > 0


def test_a_training_step_holds_nothing_of_size_samples_times_weights(largest_allocation):
    model = random_model(100, 3000, layers=2)
    B, weights = 16, len(model.ResBlocks[0].lin_in.values)
    step = training_step(model, *torch.randn(2, B, 10))
    step()
    assert 3000 * B * 4 <= largest_allocation(step) < weights * B * 4 / 4
    peer = training_step(GatherScatterGSNN(model), *torch.randn(2, B, 10))
    assert largest_allocation(peer) >= weights * B * 4  # as the peer does: the meter sees it
