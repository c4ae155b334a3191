"""The summary files of CHB-MIT: one list for all recordings of a child."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from brainscan.errors import BrainscanError, InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import SEIZURE, AnnotationFile, check_intervals, row_error
from brainscan.io.clock import SECONDS_PER_DAY, clock_of_seconds, plain_seconds, seconds_of_clock
from brainscan.io.text_files import read_text

_KEY = re.compile(r"\s*([A-Za-z][A-Za-z ]*?)\s*(\d*)\s*((?:Start|End) Time)?\s*:\s*(.*?)\s*", re.IGNORECASE)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s|sec|secs|second|seconds)?", re.IGNORECASE)

_TOLERANCE_S = 1.0  # clock times have whole seconds
_CLOCK_TOLERANCE_S = 60.0
_LONGEST_S = 12 * 3600.0  # the corpus' recordings last one to four hours


@dataclass(slots=True)
class _Entry:
    """One recording's part of a summary, as it is being read."""

    line: int
    start_s: float | None = None
    end_s: float | None = None
    declared: int | None = None
    starts: list[tuple[float, int]] = field(default_factory=list)
    ends: list[tuple[float, int]] = field(default_factory=list)

    @property
    def duration_s(self) -> float | None:
        """Length by the clock times; None without them."""
        if self.start_s is None or self.end_s is None:
            return None
        # Some files end past midnight as 24:05:10, others as 00:05:10.
        difference_s = self.end_s - self.start_s
        return difference_s if difference_s >= SECONDS_PER_DAY else difference_s % SECONDS_PER_DAY


def recordings_of_summary(path: Path) -> tuple[str, ...]:
    """Return the names of the recordings that a summary describes."""
    return tuple(_entries(path))


def read_chbmit_summary(
    path: Path, recording: str, duration_s: float | None = None, start: datetime | None = None
) -> AnnotationFile:
    """Read the seizures of one recording from a summary.

    Its clock times are checked against the recording, which is opened where it lies beside the summary and nothing is
    known of it, and against the next recording's; seizures count from the recording's start whatever they say.

    Parameters
    ----------
    path : Path
        ``chbNN-summary.txt``.
    recording : str
        File name as the summary has it, such as ``chb01_03.edf``.
    duration_s : float, optional
        Of the recording.
    start : datetime, optional
        Of the recording.

    Returns
    -------
    AnnotationFile
        The duration is the recording's, else it follows from the clock times (whole seconds) where the summary has
        them.

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
    if duration_s is None:
        duration_s, start = _of_recording(path.parent / recording, start)
    rows = [
        (Annotation(start_s, end_s, SEIZURE), line)
        for (start_s, line), (end_s, _) in zip(entry.starts, entry.ends, strict=True)
    ]
    return check_intervals(
        AnnotationFile(
            annotations=tuple(row for row, _ in rows),
            duration_s=entry.duration_s if duration_s is None else duration_s,
            lines=tuple(line for _, line in rows),
            name=path.name,
            warnings=tuple(_doubts(recording, entries, duration_s, start)),
        )
    )


def _of_recording(path: Path, start: datetime | None) -> tuple[float | None, datetime | None]:
    """Return length and start of a recording where it is there and can be read."""
    if not path.is_file():
        return None, start
    # Imported here: the readers of recordings need more than all text formats together.
    from brainscan.io.reading import read

    try:
        opened = read(path)
    except BrainscanError:
        return None, start
    return opened.duration_s, opened.start


def _doubts(
    recording: str, entries: Mapping[str, _Entry], duration_s: float | None, start: datetime | None
) -> Iterator[str]:
    """Say where clock times of a summary cannot be right, one line each."""
    entry = entries[recording]
    said_s = entry.duration_s
    if said_s is not None and duration_s is not None and abs(said_s - duration_s) > _TOLERANCE_S:
        yield (
            f"by its clock times {recording} lasts {said_s:g} s, the recording {duration_s:g} s"
            f"{_hours(said_s - duration_s)}: the recording's length is taken"
        )
    elif said_s is not None and duration_s is None and said_s > _LONGEST_S:
        yield f"by its clock times {recording} lasts {said_s / 3600.0:.1f} h: check them, or give --recording FILE"
    if entry.start_s is None:
        return
    if start is not None:
        apart_s = _apart(entry.start_s, since_midnight(start))
        if abs(apart_s) > _CLOCK_TOLERANCE_S:
            yield (
                f"it has {recording} start at {clock_of_seconds(entry.start_s % SECONDS_PER_DAY)}, the recording says"
                f" {start:%H:%M:%S}{_hours(apart_s)}: seizures count from the recording's first sample"
            )
    names = list(entries)
    after = entries[names[names.index(recording) + 1]] if recording != names[-1] else None
    if after is not None and after.start_s is not None and said_s is not None and duration_s is None:
        begins_s = (after.start_s - entry.start_s) % SECONDS_PER_DAY
        if _CLOCK_TOLERANCE_S < said_s - begins_s < _LONGEST_S:
            yield f"by its clock times {recording} ends {said_s - begins_s:g} s after the next recording begins"


def _apart(first_s: float, second_s: float) -> float:
    """Return the seconds between two clock times, -12 h to 12 h."""
    half = SECONDS_PER_DAY / 2
    return (first_s - second_s + half) % SECONDS_PER_DAY - half


def _hours(seconds: float) -> str:
    hours = round(seconds / 3600.0)
    whole = hours != 0 and abs(seconds - 3600.0 * hours) <= _CLOCK_TOLERANCE_S
    return f" ({abs(hours)} h off)" if whole else ""


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
