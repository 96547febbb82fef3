"""A set of small files to start from: what each must look like, with a few of the faults that real ones have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.graph import pathway_graph
from gsnn_tutorial.simulation import pathway_functions, simulate
from gsnn_tutorial.study.files import write_csv, write_text

FILES = ("table.csv", "network.csv", "sets.gmt", "columns.csv")


def write_example(folder: str | Path, seed: int = 0) -> dict[str, Path]:
    """Write ``FILES`` into a folder, made if need be: their paths, as ``own_network(**paths)`` takes them.

    Simulated: four pathways of four genes, 240 samples in 60 conditions, and an edge list in which some edges carry
    nothing, one stands twice, and a gene is written otherwise than in the sets. Raises ValueError if one of the
    files is there already.
    """
    folder, rng = Path(folder), np.random.default_rng(validate.integer("seed", seed, 0))
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise ValueError(f"the example would overwrite {folder / there[0]}: give another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the example needs a folder that can be made, got {folder}: {error.strerror}") from error
    graph = pathway_graph(K=4, n_in=2, n_func=4, n_out=2).with_spurious_edges(8, rng)
    names = {node: f"GENE{place:02d}" for place, node in enumerate(graph.function_nodes)}
    x, _, y, _ = simulate(
        graph.networkx(spurious=False), 240, 2, graph.input_nodes, graph.output_nodes, noise_scale=0.2,
        special_functions=pathway_functions(graph), vectorized=True, seed=rng,
    )  # fmt: skip
    drugs = {node: f"drug_{place}" for place, node in enumerate(graph.input_nodes)}
    readouts = {node: f"readout_{place}" for place, node in enumerate(graph.output_nodes)}
    table = pd.concat([
        pd.DataFrame({"condition": [f"c{row // 4:02d}" for row in range(240)]}),
        pd.DataFrame(np.round(x, 3), columns=list(drugs.values())),
        pd.DataFrame(np.round(y, 3), columns=list(readouts.values())),
    ], axis=1)  # fmt: skip
    between = [(names[u], names[v], 1) for u, v in graph.all_edges if u in names and v in names]
    network = pd.DataFrame([*between, between[0]], columns=["source", "target", "sign"])
    rows = [(drugs[u], "input", names[v]) for u, v in graph.edges if u in drugs]
    rows += [(readouts[v], "output", names[u]) for u, v in graph.edges if v in readouts]
    columns = pd.DataFrame([*rows, ("condition", "group", "")], columns=["column", "role", "node"])
    members = graph.membership().bool().numpy()
    lines = []
    for p, member in enumerate(members):
        genes = [name for name, inside in zip(names.values(), member) if inside]
        genes.append(genes[0].lower() if p == 0 else "GENE00" if p == 1 else f"ELSEWHERE{p}")
        lines.append("\t".join([f"PATHWAY_{p}", "an example", *dict.fromkeys(genes)]))
    write_csv(table, folder / "table.csv")
    write_csv(network, folder / "network.csv")
    write_csv(columns, folder / "columns.csv")
    write_text("\n".join(lines) + "\n", folder / "sets.gmt")
    return {name.split(".")[0]: folder / name for name in FILES}
