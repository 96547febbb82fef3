"""Chapter 4: what it defines on screen is what the package computes, and its exercises fit its text."""

import ast
import importlib.util
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch

from gsnn_tutorial import SparseLinear
from gsnn_tutorial.exercises import chapter_4 as checks
from gsnn_tutorial.gsnn import win_indices
from gsnn_tutorial.plots import chapter_4 as plots
from gsnn_tutorial.sparse import sparse_map

SOURCE = Path(__file__).parents[2] / "notebooks" / "04_gpu_forward.py"
SIZE = (9, 7)  # sources, targets


NUMBERS = ("(B, C, DEGREE)", "LIMIT")  # the sizes that its functions read


def is_definition(statement: ast.stmt) -> bool:
    """Whether a statement imports, defines a class or a function, or sets one of NUMBERS."""
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0]) in NUMBERS
    return isinstance(statement, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef))


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """What the chapter defines on screen, as a module: its definitions without its runs."""
    statements = ast.parse(SOURCE.read_text(encoding="utf-8")).body
    text = "\n".join(ast.unparse(s) for s in statements if is_definition(s))
    path = tmp_path_factory.mktemp("chapter") / "chapter_04.py"
    path.write_text(text + "\ndevice = torch.device('cpu')\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("chapter_04", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["chapter_04"] = module  # PyG looks up where a class comes from
    spec.loader.exec_module(module)
    yield module
    del sys.modules["chapter_04"]


@pytest.fixture(params=[0, 1, 2])
def case(request):
    """A random map with targets and sources that have no weight, and a batch for it."""
    generator = torch.Generator().manual_seed(request.param)
    place = torch.randperm(SIZE[0] * SIZE[1], generator=generator)[:15].sort().values
    indices = torch.stack([place // SIZE[1], place % SIZE[1]])
    x, g = (torch.randn(5, n, generator=generator) for n in SIZE)
    return indices, torch.randn(15, generator=generator), x, g


def package(indices, values, x, g):
    """y (B, targets) and the gradients of weights (nnz,) and inputs (B, sources), by SparseLinear."""
    linear = SparseLinear(indices, SIZE, bias=False)
    with torch.no_grad():
        linear.values.copy_(values)
    rows = x.t().contiguous().requires_grad_()
    y = linear(rows)
    grad_values, grad_x = torch.autograd.grad(y, (linear.values, rows), g.t())
    return y.t(), grad_values, grad_x.t()


@pytest.mark.parametrize("name", ["DenseMask", "GatherScatter", "EdgeMajor"])
def test_each_way_gives_the_packages_values_and_gradients(chapter, case, name):
    indices, values, x, g = case
    extra = (len(x),) if name == "GatherScatter" else ()
    way = getattr(chapter, name)(indices, SIZE, values, *extra)
    y, grad_values, grad_x = chapter.step(way, x, g)()
    if name == "DenseMask":
        assert not grad_values[way.mask == 0].any()
        grad_values = grad_values[indices[1], indices[0]]
    if name == "EdgeMajor":
        y, grad_x = y.t(), grad_x.t()
    for ours, theirs in zip((y, grad_values, grad_x), package(*case)):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_union_of_maps_is_the_maps_side_by_side(chapter, case):
    indices, values, x, _ = case
    together, size = chapter.disjoint_union([(indices, SIZE)] * 3)
    way = chapter.EdgeMajor(together, size, torch.cat([values, 2 * values, 3 * values]))
    y = package(*case)[0].t()
    torch.testing.assert_close(way(x.t().repeat(3, 1)), torch.cat([y, 2 * y, 3 * y]))


def test_the_counts_are_those_of_the_graphs_that_are_drawn(chapter):
    for N in (10, 40):
        edges = chapter.random_edges(N, seed=1)
        assert edges.unique(dim=1).shape == (2, chapter.DEGREE * N)  # no edge twice
        assert (torch.bincount(edges[1]) == chapter.DEGREE).all()
        nnz = win_indices(edges, N, chapter.C).shape[1]
        assert chapter.largest_array(N)["gather-scatter"] == chapter.B * nnz


def test_the_largest_block_that_is_allocated_is_the_one_that_was_counted(chapter):
    modules, x, g = chapter.ways(60)
    for name, way in modules.items():
        peak, largest = chapter.memory(chapter.step(way, x, g))
        assert largest == 4 * chapter.largest_array(60)[name] <= peak


def test_a_way_that_needs_more_than_the_limit_is_left_out(chapter, monkeypatch):
    monkeypatch.setattr(chapter, "LIMIT", chapter.largest_array(60)["gather-scatter"])
    assert list(chapter.ways(60)[0]) == ["gather-scatter", "edge-major"]


def test_the_floor_moves_the_bytes_of_forward_and_backward(chapter):
    modules, x, g = chapter.ways(60)
    S, T, B, nnz = x.shape[1], g.shape[1], len(x), len(modules["edge-major"].weight)
    backward = 4 * (2 * nnz + S + 1 + S * B + T * B + nnz + S * B)
    moved = 2 * chapter.floor(modules["edge-major"], x, g)().nbytes
    assert abs(moved - checks.forward_bytes.reference(S, T, nnz, B) - backward) < 8


def test_the_solutions_compute_what_the_package_computes(case):
    indices, values, x, _ = case
    pattern = SparseLinear(indices, SIZE).pattern
    ours = checks.gather_scatter.reference(values, indices, x.t(), SIZE[1])
    torch.testing.assert_close(ours, sparse_map(values, x.t(), pattern))
    assert checks.row_starts.reference(indices[1].sort().values, SIZE[1]).tolist() == pattern.target_start.tolist()


def test_rounds_take_turns_and_drop_the_warm_up(chapter):
    order = []
    times = chapter.in_turn({name: lambda name=name: order.append(name) for name in "ab"}, repeats=3, warmup=1)
    assert order == ["a", "b"] * 4 and times.shape == (3, 2)


def test_figures_of_sizes_that_a_way_did_not_reach():
    times = pd.DataFrame({"dense mask": [1.0, None], "edge-major": [2.0, 3.0], "floor": [0.1, 0.2]}, index=[10, 20])
    ax = plots.plot_against_size(times, ylabel="milliseconds", stopped="stops here", mark=10, limit=2.5)
    assert ax.get_xlabel() and ax.get_ylabel() and "stops here" in [t.get_text() for t in ax.texts]
    ax = plots.plot_one_size(times, 20)
    assert any("more memory" in t.get_text() for t in ax.texts)
    with pytest.raises(ValueError, match="nodes must be one of"):
        plots.plot_one_size(times, 15)
    plt.close("all")
