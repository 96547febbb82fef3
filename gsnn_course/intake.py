"""Reads what pupils handed in, whatever state it is in, into notebooks that can be graded."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from gsnn_course.outputs import whole
from gsnn_course.roster import decoded

LARGEST = 20_000_000  # bytes of a notebook
OLD_NAMES = re.compile(r"\bgsnn_tutorial\.(course\.graders|checks)\b")  # the checks, in releases of version 0.3
SIGNS = {
    r"\.(reference|mistakes)\b": "uses .reference, where a check keeps its own answer",
    r"\bgsnn_tutorial\.(checks|course|exercises)\b|from gsnn_tutorial import .*\b(checks|course|exercises)\b"
    r"|\bgsnn_course\b|assignment_\d\s+as\b|import_module\(.*(checks|course|graders|exercises)":
        "imports the checks or the graders",
    r"\b_getframe\b|\bcurrentframe\b|\bf_(back|locals|globals)\b|\binspect\.stack\b|\bgc\.get_(objects|referrers)\b":
        "walks the frames of its callers",
    r"\bmeta_path\b|\bpath_hooks\b|\b__import__\b|\bsys\.modules\b|\bsetattr\(\s*builtins\b|\bbuiltins\.\w+\s*=":
        "changes how names are imported",
    r"\b(input|ast)_transformers?\w*\b|\bset_custom_exc\b|\bevents\.register\b|\brun_cell\b|\binput_splitter\b":
        "changes how cells are run",
    r"\bsqlite3?\b|\bsqlalchemy\b|\bnbgrader\b|\bgradebook\b": "reaches for the gradebook",
    r"\bsubprocess\b|\bos\.(system|fork|exec\w+|popen|kill)\b|\bmultiprocessing\b|\bsocket\b|\bctypes\b|^\s*[!%]{1,2}\w":
        "starts processes or reaches for the system",
    r"(?<![.\w])(exec|eval|compile)\(|\bmarshal\b|\bb64decode\b": "runs code that it makes",
}  # fmt: skip


def read(path: Path | None, release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """A submission that can be graded, and notes on it; a blank one if it is unreadable.

    Only the type, the text and the ids of a cell have to be there. A ``.py`` is cut into cells.
    """
    if path is None:
        return release, []
    if path.stat().st_size > LARGEST:
        return release, [f"not read: the file has {path.stat().st_size / 1e6:.0f} MB"]
    try:
        text, notes = decoded(path.read_bytes()), []
        if path.suffix.lower() == ".py":
            cells, notes = _script(text), ["a .py, read as a notebook"]
        else:
            cells = _cells(json.loads(text))
    except Exception as error:  # whatever is in a file that is not what it says
        return release, [f"not a notebook: {type(error).__name__}"]
    mended, more = mend(cells, release)
    return mended, notes + more


def _cells(content: dict) -> list[tuple]:
    """(type, source, ids) of the cells of a notebook of any version, whatever else is missing."""
    found = content["cells"] if "cells" in content else content["worksheets"][0]["cells"]
    cells = []
    for cell in found:
        source = cell.get("source", cell.get("input", ""))
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        kind = "code" if cell.get("cell_type") == "code" else "markdown"
        cells.append((kind, _lines(text), _ids(cell)))
    return cells


def _script(text: str) -> list[tuple]:
    """The cells of a percent script, or of a plain one by its paragraphs."""
    ast.parse(text)
    notebook = jupytext.reads(text, fmt="py:percent" if re.search(r"^# %%", text, re.M) else "py:light")
    return [(cell.cell_type, _lines(cell.source), [_ids(cell)[0], None]) for cell in notebook.cells]


def _lines(text: str) -> str:
    """Text with the line ends of Unix, and nothing in it that is no letter."""
    return whole(text).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def _today(text: str) -> str:
    """Text in which the checks have their present name, however old its release is."""
    return OLD_NAMES.sub("gsnn_tutorial.exercises", _lines(text))


def _ids(cell) -> list:
    """The ids by which a cell may be known: nbgrader's mark, or, where that was lost, its own."""
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return [mark.get("grade_id") if isinstance(mark, dict) else None, cell.get("id")]


