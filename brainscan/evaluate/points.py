"""Operating points with everything that a reader needs to judge them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainscan.scoring.intervals import Interval, bootstrap_ratio, per_24h, poisson_interval
from brainscan.scoring.operating_points import (
    Curve,
    OperatingPoint,
    RecordingTable,
    at_threshold,
    by_patient,
    off_threshold,
    operating_point,
)

SEED = 0
"""Of the bootstrap: the same outputs give the same intervals."""

MIN_HOURS = 24.0
"""A rate that rests on less is a count and an interval."""


@dataclass(frozen=True, slots=True)
class Base:
    """What figures rest on."""

    hours: float
    patients: int
    seizures: int


@dataclass(frozen=True, slots=True)
class Point:
    """One operating point.

    Parameters
    ----------
    name : str
        ``fa5`` for a target of 5 per 24 h, ``default`` for the detector's own decision.
    op : OperatingPoint
    off : float
        Off threshold.
    sensitivity_ci95, fa_ci95 : Interval
        Bootstrap over patients; exact Poisson, per 24 h.
    targets : int
        Reference events as the scorer counts them.
    base : Base
    fitted : mapping
        Where the threshold comes from if it was not sought on these recordings: corpus, hours, patients, rate there.
    """

    name: str
    op: OperatingPoint
    off: float
    sensitivity_ci95: Interval
    fa_ci95: Interval
    targets: int
    base: Base
    fitted: Mapping[str, Any] | None = None

    @property
    def is_rate(self) -> bool:
        """Whether enough hours stand behind the false alarms to call them a rate."""
        return self.base.hours >= MIN_HOURS

    def as_mapping(self) -> dict[str, Any]:
        """Return the fixed JSON form (docs/definitions.md) and more; what does not exist is null."""
        op, known = self.op, self.op.reachable
        target = None if math.isnan(op.target_fa_per_24h) else op.target_fa_per_24h
        return {
            "name": self.name,
            "target_fa_per_24h": target,
            "reachable": known,
            "threshold": op.threshold if known else None,
            "off_threshold": self.off if known else None,
            "fa_per_24h": op.fa_per_24h if known else None,
            "fa_per_24h_ci95": _ends(self.fa_ci95),
            "false_alarms": op.false_alarms if known else None,
            "sensitivity": op.sensitivity if known else None,
            "sensitivity_ci95": _ends(self.sensitivity_ci95),
            "detected": op.detected if known else None,
            "targets": self.targets,
            "hours": self.base.hours,
            "patients": self.base.patients,
            "rests_on_less_than_24_h": not self.is_rate,
            "fitted_on": None if self.fitted is None else dict(self.fitted),
        }


def name_of(target: float) -> str:
    """Return the name of an operating point: ``fa5``, ``fa0.5``."""
    return f"fa{target:g}"


def points_of(
    tables: Sequence[RecordingTable], curve: Curve, targets: Sequence[float], base: Base
) -> tuple[Point, ...]:
    """Return the operating point of each target, sought on these recordings."""
    return tuple(point_of(tables, curve, operating_point(curve, target), base) for target in targets)


def frozen_points(
    tables: Sequence[RecordingTable], curve: Curve, fitted: Sequence[Mapping[str, Any]], base: Base
) -> tuple[Point, ...]:
    """Return what thresholds that were fitted elsewhere do here.

    Parameters
    ----------
    tables : sequence of RecordingTable
    curve : Curve
    fitted : sequence of mapping
        Points of the other evaluation, as `Point.as_mapping` tells them.
    base : Base
    """
    points = []
    for other in fitted:
        target = float(other["target_fa_per_24h"])
        if other["reachable"]:
            here = at_threshold(curve, other["threshold"])
            op = OperatingPoint(
                target, True, here.threshold, here.fa_per_24h, here.false_alarms, here.detected, here.sensitivity
            )
        else:
            op = OperatingPoint(target, False, math.nan, math.nan, 0, 0, math.nan)
        points.append(point_of(tables, curve, op, base, fitted=other))
    return tuple(points)


def point_of(
    tables: Sequence[RecordingTable],
    curve: Curve,
    op: OperatingPoint,
    base: Base,
    *,
    name: str = "",
    fitted: Mapping[str, Any] | None = None,
) -> Point:
    """Return a point with its intervals; it lies on the curve, whose grid the tables have."""
    nothing = Interval(math.nan, math.nan)
    sensitivity, alarms, off = nothing, nothing, math.nan
    if op.reachable:
        index = int(np.argmin(np.abs(curve.thresholds - op.threshold)))
        found, seizures = by_patient(tables, index)
        if np.count_nonzero(seizures) > 1:  # one patient alone says nothing about others
            sensitivity = bootstrap_ratio(found, seizures, np.random.default_rng(SEED))
        count = poisson_interval(round(op.false_alarms))
        alarms = Interval(per_24h(count.low, base.hours), per_24h(count.high, base.hours))
        off = off_threshold(op.threshold)
    return Point(
        name=name or name_of(op.target_fa_per_24h),
        op=op,
        off=off,
        sensitivity_ci95=sensitivity,
        fa_ci95=alarms,
        targets=curve.seizures,
        base=base,
        fitted=fitted,
    )


def _ends(interval: Interval) -> list[float] | None:
    return None if math.isnan(interval.low) else [interval.low, interval.high]
