"""What several test files share: golden arrays, the published draw, a seeded model, a memory meter."""

import json
import os
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from gsnn_tutorial import GSNN
from gsnn_tutorial.study.published import published_draw

os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")  # what joblib counts, and a study shares among its jobs
matplotlib.use("Agg")
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")  # what joblib counts, and a study shares among its jobs
torch.set_num_threads(1)  # on products this small, more threads wait for each other, for minutes on a busy machine


def _load(name):
    with np.load(Path(__file__).parent / "golden" / f"{name}.npz") as arrays:
        return {key: torch.from_numpy(np.array(arrays[key])) for key in arrays}


@pytest.fixture(scope="session")
def golden():
    """The seed problem: data, graph, initial weights and first step of the reference."""
    return _load("seed_problem")


@pytest.fixture(scope="session")
def golden_trajectories():
    return _load("seed_trajectories")


@pytest.fixture(scope="session")
def golden_options():
    return _load("options")


@pytest.fixture(scope="session")
def draw():
    """The published graph, samples and shuffled pathways."""
    return published_draw()


@pytest.fixture
def make_model(draw):
    """The published model from the published initial weights; keywords change its options."""

    def make(graph=draw.graph, **options):
        torch.manual_seed(0)
        return GSNN(graph.edge_index_dict, graph.names, **{"channels": 8, "layers": 4, "node_mlp": False} | options)

    return make


@pytest.fixture
def model(make_model):
    return make_model()


@pytest.fixture
def largest_allocation(tmp_path):
    """A function that runs another one, and returns the bytes of the largest block that torch allocated meanwhile."""

    def measure(run):
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            run()
        trace = tmp_path / "trace.json"
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
        return max(event["args"]["Bytes"] for event in events if event["name"] == "[memory]")

    return measure
