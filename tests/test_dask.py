"""A study goes to a cluster by joblib's own switch, and comes back the same."""

import joblib
import pandas as pd
import pytest

from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.problem import Problem
from gsnn_tutorial.study.recipe import Recipe


@pytest.mark.slow
def test_a_study_on_a_dask_cluster_gives_the_same_table():
    from dask.distributed import Client, LocalCluster

    problem, recipe = Problem(n_train=32, n_test=64), Recipe(epochs=3)
    settings = {"arms": ("baseline", "regularized", "control"), "recipe": recipe, "block": 1, "progress": False}
    here = paired_study(problem, seeds=range(4), n_jobs=1, **settings)
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client, joblib.parallel_config(backend="dask"):
            there = paired_study(problem, seeds=range(4), n_jobs=2, **settings)
            workers = client.run(lambda: "gsnn_tutorial" in __import__("sys").modules)
    pd.testing.assert_frame_equal(there, here, check_exact=True)
    assert all(workers.values())  # the blocks ran there, not here
