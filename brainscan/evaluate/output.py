"""What a detector, ours or another, says about one recording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brainscan.errors import BrainscanError
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Event, Probabilities, union

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """Events and what they rest on.

    Parameters
    ----------
    duration_s : float
        Of the recording.
    start : datetime or None
        Wall-clock time of second 0.
    analysed : tuple of (float, float)
        Spans that the detector scored, seconds.
    sweep : Sweep
        Events at every threshold of the grid.
    events : tuple of Event
        At the detector's own decision.
    curves : tuple of Probabilities
        One a segment; empty where the detector gives none.
    warnings : tuple of str
    """

    duration_s: float
    start: datetime | None
    analysed: Spans
    sweep: Sweep
    events: tuple[Event, ...]
    curves: tuple[Probabilities, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A recording that could not be evaluated, and why."""

    file: str
    kind: str
    message: str
    hint: str

    @classmethod
    def of(cls, file: str, error: BrainscanError) -> Failure:
        """Return what an error says about a recording."""
        return cls(file, **error.as_mapping())

    def as_mapping(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"file": self.file, "kind": self.kind, "message": self.message, "hint": self.hint}


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
