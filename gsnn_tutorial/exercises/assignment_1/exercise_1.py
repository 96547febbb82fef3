"""Exercise 1 of assignment 1: membership from a table of annotations."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import graded


def annotation_cases(seed):
    """Names of all types in no particular order; an overlap, a pair listed twice, a pathway without function nodes."""
    rng = np.random.default_rng(seed)
    cases = []
    for N, P in [(4, 3), (int(rng.integers(5, 8)), 4)]:
        codes = [f"g{code}" for code in rng.permutation(100)[: N + 4]]
        codes[2:4] = sorted(codes[2:4], reverse=True)  # the function nodes do not stand in the order of their names
        names = {"input": codes[:2], "function": codes[2:-2], "output": codes[-2:]}
        empty, *others = rng.permutation(np.arange(P - 1)).tolist()  # not the last one, so that its row cannot be lost
        if P == 3:  # in one case pathway 0 has members, so that 0 cannot be taken for none
            empty, others = 1, [0]
        others.append(P - 1)
        pairs = [(p, names["function"][i]) for i in range(N - 1) for p in rng.permutation(others)[:1].tolist()]
        pairs += [(p, names["function"][-1]) for p in others]  # in several pathways
        pairs += [(empty, names["input"][0]), (others[0], names["output"][1]), (others[-1], names["input"][1])]
        pairs = [pairs[k] for k in rng.permutation(len(pairs))]
        unnamed = int(P == 4)  # in one case the table has no line of the last pathway
        cases.append((pairs + [pairs[0], (others[0], names["function"][-1])] * 2, names, P + unnamed))
    return cases


@graded("membership", cases=annotation_cases)
def membership(pairs, names, P):
    """M[p, i] = 1 if the table has pathway p for function node i; inputs and outputs are passed over."""
    place = {name: i for i, name in enumerate(names["function"])}
    M = torch.zeros(P, len(place))  # (P, N)
    for p, name in pairs:
        if name in place:
            M[p, place[name]] = 1
    return M


def with_columns(columns, pairs, P):
    """A membership matrix with these names as its columns; other names are passed over."""
    return membership.reference(pairs, {"function": list(columns)}, P)


@membership.mistake("your matrix is transposed: a pathway is a row and a function node is a column, (P, N).")
def transposed(pairs, names, P):
    return membership.reference(pairs, names, P).T


@membership.mistake(
    "your columns are all nodes. A membership matrix is about function nodes: a column for each of names['function'], "
    "none for inputs and outputs."
)
def all_nodes(pairs, names, P):
    return with_columns(names["input"] + names["function"] + names["output"], pairs, P)


@membership.mistake(
    "you made rows only up to the largest pathway in the table. There are P pathways, and a row for each: the "
    "table may have no line of the last one."
)
def rows_of_the_table(pairs, names, P):
    return membership.reference(pairs, names, 1 + max(p for p, _ in pairs))


@membership.mistake(
    "you counted lines of the table. A pair may be listed twice, and a member is a member once: set 1, do not add 1."
)
def lines_counted(pairs, names, P):
    M = torch.zeros(P, len(names["function"]))  # (P, N)
    for p, name in pairs:
        if name in names["function"]:
            M[p, names["function"].index(name)] += 1
    return M


@membership.mistake(
    "a node in two pathways is a member of the last one only. One label per node cannot hold an overlap: set M[p, i] "
    "for each line of the table."
)
def one_label_per_node(pairs, names, P):
    label = {name: p for p, name in pairs}
    return membership.reference([(p, name) for name, p in label.items()], names, P)


@membership.mistake(
    "a pathway has no row. One whose members are all inputs or outputs keeps its row, of zeros: there are P rows, "
    "whatever the table says."
)
def rows_with_members_only(pairs, names, P):
    mentioned = sorted({p for p, name in pairs if name in names["function"]})
    return membership.reference(pairs, names, P)[mentioned]


@membership.mistake("your columns are sorted by name. Column i belongs to names['function'][i], in the order given.")
def sorted_by_name(pairs, names, P):
    return with_columns(sorted(names["function"]), pairs, P)


@membership.mistake(
    "your columns stand in the order in which the table mentions the nodes. Column i belongs to names['function'][i]."
)
def in_the_order_of_the_table(pairs, names, P):
    mentioned = dict.fromkeys(name for _, name in pairs if name in names["function"])
    return with_columns(mentioned, pairs, P)
