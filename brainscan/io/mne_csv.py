"""Annotations as MNE-Python saves them in CSV files: onset, duration, description."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import BACKGROUND, AnnotationFile, label_of, row_error
from brainscan.io.text_files import read_text

COLUMNS = ("onset", "duration", "description")

_EPOCH = datetime(1970, 1, 1)
"""MNE writes onsets as clock times; without a known start it counts from here."""

_PASSED_OVER = ("bad", "edge")  # MNE's own marks of spans to reject, and of joins


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as the file has it."""

    line: int
    onset: float | datetime
    length_s: float
    label: str


def read_mne_csv(path: Path, start: datetime | None = None) -> AnnotationFile:
    """Read the seizures of a CSV file that MNE-Python saved.

    Parameters
    ----------
    path : Path
    start : datetime, optional
        Wall-clock time of the recording's second 0, for onsets that are clock times.

    Returns
    -------
    AnnotationFile
        Onsets may be clock times (as MNE writes them) or seconds. A first row ``bckg`` tells start and
        duration of the recording. Descriptions that begin with ``BAD`` or ``EDGE`` are passed over.

    Raises
    ------
    InputError
        If a column is missing, a description means neither seizure nor background, or clock times are given
        and the recording's start is known neither from the file nor from `start`; the line is named.
    """
    table = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
    header = [cell.strip() for cell in next(table)]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise InputError(
            f"has no column {missing[0]!r} (columns: {', '.join(header)})",
            kind="header",
            file=path.name,
            hint=f"columns: {','.join(COLUMNS)}",
        )
    rows: list[_Row] = []
    for cells in table:
        if not cells or all(not cell.strip() for cell in cells):
            continue
        if len(cells) < len(header):
            raise row_error(f"has {len(cells)} columns instead of {len(header)}", name=path.name, line=table.line_num)
        row = dict(zip(header, cells, strict=False))
        if row["description"].casefold().startswith(_PASSED_OVER):
            continue
        try:
            rows.append(
                _Row(table.line_num, _onset(row["onset"]), _duration(row["duration"]), _label(row["description"]))
            )
        except ValueError as problem:
            raise row_error(str(problem), name=path.name, line=table.line_num) from None
    return _on_recording_clock(rows, path.name, start)


def _onset(text: str) -> float | datetime:
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        if math.isfinite(seconds):
            return seconds
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        raise ValueError(f"onset is neither seconds nor a clock time ({text!r})") from None


def _duration(text: str) -> float:
    try:
        duration_s = float(text)
    except ValueError:
        duration_s = math.nan
    if not 0.0 <= duration_s < math.inf:
        raise ValueError(f"duration is no number of seconds ({text!r})")
    return duration_s


def _label(text: str) -> str:
    label = label_of(text)
    if label is None:
        raise ValueError(f"unknown description {text!r} (known: seiz, seizure, sz, the Temple types, bckg)")
    return label


def _on_recording_clock(rows: list[_Row], name: str, start: datetime | None) -> AnnotationFile:
    """Put onsets on the recording's clock; the file's background row over the whole recording ties them to it."""
    lines = tuple(row.line for row in rows)
    whole = rows[0] if rows and rows[0].label == BACKGROUND else None
    clocks = [row.onset for row in rows if isinstance(row.onset, datetime)]
    if not clocks:
        seconds = [float(row.onset) for row in rows if not isinstance(row.onset, datetime)]
        warnings = ("onsets are plain numbers: taken for seconds",) if seconds else ()
        duration_s = whole.length_s if whole and seconds[0] == 0.0 else None
        return AnnotationFile(_annotations(rows, seconds), duration_s, lines, name, start, warnings=warnings)
    if len(clocks) < len(rows):
        odd = next(row for row in rows if not isinstance(row.onset, datetime))
        raise row_error("onset is a number where others are clock times", name=name, line=odd.line)
    tied = whole is not None and clocks[0] == min(clocks)
    unknown = clocks[0].date() == _EPOCH.date()
    if start is None and tied and not unknown:
        start = clocks[0]
    origin = _EPOCH if unknown else start
    if origin is None:
        raise row_error(
            "onset is a clock time, and the recording's start is not known",
            name=name,
            line=lines[0],
            hint="give the recording with --recording FILE",
        )
    seconds = [(clock - origin).total_seconds() for clock in clocks]
    duration_s = whole.length_s if whole and tied else None
    return AnnotationFile(_annotations(rows, seconds), duration_s, lines, name, start)


def _annotations(rows: list[_Row], onsets_s: list[float]) -> tuple[Annotation, ...]:
    # Rounded to the microseconds of the file: the binary sum of two decimal fractions is not quite theirs.
    return tuple(
        Annotation(onset_s, round(onset_s + row.length_s, 6), row.label)
        for row, onset_s in zip(rows, onsets_s, strict=True)
    )


def format_mne_csv(file: AnnotationFile) -> str:
    """Return the text of a CSV file that MNE-Python reads back to the same onsets.

    A first row ``bckg`` over the whole recording ties the onsets to second 0 (MNE takes the first onset of a
    file for the origin).

    Raises
    ------
    InputError
        If the duration is not known.
    """
    origin = file.start or _EPOCH
    rows = [(0.0, file.known_duration_s(), BACKGROUND)]
    rows += [(row.onset_s, row.offset_s - row.onset_s, row.label) for row in file.track()]
    lines = [",".join(COLUMNS)]
    for onset_s, length_s, label in rows:
        onset = origin + timedelta(seconds=round(onset_s, 6))
        lines.append(f"{onset.isoformat(sep=' ', timespec='microseconds')},{round(length_s, 6)!r},{label}")
    return "\n".join(lines) + "\n"
