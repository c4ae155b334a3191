"""Samples from the network by Lab Streaming Layer (Kothe and others, Imaging Neuroscience 2025), through MNE-LSL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np

from brainscan.errors import InputError
from brainscan.live.feed import Chunk, FeedFacts
from brainscan.live.sample_clock import SampleClock
from brainscan.signal.units import uv_per_unit

FIND_S = 30.0
"""So long a stream of the name is looked for."""

_LOOK_S = 1.0
_HELD_S = 600
_PAUSE_S = 0.1
_POWERS = {"0": "V", "-3": "mV", "-6": "uV", "-9": "nV"}  # MNE-LSL writes a unit as a power of ten of volts


class LslFeed:
    """A feed: an LSL stream of samples.

    Its outlet may go and come back; what was lost meanwhile is a gap. Samples wait for ten minutes at most.

    Parameters
    ----------
    name : str
        Of the stream.
    stop : threading.Event
        Set by whoever wants the stream to end.
    idle_s : float
        Without samples for so long, the stream has ended; 0 for never.
    clock : callable
        Seconds that only grow.

    Raises
    ------
    InputError
        If no stream of that name is there, several are, or it carries no regular samples.
    """

    def __init__(
        self, name: str, stop: threading.Event, idle_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        from mne_lsl.lsl import StreamInlet

        self.why_over = ""
        self._stop = stop
        self._idle_s = idle_s
        self._clock = clock
        info = _found(name, stop, clock)
        if info.sfreq <= 0 or np.dtype(info.dtype).kind not in "fiu":
            raise _unusable(name, "carries no samples at a regular rate")
        self._inlet = StreamInlet(info, max_buffered=_HELD_S)
        self._inlet.open_stream(timeout=FIND_S)
        self.facts = facts_of(self._inlet.get_sinfo(), name, datetime.now())
        self._rate_hz = float(self.facts.rate_hz)
        self._times = SampleClock(self._rate_hz)
        self._came_at = clock()

    @property
    def backlog_s(self) -> float:
        """Seconds of samples that wait."""
        return float(self._inlet.samples_available) / self._rate_hz

    def pull(self, wait_s: float) -> Sequence[Chunk]:
        """Return what came."""
        data, stamps = self._pulled()
        if not len(stamps) and wait_s:
            self._stop.wait(min(wait_s, _PAUSE_S))
            data, stamps = self._pulled()
        now = self._clock()
        if len(stamps):
            self._came_at = now
        elif self._idle_s and now - self._came_at >= self._idle_s:
            self.why_over = f"nothing came for {self._idle_s:g} s"
        return self._cut(data, stamps)

    def _pulled(self) -> tuple[Any, Any]:
        pulled: tuple[Any, Any] = self._inlet.pull_chunk(timeout=0.0, max_samples=max(1, int(60.0 * self._rate_hz)))
        return pulled

    def _cut(self, data: Any, stamps: Any) -> list[Chunk]:
        if not len(stamps):
            return []
        frames = np.array(data, dtype=np.float32)  # the inlet uses its buffer again
        gaps = self._times.gaps(np.asarray(stamps, dtype=np.float64))
        bounds = [0, *(at for at, _ in gaps), len(frames)]
        lengths = [0.0, *(gap_s for _, gap_s in gaps)]
        pieces = zip(bounds[:-1], bounds[1:], lengths, strict=True)
        return [Chunk(frames[a:b], gap_s) for a, b, gap_s in pieces if b > a]


def facts_of(info: Any, name: str, start: datetime) -> FeedFacts:
    """Return what a stream says of itself.

    Raises
    ------
    InputError
        If it does not name its channels.
    """
    labels, units = info.get_channel_names(), info.get_channel_units()
    if not labels or any(label is None for label in labels):
        raise _unusable(name, "does not name its channels")
    units = units or ["uV"] * len(labels)
    return FeedFacts(
        name="".join(c if c.isalnum() or c in "-_ ." else "_" for c in name).strip(" .") or "lsl",
        format="LSL",
        start=start,
        labels=tuple(labels),
        units=tuple(_unit(unit) for unit in units),
        rate_hz=Fraction(str(info.sfreq)),
    )


def _unit(said: object) -> str:
    text = "" if said is None else str(said).strip()
    return text if uv_per_unit(text) is not None else _POWERS.get(text, text)


def _found(name: str, stop: threading.Event, clock: Callable[[], float]) -> Any:
    """Wait for the stream of a name."""
    from mne_lsl.lsl import resolve_streams

    since = clock()
    while not stop.is_set() and clock() - since < FIND_S:
        streams = resolve_streams(timeout=_LOOK_S, name=name)
        if len(streams) > 1:
            raise _unusable(name, f"names {len(streams)} LSL streams")
        if streams:
            return streams[0]
    raise InputError(
        f"no LSL stream of this name within {FIND_S:g} s",
        kind="io",
        file=name,
        hint="start what sends it; both have to be in one network that lets multicast through",
    )


def _unusable(name: str, what: str) -> InputError:
    return InputError(what, kind="header", file=name, hint="name a stream of EEG with labelled channels")
