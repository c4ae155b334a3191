"""How much seizure there was: minutes by hour, the fullest hour, flags of status epilepticus.

Time that nobody scored is no seizure-free time: it is counted apart, and hours without any scored time have no figure.

References
----------
.. [1] L. J. Hirsch et al., American Clinical Neurophysiology Society's Standardized Critical Care EEG Terminology:
   2021 Version, J. Clin. Neurophysiol. 38 (2021) 1-29. Electrographic status epilepticus: seizures for 10 continuous
   minutes or longer, or for 20 % or more of any 60 minutes. Prevalence: continuous from 90 %, abundant from 50 %,
   frequent from 10 %.
.. [2] B. Kamousi et al., Monitoring the Burden of Seizures and Highly Epileptiform Patterns in Critical Care with a
   Novel Machine Learning Method, Neurocrit. Care 34 (2021) 908-917: the share of seizure in any 5 minutes, with bands
   from 10, 50 and 90 % (Ceribell's Clarity).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from brainscan.events import Event, complement, union

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
STATUS_CONTINUOUS_S = 600.0
STATUS_SHARE = 0.2
BAND_WINDOW_S = 300.0
BANDS: tuple[tuple[str, float], ...] = (("continuous", 0.9), ("abundant", 0.5), ("frequent", 0.1))
"""Ceribell's bands of burden in five minutes by the names of the ACNS terminology, the highest first."""

