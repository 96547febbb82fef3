"""The outputs below a cell that was run, as its pupil reads them on the feedback page."""

from __future__ import annotations

import ast
import re
import textwrap
from contextlib import suppress

from nbformat import NotebookNode
from nbformat.v4 import new_output

LONGEST = 100_000  # characters of a cell's output
ELSEWHERE = re.compile(r"(\x1b\[[\d;]*m)*File ")  # a part of a traceback that lies in a file of this machine


def fail(cell: NotebookNode, name: str, text: str):
    """Give a cell an error for its last output, as a kernel would."""
    cell.setdefault("outputs", []).append(new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"]))


def within(message: dict, room: int) -> dict | None:
    """A kernel's output with at most ``room`` characters, of whatever sort it is; None where there is no room.

    An error stays, shortened in place, whatever came before it.
    """
    content = message["content"]
    if message["header"]["msg_type"] == "error":
        content["evalue"] = content["evalue"][:LONGEST]
        *parts, end = content["traceback"][-100:] or [""]
        content["traceback"] = [part[:LONGEST] for part in parts if not ELSEWHERE.match(part)] + [end[:LONGEST]]
    elif len(str(content)) > room:
        if room <= 0:
            return None
        content = {"name": "stdout", "text": content.get("text", "")[:room] + "\n... the rest was cut\n"}
        header = {**message["header"], "msg_type": "stream"}
        return {**message, "header": header, "msg_type": "stream", "content": content}
    return message


def imports_of(source: str) -> str:
    """The lines of a test that import something."""
    with suppress(SyntaxError):
        kept = [node for node in ast.parse(source).body if isinstance(node, (ast.Import, ast.ImportFrom))]
        return "\n".join(map(ast.unparse, kept))
    return ""


def verdict(printed: str, error: tuple[str, str] | None) -> list[NotebookNode]:
    """The outputs of a test, for its pupil to read: its text and its error, which stands there once.

    Of anything else nbgrader would read points from a value, and a failure from a warning.
    """
    outputs = []
    if error is not None:
        name, text = error
        lines = textwrap.wrap(f"{name}: {text}" if name != "AssertionError" or not text else text, 90)
        outputs = [new_output("error", ename=name, evalue=text, traceback=lines)]
        printed = printed.replace(text + "\n", "") if text else printed
    stream = [new_output("stream", name="stdout", text=printed[:LONGEST])] if printed.strip() else []
    return stream + outputs


def name_of(cell: NotebookNode) -> str:
    """A name for a cell: its grade's name, or its first line."""
    return cell.metadata.get("nbgrader", {}).get("grade_id") or f"the cell {cell.source.strip().splitlines()[0][:40]!r}"


def whole(text: str) -> str:
    """Text without half characters (lone surrogates), which no file and no message can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def readable(text: str) -> str:
    """A pupil's text for a terminal or a table: without signs that move a cursor or hide a word."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)


def one_line(text: str) -> str:
    """``readable``, on one line."""
    return readable(" ".join(text.split()))
