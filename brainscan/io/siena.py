"""The seizure lists of the Siena scalp EEG database: clock times, one list for all recordings of a patient."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import SEIZURE, AnnotationFile, check_intervals, row_error
from brainscan.io.chbmit import since_midnight
from brainscan.io.clock import SECONDS_PER_DAY, clock_of_seconds, seconds_of_clock
from brainscan.io.text_files import read_text

_KEY = re.compile(
    r"\s*(file name|registration start time|registration end time|(?:seizure )?start time|(?:seizure )?end time)"
    r"\s*:?\s*(.*?)\s*",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Entry:
    """One recording's part of a list, as it is being read."""

    start_s: float | None = None
    end_s: float | None = None
    starts: list[tuple[float, int]] = field(default_factory=list)
    ends: list[tuple[float, int]] = field(default_factory=list)


def recordings_of_list(path: Path) -> tuple[str, ...]:
    """Return the names of the recordings that a seizure list describes."""
    return tuple(_entries(path))


def read_siena_list(path: Path, recording: str) -> AnnotationFile:
    """Read the seizures of one recording from a seizure list.

    Clock times count from the registration's start, through midnight where they are before it.

    Parameters
    ----------
    path : Path
        ``Seizures-list-PNnn.txt``.
    recording : str
        File name such as ``PN00-1.edf``. Where the list does not have it, a name that differs only by the
        list's known slips (letter O for zero, a missing ``-1``) is taken, with a warning.

    Raises
    ------
    InputError
        If the recording is not listed, its start is missing, or a seizure has no end; the line is named.
    """
    entries = _entries(path)
    listed = listed_name(recording, tuple(entries))
    if listed is None:
        raise InputError(
            f"does not list {recording}", kind="corrupt", file=path.name, hint=f"it lists {', '.join(entries)}"
        )
    entry = entries[listed]
    if entry.start_s is None:
        raise InputError(
            f"{recording} has no registration start time", kind="header", file=path.name, hint="add that line"
        )
    if len(entry.starts) != len(entry.ends):
        starts, ends = len(entry.starts), len(entry.ends)
        at = (entry.starts or entry.ends)[-1][1]
        raise row_error(f"{recording} has {starts} seizure starts and {ends} ends", name=path.name, line=at)
    rows = [
        (Annotation(_since(start, entry.start_s), _since(end, entry.start_s), SEIZURE), line)
        for (start, line), (end, _) in zip(entry.starts, entry.ends, strict=True)
    ]
    warnings = () if listed == recording else (f"{recording} is taken for {listed} of the list",)
    return check_intervals(
        AnnotationFile(
            annotations=tuple(row for row, _ in rows),
            duration_s=None if entry.end_s is None else _since(entry.end_s, entry.start_s),
            lines=tuple(line for _, line in rows),
            name=path.name,
            warnings=warnings,
        )
    )


def _since(at_s: float, start_s: float) -> float:
    # Rounded: the difference of two clock times with fractions is not exact in binary.
    return round((at_s - start_s) % SECONDS_PER_DAY, 6)


def _entries(path: Path) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    entry: _Entry | None = None
    for number, raw in enumerate(read_text(path).splitlines(), start=1):
        match = _KEY.fullmatch(raw)
        if match is None:
            continue
        key, value = match[1].casefold(), match[2]
        if key == "file name":
            entry = entries.setdefault(value, _Entry())
            continue
        if entry is None:
            raise row_error(f"{match[1]!r} before any file name", name=path.name, line=number)
        try:
            at_s = seconds_of_clock(value)
        except ValueError as problem:
            raise row_error(str(problem), name=path.name, line=number) from None
        if key == "registration start time":
            entry.start_s = at_s
        elif key == "registration end time":
            entry.end_s = at_s
        else:
            (entry.starts if key.endswith("start time") else entry.ends).append((at_s, number))
    if not entries:
        raise InputError("is no Siena seizure list (no 'File name:' line)", kind="header", file=path.name)
    return entries


def listed_name(recording: str, names: tuple[str, ...]) -> str | None:
    """Return the name under which a list has a recording, None if it has not; see `read_siena_list`."""
    if recording in names:
        return recording
    similar = [name for name in names if _forgiving(name) == _forgiving(recording)]
    return similar[0] if len(similar) == 1 else None


def _forgiving(name: str) -> str:
    stem = name.rpartition(".")[0] or name
    return re.sub(r"-1?$", "", stem.upper().replace("O", "0"))


def format_siena_list(file: AnnotationFile, recording: str) -> str:
    """Return the text of a seizure list of one recording.

    Raises
    ------
    InputError
        If the duration is not known.
    ValueError
        If the recording lasts a day or longer: its clock times would be ambiguous.
    """
    duration_s = file.known_duration_s()
    if duration_s >= SECONDS_PER_DAY:
        raise ValueError("a seizure list holds clock times: recordings of a day or longer cannot be written")
    start_s = since_midnight(file.start)

    def clock(at_s: float) -> str:
        return clock_of_seconds(round(start_s + at_s, 4) % SECONDS_PER_DAY, ".")

    head = [
        f"File name: {recording}",
        f"Registration start time: {clock(0.0)}",
        f"Registration end time: {clock(duration_s)}",
    ]
    lines = []
    for k, row in enumerate(file.track(), start=1):
        lines += [f"Seizure n {k}", *head]
        lines += [f"Seizure start time: {clock(row.onset_s)}", f"Seizure end time: {clock(row.offset_s)}", ""]
    return "\n".join(lines or [*head, ""])
