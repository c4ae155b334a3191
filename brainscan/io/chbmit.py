"""The summary files of CHB-MIT: one list for all recordings of a child."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import SEIZURE, AnnotationFile, check_intervals, row_error
from brainscan.io.clock import SECONDS_PER_DAY, clock_of_seconds, plain_seconds, seconds_of_clock
from brainscan.io.text_files import read_text

_KEY = re.compile(r"\s*([A-Za-z][A-Za-z ]*?)\s*(\d*)\s*((?:Start|End) Time)?\s*:\s*(.*?)\s*", re.IGNORECASE)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s|sec|secs|second|seconds)?", re.IGNORECASE)


@dataclass(slots=True)
class _Entry:
    """One recording's part of a summary, as it is being read."""

    line: int
    start_s: float | None = None
    end_s: float | None = None
    declared: int | None = None
    starts: list[tuple[float, int]] = field(default_factory=list)
    ends: list[tuple[float, int]] = field(default_factory=list)


def recordings_of_summary(path: Path) -> tuple[str, ...]:
    """Return the names of the recordings that a summary describes."""
    return tuple(_entries(path))


def read_chbmit_summary(path: Path, recording: str) -> AnnotationFile:
    """Read the seizures of one recording from a summary.

    Parameters
    ----------
    path : Path
        ``chbNN-summary.txt``.
    recording : str
        File name as the summary has it, such as ``chb01_03.edf``.

    Returns
    -------
    AnnotationFile
        The duration follows from the file's clock times (whole seconds) where the summary has them.

    Raises
    ------
    InputError
        If the recording is not listed, the number of seizures is not the announced one, or a seizure has no
        end; the line is named.
    """
    entries = _entries(path)
    if recording not in entries:
        raise InputError(
            f"does not list {recording}", kind="corrupt", file=path.name, hint=f"it lists {', '.join(entries)}"
        )
    entry = entries[recording]
    if len(entry.starts) != len(entry.ends):
        starts, ends = len(entry.starts), len(entry.ends)
        raise row_error(f"{recording} has {starts} seizure starts and {ends} ends", name=path.name, line=entry.line)
    if entry.declared is not None and entry.declared != len(entry.starts):
        raise row_error(
            f"{recording} announces {entry.declared} seizures and lists {len(entry.starts)}",
            name=path.name,
            line=entry.line,
        )
    duration_s = None
    if entry.start_s is not None and entry.end_s is not None:
        # Some files end past midnight as 24:05:10, others as 00:05:10.
        duration_s = (entry.end_s - entry.start_s) % SECONDS_PER_DAY
        if entry.end_s - entry.start_s >= SECONDS_PER_DAY:
            duration_s = entry.end_s - entry.start_s
    rows = [
        (Annotation(start, end, SEIZURE), line)
        for (start, line), (end, _) in zip(entry.starts, entry.ends, strict=True)
    ]
    return check_intervals(
        AnnotationFile(tuple(row for row, _ in rows), duration_s, tuple(line for _, line in rows), path.name)
    )


def _entries(path: Path) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    entry: _Entry | None = None
    for number, raw in enumerate(read_text(path).splitlines(), start=1):
        match = _KEY.fullmatch(raw)
        if match is None:
            continue
        key = match[1].casefold() + (f" {match[3].casefold()}" if match[3] else "")
        if key == "file name":
            entry = entries.setdefault(match[4], _Entry(number))
        elif entry is not None:
            _take(entry, key, match[4], path.name, number)
    if not entries:
        raise InputError("is no CHB-MIT summary (no 'File Name:' line)", kind="header", file=path.name)
    return entries


def _take(entry: _Entry, key: str, value: str, name: str, line: int) -> None:
    """Put one line's value where it belongs; lines about channels are passed over."""
    try:
        if key == "file start time":
            entry.start_s = seconds_of_clock(value)
        elif key == "file end time":
            entry.end_s = seconds_of_clock(value)
        elif key == "number of seizures in file":
            entry.declared = int(value)
        elif key == "seizure start time":
            entry.starts.append((_seconds(value), line))
        elif key == "seizure end time":
            entry.ends.append((_seconds(value), line))
    except ValueError as problem:
        raise row_error(str(problem), name=name, line=line) from None


def _seconds(text: str) -> float:
    match = _SECONDS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no number of seconds")
    return float(match[1])


def format_chbmit_summary(file: AnnotationFile, recording: str) -> str:
    """Return the text of a summary of one recording.

    Parameters
    ----------
    file : AnnotationFile
    recording : str
        File name of the recording.

    Raises
    ------
    InputError
        If the file's duration is not known.
    """
    start_s = since_midnight(file.start)
    seizures = file.track()
    lines = [
        f"File Name: {recording}",
        f"File Start Time: {clock_of_seconds(start_s)}",
        f"File End Time: {clock_of_seconds(start_s + file.known_duration_s())}",
        f"Number of Seizures in File: {len(seizures)}",
    ]
    for k, row in enumerate(seizures, start=1):
        lines.append(f"Seizure {k} Start Time: {plain_seconds(row.onset_s)} seconds")
        lines.append(f"Seizure {k} End Time: {plain_seconds(row.offset_s)} seconds")
    return "\n".join(lines) + "\n"


def since_midnight(start: datetime | None) -> float:
    """Return the seconds of a clock time since midnight, 0 where it is unknown."""
    if start is None:
        return 0.0
    return start.hour * 3600.0 + start.minute * 60.0 + start.second + start.microsecond / 1e6
