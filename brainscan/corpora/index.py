"""``index.csv``: what a corpus says about its recordings, in whatever dialect its spreadsheet saved it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import MappingProxyType

from brainscan.errors import InputError
from brainscan.io.annotation_file import row_error
from brainscan.io.links import real_path
from brainscan.io.tables import Table, read_table

INDEX = "index.csv"

_LEVELS = 3  # an index may lie so many folders above the one that is evaluated

_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "file": (
            "file",
            "filename",
            "path",
            "filepath",
            "recording",
            "recordingfile",
            "edf",
            "edffile",
            "relativepath",
        ),
        "group": ("group", "split", "partition"),
        "source": ("source", "site", "hospital"),
        "subject": ("subject", "subjectid", "patient", "patientid", "participant", "participantid"),
        "kind": ("kind",),
        "scored": ("scored",),
        "licence": ("licence", "license"),
    }
)
"""Names of each column, the first one that is there counts; case, blanks and underscores make no difference."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One row.

    Parameters
    ----------
    file : str
        Relative to the folder of the index (or to the corpus, see `Index.below`), with forward slashes.
    group, source, subject, kind : str
        Empty where the index does not say.
    scored : tuple of (float, float) or None
        Spans that the experts judged: None for all, empty for none.
    licence : str
    """

    file: str
    group: str = ""
    source: str = ""
    subject: str = ""
    kind: str = ""
    scored: tuple[tuple[float, float], ...] | None = None
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """An index file and its rows.

    Parameters
    ----------
    path : Path
    rows : tuple of IndexRow
    warnings : tuple of str
        What was guessed.
    """

    path: Path
    rows: tuple[IndexRow, ...]
    warnings: tuple[str, ...] = ()

    def below(self, folder: Path) -> Mapping[str, IndexRow]:
        """Return the rows of the recordings below a folder, by path relative to that folder."""
        root, here = real_path(self.path.parent), real_path(folder)
        rows = {}
        for row in self.rows:
            path = Path(os.path.normpath(root / row.file))
            if path.is_relative_to(here):
                rows[path.relative_to(here).as_posix()] = row
        return rows


def find_index(folder: Path) -> tuple[Index | None, tuple[str, ...]]:
    """Return the index that lists recordings below a folder: its own, else the nearest one above it; and remarks.

    Raises
    ------
    InputError
        If an index is damaged, with its line, or the folder's own tells no files. One further up that tells none, and
        may have nothing to do with it, is a remark.
    """
    here, remarks = real_path(folder), []
    for place in (here, *here.parents[:_LEVELS]):
        path = place / INDEX
        if not path.is_file():
            continue
        try:
            index = read_index(path)
        except NoFilesError as error:
            if place == here:
                raise
            remarks.append(f"{path} is passed over: {error.message}")
            continue
        if index.below(folder):
            return index, (*remarks, *index.warnings)
        if place == here:
            remarks.append(f"{INDEX} is passed over: it lists no file below its own folder")
    return None, tuple(remarks)


class NoFilesError(InputError):
    """A table has no column that names recordings."""


def read_index(path: Path) -> Index:
    """Read an index.

    Commas, semicolons, tabs or bars part its columns. They are known by name: ``file``, and where there are such
    ``group``, ``source``, ``subject``, ``kind``, ``licence`` and ``scored`` (``all``, ``none``, or spans such as
    ``20-30`` in seconds, several joined by ``;``); some usual other names count too (``filename``, ``patient``,
    ``split`` and the like). Without such a column, the only one whose every cell names a file that is there tells the
    files, with a warning. Other columns are passed over.

    Raises
    ------
    NoFilesError
        If no column names files.
    InputError
        If it cannot be read, lists a file twice, a row has too few or too many columns, or a span cannot be understood.
    """
    table = read_table(path)
    columns = {role: next(iter(_columns(role, table)), None) for role in _COLUMNS}
    columns["file"] = next((at for at in _columns("file", table) if _all_there(table, at, path)), columns["file"])
    warnings: tuple[str, ...] = ()
    if columns["file"] is None:
        guessed = _files_by_content(table, path)
        columns["file"] = guessed
        warnings = (f"{path.name}: its column {table.header[guessed]!r} is taken for the files",)
    rows: dict[str, IndexRow] = {}
    for number, cells in table.rows:
        texts = {role: "" if at is None else cells[at] for role, at in columns.items()}
        file = _file_of(texts.pop("file"), path.parent)
        if not file or file in rows:
            raise row_error(f"lists {file} twice" if file else "names no file", name=path.name, line=number)
        try:
            scored = spans_of(texts.pop("scored") or "all")
        except ValueError as problem:
            raise row_error(str(problem), name=path.name, line=number) from None
        rows[file] = IndexRow(file, scored=scored, **texts)
    if not rows:
        raise InputError("lists no recording", kind="empty", file=path.name)
    return Index(path, tuple(rows.values()), warnings)


def _columns(role: str, table: Table) -> list[int]:
    """Return the columns whose names mean something, the likeliest first."""
    names = ["".join(c for c in name.casefold() if c.isalnum()) for name in table.header]
    return [names.index(name) for name in _COLUMNS[role] if name in names]


def _all_there(table: Table, at: int, path: Path) -> bool:
    files = (_file_of(cells[at], path.parent) for _, cells in table.rows)
    return bool(table.rows) and all(file and (path.parent / file).is_file() for file in files)


def _files_by_content(table: Table, path: Path) -> int:
    """Return the column whose every cell names a file that is there."""
    places = [at for at in range(len(table.header)) if _all_there(table, at, path)]
    if len(places) == 1:
        return places[0]
    raise NoFilesError(
        f"no column tells the files (columns: {', '.join(table.header)})",
        kind="header",
        file=path.name,
        hint="call the column of paths 'file'; a table that is no index needs another name",
    )


def _file_of(text: str, folder: Path) -> str:
    """Return a path with forward slashes, as Windows' spreadsheets do not write it."""
    if "\\" in text and not (folder / text).exists():
        text = text.replace("\\", "/")
    return PurePath(os.path.normpath(text)).as_posix() if text else ""


def spans_of(text: str) -> tuple[tuple[float, float], ...] | None:
    """Return the spans that a ``scored`` column names: None for all, empty for none.

    A comma in a number is a decimal comma.

    >>> spans_of("20-30; 50-60,5")
    ((20.0, 30.0), (50.0, 60.5))

    Raises
    ------
    ValueError
        If it is neither ``all``, ``none`` nor spans.
    """
    word = text.strip().lower()
    if word in {"", "all"}:
        return None
    if word == "none":
        return ()
    spans = []
    for part in word.split(";"):
        first, _, last = part.strip().replace(",", ".").replace("\N{EN DASH}", "-").partition("-")
        try:
            span = float(first), float(last)
        except ValueError:
            span = (math.nan, math.nan)
        if not 0.0 <= span[0] < span[1] < math.inf:
            raise ValueError(f"scored must be all, none or spans such as 20-30, got {text!r}")
        spans.append(span)
    return tuple(spans)
