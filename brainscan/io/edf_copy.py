"""A copy of an EDF or BDF recording with annotations added: EDF+ or BDF+, record by record.

Every byte of the signals, the files' own annotations and the records' onsets stay as they are. The annotations go into
a further annotation signal behind the others, in which no time stamps are needed where there are some already; a plain
file becomes EDF+C or BDF+C. Writers that we know renumber records, which moves every event behind a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np

from brainscan.errors import InputError, OutputError
from brainscan.io.containers import content_of
from brainscan.io.content import Content
from brainscan.io.edf_header import FIXED_BYTES, SIGNAL_BYTES, SIGNAL_WIDTHS, EdfHeader, text_of
from brainscan.io.edf_layout import NO_PATIENT, annotation_signal, recording_field
from brainscan.io.edf_reader import EdfReader
from brainscan.io.edf_remarks import lists_of, said_by
from brainscan.recording import Recording

EDF_SUFFIX, BDF_SUFFIX = "-brainscan.edf", "-brainscan.bdf"

_CHUNK_BYTES = 4 << 20
_PATIENT, _RECORDING, _RESERVED = slice(8, 88), slice(88, 168), slice(192, 236)


def copy_suffix(recording: Path) -> str:
    """Return the ending of a copy's name: programs choose 16 or 24 bits by it."""
    found = content_of(recording)
    return BDF_SUFFIX if found is not None and found.name == "BDF" else EDF_SUFFIX


def check_copy(recording: Recording, path: Path | None) -> None:
    """Refuse what cannot be copied, or not under this name, before any work.

    Raises
    ------
    OutputError
        If the recording is no EDF or BDF, holds our events already, or the name ends as that of the other one.
    """
    reader = recording.reader
    if not isinstance(reader, EdfReader):
        raise OutputError(
            f"is {recording.format}, and edf is a copy of an EDF or BDF recording",
            file=recording.name,
            hint="edf-annotations holds the events alone",
        )
    if said_by(recording.annotations).origin is not None:
        raise OutputError(
            "holds brainscan's events already", file=recording.name, hint="give the recording that it is a copy of"
        )
    kind = "BDF" if reader.header.sample_bytes == 3 else "EDF"
    if path is not None and path.suffix.lower() in {".edf", ".bdf"} and path.suffix.lower() != f".{kind.lower()}":
        raise OutputError(
            f"would be {kind}+ under the name of another kind", file=str(path), hint=f"name it .{kind.lower()}"
        )


def encode_copy(content: Content) -> Iterator[bytes]:
    """Yield the recording with the events added, in pieces that need no more memory for a night than for a minute.

    Raises
    ------
    ValueError
        If there is no recording: a caller's mistake.
    OutputError
        As `check_copy`.
    InputError
        If the recording changed or cannot be read any more.
    """
    recording = content.recording
    if recording is None:
        raise ValueError("edf is made of a recording, and there is none")
    check_copy(recording, None)
    reader = recording.reader
    assert isinstance(reader, EdfReader)
    lists = tuple(lists_of(content.file, reader.origin_s))
    track = _Track.of(reader, lists)
    try:
        with reader.path.open("rb") as stream:
            head = _bytes(stream, reader.header.data_start, reader.path.name)
            yield _header(head, reader, track, recording, keep_patient=content.keep_patient)
            yield from _records(stream, reader, track)
    except OSError as problem:
        raise InputError(f"cannot be read any more ({problem.strerror})", kind="io", file=reader.path.name) from problem


