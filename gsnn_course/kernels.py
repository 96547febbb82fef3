"""The processes that grading starts: kernels for pupils' code, and comparers that never run any."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from gsnn_course import computing, sandbox, values
from gsnn_course.comparing import SIZE, framed
from gsnn_tutorial.study.files import UnusableFile

THREADS = 512  # of all processes in a kernel's namespaces
WHERE = f"""exec('''
import importlib.util, json
from IPython.display import publish_display_data
found = importlib.util.find_spec("gsnn_tutorial")
publish_display_data({{"{computing.MIME}": json.dumps(found and found.origin)}})
''', {{}})"""


class WrongPackage(UnusableFile):
    """Kernels import another package than the one that grades."""


class KernelManager(AsyncKernelManager):
    """Starts a kernel of this Python in a folder of its own, within limits; they talk by sockets in the folder."""

    folder: Path
    memory: int

    @property
    def kernel_spec(self) -> KernelSpec:
        threads = THREADS if sandbox.namespaces() else 0  # elsewhere other work of this account would count
        script = str(Path(__file__).with_name("kernel.py"))
        start = [sys.executable, script, str(self.memory), str(threads), "-f", "{connection_file}"]
        argv = sandbox.command(self.folder, [*start, "--HistoryManager.hist_file=:memory:"])
        return KernelSpec(argv=argv, display_name="a pupil's kernel", language="python")


async def start_kernel(folder: Path, memory: int) -> tuple[KernelManager, AsyncKernelClient]:
    """A kernel that is ready. Raises RuntimeError if it does not start."""
    folder = Path(folder).resolve()
    manager = KernelManager(connection_file=str(folder / "kernel.json"))
    manager.folder, manager.memory = folder, memory
    if os.name == "posix":
        manager.transport, manager.ip = "ipc", str(folder / "k")
    own = {"env": sandbox.environment(folder), "cwd": str(folder)}
    await manager.start_kernel(**own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=600)
    except RuntimeError:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
        raise
    return manager, client


async def published(client: AsyncKernelClient, source: str) -> str:
    """The last value that code publishes in a kernel; nothing else of it is kept."""
    found = [""]

    def keep(message):
        found.append(message["content"].get("data", {}).get(computing.MIME, found[-1]))

    await client.execute_interactive(
        source, silent=True, timeout=None, output_hook=keep, allow_stdin=False, store_history=False
    )
    return found[-1]


async def started_from(client: AsyncKernelClient):
    """Raise WrongPackage unless a kernel imports this package."""
    found = values.decode(await published(client, WHERE) or '"nowhere"')
    if not isinstance(found, str) or Path(found).resolve().parent != sandbox.PACKAGE:
        raise WrongPackage(
            f"kernels import gsnn_tutorial from {found}, and grading runs {sandbox.PACKAGE}: "
            'run pip install -e ".[course]" at the root of the repository whose assignments you grade'
        )


class Comparer:
    """A process that runs tests, see ``comparing``. It starts with the first question."""

    _process = None

    async def new(self):
        """Forget the last submission."""
        if self._process is not None:
            await self._send("new")

    async def set_up(self, source: str):
        """Run a cell that comes from the release, as a pupil's kernel does."""
        await self._send("set up", source)

    async def test(self, source: str, ask: Callable[..., Awaitable[tuple]]) -> tuple[str, tuple[str, str] | None]:
        """(its output, its error's name and text or None) of a test; ``ask`` answers its questions to the kernel."""
        await self._send("test", source)
        while True:
            kind, *content = await self._receive()
            if kind == "done":
                return tuple(content)
            await self._send(*(await ask(kind, *content)))

    async def close(self):
        """End the process; a further question starts another one."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process._transport.close()
            self._process = None

    async def _start(self):
        own = {"PYTHONPATH": sandbox.IMPORTED_FROM, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "gsnn_course.comparing"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | own,
        )
        await self._send("new")

    async def _send(self, *message):
        if self._process is None:
            await self._start()
        self._process.stdin.write(framed(message))
        await self._process.stdin.drain()

    async def _receive(self) -> tuple:
        """Raises RuntimeError if the process is gone."""
        try:
            size = SIZE.unpack(await self._process.stdout.readexactly(SIZE.size))
            return pickle.loads(await self._process.stdout.readexactly(*size))
        except asyncio.IncompleteReadError as error:
            raise RuntimeError(f"the process that compares has ended ({self._process.returncode})") from error
