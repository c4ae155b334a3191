"""A detection as one JSON document: everything that is known, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from brainscan.detection import Detection, ElectrodeReport
from brainscan.documents import spelled
from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError
from brainscan.events import Annotation, FieldSpan, Spans
from brainscan.io.annotation_file import SEIZURE, AnnotationFile
from brainscan.io.content import Content
from brainscan.io.origin import Origin
from brainscan.mapping import to_mapping
from brainscan.provenance import NOTICE

SCHEMA = "detection-2"
"""The schema in docs/schemas that a document keeps to; what changes a field changes the number."""


def as_mapping(detection: Detection) -> dict[str, Any]:
    """Return the detection as plain JSON values (the fixed keys of docs/formats.md; more may stand beside them)."""

    def at_clock(at_s: float) -> str | None:
        clock = detection.clock(at_s)
        return None if clock is None else clock.isoformat(timespec="milliseconds")

    return {
        "schema": SCHEMA,
        "file": detection.file,
        "format": detection.format,
        "start": None if detection.start is None else detection.start.isoformat(),
        "duration_s": detection.duration_s,
        "analysed_s": detection.analysed_s,
        "events": [
            {
                "onset_s": event.onset_s,
                "offset_s": event.offset_s,
                "confidence": event.confidence,
                "prolonged": event.prolonged,
                "clock": at_clock(event.onset_s),
                "side": event.side,
                "leading": list(event.leading),
                "field": [] if event.place is None else [field_mapping(span) for span in event.place.field],
            }
            for event in detection.events
        ],
        "burden": detection.burden.as_mapping(),
        "unscored": [list(span) for span in detection.unscored],
        "segments": [[s.start_s, s.stop_s] for s in detection.segments],
        "electrodes": {e.name: electrode_mapping(e) for e in detection.electrodes},
        "low_trust": detection.low_trust,
        "unfamiliar": detection.unfamiliar,
        "unfamiliar_share": detection.unfamiliar_share,
        "warnings": list(detection.warnings),
        "sha256": detection.sha256,
        "model": to_mapping(detection.model),
        "notice": NOTICE,
    }


def field_mapping(span: FieldSpan) -> dict[str, Any]:
    """Return one span of an event's field as plain JSON values; electrodes that were not recorded are null."""
    return {
        "start_s": span.start_s,
        "stop_s": span.stop_s,
        "rise_db": dict(zip(ELECTRODES, span.rise_db, strict=True)),
    }


def electrode_mapping(report: ElectrodeReport) -> dict[str, Any]:
    """Return one electrode's verdict as plain JSON values."""
    return {
        "found": report.found,
        "how": report.how,
        "quality": report.quality,
        "bad_share": round(report.bad_share, 4),
        "channels": list(report.channels),
    }


def encode_json(content: Content) -> Iterator[bytes]:
    """Yield the detection as one JSON document."""
    text = spelled(as_mapping(content.detected), indent=2) + "\n"
    # A file name that is no UTF-8 holds lone surrogates; escaped with a backslash they are valid JSON.
    yield text.encode("utf-8", "backslashreplace")


def read_json(path: Path) -> AnnotationFile:
    """Read the events of a document in the form of `detect`; only ``events`` must be there.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no events in that form.
    """
    told = read_told(path)
    rows = [Annotation(onset_s, offset_s, SEIZURE, _sureness(sure)) for onset_s, offset_s, sure in told.rows]
    unscored = [f"unscored {start_s:.4f} {stop_s:.4f}" for start_s, stop_s in told.unscored]
    origin = origin_of_json(path)
    remarks = [] if origin is None else origin.comment_lines()
    return AnnotationFile(
        annotations=tuple(rows),
        duration_s=told.duration_s,
        name=path.name,
        start=told.start,
        comments=(*remarks, *unscored),
        recording=told.recording,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a document says, as it stands.

    Parameters
    ----------
    rows : tuple of (float, float, float or None)
        Onset, offset and confidence of each event; None where it tells none.
    unscored : tuple of (float, float)
    duration_s : float or None
        Of the recording.
    start : datetime or None
    recording : str
        Which one it says that it is of; empty where it does not.
    """

    rows: tuple[tuple[float, float, float | None], ...]
    unscored: Spans = ()
    duration_s: float | None = None
    start: datetime | None = None
    recording: str = ""


def read_told(path: Path) -> Told:
    """Read what a document says, ours or another detector's in our form.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no events in that form.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
        rows = [
            (float(e["onset_s"]), float(e["offset_s"]), None if (sure := e.get("confidence")) is None else float(sure))
            for e in document["events"]
        ]
        return Told(
            tuple(rows),
            tuple((float(a), float(b)) for a, b in document.get("unscored", ())),
            None if document.get("duration_s") is None else float(document["duration_s"]),
            None if document.get("start") is None else datetime.fromisoformat(document["start"]),
            str(document.get("file") or ""),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise InputError(
            f"holds no events ({type(problem).__name__}: {problem})",
            kind="corrupt",
            file=path.name,
            hint='the form is that of detect: {"events": [{"onset_s", "offset_s", "confidence"}]}',
        ) from None


def _sureness(confidence: float | None) -> float:
    return 1.0 if confidence is None else float(confidence)


def origin_of_json(path: Path) -> Origin | None:
    """Return what made a document; None where brainscan did not or it is damaged."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("model"), dict):
        return None
    return Origin(str(document.get("sha256", "")), document["model"]) if "brainscan" in document["model"] else None