def mend(cells: list[tuple], release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """A pupil's cells, (type, source, ids), with the release's locked cells as they were; and notes on all changes.

    The order is the pupil's. Of several answers to one question the last counts, as it does in a kernel, and so it is
    with locked cells. One that is missing, or stands before the answer that it follows in the release, is put right
    behind this answer; without an answer, at the end, where it may have been given elsewhere.
    """
    marked = {cell.metadata.nbgrader.grade_id: cell for cell in release.cells if "nbgrader" in cell.metadata}
    known = {_today(cell.source) for cell in release.cells}
    answers = {name for name, cell in marked.items() if cell.metadata.nbgrader.solution}
    owners = _owners(cells, marked, answers)
    last = {name: k for k, name in enumerate(owners)}  # where a marked cell stands, the last time
    put_back = _out_of_place(marked, answers, last)
    stay = marked.keys() - {cell.metadata.nbgrader.grade_id for behind in put_back.values() for cell in behind}

    result = put_back.pop(None)
    for k, ((kind, text, _), name) in enumerate(zip(cells, owners)):
        counts = name in stay and last[name] == k
        if counts and name in answers:
            result += [{**marked[name], "source": text}, *put_back.pop(name)]
        elif counts:
            result.append(marked[name])
        elif name not in marked or name in answers:
            result.append(new_code_cell(text) if kind == "code" else new_markdown_cell(text))
    for name, behind in put_back.items():
        by_hand = [marked[name]] if marked[name].metadata.nbgrader.grade else []
        result += [*by_hand, *behind]
    for k, cell in enumerate(result):
        cell["id"] = cell["metadata"].get("nbgrader", {}).get("grade_id", f"cell-{k}")
    return nbformat.from_dict({**release, "cells": result}), _notes(cells, owners, marked, answers, known)


def _out_of_place(marked, answers, last) -> dict[str | None, list]:
    """{answer: the locked cells that follow it in the release and not in the submission}; None: before all answers."""
    never = float("inf")
    first = min((last[name] for name in answers if name in last), default=never)
    out, answer = {None: []}, None
    for name, cell in marked.items():
        if name in answers:
            out[answer := name] = []
        else:
            after, before = (-1, first) if answer is None else (last.get(answer, never), never)
            if not after < last.get(name, never) < before:
                out[answer].append(cell)
    return out


def _owners(cells, marked, answers) -> list[str | None]:
    """For each cell of a pupil, the marked cell of the release that it is: by its ids, else by what it defines."""
    owners = [next((i for i in ids if isinstance(i, str) and i in marked), None) for _, _, ids in cells]
    for name in answers.difference(owners):
        if defines := re.search(r"^def \w+\(", marked[name].source, re.M):
            for k, (kind, text, _) in enumerate(cells):
                if kind == "code" and owners[k] is None and re.search("^" + re.escape(defines[0]), text, re.M):
                    owners[k] = name
    return owners


def _notes(cells, owners, marked, answers, known) -> list[str]:
    """Notes for an instructor about a submission's marked cells."""
    notes = [] if any(ids[0] in marked for _, _, ids in cells if isinstance(ids[0], str)) else ["no nbgrader metadata"]
    for name, cell in marked.items():
        mine = [text for (_, text, _), owner in zip(cells, owners) if owner == name]
        if not mine:
            notes.append(f"{name} is missing" + ("" if name in answers else ": put back"))
        elif name not in answers and any(_today(text) != _today(cell.source) for text in mine):
            notes.append(f"{name} was edited: restored")
        if len(mine) > 1:
            notes.append(f"{name} is there {len(mine)} times" + (": the last one counts" if name in answers else ""))
    own = [text for kind, text, _ in cells if kind == "code" and _today(text) not in known]
    return notes + suspicions(own)


def suspicions(answers: list[str]) -> list[str]:
    """Notes on code of a pupil that a person should look at: it is pointed out, and costs nothing by itself."""
    code = "\n".join(line for text in answers for line in text.splitlines() if not line.lstrip().startswith("#"))
    return [f"{words}: look at it" for sign, words in SIGNS.items() if re.search(sign, code, re.M)]
