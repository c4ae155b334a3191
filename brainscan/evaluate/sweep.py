"""Events at every threshold of the grid, from one pass over a recording's curves.

Between two samples where the averaged curve crosses no threshold of the grid nothing changes for any of them. So the
curve is cut once into runs that no threshold tells apart, and each threshold decides on these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from brainscan.card import DecisionConfig
from brainscan.decision.curve import DecisionCurve
from brainscan.decision.postprocess import HIGH, LOW, MIDDLE, VOID, Decision, Run
from brainscan.events import RATE_HZ, Event, FloatArray, Probabilities
from brainscan.scoring.operating_points import THRESHOLDS, off_threshold

_BLOCK = 600 * RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Events at every threshold of a grid; the arrays are aligned, ordered by threshold and onset.

    Parameters
    ----------
    index : array of int64, shape (n_events,)
        Which threshold.
    onset_s, offset_s : array of float64, shape (n_events,)
    confidence : array of float64, shape (n_events,)
        Mean probability inside, before any calibration map.
    """

    index: NDArray[np.int64]
    onset_s: NDArray[np.float64]
    offset_s: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def __post_init__(self) -> None:
        for array in (self.index, self.onset_s, self.offset_s, self.confidence):
            array.setflags(write=False)

    @classmethod
    def of(cls, events: Sequence[Iterable[Event]]) -> Sweep:
        """Return the sweep of the events at each threshold, in the order of the grid."""
        rows = [
            (k, event.onset_s, event.offset_s, event.confidence)
            for k, found in enumerate(events)
            for event in sorted(found)
        ]
        index, *columns = zip(*rows, strict=True) if rows else ((), (), (), ())
        return cls(np.array(index, dtype=np.int64), *(np.array(column, dtype=np.float64) for column in columns))

    def at(self, k: int) -> tuple[Event, ...]:
        """Return the events at the threshold of number `k`."""
        first, stop = np.searchsorted(self.index, (k, k + 1)).tolist()
        columns = (self.onset_s, self.offset_s, self.confidence)
        return tuple(
            Event(a, b, min(max(c, 0.0), 1.0))
            for a, b, c in zip(*(column[first:stop].tolist() for column in columns), strict=True)
        )


def sweep(curves: Iterable[Probabilities], decision: DecisionConfig, thresholds: Sequence[float] = THRESHOLDS) -> Sweep:
    """Decide at every threshold.

    Parameters
    ----------
    curves : iterable of Probabilities
        One a segment.
    decision : DecisionConfig
        All but the thresholds.
    thresholds : sequence of float
        On thresholds, ascending; `operating_points.off_threshold` goes with each.

    Returns
    -------
    Sweep
        Confidences are plain means: the card's map is applied where they are shown.
    """
    configs = [decision.with_thresholds(on, off_threshold(on)) for on in thresholds]
    found: list[list[Event]] = [[] for _ in configs]
    for curve in curves:
        cut = _cut(curve.values, configs)
        for k, config in enumerate(configs):
            if np.any(cut.on > k):
                found[k] += _decide(cut, k, config, curve.start_s)
    return Sweep.of(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A curve as runs that no threshold tells apart.

    `on` and `off` count the on and off thresholds at or below the run's samples; `bounds` has one entry more than
    there are runs, and so has `total`, the sum of the plain probability before each. `peak` is the averaged curve's
    highest value in each.
    """

    on: NDArray[np.uint16]
    off: NDArray[np.uint16]
    void: NDArray[np.bool_]
    bounds: NDArray[np.int64]
    total: NDArray[np.float64]
    peak: FloatArray


def _cut(values: FloatArray, configs: Sequence[DecisionConfig]) -> _Cut:
    # As float32, in which the decision compares too.
    grids = [np.array([getattr(c, name) for c in configs], dtype=np.float32) for name in ("enter", "leave")]
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64], FloatArray]] = []
    sums, at = [np.zeros(1)], 0
    for averaged, plain in _averaged(values, configs[0]):
        if not len(averaged):
            continue
        void = np.isnan(averaged)
        on, off = (np.searchsorted(grid, averaged, side="right") for grid in grids)
        changed = (np.diff(on) != 0) | (np.diff(off) != 0) | (np.diff(void.astype(np.int8)) != 0)
        starts = np.concatenate(([0], np.flatnonzero(changed) + 1))
        peaks = np.maximum.reduceat(averaged, starts)
        parts.append((on[starts], off[starts], void[starts], starts + at, peaks))
        sums.append(np.add.reduceat(np.nan_to_num(plain), starts, dtype=np.float64))
        at += len(averaged)
    if not parts:
        counts, none = np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.float32)
        return _Cut(counts, counts, np.zeros(0, np.bool_), np.zeros(1, np.int64), sums[0], none)
    on, off, void, starts, peaks = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return _Cut(
        on.astype(np.uint16),
        off.astype(np.uint16),
        void,
        np.append(starts, at),
        np.cumsum(np.concatenate(sums)),
        peaks,
    )


def _averaged(values: FloatArray, config: DecisionConfig) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield averaged and plain probabilities block by block: a day at once would need gigabytes."""
    curve = DecisionCurve(config)
    for first in range(0, len(values), _BLOCK):
        yield curve.push(np.asarray(values[first : first + _BLOCK]))
    yield curve.finish()


def _decide(cut: _Cut, k: int, config: DecisionConfig, start_s: float) -> list[Event]:
    level = np.where(cut.on > k, HIGH, np.where(cut.off <= k, LOW, MIDDLE))
    level[cut.void] = VOID
    first = np.concatenate(([0], np.flatnonzero(np.diff(level)) + 1))
    bounds = pairwise(np.append(cut.bounds[first], cut.bounds[-1]).tolist())
    columns = (level[first].tolist(), bounds, cut.total[first].tolist(), np.maximum.reduceat(cut.peak, first).tolist())
    runs = [Run(number, *bound, total, peak) for number, bound, total, peak in zip(*columns, strict=True)]
    decision = Decision(config, start_s)
    return decision.push_runs(runs, int(cut.bounds[-1]), float(cut.total[-1])) + decision.finish()
