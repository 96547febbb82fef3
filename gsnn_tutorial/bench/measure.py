"""How fast, against the reference's formulation: every part measured in one run, as a ratio.

The peer of each part is in ``gather_scatter``. Times are medians of versions that take turns. Memory is
what a step takes at its worst moment, beyond what is kept between steps (the peer's long indices are
kept, and do not count).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from gsnn_tutorial.bench.clock import copying, in_turn, peak_bytes
from gsnn_tutorial.bench.peer import (
    DenseRegularizer,
    GatherScatterGSNN,
    GatherScatterLinear,
    dense_loss,
    dense_membership,
    loop_indices,
    simulate_one_by_one,
)
from gsnn_tutorial.files import RunFolder, device_name, usable_device
from gsnn_tutorial.gsnn import GSNN, win_indices
from gsnn_tutorial.kernels import threads
from gsnn_tutorial.node import ActivationRecorder
from gsnn_tutorial.plots.scaling import plot_scaling
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.simulation import pathway_functions, simulate
from gsnn_tutorial.sparse import SparseLinear
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.problem import Draw, Problem
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.union import GSNNUnion
from gsnn_tutorial.training import SideBySide
from gsnn_tutorial.wiring import EDGE_TYPES

MESSAGES = 30_000_000  # the peer stops where it would send more of them at once


@dataclass(frozen=True)
class Sizes:
    """What is measured; the goals are stated for these sizes."""

    nodes: int = 10_000
    edges: int = 100_000
    problem: Problem = Problem()  # the seed problem
    seeds: int = 20
    epochs: int = 500
    memberships: tuple[int, ...] = (12_500, 25_000, 50_000, 100_000)
    base_edges: int = 10_000  # of the graph whose samples and channels grow
    scaling_edges: tuple[int, ...] = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
    scaling_batch: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    scaling_channels: tuple[int, ...] = (2, 4, 8, 16, 32, 64)
    scaling_replicas: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    repeats: int = 7


QUICK = Sizes(
    nodes=2_000, edges=20_000, seeds=4, epochs=50, memberships=(2_500, 5_000, 10_000, 20_000),
    scaling_edges=(1_000, 3_000, 10_000, 30_000), scaling_batch=(1, 8, 64), scaling_channels=(2, 8, 32),
    scaling_replicas=(1, 4, 16), repeats=3,
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the table. Times in ms, memory in MB; ``floors`` is our time over that of a copy of the bytes."""

    part: str
    peer_ms: float
    ours_ms: float
    goal: str
    met: bool
    floors: float = np.nan
    peer_MB: float = np.nan
    ours_MB: float = np.nan
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.peer_ms / self.ours_ms


