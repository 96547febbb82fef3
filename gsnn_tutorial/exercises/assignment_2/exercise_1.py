"""Exercise 1 of assignment 2: levels, in which order nodes can be computed."""

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


@levels.mistake(
    "you took the shortest path from a node without parents. A node must wait for its last parent: 1 + the *largest* "
    "level of a parent."
)
def shortest_path(parents):
    def of(node):
        return 1 + min(map(of, parents[node])) if parents[node] else 0

    return [of(node) for node in parents]


@levels.mistake(
    "you went through the dict once. A node may be listed before its parents, whose level is not known by then: "
    "compute it first, or go through the dict again until nothing changes."
)
def one_pass(parents):
    level = {}
    for node in parents:
        level[node] = 1 + max(level.get(parent, 0) for parent in parents[node]) if parents[node] else 0
    return list(level.values())


@levels.mistake("you looked at the first parent only. Take the largest level of all parents.")
def first_parent_only(parents):
    def of(node):
        return 1 + of(list(parents[node])[0]) if parents[node] else 0

    return [of(node) for node in parents]


@levels.mistake("you looked at the last parent only. Take the largest level of all parents.")
def last_parent_only(parents):
    def of(node):
        return 1 + of(list(parents[node])[-1]) if parents[node] else 0

    return [of(node) for node in parents]


@levels.mistake("you added up the levels of the parents. Take the largest.")
def levels_added_up(parents):
    def of(node):
        return 1 + sum(map(of, parents[node])) if parents[node] else 0

    return [of(node) for node in parents]


@levels.mistake(
    "these are numbers of parents. The level is the number of edges on the longest path from a node without parents."
)
def parents_counted(parents):
    return [len(signs) for signs in parents.values()]


@levels.mistake("these are numbers of ancestors. Ancestors may have the same level, so the edges of a path count.")
def ancestors_counted(parents):
    def ancestors(node):
        return set(parents[node]).union(*map(ancestors, parents[node]))

    return [len(ancestors(node)) for node in parents]


@levels.mistake("these are edges to the end, along the children. Levels are counted from the nodes without parents.")
def edges_to_the_end(parents):
    children = {node: [child for child in parents if node in parents[child]] for node in parents}
    return levels.reference(children)


@levels.mistake(
    "these are places in a list, 0 to N - 1. Nodes that wait for nothing more than others do share their level."
)
def places_in_a_list(parents):
    level = dict(zip(parents, levels.reference(parents)))
    parents_first = sorted(parents, key=level.get)
    return [parents_first.index(node) for node in parents]


@levels.mistake("your levels begin at 1. A node without parents has level 0.")
def counted_from_one(parents):
    return [1 + level for level in levels.reference(parents)]


@levels.mistake("your levels are sorted. Return them in the order in which the dict lists the nodes.")
def sorted_levels(parents):
    return sorted(levels.reference(parents))


@levels.mistake("this is a dict. Return a list with the levels, in the order in which the dict lists the nodes.")
def dict_instead(parents):
    return dict(zip(parents, levels.reference(parents)))
