"""Two detectors on the same recordings: paired bootstrap over patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.errors import InputError
from brainscan.evaluate.evaluation import DEFAULT, Evaluation
from brainscan.evaluate.points import SEED, name_of
from brainscan.scoring.intervals import Difference, Statistic, paired_bootstrap
from brainscan.scoring.operating_points import Curve, OperatingPoint, RecordingTable, operating_point


@dataclass(frozen=True, slots=True, eq=False)
class _ByPatient:
    """Counts of each patient at every threshold; rows are patients."""

    thresholds: NDArray[np.float64]
    detected: NDArray[np.float64]
    false_alarms: NDArray[np.float64]
    seizures: NDArray[np.int64]
    scored_s: NDArray[np.float64]

    def sensitivity_at(self, target: float) -> Statistic:
        """Return the sensitivity at a false-alarm target as a function of how often each patient is drawn.

        The threshold is sought anew in each draw, as it would have been on those patients. Where none keeps the
        target, a threshold above all others does: nothing is found.
        """

        def statistic(weights: NDArray[np.int64]) -> float:
            if not weights @ self.seizures or not weights @ self.scored_s:
                return math.nan
            op = self._at(target, weights)
            return op.sensitivity if op.reachable else 0.0

        return statistic

    def false_alarms_at(self, target: float, weights: NDArray[np.int64]) -> float:
        """Return the false alarms at a target: none where it is out of reach, and nothing is found."""
        return float(self._at(target, weights).false_alarms)

    def _at(self, target: float, weights: NDArray[np.int64]) -> OperatingPoint:
        seizures, scored_s = int(weights @ self.seizures), float(weights @ self.scored_s)
        curve = Curve(self.thresholds, weights @ self.detected, weights @ self.false_alarms, seizures, scored_s)
        return operating_point(curve, target)

    def sensitivity(self) -> Statistic:
        """Return the sensitivity at the first threshold, whatever it alarms, as a function of the draw."""

        def statistic(weights: NDArray[np.int64]) -> float:
            seizures = int(weights @ self.seizures)
            return float(weights @ self.detected[:, 0]) / seizures if seizures else math.nan

        return statistic


def compare(first: Evaluation, second: Evaluation, targets: Sequence[float]) -> dict[str, Any]:
    """Compare the sensitivities of two detectors at equal false-alarm targets.

    Where one of them gave events that no threshold tells apart, its false alarms are what they are: seeking the
    other's threshold anew would compare a choice with a given. Both are then compared at their own decisions.

    Parameters
    ----------
    first, second : Evaluation
        Of the same corpus with the same scorer; recordings that either lacks are left out of the comparison.
    targets : sequence of float
        False alarms per 24 h.

    Returns
    -------
    dict
        ``names``, ``detector``, ``recordings``, ``patients``, ``hours``, ``left_out``, ``as_given`` (names of
        detectors with a single point) and ``points``: for each target, or for the detectors' own decisions, both
        sensitivities, second minus first, its 95 % interval, a two-sided p value and both counts of false alarms.

    Raises
    ------
    InputError
        If no recording is in both.
    """
    common = _names(first) & _names(second)
    if not common:
        raise InputError("the two detectors share no recording", kind="empty", file=second.detector.name)
    both, names = (first, second), _labels(first, second)
    given = [name for name, evaluation in zip(names, both, strict=True) if evaluation.as_given]
    sides = tuple(_by_patient(evaluation, common, at_default=bool(given)) for evaluation in both)
    mine = sides[0]
    if given:
        pair = tuple(side.sensitivity() for side in sides)
        alarms = tuple(float(side.false_alarms.sum()) for side in sides)
        points = [_point(DEFAULT, None, pair, len(mine.seizures), alarms)]
    else:
        points = [_sought(sides, target) for target in targets]
    return {
        "names": names,
        "as_given": given,
        "detector": second.detector.as_mapping(),
        "recordings": len(common),
        "patients": len(mine.seizures),
        "hours": float(mine.scored_s.sum()) / 3600.0,
        "left_out": sorted(_names(first) ^ _names(second)),
        "points": points,
        "second": {
            "operating_points": [point.as_mapping() for point in second.points],
            "default": second.default.as_mapping(),
        },
    }


def _labels(first: Evaluation, second: Evaluation) -> list[str]:
    """Return how to call the two: by name, and by checksum or number too where they have the same."""
    one, other = first.detector, second.detector
    if one.name != other.name:
        return [one.name, other.name]
    if one.sha256[:8] != other.sha256[:8]:
        return [f"{facts.name} {facts.sha256[:8]}".strip() for facts in (one, other)]
    return [f"{one.name} (first)", f"{other.name} (second)"]


def _sought(sides: Sequence[_ByPatient], target: float) -> dict[str, Any]:
    """Return the comparison at a target, each side's threshold sought on all patients (and in each draw)."""
    everyone = np.ones(len(sides[0].seizures), dtype=np.int64)
    pair = tuple(side.sensitivity_at(target) for side in sides)
    alarms = tuple(side.false_alarms_at(target, everyone) for side in sides)
    return _point(name_of(target), target, pair, len(everyone), alarms)


def _point(
    name: str, target: float | None, pair: Sequence[Statistic], n_patients: int, alarms: Sequence[float]
) -> dict[str, Any]:
    one, other = pair
    everyone = np.ones(n_patients, dtype=np.int64)
    difference = paired_bootstrap(one, other, n_patients, np.random.default_rng(SEED))
    return {
        "name": name,
        "target_fa_per_24h": target,
        "first_sensitivity": one(everyone),
        "second_sensitivity": other(everyone),
        "first_false_alarms": alarms[0],
        "second_false_alarms": alarms[1],
        **_difference(difference),
    }


def _names(evaluation: Evaluation) -> set[str]:
    return {recording.case.name for recording in evaluation.recordings}


def _by_patient(evaluation: Evaluation, names: set[str], *, at_default: bool) -> _ByPatient:
    kept = evaluation.default_tables() if at_default else evaluation.tables
    tables = [
        table for recording, table in zip(evaluation.recordings, kept, strict=True) if recording.case.name in names
    ]
    patients = sorted({table.patient for table in tables})
    groups: list[list[RecordingTable]] = [[t for t in tables if t.patient == patient] for patient in patients]
    return _ByPatient(
        thresholds=evaluation.curve.thresholds,
        detected=np.array([np.sum([t.detected for t in group], axis=0) for group in groups], dtype=np.float64),
        false_alarms=np.array([np.sum([t.false_alarms for t in group], axis=0) for group in groups], np.float64),
        seizures=np.array([sum(t.seizures for t in group) for group in groups], dtype=np.int64),
        scored_s=np.array([math.fsum(t.scored_s for t in group) for group in groups], dtype=np.float64),
    )


def _difference(difference: Difference) -> dict[str, Any]:
    interval = difference.interval
    return {
        "difference": difference.estimate,
        "difference_ci95": None if math.isnan(interval.low) else [interval.low, interval.high],
        "p_value": difference.p_value,
    }
