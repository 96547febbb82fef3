"""Exercise 3 of assignment 2: the structural causal model."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.assignment_2.node_names import node_names
from gsnn_tutorial.exercises.diagnosis import graded
from gsnn_tutorial.simulation import cosine, half_square, tanh


def contrast(parents):
    """Not the same in another order."""
    return np.tanh(parents[0] - sum(parents[1:]))


def model_cases(seed):
    """Roots between other nodes, a diamond, a skip, signs, and two special functions, one of them on noisy parents."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, sigma in [(6, rng.uniform(0.3, 0.7)), (4, rng.uniform(1.4, 1.9))]:
        q, r, first, root, u, v, second, w = node_names(rng, 8)
        parents = {q: {}, r: {}, first: {r: 1, q: 1}, root: {}, u: {q: 1, first: -1}, v: {first: 1, u: -1}}
        parents |= {second: {root: 1, v: 1, first: 1}, w: {second: 1, v: -1, u: 1}}
        functions = {first: contrast, second: (cosine, half_square, tanh)[rng.integers(3)]}
        cases.append((parents, functions, rng.standard_normal((B, 8)), float(sigma)))
    return cases


@graded("structural causal model", cases=model_cases)
def scm(parents, functions, z, sigma):
    value = {}
    for k, (node, signs) in enumerate(parents.items()):
        if not signs:
            value[node] = z[:, k]
            continue
        if node in functions:
            mean = functions[node]([value[parent] for parent in signs])
        else:
            mean = sum(sign * value[parent] for parent, sign in signs.items())
        value[node] = mean + sigma * z[:, k]
    return np.stack([value[node] for node in parents], axis=1)  # (B, N)


@scm.mistake("nodes without parents were scaled by sigma. They are standard normal: their column of z as it is.")
def roots_scaled(parents, functions, z, sigma):
    is_root = [not signs for signs in parents.values()]  # (N,)
    return scm.reference(parents, functions, np.where(is_root, sigma * z, z), sigma)


@scm.mistake("sigma was squared. It is the standard deviation of the noise, not its variance: multiply by it once.")
def sigma_squared(parents, functions, z, sigma):
    return scm.reference(parents, functions, z, sigma**2)


@scm.mistake("sigma is missing. Multiply a node's column of z by it.")
def without_sigma(parents, functions, z, sigma):
    return scm.reference(parents, functions, z, 1.0)


@scm.mistake("signs were dropped. In the sum each parent counts with the sign of its edge.")
def signs_dropped(parents, functions, z, sigma):
    all_plus = {node: dict.fromkeys(signs, 1) for node, signs in parents.items()}
    return scm.reference(all_plus, functions, z, sigma)


@scm.mistake("the noise of a special node went into its function. It comes after the function: f(parents) + sigma * z.")
def noise_inside_the_function(parents, functions, z, sigma):
    value = {}
    for k, (node, signs) in enumerate(parents.items()):
        if not signs:
            value[node] = z[:, k]
        elif node in functions:
            value[node] = functions[node]([value[parent] + sigma * z[:, k] for parent in signs])
        else:
            value[node] = sum(sign * value[parent] for parent, sign in signs.items()) + sigma * z[:, k]
    return np.stack(list(value.values()), axis=1)


@scm.mistake("nodes with a special function have no noise. They have their own like all others that have parents.")
def functions_without_noise(parents, functions, z, sigma):
    is_special = [node in functions for node in parents]  # (N,)
    return scm.reference(parents, functions, np.where(is_special, 0, z), sigma)


@scm.mistake(
    "noise is not passed on: children got their parents' means. A node hears its parents as they are, noise included."
)
def means_passed_on(parents, functions, z, sigma):
    means = scm.reference(parents, functions, z, 0.0)  # (B, N): as if nobody had noise
    has_noise = [bool(signs) for signs in parents.values()]  # (N,)
    return means + np.where(has_noise, sigma * z, 0)


@scm.mistake(
    "a special function got the sum of its parents. It takes the list of them, and adds up by itself if it has to."
)
def functions_of_the_sum(parents, functions, z, sigma):
    def of_the_sum(function):
        def answer(given):
            return function([sum(given)])

        return answer

    return scm.reference(parents, {node: of_the_sum(function) for node, function in functions.items()}, z, sigma)


@scm.mistake("the special functions were not used. A node that is in functions takes its own instead of the sum.")
def functions_unused(parents, functions, z, sigma):
    return scm.reference(parents, {}, z, sigma)


@scm.mistake("a special function got its parents in another order. It takes them as parents[node] lists them.")
def in_the_order_of_the_graph(parents, functions, z, sigma):
    ordered = {node: {name: signs[name] for name in parents if name in signs} for node, signs in parents.items()}
    return scm.reference(ordered, functions, z, sigma)


@scm.mistake("only the last parent is heard: value = ... in a loop over parents replaces what was there. Add them up.")
def last_parent_only(parents, functions, z, sigma):
    heard = {node: signs if node in functions else dict([*signs.items()][-1:]) for node, signs in parents.items()}
    return scm.reference(heard, functions, z, sigma)


@scm.mistake(
    "parents and samples were added up together: np.sum of a list of arrays is one number. Each sample has its own "
    "sum: np.sum(..., axis=0), or sum()."
)
def samples_added_up(parents, functions, z, sigma):
    value = {}
    for k, (node, signs) in enumerate(parents.items()):
        if not signs:
            value[node] = z[:, k]
        elif node in functions:
            value[node] = functions[node]([value[parent] for parent in signs]) + sigma * z[:, k]
        else:
            value[node] = np.sum([sign * value[parent] for parent, sign in signs.items()]) + sigma * z[:, k]
    return np.stack(list(value.values()), axis=1)


@scm.mistake("your matrix is transposed: a sample is a row and a node is a column, (B, N).")
def transposed(parents, functions, z, sigma):
    return scm.reference(parents, functions, z, sigma).T
