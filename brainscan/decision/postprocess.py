"""From a probability curve to events: hysteresis, morphology, merging, minimal duration.

Binary opening and closing of a one-dimensional mask by a flat element are statements about run lengths (Serra,
Image Analysis and Mathematical Morphology, 1982): opening by n removes runs shorter than n, closing by n fills
gaps shorter than n. So all of it is arithmetic on intervals, and what must be remembered between blocks is small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainscan.card import DecisionConfig
from brainscan.decision.curve import DecisionCurve
from brainscan.decision.logits import raised
from brainscan.events import RATE_HZ, Event, Probabilities

FloatArray = NDArray[np.float32]

LOW, MIDDLE, HIGH, VOID = 0, 1, 2, 3
"""Levels of a sample: below `leave`, between, at or above `enter`, unscored."""


class Run(NamedTuple):
    """Neighbouring samples of one level.

    Attributes
    ----------
    level : int
        `LOW`, `MIDDLE`, `HIGH` or `VOID`.
    start, stop : int
        Samples, counted from the segment's start.
    total : float
        Sum of the plain probability of everything before them.
    peak : float
        The curve's highest value in them; of no meaning where they are unscored.
    """

    level: int
    start: int
    stop: int
    total: float
    peak: float


class _Onset(NamedTuple):
    """Where an interval began, the sum of probability there, and the curve's highest value since."""

    start: int
    total: float
    peak: float

    def risen(self, peak: float) -> _Onset:
        return self._replace(peak=max(self.peak, peak))


