"""EDF, EDF+, BDF and BDF+ as hospitals hold them: lenient, lazy, by our own parser.

The existing readers refuse or misread units, record counts, gaps and encodings that occur (docs/reading.md).
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.calibration import calibrated
from brainscan.io.checksums import sha256_of
from brainscan.io.containers import Container, unreadable
from brainscan.io.edf_header import FIXED_BYTES, EdfHeader, Signal, header_length, is_header, parse_header
from brainscan.io.edf_reader import EdfReader
from brainscan.io.tal import Note, Timeline, notes, record_onset, timeline
from brainscan.recording import Channel, Recording, Segment
from brainscan.signal.labels import parse_all
from brainscan.signal.units import MAX_UV, uv_per_unit

_VERSIONS = (b"0       ", b"\xffBIOSEMI")
_TIME_TOLERANCE_S = 1e-3  # time stamps are often printed with milliseconds
_FEED_BYTES = 1 << 16
_MOST_TOO_LARGE = 1e6  # a unit may be off by this much (V over microvolts)


def read_edf(path: Path, container: Container) -> Recording:
    """Open an EDF or BDF file; its samples are read when they are asked for.

    Parameters
    ----------
    path : Path
    container : {"EDF", "BDF"}
        By content.

    Raises
    ------
    InputError
        Kinds ``header``, ``empty``, ``corrupt``, ``no_eeg``, ``io``.
    """
    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            fixed = stream.read(FIXED_BYTES)
            data = fixed + stream.read(header_length(fixed, size, name) - FIXED_BYTES)
    except OSError as problem:
        raise unreadable(name, problem) from problem
    header = parse_header(data, container, name)
    signals = tuple(s for s in header.signals if not s.is_annotations)
    if not signals or header.record_s == 0:
        raise InputError(
            "has no signals, only annotations", kind="no_eeg", file=name, hint="give the file that holds the EEG"
        )
    warnings = [*header.warnings, *_layout_warnings(signals)]
    signals = tuple(s for s in signals if s.samples)
    n_records = _record_count(path, header, size, warnings)
    reader = EdfReader(path, header, signals, (1.0,) * len(signals))
    when, annotations = _times(reader, n_records, warnings)
    segments, first_records = _segments(when, header.record_s)
    channels = tuple(
        Channel(s.label, Fraction(s.samples) / header.record_s, s.unit, _stated(s, header.sample_bytes))
        for s in signals
    )
    reader = replace(
        reader,
        segments=segments,
        first_records=first_records,
        factors=_factors(channels),
        n_records=n_records,
        origin_s=when.origin_s,
    )
    recording = Recording(
        name=name,
        format=header.format,
        start=_later(header.start, when.origin_s),
        duration_s=max(segment.stop_s for segment in segments),
        segments=segments,
        channels=channels,
        reader=reader,
        annotations=annotations,
        warnings=tuple(warnings),
        age_years=header.age_years,
        sha256=partial(sha256_of, path),
    )
    return _calibrated(recording, reader)


def _layout_warnings(signals: Sequence[Signal]) -> Iterator[str]:
    """Warn of odd fields of signals that name an electrode; what other signals say does not matter."""
    named = [
        (label.text, signal)
        for signal, label in zip(signals, parse_all([s.label for s in signals]), strict=True)
        if label.first
    ]
    for what, names in (
        ("no samples", [text for text, s in named if not s.samples]),
        ("no calibration (physical or digital range empty or unreadable)", [t for t, s in named if s.gain is None]),
        ("the digital range upside down: the formula is applied as it stands", [t for t, s in named if s.is_swapped]),
        ("decimal commas in the calibration: read as points", [t for t, s in named if s.has_comma]),
    ):
        if names:
            yield f"{_few(names)}: {what}"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _record_count(path: Path, header: EdfHeader, size: int, warnings: list[str]) -> int:
    """Return the number of records to use: never more than the file holds."""
    if header.record_bytes == 0:
        raise InputError("has no samples", kind="empty", file=path.name, hint="export it again")
    held, rest = divmod(size - header.data_start, header.record_bytes)
    said = header.n_records
    if said != held or rest:
        _refuse_mangled(path, header)
        second = _second_header(path, header, held)
        if second is not None:
            at = header.data_start + second * header.record_bytes
            warnings.append(
                f"another recording begins behind record {second} (a header at byte {at}): files were joined; what"
                " follows is not analysed, make a file of its own of it"
            )
            held, rest = second, 0
            said = held if said > held else said
    if held == 0:
        raise InputError(
            f"holds no complete record ({size - header.data_start} bytes after the header)",
            kind="empty",
            file=path.name,
            hint="copy the file again",
        )
    if said < 1:
        warnings.append(f"number of records unknown (header reads {said}): {held} by the file's size")
        return held
    if said > held:
        warnings.append(f"file is cut short: {held} of {said} records are there")
        return held
    if said < held:
        warnings.append(f"header counts {said} records, the file has room for {held}: the rest is not analysed")
    elif rest:
        warnings.append(f"{rest} bytes after the last record are ignored")
    return said


def _second_header(path: Path, header: EdfHeader, held: int) -> int | None:
    """Return behind how many records the header of another recording stands, as in files that were joined."""
    with path.open("rb") as stream:
        for record in range(1, held + 1):
            stream.seek(header.data_start + record * header.record_bytes)
            if stream.read(len(_VERSIONS[0])) not in _VERSIONS:
                continue
            stream.seek(-len(_VERSIONS[0]), os.SEEK_CUR)
            if is_header(stream.read(FIXED_BYTES)):
                return record
    return None


def _refuse_mangled(path: Path, header: EdfHeader) -> None:
    """Refuse data that went through a text conversion: no sample behind the first changed byte is in its place."""
    with path.open("rb") as stream:
        stream.seek(header.data_start)
        data = stream.read(_FEED_BYTES)
    how = ""
    feeds = data.count(b"\n")
    if feeds >= 8 and data.count(b"\r\n") == feeds:
        how = "line feeds became CR LF"
    if _is_reencoded(data):
        how = "bytes were re-encoded as UTF-8"
    if how:
        raise InputError(
            f"damaged by a text-mode transfer ({how})",
            kind="corrupt",
            file=path.name,
            hint="copy it again in binary mode",
        )


def _is_reencoded(data: bytes) -> bool:
    """Whether samples read as UTF-8 text with many foreign letters, which samples never do by chance."""
    try:
        # Incremental: the block may end within a letter.
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    foreign = [c for c in text if ord(c) > 127]
    return len(foreign) > 64 and (len(set(foreign)) > 16 or foreign.count("\ufffd") > len(foreign) // 4)


def _times(reader: EdfReader, n_records: int, warnings: list[str]) -> tuple[Timeline, tuple[Annotation, ...]]:
    """Read all annotation signals once: when the records start, and the notes."""
    header = reader.header
    lists = [s for s in header.signals if s.is_annotations and s.samples]
    if not lists:
        if header.format.endswith("+D"):
            warnings.append("no annotation channel gives the records' times: taken as continuous")
        return Timeline(0.0, ((0, n_records, 0.0),)), ()
    onsets = np.full(n_records, np.nan)
    found: list[Note] = []
    for signal in lists:
        # The first signal keeps the time, says the rule; the first that does is believed.
        keeps_time = not np.isfinite(onsets).any()
        for record, block in enumerate(reader.annotation_blocks(signal, n_records)):
            used = block.rstrip(b"\0")
            onset_s = record_onset(block) if keeps_time else np.nan
            if keeps_time:
                onsets[record] = onset_s
            if used.count(b"\x14") > 2 or np.isnan(onset_s):
                found.extend(notes(used))
    fastest = max(Fraction(s.samples) / header.record_s for s in reader.signals)
    when = timeline(onsets, float(header.record_s), max(float(1 / fastest), _TIME_TOLERANCE_S))
    if header.format.endswith("+D") and not np.isfinite(onsets).any():
        warnings.append("no time stamps in the annotation channel: taken as continuous")
    if len(when.segments) > 1 and not header.format.endswith("+D"):
        warnings.append("the header says continuous, the time stamps do not: they are trusted")
    warnings.extend(when.warnings)
    return when, tuple(
        Annotation(note.onset_s - when.origin_s, note.onset_s - when.origin_s + note.duration_s, note.text)
        for note in sorted(found, key=lambda n: n.onset_s)
    )


def _segments(when: Timeline, record_s: Fraction) -> tuple[tuple[Segment, ...], tuple[int, ...]]:
    segments = tuple(Segment(start_s, float((stop - first) * record_s)) for first, stop, start_s in when.segments)
    return segments, tuple(first for first, _, _ in when.segments)


def _later(start: datetime | None, by_s: float) -> datetime | None:
    try:
        return None if start is None else start + timedelta(seconds=by_s)
    except OverflowError:
        return None


def _calibrated(recording: Recording, reader: EdfReader) -> Recording:
    """Return the recording with the units of its channels settled."""
    width = reader.header.sample_bytes
    channels = tuple(
        channel
        if channel.uv_per_unit is None or _largest(signal, width) * channel.uv_per_unit <= MAX_UV
        else replace(channel, uv_per_unit=None)
        for signal, channel in zip(reader.signals, calibrated(recording), strict=True)
    )
    return replace(recording, channels=channels, reader=replace(reader, factors=_factors(channels)))


def _factors(channels: Sequence[Channel]) -> tuple[float | None, ...]:
    return tuple(channel.uv_per_unit for channel in channels)


def _stated(signal: Signal, width: int) -> float | None:
    """Return µV per unit as the header has it; None where there is no calibration, or one beyond all voltages."""
    factor = uv_per_unit(signal.unit) or 1.0
    largest = _largest(signal, width) * factor
    return factor if signal.gain is not None and largest <= MAX_UV * _MOST_TOO_LARGE else None


def _largest(signal: Signal, width: int) -> float:
    """Return the largest magnitude, in the file's unit, that samples of this width can reach."""
    gain, low = signal.gain, signal.digital_min
    if gain is None or low is None:
        return float("inf")
    return abs(signal.physical_min - gain * low) + abs(gain) * 2.0 ** (8 * width - 1)
