"""Exercise 3 of assignment 4: the pull on a score, the gradient of a correlation."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_4.over_the_batch import (
    centred,
    standardised,
    std,
)
from gsnn_tutorial.exercises.diagnosis import graded
from gsnn_tutorial.exercises.values import array


def scores_that_vary_or_not(seed):
    """Double precision: three scores that vary, one that is constant, one too quiet, two too quiet for their level.

    Two more vary, and would not by a rule of 1e-3 in place of 1e-6: one is quiet, one is on a level. An epsilon of
    1e-6 beside the std moves the gradient of the first by less than 1% of its size.

    B is a power of 2 and the constant a fraction of 2, so that its deviations are 0 to the last digit.
    """
    rng = np.random.default_rng(seed)
    cases = []
    for B in (8, 16):
        t = rng.standard_normal(B)
        noise = rng.standard_normal((B, 9)) + 0.5 * t[:, None]
        z = (noise - noise.mean(0)) / noise.std(0)
        levels = [-0.5, 1.0, 2.0, 0.25, 0.0, 1e5, -1e5, 0.0, 2000.0]
        s = levels + z * [0.3, 1.0, 3.0, 0.0, 1e-12, 0.03, 0.03, 9e-4, 1.3]  # (B, 9)
        cases.append((torch.tensor(s[:, rng.permutation(9)]), torch.tensor(1 + 2 * t)))
    return cases


def but_for_rounding(result, s, t):
    """The answer, set right for each score whose gradient is off by no more than 1% of its largest value."""
    given, right = array(result), pull.reference(s, t).numpy()
    if given is None or given.shape != right.shape:
        return result
    near = (abs(given - right) <= 0.01 * abs(right).max(0)).all(0)  # (N,); NaN is not near
    return np.where(near, right, given)


@graded("the pull on a score", cases=scores_that_vary_or_not, tolerance=1e-4, probe=but_for_rounding)
def pull(s, t):
    """dr_i / ds_bi = (Z_t - r_i Z_s) / (B std_s), and 0 where s_i does not vary."""
    z, target = centred(s) / std(s), (centred(t) / std(t))[:, None]  # (B, N), (B, 1)
    gradient = (target - (z * target).mean(0) * z) / (len(t) * std(s))
    varies = std(s) > 1e-6 * (1 + s.mean(0).abs())  # (N,)
    return torch.where(varies, gradient, 0.0)


def varying(s):
    return std(s) > 1e-6 * (1 + s.mean(0).abs())  # (N,)


def formula(z, target, std_of_z):
    """The gradient of a correlation: z and the target are standardised, ``std_of_z`` is what z was divided by."""
    return (target - (z * target).mean(0) * z) / (len(z) * std_of_z)


def pull_where(wanted, s, t):
    """The gradient of the scores that are ``wanted``, (N,), and 0 for the others."""
    z, target = centred(s) / std(s), (centred(t) / std(t))[:, None]
    return torch.where(wanted, formula(z, target, std(s)), 0.0)


@pull.mistake(
    "a score that does not vary is not looked after: a constant gives NaN, a score that hardly varies an enormous "
    "gradient. Both are to be 0."
)
def not_looked_after(s, t):
    z, target = centred(s) / std(s), (centred(t) / std(t))[:, None]
    return formula(z, target, std(s))


@pull.mistake(
    "an eps beside the std keeps r finite, but where a score does not vary its gradient is of the order of "
    "1 / eps. Set it to 0 there."
)
def eps_beside_the_std(s, t):
    larger = std(s) + 1e-6
    z, target = centred(s) / larger, (centred(t) / std(t))[:, None]
    return formula(z, target, larger)


@pull.mistake(
    "an eps beside the std does not help the root: its slope at 0 is infinite, and gives NaN for a constant. Set "
    "the gradient to 0 where a score does not vary."
)
def eps_behind_the_root(s, t):
    return torch.where(std(s) == 0, torch.nan, eps_beside_the_std(s, t))


@pull.mistake(
    "r is 0 for a constant, but its gradient is NaN: torch.where picks 0, and the root of 0 that it passed over "
    "sends back 0 times infinity. Put a harmless number under the root first."
)
def where_behind_the_root(s, t):
    return torch.where(std(s) == 0, torch.nan, pull.reference(s, t))


@pull.mistake("you looked after a std of exactly 0 only. A std within 1e-6 (1 + |mean|) counts as 0.")
def only_exactly_0(s, t):
    return pull_where(std(s) > 0, s, t)


@pull.mistake(
    "you compared the std with 1e-6 whatever the score's level. Rounding grows with the level: compare with "
    "1e-6 (1 + |mean|)."
)
def whatever_the_level(s, t):
    return pull_where(std(s) > 1e-6, s, t)


@pull.mistake("you took scores for constant that vary a little. Only a std of at most 1e-6 (1 + |mean|) counts as 0.")
def quiet_taken_for_constant(s, t):
    return pull_where(varying(s) & (std(s) > 1e-3), s, t)


@pull.mistake(
    "you compared the std with 1e-3 whatever the score's level. Rounding grows with the level, and is much smaller: "
    "compare with 1e-6 (1 + |mean|)."
)
def wide_whatever_the_level(s, t):
    return pull_where(std(s) > 1e-3, s, t)


@pull.mistake(
    "you took scores for constant that vary a little for their level. Only a std of at most 1e-6 (1 + |mean|) counts "
    "as 0."
)
def quiet_for_its_level(s, t):
    return pull_where(std(s) > 1e-3 * (1 + s.mean(0).abs()), s, t)


@pull.mistake(
    "you compared the std with 1e-6 |mean|. Near a mean of 0 that is nothing: compare with 1e-6 (1 + |mean|)."
)
def nothing_near_0(s, t):
    return pull_where(std(s) > 1e-6 * s.mean(0).abs(), s, t)


@pull.mistake("you treated the std as a constant. It depends on the score too, and takes r_i Z_s away.")
def std_as_a_constant(s, t):
    target = (centred(t) / std(t))[:, None]
    return torch.where(varying(s), target / (len(t) * std(s)), 0.0)


@pull.mistake("your gradient is B times too large. r is a mean over the batch.")
def times_B(s, t):
    return pull.reference(s, t) * len(t)


@pull.mistake("your gradient has the wrong sign. This is that of r, not of the loss, -r.")
def wrong_sign(s, t):
    return -pull.reference(s, t)


@pull.mistake("you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.")
def sample_std_of_both(s, t):
    return pull.reference(s, t) * (len(t) - 1) / len(t)


@pull.mistake(
    "you mixed B and B - 1: the std of s divides by B - 1, that of t and the mean of the products by B. Use "
    "correction=0."
)
def sample_std_of_s(s, t):
    return pull.reference(s, t) * ((len(t) - 1) / len(t)) ** 0.5


@pull.mistake("your std() divides by B - 1, and the formula holds for the one that divides by B. Use correction=0.")
def sample_std_in_the_formula(s, t):
    z, target = centred(s) / torch.where(varying(s), s.std(0), 1.0), (centred(t) / t.std())[:, None]
    return torch.where(varying(s), formula(z, target, s.std(0)), 0.0)


@pull.mistake("this is the gradient with respect to t. Move the scores s and keep t.")
def target_moved(s, t):
    z, target = standardised(s), standardised(t)[:, None]
    return torch.where(varying(s), formula(target, z, std(t)), 0.0)
