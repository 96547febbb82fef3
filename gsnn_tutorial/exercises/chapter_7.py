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


choose.slips({
    "you took the lowest error of a single fold: that may be an easy fold. Take the mean over the folds.":
        {"errors.mean(1)": "np.nanmin(errors, axis=1)"},
    "you took the median of the folds, which does not see how bad the worst one is. Take their mean.":
        {"errors.mean(1)": "np.median(errors, axis=1)"},
    "you compared the settings after the last epoch: the epoch is a choice too.":
        {"int(setting), int(epoch)": "np.nanargmin(mean[:, -1]), mean.shape[1] - 1"},
    "NaN won: `np.argmin` gives its place. A setting that diverged in a fold must not be chosen.": {"nanarg": "arg"},
    "you left the fold that diverged out of the mean: then a setting wins by the folds that it survived.":
        {"errors.mean(1)": "np.nanmean(errors, axis=1)"},
    "setting and epoch are exchanged: the first number is the setting's place.":
        {"int(setting), int(epoch)": "int(epoch), int(setting)"},
    "that is the highest error; the lowest is wanted.": {"nanargmin": "nanargmax"},
    "you chose an epoch for each setting, or a place in a flat array: one pair of numbers is wanted.":
        {"int(setting), int(epoch)": "int(np.nanargmin(mean))"},
})  # fmt: skip


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


recovered.slips({
    "you averaged the shares of single seeds: where the oracle wins next to nothing a share is huge or turned. "
    "Divide the mean distances.":
        {"(baseline - regularized).mean() / (baseline - oracle).mean()":
         "((baseline - regularized) / (baseline - oracle)).mean()"},
    "your share is what is left to the oracle: you want what has been covered from the baseline.":
        {"baseline - regularized": "regularized - oracle"},
    "your sign is turned: an error that fell is a gain, baseline - regularized.":
        {"baseline - regularized": "regularized - baseline"},
    "you divided by the baseline's error: that is the share of the error, not of what there was to win.":
        {"(baseline - oracle)": "baseline"},
    "you divided by the regularized arm's distance to the oracle: divide by the baseline's.":
        {"baseline - oracle": "regularized - oracle"},
})  # fmt: skip


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
    """The word for two intervals of an error's paired differences."""
    if versus_baseline[0] > 0:
        return "harms"
    if versus_baseline[1] >= 0:
        return "open"
    return "pathways" if versus_control[1] < 0 else "smoother"


OPEN, HARMS = '    if versus_baseline[1] >= 0:\n        return "open"\n', "versus_baseline[0] > 0"
conclusion.slips({
    "you judged by the middle of the interval: a side counts only if the whole interval is on it.":
        {HARMS: "np.mean(versus_baseline) > 0", OPEN: None, "versus_control[1] < 0": "np.mean(versus_control) < 0"},
    "you took more for better: this is an error, so better is below 0.":
        {HARMS: "versus_baseline[1] < 0", "versus_baseline[1] >= 0": "versus_baseline[0] <= 0",
         "versus_control[1] < 0": "versus_control[0] > 0"},
    "you did not ask the control: a gain that shuffled pathways might bring too is a smoother's.":
        {' if versus_control[1] < 0 else "smoother"': ""},
    "better than the control was enough for you: a prior that does not beat the baseline has shown nothing.":
        {f"if {HARMS}": f'if versus_control[1] < 0:\n        return "pathways"\n    if {HARMS}'},
    "you looked at the lower end only: an interval that reaches across 0 is on neither side.": {"[1]": "[0]"},
    "a prior that is worse than the baseline harms: say so.": {f'    if {HARMS}:\n        return "harms"\n': None},
})  # fmt: skip
