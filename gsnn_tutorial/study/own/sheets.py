"""A file of rows and columns, or a DataFrame, read as text, so that every complaint can name file and line."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gsnn_tutorial.validate import arrays

SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "space": " "}
MISSING = ("", "na", "nan", "n/a", "null", "none", "-", "?")


@dataclass(frozen=True)
class Sheet:
    """Rows and columns of text.

    ``frame`` holds the cells as stripped text, "" where nothing is; ``name`` is the file's or the argument's name, and
    ``lines`` the line of each row in the file, or None for a DataFrame.
    """

    frame: pd.DataFrame
    name: str
    lines: np.ndarray | None = None

    def where(self, row: int) -> str:
        """The place of a row in words."""
        return f"{self.name}, row {row}" if self.lines is None else f"{self.name}, line {self.lines[row]}"

    def column(self, asked: str | None, usual: Sequence[str], what: str, optional: bool = False) -> str | None:
        """The column called ``asked``, or the first that is called as ``usual`` ones are, whatever the case.

        Raises ValueError where there is none, unless ``optional``.
        """
        names = list(self.frame.columns)
        if asked is not None:
            if asked in names:
                return asked
            raise ValueError(f"{self.name} has no column {asked!r} for the {what}; its columns are {short(names)}")
        folded = {}
        for name in names:
            folded.setdefault(name.strip().casefold(), name)
        for name in usual:
            if name in folded:
                return folded[name]
        if optional:
            return None
        raise ValueError(
            f"{self.name} has no column for the {what} ({', '.join(usual[:4])}, ...); its columns are {short(names)}. "
            f"Name the column, for example by columns={{{what!r}: {names[0]!r}}}, or check the separator"
        )


def short(names: Sequence, limit: int = 8) -> str:
    """Some names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(str(name)) for name in names[:limit]) + more


