"""From a probability curve to events: hysteresis, morphology, merging, minimal duration.

Binary opening and closing of a one-dimensional mask by a flat element are statements about run lengths (Serra,
Image Analysis and Mathematical Morphology, 1982): opening by n removes runs shorter than n, closing by n fills
gaps shorter than n. So all of it is arithmetic on intervals, and what must be remembered between blocks is small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.card import DecisionConfig
from brainscan.decision.curve import DecisionCurve
from brainscan.events import RATE_HZ, Event, Probabilities

FloatArray = NDArray[np.float32]

LOW, MIDDLE, HIGH, VOID = 0, 1, 2, 3
"""Levels of a sample: below `leave`, between, at or above `enter`, unscored."""

Run = tuple[int, int, int, float]
"""``(level, start, stop, sum at start)``: neighbouring samples of one level, counted from the segment's start, and
the sum of the plain probability of everything before them."""


@dataclass(slots=True)
class _Span:
    """An interval of samples with the running sum of probability at its ends."""

    start: int
    stop: int
    sum_at_start: float
    sum_at_stop: float


@dataclass(frozen=True, slots=True)
class Ongoing:
    """An event that is certain to be reported, though not when it ends.

    Parameters
    ----------
    onset_s : float
        Final, but for an earlier one of the same event that joins.
    until_s : float
        How far it reaches as yet; it ends there or later.
    confidence : float
        Of what there is as yet, 0..1.
    """

    onset_s: float
    until_s: float
    confidence: float


class Decision:
    """State of the decision of one segment: push curves, receive final events.

    Parameters
    ----------
    config : DecisionConfig
    start_s : float
        Start of the segment on the recording's clock, seconds.
    confidence_map : sequence of (float, float)
        Knots of the card's map from mean probability to confidence.
    """

    def __init__(
        self, config: DecisionConfig, start_s: float = 0.0, confidence_map: Sequence[tuple[float, float]] = ()
    ) -> None:
        self._config = config
        self._start_s = start_s
        self._map = tuple(confidence_map)
        self._at = 0
        self._sum = 0.0  # of the plain probability up to `_at`
        self._run: tuple[int, int, float] | None = None  # level, start and sum at start of the unfinished run
        self._open: tuple[int, float] | None = None  # start and sum of the ictal interval in progress
        self._pending: _Span | None = None  # complete, but a later one may still join it

    def push(self, curve: FloatArray, plain: FloatArray) -> list[Event]:
        """Take the next samples and return the events that became final.

        Parameters
        ----------
        curve : array of float32, shape (n_samples,)
            What the thresholds look at (averaged probability); NaN where unscored.
        plain : array of float32, shape (n_samples,)
            What the confidence is the mean of.
        """
        total = self._sum + np.concatenate(([0.0], np.cumsum(np.nan_to_num(plain), dtype=np.float64)))
        first = self._at
        runs = ((level, first + start, first + stop, float(total[start])) for level, start, stop in self._runs(curve))
        return self.push_runs(runs, first + len(curve), float(total[-1]))

    def push_runs(self, runs: Iterable[Run], stop: int, total: float) -> list[Event]:
        """Take the next samples as runs of equal level (which may go on) and return the events that became final.

        Parameters
        ----------
        runs : iterable of Run
            Together they reach from the last `stop` to this one.
        stop : int
            Samples of the segment so far.
        total : float
            Sum of the plain probability so far.
        """
        events: list[Event] = []
        for level, run_start, run_stop, sum_at_start in runs:
            run = self._run
            if run is None or run[0] != level:
                self._run = run = (level, run_start, sum_at_start)
            self._step(run, run_stop, events)
        self._at, self._sum = stop, total
        self._settle(events)
        return events

    @property
    def ongoing(self) -> Ongoing | None:
        """The event that will be reported whatever comes next, but has not ended for certain; None if there is none."""
        span = self._certain()
        if span is None or span.stop - span.start < self._config.min_duration_s * RATE_HZ:
            return None
        mean = (span.sum_at_stop - span.sum_at_start) / (span.stop - span.start)
        begin_s, until_s = (self._start_s + at / RATE_HZ for at in (span.start, span.stop))
        return Ongoing(begin_s, until_s, self._confidence(mean))

    @property
    def settled_s(self) -> float:
        """Time on the recording's clock before which no event can begin or go on any more, beyond those returned."""
        at = self._at
        if self._run is not None and self._run[0] == HIGH:
            at = self._run[1]
        if self._open is not None:
            at = min(at, self._open[0])
        if self._pending is not None:
            at = min(at, self._pending.start)
        return self._start_s + at / RATE_HZ

    def _certain(self) -> _Span | None:
        """Return what is ictal up to now and nothing can take away: the pending interval with the one in progress."""
        pending = self._pending
        if self._open is None:
            return pending
        start, sum_at_start = self._open
        stop, total = self._at, self._sum
        if self._run is not None and self._run[0] == LOW:  # it may turn out to have ended where that began
            _, stop, total = self._run
        if stop - start < max(self._config.opening, 1):
            return pending
        if pending is not None:  # it is pending because the one in progress joins it
            start, sum_at_start = pending.start, pending.sum_at_start
        return _Span(start, stop, sum_at_start, total)

    def finish(self) -> list[Event]:
        """End the segment and return the last events."""
        events: list[Event] = []
        self._barrier(self._at, self._sum, events)
        self._run = None
        return events

    def _runs(self, curve: FloatArray) -> Iterator[tuple[int, int, int]]:
        """Yield level, start and stop of each run of equal level."""
        level = np.full(len(curve), MIDDLE, dtype=np.int8)
        level[curve >= self._config.enter] = HIGH
        level[curve < self._config.leave] = LOW
        level[np.isnan(curve)] = VOID
        bounds = np.concatenate(([0], np.flatnonzero(np.diff(level)) + 1, [len(level)]))
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            if stop > start:
                yield int(level[start]), start, stop

    def _step(self, run: tuple[int, int, float], stop: int, events: list[Event]) -> None:
        """Change the state where a run, known up to `stop`, is long enough for it."""
        level, start, sum_at_start = run
        if level == VOID:
            self._barrier(start, sum_at_start, events)
        elif level == HIGH and self._open is None and stop - start >= self._config.onset_dwell:
            self._open = (start, sum_at_start)
        elif level == LOW and self._open is not None and stop - start >= self._config.offset_dwell:
            self._close(start, sum_at_start, events)

    def _barrier(self, at: int, total: float, events: list[Event]) -> None:
        """End what is open; nothing may join across this point."""
        if self._open is not None:
            self._close(at, total, events)
        self._flush(events)

    def _close(self, at: int, total: float, events: list[Event]) -> None:
        assert self._open is not None
        start, sum_at_start = self._open
        self._open = None
        if at - start < self._config.opening:
            return
        if self._pending is not None and self._joins(start - self._pending.stop):
            self._pending.stop, self._pending.sum_at_stop = at, total
            return
        self._flush(events)
        self._pending = _Span(start, at, sum_at_start, total)

    def _joins(self, gap: int) -> bool:
        return gap < self._config.closing or gap <= self._config.merge_gap_s * RATE_HZ

    def _settle(self, events: list[Event]) -> None:
        """Let the pending interval go once nothing can join it any more."""
        if self._pending is None:
            return
        next_start = self._at if self._open is None else self._open[0]
        if self._open is None and self._run is not None and self._run[0] == HIGH:
            next_start = self._run[1]  # may still become an onset
        if not self._joins(next_start - self._pending.stop):
            self._flush(events)

    def _flush(self, events: list[Event]) -> None:
        span, self._pending = self._pending, None
        if span is None or span.stop - span.start < self._config.min_duration_s * RATE_HZ:
            return
        duration_s = (span.stop - span.start) / RATE_HZ
        mean = (span.sum_at_stop - span.sum_at_start) / (span.stop - span.start)
        events.append(
            Event(
                onset_s=self._start_s + span.start / RATE_HZ,
                offset_s=self._start_s + span.stop / RATE_HZ,
                confidence=self._confidence(mean),
                prolonged=duration_s >= self._config.prolonged_s,
            )
        )

    def _confidence(self, mean: float) -> float:
        if self._map:
            x, y = zip(*self._map, strict=True)
            mean = float(np.interp(mean, x, y))
        return min(max(mean, 0.0), 1.0)


def find_events(
    probabilities: Probabilities, config: DecisionConfig, confidence_map: Sequence[tuple[float, float]] = ()
) -> tuple[Event, ...]:
    """Return the events of one whole segment (the block-wise decision's longest case)."""
    curve = DecisionCurve(config)
    decision = Decision(config, probabilities.start_s, confidence_map)
    events = decision.push(*curve.push(probabilities.values))
    events += decision.push(*curve.finish())
    return tuple(events + decision.finish())


def events_of_curve(curve: FloatArray, plain: FloatArray, config: DecisionConfig, start_s: float) -> tuple[Event, ...]:
    """Return the events of a whole segment whose curve is averaged already (for sweeps over thresholds)."""
    decision = Decision(config, start_s)
    return tuple(decision.push(curve, plain) + decision.finish())
