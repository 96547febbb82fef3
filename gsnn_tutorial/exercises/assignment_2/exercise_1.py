"""Exercise 1 of assignment 2: levels, the order in which nodes can be computed."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.assignment_2.node_names import node_names
from gsnn_tutorial.exercises.diagnosis import graded


def listing_cases(seed):
    """Skips and a diamond; the parent of the highest level is listed in the middle, and a late node comes first."""
    rng = np.random.default_rng(seed)
    cases = []
    for extra in (0, int(rng.integers(2, 4))):
        r, q, a, b, c, d, e, *more = names = node_names(rng, 7 + extra)
        wiring = {r: [], q: [], a: [r], b: [q, a, r], c: [b], d: [r, c, a], e: [c, d, a]}
        for k, node in enumerate(more):
            wiring[node] = [names[i] for i in rng.permutation(7 + k)[:2]]
        order = [e, *(name for name in rng.permutation(names).tolist() if name != e)]
        cases.append(({node: {parent: int(rng.choice([-1, 1])) for parent in wiring[node]} for node in order},))
    return cases


@graded("levels", cases=listing_cases)
def levels(parents):
    level = {}

    def of(node):
        if node not in level:
            level[node] = 1 + max(map(of, parents[node])) if parents[node] else 0
        return level[node]

    return [of(node) for node in parents]


LONGEST, ANSWER = "1 + max(map(of, parents[node])) if parents[node] else 0", "[of(node) for node in parents]"
levels.slips({
    "you took the shortest path from a node without parents. A node must wait for its last parent: 1 + the *largest* "
    "level of a parent.": {"max(": "min("},
    "you went through the dict once. A node may be listed before its parents, whose level is not known by then: "
    "compute it first, or go through the dict again until nothing changes.":
        {"map(of, parents[node])": "level.get(parent, 0) for parent in parents[node]"},
    "you looked at the first parent only. Take the largest level of all parents.":
        {"max(map(of, parents[node]))": "of(list(parents[node])[0])"},
    "you looked at the last parent only. Take the largest level of all parents.":
        {"max(map(of, parents[node]))": "of(list(parents[node])[-1])"},
    "you added up the levels of the parents. Take the largest.": {"max(": "sum("},
    "these are numbers of parents. The level is the number of edges on the longest path from a node without parents.":
        {LONGEST: "len(parents[node])"},
    "these are numbers of ancestors. Ancestors may have the same level, so the edges of a path count.":
        {LONGEST: "set(parents[node]).union(*map(of, parents[node]))", "[of(node) for": "[len(of(node)) for"},
    "these are edges to the end, along the children. Levels are counted from the nodes without parents.":
        {"    level = {}": "    listed = parents.items()\n    level = {}\n"
                          "    parents = {node: [v for v, signs in listed if node in signs] for node in parents}"},
    "these are places in a list, 0 to N - 1. Nodes that wait for nothing more than others do share their level.":
        {ANSWER: "[sorted(parents, key=of).index(node) for node in parents]"},
    "your levels begin at 1. A node without parents has level 0.": {"else 0": "else 1"},
    "your levels are sorted. Return them in the order in which the dict lists the nodes.":
        {ANSWER: "sorted(map(of, parents))"},
    "this is a dict. Return a list with the levels, in the order in which the dict lists the nodes.":
        {ANSWER: "{node: of(node) for node in parents}"},
})  # fmt: skip
