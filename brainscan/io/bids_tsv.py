"""Events of BIDS-EEG in the HED-SCORE columns that SzCORE reads."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from brainscan.errors import InputError
from brainscan.events import Annotation, Event
from brainscan.io.annotation_file import BACKGROUND, SEIZURE, AnnotationFile, is_seizure, row_error
from brainscan.io.text_files import read_text

COLUMNS = ("onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration")

_NOT_AVAILABLE = "n/a"
_CLOCK = "%Y-%m-%d %H:%M:%S"
_SEIZURE_TYPE = re.compile(r"sz(_[A-Za-z0-9]+)*")


def read_bids_tsv(path: Path) -> AnnotationFile:
    """Read an ``_events.tsv`` file.

    Returns
    -------
    AnnotationFile
        Plain ``sz`` becomes ``seiz``; the finer HED-SCORE types keep their names.

    Raises
    ------
    InputError
        If a needed column is missing, or for a malformed row, an unknown event type, or rows that disagree about
        the recording's duration; the line is named.
    """
    lines = read_text(path).splitlines()
    header = [cell.strip() for cell in lines[0].split("\t")]
    missing = [name for name in ("onset", "duration", "eventType") if name not in header]
    if missing:
        raise InputError(
            f"has no column {missing[0]!r} (columns: {', '.join(header)})",
            kind="header",
            file=path.name,
            hint="tab-separated: " + " ".join(COLUMNS),
        )
    rows: list[Annotation] = []
    numbers: list[int] = []
    durations: dict[float, int] = {}
    starts: list[datetime] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) != len(header):
            raise row_error(f"has {len(cells)} columns instead of {len(header)}", name=path.name, line=number)
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        try:
            rows.append(_annotation(row))
            durations.update(_duration(row, number))
            starts.extend(_start(row))
        except ValueError as problem:
            raise row_error(str(problem), name=path.name, line=number) from None
        numbers.append(number)
    if len(durations) > 1:
        seen = " and ".join(f"{value:g} s" for value in durations)
        raise row_error(
            f"rows disagree about the recording's duration ({seen})", name=path.name, line=max(durations.values())
        )
    return AnnotationFile(
        annotations=tuple(rows),
        duration_s=next(iter(durations), None),
        lines=tuple(numbers),
        name=path.name,
        start=starts[0] if starts else None,
    )


def _annotation(row: Mapping[str, str]) -> Annotation:
    onset_s, duration_s = _number(row, "onset"), _number(row, "duration")
    kind = row["eventType"]
    if kind == BACKGROUND:
        label = BACKGROUND
    elif _SEIZURE_TYPE.fullmatch(kind):
        label = SEIZURE if kind == "sz" else kind
    else:
        raise ValueError(f"unknown event type {kind!r} (known: bckg, sz and its HED-SCORE types such as sz_foc_ia)")
    channels = row.get("channels", _NOT_AVAILABLE)
    return Annotation(
        onset_s=onset_s,
        # Rounded: the sum of two decimal fractions is not the decimal fraction that was meant.
        offset_s=round(onset_s + duration_s, 6),
        label=label,
        confidence=1.0 if row.get("confidence", _NOT_AVAILABLE) in ("", _NOT_AVAILABLE) else _number(row, "confidence"),
        channel="TERM" if channels in ("", _NOT_AVAILABLE) else channels,
    )


def _number(row: Mapping[str, str], column: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{column} is no number ({row[column]!r})")
    return value


def _duration(row: Mapping[str, str], line: int) -> dict[float, int]:
    if row.get("recordingDuration", _NOT_AVAILABLE) in ("", _NOT_AVAILABLE):
        return {}
    return {_number(row, "recordingDuration"): line}


def _start(row: Mapping[str, str]) -> list[datetime]:
    text = row.get("dateTime", _NOT_AVAILABLE)
    if text in ("", _NOT_AVAILABLE):
        return []
    try:
        return [datetime.fromisoformat(text)]
    except ValueError:
        raise ValueError(f"dateTime is no date and time ({text!r})") from None


def format_bids_tsv(events: Iterable[Event | Annotation], duration_s: float, start: datetime | None = None) -> str:
    """Return the text of an ``_events.tsv`` file.

    Parameters
    ----------
    events : iterable of Event or Annotation
        Seizures. HED-SCORE types are kept, everything else is ``sz``.
    duration_s : float
        Of the recording, seconds; it stands in every row.
    start : datetime, optional
        Wall-clock time of second 0.

    Returns
    -------
    str
        Tab-separated, LF line ends, times to 0.1 ms. Without events one ``bckg`` row covers the recording.
    """
    when = _NOT_AVAILABLE if start is None else start.strftime(_CLOCK)
    rows = ["\t".join(COLUMNS)]
    for event in sorted(events, key=lambda event: event.onset_s):
        label, channel = getattr(event, "label", SEIZURE), getattr(event, "channel", "TERM")
        rows.append(
            "\t".join(
                (
                    f"{event.onset_s:.4f}",
                    f"{round(event.offset_s, 4) - round(event.onset_s, 4):.4f}",
                    label if label.startswith("sz_") and is_seizure(label) else "sz",
                    f"{event.confidence:.4f}",
                    _NOT_AVAILABLE if channel == "TERM" else channel,
                    when,
                    f"{duration_s:.4f}",
                )
            )
        )
    if len(rows) == 1:
        cells = ("0.0000", f"{duration_s:.4f}", BACKGROUND, _NOT_AVAILABLE, _NOT_AVAILABLE, when, f"{duration_s:.4f}")
        rows.append("\t".join(cells))
    return "\n".join(rows) + "\n"
