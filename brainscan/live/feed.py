"""A source without a file: a feed of samples, whose beginning is held until units and electrodes are settled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brainscan.errors import InputError
from brainscan.io.calibration import calibrated
from brainscan.live.source import STEP_S, Piece
from brainscan.recording import Channel, Recording, Samples, Segment
from brainscan.signal.units import uv_per_unit

WAIT_S = 0.5
"""The longest wait between two looks at whether the stream shall end."""

_BEGINNING_S = 600.0
"""So much of the beginning is held at most, whatever the electrodes show by then."""

Frames = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What a feed says of itself before its samples.

    Parameters
    ----------
    name : str
        For messages and outputs.
    format : str
    start : datetime or None
        Wall-clock time of its first sample.
    labels, units : tuple of str
    rate_hz : Fraction
        Of all channels.
    warnings : tuple of str
        What had to be decided about them.
    """

    name: str
    format: str
    start: datetime | None
    labels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: Fraction
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some frames in the stated units, shape (n_frames, n_channels), and how long a gap lies before them, seconds."""

    frames: Frames
    gap_s: float = 0.0


class Feed(Protocol):
    """Whatever gives frames."""

    @property
    def facts(self) -> FeedFacts:
        """What it says of itself."""
        ...

    @property
    def why_over(self) -> str:
        """Why nothing will come any more; empty while something may."""
        ...

    @property
    def backlog_s(self) -> float:
        """Seconds of samples that wait."""
        ...

    def pull(self, wait_s: float) -> Sequence[Chunk]:
        """Return what came, after waiting for it so long at most; nothing where nothing came."""
        ...


class FeedSource:
    """A source: a feed of samples.

    Parameters
    ----------
    feed : Feed
    stop : threading.Event
        Set by whoever wants the stream to end.
    say : callable
        Hears why it ended.
    """

    def __init__(self, feed: Feed, stop: threading.Event, say: Callable[[str], None]) -> None:
        self._feed = feed
        self._stop = stop
        self._say = say
        self._held: list[Chunk] = []
        self._recording: Recording | None = None
        self._segments: list[Segment] = []
        self._n_frames = 0  # of the current segment

    @property
    def over(self) -> bool:
        """Whether nothing will come beyond what is there."""
        return bool(self._feed.why_over) or self._stop.is_set()

    def open(self, at_least_s: float) -> Recording:
        """Wait for so many seconds, or the end, and return the feed's facts and those seconds.

        Raises
        ------
        InputError
            If it ended without a sample, or its beginning shows nothing that could be used.
        """
        rate_hz = self._feed.facts.rate_hz
        while True:
            n_held = sum(len(chunk.frames) for chunk in self._held)
            if n_held / rate_hz >= min(at_least_s, _BEGINNING_S) or self.over:
                break
            self._held += self._feed.pull(WAIT_S)
        if n_held == 0:
            raise InputError(
                "ended before its first sample", kind="empty", file=self._feed.facts.name, hint="start what sends it"
            )
        if at_least_s > _BEGINNING_S:
            raise InputError(
                f"shows no EEG in its first {_BEGINNING_S:g} s",
                kind="calibration",
                file=self._feed.facts.name,
                hint="check electrodes and unit, then start again",
            )
        self._recording = beginning(self._feed.facts, np.concatenate([chunk.frames for chunk in self._held]))
        return self._recording

    def pieces(self, channels: Sequence[int]) -> Iterator[Piece]:
        """Yield what is held, then what comes."""
        assert self._recording is not None
        factors = [self._recording.channels[channel].uv_per_unit for channel in channels]
        held, self._held = self._held, []
        for chunk in held:
            yield from self._pieces_of(chunk, channels, factors, self._feed.backlog_s)
        while True:
            over = self.over  # asked before the pull: what came before the end is taken
            chunks = self._feed.pull(0.0 if over else WAIT_S)
            for chunk in chunks:
                yield from self._pieces_of(chunk, channels, factors, self._feed.backlog_s)
            if over and (self._stop.is_set() or not chunks):
                break
            if not chunks:
                yield Piece(self._segments[-1] if self._segments else Segment(0.0, 0.0), None)
        self._say(f"ended: {self._feed.why_over or 'stopped'}")

    def finished(self) -> Recording:
        """Return the facts, with what was handed on."""
        assert self._recording is not None
        parts = tuple(self._segments)
        return replace(self._recording, segments=parts, duration_s=max(part.stop_s for part in parts))

    def _pieces_of(
        self, chunk: Chunk, channels: Sequence[int], factors: Sequence[float | None], backlog_s: float
    ) -> Iterator[Piece]:
        rate_hz = self._feed.facts.rate_hz
        if chunk.gap_s and self._segments:
            self._segments.append(Segment(self._segments[-1].stop_s + chunk.gap_s, 0.0))
            self._n_frames = 0
        step = max(1, int(STEP_S * rate_hz))
        for first in range(0, len(chunk.frames), step):
            frames = chunk.frames[first : first + step]
            self._n_frames += len(frames)
            start_s = self._segments.pop().start_s if self._segments else 0.0
            segment = Segment(start_s, float(self._n_frames / rate_hz))
            self._segments.append(segment)
            waiting_s = float((len(chunk.frames) - first - len(frames)) / rate_hz) + backlog_s
            yield Piece(segment, _samples(frames, channels, factors), waiting_s)


def beginning(facts: FeedFacts, frames: Frames) -> Recording:
    """Return the first frames of a feed as a recording with its units settled."""
    stated = tuple(
        Channel(label, facts.rate_hz, unit, uv_per_unit(unit) or 1.0)
        for label, unit in zip(facts.labels, facts.units, strict=True)
    )
    segment = Segment(0.0, float(len(frames) / facts.rate_hz))

    def reading(channels_of: tuple[Channel, ...]) -> Callable[[Sequence[int], Segment, float, float], Samples]:
        def read(channels: Sequence[int], part: Segment, start_s: float, stop_s: float) -> Samples:
            first, stop = (part.index(at_s, facts.rate_hz) for at_s in (start_s, stop_s))
            return _samples(frames[first:stop], channels, [channels_of[c].uv_per_unit for c in channels])

        return read

    recording = Recording(
        name=facts.name,
        format=facts.format,
        start=facts.start,
        duration_s=segment.duration_s,
        segments=(segment,),
        channels=stated,
        reader=reading(stated),
        warnings=facts.warnings,
    )
    settled = calibrated(recording)
    return replace(recording, channels=settled, reader=reading(settled))


def _samples(frames: Frames, channels: Sequence[int], factors: Sequence[float | None]) -> Samples:
    """Return channels of some frames in µV; NaN where a channel has no usable unit."""
    uv = tuple(
        frames[:, channel].astype(np.float64) * (np.nan if factor is None else factor)
        for channel, factor in zip(channels, factors, strict=True)
    )
    return Samples(uv, tuple(np.zeros(len(frames), dtype=np.bool_) for _ in channels))
