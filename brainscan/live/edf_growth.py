"""An EDF or BDF file while it is written: how many whole records it holds, and whether more will come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brainscan.errors import InputError
from brainscan.io.containers import HEAD_BYTES, container_of
from brainscan.io.edf_header import FIXED_BYTES, EdfHeader, header_length, parse_header

_COUNT = slice(236, 244)
_ANY_SIZE = 1 << 62

Clock = Callable[[], float]
"""Seconds that only grow: the wall clock may be set while a night is recorded."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look at a file."""

    size: int
    said: int
    header: bytes


class EdfGrowth:
    """State of a file that grows: look at it with `poll`.

    Torn records do not count. A record count of -1 or 0 that becomes a number says that the file is whole; so does a
    count that was there from the beginning and is reached. A count that grows with the file says nothing, nor does
    one that the file agreed with from the first look: then so many quiet seconds end it.

    Parameters
    ----------
    path : Path
    idle_s : float
        Without growth for so long, the recording has ended; 0 for never.
    clock : callable
    """

    def __init__(self, path: Path, idle_s: float, clock: Clock = time.monotonic) -> None:
        self.header: EdfHeader | None = None
        self.n_records = 0
        self.why_over = ""
        self.lost = False
        self._path = path
        self._idle_s = idle_s
        self._clock = clock
        self._grew_at = clock()
        self._first: _Seen | None = None
        self._said = 0

    @property
    def held_s(self) -> float:
        """Seconds of recording that are there, gaps left out."""
        return 0.0 if self.header is None else float(self.n_records * self.header.record_s)

    def poll(self) -> None:
        """Look at the file.

        Raises
        ------
        InputError
            If it begins with something that is no header of an EDF or BDF file.
        """
        if self.why_over:
            return
        seen = self._look()
        if seen is not None:
            self._judge(seen)
        if self._idle_s and not self.why_over and self._clock() - self._grew_at >= self._idle_s:
            self.why_over = f"nothing came for {self._idle_s:g} s"
            self.lost = self.lost or seen is None

    def end(self, why: str, *, lost: bool = True) -> None:
        """Take the recording for ended; `lost`: the file is not what it was."""
        self.why_over = self.why_over or why
        self.lost = lost

    def _look(self) -> _Seen | None:
        """Return what the file shows; None where it is not there, or its header is not whole yet."""
        try:
            with self._path.open("rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(0)
                head = stream.read(HEAD_BYTES)
                if len(head) < FIXED_BYTES or not head.strip(b"\0"):
                    return None
                if self.header is None:
                    self.header = self._parsed(head, size, stream.read)
        except OSError:
            return None  # a share may come back
        return None if self.header is None else _Seen(size, _count(head[_COUNT]), _lasting(head, self.header))

    def _parsed(self, head: bytes, size: int, read: Callable[[int], bytes]) -> EdfHeader | None:
        name = self._path.name
        container = container_of(head, name)
        if container not in {"EDF", "BDF"}:
            raise InputError(
                f"is {container}, which cannot be followed while it grows",
                kind="io",
                file=name,
                hint="record to EDF or BDF, or leave --follow out once it is finished",
            )
        length = header_length(head[:FIXED_BYTES], _ANY_SIZE, name)
        if size < length:
            return None
        data = head + read(max(length - len(head), 0))
        header = parse_header(data[:length], container, name)
        if header.record_bytes == 0 or header.record_s == 0:
            raise InputError("has no signals", kind="no_eeg", file=name, hint="give the file that holds the EEG")
        return header

    def _judge(self, seen: _Seen) -> None:
        assert self.header is not None
        first = self._first
        if first is None:
            self._first = first = seen
        elif seen.header != first.header:
            self.end("another recording took the file's name")
            return
        held = max(seen.size - self.header.data_start, 0) // self.header.record_bytes
        if held < self.n_records:
            self.end("the file became shorter than what was read of it")
            return
        usable = held if seen.said < 1 else min(seen.said, held)
        if usable > self.n_records or seen.said != self._said:
            self._grew_at = self._clock()
        self.n_records = max(self.n_records, usable)
        if seen.said >= 1 and held >= seen.said:
            was_open = first.said < 1
            was_short = first.said == seen.said and first.size < self.header.data_start + (
                seen.said * self.header.record_bytes
            )
            if was_open or was_short:
                self.why_over = "its header says that it is whole"
        self._said = seen.said


def _count(field: bytes) -> int:
    try:
        return int(field.strip(b" \0") or b"-1")
    except ValueError:
        return -1


def _lasting(head: bytes, header: EdfHeader) -> bytes:
    """Return the part of the header that a recorder does not change while it writes."""
    fixed = head[: min(header.data_start, len(head))]
    return fixed[: _COUNT.start] + fixed[_COUNT.stop :]
