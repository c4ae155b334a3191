"""The page for events that are in files already: an expert's, another detector's, or ours; one file, or two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from brainscan.detector import DetectOptions
from brainscan.events import Event, complement, union
from brainscan.io.annotations import RecordingFacts, read_annotations
from brainscan.io.belonging import another
from brainscan.io.event_formats import origin_of
from brainscan.io.origin import Origin
from brainscan.recording import Recording
from brainscan.report.recording_page import Page
from brainscan.survey import outline

PROLONGED_S = 300.0


@dataclass(frozen=True, slots=True)
class Reader:
    """One file of events, read for a recording.

    Parameters
    ----------
    name : str
    folder : str
        That the file lies in, which tells two of one name apart.
    events : tuple of Event
        Disjoint and sorted.
    unscored : tuple of (float, float)
        What the file says that nobody looked at.
    origin : Origin or None
        What made it, where brainscan did.
    warnings : tuple of str
    """

    name: str
    folder: str
    events: tuple[Event, ...]
    unscored: tuple[tuple[float, float], ...] = ()
    origin: Origin | None = None
    warnings: tuple[str, ...] = ()


def read_events(path: Path, recording: Recording, *, force: bool = False) -> Reader:
    """Read one file of events.

    Parameters
    ----------
    path : Path
    recording : Recording
    force : bool
        Take events that say that they are of another recording.

    Raises
    ------
    InputError
        If it is not sound, or starts events outside the recording.
    UsageError
        If brainscan made it of another recording. Another tool's file that names another one is only warned about.
    """
    facts = RecordingFacts(recording.name, recording.duration_s, recording.start)
    file = read_annotations(path, None, facts, allow_none=True)
    origin = origin_of(path)
    warnings = [f"{path.name}: {text}" for text in file.warnings]
    if other := another(file.recording, origin, recording):
        if origin is not None and not force:
            hint = "name the recording that its events are of, or show them all the same with --force"
            raise other.refusal(path.name, recording.name, hint)
        warnings.append(f"{path.name}: made of another recording ({other.what})")
    events = [
        Event(row.onset_s, row.offset_s, min(max(row.confidence, 0.0), 1.0), row.offset_s - row.onset_s >= PROLONGED_S)
        for row in file.track()
    ]
    return Reader(path.name, path.resolve().parent.name, _disjoint(events), file.unscored, origin, tuple(warnings))


def page_of(recording: Recording, readers: tuple[Reader, ...], sha256: str) -> Page:
    """Return the page for one reader's events, or two readers' beside each other.

    Parameters
    ----------
    recording : Recording
    readers : tuple of Reader
        The first one's events are reviewed.
    sha256 : str
        Of the recording; empty where it is no file.
    """
    first, second = readers[0], readers[1] if len(readers) > 1 else None
    gaps = complement([(s.start_s, s.stop_s) for s in recording.segments], 0.0, recording.duration_s)
    unscored = union((*first.unscored, *gaps))
    detection = replace(
        outline(recording, DetectOptions()),
        events=first.events,
        unscored=unscored,
        analysed_s=recording.duration_s - sum(b - a for a, b in unscored),
        model={} if first.origin is None else first.origin.model,
        sha256=sha256,
    )
    alike = second is not None and second.name == first.name
    shown = [f"{reader.folder}/{reader.name}" if alike else reader.name for reader in readers]
    said = (*detection.warnings, *(text for reader in readers for text in reader.warnings))
    return Page(
        detection=replace(detection, warnings=tuple(dict.fromkeys(said))),
        recording=recording,
        who=shown[0],
        other="" if second is None else shown[1],
        other_events=() if second is None else second.events,
        is_detection=first.origin is not None,
    )


def _disjoint(events: list[Event]) -> tuple[Event, ...]:
    """Return events without overlap; those that do become one with the higher confidence."""
    merged: list[Event] = []
    for event in sorted(events):
        if merged and event.onset_s < merged[-1].offset_s:
            before = merged.pop()
            offset_s = max(before.offset_s, event.offset_s)
            sure = max(before.confidence, event.confidence)
            merged.append(Event(before.onset_s, offset_s, sure, offset_s - before.onset_s >= PROLONGED_S))
        else:
            merged.append(event)
    return tuple(merged)
