"""Events of BIDS-EEG in the HED-SCORE columns that SzCORE reads."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from brainscan.errors import InputError
from brainscan.events import Annotation, Event, Spans, complement
from brainscan.io.annotation_file import (
    ALL,
    BACKGROUND,
    SEIZURE,
    AnnotationFile,
    is_seizure,
    row_error,
)
from brainscan.io.clock import ignored_offset
from brainscan.io.note_events import Note, told_by
from brainscan.io.note_text import Meaning, understand
from brainscan.io.text_files import read_text

COLUMNS = ("onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration")

_KINDS = ("eventType", "trial_type")
"""Columns that say what a row is: HED-SCORE's, and BIDS' own."""

_COLUMN_OF = {name.casefold(): name for name in (*COLUMNS, *_KINDS)} | {
    "event_type": "eventType",
    "channel": "channels",
}
_NOT_AVAILABLE = "n/a"
_EMPTY = ("", _NOT_AVAILABLE, "na", "nan")
_CLOCK = "%Y-%m-%d %H:%M:%S"
_MANY = 5


def read_bids_tsv(path: Path) -> AnnotationFile:
    """Read an ``_events.tsv`` file: what its rows are is told by the column ``eventType``, else by ``trial_type``.

    Returns
    -------
    AnnotationFile
        Plain ``sz`` becomes ``seiz``; the finer HED-SCORE types keep their names; other words for seizures count as
        `note_events.told_by` has them. Rows about other things are passed over whatever they hold, and counted in a
        warning; seizures that overlap are joined, with a warning. `start` has no offset from UTC.

    Raises
    ------
    InputError
        If a needed column is missing, or for a malformed row about a seizure or background, one that speaks of a
        seizure and is not understood, or rows that disagree about the recording's duration; the line is named.
    """
    lines = read_text(path).splitlines()
    header = [cell.strip() for cell in lines[0].split("\t")]
    columns = [_COLUMN_OF.get(name.casefold(), name) for name in header]
    for names in (("onset",), ("duration",), _KINDS):
        if not set(names) & set(columns):
            raise InputError(
                f"has no column {' or '.join(map(repr, names))} (columns: {', '.join(header)})",
                kind="header",
                file=path.name,
                hint="tab-separated: " + " ".join(COLUMNS),
            )
    told = _Rows()
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        row = dict(zip(columns, cells, strict=False))
        kind = _kind(row)
        if understand(kind).meaning is Meaning.NONE:
            told.passed.append(kind)
            continue
        if len(cells) != len(columns):
            raise row_error(f"has {len(cells)} columns instead of {len(columns)}", name=path.name, line=number)
        try:
            told.take(row, kind, number)
        except ValueError as problem:
            raise row_error(str(problem), name=path.name, line=number) from None
    return told.file(path.name)


@dataclass(slots=True)
class _Rows:
    """What the rows have told so far."""

    notes: list[Note] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    durations: dict[float, int] = field(default_factory=dict)
    starts: list[datetime] = field(default_factory=list)

    def take(self, row: Mapping[str, str], kind: str, line: int) -> None:
        """Take a row about a seizure or background.

        Raises
        ------
        ValueError
            If a cell is not what it has to be.
        """
        onset_s = _number(row, "onset")
        is_mark = understand(kind).meaning in (Meaning.FIRST, Meaning.LAST)
        duration_s = 0.0 if is_mark else _number(row, "duration")
        if duration_s < 0:
            raise ValueError(f"event is reversed (duration {duration_s:g} s)")
        channels = row.get("channels", _NOT_AVAILABLE)
        self.notes.append(
            Note(
                onset_s,
                # Rounded: the sum of two decimal fractions is not the decimal fraction that was meant.
                round(onset_s + duration_s, 6),
                kind,
                1.0 if row.get("confidence", _NOT_AVAILABLE) in _EMPTY else _number(row, "confidence"),
                ALL if channels.casefold() in (*_EMPTY, "all") else channels,
                line,
            )
        )
        self.durations.update(_duration(row, line))
        self.starts.extend(_start(row))

    def file(self, name: str) -> AnnotationFile:
        """Return what all rows tell.

        Raises
        ------
        InputError
            If they contradict each other or are not understood.
        """
        if len(self.durations) > 1:
            seen = " and ".join(f"{value:g} s" for value in self.durations)
            raise row_error(
                f"rows disagree about the recording's duration ({seen})", name=name, line=max(self.durations.values())
            )
        told = told_by(self.notes, name)
        warnings = list(told.warnings)
        if self.passed:
            counts = Counter(kind or _NOT_AVAILABLE for kind in self.passed)
            shown = ", ".join(f"{kind} ({n})" for kind, n in counts.most_common(_MANY))
            more = f" and {len(counts) - _MANY} other kinds" if len(counts) > _MANY else ""
            warnings.append(f"rows that are not about seizures are passed over: {shown}{more}")
        start = self.starts[0] if self.starts else None
        if start is not None and start.tzinfo is not None:
            warnings.append(ignored_offset("dateTime has", start))
        if len(set(self.starts)) > 1:
            warnings.append(f"dateTime differs between rows: {self.starts[0]} is taken")
        return AnnotationFile(
            annotations=told.annotations,
            duration_s=next(iter(self.durations), None),
            lines=told.lines,
            name=name,
            start=None if start is None else start.replace(tzinfo=None),
            warnings=tuple(warnings),
            n_passed=told.n_passed + len(self.passed),
        )


def _kind(row: Mapping[str, str]) -> str:
    """Return what a row says that it is, empty where it says nothing."""
    kinds = (row.get(name, "") for name in _KINDS)
    return next((kind for kind in kinds if kind.casefold() not in _EMPTY), "")


def _number(row: Mapping[str, str], column: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{column} is no number ({row[column]!r})")
    return value


def _duration(row: Mapping[str, str], line: int) -> dict[float, int]:
    if row.get("recordingDuration", _NOT_AVAILABLE) in _EMPTY:
        return {}
    return {_number(row, "recordingDuration"): line}


def _start(row: Mapping[str, str]) -> list[datetime]:
    text = row.get("dateTime", _NOT_AVAILABLE)
    if text in _EMPTY:
        return []
    try:
        return [datetime.fromisoformat(text)]
    except ValueError:
        raise ValueError(f"dateTime is no date and time ({text!r})") from None


def format_bids_tsv(
    events: Iterable[Event | Annotation], duration_s: float, start: datetime | None = None, unscored: Spans = ()
) -> str:
    """Return the text of an ``_events.tsv`` file.

    Parameters
    ----------
    events : iterable of Event or Annotation
        Seizures. HED-SCORE types are kept, everything else is ``sz``.
    duration_s : float
        Of the recording, seconds; it stands in every row.
    start : datetime, optional
        Wall-clock time of second 0.
    unscored : tuple of (float, float)
        What nobody looked at.

    Returns
    -------
    str
        Tab-separated, LF line ends, times to 0.1 ms. Without events ``bckg`` covers what was scored.
    """
    when = _NOT_AVAILABLE if start is None else start.strftime(_CLOCK)
    rows = ["\t".join(COLUMNS)]
    for event in sorted(events, key=lambda event: event.onset_s):
        label, channel = getattr(event, "label", SEIZURE), getattr(event, "channel", ALL)
        rows.append(
            "\t".join(
                (
                    f"{event.onset_s:.4f}",
                    f"{round(event.offset_s, 4) - round(event.onset_s, 4):.4f}",
                    label if label.startswith("sz_") and is_seizure(label) else "sz",
                    f"{event.confidence:.4f}",
                    _NOT_AVAILABLE if channel == ALL else channel,
                    when,
                    f"{duration_s:.4f}",
                )
            )
        )
    for onset_s, offset_s in complement(unscored, 0.0, duration_s) if len(rows) == 1 else ():
        times = f"{onset_s:.4f}", f"{offset_s - onset_s:.4f}"
        rows.append("\t".join((*times, BACKGROUND, _NOT_AVAILABLE, _NOT_AVAILABLE, when, f"{duration_s:.4f}")))
    return "\n".join(rows) + "\n"
