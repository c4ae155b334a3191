"""Operating points and the confidence map of a card, from an evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from brainscan.card import Card
from brainscan.evaluate.confidence import Knots, candidates, fit_map
from brainscan.evaluate.evaluation import Evaluation
from brainscan.evaluate.points import Point
from brainscan.events import overlap
from brainscan.offered import SIMULATED_PREFIX, OperatingPoint, in_order
from brainscan.report.page import hours_text

MIN_BACKGROUND_HOURS = 72.0
MIN_PATIENTS = 20
"""A plain name such as ``fa1`` needs so much real background of so many patients."""

MIN_SIMULATED_HOURS = 24.0
"""A name such as ``sim-fa1`` needs so much simulated background: below a day no rate can be told."""

MIN_SEIZURES = 20
"""Either needs so many seizures: of fewer no share can be told."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an evaluation allows to write into a card.

    Parameters
    ----------
    operating_points : mapping of name to OperatingPoint
    confidence_map : tuple of (float, float)
        Empty where too few events were seen.
    notes : tuple of str
        What could not be written, and why; what was written and will not be offered.
    too_little : str
        What is missing for anything to be written; empty if there is enough.
    """

    operating_points: Mapping[str, OperatingPoint]
    confidence_map: tuple[tuple[float, float], ...]
    notes: tuple[str, ...]
    too_little: str = ""

    def applied(self, card: Card) -> Card:
        """Return the card with the new points and map; what was not measured stays as it was."""
        return replace(
            card,
            operating_points=in_order({**card.operating_points, **self.operating_points}),
            confidence_map=self.confidence_map or card.confidence_map,
        )


def calibrate(evaluation: Evaluation, *, simulated: bool = False, with_map: bool = True) -> Calibration:
    """Return operating points and confidence map that an evaluation supports.

    Both need as much: a map fitted on clips of seizures carries their share of false alarms along.

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
        return Calibration({}, (), tuple(notes), too_little)
    points = {}
    for point in evaluation.points:
        name = f"{prefix}{point.name}"
        if not point.op.reachable:
            notes.append(f"{name} is unreachable")
            continue
        points[name] = _on_card(point, evaluation.config.corpus)
        if not points[name].finds_enough:
            notes.append(
                f"{name} finds {points[name].found}: `detect --operating-point {point.name}` will not offer it"
            )
    knots: Knots = ()
    if with_map:
        found = candidates(evaluation.recordings, evaluation.detector.on)
        knots = fit_map(found)
        if not knots:
            notes.append(f"no confidence map: {found.too_few}")
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
    """Return what there is, what it takes, and what is missing; empty if there is enough."""
    hours = background_hours(evaluation)
    rows = [
        (hours, MIN_SIMULATED_HOURS if simulated else MIN_BACKGROUND_HOURS, "background"),
        (evaluation.base.patients, 0 if simulated else MIN_PATIENTS, "patient"),
        (evaluation.base.seizures, MIN_SEIZURES, "seizure"),
    ]
    if all(have >= need for have, need, _ in rows):
        return ""
    there = ", ".join(_amount(have, what) for have, need, what in rows if need)
    needed = ", ".join(_amount(need, what) for _, need, what in rows if need)
    missing = ", ".join(_amount(need - have, what) for have, need, what in rows if have < need)
    made = "simulated recordings with " if simulated else ""
    return f"too little to calibrate on: {made}{there}, and it takes {needed} (missing: {missing})"


def _amount(number: float, what: str) -> str:
    if what == "background":
        return f"{hours_text(number)} of {what}"
    return f"{number:.0f} {what}{'' if number == 1 else 's'}"


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
