"""Clock times and lengths of time, as annotation lists of hospitals write them and as users type them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time

SECONDS_PER_DAY = 86400.0

_CLOCK = re.compile(r"(\d{1,3})[:.](\d{1,2})[:.](\d{1,2})(?:[.,](\d+))?")


def seconds_of_clock(text: str) -> float:
    """Return the seconds since midnight of ``HH:MM:SS`` or ``HH.MM.SS``, with or without a fraction.

    Stray blanks are passed over (``1 6.49.25`` occurs); hours may exceed 23, as CHB-MIT writes the morning
    after.

    Raises
    ------
    ValueError
        If it is no clock time.
    """
    match = _CLOCK.fullmatch("".join(text.split()))
    if match is None:
        raise ValueError(f"{text.strip()!r} is no clock time")
    hours, minutes, seconds = (int(match[k]) for k in (1, 2, 3))
    if minutes > 59 or seconds > 59:
        raise ValueError(f"{text.strip()!r} is no clock time")
    return hours * 3600.0 + minutes * 60.0 + seconds + float(f"0.{match[4] or 0}")


def clock_of_seconds(at_s: float, separator: str = ":") -> str:
    """Return seconds since midnight as ``HH:MM:SS``, with a fraction of 0.1 ms where it is not zero.

    >>> clock_of_seconds(3661.5)
    '01:01:01.5000'
    """
    ticks = round(at_s * 1e4)
    whole, fraction = divmod(ticks, 10_000)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = separator.join(f"{part:02d}" for part in (hours, minutes, seconds))
    return f"{text}.{fraction:04d}" if fraction else text


def plain_seconds(at_s: float) -> str:
    """Return seconds without a fraction where they are whole, else to 0.1 ms."""
    return f"{at_s:.4f}".rstrip("0").rstrip(".")


def offset_text(moment: datetime) -> str:
    """Return a clock time's offset from UTC, ``none`` where it has none.

    >>> offset_text(datetime.fromisoformat("2020-03-01T23:25:00Z"))
    '+00:00'
    """
    return moment.isoformat()[-6:] if moment.tzinfo is not None else "none"


def ignored_offset(what: str, moment: datetime) -> str:
    """Return the warning that an offset from UTC stands where recordings have none."""
    offset = offset_text(moment)
    return f"{what} an offset from UTC ({offset}), the recording's clock has none: clock times are taken as they stand"


_TYPED = re.compile(
    r"(?:(?P<date>\d{4}-\d{2}-\d{2})[ T])?(?P<hour>\d{1,2}):(?P<minute>\d{1,2})"
    r"(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6}))?)?"
)


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day as somebody typed it, with or without a date.

    Parameters
    ----------
    of_day_s : float
        Seconds since midnight.
    precision_s : float
        What one step of its last digit is worth: 60 for ``22:00``, 1 for ``22:00:00``, 0.1 for ``22:00:00.5``.
    date : date or None
    """

    of_day_s: float
    precision_s: float
    date: date | None = None

    @classmethod
    def parse(cls, text: str) -> ClockTime:
        """Read ``HH:MM``, ``HH:MM:SS`` or ``HH:MM:SS.fff``, with ``YYYY-MM-DD`` and a blank or T before it or not.

        Raises
        ------
        ValueError
            If it is none.
        """
        match = _TYPED.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text.strip()!r} is no clock time")
        hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError(f"{text.strip()!r} is no clock time")
        fraction = match["fraction"] or ""
        precision_s = 60.0 if match["second"] is None else 10.0 ** -len(fraction)
        of_day_s = hour * 3600.0 + minute * 60.0 + second + float(f"0.{fraction or 0}")
        return cls(of_day_s, precision_s, date.fromisoformat(match["date"]) if match["date"] else None)

    def is_moment(self, moment: datetime) -> bool:
        """Whether a moment has this time, at the precision it was typed with.

        >>> ClockTime.parse("22:00").is_moment(datetime(2020, 3, 1, 22, 0, 37))
        True
        """
        within_s = _of_day_s(moment) - self.of_day_s
        return (self.date is None or self.date == moment.date()) and -5e-7 < within_s < self.precision_s - 5e-7

    def seconds_after(self, begin: datetime) -> float:
        """Return how long after a moment it is: the first such time, 0 to 24 h, or that of its date, maybe before it.

        Clocks are taken to run on: recordings have no time zone, and know no summer time.
        """
        if self.date is not None:
            midnight = datetime.combine(self.date, time())
            return (midnight - begin).total_seconds() + self.of_day_s
        return round((self.of_day_s - _of_day_s(begin)) % SECONDS_PER_DAY, 6) % SECONDS_PER_DAY


def _of_day_s(moment: datetime) -> float:
    return moment.hour * 3600.0 + moment.minute * 60.0 + moment.second + moment.microsecond / 1e6
