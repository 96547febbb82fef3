"""The role of each column of a table: given to the network, read out of it, or the name of a group of rows."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from gsnn_tutorial import validate
from gsnn_tutorial.study.own.edges import nodes_of
from gsnn_tutorial.study.own.findings import Findings
from gsnn_tutorial.study.own.names import RULE, Names
from gsnn_tutorial.study.own.sheets import called_columns, read_sheet
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
USUAL = {"column": ("column", "name"), "role": ("role", "type"), "node": ("node", "gene", "protein")}


def read_roles(source, columns=None, sep: str | None = None) -> pd.DataFrame:
    """A mapping of columns: column, role, node; one row for each, or several where a column has several nodes.

    Roles: 'input' (also stimulus, inhibitor, ...), a number that enters the node; 'category', labels that become one
    input each; 'output' (also readout, measured, ...), a number that is read out of the node; 'group', part of the
    name of the group that a row is in; 'ignore'. A node '*' is every function node, '*outputs' every node that is read
    out; an empty one is the node that is called as the column is.

    Raises ValueError, with file and line, for another role.
    """
    called, sheet = called_columns(columns, USUAL), read_sheet(source, "columns", sep)
    column = sheet.columns(called, USUAL, optional="node")
    nodes = sheet.frame[column["node"]] if column["node"] else [""] * len(sheet.frame)
    rows = []
    for place, (name, word, node) in enumerate(zip(sheet.frame[column["column"]], sheet.frame[column["role"]], nodes)):
        if not name:
            raise ValueError(f"{sheet.where(place)}: a row must name a column of the table, got none")
        if word.casefold() not in ROLE_OF:
            raise ValueError(f"{sheet.where(place)}: role must be one of {', '.join(WORDS)}; got {word!r}")
        rows.append((name, ROLE_OF[word.casefold()], node or name))
    return _frame(rows)


def roles_of_lists(inputs, outputs, group) -> pd.DataFrame:
    """The mapping that lists of columns say: each column enters, or is read out of, the node that is called so."""
    rows = []
    for role, given in (("input", inputs), ("output", outputs), ("group", group)):
        given = [] if given is None else [given] if isinstance(given, str) else validate.ordered(f"{role}s", given)
        rows += [(str(name), role, str(name)) for name in given]
    return _frame(rows)


def guessed_roles(header: list[str], edges: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Columns that are called as nodes are: inputs where nothing acts on the node, outputs elsewhere."""
    names, targets = Names(nodes_of(edges)), set(edges["target"])
    rows = [(name, "output" if node in targets else "input", node) for name in header if (node := names.find(name))]
    for role in ("input", "output"):
        taken = [name for name, r, _ in rows if r == role]
        findings.add("columns", f"columns taken as {role}s, since they are called as nodes are", taken)
    return _frame(rows)


def _frame(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["column", "role", "node"]).drop_duplicates(ignore_index=True)


def matched_roles(roles: pd.DataFrame, header: list[str], nodes: list[str], findings: Findings) -> pd.DataFrame:
    """The mapping with the table's own names of columns and the network's own names of nodes.

    Raises ValueError for a column that the table lacks, a node that the network lacks, a column that is both input
    and output, and without any input or output.
    """
    columns, places, rows, note = Names(header), Names(nodes), [], findings.about("columns")
    for given, role, node in roles[roles["role"] != "ignore"].itertuples(index=False):
        column = columns.find(given)
        if column is None:
            hint = f", which fits {columns.unclear[given]}" if given in columns.unclear else ""
            raise ValueError(f"table has no column {given!r}{hint}; columns names it as {role}")
        found = "" if role == "group" else node if node in (EVERY_NODE, READ_NODES) else places.find(node)
        if found is None:
            fits = places.unclear.get(node)
            why = f"fits several nodes but for case: {fits}" if fits else "is no node of the network"
            raise ValueError(f"columns: the {role} {given!r} has the node {arrays.shown(node)}, which {why}")
        rows.append((column, role, found))
    matched = _frame(rows)
    note(f"columns found by the rule ({RULE})", columns.loose)
    note(f"nodes found by the rule ({RULE})", places.loose)
    entering = set(matched["column"][matched["role"].isin(["input", "category"])])
    read = matched[matched["role"] == "output"]
    both = entering & set(read["column"])
    if both:
        raise ValueError(f"columns: a column is an input or an output, not both; got {sorted(both)[0]!r} as both")
    if not entering or not len(read):
        lacking = "an input" if not entering else "an output"
        raise ValueError(f"columns must name {lacking}: a GSNN needs something to enter and something to be read out")
    if read["node"].isin([EVERY_NODE, READ_NODES]).any():
        raise ValueError(f"columns: an output must be read out of named nodes, not of {EVERY_NODE!r}")
    used = matched["column"].unique()
    note(f"of {len(header)} columns of the table are used", count=len(used), done="used")
    used = set(used)
    note("columns of the table that are not used", [name for name in header if name not in used], "dropped")
    return matched


def ends(roles: pd.DataFrame, inputs: Iterable[str], outputs: Iterable[str], nodes: list[str]) -> tuple[dict, ...]:
    """Nodes that each input enters; nodes that each input of context enters; those that each output is read out of."""
    of = {key: group["node"].tolist() for key, group in roles.groupby(["role", "column"], sort=False)}
    exits = {name: of["output", name] for name in outputs}
    wide = {EVERY_NODE: nodes, READ_NODES: list(dict.fromkeys(node for read in exits.values() for node in read))}
    entry, context = {}, {}
    for name in inputs:
        given = of.get(("input", name))
        if given and not set(given) & set(wide):
            entry[name] = given
        else:  # context, a label or an input of all nodes: it says in which cells, and is not what reaches an output
            given = given or next(of[role, c] for role, c in of if role == "category" and name.startswith(f"{c}="))
            context[name] = list(dict.fromkeys(node for g in given for node in wide.get(g, [g])))
    return entry, context, exits
