"""For tests and notebooks alike: two workers share the cores, so no kernel or program of theirs takes two threads."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
