"""Exercise 3 of assignment 4: the pull on a score, the gradient of a correlation."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.assignment_4.over_the_batch import centred, standardised, std  # noqa: F401  a slip uses it
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


pull.slips({
    "a score that does not vary is not looked after: a constant gives NaN, a score that hardly varies an enormous "
    "gradient. Both are to be 0.": {"torch.where(varies, gradient, 0.0)": "gradient"},
    "an eps beside the std keeps r finite, but where a score does not vary its gradient is of the order of 1 / eps. "
    "Set it to 0 there.": {"std(s)": "(std(s) + 1e-6)", "torch.where(varies, gradient, 0.0)": "gradient"},
    "an eps beside the std does not help the root: its slope at 0 is infinite, and gives NaN for a constant. Set the "
    "gradient to 0 where a score does not vary.":
        {"std(s)": "(std(s) + 1e-6)", "varies, gradient, 0.0": "(s == s[0]).all(0), torch.nan, gradient"},
    "r is 0 for a constant, but its gradient is NaN: torch.where picks 0, and the root of 0 that it passed over sends "
    "back 0 times infinity. Put a harmless number under the root first.":
        {"gradient, 0.0": "gradient, torch.where((s == s[0]).all(0), torch.nan, 0.0)"},
    "you looked after a std of exactly 0 only. A std within 1e-6 (1 + |mean|) counts as 0.":
        {"1e-6 * (1 + s.mean(0).abs())": "0"},
    "you compared the std with 1e-6 whatever the score's level. Rounding grows with the level: compare with 1e-6 (1 + "
    "|mean|).": {" * (1 + s.mean(0).abs())": ""},
    "you took scores for constant that vary a little. Only a std of at most 1e-6 (1 + |mean|) counts as 0.":
        {"where(varies": "where(varies & (std(s) > 1e-3)"},
    "you compared the std with 1e-3 whatever the score's level. Rounding grows with the level, and is much smaller: "
    "compare with 1e-6 (1 + |mean|).": {"1e-6 * (1 + s.mean(0).abs())": "1e-3"},
    "you took scores for constant that vary a little for their level. Only a std of at most 1e-6 (1 + |mean|) counts "
    "as 0.": {"1e-6": "1e-3"},
    "you compared the std with 1e-6 |mean|. Near a mean of 0 that is nothing: compare with 1e-6 (1 + |mean|).":
        {"(1 + s.mean(0).abs())": "s.mean(0).abs()"},
    "you treated the std as a constant. It depends on the score too, and takes r_i Z_s away.":
        {" - (z * target).mean(0) * z": ""},
    "your gradient is B times too large. r is a mean over the batch.": {"len(t) * ": ""},
    "your gradient has the wrong sign. This is that of r, not of the loss, -r.": {"return ": "return -"},
    "you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.":
        {"/ (len(t) * std(s))": "/ (len(t) * std(s)) * (len(t) - 1) / len(t)"},
    "you mixed B and B - 1: the std of s divides by B - 1, that of t and the mean of the products by B. Use "
    "correction=0.": {"/ (len(t) * std(s))": "/ (len(t) * s.std(0))"},
    "your std() divides by B - 1, and the formula holds for the one that divides by B. Use correction=0.":
        {"std(s)": "s.std(0)", "std(t)": "t.std()"},
    "this is the gradient with respect to t. Move the scores s and keep t.":
        {"centred(s) / std(s), (centred(t) / std(t))": "standardised(s), standardised(t)",
         "target - (z * target).mean(0) * z": "z - (z * target).mean(0) * target",
         "len(t) * std(s)": "len(t) * std(t)"},
})  # fmt: skip
