"""A file of rows and columns, or a DataFrame, read as text, so that every complaint can name file and line."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gsnn_tutorial.validate import arrays

SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";"}
MISSING = ("", "na", "nan", "n/a", "null", "none", "-", "?")


@dataclass(frozen=True)
class Sheet:
    """Rows and columns of text.

    ``frame`` holds the cells as stripped text, "" for an empty one; ``name`` is the file's or the argument's name, and
    ``lines`` the line of each row in the file, or None for a DataFrame.
    """

    frame: pd.DataFrame
    name: str
    lines: np.ndarray | None = None

    def where(self, row: int) -> str:
        """The place of a row in words."""
        return f"{self.name}, row {row}" if self.lines is None else f"{self.name}, line {self.lines[row]}"

    def column(self, called: str | None, usual: Sequence[str], what: str, optional: bool = False) -> str | None:
        """The column with the name ``called``, or the first with a ``usual`` name, whatever its case.

        Raises ValueError if there is none, unless ``optional``.
        """
        names = list(self.frame.columns)
        if called in names:
            return called
        if called is not None:
            raise ValueError(f"{self.name} has no column {called!r} for the {what}; its columns are {short(names)}")
        folded = {name.casefold(): name for name in reversed(names)}  # of two names that fit, the first counts
        found = next((folded[name] for name in usual if name in folded), None)
        if found is None and not optional:
            raise ValueError(
                f"{self.name} has no column for the {what} ({', '.join(usual[:4])}, ...); its columns are "
                f"{short(names)}. Name the column, for example by columns={{{what!r}: {names[0]!r}}}, or check the "
                "separator"
            )
        return found

    def columns(self, called: Mapping[str, str], usual: Mapping[str, Sequence[str]], optional: str) -> dict:
        """The column of each thing that has ``usual`` names; only ``optional`` may be missing, and is None then.

        Raises ValueError for a missing column, and if the first two are the same.
        """
        found = {what: self.column(called.get(what), names, what, what == optional) for what, names in usual.items()}
        one, two = list(found)[:2]
        if found[one] == found[two]:
            raise ValueError(f"{self.name}: {one} and {two} must be two columns, got {found[one]!r} for both")
        return found


def called_columns(columns, usual: Iterable[str]) -> dict[str, str]:
    """The user's names for columns, as {what: name}. Raises ValueError for a thing that is not in ``usual``."""
    usual = tuple(usual)
    if columns is not None and not isinstance(columns, Mapping):
        raise TypeError(f"columns must be a dict such as {{{usual[0]!r}: 'from'}}, got {arrays.shown(columns)}")
    for key in columns or {}:
        if key not in usual:
            raise ValueError(f"columns must name {', '.join(map(repr, usual))}; got {key!r}")
    return {key: str(value) for key, value in (columns or {}).items()}


def short(names: Sequence, limit: int = 8) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(str(name)) for name in names[:limit]) + more


def text_of(path: str | Path, what: str) -> str:
    """The text of a file, gzipped or not. Raises ValueError if it cannot be read, is not UTF-8, or is empty."""
    path = Path(path)
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{what}: {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: the file must be text in UTF-8; save it so") from error
    if "\x00" in text:
        raise ValueError(f"{path}, line {text[: text.index(chr(0))].count(chr(10)) + 1}: holds a NUL, so it is no text")
    if not text.strip():
        raise ValueError(f"{path} is empty: {what} must have at least one line")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str) -> Iterable[tuple[int, str]]:
    """Number and text of the lines that are neither blank nor comments."""
    lines = enumerate(text.split("\n"), 1)
    return ((number, line) for number, line in lines if line.strip() and not line.startswith("#"))


def separator(first: str, path: Path, sep: str | None) -> str:
    """The separator of columns: as given, as the file's ending says, or the most frequent one of the first line."""
    if sep is not None:
        if not isinstance(sep, str) or len(sep) != 1:
            raise ValueError(f"sep must be one character such as ',' or a tab, got {arrays.shown(sep)}")
        return sep
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    expected = {".csv": ",", ".tsv": "\t", ".tab": "\t"}.get(suffixes[-1] if suffixes else "")
    if expected is None:
        return max((",", "\t", ";"), key=first.count)
    other = next((name for name, s in SEPARATORS.items() if s != expected and s in first), None)
    if expected not in first and other:
        raise ValueError(
            f"{path}, line 1: no {'comma' if expected == ',' else 'tab'} in it, as the file's ending says, but a "
            f"{other}: give sep={SEPARATORS[other]!r}, or another ending"
        )
    return expected


