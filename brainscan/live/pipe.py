"""Samples through a pipe: one line of JSON, then frames of little-endian float32 (docs/live.md)."""

from __future__ import annotations

import json
import math
import os
import re
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np

from brainscan.errors import InputError, InputKind, reason_of
from brainscan.io.clock import ignored_offset
from brainscan.live.feed import WAIT_S, Chunk, FeedFacts

NAME = "stream"
"""What a feed that says no name is called."""

_VERSION = 1
_HEADER_BYTES = 1 << 16
_READ_BYTES = 1 << 16
_HELD_S = 600.0
_MOST_CHANNELS = 4096
_MAX_RATE_HZ = 65_536
_DATE_ALONE = re.compile(r"[\dW-]+")
_KEYS = frozenset({"brainscan", "labels", "rate_hz", "unit", "start", "name"})


class PipeFeed:
    """A feed: what another program writes into a pipe.

    Its writer is held up rather than the memory filled: at most ten minutes wait.

    Parameters
    ----------
    descriptor : int
        To read from.
    stop : threading.Event
        Set by whoever wants the stream to end.

    Raises
    ------
    InputError
        If it does not begin with a header as docs/live.md has it.
    """

    def __init__(self, descriptor: int, stop: threading.Event) -> None:
        self.why_over = ""
        self._arrived = threading.Condition()
        self._data = bytearray()
        self._most = _HEADER_BYTES
        self._closed = ""
        self._descriptor = descriptor
        # Daemonic: nobody can end a read on a pipe that says nothing.
        threading.Thread(target=self._read, name="brainscan-pipe", daemon=True).start()
        self.facts = facts_of(self._header(stop))
        self._frame_bytes = 4 * len(self.facts.labels)
        self._most = max(int(_HELD_S * self.facts.rate_hz) * self._frame_bytes, 2 * _READ_BYTES)

    @property
    def backlog_s(self) -> float:
        """Seconds of samples that wait."""
        return float(len(self._data) // self._frame_bytes / self.facts.rate_hz)

    def pull(self, wait_s: float) -> Sequence[Chunk]:
        """Return the whole frames that came; half a second of them, or what there is after so long."""
        enough = max(1, int(self.facts.rate_hz / 2)) * self._frame_bytes
        with self._arrived:
            self._arrived.wait_for(lambda: len(self._data) >= enough or bool(self._closed), wait_s)
            whole = len(self._data) // self._frame_bytes * self._frame_bytes
            taken = bytes(self._data[:whole])
            del self._data[:whole]
            if self._closed and not whole:
                torn = f" within a frame ({len(self._data)} bytes of {self._frame_bytes})" if self._data else ""
                self.why_over = f"{self._closed}{torn}"
            self._arrived.notify_all()
        if not taken:
            return ()
        return (Chunk(np.frombuffer(taken, dtype="<f4").reshape(-1, len(self.facts.labels))),)

    def _read(self) -> None:
        """Move what comes into the buffer, on a thread of its own, until the other end is closed."""
        why = "the pipe was closed"
        while True:
            try:
                data = os.read(self._descriptor, _READ_BYTES)
            except OSError as problem:
                data, why = b"", f"the pipe cannot be read ({reason_of(problem)})"
            with self._arrived:
                if data:
                    self._data += data
                else:
                    self._closed = why
                self._arrived.notify_all()
                if not data:
                    return
                self._arrived.wait_for(lambda: len(self._data) < self._most)

    def _header(self, stop: threading.Event) -> bytes:
        """Wait for the first line."""
        with self._arrived:
            while True:
                line, feed, rest = bytes(self._data[:_HEADER_BYTES]).partition(b"\n")
                if feed:
                    del self._data[: len(line) + 1]
                    self._arrived.notify_all()
                    return line
                if len(rest or line) >= _HEADER_BYTES:
                    raise _bad(f"the first line is longer than {_HEADER_BYTES} bytes")
                if self._closed or stop.is_set():
                    raise _bad("ended before its header was whole" if line else "nothing came", kind="empty")
                self._arrived.wait(WAIT_S)


def facts_of(line: bytes) -> FeedFacts:
    """Return what a header line says.

    Raises
    ------
    InputError
        If it is no header of this version, or a value makes no sense.
    """
    try:
        said = json.loads(line.decode("utf-8"))
    except ValueError:
        raise _bad("the first line is no JSON") from None
    if not isinstance(said, dict) or said.get("brainscan") != _VERSION:
        raise _bad(f'the first line is no JSON object with "brainscan": {_VERSION}')
    unknown = sorted(set(said) - _KEYS)
    if unknown:
        raise _bad(f"unknown key {unknown[0]!r}")
    labels = said.get("labels")
    if not (isinstance(labels, list) and labels and all(isinstance(label, str) for label in labels)):
        raise _bad('"labels" must be a list of texts')
    if len(labels) > _MOST_CHANNELS:
        raise _bad(f'"labels" has {len(labels)} entries, {_MOST_CHANNELS} at most')
    start = _start(said)
    return FeedFacts(
        name=_name(said),
        format="pipe",
        start=start and start.replace(tzinfo=None),  # the clock of the place where it was recorded
        labels=tuple(labels),
        units=_units(said, len(labels)),
        rate_hz=_rate(said),
        warnings=(ignored_offset('"start" has', start),) if start and start.tzinfo else (),
    )


def _rate(said: Mapping[str, Any]) -> Fraction:
    value = said.get("rate_hz")
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str) or not math.isfinite(Fraction(value)):
            raise ValueError
        rate_hz = Fraction(value) if isinstance(value, int | str) else Fraction(str(value))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise _bad('"rate_hz" must be a number, or a text such as "1000/3"') from None
    if not 0 < rate_hz <= _MAX_RATE_HZ:
        raise _bad(f'"rate_hz" must be above 0 and at most {_MAX_RATE_HZ}')
    return rate_hz


def _units(said: Mapping[str, Any], n_channels: int) -> tuple[str, ...]:
    unit = said.get("unit", "uV")
    units = [unit] * n_channels if isinstance(unit, str) else unit
    if not isinstance(units, list) or len(units) != n_channels or not all(isinstance(u, str) for u in units):
        raise _bad('"unit" must be a text, or a list with one for each label')
    return tuple(units)


def _start(said: Mapping[str, Any]) -> datetime | None:
    text = said.get("start")
    if text is None:
        return None
    try:
        start = datetime.fromisoformat(text)
        if _DATE_ALONE.fullmatch(text):
            raise ValueError(text)  # midnight is not what it says
    except (TypeError, ValueError):
        raise _bad('"start" must be a date with a time, as 2026-03-02T22:00:00') from None
    return start


def _name(said: Mapping[str, Any]) -> str:
    name = said.get("name", NAME)
    plain = isinstance(name, str) and name.strip() == name and name.isprintable()
    if not plain or not 0 < len(name) <= 100 or name.startswith(".") or any(c in name for c in '/\\:*?"<>|'):
        raise _bad('"name" must be a text that can be part of a file\'s name')
    return str(name)


def _bad(what: str, kind: InputKind = "header") -> InputError:
    return InputError(
        what,
        kind=kind,
        file="stdin",
        hint='it begins with a line such as {"brainscan": 1, "labels": ["Fp1", "F3"], "rate_hz": 256, "unit": "uV"}',
    )
