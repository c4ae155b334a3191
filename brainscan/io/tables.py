"""Tables that spreadsheets save and open: read whatever parts their columns, written so that no cell is a formula."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from brainscan.errors import InputError, reason_of
from brainscan.io.annotation_file import row_error
from brainscan.io.text_files import read_text

SEPARATORS = (",", ";", "\t", "|")

_SAMPLE = 50  # lines that tell the separator
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.]|inf|nan)")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table as CSV: UTF-8, commas, LF.

    A text that a spreadsheet would take for a formula (a file may be called ``=cmd|...``) begins with an apostrophe.
    """
    return b"".join(csv_lines(columns, rows))


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield a table as CSV row by row; see `csv_bytes`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in chain([columns], rows):
        writer.writerow([_no_formula(cell) for cell in row])
        yield buffer.getvalue().encode("utf-8", "backslashreplace")
        buffer.seek(0)
        buffer.truncate()


def _no_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def cell_text(cell: str) -> str:
    """Return the text that `csv_bytes` wrote a cell of.

    >>> cell_text("'=SUM(A1)")
    '=SUM(A1)'
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Parameters
    ----------
    header : tuple of str
        Names of the columns.
    rows : tuple of (int, tuple of str)
        Line, counted from 1, and the cells of each row, as many as the header has.
    separator : str
        What parts the columns.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    separator: str = ","


def read_table(path: Path) -> Table:
    """Read a table whose first line names the columns.

    Commas, semicolons, tabs or bars part the columns, whichever part header and rows alike and into most, or Excel's
    line ``sep=;`` says. Empty lines, rows of empty cells and blanks around cells mean nothing.

    Parameters
    ----------
    path : Path
        UTF-8, or UTF-16 with its byte order mark.

    Raises
    ------
    InputError
        If it cannot be read, or a row has more or fewer columns than the header; the line is named.
    """
    lines = _text(path).splitlines(keepends=True)
    if not lines:
        raise InputError("is empty", kind="empty", file=path.name)
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    said = _SEPARATOR_LINE.fullmatch(lines[first].rstrip("\r\n"))
    first += said is not None
    rest = lines[first:]
    separator = said[1] if said else max(SEPARATORS, key=lambda mark: _fit(rest[:_SAMPLE], mark))
    header = tuple(cell.strip() for cell in next(iter(_cells(rest[:1], separator)), []))
    reader = csv.reader(rest[1:], delimiter=separator, skipinitialspace=True)
    return Table(header, tuple(_rows(reader, header, path.name, first + 1)), separator)


def columns_of(line: str) -> frozenset[str]:
    """Return the names of the columns that the first line of a table tells.

    >>> sorted(columns_of('"onset";"duration"'))
    ['duration', 'onset']
    """
    separator = max(SEPARATORS, key=lambda mark: _fit([line], mark))
    return frozenset(cell.strip() for cells in _cells([line], separator) for cell in cells)


def _cells(lines: Sequence[str], separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    except csv.Error:
        return []


def _fit(lines: Sequence[str], separator: str) -> tuple[bool, bool, bool, int]:
    """Return how well a separator parts lines: through no quoted name, at all, all alike, into how many columns."""
    header, *rows = _cells(lines, separator) or [[]]
    alike = all(len(row) == len(header) for row in rows if any(row))
    return not any('"' in cell for cell in header), len(header) > 1, alike, len(header)


def _rows(
    reader: Iterator[list[str]], header: tuple[str, ...], name: str, n_before: int
) -> Iterator[tuple[int, tuple[str, ...]]]:
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            raise row_error(f"is no row of a table ({problem})", name=name, line=n_before + _line(reader)) from None
        if cells is None:
            return
        number = n_before + _line(reader)
        texts = [cell.strip() for cell in cells]
        if not any(texts):
            continue
        while len(texts) > len(header) and not texts[-1]:
            texts.pop()
        if len(texts) != len(header):
            few = "few" if len(texts) < len(header) else "many"
            raise row_error(f"has too {few} columns ({len(texts)} instead of {len(header)})", name=name, line=number)
        yield number, tuple(texts)


def _line(reader: Iterator[list[str]]) -> int:
    return int(getattr(reader, "line_num", 0))


def _text(path: Path) -> str:
    """Return the text of a file; Excel's "Unicode text" is UTF-16."""
    try:
        with path.open("rb") as stream:
            mark = stream.read(2)
            text = (mark + stream.read()).decode("utf-16") if mark in _UTF_16 else read_text(path)
    except OSError as problem:
        raise InputError(f"cannot be read ({reason_of(problem)})", kind="io", file=path.name) from problem
    except UnicodeDecodeError as problem:
        raise InputError(f"is no UTF-16 text (byte {problem.start})", kind="corrupt", file=path.name) from None
    if "\0" in text:
        raise InputError("is no text (holds zero bytes)", kind="corrupt", file=path.name, hint="save it as UTF-8")
    return text
