"""Two detectors on the same recordings: paired bootstrap over patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.errors import InputError
from brainscan.evaluate.evaluation import Evaluation
from brainscan.evaluate.points import SEED, name_of
from brainscan.scoring.intervals import Difference, Statistic, paired_bootstrap
from brainscan.scoring.operating_points import Curve, RecordingTable, operating_point


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
            seizures = int(weights @ self.seizures)
            scored_s = float(weights @ self.scored_s)
            if not seizures or not scored_s:
                return math.nan
            curve = Curve(self.thresholds, weights @ self.detected, weights @ self.false_alarms, seizures, scored_s)
            op = operating_point(curve, target)
            return op.sensitivity if op.reachable else 0.0

        return statistic


def compare(first: Evaluation, second: Evaluation, targets: Sequence[float]) -> dict[str, Any]:
    """Compare the sensitivities of two detectors at equal false-alarm targets.

    Parameters
    ----------
    first, second : Evaluation
        Of the same corpus with the same scorer; recordings that either lacks are left out of the comparison.
    targets : sequence of float
        False alarms per 24 h.

    Returns
    -------
    dict
        ``detector``, ``recordings``, ``patients``, ``hours``, ``left_out`` and ``points``: for each target both
        sensitivities, second minus first, its 95 % interval and a two-sided p value.

    Raises
    ------
    InputError
        If no recording is in both.
    """
    common = _names(first) & _names(second)
    if not common:
        raise InputError("the two detectors share no recording", kind="empty", file=second.detector.name)
    mine, theirs = (_by_patient(evaluation, common) for evaluation in (first, second))
    everyone = np.ones(len(mine.seizures), dtype=np.int64)
    points = []
    for target in targets:
        one, other = mine.sensitivity_at(target), theirs.sensitivity_at(target)
        difference = paired_bootstrap(one, other, len(everyone), np.random.default_rng(SEED))
        points.append(
            {
                "name": name_of(target),
                "target_fa_per_24h": target,
                "first_sensitivity": one(everyone),
                "second_sensitivity": other(everyone),
                **_difference(difference),
            }
        )
    return {
        "detector": second.detector.as_mapping(),
        "recordings": len(common),
        "patients": len(everyone),
        "hours": float(mine.scored_s.sum()) / 3600.0,
        "left_out": sorted(_names(first) ^ _names(second)),
        "points": points,
        "second": {
            "operating_points": [point.as_mapping() for point in second.points],
            "default": second.default.as_mapping(),
        },
    }


def _names(evaluation: Evaluation) -> set[str]:
    return {recording.case.name for recording in evaluation.recordings}


def _by_patient(evaluation: Evaluation, names: set[str]) -> _ByPatient:
    tables = [
        table
        for recording, table in zip(evaluation.recordings, evaluation.tables, strict=True)
        if recording.case.name in names
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
