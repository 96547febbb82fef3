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


COLUMNS = 'enumerate(names["function"])'
membership.slips({
    "your matrix is transposed: a pathway is a row and a function node is a column, (P, N).":
        {"return M": "return M.T"},
    "your columns are all nodes. A membership matrix is about function nodes: a column for each of names['function'], "
    "none for inputs and outputs.": {COLUMNS: 'enumerate(names["input"] + names["function"] + names["output"])'},
    "you made rows only up to the largest pathway in the table. There are P pathways, and a row for each: the table "
    "may have no line of the last one.": {"zeros(P": "zeros(1 + max(p for p, _ in pairs)"},
    "you counted lines of the table. A pair may be listed twice, and a member is a member once: set 1, do not add 1.":
        {"[name]] = 1": "[name]] += 1"},
    "a node in two pathways is a member of the last one only. One label per node cannot hold an overlap: set M[p, i] "
    "for each line of the table.": {"M[p, place[name]] = 1": "M[:, place[name]] = torch.arange(P) == p"},
    "a pathway has no row. One whose members are all inputs or outputs keeps its row, of zeros: there are P rows, "
    "whatever the table says.": {"return M": "return M[M.any(1)]"},
    "your columns are sorted by name. Column i belongs to names['function'][i], in the order given.":
        {COLUMNS: 'enumerate(sorted(names["function"]))'},
    "your columns stand in the order in which the table mentions the nodes. Column i belongs to names['function'][i].":
        {COLUMNS: 'enumerate(dict.fromkeys(name for _, name in pairs if name in names["function"]))'},
})  # fmt: skip
