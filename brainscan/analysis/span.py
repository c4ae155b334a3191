"""``--start`` and ``--stop``: which part of a recording a user means, in seconds from its start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan.errors import UsageError
from brainscan.io import read
from brainscan.io.clock import SECONDS_PER_DAY, ClockTime
from brainscan.quiet import Quiet

if TYPE_CHECKING:
    from brainscan.recording import Recording

FEW_HOURS_S = 6 * 3600.0
"""A clock time so little before a recording that never reaches it means its start."""

FEW_HOURS_OF_DAYS_S = 3 * 3600.0
"""The same where the recording reaches that time a day later, so that more is analysed than was meant, never less."""

_HINT = "give seconds from the start of the recording (5400) or its clock time (01:30, 01:30:00 or 2020-03-02 01:30)"

_STRETCH = (
    "it takes a recording or FROM-TO: seconds (600-1200) or clock times, with a date or without (00:10-00:20,"
    " 2020-03-02 00:10-2020-03-02 00:20)"
)
_TIME = r"((?:\d{4}-\d{2}-\d{2}[ T])?[^-]+)"
_FROM_TO = re.compile(f"{_TIME}-{_TIME}")


@dataclass(frozen=True, slots=True)
class Span:
    """What ``--start`` and ``--stop`` mean on one recording.

    Parameters
    ----------
    start_s, stop_s : float or None
        Seconds from the start of the recording; None where nothing was given.
    said : tuple of str
        Which moment each clock time was taken for.
    warnings : tuple of str
        What was guessed, or lies outside the recording.
    """

    start_s: float | None = None
    stop_s: float | None = None
    said: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def quiet_stretch(text: str, recording: Recording) -> Quiet:
    """Return the stretch that ``--baseline`` means: a whole file, or a part of the recording itself.

    Parameters
    ----------
    text : str
        A path, or ``FROM-TO``, both as ``--start`` is written.
    recording : Recording
        The one that is analysed.

    Raises
    ------
    UsageError
        If it is neither, or too short.
    InputError
        If the file cannot be read.
    """
    if Path(text).is_file():
        other = read(Path(text))
        return Quiet(0.0, other.duration_s, other)
    times = _FROM_TO.fullmatch(text)
    if times is None:
        raise UsageError(f"--baseline {text}: no such file, and no stretch", hint=_STRETCH)
    try:
        span = span_of(times[1], times[2], recording)
    except UsageError as problem:
        raise UsageError(f"--baseline {text}: {problem.message}", file=problem.file, hint=_STRETCH) from None
    assert span.start_s is not None
    assert span.stop_s is not None
    return Quiet(span.start_s, span.stop_s)


def span_of(start: str, stop: str, recording: Recording) -> Span:
    """Return which part of a recording two times mean.

    A clock time is compared at the precision it was typed with: a recording that begins at 22:00:00.5 begins at
    22:00 and at 22:00:00. Else it is the first such moment of the recording; for a stop the first one behind the
    start. One that lies up to a few hours before the recording means its start. A date says the day.

    Raises
    ------
    UsageError
        If they are no times, out of order, or nothing is recorded from the start on.
    """
    first, last = _time(start, "--start", recording), _time(stop, "--stop", recording)
    return _Resolver(recording, start, stop).span(first, last)


def _time(text: str, option: str, recording: Recording) -> float | ClockTime | None:
    """Return seconds, or a clock time of a recording that has a clock; None for nothing."""
    if not text:
        return None
    if ":" not in text:
        try:
            at_s = float(text)
        except ValueError:
            raise UsageError(f"{option} {text} is not a time", hint=_HINT) from None
        if not 0.0 <= at_s < float("inf"):
            raise UsageError(f"{option} {text} is not a time within a recording", hint=_HINT)
        return at_s
    try:
        clock = ClockTime.parse(text)
    except ValueError:
        raise UsageError(f"{option} {text} is not a time", hint=_HINT) from None
    if recording.start is None:
        raise UsageError(
            f"{option} {text}: the header has no valid start time, so clock times mean nothing",
            file=recording.name,
            hint="give seconds",
        )
    return clock


class _Resolver:
    """Puts two times onto one recording's clock, and collects what has to be said about it."""

    def __init__(self, recording: Recording, start: str, stop: str) -> None:
        self._recording = recording
        self._start, self._stop = start, stop
        self._said: list[str] = []
        self._warnings: list[str] = []

    def span(self, first: float | ClockTime | None, last: float | ClockTime | None) -> Span:
        start_s = self._from(first, last) if isinstance(first, ClockTime) else first
        if start_s is not None:
            self._require_recorded(start_s)
        stop_s = self._to(last, start_s) if isinstance(last, ClockTime) else last
        if start_s is not None and stop_s is not None and stop_s <= start_s:
            asked = f"--start {self._start} --stop {self._stop}"
            raise UsageError(f"stop must lie behind start, got {asked}", file=self._recording.name)
        self._tell_of_gap(start_s)
        if stop_s is not None and stop_s > self._recording.duration_s:
            self._warnings.append(
                f"--stop {_shown(self._stop, stop_s)} lies behind the recording's end at "
                f"{self._recording.duration_s:g} s: analysed to there"
            )
        return Span(start_s, stop_s, tuple(self._said), tuple(self._warnings))

    def _from(self, clock: ClockTime, last: float | ClockTime | None) -> float:
        """Return the start that a clock time means."""
        begin, duration_s = self._begin, self._recording.duration_s
        if clock.is_moment(begin):
            self._say("--start", self._start, 0.0)
            return 0.0
        at_s = clock.seconds_after(begin)
        before_s = -at_s if clock.date else SECONDS_PER_DAY - at_s
        few_s = FEW_HOURS_S if clock.date or at_s >= duration_s else FEW_HOURS_OF_DAYS_S
        if 0.0 < before_s <= few_s and self._reaches(last, -before_s):
            other = "" if clock.date or at_s >= duration_s else f"; for the next day give {_day(begin, at_s)}"
            self._warnings.append(
                f"--start {self._start} lies before the recording, which begins at {_day(begin, 0.0)}: "
                f"analysed from its start{other}"
            )
            return 0.0
        if at_s < 0.0:
            raise self._nothing_recorded(at_s)
        self._say("--start", self._start, at_s)
        return at_s

    def _reaches(self, last: float | ClockTime | None, start_s: float) -> bool:
        """Whether the first stop behind a start before the recording lies within it (a night that was begun late)."""
        if not isinstance(last, ClockTime) or last.date:
            return True
        stop_s = last.seconds_after(self._begin + timedelta(seconds=start_s))
        return start_s + (stop_s or SECONDS_PER_DAY) > 0.0

    def _to(self, clock: ClockTime, start_s: float | None) -> float:
        """Return the stop that a clock time means: the first such moment behind the start."""
        begin, duration_s = self._begin, self._recording.duration_s
        at_s = 0.0 if clock.is_moment(begin) else clock.seconds_after(begin)
        if clock.date is None and at_s <= (start_s or 0.0):
            if 0.0 < at_s < duration_s <= at_s + SECONDS_PER_DAY:
                return at_s  # recorded, but before the start: out of order
            at_s += SECONDS_PER_DAY * (1 + ((start_s or 0.0) - at_s) // SECONDS_PER_DAY)
        before_s, behind_s = -at_s % SECONDS_PER_DAY, at_s - duration_s
        if at_s <= 0.0 or (clock.date is None and behind_s > max(before_s, FEW_HOURS_OF_DAYS_S)):
            # Far behind the end, and nearer before the start: nobody means the end with that.
            raise UsageError(
                f"--stop {self._stop} does not lie within the recording ({_day(begin, 0.0)} to "
                f"{_day(begin, duration_s)})",
                file=self._recording.name,
                hint=_HINT,
            )
        if behind_s <= 0.0:
            self._say("--stop", self._stop, at_s)
        return at_s

    def _require_recorded(self, start_s: float) -> None:
        if start_s >= self._recording.duration_s:
            raise self._nothing_recorded(start_s)

    def _nothing_recorded(self, at_s: float) -> UsageError:
        shown = _shown(self._start, at_s)
        return UsageError(
            f"nothing recorded from {shown} on (the recording has {self._recording.duration_s:g} s)",
            file=self._recording.name,
            hint="choose --start within the recording; a clock time is its first such moment",
        )

    def _tell_of_gap(self, start_s: float | None) -> None:
        """Warn if nothing was recorded at the start, so that the analysis begins later than was asked."""
        segments = self._recording.segments
        if start_s is None or any(s.start_s <= start_s < s.stop_s for s in segments):
            return
        later = min((s.start_s for s in segments if s.start_s > start_s), default=None)
        if later is not None:
            at = "" if self._recording.start is None else f" ({_day(self._begin, later)})"
            self._warnings.append(
                f"--start {_shown(self._start, start_s)} lies in a gap: the recording goes on at {later:g} s{at}"
            )

    def _say(self, option: str, text: str, at_s: float) -> None:
        self._said.append(f"{option} {text} is {_day(self._begin, at_s)} ({at_s:g} s)")

    @property
    def _begin(self) -> datetime:
        assert self._recording.start is not None  # `_time` refuses clock times without it
        return self._recording.start


def _shown(text: str, at_s: float) -> str:
    return f"{text} ({at_s:g} s)" if ":" in text else f"{text} s"


def _day(begin: datetime, at_s: float) -> str:
    """Return a moment with its date, to the millisecond where it has a fraction."""
    moment = begin + timedelta(seconds=at_s)
    return moment.isoformat(sep=" ", timespec="milliseconds" if moment.microsecond else "seconds")