def random_edges(nodes: int, edges: int, seed: int = 0) -> torch.Tensor:
    """``edges`` different pairs of nodes, (2, edges), by source, as networkx lists them."""
    place = np.sort(np.random.default_rng(seed).choice(nodes * nodes, edges, replace=False))
    return torch.tensor(np.stack([place // nodes, place % nodes]))


def random_model(nodes: int, edges: int, channels: int = 8, layers: int = 4, seed: int = 0) -> GSNN:
    """A GSNN on a random graph; every tenth node has an input, every tenth an output."""
    ends = torch.arange(0, nodes, 10)
    number = torch.arange(len(ends))
    index = {
        ("input", "to", "function"): torch.stack([number, ends]),
        ("function", "to", "function"): random_edges(nodes, edges, seed),
        ("function", "to", "output"): torch.stack([ends, number]),
    }
    counts = {"input": len(ends), "function": nodes, "output": len(ends)}
    names = {kind: [f"{kind}_{i}" for i in range(count)] for kind, count in counts.items()}
    generator = torch.Generator().manual_seed(seed)
    edge_index_dict = {edge_type: index[edge_type] for edge_type in EDGE_TYPES}
    # No self-edges: the random ones may be among the edges already.
    return GSNN(
        edge_index_dict, names, channels, layers, node_mlp=False, add_function_self_edges=False, generator=generator
    )


def training_step(model: torch.nn.Module, x, y, regularizer=None) -> Callable:
    """A run of one step: forward, backward, Adam as ``train`` has it."""
    parameters = [*model.parameters(), *(regularizer.parameters() if regularizer is not None else ())]
    optimizer = torch.optim.Adam(parameters, lr=5e-3, foreach=True)
    error = model.mse if isinstance(model, SideBySide) else torch.nn.functional.mse_loss

    def step():
        optimizer.zero_grad()
        loss = error(model(x), y).sum()
        if regularizer is not None:
            loss = loss + regularizer.loss(model)[0]
        loss.backward()
        optimizer.step()

    return step


def sparse_maps(sizes: Sizes, device: str) -> Iterator[Row]:
    """W_in alone, forward and backward."""
    for B, wanted in ((32, 30), (128, 25)):
        indices = win_indices(random_edges(sizes.nodes, sizes.edges), sizes.nodes, 8)
        linear = SparseLinear(indices, (sizes.edges, sizes.nodes * 8), bias=False).to(device)
        peer = GatherScatterLinear(linear).to(device)
        x = torch.randn(sizes.edges, B, device=device, requires_grad=True)
        g = torch.randn(sizes.nodes * 8, B, device=device)
        x_peer, g_peer = x.detach().t().contiguous().requires_grad_(), g.t().contiguous()
        runs = {
            "peer": lambda: torch.autograd.grad(peer(x_peer), (peer.values, x_peer), g_peer),
            "ours": lambda: torch.autograd.grad(linear(x), (linear.values, x), g),
            "floor": copying(map_bytes(linear, B), device),
        }
        ms = in_turn(runs, device, sizes.repeats)
        ratio, floors = ms["peer"] / ms["ours"], ms["ours"] / ms["floor"]
        megabytes = {name: peak_bytes(runs[name], device) / 1e6 for name in ("peer", "ours")}
        note = f"a copy moves {map_bytes(linear, B) / ms['floor'] / 1e6:.0f} GB/s, the map {1 / floors:.0%} of that"
        yield Row(
            f"sparse map, B={B}", ms["peer"], ms["ours"], f">= {wanted}x, <= 6 floors", ratio >= wanted and floors <= 6,
            floors, megabytes["peer"], megabytes["ours"], note,
        )  # fmt: skip


def map_bytes(linear: SparseLinear, B: int) -> int:
    """Bytes that forward and backward must move, each operand read or written once (4 bytes a number)."""
    nnz, sources, targets = linear.values.numel(), linear.N, linear.M
    forward = (2 * nnz + targets + 1) + sources * B + targets * B  # W in CSR and x; y
    backward = (2 * nnz + sources + 1) + sources * B + targets * B + nnz + sources * B  # W^T, x, g; both gradients
    return 4 * (forward + backward)


def whole_step(sizes: Sizes, device: str) -> Iterator[Row]:
    """A whole training step of a large GSNN."""
    model = random_model(sizes.nodes, sizes.edges).to(device)
    x, y = torch.randn(2, 32, len(model.node_names_dict["input"]), device=device)
    peer = GatherScatterGSNN(model).to(device)
    runs = {"peer": training_step(peer, x, y), "ours": training_step(model, x, y)}
    ms = in_turn(runs, device, max(3, sizes.repeats // 2))
    peer_MB, ours_MB = (peak_bytes(runs[name], device) / 1e6 for name in ("peer", "ours"))
    met = ms["peer"] >= 15 * ms["ours"] and ours_MB <= peer_MB / 4
    goal = ">= 15x, <= 1/4 of the memory"
    yield Row("GSNN step, L=4, B=32", ms["peer"], ms["ours"], goal, met, np.nan, peer_MB, ours_MB)


def _seed_problem(sizes: Sizes, device: str):
    draw = sizes.problem.draw(0)
    model = _seed_model(draw).to(device)
    return draw, model, [t.to(device) for t in (draw.x_train, draw.y_train, draw.x_test, draw.y_test)]


def _seed_model(draw, seed: int = 0) -> GSNN:
    generator = torch.Generator().manual_seed(seed)
    return GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=generator)


def one_epoch(sizes: Sizes, device: str) -> Iterator[Row]:
    """The seed problem: a step on 256 samples, and the error on 1,024; ten in a row, as in training."""
    draw, model, (x, y, x_test, y_test) = _seed_problem(sizes, device)

    def epochs(any_model):
        step = training_step(any_model, x, y)

        def run():
            for _ in range(10):
                step()
                with torch.no_grad():
                    torch.nn.functional.mse_loss(any_model(x_test), y_test).item()

        return run

    runs = {"peer": epochs(GatherScatterGSNN(model).to(device)), "ours": epochs(model)}
    with threads(1):  # for work this small both are faster on one
        peer, ours = (ms / 10 for ms in in_turn(runs, device, 2 * sizes.repeats).values())
    note = "with its test pass; a tenth of ten in a row"
    yield Row("seed problem, one epoch", peer, ours, ">= 10x", peer >= 10 * ours, note=note)


def whole_study(sizes: Sizes, device: str) -> Iterator[Row]:
    """Three arms over many seeds; the peer's runs are estimated from a few of its steps."""
    draw, model, (x, y, *_) = _seed_problem(sizes, device)
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership(), lambda_sim=1.0, phi="learned").to(device)
    regularizer.disable(model)
    peer, told = GatherScatterGSNN(model).to(device), GatherScatterGSNN(model).to(device)
    dense = DenseRegularizer(told, regularizer).to(device)
    steps = {"plain": training_step(peer, x, y), "told": training_step(told, x, y, dense)}
    with threads(1):
        ms = in_turn(steps, device, 4 * sizes.repeats)
    peer_ms = sizes.seeds * sizes.epochs * (ms["plain"] + 2 * ms["told"])
    start = time.perf_counter()
    recipe = Recipe(epochs=sizes.epochs)
    arms = ("baseline", "regularized", "control")
    table = paired_study(sizes.problem, arms, range(sizes.seeds), recipe=recipe, device=device, progress=False)
    ours_ms = 1e3 * (time.perf_counter() - start)
    if len(table) < sizes.seeds * len(arms):  # a study keeps what it has at an interrupt; its time is not a study's
        raise KeyboardInterrupt
    met = peer_ms >= 20 * ours_ms and ours_ms <= 60_000
    name = f"study, {sizes.seeds} seeds x 3 arms x {sizes.epochs} epochs"
    note = f"peer: estimated from {4 * sizes.repeats} steps, plain and regularized, no evaluation; ours: all"
    yield Row(name, peer_ms, ours_ms, ">= 20x, <= 60 s", met, note=note)


def building(sizes: Sizes, device: str) -> Iterator[Row]:
    """Where the weights are, for a large graph."""
    edge_index = random_edges(sizes.nodes, sizes.edges)
    runs = {
        "peer": lambda: loop_indices(edge_index, sizes.nodes, 8),
        "ours": lambda: random_model(sizes.nodes, sizes.edges),
    }
    ms = in_turn(runs, "cpu", 3)
    note = "peer: the index lists; ours: the whole model; on the CPU"
    yield Row("building the model", ms["peer"], ms["ours"], "< 1 s", ms["ours"] < 1000, note=note)


def regularizer_losses(sizes: Sizes, device: str) -> Iterator[Row]:
    """L_sim, forward and backward; time in proportion to memberships."""
    times = pd.DataFrame({m: in_turn(_losses(m, device), device, sizes.repeats) for m in sizes.memberships}).T
    grows = {way: slope(times.index, times[way]) for way in times}
    dense, sparse = times.iloc[-1]
    met = dense >= 20 * sparse and grows["edge-major"] <= 1.2
    note = f"slope over memberships {grows['edge-major']:.2f}, of the dense form {grows['dense P x N']:.2f}"
    name = f"regularizer, {times.index[-1]:,} memberships"
    yield Row(name, dense, sparse, ">= 20x, slope <= 1.2", met, note=note)


def _losses(memberships: int, device: str) -> dict[str, Callable]:
    """Both forms of L_sim, forward and backward to the activations, B=32: 50 members a pathway, 5 pathways a node."""
    nodes, pathways = memberships // 10, memberships // 50
    rng = np.random.default_rng(0)
    members = np.concatenate([rng.choice(nodes, 50, replace=False) for _ in range(pathways)])
    index = torch.tensor(np.stack([np.repeat(np.arange(pathways), 50), members]))
    M = torch.sparse_coo_tensor(index, torch.ones(memberships), (pathways, nodes), check_invariants=True)
    model = random_model(nodes, nodes, layers=1).to(device)
    recorder = ActivationRecorder(model)
    regularizer = PathwayLatentRegularizer(model, M, lambda_sim=1.0, phi="learned").to(device)
    with torch.no_grad():
        model(torch.randn(32, len(model.node_names_dict["input"]), device=device))
    (a,) = recorder.activations()  # the tensor that the regularizer keeps too: from here on, it has no past
    a.requires_grad_()
    a_dense = a.detach().permute(2, 0, 1).contiguous().requires_grad_()  # (B, N, C)
    dense, w = dense_membership(regularizer), regularizer.phi.weight.detach()[0]
    return {
        "dense P x N": lambda: torch.autograd.grad(dense_loss([a_dense], dense, lambda a: a @ w, 1e-6), a_dense),
        "edge-major": lambda: torch.autograd.grad(regularizer.loss(model)[0], a),
    }


def simulations(sizes: Sizes, device: str) -> Iterator[Row]:
    """1,280 samples of the seed problem, all at once and one by one."""
    problem = sizes.problem
    graph = problem.draw_graph(0)
    G, functions, samples = graph.networkx(spurious=False), pathway_functions(graph), problem.n_train + problem.n_test
    rng = np.random.default_rng(0)
    ends = graph.input_nodes, graph.output_nodes

    def one_by_one(draw):
        return lambda: simulate_one_by_one(G, samples, *ends, 0.3, functions, lambda i, node: draw())

    runs = {
        "peer": one_by_one(lambda: torch.distributions.Normal(0.0, 1.0).sample().item()),
        "plain loop": one_by_one(rng.standard_normal),
        "ours": lambda: simulate(
            G, problem.n_train, problem.n_test, *ends, noise_scale=0.3, special_functions=functions,
            vectorized=True, seed=0,
        ),
    }  # fmt: skip
    ms = in_turn(runs, "cpu", sizes.repeats)
    met = ms["peer"] >= 100 * ms["ours"]
    note = "peer: a loop over samples with a distribution for every draw, as a probabilistic program has it; on the CPU"
    yield Row(f"simulation, {samples:,} samples", ms["peer"], ms["ours"], ">= 100x", met, note=note)
    note = "peer: the same loop with nothing but a number drawn by NumPy"
    met = ms["plain loop"] >= 100 * ms["ours"]
    yield Row("simulation, barest loop", ms["plain loop"], ms["ours"], ">= 100x", met, note=note)


PARTS = (sparse_maps, whole_step, one_epoch, whole_study, building, regularizer_losses, simulations)


def scaling(sizes: Sizes, device: str) -> Iterator[list[dict]]:
    """Time and memory of a training step as E, B, C or R grows (else E=10,000, B=32, C=8), and of the regularizer.

    Each item holds a row for every way at one size.
    """
    base = {"edges E": sizes.base_edges, "samples B": 32, "channels C": 8}
    axes = {"edges E": sizes.scaling_edges, "samples B": sizes.scaling_batch, "channels C": sizes.scaling_channels}
    for axis, values in axes.items():
        for value in values:
            E, B, C = (base | {axis: value}).values()
            model = random_model(E // 10, E, C).to(device)
            x, y = torch.randn(2, B, len(model.node_names_dict["input"]), device=device)
            runs = {"edge-major": training_step(model, x, y)}
            if B * model.ResBlocks[0].lin_in.values.numel() <= MESSAGES:
                runs["gather-scatter"] = training_step(GatherScatterGSNN(model).to(device), x, y)
            yield _scaled(axis, value, runs, device)
    draws = [sizes.problem.draw(r) for r in range(max(sizes.scaling_replicas))]
    for R in sizes.scaling_replicas:
        yield _scaled("replicas R", R, _replicas(draws[:R], device), device)
    for memberships in sizes.memberships:
        yield _scaled("memberships", memberships, _losses(memberships, device), device)


def _replicas(draws: list[Draw], device: str) -> dict[str, Callable]:
    """A step of as many models of the seed problem: as one union, our models one by one, and the peers."""
    models = [_seed_model(draw, r).to(device) for r, draw in enumerate(draws)]
    data = [(draw.x_train.to(device), draw.y_train.to(device)) for draw in draws]
    x, y = (torch.cat(columns, dim=1) for columns in zip(*data))
    peers = [training_step(GatherScatterGSNN(model).to(device), *xy) for model, xy in zip(models, data)]
    singles = [training_step(model, *xy) for model, xy in zip(models, data)]
    return {
        "edge-major": training_step(GSNNUnion(models).to(device), x, y),
        "edge-major, one by one": lambda: [step() for step in singles],
        "gather-scatter": lambda: [step() for step in peers],
    }


def _scaled(axis: str, value: int, runs: dict[str, Callable], device: str) -> list[dict]:
    with threads(1 if axis == "replicas R" else torch.get_num_threads()):  # the seed problem is as fast on one
        ms = in_turn(runs, device, 3)
    return [
        {"axis": axis, "value": value, "way": way, "ms": ms[way], "MB": peak_bytes(run, device) / 1e6}
        for way, run in runs.items()
    ]


def slope(sizes, values) -> float:
    """The slope of a straight line through the points on log-log axes; 1 is in proportion."""
    return float(np.polyfit(np.log(np.asarray(sizes, dtype=float)), np.log(values), 1)[0])


def slopes(table: pd.DataFrame) -> pd.DataFrame:
    """Slope of time and memory on log-log axes over each line's upper half: 1 is in proportion."""
    rows = []
    for (axis, way), line in table.groupby(["axis", "way"], sort=False):
        line = line.sort_values("value").tail(max(2, (len(line) + 1) // 2))
        if len(line) > 1:
            time, memory = (slope(line["value"], line[column]) for column in ("ms", "MB"))
            rows.append({"axis": axis, "way": way, "time": time, "memory": memory})
    return pd.DataFrame(rows)


def bench(output: str | Path, device: str = "cpu", quick: bool = False, sizes: Sizes | None = None) -> bool:
    """Measure everything, print the table, fill the folder ``output``. Returns whether all of it was measured.

    Tables are written as they grow: an interrupt keeps what was measured.
    """
    sizes = sizes or (QUICK if quick else Sizes())
    usable_device(device)
    folder = RunFolder(output, {"sizes": asdict(sizes), "quick": quick}, device)
    where = {"device": device_name(device), "torch": torch.__version__}
    table_file, scaling_file = folder.file("bench.csv"), folder.file("scaling.csv")
    rows, scaled, finished = [], [], False
    torch.manual_seed(0)
    scales = (sizes.scaling_edges, sizes.scaling_batch, sizes.scaling_channels, sizes.scaling_replicas)
    total = len(PARTS) + sum(map(len, (*scales, sizes.memberships)))
    bar = tqdm(total=total, desc="bench", unit="part")
    try:
        for part in PARTS:
            for row in part(sizes, device):
                rows.append({"part": row.part, "ratio": row.ratio} | asdict(row) | where)
                pd.DataFrame(rows).to_csv(table_file, index=False, lineterminator="\n")
            bar.update()
        for points in scaling(sizes, device):
            scaled += [point | where for point in points]
            pd.DataFrame(scaled).to_csv(scaling_file, index=False, lineterminator="\n")
            bar.update()
        finished = True
    except KeyboardInterrupt:
        pass  # what was measured is printed, and said to be all
    finally:
        bar.close()
    print(table_of(rows, judged=not quick))
    if scaled:
        points = pd.DataFrame(scaled)
        print("\nSlopes on log-log axes, upper half of each line (1: in proportion)\n")
        print(slopes(points).round(2).to_string(index=False))
        for name, figure in scaling_figures(points).items():
            folder.figure(name, figure)
    wall = folder.finish(finished=finished)
    state = "" if finished else "Interrupted: what is missing was not measured. "
    print(f"\n{state}{wall:.0f} s on {where['device']}. Tables, figures and run.json are in {folder.path}")
    return finished


def saved_run() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table and scaling of the run that the package brings: what ``bench`` wrote on two CPU cores."""
    data = files("gsnn_tutorial") / "data"
    return tuple(pd.read_csv(data / name) for name in ("bench.csv", "bench_scaling.csv"))


def table_of(rows: list[dict] | pd.DataFrame, judged: bool = True) -> str:
    """The table in words; ``judged=False`` says of no goal whether it is met, since goals are for the full sizes."""
    if not len(rows):
        return "nothing was measured"
    table = pd.DataFrame(rows)
    goal = table["goal"].fillna("")
    met = table["met"].map({True: "met", False: "MISSED"}).where(goal != "", "")
    shown = {
        "part": table["part"],
        "peer ms": table["peer_ms"].map("{:,.1f}".format),
        "ours ms": table["ours_ms"].map("{:,.2f}".format),
        "ratio": table["ratio"].map("{:,.1f}x".format),
        "floors": table["floors"].map("{:.1f}".format).replace("nan", ""),
        "peer MB": table["peer_MB"].map("{:,.0f}".format).replace("nan", ""),
        "ours MB": table["ours_MB"].map("{:,.0f}".format).replace("nan", ""),
        "goal": goal,
        "": met if judged else "",
    }
    notes = [f"{part}: {note}" for part, note in zip(table["part"], table["note"].fillna("")) if note]
    if not judged:
        notes.append("The goals are for the full sizes, without --quick: here they are not judged.")
    return "\n".join([pd.DataFrame(shown).to_string(index=False), "", *notes])


def scaling_figures(points: pd.DataFrame) -> dict[str, Figure]:
    """One figure for each axis: time left, memory right."""
    return {
        "scaling_" + axis.split()[0]: plot_scaling(points[points["axis"] == axis]) for axis in points["axis"].unique()
    }
