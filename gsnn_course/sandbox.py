"""A place for pupils' code: a folder, a home and an environment of its own and, where Linux has namespaces, a file
system in which nothing else is.

In namespaces (``unshare``, of util-linux) a kernel sees Python, our two packages and its own folder, all but the last
read-only; no network and no process but its own. Elsewhere it runs as the user who grades, and reaches what that
user reaches: ``describe`` says which of the two it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from functools import cache
from pathlib import Path

import matplotlib

import gsnn_tutorial

PACKAGE = Path(gsnn_tutorial.__file__).resolve().parent
PACKAGES = (PACKAGE, Path(__file__).resolve().parent)
IMPORTED_FROM = os.pathsep.join(dict.fromkeys(str(package.parent) for package in PACKAGES))
SCRIPT = Path(__file__).with_name("sandbox.sh")
TOOLS = ("unshare", "sh", "mount", "umount", "pivot_root", "setpriv")
SPACES = ("--user", "--map-root-user", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child")
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")  # of the environment; nothing else


def command(folder: Path, arguments: list[str]) -> list[str]:
    """The command that runs ``arguments`` in ``folder``, in namespaces where there are some."""
    if not namespaces():
        return arguments
    return _inside(Path(folder).resolve(), arguments)


def environment(folder: Path) -> dict[str, str]:
    """The whole environment of a kernel: our packages come first, one thread, and a home in ``folder``.

    Makes the folders that it names.
    """
    folder = Path(folder).resolve()
    places = {"HOME": "home", "TMPDIR": "tmp", "MPLCONFIGDIR": "matplotlib", "IPYTHONDIR": "ipython"}
    places = {name: folder / place for name, place in places.items()}
    for place in places.values():
        place.mkdir(exist_ok=True)
    for fonts in Path(matplotlib.get_cachedir()).glob("fontlist*.json"):  # finding them anew would take seconds
        shutil.copy(fonts, places["MPLCONFIGDIR"])
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {name: str(place) for name, place in places.items()}
    fixed = {"PYTHONPATH": IMPORTED_FROM, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    return kept | own | fixed | {"CUDA_VISIBLE_DEVICES": "", "PYTHONUTF8": "1"}


def describe() -> str:
    """A sentence on the things that are out of the reach of pupils' code."""
    if namespaces():
        return "pupils' code ran in namespaces: Python, the package and a folder of its own, no network"
    return (
        "pupils' code ran with this account's rights: this system has no user namespaces, so files, network and "
        "other processes were in its reach. Grade in a container"
    )


@cache
def namespaces() -> bool:
    """True if this system lets this user make the namespaces that are needed; tried once."""
    if sys.platform != "linux" or not all(map(shutil.which, TOOLS)):
        return False
    with tempfile.TemporaryDirectory() as folder:
        look = f"import zmq; open({str(PACKAGE / '__init__.py')!r}, encoding='utf-8')"
        test = _inside(Path(folder).resolve(), [sys.executable, "-c", look])
        variables = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": IMPORTED_FROM}
        return subprocess.run(test, env=variables, capture_output=True).returncode == 0


def _inside(folder: Path, arguments: list[str]) -> list[str]:
    root = folder / "root"
    root.mkdir(exist_ok=True)
    readable = [str(path) for path in _readable()]
    unshare = ["setpriv", "--pdeathsig", "KILL", "unshare"]  # nothing outlives the process that grades
    return [*unshare, *SPACES, "sh", str(SCRIPT), str(root), str(folder), *readable, "--", *arguments]


@cache
def _readable() -> tuple[Path, ...]:
    """Python, the packages installed for it, the system's libraries and ours: no folder stands in another."""
    paths = [Path("/usr"), Path("/etc"), *PACKAGES]
    paths += [Path(path).resolve() for path in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)]
    paths += [Path(path).resolve() for name, path in sysconfig.get_paths().items() if name.endswith("lib")]
    paths += [Path(sys.executable).parent, Path(os.path.realpath(sys.executable)).parent]
    paths = [path for path in dict.fromkeys(paths) if path.is_dir()]
    return tuple(path for path in paths if not any(other in path.parents for other in paths))
