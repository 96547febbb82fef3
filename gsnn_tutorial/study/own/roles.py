"""The role of each column of a table: given to the network, read out of it, or the name of a group of rows."""

from __future__ import annotations

import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.study.own.findings import Findings
from gsnn_tutorial.study.own.names import RULE, Names
from gsnn_tutorial.study.own.sheets import asked_columns, read_sheet
from gsnn_tutorial.validate import arrays

EVERY_NODE = "*"
READ_NODES = "*outputs"
WORDS = {
    "input": ("input", "stimulus", "inhibitor", "treatment", "perturbation", "dose", "in"),
    "category": ("category", "context", "cell_line", "batch"),
    "output": ("output", "readout", "measured", "response", "out"),
    "group": ("group", "condition", "block"),
    "ignore": ("ignore", "ignored", ""),
}
ROLE_OF = {word: role for role, words in WORDS.items() for word in words}


def read_roles(source, columns=None, sep: str | None = None) -> pd.DataFrame:
    """A mapping of columns: column, role, node; one row for each, or several where a column has several nodes.

    Roles: 'input' (also stimulus, inhibitor, ...), a number that enters the node; 'category', labels that become one
    input each; 'output' (also readout, measured, ...), a number that is read out of the node; 'group', part of the
    name of the group that a row is in; 'ignore'. A node '*' is every function node, '*outputs' every
    node that is read out; an empty one is the node that
    is called as the column is.

    Raises ValueError, with file and line, for another role.
    """
    asked = asked_columns(columns, ("column", "role", "node"))
    sheet = read_sheet(source, "columns", sep)
    column = sheet.column(asked.get("column"), ("column", "name"), "column")
    role = sheet.column(asked.get("role"), ("role", "type"), "role")
    node = sheet.column(asked.get("node"), ("node", "gene", "protein"), "node", optional=True)
    rows = []
    for place, (name, word) in enumerate(zip(sheet.frame[column], sheet.frame[role])):
        if not name:
            raise ValueError(f"{sheet.where(place)}: a row must name a column of the table, got none")
        if word.casefold() not in ROLE_OF:
            raise ValueError(f"{sheet.where(place)}: role must be one of {', '.join(WORDS)}; got {word!r}")
        kind = ROLE_OF[word.casefold()]
        rows.append((name, kind, (sheet.frame[node].iloc[place] if node else "") or name))
    return pd.DataFrame(rows, columns=["column", "role", "node"]).drop_duplicates(ignore_index=True)


def roles_of_lists(inputs, outputs, group) -> pd.DataFrame:
    """The mapping that lists of columns say: each column enters, or is read out of, the node that is called so."""
    rows = []
    for role, given in (("input", inputs), ("output", outputs), ("group", group)):
        given = [] if given is None else [given] if isinstance(given, str) else validate.ordered(f"{role}s", given)
        rows += [(str(name), role, str(name)) for name in given]
    return pd.DataFrame(rows, columns=["column", "role", "node"])


def guessed_roles(header: list[str], edges: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Columns that are called as nodes are: inputs where nothing acts on the node, outputs elsewhere."""
    names, targets = Names([*edges["source"], *edges["target"]]), set(edges["target"])
    rows = [(name, "output" if node in targets else "input", node) for name in header if (node := names.find(name))]
    for role in ("input", "output"):
        findings.add("columns", f"columns taken as {role}s, since they are called as nodes are",
                     [name for name, r, _ in rows if r == role])  # fmt: skip
    return pd.DataFrame(rows, columns=["column", "role", "node"])


def matched_roles(roles: pd.DataFrame, header: list[str], nodes: list[str], findings: Findings) -> pd.DataFrame:
    """The mapping with the table's own names of columns and the network's own names of nodes.

    Raises ValueError for a column that the table lacks, a node that the network lacks, a column that is both input
    and output, and without any input or output.
    """
    columns, places = Names(header), Names(nodes)
    kept = roles[roles["role"] != "ignore"]
    rows = []
    for given in kept.itertuples(index=False):
        column = columns.find(given.column)
        if column is None:
            hint = f", which fits {columns.unclear[given.column]}" if given.column in columns.unclear else ""
            raise ValueError(f"table has no column {given.column!r}{hint}; columns names it as {given.role}")
        node = given.node
        if given.role == "group":
            node = ""
        elif node not in (EVERY_NODE, READ_NODES):
            node = places.find(node)
            if node is None:
                fits = places.unclear.get(given.node)
                why = f"fits several nodes but for case: {fits}" if fits else "is no node of the network"
                raise ValueError(
                    f"columns: the {given.role} {given.column!r} has the node {arrays.shown(given.node)}, which {why}"
                )
        rows.append((column, given.role, node))
    matched = pd.DataFrame(rows, columns=["column", "role", "node"]).drop_duplicates(ignore_index=True)
    findings.add("columns", f"columns found by the rule ({RULE})", [f"{a} = {b}" for a, b in columns.loose.items()])
    findings.add("columns", f"nodes found by the rule ({RULE})", [f"{a} = {b}" for a, b in places.loose.items()])
    entering = set(matched["column"][matched["role"].isin(["input", "category"])])
    both = entering & set(matched["column"][matched["role"] == "output"])
    if both:
        raise ValueError(f"columns: a column is an input or an output, not both; got {sorted(both)[0]!r} as both")
    if not entering or "output" not in set(matched["role"]):
        lacking = "an input" if not entering else "an output"
        raise ValueError(f"columns must name {lacking}: a GSNN needs something to enter and something to be read out")
    if ((matched["role"] == "output") & matched["node"].isin([EVERY_NODE, READ_NODES])).any():
        raise ValueError(f"columns: an output must be read out of named nodes, not of {EVERY_NODE!r}")
    return matched
