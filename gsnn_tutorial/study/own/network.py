"""Files in, objects out: a table, an edge list and gene sets as graph, membership and data, with a report."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.study.files import write_csv, write_text
from gsnn_tutorial.study.own.edges import nodes_of, read_edges
from gsnn_tutorial.study.own.findings import Findings
from gsnn_tutorial.study.own.measured import read_values
from gsnn_tutorial.study.own.own_graph import OwnGraph
from gsnn_tutorial.study.own.reach import hops, report_reach
from gsnn_tutorial.study.own.roles import ends, guessed_roles, matched_roles, read_roles, roles_of_lists
from gsnn_tutorial.study.own.sets import membership_of, read_sets
from gsnn_tutorial.study.own.sheets import header_of, read_sheet
from gsnn_tutorial.wiring import Node


@dataclass(frozen=True)
class OwnNetwork:
    """Everything that was made of someone's files.

    Arguments
        graph: the graph as GSNN, plots and attribution take it.
        x, y: inputs and outputs, (rows, nodes), columns named as the input and output nodes of the graph.
        groups: the group of each row, which a split holds out whole.
        membership: sets over function nodes, (P, N), named rows, or None without sets.
        edges: source, target, sign, as used.
        roles: column, role, node, as used.
        outputs: what reaches each output, and over how many hops, see ``reach_of_outputs``.
        findings: what was found in the files, and what was done about it.
    """

    graph: OwnGraph
    x: pd.DataFrame
    y: pd.DataFrame
    groups: pd.Series
    membership: pd.DataFrame | None
    edges: pd.DataFrame
    roles: pd.DataFrame
    outputs: pd.DataFrame
    findings: Findings = field(repr=False)

    def __str__(self):
        return f"{self.graph}; {len(self.x)} rows in {self.groups.nunique()} groups"

    @property
    def depth(self) -> int:
        """So many layers let every output hear of every input that reaches it on its shortest way, at least 2."""
        finite = self.outputs["farthest"][np.isfinite(self.outputs["farthest"])]
        return max(2, int(finite.max()) if len(finite) else 2)

    def report(self) -> str:
        """The findings in the files, as a text."""
        return f"{self}\n\n{self.findings.text()}"

    def report_table(self) -> pd.DataFrame:
        """The findings in the files, as a table: part, finding, done, count, examples."""
        return self.findings.table()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Network, sets, data and columns *as they are used*, what reaches each output, and the report, by name."""
        data = pd.concat([self.groups.rename("group"), self.x, self.y], axis=1).rename_axis("row")
        made = {"network_used": self.edges, "columns_used": self.roles, "table_used": data}
        if self.membership is not None:
            weight = self.membership.stack().rename_axis(["set", "member"]).rename("weight")
            made["sets_used"] = weight[weight != 0].reset_index()
        return made | {"outputs": self.outputs, "report": self.report_table()}

    def fingerprint(self) -> str:
        """A hash of everything that is used: another one for other data."""
        digest = hashlib.sha256()
        for table in self.tables().values():
            digest.update(table.to_csv().encode())
        return digest.hexdigest()[:16]

    def write(self, folder: str | Path):
        """Write ``tables`` and report.txt into a folder, made if need be."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables().items():
            write_csv(table, folder / f"{name}.csv")
        write_text(self.report() + "\n", folder / "report.txt")


def own_network(
    table, network, sets=None, columns=None, *, inputs=None, outputs=None, group=None, smallest: int = 2,
    largest: int | None = None, alike: float = 0.8, called: Mapping | None = None, sep: str | None = None,
) -> OwnNetwork:  # fmt: skip
    """Read a table, a network and gene sets, and say what of them can be used.

    Arguments
        table: samples x columns; a CSV or TSV file (gzipped or not) or a DataFrame.
        network: edges; CSV, TSV or SIF, a DataFrame with columns as decoupler and OmniPath call them, or a
            networkx.DiGraph.
        sets: gene sets; GMT, CSV, TSV, a DataFrame or a dict; None for none.
        columns: which column is what, see ``read_roles``; None takes ``inputs``, ``outputs`` and ``group``, lists of
            columns that are called as nodes are, and without these guesses by the names.
        smallest, largest: sets with fewer or more members in the network are dropped.
        alike: pairs of sets with this Jaccard index or more are reported.
        called: how columns of the files are called, {'network': {'source': 'from'}, 'sets': {...}, 'columns': {...}}.
        sep: what separates the columns of all files; None takes it from each file.

    Names are matched exactly, then but for case and surrounding blanks. An input or output that is called as a
    function node is gets ' (given)' or ' (measured)' behind its name.

    Raises ValueError or TypeError, with file and line or the argument's name, for what cannot be used.
    """
    smallest = validate.integer("smallest", smallest, 1)
    if largest is not None:
        validate.integer("largest", largest, smallest)
    validate.number("alike", alike, 0, 1)
    called, findings = validate.mapping("called", called), Findings()
    for key in called:
        validate.choice("called", key, ("network", "sets", "columns"))
    edges = read_edges(network, findings, called.get("network"), sep)
    nodes, header = nodes_of(edges), header_of(table, "table", sep)
    lists = (inputs, outputs, group)
    listed = any(given is not None for given in lists)
    if columns is not None and listed:
        raise ValueError("give columns, or inputs, outputs and group, not both")
    if columns is not None:
        roles = read_roles(columns, called.get("columns"), sep)
    else:
        roles = roles_of_lists(*lists) if listed else guessed_roles(header, edges, findings)
    roles = matched_roles(roles, header, nodes, findings)
    x, y, groups = read_values(read_sheet(table, "table", sep, wanted=roles["column"]), roles, findings)
    entry, context, exits = ends(roles, x, y, nodes)
    membership = None
    if sets is not None:
        read = read_sets(sets, called.get("sets"), sep)
        membership = membership_of(read, nodes, findings, smallest=smallest, largest=largest, alike=alike)
    heard = hops(edges, nodes, entry)
    reach = report_reach(edges, heard, entry, exits, findings)
    names = _free_names(nodes, {"input": x, "output": y}, findings)
    graph = _graph(edges, names, entry | context, exits, heard, membership)
    x, y = x.rename(columns=names["input"]), y.rename(columns=names["output"])
    reach = reach.rename(index=names["output"])
    return OwnNetwork(graph, x, y, groups, membership, edges, roles, reach, findings)


def _free_names(nodes: list[str], tables: Mapping[str, Iterable[str]], findings: Findings) -> dict[str, dict[str, str]]:
    """A free name for each input and output: a GSNN has every name once."""
    taken, names = set(nodes), {"input": {}, "output": {}}
    for kind, word in (("input", "given"), ("output", "measured")):
        for name in tables[kind]:
            free = name
            while free in taken:
                free = f"{free} ({word})"
            taken.add(free)
            names[kind][name] = free
        changed = [f"{old} -> {new}" for old, new in names[kind].items() if old != new]
        findings.add("columns", f"{kind}s with the name of another node, renamed", changed, "changed")
    return names


def _graph(edges, names, entry, exits, heard: pd.DataFrame, membership) -> OwnGraph:
    """The graph, laid out by hops from the inputs."""
    level = heard.min(axis=0).replace(np.inf, np.nan)
    level = level.fillna((level.max() if level.notna().any() else 0) + 1)  # nodes that no input reaches: one row below
    rows = {"input": dict.fromkeys(names["input"].values(), 0.0), "function": dict(level),
            "output": dict.fromkeys(names["output"].values(), level.max() + 1)}  # fmt: skip
    made, count = [], Counter()
    for kind, depth_of in rows.items():
        for name, depth in depth_of.items():
            place = count[depth]  # a row grows from its middle to both sides: 0, 1, -1, 2, -2, ...
            count[depth] += 1
            made.append(Node(name, kind, None, (float(-(-place // 2) * (1 if place % 2 else -1)), -float(depth))))
    pairs = list(zip(edges["source"], edges["target"]))
    signs = {pair: int(sign) for pair, sign in zip(pairs, edges["sign"]) if sign}
    into = [(names["input"][name], node) for name, group in entry.items() for node in group]
    out = [(node, names["output"][name]) for name, group in exits.items() for node in group]
    M = None if membership is None else torch.tensor(membership.to_numpy(), dtype=torch.float32)
    return OwnGraph(tuple(made), (*pairs, *into, *out), sets=M, signs=signs)