_TOLERANCE_S = 1e-6  # sums of times that are exact in decimal are not so in binary

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour by the clock, or of elapsed time where the recording has no clock.

    Parameters
    ----------
    start_s, stop_s : float
        The part of it that the recording covers, seconds from its start.
    label : str
        When the hour begins: ``2020-03-01T22:00``, with its offset from UTC where the clock has one; else the number
        of hours that have elapsed.
    seizure_s, scored_s : float
        Of that part.
    """

    start_s: float
    stop_s: float
    label: str
    seizure_s: float
    scored_s: float


@dataclass(frozen=True, slots=True)
class Largest:
    """The window with the most seizure.

    Parameters
    ----------
    seizure_s : float
    start_s, stop_s : float
        The window, cut to the recording.
    """

    seizure_s: float = 0.0
    start_s: float = 0.0
    stop_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Flag:
    """One criterion that is met.

    Parameters
    ----------
    name : str
        ``status_continuous``, ``status_share``, ``continuous``, ``abundant`` or ``frequent``.
    text : str
        The finding and the rule, in words.
    at_s : float
        Where the event, or the window, begins.
    """

    name: str
    text: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Burden:
    """The seizures of one recording, counted; see `burden_of`."""

    n_seizures: int
    seizure_s: float
    scored_s: float
    unscored_s: float
    duration_s: float
    hours: tuple[Hour, ...]
    largest_hour: Largest
    largest_minutes: Largest
    longest_s: float
    since_last_s: float | None
    since_last_unscored_s: float | None
    flags: tuple[Flag, ...]

    @property
    def per_24h(self) -> float | None:
        """Seizures in 24 h of scored time; None where none was scored."""
        return self.n_seizures * DAY_S / self.scored_s if self.scored_s > 0.0 else None

    @property
    def rests_on_less_than_24h(self) -> bool:
        """Whether `per_24h` is extrapolated."""
        return self.scored_s < DAY_S - _TOLERANCE_S

    @property
    def busiest(self) -> Hour | None:
        """The hour with the most seizure, the first of several; None without seizures."""
        hours = [hour for hour in self.hours if hour.seizure_s > 0.0]
        return max(hours, key=lambda hour: hour.seizure_s, default=None)

    def as_mapping(self) -> dict[str, Any]:
        """Return plain JSON values; an hour of which nothing was scored has no minutes, which is not none."""
        return {
            "by_hour": {h.label: _minutes(h.seizure_s) if h.scored_s > 0.0 else None for h in self.hours},
            "scored_by_hour": {h.label: _minutes(h.scored_s) for h in self.hours},
            "largest_60min": _minutes(self.largest_hour.seizure_s),
            "largest_60min_start_s": self.largest_hour.start_s if self.n_seizures else None,
            "largest_5min_share": round(self.largest_minutes.seizure_s / BAND_WINDOW_S, 4),
            "seizures": self.n_seizures,
            "seizure_s": round(self.seizure_s, 4),
            "seizures_per_24h": None if self.per_24h is None else round(self.per_24h, 4),
            "rests_on_less_than_24h": self.rests_on_less_than_24h,
            "longest_s": round(self.longest_s, 4),
            "since_last_s": None if self.since_last_s is None else round(self.since_last_s, 4),
            "since_last_unscored_s": None
            if self.since_last_unscored_s is None
            else round(self.since_last_unscored_s, 4),
            "unscored_s": round(self.unscored_s, 4),
            "flags": [flag.name for flag in self.flags],
            "flag_texts": {flag.name: flag.text for flag in self.flags},
        }


def burden_of(
    events: Sequence[Event], unscored: Sequence[tuple[float, float]], duration_s: float, start: datetime | None = None
) -> Burden:
    """Count the seizures of a recording.

    Parameters
    ----------
    events : sequence of Event
    unscored : sequence of (float, float)
        Spans that nobody looked at, gaps included, seconds from the start of the recording.
    duration_s : float
    start : datetime, optional
        Wall-clock time of second 0. Clocks without a time zone run on, as those of recordings do; one with a zone
        keeps its summer time, and every hour of it is an hour long.

    Returns
    -------
    Burden
    """
    ictal = union((event.onset_s, event.offset_s) for event in events)
    missed = tuple((max(a, 0.0), min(b, duration_s)) for a, b in union(unscored) if b > 0.0 and a < duration_s)
    scored = complement(missed, 0.0, duration_s)
    last_s = max((offset_s for _, offset_s in ictal), default=None)
    largest_hour = largest(ictal, HOUR_S, duration_s)
    largest_minutes = largest(ictal, BAND_WINDOW_S, duration_s)
    return Burden(
        n_seizures=len(events),
        seizure_s=_total(ictal),
        scored_s=_total(scored),
        unscored_s=_total(missed),
        duration_s=duration_s,
        hours=tuple(
            Hour(a, b, label, _within(ictal, a, b), _within(scored, a, b)) for a, b, label in _hours(duration_s, start)
        ),
        largest_hour=largest_hour,
        largest_minutes=largest_minutes,
        longest_s=max((b - a for a, b in ictal), default=0.0),
        since_last_s=None if last_s is None else max(duration_s - last_s, 0.0),
        since_last_unscored_s=None if last_s is None else _within(missed, last_s, duration_s),
        flags=tuple(_flags(ictal, largest_hour, largest_minutes)),
    )


def largest(ictal: Spans, window_s: float, duration_s: float) -> Largest:
    """Return the window of a given length that holds the most seizure, the first of several.

    The overlap grows and falls linearly while a window moves, so the most is found where a window begins with an
    event or ends with one.

    Parameters
    ----------
    ictal : tuple of (float, float)
        Disjoint and sorted.
    window_s, duration_s : float
    """
    latest_s = max(duration_s - window_s, 0.0)
    starts = sorted({min(max(at_s, 0.0), latest_s) for a, b in ictal for at_s in (a, b - window_s)})
    best = Largest()
    for start_s in starts:
        seizure_s = _within(ictal, start_s, start_s + window_s)
        if seizure_s > best.seizure_s + _TOLERANCE_S:
            best = Largest(seizure_s, start_s, min(start_s + window_s, duration_s))
    return best


def _flags(ictal: Spans, hour: Largest, minutes: Largest) -> Iterable[Flag]:
    """Yield the criteria that are met, with what was found."""
    longest = max(ictal, key=lambda span: span[1] - span[0], default=(0.0, 0.0))
    longest_s = longest[1] - longest[0]
    if longest_s >= STATUS_CONTINUOUS_S - _TOLERANCE_S:
        yield Flag(
            "status_continuous",
            f"electrographic status epilepticus: {longest_s / 60.0:.1f} min in one (10 min or more, ACNS 2021)",
            longest[0],
        )
    if hour.seizure_s >= STATUS_SHARE * HOUR_S - _TOLERANCE_S:
        yield Flag(
            "status_share",
            f"electrographic status epilepticus: {hour.seizure_s / 60.0:.1f} min of seizure within 60 min "
            "(20 % or more, ACNS 2021)",
            hour.start_s,
        )
    for name, least in BANDS:
        if minutes.seizure_s >= least * BAND_WINDOW_S - _TOLERANCE_S:
            yield Flag(
                name,
                f"{name} seizures: {minutes.seizure_s:.0f} s within 5 min ({least:.0%} or more, Kamousi 2021)",
                minutes.start_s,
            )
            break


def _hours(duration_s: float, start: datetime | None) -> Iterable[tuple[float, float, str]]:
    """Yield each hour's part of the recording and its label."""
    first_s = 0.0 if start is None else -(start.minute * 60.0 + start.second + start.microsecond / 1e6)
    number = 0
    while (at_s := first_s + number * HOUR_S) < duration_s:
        stop_s = min(at_s + HOUR_S, duration_s)
        if stop_s > 0.0:
            yield max(at_s, 0.0), stop_s, str(number) if start is None else _label(start, at_s)
        number += 1


def _label(start: datetime, at_s: float) -> str:
    """Return when an hour begins, to the minute; in a zone with summer time by way of UTC, which has none."""
    if start.tzinfo is None:
        return (start + timedelta(seconds=at_s)).isoformat(timespec="minutes")
    moment = (start.astimezone(UTC) + timedelta(seconds=at_s)).astimezone(start.tzinfo)
    return moment.isoformat(timespec="minutes")


def _total(spans: Iterable[tuple[float, float]]) -> float:
    return sum((b - a for a, b in spans), 0.0)


def _within(spans: Iterable[tuple[float, float]], start_s: float, stop_s: float) -> float:
    """Return how much of ``[start_s, stop_s)`` the spans cover."""
    return sum((max(min(b, stop_s) - max(a, start_s), 0.0) for a, b in spans), 0.0)


def _minutes(seconds: float) -> float:
    return round(seconds / 60.0, 4)
