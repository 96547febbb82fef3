"""The exercises of chapter 7, whether the prior helps.

``choose`` is how an arm chooses, ``recovered`` the share of what there was to win, and ``conclusion`` what a three-way
evaluation says.
"""

from __future__ import annotations

import numpy as np

from gsnn_tutorial.exercises.diagnosis import exercise

# ---- How an arm chooses


def fold_cases(seed):
    """The lowest mean, median and single error and the lowest of the last epoch lie at different places."""
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.6, 0.9, (3, 3, 5))  # (settings, folds, epochs)
    errors[1, :, 3] = [0.52, 0.56, 0.57]  # the lowest mean
    errors[0, :, 1] = [0.2, 0.95, 0.6]  # the lowest single error, 0.58 in the mean
    errors[0, :, 2] = [0.5, 0.5, 0.8]  # the lowest median, 0.6 in the mean
    errors[2, :, 4] = [0.58, 0.59, 0.59]  # the lowest of the last epoch
    diverged = rng.uniform(0.5, 0.9, (4, 3, 6))
    diverged[2, :, 4] = [np.nan, 0.1, 0.1]
    diverged[0, 2] = np.nan  # in one fold, from the first epoch on
    diverged[3, :, 2] = [0.41, 0.42, 0.43]
    return [(errors,), (errors[::-1, :, ::-1].copy(),), (diverged,)]


@exercise("Choose", cases=fold_cases)
def choose(errors):
    """The places of setting and epoch with the lowest mean over the folds, where no fold is NaN."""
    mean = errors.mean(1)  # (settings, epochs)
    setting, epoch = np.unravel_index(np.nanargmin(mean), mean.shape)
    return int(setting), int(epoch)


@choose.mistake("you took the lowest error of a single fold: that may be an easy fold. Take the mean over the folds.")
def luckiest_fold(errors):
    lowest = np.nanmin(errors, axis=1)
    return np.unravel_index(np.argmin(lowest), lowest.shape)


@choose.mistake("you took the median of the folds, which does not see how bad the worst one is. Take their mean.")
def median_of_folds(errors):
    median = np.median(errors, axis=1)
    return np.unravel_index(np.nanargmin(median), median.shape)


@choose.mistake("you compared the settings after the last epoch: the epoch is a choice too.")
def last_epoch(errors):
    return np.nanargmin(errors[:, :, -1].mean(1)), errors.shape[2] - 1


@choose.mistake("NaN won: `np.argmin` gives its place. A setting that diverged in a fold must not be chosen.")
def nan_wins(errors):
    mean = errors.mean(1)
    return np.unravel_index(np.argmin(mean), mean.shape)


@choose.mistake("you left the fold that diverged out of the mean: then a setting wins by the folds that it survived.")
def survivors(errors):
    mean = np.nanmean(errors, axis=1)
    return np.unravel_index(np.argmin(mean), mean.shape)


@choose.mistake("setting and epoch are exchanged: the first number is the setting's place.")
def exchanged(errors):
    return choose.reference(errors)[::-1]


@choose.mistake("that is the highest error; the lowest is wanted.")
def highest(errors):
    mean = errors.mean(1)
    return np.unravel_index(np.nanargmax(mean), mean.shape)


@choose.mistake("you chose an epoch for each setting, or a place in a flat array: one pair of numbers is wanted.")
def flat_place(errors):
    return int(np.nanargmin(errors.mean(1)))


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
