"""Events in time, probabilities per sample, and the way between both.

Times are float64 seconds from the start of the recording; intervals are half-open ``[onset_s, offset_s)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

RATE_HZ = 256
"""Rate of windows, probabilities and decisions, samples per second."""

Spans = tuple[tuple[float, float], ...]
"""Half-open intervals, seconds."""


Side = Literal["left", "right", "bilateral", "uncertain"]


@dataclass(frozen=True, slots=True)
class FieldSpan:
    """How far each electrode rises above the minute before, over a span of an event.

    Parameters
    ----------
    start_s, stop_s : float
        Seconds from the start of the recording, half-open.
    rise_db : tuple of (float or None), length 19
        Decibels, not negative, in the order of `brainscan.electrodes.ELECTRODES`; None where the electrode was not
        recorded in this span.
    """

    start_s: float
    stop_s: float
    rise_db: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event begins, and how its field goes on.

    Parameters
    ----------
    side : {"left", "right", "bilateral", "uncertain"}
        Of the onset; uncertain where the electrodes do not tell.
    leading : tuple of str
        Up to three electrodes that lead at the onset, the strongest first; empty where none stands out.
    field : tuple of FieldSpan
        Its course, five seconds each, over the first minute at most; empty where there is nothing to compare with.
    """

    side: Side = "uncertain"
    leading: tuple[str, ...] = ()
    field: tuple[FieldSpan, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One ictal interval that we report.

    Parameters
    ----------
    onset_s, offset_s : float
        Seconds from the start of the recording, half-open.
    confidence : float
        Mean probability inside the interval, 0..1, through the card's calibration map where it has one.
    prolonged : bool
        Lasts five minutes or longer.
    place : Place or None
        Where it begins; None where nobody looked.
    """

    onset_s: float
    offset_s: float
    confidence: float
    prolonged: bool = False
    place: Place | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.onset_s < self.offset_s:
            raise ValueError(f"event needs 0 <= onset < offset, got {self.onset_s} s .. {self.offset_s} s")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence must be within 0..1, got {self.confidence}")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.offset_s - self.onset_s

    @property
    def side(self) -> Side:
        """Side of the onset, uncertain also where nobody looked."""
        return "uncertain" if self.place is None else self.place.side

    @property
    def leading(self) -> tuple[str, ...]:
        """Electrodes that lead at the onset, the strongest first."""
        return () if self.place is None else self.place.leading


@dataclass(frozen=True, slots=True, order=True)
class Annotation:
    """One labelled interval by an expert (or by the file itself: a technician's note).

    Parameters
    ----------
    onset_s, offset_s : float
        Seconds from the start of the recording; notes may have no length.
    label : str
        ``seiz``, ``bckg``, a seizure type such as ``fnsz``, or a note's own text.
    confidence : float
        As the file gives it, 1 where it gives none.
    channel : str
        ``TERM`` for all channels, else a derivation's or electrode's name.
    """

    onset_s: float
    offset_s: float
    label: str
    confidence: float = 1.0
    channel: str = "TERM"


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Seizure probability of one gap-free segment.

    Parameters
    ----------
    start_s : float
        Start of the segment, seconds from the start of the recording.
    values : array of float32, shape (n_samples,)
        Probability at 256 Hz, after the card's logit shift and scale, before averaging. NaN where unscored.
    """

    start_s: float
    values: FloatArray

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @property
    def stop_s(self) -> float:
        """End of the segment, seconds from the start of the recording."""
        return self.start_s + len(self.values) / RATE_HZ


def runs(mask: BoolArray) -> NDArray[np.int64]:
    """Return maximal runs of True as rows ``(first, last + 1)``.

    Parameters
    ----------
    mask : array of bool, shape (n_samples,)

    Returns
    -------
    array of int64, shape (n_runs, 2)
    """
    edges = np.diff(np.concatenate(([0], np.asarray(mask, dtype=np.int8), [0])))
    return np.stack((np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)), axis=1).astype(np.int64)


def mask_of(intervals: Iterable[tuple[float, float]], n_samples: int, rate_hz: float = RATE_HZ) -> BoolArray:
    """Mark the samples of half-open intervals in seconds; what lies outside the array is cut.

    Returns
    -------
    array of bool, shape (n_samples,)
    """
    mask = np.zeros(n_samples, dtype=np.bool_)
    for start_s, stop_s in intervals:
        first, stop = (min(max(round(t * rate_hz), 0), n_samples) for t in (start_s, stop_s))
        mask[first:stop] = True
    return mask


def union(intervals: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return disjoint, sorted intervals that cover the same time (touching ones are joined)."""
    merged: list[tuple[float, float]] = []
    for start_s, stop_s in sorted(intervals):
        if merged and start_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop_s))
        elif stop_s > start_s:
            merged.append((start_s, stop_s))
    return tuple(merged)


def complement(
    intervals: Sequence[tuple[float, float]], start_s: float, stop_s: float
) -> tuple[tuple[float, float], ...]:
    """Return what of ``[start_s, stop_s)`` the intervals do not cover."""
    gaps, at_s = [], start_s
    for first, last in union(intervals):
        if first > at_s:
            gaps.append((at_s, min(first, stop_s)))
        at_s = max(at_s, last)
    if at_s < stop_s:
        gaps.append((at_s, stop_s))
    return tuple((a, b) for a, b in gaps if b > a)


def overlap(spans: Iterable[tuple[float, float]], others: Sequence[tuple[float, float]]) -> Spans:
    """Return the time that is in both."""
    shared = ((max(a, c), min(b, d)) for a, b in union(spans) for c, d in union(others))
    return tuple((start, stop) for start, stop in shared if stop > start)


def extent(span: tuple[float, float], judged: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Return an interval from its first judged moment to its last, None if there is none.

    An interval that runs through time that nobody judged stays one. Two such intervals overlap just where they
    overlap within the judged time: one that ends in such a gap is cut before it.

    >>> extent((25.0, 70.0), ((0.0, 30.0), (50.0, 60.0)))
    (25.0, 60.0)
    """
    parts = overlap([span], judged)
    return (parts[0][0], parts[-1][1]) if parts else None
