"""What a detector, ours or another, says: a hypothesis of each recording, beside the experts' reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from brainscan.errors import Failure
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Event, Probabilities, Spans

Progress = Callable[[str, int, int], None]
"""Hears of the course: ``(name of the case, how many are done, of how many)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """What a detector says about one recording: events and what they rest on.

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


@dataclass(frozen=True, slots=True, eq=False)
class Hypotheses:
    """What a detector says about a corpus, and what became of the cases that it says nothing of.

    Parameters
    ----------
    by_name : mapping of case name to Hypothesis
    failures : tuple of Failure
        In the order of the cases.
    n_cached : int
        How many came from the cache.
    warnings : tuple of str
        About all of them.
    """

    by_name: Mapping[str, Hypothesis]
    failures: tuple[Failure, ...] = ()
    n_cached: int = 0
    warnings: tuple[str, ...] = ()


def unheard(_name: str, _number: int, _total: int) -> None:
    """Hear of the course without telling anybody."""
