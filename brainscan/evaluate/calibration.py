"""Operating points and the confidence map of a card, from an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from brainscan.card import Card, OperatingPoint, in_order
from brainscan.evaluate.confidence import candidates, fit_map
from brainscan.evaluate.evaluation import Evaluation
from brainscan.evaluate.output import overlap
from brainscan.evaluate.points import Point
from brainscan.report.page import hours_text

MIN_BACKGROUND_HOURS = 72.0
MIN_PATIENTS = 20
"""A plain name such as ``fa1`` needs so much real background of so many patients."""

MIN_SIMULATED_HOURS = 24.0
"""A name such as ``sim-fa1`` needs so much simulated background: below a day no rate can be told."""

SIMULATED_PREFIX = "sim-"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an evaluation allows to write into a card.

    Parameters
    ----------
    operating_points : mapping of name to OperatingPoint
    confidence_map : tuple of (float, float)
        Empty where too few events were seen.
    notes : tuple of str
        What could not be written, and why.
    """

    operating_points: Mapping[str, OperatingPoint]
    confidence_map: tuple[tuple[float, float], ...]
    notes: tuple[str, ...]

    def applied(self, card: Card) -> Card:
        """Return the card with the new points and map; what was not measured stays as it was."""
        return replace(
            card,
            operating_points=in_order({**card.operating_points, **self.operating_points}),
            confidence_map=self.confidence_map or card.confidence_map,
        )


def calibrate(evaluation: Evaluation, *, simulated: bool = False, with_map: bool = True) -> Calibration:
    """Return operating points and confidence map that an evaluation supports.

    Parameters
    ----------
    evaluation : Evaluation
    simulated : bool
        The corpus is simulated although its annotations do not say so: points get the prefix ``sim-``, and a note
        tells how many do not.
    with_map : bool
        Also fit the map; without it the card keeps the one that it has.
    """
    notes = []
    unmarked = sum(not recording.simulated for recording in evaluation.recordings)
    if simulated and unmarked:
        notes.append(
            f"{unmarked} of {len(evaluation.recordings)} annotations do not say that they are simulated; they are taken"
            " so because of --simulated"
        )
    prefix = SIMULATED_PREFIX if simulated or evaluation.simulated else ""
    too_little = _too_little(evaluation, simulated=bool(prefix))
    if too_little:
        notes.append(too_little)
    points = {}
    for point in () if too_little else evaluation.points:
        if point.op.reachable:
            points[prefix + point.name] = _on_card(point, evaluation.config.corpus)
        else:
            notes.append(f"{prefix}{point.name} is unreachable")
    knots = fit_map(candidates(evaluation.recordings, evaluation.detector.on)) if with_map else ()
    if with_map and not knots:
        notes.append("no confidence map: too few events, true or false")
    return Calibration(points, knots, tuple(notes))


def background_hours(evaluation: Evaluation) -> float:
    """Return the hours that were analysed and judged and are no seizure."""
    seizures_s = math.fsum(
        stop_s - start_s
        for recording in evaluation.recordings
        for start_s, stop_s in overlap([(s.onset_s, s.offset_s) for s in recording.seizures], recording.scored)
    )
    return max(0.0, evaluation.base.hours - seizures_s / 3600.0)


def _too_little(evaluation: Evaluation, *, simulated: bool) -> str:
    """Return why no operating point can be told from so little; empty if there is enough."""
    hours, patients = background_hours(evaluation), evaluation.base.patients
    if simulated:
        found, needed = "simulated background", f"{MIN_SIMULATED_HOURS:g} h"
        enough = hours >= MIN_SIMULATED_HOURS
    else:
        found = f"background of {patients} patient{'' if patients == 1 else 's'}"
        needed = f"{MIN_BACKGROUND_HOURS:g} h of {MIN_PATIENTS}"
        enough = hours >= MIN_BACKGROUND_HOURS and patients >= MIN_PATIENTS
    return "" if enough else f"no operating point: {hours_text(hours)} of {found}, and it takes {needed}"


def _on_card(point: Point, corpus: str) -> OperatingPoint:
    return OperatingPoint(
        target_fa_per_24h=point.op.target_fa_per_24h,
        enter=point.op.threshold,
        leave=point.off,
        fa_per_24h=point.op.fa_per_24h,
        hours=point.base.hours,
        patients=point.base.patients,
        sensitivity=_known(point.op.sensitivity),
        sensitivity_ci95=(_known(point.sensitivity_ci95.low), _known(point.sensitivity_ci95.high, 1.0)),
        source=corpus,
    )


def _known(value: float, otherwise: float = 0.0) -> float:
    """Return a share; JSON has no NaN, and without any seizure nothing is known between 0 and 1."""
    return otherwise if math.isnan(value) else value
