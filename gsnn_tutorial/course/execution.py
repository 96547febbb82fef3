"""Runs submissions, which may loop for ever, crash, or print without end, in bounded time.

A cell that takes too long, or takes its kernel down, gets an error for its output. A fresh kernel then repeats the
cells that went well and goes on with the next one, so that one bad answer costs one answer. When a submission's time
is up, the rest of it is not run.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import textwrap
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from jupyter_client.manager import start_new_async_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

LONGEST = 100_000  # characters of a cell's output
ELSEWHERE = re.compile(r"(\x1b\[[\d;]*m)*File ")  # a part of a traceback that lies in a file of this machine
START = "get_ipython().ask_exit = lambda: None"  # exit() is not to take away the kernel
# Before each test the checks are read from disk anew, whatever a submission has done to them.
FRESH = """exec('''
import sys
for name in [*sys.modules]:
    if name.startswith(("gsnn_tutorial.checks", "gsnn_tutorial.course.graders")):
        del sys.modules[name]
''', {})"""


def execute(
    notebooks: dict[str, NotebookNode],
    folder: Path,
    *,
    jobs: int = 2,
    cell_seconds: float = 30,
    seconds: float = 300,
    done: Callable[[str], object] = lambda name: None,
) -> dict[str, list[str]]:
    """Run notebooks in place; {name: what was out of the ordinary}.

    Arguments
        folder: where the kernels run.
        jobs: how many notebooks run at a time.
        cell_seconds, seconds: how long a cell, and a whole notebook, may take.
        done: called with the name of each notebook that has been run.
    """

    async def everyone():
        # nbclient leaves tasks behind that listen to kernels which are gone; nobody needs to hear of it.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        free = asyncio.Semaphore(jobs)

        async def one(name):
            async with free:
                submission = Submission(notebooks[name], folder, cell_seconds, seconds)
                try:
                    await submission.run()
                except Exception as error:  # whatever it is, the other pupils are not to suffer
                    submission.give_up(f"{type(error).__name__}: {error}")
            done(name)
            return submission.notes

        return await asyncio.gather(*map(one, notebooks))

    return dict(zip(notebooks, asyncio.run(everyone())))


class Submission(NotebookClient):
    """One notebook and its kernel."""

    def __init__(self, notebook: NotebookNode, folder: Path, cell_seconds: float, seconds: float):
        super().__init__(notebook, allow_errors=True, raise_on_iopub_timeout=True, coalesce_streams=True)
        self.folder, self.cell_seconds, self.seconds = str(folder), cell_seconds, seconds
        self.end = time.monotonic() + seconds
        self.to_run = [k for k, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
        self.timeout_func = lambda cell: self.allowed
        self.on_cell_executed = self.keep_reply
        self.notes, self.printed, self.went_well = [], Counter(), []

    @property
    def left(self) -> float:
        """Seconds until the submission's time is up."""
        return self.end - time.monotonic()

    @property
    def allowed(self) -> float:
        """Seconds that a cell may take now."""
        return max(1.0, min(self.cell_seconds, self.left))

    async def run(self):
        """Run all cells."""
        while self.to_run and self.left > 0:
            await self.run_in_one_kernel()
        if self.to_run:
            self.give_up(f"its {self.seconds:g} s were over")

    def give_up(self, reason: str):
        """Let the cells that are left fail."""
        self.notes.append(f"stopped {len(self.to_run)} cells before the end: {reason}")
        for k in self.to_run:
            _fail(self.nb.cells[k], "NotRun", reason)

    async def run_in_one_kernel(self):
        """Run cells in a fresh kernel until one of them breaks it."""
        self.km, self.kc = await start_new_async_kernel(
            cwd=self.folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # notebooks side by side would be in each other's way
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await self.silently(START, *self.went_well)
            intact = True
            while self.to_run and intact and self.left > 0:
                k = self.to_run.pop(0)
                intact = await self.run_cell(k, self.nb.cells[k])
        except TimeoutError:
            self.went_well = []  # what went well the first time does not any more: do without
        finally:
            self.kc.stop_channels()
            await self.km.shutdown_kernel(now=True)

    async def run_cell(self, k: int, cell: NotebookNode) -> bool:
        """Run a cell; False if its kernel can be used no more."""
        graded, name = cell.metadata.get("nbgrader", {}).get("grade"), _name(cell)
        try:
            if graded:
                await self.silently(FRESH)
            await self.async_execute_cell(cell, k)
        except (CellTimeoutError, TimeoutError):
            _fail(cell, "TimedOut", f"longer than {self.cell_seconds:g} s")
            self.notes.append(f"{name} took longer than {self.cell_seconds:g} s")
            return False
        except DeadKernelError:
            _fail(cell, "KernelDied", "this cell took the kernel down")
            self.notes.append(f"the kernel died in {name}")
            return False
        failed = self.reply["content"]["status"] == "error"
        if failed and not any(output.output_type == "error" for output in cell.outputs):
            _fail(cell, self.reply["content"]["ename"], self.reply["content"]["evalue"])
        if graded:
            cell.outputs = _verdict(cell.outputs)
        elif failed:
            self.notes.append(f"{name}: {self.reply['content']['ename']}: {self.reply['content']['evalue']}"[:200])
        else:
            self.went_well.append(cell.source)
        return True

    async def silently(self, *sources: str):
        """Run code of which nothing is kept. Raises TimeoutError."""
        for source in sources:
            await self.kc.execute_interactive(
                source, silent=True, timeout=self.allowed, output_hook=lambda message: None, allow_stdin=False
            )

    def keep_reply(self, cell, cell_index, execute_reply):
        self.reply = execute_reply

    def output(self, outs, msg, display_id, cell_index):
        """nbclient's, with an end to what a cell may put out."""
        content, room = msg["content"], LONGEST - self.printed[cell_index]
        self.printed[cell_index] += len(str(content))
        if msg["msg_type"] == "error":
            content["evalue"] = content["evalue"][:LONGEST]
            *parts, end = content["traceback"][-100:] or [""]
            content["traceback"] = [part[:LONGEST] for part in parts if not ELSEWHERE.match(part)] + [end[:LONGEST]]
        elif self.printed[cell_index] > LONGEST:
            if room <= 0:
                return None
            self.notes.append(f"the output of {_name(self.nb.cells[cell_index])} was cut")
            content = {"name": "stdout", "text": content.get("text", "")[:room] + "\n... the rest was cut\n"}
            msg = {**msg, "msg_type": "stream", "content": content}
        return super().output(outs, msg, display_id, cell_index)


def _fail(cell: NotebookNode, name: str, text: str):
    """Give a cell an error for its last output, as a kernel would."""
    cell.setdefault("outputs", []).append(new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"]))


def _verdict(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """What a test has put out, for its pupil to read: what it printed and its error, which stands there once.

    Of anything else nbgrader would read points from a value, and a failure from a warning.
    """
    errors = [output for output in outputs if output.output_type == "error"]
    printed = [output for output in outputs if output.get("name") == "stdout"]
    for error in errors:
        named = error.ename != "AssertionError" or not error.evalue
        error.traceback = textwrap.wrap(f"{error.ename}: {error.evalue}" if named else error.evalue, 90)
        for output in printed:
            output.text = output.text.replace(error.evalue + "\n", "")
    return [output for output in printed if output.text.strip()] + errors


def _name(cell: NotebookNode) -> str:
    """What to call a cell: its grade's name, or its first line."""
    return cell.metadata.get("nbgrader", {}).get("grade_id") or f"the cell {cell.source.strip().splitlines()[0][:40]!r}"
