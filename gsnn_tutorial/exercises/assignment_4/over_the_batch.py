"""Centring and standardising over the batch, for exercises 3 to 5 of assignment 4.

The batch is dimension 0, whatever the others are.
"""

from __future__ import annotations

from gsnn_tutorial.regularizer import standardize_over_batch


def centred(t):
    return t - t.mean(0)


def std(t):
    """The population std: the sum of squares is divided by B."""
    return centred(t).square().mean(0).sqrt()


def standardised(t):
    """(t - mean) / std; 0 where t does not vary."""
    return standardize_over_batch(t.movedim(0, -1)).movedim(-1, 0)


# As pupils standardise by mistake


def without_rule(t):
    """NaN, or rounding blown up, where t does not vary."""
    return centred(t) / std(t)


def sample_std(t):
    """The std divides by B - 1."""
    return standardised(t) * ((len(t) - 1) / len(t)) ** 0.5


def without_centring(t):
    return t / (t.square().mean(0).sqrt() + 1e-12)


def over_nodes(t):
    """The mean and std are those of a sample."""
    return (t - t.mean(-1, keepdim=True)) / (t.std(-1, correction=0, keepdim=True) + 1e-6)
