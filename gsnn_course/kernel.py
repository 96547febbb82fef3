"""Starts a pupil's kernel, within limits. Run as a script: ``python kernel.py MEMORY THREADS ARGUMENTS``.

It is a script so that it can set the limits before anything is imported.
"""

import sys


def limit(memory: int, threads: int):
    """Bound what this process and its children may take; 0 is no bound. Orphans among them become its own."""
    try:
        import resource
    except ImportError:  # Windows
        return
    bounds = {"RLIMIT_DATA": memory, "RLIMIT_NPROC": threads, "RLIMIT_FSIZE": 500_000_000}
    for name, bound in bounds.items():
        if bound and (which := getattr(resource, name, None)) is not None:
            resource.setrlimit(which, (bound, bound))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


if __name__ == "__main__":
    sys.path.pop(0)  # this file's folder: its names are not to be imported by themselves
    limit(int(sys.argv[1]), int(sys.argv[2]))
    sys.argv[1:] = sys.argv[3:]
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()
