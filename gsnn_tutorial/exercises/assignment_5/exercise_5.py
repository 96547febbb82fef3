"""Exercise 5 of assignment 5, a verdict by rule: what two intervals say of a prior."""

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


@graded("a verdict by rule", cases=intervals)
def conclude(versus_baseline, versus_control, margin, less_is_better):
    """Two intervals (low, high), the margin and the direction -> 'pathways', 'smoother', 'harms' and so on."""
    low, high = as_gain(versus_baseline, less_is_better)
    if low > 0:
        return "pathways" if as_gain(versus_control, less_is_better)[0] > 0 else "smoother"
    if high < 0:
        return "harms"
    return "does not help" if high < margin else "can't tell"


# Mistakes in the direction


@conclude.mistake(
    "you did not ask which direction is better. Of an error less is better: a difference below 0 is a gain."
)
def never_turned(versus_baseline, versus_control, margin, less_is_better):
    return conclude.reference(versus_baseline, versus_control, margin, False)


@conclude.mistake("you took less for better throughout. It is so only where less_is_better is true.")
def always_turned(versus_baseline, versus_control, margin, less_is_better):
    return conclude.reference(versus_baseline, versus_control, margin, True)


@conclude.mistake(
    "your directions are the wrong way round: where less_is_better is true turn the interval, else leave it."
)
def wrong_way_round(versus_baseline, versus_control, margin, less_is_better):
    return conclude.reference(versus_baseline, versus_control, margin, not less_is_better)


@conclude.mistake(
    "you turned the signs and not the ends. The gain's interval is (-high, -low): its low end is minus the high one."
)
def signs_without_ends(versus_baseline, versus_control, margin, less_is_better):
    sign = -1 if less_is_better else 1
    baseline, control = ((sign * low, sign * high) for low, high in (versus_baseline, versus_control))
    return conclude.reference(baseline, control, margin, False)


@conclude.mistake(
    "you turned the interval against the baseline, and not that against the control. Both are of one metric."
)
def control_not_turned(versus_baseline, versus_control, margin, less_is_better):
    return conclude.reference(as_gain(versus_baseline, less_is_better), versus_control, margin, False)


@conclude.mistake("you turned the margin with the error. It is a size: compare it with the high end of the *gain*.")
def margin_turned(versus_baseline, versus_control, margin, less_is_better):
    return conclude.reference(versus_baseline, versus_control, -margin if less_is_better else margin, less_is_better)


# Mistakes in the rule


def gains(versus_baseline, versus_control, less_is_better):
    """Both intervals so that more is better."""
    return as_gain(versus_baseline, less_is_better), as_gain(versus_control, less_is_better)


def whose(control):
    """Whose a gain is, by the interval of the gain over the control."""
    return "pathways" if control[0] > 0 else "smoother"


@conclude.mistake(
    "you judged by the middle of the interval. That is the mean again: only the whole interval shows something."
)
def by_the_middle(versus_baseline, versus_control, margin, less_is_better):
    baseline, control = gains(versus_baseline, versus_control, less_is_better)
    if np.mean(baseline) < 0:
        return "harms"
    if np.mean(baseline) < margin:
        return "does not help"
    return "pathways" if np.mean(control) >= margin else "smoother"


@conclude.mistake(
    "you took absence of evidence for evidence of absence. An interval across 0 that also reaches beyond the "
    'margin leaves both open: "can\'t tell".'
)
def absence_of_evidence(versus_baseline, versus_control, margin, less_is_better):
    (low, high), control = gains(versus_baseline, versus_control, less_is_better)
    if low > 0:
        return whose(control)
    return "harms" if high < 0 else "does not help"


@conclude.mistake(
    "your answer is never 'does not help'. If the whole interval lies below the margin, a gain would be too small "
    "to matter, and that is known."
)
def no_margin(versus_baseline, versus_control, margin, less_is_better):
    (low, high), control = gains(versus_baseline, versus_control, less_is_better)
    if low > 0:
        return whose(control)
    return "harms" if high < 0 else "can't tell"


