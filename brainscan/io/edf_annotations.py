"""Seizures among the annotations of EDF+ and BDF+ files, and EDF+ files that hold nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import AnnotationFile
from brainscan.io.clock import plain_seconds
from brainscan.io.containers import container_of, read_head
from brainscan.io.edf_header import FIXED_BYTES, header_length, parse_header
from brainscan.io.edf_layout import NO_START, FixedFields, annotation_signal, edf_header
from brainscan.io.edf_remarks import OWN_MARK, lists_of, said_by
from brainscan.io.note_events import told_by
from brainscan.io.origin import Origin, is_reviewed
from brainscan.io.reading import read
from brainscan.io.tal import Note as Entry
from brainscan.io.tal import notes

_PLUS = (b"EDF+", b"BDF+")


def read_edf_annotations(path: Path) -> AnnotationFile:
    """Read the seizures among a recording's own annotations.

    Returns
    -------
    AnnotationFile
        What `note_events.told_by` makes of them. Seizures that overlap are joined, with a warning; notes about other
        things are passed over, counted in a warning.

    Raises
    ------
    InputError
        If the file cannot be used, is a recording without annotations, or speaks of a seizure in a way that is not
        understood; text and time are named.
    """
    container = container_of(read_head(path), path.name)
    if container not in ("EDF", "BDF"):
        raise InputError(f"is {container}, which has no annotations that we read", kind="io", file=path.name)
    found, duration_s, start = _annotations(path)
    if not found and _only_annotations(path) is None:  # a file for annotations without any says: no seizure
        raise InputError("has no annotations", kind="empty", file=path.name, hint="only EDF+ and BDF+ hold them")
    said = said_by(found)
    file = AnnotationFile((), duration_s, (), path.name, start, said.comments)
    if said.origin is not None and not is_reviewed(said.comments):
        own = told_by(said.own, path.name)
        warnings = (
            (f"annotations beside brainscan's events are passed over: {len(said.others)}",) if said.others else ()
        )
        return replace(file, annotations=own.annotations, warnings=warnings)
    told = told_by((*said.own, *said.others), path.name)
    return replace(file, annotations=told.annotations, warnings=told.warnings, n_passed=told.n_passed)


def origin_of_edf(path: Path) -> Origin | None:
    """Return what made the events in a file; None where they are not ours or it cannot be read."""
    return Origin.from_comments(remarks_in(path))


def remarks_in(path: Path) -> tuple[str, ...]:
    """Return our remarks among a file's annotations; none where it cannot be read."""
    try:
        return said_by(_annotations(path)[0]).comments
    except (InputError, OSError):
        return ()


def holds_our_events(path: Path) -> bool:
    """Say whether a file is a copy of a recording, or a list, that brainscan put its events into.

    Our remarks begin in the first record: no more than that is read. False where it cannot be.
    """
    try:
        return is_told_ours(path)
    except OSError:
        return False


def is_told_ours(path: Path) -> bool:
    """Return the same as `holds_our_events` of what can be read.

    Raises
    ------
    OSError
        If it cannot be.
    """
    with path.open("rb") as stream:
        fixed = stream.read(FIXED_BYTES)
        if fixed[192:196] not in _PLUS:
            return False
        try:
            length = header_length(fixed, path.stat().st_size, path.name)
            header = parse_header(fixed + stream.read(length - FIXED_BYTES), container_of(fixed, path.name), path.name)
        except InputError:
            return False
        return OWN_MARK in stream.read(header.record_bytes)


def _annotations(path: Path) -> tuple[tuple[Annotation, ...], float | None, datetime | None]:
    """Return a file's annotations, duration and start."""
    alone = _only_annotations(path)
    if alone is not None:
        return alone
    recording = read(path)
    return recording.annotations, recording.duration_s, recording.start


def _only_annotations(path: Path) -> tuple[tuple[Annotation, ...], float | None, datetime | None] | None:
    """Return annotations, duration and start of a file without signals; None if it has some."""
    with path.open("rb") as stream:
        fixed = stream.read(FIXED_BYTES)
        length = header_length(fixed, path.stat().st_size, path.name)
        header = parse_header(fixed + stream.read(length - FIXED_BYTES), container_of(fixed, path.name), path.name)
        if not all(signal.is_annotations for signal in header.signals):
            return None
        found: list[Entry] = []
        n_records = 0
        while header.record_bytes and len(record := stream.read(header.record_bytes)) == header.record_bytes:
            n_records += 1
            at = 0
            for signal in header.signals:
                size = signal.samples * header.sample_bytes
                found += notes(record[at : at + size])
                at += size
    duration_s = float(header.record_s * n_records) or None
    rows = tuple(Annotation(note.onset_s, note.onset_s + note.duration_s, note.text) for note in found)
    # EDF+ writes X for a start that is not known, beside a date that must be there.
    return rows, duration_s, None if fixed[88:].startswith(NO_START.encode()) else header.start


def format_edf_annotations(file: AnnotationFile) -> bytes:
    """Return an EDF+ file that holds the seizures as annotations, and no signals.

    One record lasts as long as the recording. There is no room for a patient.

    Raises
    ------
    InputError
        If the duration is not known.
    ValueError
        If it is longer than the header can say.
    """
    data = b"".join((b"+0\x14\x14\x00", *lists_of(file)))
    data += bytes(-len(data) % 2)
    fixed = FixedFields(file.start, _eight_characters(file.known_duration_s()), 1, reserved="EDF+C")
    return edf_header(fixed, [annotation_signal(len(data) // 2)]) + data


def _eight_characters(duration_s: float) -> str:
    """Return a number as exactly as the header's eight characters hold it, never below it."""
    text = plain_seconds(duration_s)
    if len(text) <= 8:
        return text
    if duration_s > 99_999_999:
        raise ValueError(f"EDF has eight characters for a duration, {duration_s:g} s needs more")
    digits = max(0, 7 - len(text.partition(".")[0]))
    # Rounded up: an event that lasts to the end must not pass it.
    return f"{math.ceil(duration_s * 10**digits) / 10**digits:.{digits}f}"
