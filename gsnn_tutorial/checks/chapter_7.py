"""Exercises of chapter 7: the share of what there was to win, and the conclusion of a three-way evaluation."""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.checks.diagnosis import Exercise


def recovered(baseline, regularized, oracle):
    """The mean gain over the baseline, as a share of the oracle's."""
    return (baseline - regularized).mean() / (baseline - oracle).mean()


def _errors(seed):
    """The oracle wins little in the first seeds, and in one of them it loses."""
    rng = np.random.default_rng(seed)
    for seeds in (6, 9):
        baseline = rng.uniform(0.5, 0.9, seeds)
        gain = np.concatenate([[-0.02, 0.01], rng.uniform(0.1, 0.3, seeds - 2)])
        yield baseline, baseline - rng.uniform(0.02, 0.09, seeds), baseline - gain


share = Exercise(
    title="Share recovered",
    reference=recovered,
    cases=lambda seed: list(_errors(seed)),
    mistakes={
        "you averaged the shares of single seeds: where the oracle wins next to nothing a share is huge or turned. "
        "Divide the mean distances.": lambda b, r, o: ((b - r) / (b - o)).mean(),
        "your share is what is left to the oracle: you want what has been covered from the baseline.": (
            lambda b, r, o: (r - o).mean() / (b - o).mean()
        ),
        "your sign is turned: an error that fell is a gain, baseline - regularized.": (
            lambda b, r, o: (r - b).mean() / (b - o).mean()
        ),
        "you divided by the baseline's error: that is the share of the error, not of what there was to win.": (
            lambda b, r, o: (b - r).mean() / b.mean()
        ),
        "you divided by the regularized arm's distance to the oracle: divide by the baseline's.": (
            lambda b, r, o: (b - r).mean() / (r - o).mean()
        ),
    },
)


def conclude(versus_baseline, versus_control):
    """What two intervals of an error's paired differences say."""
    if versus_baseline[0] > 0:
        return "harms"
    if versus_baseline[1] >= 0:
        return "open"
    return "pathways" if versus_control[1] < 0 else "smoother"


def _intervals(seed):
    """Each combination of below, around and above 0, wide and narrow."""
    rng = np.random.default_rng(seed)
    sides = []
    for centre in (-0.2, -0.02, 0.02, 0.2):
        half = 0.1 * rng.uniform(0.6, 0.9)
        sides.append((centre - half, centre + half))
    return [(a, b) for a in sides for b in sides]


def _means(versus_baseline, versus_control):
    a, b = np.mean(versus_baseline), np.mean(versus_control)
    return "harms" if a > 0 else "pathways" if b < 0 else "smoother"


def _more_is_better(versus_baseline, versus_control):
    return conclude(*[(-high, -low) for low, high in (versus_baseline, versus_control)])


def _baseline_only(versus_baseline, versus_control):
    found = conclude(versus_baseline, versus_control)
    return "pathways" if found == "smoother" else found


def _control_enough(versus_baseline, versus_control):
    return "pathways" if versus_control[1] < 0 else conclude(versus_baseline, versus_control)


def _one_end(versus_baseline, versus_control):
    if versus_baseline[0] > 0:
        return "harms"
    if versus_baseline[0] < 0:
        return "pathways" if versus_control[0] < 0 else "smoother"
    return "open"


def _no_harm(versus_baseline, versus_control):
    found = conclude(versus_baseline, versus_control)
    return "open" if found == "harms" else found


conclusion = Exercise(
    title="Conclusion",
    reference=conclude,
    cases=_intervals,
    mistakes={
        "you judged by the middle of the interval: a side counts only if the whole interval is on it.": _means,
        "you took more for better: this is an error, so better is below 0.": _more_is_better,
        "you did not ask the control: a gain that shuffled pathways might bring too is a smoother's.": _baseline_only,
        "better than the control was enough for you: a prior that does not beat the baseline has shown nothing.": (
            _control_enough
        ),
        "you looked at the lower end only: an interval that reaches across 0 is on neither side.": _one_end,
        "a prior that is worse than the baseline harms: say so.": _no_harm,
    },
)