@dataclass(frozen=True, slots=True)
class _Track:
    """The annotation signal that is added.

    Parameters
    ----------
    lists : tuple of bytes
        For each record that has some: its annotation lists.
    length : int
        Bytes of it in each record.
    step : Fraction or None
        Duration of a record, where it has to tell the records' onsets.
    """

    lists: tuple[bytes, ...]
    length: int
    step: Fraction | None

    @classmethod
    def of(cls, reader: EdfReader, lists: Sequence[bytes]) -> _Track:
        header = reader.header
        has_onsets = any(signal.is_annotations and signal.samples for signal in header.signals)
        step = None if has_onsets else header.record_s
        # Of all of them: the last is not the longest where records last 0.5 s.
        stamp = 0 if step is None else max(len(_stamp(record * step)) for record in range(reader.n_records))
        length = max((len(entry) for entry in lists), default=1)
        while len(packed := _packed(lists, length)) > reader.n_records:
            length += max(1, length // 8)
        width = header.sample_bytes
        return cls(packed, -(-(stamp + length) // width) * width, step)

    def block(self, record: int) -> bytes:
        """Return the signal's bytes in a record."""
        stamp = b"" if self.step is None else _stamp(record * self.step)
        return (stamp + (self.lists[record] if record < len(self.lists) else b"")).ljust(self.length, b"\0")


def _stamp(onset: Fraction) -> bytes:
    """Return the annotation that tells a record's onset; durations are decimal fractions, and so are onsets."""
    text = f"{float(onset):.9f}".rstrip("0").rstrip(".")
    return f"+{text}\x14\x14\0".encode()


def _packed(lists: Sequence[bytes], length: int) -> tuple[bytes, ...]:
    """Return the lists in order, as many together as fit into a length."""
    blocks: list[bytes] = []
    for entry in lists:
        if blocks and len(blocks[-1]) + len(entry) <= length:
            blocks[-1] += entry
        else:
            blocks.append(entry)
    return tuple(blocks)


def _header(head: bytes, reader: EdfReader, track: _Track, recording: Recording, *, keep_patient: bool) -> bytes:
    """Return the header with the signal added; only what has to change does, and who the patient is."""
    header = reader.header
    n_signals = len(header.signals)
    fixed = bytearray(head[:FIXED_BYTES])
    is_plus = "+" in header.format
    if not keep_patient:
        fixed[_PATIENT] = NO_PATIENT.ljust(80).encode()
        fixed[_RECORDING] = recording_field(header.start).ljust(80).encode()
    elif not is_plus:
        fixed[_PATIENT] = _words(head[_PATIENT], "X X X")
        fixed[_RECORDING] = _words(head[_RECORDING], recording_field(header.start).rpartition(" ")[0])
    if not is_plus:
        kind = f"{header.format}+{'D' if len(recording.segments) > 1 else 'C'}"
        fixed[_RESERVED] = kind.ljust(44).encode()
    fixed[184:192] = str(FIXED_BYTES + SIGNAL_BYTES * (n_signals + 1)).ljust(8).encode()
    fixed[236:244] = str(reader.n_records).ljust(8).encode()
    fixed[252:256] = str(n_signals + 1).ljust(4).encode()
    added = annotation_signal(track.length // header.sample_bytes, header.sample_bytes).columns()
    columns, at = [], FIXED_BYTES
    for width, field in zip(SIGNAL_WIDTHS, added, strict=True):
        columns.append(head[at : at + width * n_signals] + field)
        at += width * n_signals
    return bytes(fixed) + b"".join(columns)


def _words(field: bytes, before: str) -> bytes:
    """Return a free text as the last word that EDF+ wants; as it stands where it keeps to EDF+ already."""
    text = text_of(field).encode("ascii", "replace").decode()
    words = text.split()
    if len(words) >= 4 and (words[0] == "Startdate" or words[1].upper() in {"M", "F", "X"}):
        return text.ljust(80).encode()
    return f"{before} {'_'.join(words) or 'X'}"[:80].ljust(80).encode()


def _records(stream: BinaryIO, reader: EdfReader, track: _Track) -> Iterator[bytes]:
    header: EdfHeader = reader.header
    size, name = header.record_bytes, reader.path.name
    if size > _CHUNK_BYTES:
        for record in range(reader.n_records):
            for at in range(0, size, _CHUNK_BYTES):
                yield _bytes(stream, min(_CHUNK_BYTES, size - at), name)
            yield track.block(record)
        return
    step = _CHUNK_BYTES // size
    for first in range(0, reader.n_records, step):
        count = min(step, reader.n_records - first)
        data = np.frombuffer(_bytes(stream, count * size, name), dtype=np.uint8).reshape(count, size)
        added = b"".join(track.block(first + k) for k in range(count))
        blocks = np.frombuffer(added, dtype=np.uint8).reshape(count, track.length)
        yield np.hstack((data, blocks)).tobytes()


def _bytes(stream: BinaryIO, length: int, name: str) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise InputError("became shorter while it was read", kind="io", file=name, hint="try again when it is complete")
    return data
