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
    """R[v, o]: over how many routes node v reaches node o, signs counted; a node reaches itself once."""
    place = {node: k for k, node in enumerate(parents)}
    R = np.eye(len(parents))  # (N, N)
    for node, signs in parents.items():
        for parent, sign in signs.items():
            R[:, place[node]] += sign * R[:, place[parent]]
    return R


def has_noise(parents):
    """1 for a node that has parents, and so a noise, else 0."""
    return np.array([float(bool(signs)) for signs in parents.values()])  # (N,)


def arrivals(parents):
    """R[v, o]: how often the noise of node v arrives at node o, signs counted; nodes without parents have none."""
    return has_noise(parents)[:, None] * routes(parents)  # (N, N)


def own_noise(parents):
    """Arrivals if no noise were passed on: each node's own arrives at the node itself, once."""
    return np.diag(has_noise(parents))  # (N, N)


def rows_and_columns(C, parents, outputs):
    """Of a matrix about all nodes, what is about the outputs."""
    place = [list(parents).index(node) for node in outputs]
    return C[np.ix_(place, place)]


def covariance(R, parents, outputs, sigma):
    """The covariances of the outputs if the noise of node v arrives R[v, o] times at node o."""
    return sigma**2 * rows_and_columns(R.T @ R, parents, outputs)


@graded("noise in common", cases=noisy_node_cases)
def shared_noise(parents, outputs, sigma):
    return covariance(arrivals(parents), parents, outputs, sigma)


@shared_noise.mistake("nodes without parents brought noise. They are the inputs, which the prediction knows.")
def noisy_inputs(parents, outputs, sigma):
    return covariance(routes(parents), parents, outputs, sigma)


@shared_noise.mistake(
    "outputs have nothing in common in your matrix: it is 0 beside the diagonal. The noise of a node that leads to two "
    "outputs reaches both."
)
def nothing_in_common(parents, outputs, sigma):
    return np.diag(shared_noise.reference(parents, outputs, sigma).diagonal())


@shared_noise.mistake("only each output's own noise was counted. That of its ancestors arrives too.")
def own_noise_only(parents, outputs, sigma):
    return covariance(own_noise(parents), parents, outputs, sigma)


@shared_noise.mistake("the outputs' own noise is missing. A node's noise arrives at the node itself, once.")
def without_own_noise(parents, outputs, sigma):
    return covariance(arrivals(parents) - own_noise(parents), parents, outputs, sigma)


@shared_noise.mistake(
    "only the noise of an output and of its parents was counted. That of their parents arrives too, and so on."
)
def one_step_only(parents, outputs, sigma):
    place = {node: k for k, node in enumerate(parents)}
    R = own_noise(parents)
    for node, signs in parents.items():
        for parent, sign in signs.items():
            R[place[parent], place[node]] = sign * R[place[parent], place[parent]]
    return covariance(R, parents, outputs, sigma)


@shared_noise.mistake(
    "you followed the edges backwards. Noise goes from parents to children: what is missed at an output is that of its "
    "ancestors, not of its descendants."
)
def backwards(parents, outputs, sigma):
    return covariance(arrivals(parents).T, parents, outputs, sigma)


@shared_noise.mistake("signs were dropped. Over an edge of sign -1 noise arrives reversed, and two paths may cancel.")
def signs_dropped(parents, outputs, sigma):
    all_plus = {node: dict.fromkeys(signs, 1) for node, signs in parents.items()}
    return shared_noise.reference(all_plus, outputs, sigma)


@shared_noise.mistake(
    "noise that arrives over several paths was counted once. Add up the paths, signs counted: twice the noise has four "
    "times the variance."
)
def paths_counted_once(parents, outputs, sigma):
    return covariance(np.sign(arrivals(parents)), parents, outputs, sigma)


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
    return sigma**2 * rows_and_columns(C, parents, outputs)


@shared_noise.mistake("sigma was not squared. A covariance is in squared units.")
def sigma_not_squared(parents, outputs, sigma):
    return shared_noise.reference(parents, outputs, sigma) / sigma


@shared_noise.mistake("sigma is missing: each noise has the variance sigma ** 2.")
def without_sigma(parents, outputs, sigma):
    return shared_noise.reference(parents, outputs, 1.0)


@shared_noise.mistake("these are correlations. Covariances are asked for, with variances on the diagonal.")
def correlations(parents, outputs, sigma):
    C = shared_noise.reference(parents, outputs, sigma)
    std = np.sqrt(C.diagonal())  # (O,)
    return C / std[:, None] / std


@shared_noise.mistake("your matrix is about all nodes. Return the rows and columns of the outputs.")
def all_nodes(parents, outputs, sigma):
    return shared_noise.reference(parents, list(parents), sigma)


@shared_noise.mistake("your outputs stand in the order of the graph. Row and column k belong to outputs[k].")
def in_the_order_of_the_graph(parents, outputs, sigma):
    ordered = [node for node in parents if node in outputs]
    return shared_noise.reference(parents, ordered, sigma)
