"""Any annotation format: chosen by content when reading, by name or suffix when writing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from brainscan.errors import InputError
from brainscan.events import union
from brainscan.io import event_formats
from brainscan.io.annotation_file import (
    ALL,
    SEIZURE,
    AnnotationFile,
    check_confidence,
    check_intervals,
    is_seizure,
    joined,
    within_recording,
)
from brainscan.io.atomic import write_bytes
from brainscan.io.content import Content
from brainscan.io.event_format import EventFormat, RecordingFacts, type_of
from brainscan.io.event_formats import sniff
from brainscan.io.origin import REVIEWED, Origin
from brainscan.io.outputs import pieces

__all__ = [
    "Format",
    "RecordingFacts",
    "encode",
    "losses",
    "lost_start",
    "read_annotations",
    "sniff",
    "write_annotations",
]

Format = str
"""Name of a row of `brainscan.io.event_formats.FORMATS`."""

SIMULATED = "simulated"
"""Comments that begin so mark the truth of a simulated recording."""

DURATION_TOLERANCE_S = 1.0
"""Formats round; what differs by more is the annotation of another recording, or of a part."""

START_TOLERANCE_S = 1.0
"""The same for its start."""


def read_annotations(
    path: Path, format_name: Format | None = None, facts: RecordingFacts | None = None, *, allow_none: bool = False
) -> AnnotationFile:
    """Read annotations and check them: no reversed or empty seizure, none that starts outside the recording.

    Confidences lie within 0..1. Seizures that run past the recording's end are cut there, and where a format is a list
    of notes, those that overlap are joined: two readers marked them. Both are told in the warnings.

    Parameters
    ----------
    path : Path
    format_name : str, optional
        By default what `sniff` says.
    facts : RecordingFacts, optional
        They stand above what the file says; a warning tells where both differ.
    allow_none : bool
        Take a file that tells of other things only for "no seizure".

    Raises
    ------
    InputError
        If the format is not known, the file is not sound, or nothing in it is about seizures or background; the line is
        named.
    """
    facts = facts or RecordingFacts()
    row = _row(path, format_name)
    file = _decoded(row, path, facts)
    if file.says_nothing and not allow_none:
        raise InputError(
            f"names no seizure and no background ({'; '.join(file.warnings)})",
            kind="empty",
            file=path.name,
            hint="who knows that there is no seizure says so: a row of background, or `convert --allow-none`",
        )
    for event, line in zip(file.annotations, file.lines or [None] * len(file.annotations), strict=True):
        check_confidence(event, file.name, line)
    sound = check_intervals(joined(file) if row.is_notes else file)
    return within_recording(_on(sound, facts))


def _on(file: AnnotationFile, facts: RecordingFacts) -> AnnotationFile:
    """Return a file with the recording's own duration and start, and a warning where its own are others."""
    said_s, known_s = file.duration_s, facts.duration_s
    warnings = file.warnings
    if said_s is not None and known_s is not None and abs(said_s - known_s) > DURATION_TOLERANCE_S:
        warnings += (f"the annotation is of {said_s:g} s, the recording has {known_s:g} s",)
    if file.start is not None and facts.start is not None:
        apart = abs(file.start - facts.start)
        if apart.total_seconds() > START_TOLERANCE_S:
            warnings += (
                f"the annotation says that the recording starts at {file.start}, its header says {facts.start}: "
                f"{apart} apart; times count from the recording's start",
            )
    duration_s = said_s if known_s is None else known_s
    return replace(file, duration_s=duration_s, start=facts.start or file.start, warnings=warnings)


def read_rows(path: Path, format_name: Format | None = None, facts: RecordingFacts | None = None) -> AnnotationFile:
    """Read annotations as they stand, sound or not; the duration is the file's own.

    Parameters
    ----------
    path, format_name, facts
        As of `read_annotations`.

    Raises
    ------
    InputError
        If the format is not known, or a row is none of it; the line is named.
    """
    return _decoded(_row(path, format_name), path, facts or RecordingFacts())


