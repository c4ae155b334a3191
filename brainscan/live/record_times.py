"""When the records of a growing EDF+ start, as they arrive: what `brainscan.io.tal.timeline` says of a whole file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from brainscan.io.tal import LONGEST_S


@dataclass(frozen=True, slots=True)
class RecordRun:
    """Records that follow each other without a gap.

    Parameters
    ----------
    first, count : int
    start_s : float
        Of the segment that they belong to, on the recording's clock.
    within : int
        Records of that segment before them.
    """

    first: int
    count: int
    start_s: float
    within: int


class RecordTimes:
    """State of the records' times: which belong together, and where gaps are.

    A record whose time is neither the next nor told again by its successor is taken for damaged, as in a whole file;
    so one that jumps waits for the one behind it. A time more than a year off is none, as there.

    What was handed on is never moved: where the clock is set back to before the recording's start, which in a whole
    file becomes its second 0, the records follow on as a new segment and `n_set_back` counts it.

    Parameters
    ----------
    record_s : float
        Duration of a record.
    tolerance_s : float
        Deviation that is no gap.
    """

    def __init__(self, record_s: float, tolerance_s: float) -> None:
        self._record_s = record_s
        self._tolerance_s = tolerance_s
        self._origin_s: float | None = None
        self._last_s = -record_s  # the time of the last settled record
        self._start_s = 0.0  # of the current segment
        self._n_seen = 0
        self._within = 0  # records of the segment so far
        self._jumped: float | None = None  # the time of a record that waits
        self.n_set_back = 0

    def push(self, onsets: Iterable[float]) -> Iterator[RecordRun]:
        """Take the onsets of the next records, NaN where they tell none, and yield what is settled."""
        runs: list[RecordRun] = []
        for onset_s in onsets:
            self._take(onset_s, runs)
        return iter(runs)

    def finish(self) -> Iterator[RecordRun]:
        """Yield the record that still waits, if one does."""
        runs: list[RecordRun] = []
        if self._jumped is not None:
            self._begin(self._jumped, runs)
        return iter(runs)

    def _take(self, onset_s: float, runs: list[RecordRun]) -> None:
        """Settle what one more record settles."""
        at_s, step_s = self._on_clock(onset_s), self._record_s
        if self._jumped is not None:
            if not math.isnan(at_s) and self._is_next(at_s, self._last_s + 2 * step_s):
                self._continue(self._last_s + step_s, runs)  # its time is damaged
            else:
                self._begin(self._jumped, runs)
                at_s = self._on_clock(onset_s)
        expected_s = self._last_s + step_s
        if self._is_next(at_s, expected_s):
            self._continue(expected_s if math.isnan(at_s) else at_s, runs)
        else:
            self._jumped = at_s

    def _begin(self, at_s: float, runs: list[RecordRun]) -> None:
        if at_s < 0.0 and self._origin_s is not None:
            follows_s = self._last_s + self._record_s
            self._origin_s -= follows_s - at_s
            self.n_set_back += 1
            at_s = follows_s
        self._start_s, self._within = at_s, 0
        self._continue(at_s, runs)

    def _continue(self, at_s: float, runs: list[RecordRun]) -> None:
        """Settle a record of the current segment."""
        self._last_s, self._jumped = at_s, None
        if runs and self._within:
            run = runs.pop()
            runs.append(replace(run, count=run.count + 1))
        else:
            runs.append(RecordRun(self._n_seen, 1, self._start_s, self._within))
        self._n_seen += 1
        self._within += 1

    def _on_clock(self, onset_s: float) -> float:
        if math.isnan(onset_s):
            return onset_s
        if self._origin_s is None:  # records before it told no time: it counts back
            self._origin_s = onset_s - self._last_s - self._record_s
        at_s = onset_s - self._origin_s
        return at_s if abs(at_s) <= LONGEST_S else math.nan

    def _is_next(self, at_s: float, expected_s: float) -> bool:
        return math.isnan(at_s) or abs(at_s - expected_s) < self._tolerance_s