def read_sheet(source, what: str, sep: str | None = None, wanted: Sequence[str] | None = None) -> Sheet:
    """Read a CSV or TSV file (gzipped or not) or a DataFrame as text.

    Arguments
        source: a path, or a DataFrame, whose index is not read.
        what: what it is, for messages.
        sep: what separates columns; None takes it from the file's ending (.csv, .tsv), else from its first line.
        wanted: only these columns, where there are so many that reading them all takes long.

    Raises ValueError, with file and line, for what cannot be read: an empty file, no row, a line of another length, a
    column name that stands twice.
    """
    wanted = None if wanted is None else set(wanted)
    if isinstance(source, pd.DataFrame):
        sheet = _of_frame(source, what, wanted)
    else:
        sheet = _of_file(_path(source, what), what, sep, wanted)
    if not len(sheet.frame):
        raise ValueError(f"{sheet.name} has column names and no rows: {what} must have at least one")
    return sheet


def header_of(source, what: str, sep: str | None = None) -> list[str]:
    """The names of the columns alone."""
    if isinstance(source, pd.DataFrame):
        return _names(source.columns, what)
    return _head(_path(source, what), what, sep)[0]


def _path(source, what: str) -> Path:
    if not isinstance(source, (str, Path)):
        raise TypeError(f"{what} must be a path or a DataFrame, got {arrays.shown(source)}")
    return Path(source)


def _of_frame(frame: pd.DataFrame, what: str, wanted: set | None) -> Sheet:
    frame = frame.set_axis(_names(frame.columns, what), axis=1).reset_index(drop=True)
    if wanted is not None:
        frame = frame[[name for name in frame if name in wanted]]
    text = frame.astype(object).where(frame.notna(), "").astype(str)
    return Sheet(_stripped(text), f"the DataFrame given as {what}")


def _of_file(path: Path, what: str, sep: str | None, wanted: set | None) -> Sheet:
    names, text, comments, sep = _head(path, what, sep)
    _check_lengths(text, path, sep, names, comments)
    places = [i for i, name in enumerate(names) if wanted is None or name in wanted]
    try:
        # Blank lines are read too, so that a row's place tells its line in the file.
        frame = pd.read_csv(
            io.StringIO(text), sep=sep, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False,
            usecols=None if wanted is None else places, engine="c",
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        shift = f" ({comments} comment lines before the header not counted)" if comments else ""
        raise ValueError(
            f"{path}: {reason}{shift}. Every line must have the {len(names)} columns of the header ({short(names)})"
        ) from error
    frame = frame.set_axis([names[i] for i in places], axis=1).iloc[1:]
    frame = frame[~(frame.isna() | (frame == "")).all(axis=1)]
    lines = frame.index.to_numpy() + comments + 1
    return Sheet(_stripped(frame.fillna("").reset_index(drop=True)), str(path), lines)


def _head(path: Path, what: str, sep: str | None) -> tuple[list[str], str, int, str]:
    """Names of the columns, the text from their line on, the number of lines before it, and the separator."""
    text = text_of(path, what)
    number, line = next(iter(lines_of(text)), (None, ""))
    if number is None:
        raise ValueError(f"{path} has nothing but comment lines, which begin with #: a line must name the columns")
    sep, where = separator(line, path, sep), f"{path}, line {number}"
    try:
        first = pd.read_csv(io.StringIO(line), sep=sep, header=None, dtype=str, keep_default_na=False, engine="c")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise ValueError(f"{where}: the names of the columns cannot be read: {error}") from error
    return _names(first.iloc[0], where), text.split("\n", number - 1)[-1], number - 1, sep


def _check_lengths(text: str, path: Path, sep: str, names: list[str], comments: int):
    """Raise ValueError at the first line that has not as many columns as the header; blank lines may stand."""
    if '"' in text:
        reader = csv.reader(io.StringIO(text), delimiter=sep)
        try:
            lengths = [(reader.line_num, len(row)) for row in reader if any(cell.strip() for cell in row)]
        except csv.Error as error:
            raise ValueError(f"{path}, line {reader.line_num + comments}: {error}") from error
    else:  # counting is much faster than parsing, and tables may have very many columns
        lengths = [(i, line.count(sep) + 1) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, length in lengths:
        if length != len(names):
            word = "fewer" if length < len(names) else "more"
            raise ValueError(
                f"{path}, line {number + comments}: {length} columns, {word} than the {len(names)} columns of "
                f"the header ({short(names)})"
            )


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