def _row(path: Path, format_name: Format | None) -> EventFormat:
    chosen = event_formats.FORMATS.get(format_name or sniff(path) or "")
    if chosen is None or chosen.decode is None:
        raise InputError(
            "is in no annotation format that we know",
            kind="header",
            file=path.name,
            hint=f"known formats: {event_formats.names(event_formats.readable())}",
        )
    return chosen


def _decoded(row: EventFormat, path: Path, facts: RecordingFacts) -> AnnotationFile:
    assert row.decode is not None  # `_row` gives no other
    return row.decode(path, facts)


def write_annotations(file: AnnotationFile, path: Path, format_name: Format | None = None, recording: str = "") -> None:
    """Write the seizures of a file in another format, atomically; see `encode`."""
    among = event_formats.convertible()
    name = format_name or event_formats.for_file(path.name, among, "--to").name
    write_bytes(path, encode(file, name, recording or path.name))


def encode(file: AnnotationFile, format_name: Format, recording: str) -> bytes:
    """Return the seizures of a file as the bytes of another format.

    Parameters
    ----------
    file : AnnotationFile
        Sound, as `read_annotations` returns it.
    format_name : str
    recording : str
        File name of the recording, for formats that hold it.

    Raises
    ------
    InputError
        If the format needs the recording's duration and it is not known.
    OutputError
        If the format cannot express it.
    """
    return b"".join(pieces(Content(file, recording), event_formats.FORMATS[format_name]))


def losses(file: AnnotationFile, format_name: Format) -> tuple[str, ...]:
    """Return what `encode` leaves out because the format has no place for it, one line each.

    Whether a person, a simulation or brainscan itself said where the seizures are, what was not looked at, how sure it
    was, which types they have and on which channels they were seen.
    """
    row = event_formats.FORMATS[format_name]
    keeps = row.keeps
    if not row.holds & {"events", "annotations"}:
        return ()
    track = file.track()
    lost = []
    first_words = {comment.partition(" ")[0] for comment in file.comments}
    if "origin" not in keeps and row.decode is not None:  # what nobody reads is taken for nothing
        instead = "`evaluate` will take it for an expert's"
        if Origin.from_comments(file.comments) is not None and REVIEWED not in first_words:
            lost.append(f"{format_name} cannot say that these are brainscan's own events: {instead}")
        if SIMULATED in first_words:
            lost.append(f"{format_name} cannot say that this truth is simulated: {instead}")
    if "unscored" not in keeps and file.unscored:
        seconds = sum(stop_s - start_s for start_s, stop_s in union(file.unscored))
        lost.append(f"{format_name} cannot say that {seconds:.6g} s were not scored: they count as without seizure")
    if "confidence" not in keeps and any(row.confidence != 1.0 for row in track):
        lost.append(f"{format_name} holds no confidence: it is left out")
    gone = sorted({row.label for row in track if row.label != SEIZURE and type_of(row.label) not in keeps})
    if gone:
        lost.append(f"{format_name} has no place for these seizure types: {', '.join(gone)} become plain seizures")
    channels = {row.channel for row in file.annotations if is_seizure(row.label)} - {ALL}
    if "channels" not in keeps and channels:
        lost.append(f"{format_name} holds no channels: what was marked on {_few(channels)} counts for all")
    return tuple(lost)


def lost_start(file: AnnotationFile, format_name: Format) -> tuple[str, ...]:
    """Return that a format has no place for the recording's start, where the events alone are at hand and tell it."""
    if file.start is None or "start" in event_formats.FORMATS[format_name].keeps:
        return ()
    return (f"{format_name} holds no date: that the recording starts at {file.start} is left out",)


def _few(words: Iterable[str]) -> str:
    listed = sorted(words)
    return ", ".join(listed[:5]) + (" ..." if len(listed) > 5 else "")
