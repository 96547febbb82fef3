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


SUM = "sum(sign * value[parent] for parent, sign in signs.items())"
SPECIAL = "mean = functions[node]([value[parent] for parent in signs])"
scm.slips({
    "nodes without parents were scaled by sigma. They are standard normal: their column of z as it is.":
        {"value[node] = z[:, k]": "value[node] = sigma * z[:, k]"},
    "sigma was squared. It is the standard deviation of the noise, not its variance: multiply by it once.":
        {"sigma * z": "sigma**2 * z"},
    "sigma is missing. Multiply a node's column of z by it.": {"sigma * z": "z"},
    "signs were dropped. In the sum each parent counts with the sign of its edge.": {"sign * value": "value"},
    "the noise of a special node went into its function. It comes after the function: f(parents) + sigma * z.":
        {SPECIAL: "value[node] = functions[node]([value[parent] + sigma * z[:, k] for parent in signs])\n"
                  "            continue"},
    "nodes with a special function have no noise. They have their own like all others that have parents.":
        {SPECIAL: SPECIAL.replace("mean", "value[node]") + "\n            continue"},
    "noise is not passed on: children got their parents' means. A node hears its parents as they are, noise included.":
        {"mean + sigma * z[:, k]": "mean",
         "axis=1)": "axis=1) + np.where([bool(signs) for signs in parents.values()], sigma * z, 0)"},
    "a special function got the sum of its parents. It takes the list of them, and adds up by itself if it has to.":
        {"[value[parent] for parent in signs]": "[sum(value[parent] for parent in signs)]"},
    "the special functions were not used. A node that is in functions takes its own instead of the sum.":
        {"if node in functions": "if False"},
    "a special function got its parents in another order. It takes them as parents[node] lists them.":
        {"for parent in signs]": "for parent in parents if parent in signs]"},
    "only the last parent is heard: value = ... in a loop over parents replaces what was there. Add them up.":
        {SUM: "[sign * value[parent] for parent, sign in signs.items()][-1]"},
    "parents and samples were added up together: np.sum of a list of arrays is one number. Each sample has its own "
    "sum: np.sum(..., axis=0), or sum().": {SUM: "np.sum([sign * value[parent] for parent, sign in signs.items()])"},
    "your matrix is transposed: a sample is a row and a node is a column, (B, N).": {"axis=1": "axis=0"},
})  # fmt: skip
