"""Whether a stream keeps up with what is recorded."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class Pace:
    """State of the backlog: how much waits, and whether it grows.

    A stream that joins late has hours to catch up with, and one that slept has minutes, which is no lag as long as they
    become fewer. It is behind where more than `most_s` have waited for as many seconds and did not become fewer, until
    half as many wait.

    Parameters
    ----------
    most_s : float
        Seconds; 0 for never.
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, most_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_s = most_s
        self._clock = clock
        self._past: deque[tuple[float, float]] = deque()
        self.behind = False

    def observe(self, backlog_s: float) -> bool:
        """Take how many seconds of recording wait; return whether windows have to be skipped."""
        if not self._most_s:
            return False
        now = self._clock()
        if backlog_s <= self._most_s:
            self._past.clear()
        else:
            self._past.append((now, backlog_s))
        while len(self._past) > 1 and self._past[1][0] <= now - self._most_s:
            self._past.popleft()
        if self.behind:
            self.behind = backlog_s > self._most_s / 2
        elif self._past:
            since, before_s = self._past[0]
            self.behind = now - since >= self._most_s and backlog_s >= before_s
        return self.behind
