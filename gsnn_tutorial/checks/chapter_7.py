"""The exercises of chapter 7, whether the prior helps.

``share`` is the share of what there was to win, and ``conclusion`` is what a three-way evaluation says.
"""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.checks.diagnosis import exercise

# ---- The share of what there was to win


def error_cases(seed):
    """The oracle wins little in the first seeds, and in one of them it loses.

    The regularized arm wins, loses to the baseline, or does better than the oracle.
    """
    rng = np.random.default_rng(seed)
    cases = []
    for seeds, wins in [(6, (0.02, 0.09)), (9, (0.02, 0.09)), (7, (-0.09, -0.02)), (8, (0.3, 0.4))]:
        baseline = rng.uniform(0.5, 0.9, seeds)  # (seeds,)
        gain = np.concatenate([[-0.02, 0.01], rng.uniform(0.1, 0.3, seeds - 2)])
        cases.append((baseline, baseline - rng.uniform(*wins, seeds), baseline - gain))
    return cases


@exercise("Share recovered", cases=error_cases)
def recovered(baseline, regularized, oracle):
    """The mean gain over the baseline, as a share of the oracle's."""
    return (baseline - regularized).mean() / (baseline - oracle).mean()


@recovered.mistake(
    "you averaged the shares of single seeds: where the oracle wins next to nothing a share is huge or turned. "
    "Divide the mean distances."
)
def mean_of_shares(baseline, regularized, oracle):
    return ((baseline - regularized) / (baseline - oracle)).mean()


@recovered.mistake("your share is what is left to the oracle: you want what has been covered from the baseline.")
def share_left(baseline, regularized, oracle):
    return (regularized - oracle).mean() / (baseline - oracle).mean()


@recovered.mistake("your sign is turned: an error that fell is a gain, baseline - regularized.")
def sign_turned(baseline, regularized, oracle):
    return (regularized - baseline).mean() / (baseline - oracle).mean()


@recovered.mistake("you divided by the baseline's error: that is the share of the error, not of what there was to win.")
def share_of_the_error(baseline, regularized, oracle):
    return (baseline - regularized).mean() / baseline.mean()


@recovered.mistake("you divided by the regularized arm's distance to the oracle: divide by the baseline's.")
def over_what_is_left(baseline, regularized, oracle):
    return (baseline - regularized).mean() / (regularized - oracle).mean()


# ---- What two intervals say


def interval_cases(seed):
    """Each combination of below, around and above 0, and of intervals that end there."""
    rng = np.random.default_rng(seed)
    sides = []
    for centre in (-0.2, -0.02, 0.02, 0.2):
        half = 0.1 * rng.uniform(0.6, 0.9)
        sides.append((centre - half, centre + half))
    touching = [(-0.2, 0.0), (0.0, 0.2)]  # an end at 0 is on neither side
    return [(a, b) for a in [*sides, *touching] for b in [*sides, *touching]]


@exercise("Conclusion", cases=interval_cases)
def conclusion(versus_baseline, versus_control):
    """What two intervals of an error's paired differences say."""
    if versus_baseline[0] > 0:
        return "harms"
    if versus_baseline[1] >= 0:
        return "open"
    return "pathways" if versus_control[1] < 0 else "smoother"


@conclusion.mistake("you judged by the middle of the interval: a side counts only if the whole interval is on it.")
def middle_of_the_interval(versus_baseline, versus_control):
    if np.mean(versus_baseline) > 0:
        return "harms"
    return "pathways" if np.mean(versus_control) < 0 else "smoother"


@conclusion.mistake("you took more for better: this is an error, so better is below 0.")
def more_is_better(versus_baseline, versus_control):
    if versus_baseline[1] < 0:
        return "harms"
    if versus_baseline[0] <= 0:
        return "open"
    return "pathways" if versus_control[0] > 0 else "smoother"


@conclusion.mistake("you did not ask the control: a gain that shuffled pathways might bring too is a smoother's.")
def control_not_asked(versus_baseline, versus_control):
    if versus_baseline[0] > 0:
        return "harms"
    if versus_baseline[1] >= 0:
        return "open"
    return "pathways"


@conclusion.mistake(
    "better than the control was enough for you: a prior that does not beat the baseline has shown nothing."
)
def control_is_enough(versus_baseline, versus_control):
    if versus_control[1] < 0:
        return "pathways"
    return conclusion.reference(versus_baseline, versus_control)


@conclusion.mistake("you looked at the lower end only: an interval that reaches across 0 is on neither side.")
def lower_end_only(versus_baseline, versus_control):
    if versus_baseline[0] > 0:
        return "harms"
    if versus_baseline[0] < 0:
        return "pathways" if versus_control[0] < 0 else "smoother"
    return "open"


@conclusion.mistake("a prior that is worse than the baseline harms: say so.")
def harm_not_named(versus_baseline, versus_control):
    if versus_baseline[1] >= 0:
        return "open"
    return "pathways" if versus_control[1] < 0 else "smoother"
