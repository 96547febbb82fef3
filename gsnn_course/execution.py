"""Runs submissions, which may loop for ever, crash, or print without end, within limits.

A cell that takes too much, or takes its kernel down, gets an error for its output. A fresh kernel then repeats the
cells that went well and goes on with the next one, so that one bad answer costs one answer. When a submission's time
is up, the rest of it is not run.

A test is not run in the pupil's kernel, which only computes values for it: see ``comparing``.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from gsnn_course import computing
from gsnn_course.kernels import Comparer, WrongPackage, published, start_kernel, started_from
from gsnn_course.outputs import LONGEST, fail, imports_of, name_of, verdict, within
from gsnn_course.watching import PATIENCE, Broken, Limits, Watch

START = """get_ipython().ask_exit = lambda: None
__import__("warnings").filterwarnings("ignore", "gsnn_tutorial.* has moved to ", DeprecationWarning)
"""  # exit() is not to take away the kernel; and that a release uses old names is no fault of a pupil


def execute(
    notebooks: Mapping[str, NotebookNode],
    *,
    tests: Mapping[str, str] = {},
    jobs: int = 2,
    limits: Limits = Limits(),
    done: Callable[[str, list[str]], object] = lambda name, notes: None,
) -> dict[str, list[str]]:
    """Run notebooks in place; {name: notes on all that was out of the ordinary}.

    Arguments
        tests: {graded cell: its source with the hidden tests}; without one the cell's own source is the test.
        jobs: how many notebooks run at a time.
        limits: what each of them may take.
        done: called with the name and the notes of each notebook that has been run.

    Raises ``WrongPackage`` if kernels would import another package than the one that grades.
    """

    waiting, happened = iter(notebooks), {}

    async def one_by_one():
        comparer = Comparer()
        try:
            for name in waiting:
                submission = Submission(notebooks[name], tests, limits, comparer)
                try:
                    await submission.run()
                except WrongPackage:
                    raise
                except Exception as error:  # whatever it is, the other pupils are not to suffer
                    submission.give_up(f"{type(error).__name__}: {error}")
                    await comparer.close()
                happened[name] = submission.notes
                done(name, submission.notes)
        finally:
            await comparer.close()

    async def everyone():
        # nbclient leaves tasks behind that listen to kernels which are gone; nobody needs to hear of it.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        running = [asyncio.ensure_future(one_by_one()) for _ in range(jobs)]
        try:
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    asyncio.run(everyone())
    return {name: happened[name] for name in notebooks}


class Submission(NotebookClient):
    """One notebook and its kernel."""

    def __init__(self, notebook: NotebookNode, tests: Mapping[str, str], limits: Limits, comparer: Comparer):
        super().__init__(
            notebook, allow_errors=True, raise_on_iopub_timeout=True, iopub_timeout=60, coalesce_streams=True
        )
        self.tests, self.limits, self.comparer = tests, limits, comparer
        self.to_run = [k for k, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
        self.timeout_func = lambda cell: 2 * PATIENCE * limits.cell_seconds  # the watch is stricter
        self.on_cell_executed = lambda cell, cell_index, execute_reply: setattr(self, "reply", execute_reply)
        self.notes, self.printed, self.went_well, self.used = [], Counter(), [], 0.0

    @property
    def left(self) -> float:
        """Seconds until the submission's time is up."""
        return self.limits.seconds - self.used

    @property
    def allowed(self) -> float:
        """Seconds that a cell may take now."""
        return max(1.0, min(self.limits.cell_seconds, self.left))

    async def run(self):
        """Run all cells."""
        await self.comparer.new()
        while self.to_run and self.left > 0:
            await self.run_in_one_kernel()
        if self.to_run:
            self.give_up(f"its {self.limits.seconds:g} s were over")

    def give_up(self, reason: str):
        """Let the cells that are left fail."""
        self.notes.append(f"stopped {len(self.to_run)} cells before the end: {reason}")
        for k in self.to_run:
            fail(self.nb.cells[k], "NotRun", reason)

    async def run_in_one_kernel(self):
        """Run cells in a fresh kernel, in a folder that is gone afterwards, until one of them breaks it."""
        folder = tempfile.mkdtemp(prefix="pupil-")
        try:
            self.km, self.kc = await start_kernel(Path(folder), self.limits.memory)
            self.watch = Watch(self.km.provisioner.pid, self.limits, Path(folder))
            try:
                await self.in_kernel()
            finally:
                self.kc.stop_channels()
                if left := self.watch.end():
                    self.notes.append(f"{left} {'process' if left == 1 else 'processes'} left running: ended")
                with suppress(Exception):
                    await self.km.shutdown_kernel(now=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def in_kernel(self):
        """Repeat the cells that went well in earlier kernels, then go on with the next ones."""
        try:
            await self.bounded(started_from(self.kc))
            for source in (START, *self.went_well):
                await self.silently(source)
        except Broken:
            self.went_well = []  # what went well the first time does not any more: do without
            return
        intact = True
        while self.to_run and intact and self.left > 0:
            k = self.to_run.pop(0)
            intact = await self.run_cell(k, self.nb.cells[k])

    async def run_cell(self, k: int, cell: NotebookNode) -> bool:
        """Run a cell; False if its kernel can be used no more."""
        mark, name = cell.metadata.get("nbgrader", {}), name_of(cell)
        try:
            if mark.get("grade") and not mark.get("solution"):
                return await self.run_test(cell, self.tests.get(mark["grade_id"], cell.source))
            if mark.get("locked"):
                await self.comparer.set_up(cell.source)
            await self.bounded(self.async_execute_cell(cell, k))
        except Broken as broken:
            self.broken(broken, cell)
            return False
        failed = self.reply["content"]["status"] == "error"
        if failed and not any(output.output_type == "error" for output in cell.outputs):
            fail(cell, self.reply["content"]["ename"], self.reply["content"]["evalue"])
        if failed:
            self.notes.append(f"{name}: {self.reply['content']['ename']}: {self.reply['content']['evalue']}"[:200])
        else:
            self.went_well.append(cell.source)
        return True

    async def run_test(self, cell: NotebookNode, source: str) -> bool:
        """Let the comparer test, and the kernel compute what it asks for; False if the kernel can be used no more."""
        broken, first = None, self.used
        await self.silently(computing.FRESH + "\n" + (imports := imports_of(source)))  # cells below may use the checks

        async def ask(kind: str, name: str, asked: bytes = b"") -> tuple:
            nonlocal broken
            try:
                if self.used - first > self.limits.cell_seconds:
                    raise Broken("TimedOut", f"longer than {self.limits.cell_seconds:g} s")
                return "value", await self.silently(computing.call(name, asked) if asked else computing.look(name))
            except Broken as error:
                broken = error
                return "stopped", error.name, error.text

        printed, error = await self.comparer.test(source, ask)
        cell.outputs = verdict(printed, None if broken else error)
        if broken is not None:
            self.broken(broken, cell)
            return False
        self.went_well.append(imports)
        return True

    def broken(self, broken: Broken, cell: NotebookNode):
        """Name a cell's harm to its kernel, on the page and in the notes."""
        fail(cell, broken.name, broken.text)
        name = name_of(cell)
        said = {"KernelDied": f"the kernel died in {name}", "Unreadable": f"{name} sent {broken.text}"}
        self.notes.append(said.get(broken.name, f"{name} took {broken.text}"))

    async def bounded(self, work):
        """The result of ``work`` in the kernel. Raises Broken if it takes too much."""
        first = self.watch.used
        working = asyncio.ensure_future(work)
        watching = asyncio.ensure_future(self.watch.until(self.allowed))
        try:
            await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise Broken(*watching.result())
        except DeadKernelError as error:
            raise Broken("KernelDied", "this cell took the kernel down") from error
        except (CellTimeoutError, TimeoutError) as error:
            raise Broken("TimedOut", f"longer than {self.limits.cell_seconds:g} s") from error
        except (Broken, WrongPackage):
            raise
        except Exception as error:  # a kernel may send anything: the other cells are not to suffer
            raise Broken("Unreadable", f"something unreadable: {type(error).__name__}: {error}"[:200]) from error
        finally:
            self.watch.tick()
            self.used += self.watch.used - first
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def silently(self, source: str) -> str:
        """Run code of which nothing is kept but the value that it publishes, the last one. Raises Broken."""
        return await self.bounded(published(self.kc, source))

    def output(self, outs, msg, display_id, cell_index):
        """nbclient's, with an end to what a cell may put out."""
        room = LONGEST - self.printed[cell_index]
        self.printed[cell_index] += len(str(msg["content"]))
        if (kept := within(msg, room)) is None:
            return None
        if kept is not msg:
            self.notes.append(f"the output of {name_of(self.nb.cells[cell_index])} was cut")
        return super().output(outs, kept, display_id, cell_index)
