"""Chapter 6: its exercises tell mistakes apart."""

import numpy as np
import pytest

from gsnn_tutorial.exercises import chapter_6 as checks

EXERCISES = [checks.pathway_gap, checks.paired_difference, checks.is_control]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.title)
@pytest.mark.parametrize("seed", range(5))
def test_every_mistake_gets_its_own_diagnosis_and_the_reference_none(exercise, seed):
    assert exercise.diagnose(exercise.reference, seed) is None
    for diagnosis, wrong in exercise.mistakes.items():
        assert exercise.diagnose(wrong, seed) == diagnosis


def test_a_control_may_keep_a_pathway_and_a_pair():
    def fair(truth, candidate):
        sizes = sorted(truth.sum(1)) == sorted(candidate.sum(1))
        return sizes and (candidate.sum(0) == 1).all() and (truth.T @ truth != candidate.T @ candidate).any()

    def no_pathway(truth, candidate):
        return fair(truth, candidate) and not {row.tobytes() for row in truth} & {row.tobytes() for row in candidate}

    def no_pair(truth, candidate):
        both = (truth.T @ truth) * (candidate.T @ candidate)
        return fair(truth, candidate) and np.trace(both) == both.sum()

    assert checks.is_control.diagnose(fair) is None
    assert "no true pathway be kept" in checks.is_control.diagnose(no_pathway)
    assert "no true pair stays" in checks.is_control.diagnose(no_pair)
