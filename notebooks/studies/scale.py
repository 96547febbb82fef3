"""A network of everyday size, as a saved run: python notebooks/studies/scale.py OUTPUT.csv [NODES].

NODES genes (10,000), ten edges for each, 300 overlapping sets of 50 neighbours, 512 training samples in minibatches
of 64, with and without the regularizer. It writes the learning curve, seconds for reading and for an epoch, and
the process's peak memory so far.
"""

from __future__ import annotations

import resource
import sys
import time

import networkx as nx
import numpy as np
import pandas as pd
import torch

from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.study.files import write_csv
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.splits import OwnProblem
from gsnn_tutorial.training import train


def large_files(nodes: int, seed: int = 0) -> dict:
    """Table, network, sets and columns as DataFrames: a random network whose outputs follow their inputs' tanh sums."""
    rng = np.random.default_rng(seed)
    genes = np.array([f"g{i}" for i in range(nodes)])
    pairs = rng.integers(nodes, size=(10 * nodes, 2))
    network = pd.DataFrame({"source": genes[pairs[:, 0]], "target": genes[pairs[:, 1]], "sign": 1})
    G = nx.Graph(pairs.tolist())
    rows = []
    for p in range(300 * nodes // 10_000 or 3):
        start = int(rng.integers(nodes))
        members = list(nx.bfs_tree(G, start, depth_limit=3))[:50]
        rows += [(f"set {p}", genes[i]) for i in members]
    inputs, reads = rng.permutation(nodes)[:50], []
    hears = nx.DiGraph(pairs.tolist())
    x = (rng.random((640, 50)) < 0.2).astype(float)
    y = {}
    for k, i in enumerate(inputs):
        near = [j for j in nx.single_source_shortest_path_length(hears, int(i), cutoff=2) if j != i]
        reads.append(int(rng.choice(near)) if near else int(i))
        y[f"y{k}"] = np.tanh(x[:, k] + x[:, (k + 1) % 50]) + 0.1 * rng.normal(size=640)
    table = pd.DataFrame(x, columns=[f"x{k}" for k in range(50)]).assign(**y)
    columns = [(f"x{k}", "input", genes[i]) for k, i in enumerate(inputs)]
    columns += [(f"y{k}", "output", genes[j]) for k, j in enumerate(reads)]
    return {
        "table": table, "network": network, "sets": pd.DataFrame(rows, columns=["set", "member"]),
        "columns": pd.DataFrame(columns, columns=["column", "role", "node"]),
    }  # fmt: skip


def run(output: str, nodes: int = 10_000, epochs: int = 10):
    """Read, train and write: arm, epoch, test_mse, seconds_per_epoch, read_seconds, gigabytes, and the sizes."""
    files = large_files(nodes)
    start = time.perf_counter()
    own = own_network(**files)
    read = time.perf_counter() - start
    draw, rows = OwnProblem(own).draw(0), []
    for arm in ("baseline", "regularized"):
        model = GSNN(own.graph.edge_index_dict, own.graph.names, 4, 4, norm="batch", node_mlp=False,
                     generator=torch.Generator().manual_seed(0))  # fmt: skip
        regularizer = PathwayLatentRegularizer(model, own.graph.sets, lambda_sim=0.1) if arm == "regularized" else None
        start = time.perf_counter()
        history = train(
            model, draw.x_train, draw.y_train, x_test=draw.x_test, y_test=draw.y_test, regularizer=regularizer,
            epochs=epochs, batch_size=64, lr=5e-3, progress=False,
        ).table()  # fmt: skip
        seconds = (time.perf_counter() - start) / epochs
        gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # the most so far, of both arms
        sizes = {"seconds_per_epoch": round(seconds, 1), "read_seconds": round(read, 1), "gigabytes": round(gigabytes, 2),
                "nodes": len(own.graph.function_nodes), "edges": len(own.edges), "sets": len(own.membership),
                "threads": torch.get_num_threads()}  # fmt: skip
        rows += [{"arm": arm, "epoch": epoch, "test_mse": round(error, 4)} | sizes
                 for epoch, error in enumerate(history["test_mse"], 1)]  # fmt: skip
        write_csv(pd.DataFrame(rows), output)
        print(pd.DataFrame(rows).tail(1).to_string(), flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 10_000)
