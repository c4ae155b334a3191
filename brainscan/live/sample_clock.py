"""Where the samples of a feed lie in time, from time stamps that jitter: a gap is what does not go away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GAP_S = 1.0
"""Stamps this much later than the samples before them say mean a gap; senders stall for less and catch up."""

_FOLLOW = 0.05


class SampleClock:
    """State of the clock of a feed: when its next sample is due.

    A device whose samples come a little faster or slower than it says is followed, chunk by chunk.

    Parameters
    ----------
    rate_hz : float
    """

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1.0 / rate_hz
        self._due_s: float | None = None

    def gaps(self, stamps: NDArray[np.float64]) -> list[tuple[int, float]]:
        """Take the stamps of the next samples; return where gaps lie: before which sample, and how long, seconds."""
        found = []
        at = 0
        while at < len(stamps):
            if self._due_s is None:
                self._due_s = float(stamps[0])
            late_s = stamps[at:] - self._due_s - self._period_s * np.arange(len(stamps) - at)
            jumps = np.flatnonzero(late_s > GAP_S)
            n_good = int(jumps[0]) if jumps.size else len(late_s)
            if n_good:
                error_s = float(np.median(late_s[:n_good]))
                self._due_s += n_good * self._period_s
                self._due_s += error_s if error_s < -GAP_S else _FOLLOW * error_s
            if jumps.size:
                found.append((at + n_good, float(late_s[n_good])))
                self._due_s = float(stamps[at + n_good])
            at += n_good
        return found
