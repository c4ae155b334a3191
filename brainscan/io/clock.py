"""Clock times and lengths of time as annotation lists of hospitals write them."""

from __future__ import annotations

import re

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