@dataclass(slots=True)
class _Span:
    """An interval of samples with the running sum of probability at its ends, and the curve's highest value in it."""

    start: int
    stop: int
    sum_at_start: float
    sum_at_stop: float
    peak: float


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

    Attributes
    ----------
    left_out : int
        Intervals that were no events because they began soon after one and did not rise enough.
    """

    def __init__(
        self, config: DecisionConfig, start_s: float = 0.0, confidence_map: Sequence[tuple[float, float]] = ()
    ) -> None:
        self._config = config
        self._start_s = start_s
        self._map = tuple(confidence_map)
        self._at = 0
        self._sum = 0.0  # of the plain probability up to `_at`
        self._run: Run | None = None  # the unfinished one
        self._open: _Onset | None = None  # of the ictal interval in progress
        self._pending: _Span | None = None  # complete, but a later one may still join it
        # As float32, in which curves are compared.
        self._asked = float(np.float32(raised(config.enter, config.postictal.logits)))
        self._free_from = 0  # an interval that begins before must rise to what is asked for
        self.left_out = 0

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
        return self.push_runs(self._runs(curve, total), self._at + len(curve), float(total[-1]))

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
        for run in runs:
            before = self._run
            if before is not None and before.level == run.level:
                run = before._replace(stop=run.stop, peak=max(before.peak, run.peak))  # noqa: PLW2901
            self._run = run
            self._step(run, events)
        self._at, self._sum = stop, total
        self._settle(events)
        return events

    @property
    def ongoing(self) -> Ongoing | None:
        """The event that will be reported whatever comes next, but has not ended for certain; None if there is none."""
        span = self._certain()
        if span is None or not self._long_enough(span) or not self._risen(span):
            return None
        mean = (span.sum_at_stop - span.sum_at_start) / (span.stop - span.start)
        begin_s, until_s = (self._start_s + at / RATE_HZ for at in (span.start, span.stop))
        return Ongoing(begin_s, until_s, self._confidence(mean))

    @property
    def settled_s(self) -> float:
        """Time on the recording's clock before which no event can begin or go on any more, beyond those returned."""
        at = self._at
        if self._run is not None and self._run.level == HIGH:
            at = self._run.start
        if self._open is not None:
            at = min(at, self._open.start)
        if self._pending is not None:
            at = min(at, self._pending.start)
        return self._start_s + at / RATE_HZ

    def _certain(self) -> _Span | None:
        """Return what is ictal up to now and nothing can take away: the pending interval with the one in progress."""
        pending = self._pending
        if self._open is None:
            return pending
        start, sum_at_start, peak = self._open
        stop, total = self._at, self._sum
        if self._run is not None and self._run.level == LOW:  # it may turn out to have ended where that began
            stop, total = self._run.start, self._run.total
        if stop - start < max(self._config.opening, 1):
            return pending
        if pending is not None:  # it is pending because the one in progress joins it
            start, sum_at_start, peak = pending.start, pending.sum_at_start, max(peak, pending.peak)
        return _Span(start, stop, sum_at_start, total, peak)

    def finish(self) -> list[Event]:
        """End the segment and return the last events."""
        events: list[Event] = []
        self._barrier(self._at, self._sum, events)
        self._run = None
        return events

    def _runs(self, curve: FloatArray, total: NDArray[np.float64]) -> Iterator[Run]:
        """Yield each run of equal level of the next samples."""
        level = np.full(len(curve), MIDDLE, dtype=np.int8)
        level[curve >= self._config.enter] = HIGH
        level[curve < self._config.leave] = LOW
        level[np.isnan(curve)] = VOID
        if not len(level):
            return
        starts = np.concatenate(([0], np.flatnonzero(np.diff(level)) + 1))
        peaks = np.maximum.reduceat(curve, starts).tolist()
        bounds = pairwise([*starts.tolist(), len(level)])
        for (start, stop), peak in zip(bounds, peaks, strict=True):
            yield Run(int(level[start]), self._at + start, self._at + stop, float(total[start]), peak)

    def _step(self, run: Run, events: list[Event]) -> None:
        """Change the state where a run, as far as it is known, is long enough for it."""
        long = run.stop - run.start
        if run.level == VOID:
            self._barrier(run.start, run.total, events)
        elif run.level == HIGH and self._open is not None:
            self._open = self._open.risen(run.peak)
        elif run.level == HIGH and long >= self._config.onset_dwell:
            self._open = _Onset(run.start, run.total, run.peak)
        elif run.level == LOW and self._open is not None and long >= self._config.offset_dwell:
            self._close(run.start, run.total, events)

    def _barrier(self, at: int, total: float, events: list[Event]) -> None:
        """End what is open; nothing may join across this point."""
        if self._open is not None:
            self._close(at, total, events)
        self._flush(events)

    def _close(self, at: int, total: float, events: list[Event]) -> None:
        assert self._open is not None
        start, sum_at_start, peak = self._open
        self._open = None
        if at - start < self._config.opening:
            return
        if self._pending is not None and self._joins(start - self._pending.stop):
            self._pending.stop, self._pending.sum_at_stop = at, total
            self._pending.peak = max(self._pending.peak, peak)
            return
        self._flush(events)
        self._pending = _Span(start, at, sum_at_start, total, peak)

    def _joins(self, gap: int) -> bool:
        return gap < self._config.closing or gap <= self._config.merge_gap_s * RATE_HZ

    def _settle(self, events: list[Event]) -> None:
        """Let the pending interval go once nothing can join it any more."""
        if self._pending is None:
            return
        next_start = self._at if self._open is None else self._open.start
        if self._open is None and self._run is not None and self._run.level == HIGH:
            next_start = self._run.start  # may still become an onset
        if not self._joins(next_start - self._pending.stop):
            self._flush(events)

    def _flush(self, events: list[Event]) -> None:
        span, self._pending = self._pending, None
        if span is None or not self._long_enough(span):
            return
        if not self._risen(span):
            self.left_out += 1
            return
        self._free_from = span.stop + round(self._config.postictal.within_s * RATE_HZ)
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

    def _long_enough(self, span: _Span) -> bool:
        return span.stop - span.start >= self._config.min_duration_s * RATE_HZ

    def _risen(self, span: _Span) -> bool:
        return span.start >= self._free_from or span.peak >= self._asked

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
