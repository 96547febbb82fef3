"""Exercise 4 of assignment 2: noise that outputs share."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.assignment_2.node_names import node_names
from gsnn_tutorial.exercises.diagnosis import graded


def noisy_node_cases(seed):
    """A diamond whose two paths add up, or cancel; outputs in no order, one of them upstream of the others."""
    rng = np.random.default_rng(seed)
    cases = []
    for sign in (1, -1):
        x, a, b, c, d, e, w, f, *more = names = node_names(rng, 8 + int(rng.integers(1, 4)))
        parents = {x: {}, a: {x: 1}, b: {a: 1}, c: {a: sign}, d: {b: 1, c: 1}, e: {d: -1, a: 1}}
        parents |= {w: {}, f: {w: -sign, e: 1, a: 1}}
        for k, node in enumerate(more):
            parents[node] = {names[i]: int(rng.choice([-1, 1])) for i in rng.permutation(8 + k)[:2]}
        outputs = [f, d, b] if sign > 0 else [more[-1], d, c, a]
        cases.append((parents, outputs, float(rng.uniform(0.3, 0.6) if sign > 0 else rng.uniform(1.4, 1.9))))
    return cases


def routes(parents):
    """R[v, o]: the number of routes from node v to node o, signs counted; a node reaches itself once."""
    place = {node: k for k, node in enumerate(parents)}
    R = np.eye(len(parents))  # (N, N)
    for node, signs in parents.items():
        for parent, sign in signs.items():
            R[:, place[node]] += sign * R[:, place[parent]]
    return R


@graded("noise in common", cases=noisy_node_cases, helpers=(routes,))
def shared_noise(parents, outputs, sigma):
    """The covariances of the outputs, (O, O): noise of variance sigma**2 arrives over every route from where it is."""
    noise = np.array([float(bool(signs)) for signs in parents.values()])  # (N,): nodes without parents have none
    R = noise[:, None] * routes(parents)  # (N, N): how often the noise of node v arrives at node o
    C = sigma**2 * R.T @ R
    at = [list(parents).index(node) for node in outputs]
    return C[np.ix_(at, at)]


ARRIVALS, ANSWER = "noise[:, None] * routes(parents)", "C[np.ix_(at, at)]"
shared_noise.slips({
    "nodes without parents brought noise. They are the inputs, which the prediction knows.": {"noise[:, None] * ": ""},
    "outputs have nothing in common in your matrix: it is 0 beside the diagonal. The noise of a node that leads to two "
    "outputs reaches both.": {ANSWER: "np.diag(C.diagonal()[at])"},
    "only each output's own noise was counted. That of its ancestors arrives too.": {ARRIVALS: "np.diag(noise)"},
    "the outputs' own noise is missing. A node's noise arrives at the node itself, once.":
        {"routes(parents)  #": "(routes(parents) - np.eye(len(noise)))  #"},
    "only the noise of an output and of its parents was counted. That of their parents arrives too, and so on.":
        {"R[:, place[node]] += sign * R[:, place[parent]]": "R[place[parent], place[node]] = sign"},
    "you followed the edges backwards. Noise goes from parents to children: what is missed at an output is that of its "
    "ancestors, not of its descendants.": {"R.T @ R": "R @ R.T"},
    "signs were dropped. Over an edge of sign -1 noise arrives reversed, and two paths may cancel.":
        {"sign * R": "R"},
    "noise that arrives over several paths was counted once. Add up the paths, signs counted: twice the noise has four "
    "times the variance.": {ARRIVALS: f"np.sign({ARRIVALS})"},
    "sigma was not squared. A covariance is in squared units.": {"sigma**2": "sigma"},
    "sigma is missing: each noise has the variance sigma ** 2.": {"sigma**2 * ": ""},
    "these are correlations. Covariances are asked for, with variances on the diagonal.":
        {ANSWER: f"{ANSWER} / np.sqrt(np.outer(C.diagonal()[at], C.diagonal()[at]))"},
    "your matrix is about all nodes. Return the rows and columns of the outputs.": {ANSWER: "C"},
    "your outputs stand in the order of the graph. Row and column k belong to outputs[k].":
        {"for node in outputs": "for node in parents if node in outputs"},
})  # fmt: skip


@shared_noise.mistake(
    "variances of parents were added up, as if they were independent. Parents that share noise have a covariance: add "
    "up the paths of each node's noise first, then square."
)
def independent_parents(parents, outputs, sigma):
    """Covariances node by node, with the variances of the parents added up and their covariances forgotten."""
    place = {node: k for k, node in enumerate(parents)}
    C = np.zeros((len(parents), len(parents)))  # (N, N)
    for k, signs in enumerate(parents.values()):
        for parent, sign in signs.items():
            C[k, :k] += sign * C[place[parent], :k]
        C[:k, k] = C[k, :k]
        C[k, k] = bool(signs) + sum(C[place[parent], place[parent]] for parent in signs)
    at = [place[node] for node in outputs]
    return sigma**2 * C[np.ix_(at, at)]
