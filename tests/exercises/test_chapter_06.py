"""Chapter 6: its exercises tell mistakes apart."""

import numpy as np

from gsnn_tutorial.exercises import chapter_6 as checks


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
