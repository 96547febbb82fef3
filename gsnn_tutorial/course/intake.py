"""Reads what pupils handed in, whatever state it is in, into notebooks that can be graded."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from gsnn_tutorial.files import UnusableFile

LARGEST = 20_000_000  # bytes of a notebook


def submissions(folder: Path, name: str) -> dict[str, Path | None]:
    """{pupil: notebook or None} of a folder with a sub-folder, or a notebook, for each pupil.

    In a sub-folder the notebook is the one called ``name``, or the only one. Raises ValueError for a folder that does
    not exist or is empty, and for two pupils of one name.
    """
    if not folder.is_dir():
        raise UnusableFile(f"submissions must be a folder, got {folder}")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")) or not (path.is_dir() or path.suffix == ".ipynb"):
            continue
        pupil = re.sub(r"[^\w-]+", "_", path.stem if path.is_file() else path.name)  # nbgrader makes a pattern of it
        if pupil in found:
            raise UnusableFile(f"submissions must be of different pupils, got {pupil} twice")
        found[pupil] = _notebook_in(path, name) if path.is_dir() else path
    if not found:
        raise UnusableFile(f"submissions must hold a folder or a notebook for each pupil, found none in {folder}")
    return found


def _notebook_in(folder: Path, name: str) -> Path | None:
    notebooks = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    called = [path for path in notebooks if path.stem == name]
    chosen = called or notebooks
    return chosen[0] if len(chosen) == 1 else None


def read(path: Path | None, release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """A submission that can be graded, and what had to be said or done about it; a blank one if it is unreadable."""
    if path is None:
        return release, ["no notebook, or several and none of the assignment's name"]
    if path.stat().st_size > LARGEST:
        return release, [f"not read: the file has {path.stat().st_size / 1e6:.0f} MB"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            submitted = nbformat.read(path, as_version=4)
        cells = [(cell.cell_type, str(cell.source), _ids(cell)) for cell in submitted.cells]
    except Exception as error:  # whatever nbformat trips over in a file that is not what it says
        return release, [f"not a notebook: {type(error).__name__}"]
    return mend(cells, release)


def _ids(cell) -> list:
    """What a cell may be known by: nbgrader's mark, or, where that was lost, its id."""
    mark = cell.metadata.get("nbgrader")
    return [mark.get("grade_id") if isinstance(mark, dict) else None, cell.get("id")]


def mend(cells: list[tuple], release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """A pupil's cells, (type, source, ids), with the release's locked cells as they were; what was wrong.

    The order is the pupil's. Of several answers to one question the last counts, as it does in a kernel, and so it is
    with locked cells. One that is missing, or stands before the answer that it follows in the release, is put right
    behind this answer; without an answer, at the end, where it may have been given elsewhere.
    """
    marked = {cell.metadata.nbgrader.grade_id: cell for cell in release.cells if "nbgrader" in cell.metadata}
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
    return nbformat.from_dict({**release, "cells": result}), _notes(cells, owners, marked, answers)


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


def _notes(cells, owners, marked, answers) -> list[str]:
    """What an instructor should know about a submission's marked cells."""
    notes = [] if any(ids[0] in marked for _, _, ids in cells if isinstance(ids[0], str)) else ["no nbgrader metadata"]
    for name, cell in marked.items():
        mine = [text for (_, text, _), owner in zip(cells, owners) if owner == name]
        if not mine:
            notes.append(f"{name} is missing" + ("" if name in answers else ": put back"))
        elif name not in answers and any(text != cell.source for text in mine):
            notes.append(f"{name} was edited: restored")
        if len(mine) > 1:
            notes.append(f"{name} is there {len(mine)} times" + (": the last one counts" if name in answers else ""))
    if any(kind == "code" and re.search(r"\.reference\b", text) for kind, text, _ in cells):
        notes.append("uses .reference, where a check keeps its own answer: look at it")
    return notes