@conclude.mistake(
    "your margin has two sides. To say that it does not help only a gain has to be ruled out: high < margin."
)
def margin_of_two_sides(versus_baseline, versus_control, margin, less_is_better):
    (low, high), control = gains(versus_baseline, versus_control, less_is_better)
    if low > 0:
        return whose(control)
    if high < 0:
        return "harms"
    return "does not help" if -margin < low and high < margin else "can't tell"


@conclude.mistake("you compared the middle with the margin. A gain is ruled out only if the high end lies below it.")
def middle_below_margin(versus_baseline, versus_control, margin, less_is_better):
    (low, high), control = gains(versus_baseline, versus_control, less_is_better)
    if low > 0:
        return whose(control)
    if high < 0:
        return "harms"
    return "does not help" if (low + high) / 2 < margin else "can't tell"


@conclude.mistake(
    "'smoother' and 'pathways' need more than the margin in your answer. By the rule they need a low end above 0."
)
def beyond_margin(versus_baseline, versus_control, margin, less_is_better):
    (low, high), control = gains(versus_baseline, versus_control, less_is_better)
    if low > margin:
        return "pathways" if control[0] > margin else "smoother"
    if high < 0:
        return "harms"
    return "does not help" if high < margin else "can't tell"


@conclude.mistake(
    "you asked for the margin first, so what helps a little, or harms, 'does not help'. The first line that fits "
    "counts, in the order of the rule."
)
def margin_first(versus_baseline, versus_control, margin, less_is_better):
    (low, high), control = gains(versus_baseline, versus_control, less_is_better)
    if high < margin:
        return "does not help"
    return whose(control) if low > 0 else "can't tell"


@conclude.mistake(
    "a gain that is small 'does not help' in your answer. By the rule it helps if the whole interval lies above 0."
)
def small_is_none(versus_baseline, versus_control, margin, less_is_better):
    (low, high), control = gains(versus_baseline, versus_control, less_is_better)
    if high < 0:
        return "harms"
    if high < margin:
        return "does not help"
    return whose(control) if low > 0 else "can't tell"


@conclude.mistake("harm is not in your answer. If the whole interval of the gain lies below 0, it harms: say so.")
def no_harm(versus_baseline, versus_control, margin, less_is_better):
    (low, high), control = gains(versus_baseline, versus_control, less_is_better)
    if low > 0:
        return whose(control)
    return "does not help" if high < margin else "can't tell"


@conclude.mistake("'harms' needs more than the margin in your answer. By the rule it needs a high end below 0.")
def harm_beyond_margin(versus_baseline, versus_control, margin, less_is_better):
    found = conclude.reference(versus_baseline, versus_control, margin, less_is_better)
    high = as_gain(versus_baseline, less_is_better)[1]
    return "does not help" if found == "harms" and high >= -margin else found


# Mistakes with the control


@conclude.mistake("you did not ask the control. A gain that any grouping may bring is a smoother's.")
def control_not_asked(versus_baseline, versus_control, margin, less_is_better):
    found = conclude.reference(versus_baseline, versus_control, margin, less_is_better)
    return "pathways" if found == "smoother" else found


@conclude.mistake(
    "better than the control was enough for you. A prior that is not ahead of the baseline has shown no gain."
)
def control_is_enough(versus_baseline, versus_control, margin, less_is_better):
    if as_gain(versus_control, less_is_better)[0] > 0:
        return "pathways"
    return conclude.reference(versus_baseline, versus_control, margin, less_is_better)


@conclude.mistake("you judged the control by the middle of its interval. There too only the whole interval counts.")
def control_by_the_middle(versus_baseline, versus_control, margin, less_is_better):
    baseline, control = gains(versus_baseline, versus_control, less_is_better)
    if baseline[0] > 0:
        return "pathways" if np.mean(control) > 0 else "smoother"
    return conclude.reference(versus_baseline, versus_control, margin, less_is_better)


@conclude.mistake(
    "'smoother' needs a control that is ahead in your answer. It is for the pathways to be shown, against the "
    "control too."
)
def smoother_needs_proof(versus_baseline, versus_control, margin, less_is_better):
    """Only a control that is shown to be better makes it a smoother's."""
    baseline, control = gains(versus_baseline, versus_control, less_is_better)
    if baseline[0] > 0:
        return "smoother" if control[1] < 0 else "pathways"
    return conclude.reference(versus_baseline, versus_control, margin, less_is_better)
