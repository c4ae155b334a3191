"""Thresholds that keep a false-alarm rate, and the FROC curve they lie on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS: tuple[float, ...] = (*(k / 100 for k in range(1, 100)), 0.995, 0.999)
"""The grid on which operating points are sought."""

HYSTERESIS = 0.08
"""The off threshold lies so far below the on threshold."""

Counts = NDArray[np.int64] | NDArray[np.float64]
"""Whole events, or fractions of events (TAES)."""

_SECONDS_PER_DAY = 86400.0
_ROUNDING = 1e-6  # sums of fractions


def off_threshold(on: float) -> float:
    """Return the off threshold that goes with an on threshold."""
    return max(0.0, on - HYSTERESIS)


def parse_targets(text: str) -> tuple[float, ...]:
    """Read false-alarm targets such as ``1,5,10``; ``10`` and ``10.0`` are one.

    Raises
    ------
    ValueError
        If one is no positive number, or there is none.
    """
    targets: list[float] = []
    for part in text.split(","):
        try:
            target = float(part)
        except ValueError:
            target = math.nan
        if not 0.0 < target < math.inf:
            raise ValueError(f"false-alarm target must be a positive number per 24 h, got {part.strip()!r}")
        if target not in targets:
            targets.append(target)
    return tuple(targets)


@dataclass(frozen=True, slots=True, eq=False)
class RecordingTable:
    """What one recording contributes at every threshold of the grid.

    Parameters
    ----------
    patient : str
    scored_s : float
        Seconds that were both analysed and scored (or the scorer's own duration).
    seizures : int
        Reference events.
    detected : array, shape (n_thresholds,)
    false_alarms : array, shape (n_thresholds,)
    """

    patient: str
    scored_s: float
    seizures: int
    detected: Counts
    false_alarms: Counts

    def __post_init__(self) -> None:
        if self.detected.shape != self.false_alarms.shape:
            raise ValueError(f"tables differ in length: {self.detected.shape} and {self.false_alarms.shape}")
        if np.any(self.detected > self.seizures + _ROUNDING):
            raise ValueError(f"more detected than there are seizures ({self.seizures})")
        for array in (self.detected, self.false_alarms):
            array.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Pooled counts at every threshold: the FROC curve.

    Parameters
    ----------
    thresholds : array of float64, shape (n_thresholds,)
        Ascending.
    detected, false_alarms : array, shape (n_thresholds,)
    seizures : int
    scored_s : float
    """

    thresholds: NDArray[np.float64]
    detected: Counts
    false_alarms: Counts
    seizures: int
    scored_s: float

    @property
    def fa_per_24h(self) -> NDArray[np.float64]:
        """False alarms per 24 h at each threshold."""
        return self.false_alarms / self.scored_s * _SECONDS_PER_DAY

    @property
    def sensitivity(self) -> NDArray[np.float64]:
        """Share of the seizures found at each threshold; NaN without any."""
        if not self.seizures:
            return np.full(len(self.thresholds), math.nan)
        return self.detected / self.seizures


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """One threshold and what it does.

    Parameters
    ----------
    target_fa_per_24h : float
        What was asked for; NaN for a threshold that was given rather than sought.
    reachable : bool
        False: even the highest threshold of the grid alarms more often, and the figures are NaN.
    threshold : float
        On threshold; see `off_threshold`.
    fa_per_24h : float
        The achieved rate.
    false_alarms, detected : float
        Integers unless the scorer counts fractions.
    sensitivity : float
    """

    target_fa_per_24h: float
    reachable: bool
    threshold: float
    fa_per_24h: float
    false_alarms: float
    detected: float
    sensitivity: float


def pool(tables: Sequence[RecordingTable], thresholds: Sequence[float] = THRESHOLDS) -> Curve:
    """Add recordings up.

    Raises
    ------
    ValueError
        If there is no recording, no scored time, or a table of another grid.
    """
    grid = np.asarray(thresholds, dtype=np.float64)
    if np.any(np.diff(grid) <= 0):
        raise ValueError("thresholds must ascend")
    if any(table.detected.shape != grid.shape for table in tables):
        raise ValueError(f"tables must have one entry for each of {len(grid)} thresholds")
    scored_s = math.fsum(table.scored_s for table in tables)
    if not scored_s > 0:
        raise ValueError("no scored time")
    return Curve(
        thresholds=grid,
        detected=np.sum([table.detected for table in tables], axis=0),
        false_alarms=np.sum([table.false_alarms for table in tables], axis=0),
        seizures=sum(table.seizures for table in tables),
        scored_s=scored_s,
    )


def operating_point(curve: Curve, target_fa_per_24h: float) -> OperatingPoint:
    """Return the lowest threshold from which every higher one also keeps the target.

    False alarms are not monotone in the threshold (a very low one merges everything into one event), so the
    lowest threshold that happens to keep the target would be the wrong one.
    """
    # Compared as counts, with slack for rounding: a rate of exactly the target keeps it.
    allowed = target_fa_per_24h * curve.scored_s / _SECONDS_PER_DAY
    too_many = np.flatnonzero(curve.false_alarms > allowed * (1 + 1e-9))
    index = int(too_many[-1]) + 1 if len(too_many) else 0
    if index == len(curve.thresholds):
        return OperatingPoint(target_fa_per_24h, False, math.nan, math.nan, 0, 0, math.nan)
    return _at(curve, index, target_fa_per_24h)


def at_threshold(curve: Curve, threshold: float) -> OperatingPoint:
    """Return what a given threshold of the grid does here, such as one that was fitted elsewhere.

    Raises
    ------
    ValueError
        If the threshold is not on the grid.
    """
    index = np.flatnonzero(np.isclose(curve.thresholds, threshold, rtol=0, atol=1e-9))
    if not len(index):
        raise ValueError(f"threshold {threshold} is not on the grid")
    return _at(curve, int(index[0]), math.nan)


def _at(curve: Curve, index: int, target: float) -> OperatingPoint:
    return OperatingPoint(
        target_fa_per_24h=target,
        reachable=True,
        threshold=float(curve.thresholds[index]),
        fa_per_24h=float(curve.fa_per_24h[index]),
        false_alarms=curve.false_alarms[index].item(),
        detected=curve.detected[index].item(),
        sensitivity=float(curve.sensitivity[index]),
    )


def by_patient(tables: Sequence[RecordingTable], index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return found seizures and seizures of each patient at one threshold, for `intervals.bootstrap_ratio`.

    Returns
    -------
    array, shape (n_patients,)
    array, shape (n_patients,)
    """
    patients = sorted({table.patient for table in tables})
    row = {patient: k for k, patient in enumerate(patients)}
    found, seizures = np.zeros(len(patients)), np.zeros(len(patients))
    for table in tables:
        found[row[table.patient]] += table.detected[index]
        seizures[row[table.patient]] += table.seizures
    return found, seizures
