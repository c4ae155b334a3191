"""Any annotation format: chosen by content when reading, by name or suffix when writing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from brainscan.errors import InputError
from brainscan.io import event_formats
from brainscan.io.annotation_file import SEIZURE, AnnotationFile, check_confidence, check_intervals, is_seizure
from brainscan.io.atomic import write_bytes
from brainscan.io.content import Content
from brainscan.io.csv_bi import TERM
from brainscan.io.event_format import RecordingFacts, type_of
from brainscan.io.event_formats import sniff
from brainscan.io.origin import Origin
from brainscan.io.outputs import pieces

__all__ = ["Format", "RecordingFacts", "encode", "losses", "read_annotations", "sniff", "write_annotations"]

Format = str
"""Name of a row of `brainscan.io.event_formats.FORMATS`."""

SIMULATED = "simulated"
"""Comments that begin so mark the truth of a simulated recording."""
REVIEWED = "reviewed"
"""A comment line ``# brainscan: reviewed`` turns an output of ours into a reference."""

DURATION_TOLERANCE_S = 1.0
"""Formats round; what differs by more is the annotation of another recording, or of a part."""


def read_annotations(
    path: Path, format_name: Format | None = None, facts: RecordingFacts | None = None
) -> AnnotationFile:
    """Read annotations and check them: no reversed, empty or overlapping seizure, none outside the recording.

    Confidences lie within 0..1.

    Parameters
    ----------
    path : Path
    format_name : str, optional
        By default what `sniff` says.
    facts : RecordingFacts, optional
        Its duration stands above the file's, its start is taken where the file tells none.

    Raises
    ------
    InputError
        If the format is not known, or the file is not sound; the line is named.
    """
    facts = facts or RecordingFacts()
    file = read_rows(path, format_name, facts)
    said_s, known_s = file.duration_s, facts.duration_s
    warnings = file.warnings
    if said_s is not None and known_s is not None and abs(said_s - known_s) > DURATION_TOLERANCE_S:
        warnings += (f"the annotation is of {said_s:g} s, the recording has {known_s:g} s",)
    duration_s = said_s if known_s is None else known_s
    for row, line in zip(file.annotations, file.lines or [None] * len(file.annotations), strict=True):
        check_confidence(row, file.name, line)
    return check_intervals(replace(file, duration_s=duration_s, start=file.start or facts.start, warnings=warnings))


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
    chosen = event_formats.FORMATS.get(format_name or sniff(path) or "")
    if chosen is None or chosen.decode is None:
        raise InputError(
            "is in no annotation format that we know",
            kind="header",
            file=path.name,
            hint=f"known formats: {event_formats.names(event_formats.readable())}",
        )
    return chosen.decode(path, facts or RecordingFacts())


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

    Whether a person, a simulation or brainscan itself said where the seizures are, how sure it was, which types they
    have and on which channels they were seen.
    """
    row = event_formats.FORMATS[format_name]
    keeps = row.keeps
    if not row.holds & {"events", "annotations"}:
        return ()
    track = file.track()
    lost = []
    first_words = {comment.partition(" ")[0] for comment in file.comments}
    if "origin" not in keeps:
        instead = "`evaluate` will take it for an expert's"
        if Origin.from_comments(file.comments) is not None and REVIEWED not in first_words:
            lost.append(f"{format_name} cannot say that these are brainscan's own events: {instead}")
        if SIMULATED in first_words:
            lost.append(f"{format_name} cannot say that this truth is simulated: {instead}")
    if "confidence" not in keeps and any(row.confidence != 1.0 for row in track):
        lost.append(f"{format_name} holds no confidence: it is left out")
    gone = sorted({row.label for row in track if row.label != SEIZURE and type_of(row.label) not in keeps})
    if gone:
        lost.append(f"{format_name} has no place for these seizure types: {', '.join(gone)} become plain seizures")
    channels = {row.channel for row in file.annotations if is_seizure(row.label)}
    if "channels" not in keeps and channels - {TERM}:
        lost.append(f"{format_name} holds no channels: what was marked on {_few(channels - {TERM})} counts for all")
    return tuple(lost)


def _few(words: Iterable[str]) -> str:
    listed = sorted(words)
    return ", ".join(listed[:5]) + (" ..." if len(listed) > 5 else "")
