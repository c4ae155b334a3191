"""Annotations as MNE-Python saves them in CSV files: onset, duration, description."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from brainscan.errors import InputError
from brainscan.io.annotation_file import (
    ALL,
    AnnotationFile,
    row_error,
    tells_whole,
)
from brainscan.io.clock import ignored_offset, offset_text
from brainscan.io.note_events import Note, told_by
from brainscan.io.tables import read_table

COLUMNS = ("onset", "duration", "description")
_CHANNELS = "ch_names"  # MNE joins them with colons

_EPOCH = datetime(1970, 1, 1)
"""MNE writes onsets as clock times; without a known start it counts from here."""

_POINT = re.compile(r"^([+-]?\d+),(\d+)$")
"""A decimal comma, as spreadsheets write it where the semicolon parts columns."""

_PASSED_OVER = ("bad", "edge")  # MNE's own marks of spans to reject, and of joins


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as the file has it."""

    line: int
    onset: float | datetime
    length_s: float
    text: str
    channel: str = ALL


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
        duration of the recording. Descriptions that begin with ``BAD`` or ``EDGE`` are passed over, and so is what
        `note_events.told_by` finds to be about something else. An offset from UTC is left out, with a warning:
        recordings have none. What spreadsheets make of such a file is read: other separators, decimal commas between
        semicolons (with a warning; elsewhere a comma may part thousands), a byte order mark, quotes.

    Raises
    ------
    InputError
        If a column is missing, a description speaks of a seizure and is not understood, or clock times are given and
        the recording's start is known neither from the file nor from `start`, or they differ in their offset from UTC;
        the line is named.
    """
    table = read_table(path)
    header = table.header
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise InputError(
            f"has no column {missing[0]!r} (columns: {', '.join(header)})",
            kind="header",
            file=path.name,
            hint=f"columns: {','.join(COLUMNS)}",
        )
    rows: list[_Row] = []
    commas = 0
    for line, cells in table.rows:
        row = dict(zip(header, cells, strict=True))
        if table.separator == ";":
            points = {name: _POINT.sub(r"\1.\2", row[name]) for name in ("onset", "duration")}
            commas += points.items() - row.items() != set()
            row |= points
        if row["description"].casefold().startswith(_PASSED_OVER):
            continue
        try:
            rows.append(
                _Row(
                    line,
                    _onset(row["onset"]),
                    _duration(row["duration"]),
                    row["description"],
                    ",".join(row.get(_CHANNELS, "").strip().split(":")) or ALL,
                )
            )
        except ValueError as problem:
            raise row_error(str(problem), name=path.name, line=line) from None
    rows, warnings = _without_offset(rows, path.name)
    if commas:
        warnings.append(f"decimal commas are read as points ({commas} rows)")
    file = _on_recording_clock(rows, path.name, start)
    return replace(file, warnings=(*warnings, *file.warnings))


def _onset(text: str) -> float | datetime:
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        if math.isfinite(seconds):
            return seconds
    try:
        return datetime.fromisoformat(text.strip())
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


def _without_offset(rows: Sequence[_Row], name: str) -> tuple[list[_Row], list[str]]:
    """Return the rows with clock times as they stand, and what has to be said if they have an offset from UTC."""
    clocks = [row.onset for row in rows if isinstance(row.onset, datetime)]
    offsets = {clock.utcoffset() for clock in clocks}
    if len(offsets) > 1:
        shown = " and ".join(sorted({offset_text(clock) for clock in clocks}))
        raise row_error(f"onsets differ in their offset from UTC ({shown})", name=name, hint="bring them to one")
    plain = [
        replace(row, onset=row.onset.replace(tzinfo=None)) if isinstance(row.onset, datetime) else row for row in rows
    ]
    return plain, [ignored_offset("onsets have", clocks[0])] if clocks and clocks[0].tzinfo else []


def _on_recording_clock(rows: list[_Row], name: str, start: datetime | None) -> AnnotationFile:
    """Put onsets on the recording's clock; the file's background row over the whole recording ties them to it."""
    whole = rows[0] if rows and tells_whole(rows[0].text) else None
    clocks = [row.onset for row in rows if isinstance(row.onset, datetime)]
    if not clocks:
        seconds = [float(row.onset) for row in rows if not isinstance(row.onset, datetime)]
        warnings = ("onsets are plain numbers: taken for seconds",) if seconds else ()
        duration_s = whole.length_s if whole and seconds[0] == 0.0 else None
        return _told(AnnotationFile((), duration_s, (), name, start, warnings=warnings), rows, seconds)
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
            line=rows[0].line,
            hint="give the recording with --recording FILE",
        )
    seconds = [(clock - origin).total_seconds() for clock in clocks]
    duration_s = whole.length_s if whole and tied else None
    return _told(AnnotationFile((), duration_s, (), name, start), rows, seconds)


def _told(file: AnnotationFile, rows: list[_Row], onsets_s: list[float]) -> AnnotationFile:
    # Rounded to the microseconds of the file: the binary sum of two decimal fractions is not quite theirs.
    notes = (
        Note(onset_s, round(onset_s + row.length_s, 6), row.text, channel=row.channel, line=row.line)
        for row, onset_s in zip(rows, onsets_s, strict=True)
    )
    told = told_by(notes, file.name)
    return replace(
        file,
        annotations=told.annotations,
        lines=told.lines,
        warnings=(*file.warnings, *told.warnings),
        n_passed=told.n_passed,
    )


def format_mne_csv(file: AnnotationFile) -> str:
    """Return the text of a CSV file that MNE-Python reads back to the same onsets.

    A first row over the whole recording (`AnnotationFile.whole`) ties the onsets to second 0 (MNE takes the first onset
    of a file for the origin).

    Raises
    ------
    InputError
        If the duration is not known.
    """
    # Naive: MNE takes a time with an offset from UTC for none at all.
    origin = (file.start or _EPOCH).replace(tzinfo=None)
    rows = [(row.onset_s, row.offset_s - row.onset_s, row.label) for row in (*file.whole(), *file.track())]
    lines = [",".join(COLUMNS)]
    for onset_s, length_s, label in rows:
        onset = origin + timedelta(seconds=round(onset_s, 6))
        lines.append(f"{onset.isoformat(sep=' ', timespec='microseconds')},{round(length_s, 6)!r},{label}")
    return "\n".join(lines) + "\n"