def text_of(path: str | Path, what: str) -> str:
    """The text of a file, gzipped or not. Raises ValueError if it cannot be read, is not UTF-8, or is empty."""
    path = Path(path)
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise ValueError(f"{what}: {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except Exception as error:  # zlib's own
        raise ValueError(f"{what}: {path} is no gzip file that can be read: {error}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: the file must be text in UTF-8; save it so") from error
    if "\x00" in text:
        raise ValueError(f"{path}, line {text[: text.index(chr(0))].count(chr(10)) + 1}: holds a NUL, so it is no text")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError(f"{path} is empty: {what} must have at least one line")
    return text


def separator(text: str, path: Path, sep: str | None) -> str:
    """The separator of columns: as given, as the file's ending says, or the most frequent one of the first line."""
    first = next(line for line in text.split("\n") if line.strip())
    if sep is not None:
        if not isinstance(sep, str) or len(sep) != 1:
            raise ValueError(f"sep must be one character such as ',' or a tab, got {arrays.shown(sep)}")
        return sep
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    expected = {".csv": ",", ".tsv": "\t", ".tab": "\t"}.get(suffixes[-1] if suffixes else "")
    if expected is None:
        return max((",", "\t", ";"), key=first.count)
    other = next((name for name, s in SEPARATORS.items() if s not in (expected, " ") and s in first), None)
    if expected not in first and other:
        raise ValueError(
            f"{path}, line 1: no {'comma' if expected == ',' else 'tab'} in it, as the file's ending says, but a "
            f"{other}: give sep={SEPARATORS[other]!r}, or another ending"
        )
    return expected


def read_sheet(
    source, what: str, sep: str | None = None, wanted: Sequence[str] | None = None, filled: bool = True
) -> Sheet:
    """Read a CSV or TSV file (gzipped or not) or a DataFrame as text.

    Arguments
        source: a path, or a DataFrame, whose index is not read.
        what: what it is, for messages.
        sep: what separates columns; None takes it from the file's ending (.csv, .tsv), else from its first line.
        wanted: only these columns, where there are so many that reading them all takes long.
        filled: raise if it has no row.

    Raises ValueError, with file and line, for what cannot be read: an empty file, a line of another length, a column
    name that stands twice.
    """
    if isinstance(source, pd.DataFrame):
        sheet = _of_frame(source, what, wanted)
    elif isinstance(source, (str, Path)):
        sheet = _of_file(Path(source), what, sep, wanted)
    else:
        raise TypeError(f"{what} must be a path or a DataFrame, got {arrays.shown(source)}")
    if filled and not len(sheet.frame):
        raise ValueError(f"{sheet.name} has column names and no rows: {what} must have at least one")
    return sheet


def header_of(source, what: str, sep: str | None = None) -> list[str]:
    """The names of the columns alone."""
    if isinstance(source, pd.DataFrame):
        return _names(source.columns, what)
    if not isinstance(source, (str, Path)):
        raise TypeError(f"{what} must be a path or a DataFrame, got {arrays.shown(source)}")
    text, path = text_of(source, what), Path(source)
    kept = _without_comments(text, path)
    return _header(kept.split("\n", 1)[0], path, separator(kept, path, sep), text.count("\n") - kept.count("\n") + 1)


def _of_frame(frame: pd.DataFrame, what: str, wanted) -> Sheet:
    names = _names(frame.columns, what)
    frame = frame.set_axis(names, axis=1).reset_index(drop=True)
    if wanted is not None:
        frame = frame[[name for name in names if name in set(wanted)]]
    text = frame.astype(object).where(frame.notna(), "").astype(str)
    return Sheet(_stripped(text), f"the DataFrame given as {what}")


def _of_file(path: Path, what: str, sep: str | None, wanted) -> Sheet:
    text = text_of(path, what)
    kept = _without_comments(text, path)
    comments = text.count("\n") - kept.count("\n")
    sep = separator(kept, path, sep)
    names = _header(kept.split("\n", 1)[0], path, sep, comments + 1)
    _check_lengths(kept, path, sep, names, comments)
    places = None if wanted is None else [i for i, name in enumerate(names) if name in set(wanted)]
    try:
        frame = pd.read_csv(
            io.StringIO(kept), sep=sep, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False,
            usecols=places, engine="c",
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        said = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        shift = f" ({comments} comment lines before the header not counted)" if comments else ""
        raise ValueError(
            f"{path}: {said}{shift}. Every line must have the {len(names)} columns of the header ({short(names)})"
        ) from error
    frame = frame.set_axis(names if places is None else [names[i] for i in places], axis=1).iloc[1:]
    lines = frame.index.to_numpy() + comments + 1
    blank = (frame.isna() | (frame == "")).all(axis=1)
    frame, lines = frame[~blank], lines[~blank.to_numpy()]
    return Sheet(_stripped(frame.fillna("").reset_index(drop=True)), str(path), lines)


def _check_lengths(text: str, path: Path, sep: str, names: list[str], comments: int):
    """Raise ValueError at the first line that has not as many columns as the header; blank lines may stand."""
    if '"' in text:
        reader = csv.reader(io.StringIO(text), delimiter=sep)
        try:
            lengths = [(reader.line_num, len(row)) for row in reader if any(cell.strip() for cell in row)]
        except csv.Error as error:
            raise ValueError(f"{path}, line {reader.line_num + comments}: {error}") from error
    else:
        lengths = [(i, line.count(sep) + 1) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, length in lengths:
        if length != len(names):
            word = "fewer" if length < len(names) else "more"
            raise ValueError(
                f"{path}, line {number + comments}: {length} columns, {word} than the {len(names)} columns of "
                f"the header ({short(names)})"
            )


def _without_comments(text: str, path: Path) -> str:
    """The text from its first line that is neither blank nor a comment."""
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if start is None:
        raise ValueError(f"{path} has nothing but comment lines, which begin with #: a line must name the columns")
    return "\n".join(lines[start:])


def _header(line: str, path: Path, sep: str, number: int) -> list[str]:
    try:
        first = pd.read_csv(io.StringIO(line), sep=sep, header=None, dtype=str, keep_default_na=False, engine="c")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise ValueError(f"{path}, line {number}: the names of the columns cannot be read: {error}") from error
    return _names(first.iloc[0], f"{path}, line {number}")


def _names(given, where: str) -> list[str]:
    names = ["" if isinstance(name, float) and np.isnan(name) else str(name).strip() for name in given]
    twice = [name for name, times in Counter(names).items() if times > 1 and name]
    if twice:
        raise ValueError(f"{where}: the column {twice[0]!r} stands {names.count(twice[0])} times; a name must be one's")
    if not any(names):
        raise ValueError(f"{where}: no column has a name")
    return [name or f"unnamed column {place}" for place, name in enumerate(names, 1)]


def _stripped(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.apply(lambda column: column.str.strip()) if len(frame.columns) else frame


def asked_columns(columns, allowed: Sequence[str]) -> dict[str, str]:
    """The user's names for columns, as {what: name}. Raises ValueError for a thing that there is not."""
    if columns is not None and not isinstance(columns, Mapping):
        raise TypeError(f"columns must be a dict such as {{{allowed[0]!r}: 'from'}}, got {arrays.shown(columns)}")
    for key in columns or {}:
        if key not in allowed:
            raise ValueError(f"columns must name {', '.join(map(repr, allowed))}; got {key!r}")
    return {key: str(value) for key, value in (columns or {}).items()}
