"""Exercise 5 of assignment 5, a verdict by rule: a word on a prior from two intervals."""

from __future__ import annotations

from itertools import product

import numpy as np

from gsnn_tutorial.exercises.diagnosis import graded

GAINS = [  # (low, high), in margins
    (1.5, 3),  # above 0, beyond the margin
    (0.4, 2.6),  # above 0, across the margin
    (0.2, 0.8),  # above 0, below the margin
    *[(-2.5, -0.5), (-0.8, -0.3), (-3, -1.5)],  # below 0, the last beyond the margin
    *[(-0.6, 0.7), (-0.4, 0.8), (-2.6, 0.5)],  # across 0, below the margin
    *[(-0.5, 3), (-0.6, 1.7), (-2, 1.3), (-1.5, 4)],  # across 0 and the margin
    *[(0, 2.6), (-2, 0), (-0.5, 1)],  # an end at 0 or at the margin is neither above nor below
]
CONTROLS = [(0.3, 2), (-0.4, 2), (-2, 0.4), (-1.5, -0.4), (0, 2)]


def intervals(seed):
    """Every kind of interval beside every kind of control, for an error and for a score."""
    rng = np.random.default_rng(seed)
    margins = [round(float(rng.uniform(low, 3 * low)), 3) for low in (0.01, 0.04)]
    cases = []
    for gain, control, less_is_better in product(GAINS, CONTROLS, (False, True)):
        margin = margins[rng.integers(2)]
        pair = [np.array(x) * margin * (1 if 1 in x else rng.uniform(0.95, 1.05)) for x in (gain, control)]
        pair = [tuple(float(v) for v in (-x[::-1] if less_is_better else x)) for x in pair]
        cases.append((*pair, margin, less_is_better))
    return [cases[k] for k in rng.permutation(len(cases))]


def as_gain(interval, less_is_better):
    low, high = interval
    return (-high, -low) if less_is_better else (low, high)


@graded("a verdict by rule", cases=intervals, helpers=(as_gain,))
def conclude(versus_baseline, versus_control, margin, less_is_better):
    """Two intervals (low, high), the margin and the direction -> 'pathways', 'smoother', 'harms' and so on."""
    low, high = as_gain(versus_baseline, less_is_better)
    control = as_gain(versus_control, less_is_better)
    if low > 0:
        return "pathways" if control[0] > 0 else "smoother"
    if high < 0:
        return "harms"
    return "does not help" if high < margin else "can't tell"


HELPS = """    if low > 0:
        return "pathways" if control[0] > 0 else "smoother"
"""
HARMS = """    if high < 0:
        return "harms"
"""
OPEN = """    return "does not help" if high < margin else "can't tell"
"""
SMALL = """    if high < margin:
        return "does not help"
"""
conclude.slips({
    # the direction
    "you did not ask which direction is better. Of an error less is better: a difference below 0 is a gain.":
        {" if less_is_better else (low, high)": " if False else (low, high)"},
    "you took less for better throughout. It is so only where less_is_better is true.":
        {" if less_is_better else (low, high)": ""},
    "your directions are the wrong way round: where less_is_better is true turn the interval, else leave it.":
        {"if less_is_better else": "if not less_is_better else"},
    "you turned the signs and not the ends. The gain's interval is (-high, -low): its low end is minus the high one.":
        {"(-high, -low)": "(-low, -high)"},
    "you turned the interval against the baseline, and not that against the control. Both are of one metric.":
        {"as_gain(versus_control, less_is_better)": "versus_control"},
    "you turned the margin with the error. It is a size: compare it with the high end of the *gain*.":
        {"high < margin": "high < (-margin if less_is_better else margin)"},
    # the rule
    "you judged by the middle of the interval. That is the mean again: only the whole interval shows something.":
        {"low > 0": "low + high >= 2 * margin", "control[0] > 0": "sum(control) >= 2 * margin",
         "high < 0": "low + high < 0", OPEN: '    return "does not help"\n'},
    "you took absence of evidence for evidence of absence. An interval across 0 that also reaches beyond the margin "
    'leaves both open: "can\'t tell".': {OPEN: '    return "does not help"\n'},
    "your answer is never 'does not help'. If the whole interval lies below the margin, a gain would be too small to "
    "matter, and that is known.": {'"does not help" if high < margin else ': ""},
    "your margin has two sides. To say that it does not help only a gain has to be ruled out: high < margin.":
        {"high < margin": "-margin < low and high < margin"},
    "you compared the middle with the margin. A gain is ruled out only if the high end lies below it.":
        {"high < margin": "(low + high) / 2 < margin"},
    "'smoother' and 'pathways' need more than the margin in your answer. By the rule they need a low end above 0.":
        {"low > 0": "low > margin", "control[0] > 0": "control[0] > margin"},
    "you asked for the margin first, so what helps a little, or harms, 'does not help'. The first line that fits "
    "counts, in the order of the rule.": {HELPS: SMALL + HELPS},
    "a gain that is small 'does not help' in your answer. By the rule it helps if the whole interval lies above 0.":
        {HELPS: HARMS + SMALL + HELPS},
    "harm is not in your answer. If the whole interval of the gain lies below 0, it harms: say so.": {HARMS: None},
    "'harms' needs more than the margin in your answer. By the rule it needs a high end below 0.":
        {"high < 0": "high < -margin"},
    # the control
    "you did not ask the control. A gain that any grouping may bring is a smoother's.":
        {' if control[0] > 0 else "smoother"': ""},
    "better than the control was enough for you. A prior that is not ahead of the baseline has shown no gain.":
        {HELPS: '    if control[0] > 0:\n        return "pathways"\n' + HELPS},
    "you judged the control by the middle of its interval. There too only the whole interval counts.":
        {"control[0] > 0": "sum(control) > 0"},
    "'smoother' needs a control that is ahead in your answer. It is for the pathways to be shown, against the control "
    "too.": {'"pathways" if control[0] > 0 else "smoother"': '"smoother" if control[1] < 0 else "pathways"'},
})  # fmt: skip
