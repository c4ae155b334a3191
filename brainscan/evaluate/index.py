"""``index.csv``: what a corpus says about its recordings."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainscan.errors import InputError
from brainscan.io.annotation_file import row_error
from brainscan.io.text_files import read_text

INDEX = "index.csv"

_TEXTS = ("file", "group", "source", "subject", "kind", "licence")
_LEVELS = 3  # an index may lie so many folders above the one that is evaluated


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One row.

    Parameters
    ----------
    file : str
        Relative to the folder of the index (or to the corpus, see `Index.below`), with forward slashes.
    group, source, subject, kind, licence : str
        Empty where the index does not say.
    scored : tuple of (float, float) or None
        Spans that the experts judged: None for all, empty for none.
    """

    file: str
    group: str = ""
    source: str = ""
    subject: str = ""
    kind: str = ""
    licence: str = ""
    scored: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """An index file and its rows."""

    path: Path
    rows: tuple[IndexRow, ...]

    def below(self, folder: Path) -> Mapping[str, IndexRow]:
        """Return the rows of the recordings below a folder, by path relative to that folder."""
        root, here = self.path.parent.resolve(), folder.resolve()
        rows = {}
        for row in self.rows:
            path = root / row.file
            if path.is_relative_to(here):
                rows[path.relative_to(here).as_posix()] = row
        return rows


def find_index(folder: Path) -> Index | None:
    """Return the index that lists recordings below a folder: its own, else the nearest one above it.

    Raises
    ------
    InputError
        If an index is damaged; the line is named.
    """
    here = folder.resolve()
    for place in (here, *here.parents[:_LEVELS]):
        path = place / INDEX
        if not path.is_file():
            continue
        index = read_index(path)
        if index is not None and index.below(folder):
            return index
    return None


def read_index(path: Path) -> Index | None:
    """Read an index; None where the table has no column ``file`` and so is something else.

    Columns: ``file``, and where there are such ``group``, ``source``, ``subject``, ``kind``, ``licence`` and ``scored``
    (``all``, ``none``, or spans such as ``20-30`` in seconds, several joined by ``;``). Others are passed over.

    Raises
    ------
    InputError
        If it cannot be read, lists a file twice, a row has too few columns, or a span cannot be understood.
    """
    reader = csv.DictReader(read_text(path).splitlines())
    if "file" not in (reader.fieldnames or ()):
        return None
    rows: dict[str, IndexRow] = {}
    for line in reader:
        if any(line.get(name) is None for name in reader.fieldnames or ()):
            raise row_error("has too few columns", name=path.name, line=reader.line_num)
        texts = {
            name: (line.get(name) or "").strip() for name in ("file", "group", "source", "subject", "kind", "licence")
        }
        if not texts["file"] or texts["file"] in rows:
            what = f"lists {texts['file']} twice" if texts["file"] else "names no file"
            raise row_error(what, name=path.name, line=reader.line_num)
        try:
            scored = spans_of(line.get("scored") or "all")
        except ValueError as problem:
            raise row_error(str(problem), name=path.name, line=reader.line_num) from None
        rows[texts["file"]] = IndexRow(**texts, scored=scored)
    if not rows:
        raise InputError("lists no recording", kind="empty", file=path.name)
    return Index(path, tuple(rows.values()))


def spans_of(text: str) -> tuple[tuple[float, float], ...] | None:
    """Return the spans that a ``scored`` column names: None for all, empty for none.

    >>> spans_of("20-30; 50-60.5")
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
        first, _, last = part.strip().partition("-")
        try:
            span = float(first), float(last)
        except ValueError:
            span = (math.nan, math.nan)
        if not 0.0 <= span[0] < span[1] < math.inf:
            raise ValueError(f"scored must be all, none or spans such as 20-30, got {text!r}")
        spans.append(span)
    return tuple(spans)
