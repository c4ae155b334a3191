"""Samples of EDF and BDF files: blocks of records to microvolts, and the bytes of annotation signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from brainscan.errors import InputError
from brainscan.events import BoolArray
from brainscan.io.containers import unreadable
from brainscan.io.edf_header import EdfHeader, Signal
from brainscan.recording import Samples, Segment

Digital = NDArray[np.signedinteger[Any]]

_CHUNK_BYTES = 4 << 20  # read at once; bounds memory whatever the header says
_STRIDED_BYTES = 1 << 16  # records larger than this are not read for the sake of one annotation channel
_MIN_LEVELS = 64  # with fewer digital levels, standing at an end says nothing


@dataclass(frozen=True, slots=True, eq=False)
class EdfReader:
    """Fetches samples of one file; a `brainscan.recording.Reader` that can be sent to another process.

    Parameters
    ----------
    path : Path
    header : EdfHeader
    signals : tuple of Signal
        Of the recording's channels, in order.
    factors : tuple of (float or None)
        µV per unit of each channel.
    segments : tuple of Segment
    first_records : tuple of int
        First record of each segment.
    n_records : int
        That are used, of those in the file.
    origin_s : float
        Second 0 of the recording, in seconds from the header's start time.
    """

    path: Path
    header: EdfHeader
    signals: tuple[Signal, ...]
    factors: tuple[float | None, ...]
    segments: tuple[Segment, ...] = ()
    first_records: tuple[int, ...] = ()
    n_records: int = 0
    origin_s: float = 0.0

    def __call__(self, channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        """Read channels over a span of a segment; see `Recording.read`."""
        first = self.first_records[self._position(segment)]
        spans: list[tuple[Signal, int, int]] = []
        for channel in channels:
            signal = self.signals[channel]
            rate = Fraction(signal.samples) / self.header.record_s
            spans.append((signal, segment.index(start_s, rate), segment.index(stop_s, rate)))
        raw = self._raw(spans, first)
        decoded = [
            _physical(signal, values, self.factors[channel])
            for channel, (signal, _, _), values in zip(channels, spans, raw, strict=True)
        ]
        railed = [_railed(signal, values) for (signal, _, _), values in zip(spans, raw, strict=True)]
        return Samples(tuple(decoded), tuple(railed))

    def _position(self, segment: Segment) -> int:
        # By identity first: overlapping parts may be equal.
        for i, own in enumerate(self.segments):
            if own is segment:
                return i
        return self.segments.index(segment)

    def _raw(self, spans: Sequence[tuple[Signal, int, int]], first: int) -> list[Digital]:
        """Return the digital values of sample ranges, counted from record `first`."""
        try:
            with self.path.open("rb") as stream:
                if self.header.record_bytes > _CHUNK_BYTES:
                    return [self._raw_of_large_records(stream, span, first) for span in spans]
                return self._raw_of_whole_records(stream, spans, first)
        except OSError as problem:
            raise unreadable(self.path.name, problem) from problem

    def _raw_of_whole_records(
        self, stream: BinaryIO, spans: Sequence[tuple[Signal, int, int]], first: int
    ) -> list[Digital]:
        width = self.header.sample_bytes
        out = [_empty(stop - start, width) for _, start, stop in spans]
        busy = [(s, a, b) for s, a, b in spans if b > a]
        if not busy:
            return out
        low = min(a // s.samples for s, a, b in busy)
        high = max(-(-b // s.samples) for s, a, b in busy)
        step = max(1, _CHUNK_BYTES // self.header.record_bytes)
        for record in range(low, high, step):
            count = min(step, high - record)
            data = self._bytes(stream, self._record_at(first + record), count * self.header.record_bytes)
            rows = np.frombuffer(data, dtype=np.uint8).reshape(count, self.header.record_bytes)
            for (signal, start, stop), target in zip(spans, out, strict=True):
                begin = max(start, record * signal.samples)
                end = min(stop, (record + count) * signal.samples)
                if begin >= end:
                    continue
                # Whole records of this signal that the span touches, then the part of them that it wants.
                top, bottom = begin // signal.samples - record, -(-end // signal.samples) - record
                part = rows[top:bottom, signal.offset * width : (signal.offset + signal.samples) * width]
                skip = begin - (record + top) * signal.samples
                target[begin - start : end - start] = _integers(part, width)[skip : skip + end - begin]
        return out

    def _raw_of_large_records(self, stream: BinaryIO, span: tuple[Signal, int, int], first: int) -> Digital:
        signal, start, stop = span
        width = self.header.sample_bytes
        out = _empty(stop - start, width)
        at = start
        while at < stop:
            record, within = divmod(at, signal.samples)
            count = min(stop - at, signal.samples - within, _CHUNK_BYTES // width)
            data = self._bytes(
                stream, self._record_at(first + record) + (signal.offset + within) * width, count * width
            )
            out[at - start : at - start + count] = _integers(np.frombuffer(data, dtype=np.uint8), width)
            at += count
        return out

    def annotation_blocks(self, signal: Signal, n_records: int, first: int = 0) -> Iterator[bytes]:
        """Yield the bytes of one annotation signal, record by record: those of `n_records` from the first one on."""
        width = self.header.sample_bytes
        begin, length = signal.offset * width, signal.samples * width
        try:
            with self.path.open("rb") as stream:
                if self.header.record_bytes > _STRIDED_BYTES:
                    for record in range(first, first + n_records):
                        yield self._bytes(stream, self._record_at(record) + begin, length)
                    return
                step = max(1, _CHUNK_BYTES // self.header.record_bytes)
                for begin_record in range(first, first + n_records, step):
                    count = min(step, first + n_records - begin_record)
                    data = self._bytes(stream, self._record_at(begin_record), count * self.header.record_bytes)
                    for record in range(count):
                        at = record * self.header.record_bytes + begin
                        yield data[at : at + length]
        except OSError as problem:
            raise unreadable(self.path.name, problem) from problem

    def _record_at(self, record: int) -> int:
        return self.header.data_start + record * self.header.record_bytes

    def _bytes(self, stream: BinaryIO, at: int, length: int) -> bytes:
        stream.seek(at)
        data = stream.read(length)
        if len(data) < length:
            raise InputError(
                "became shorter while it was read", kind="io", file=self.path.name, hint="try again when it is complete"
            )
        return data


def _empty(length: int, width: int) -> Digital:
    return np.empty(max(length, 0), dtype=np.int16 if width == 2 else np.int32)


def _integers(part: NDArray[np.uint8], width: int) -> Digital:
    """Return little-endian integers of 2 or 3 bytes, flat."""
    flat = np.ascontiguousarray(part).reshape(-1)
    if width == 2:
        return flat.view("<i2")
    # The three bytes go to the top of four, and the shift back extends the sign.
    wide = np.zeros((flat.size // 3, 4), dtype=np.uint8)
    wide[:, 1:] = flat.reshape(-1, 3)
    return wide.view("<i4").reshape(-1) >> 8


def _physical(signal: Signal, values: Digital, factor: float | None) -> NDArray[np.float64]:
    gain = signal.gain
    if gain is None or factor is None or signal.digital_min is None:
        return np.full(len(values), np.nan)
    uv = np.multiply(values, gain * factor, dtype=np.float64)
    uv += (signal.physical_min - gain * signal.digital_min) * factor
    return uv


def _railed(signal: Signal, values: Digital) -> BoolArray:
    """Mark samples at either end of the digital range, where the range is wide enough for that to mean something."""
    low, high = signal.digital_min, signal.digital_max
    if low is None or high is None or abs(high - low) < _MIN_LEVELS:
        return np.zeros(len(values), dtype=np.bool_)
    railed: BoolArray = (values == low) | (values == high)
    return railed
