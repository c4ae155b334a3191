"""What an evaluation allows to write into a card."""

from __future__ import annotations

import pytest

from brainscan.card import Card
from brainscan.evaluate.calibration import (
    MIN_PATIENTS,
    MIN_SEIZURES,
    MIN_SIMULATED_HOURS,
    background_hours,
    calibrate,
)
from brainscan.evaluate.evaluation import Evaluation
from tests.brainscan.evaluate.conftest import Found, case_of, figures, judged

CARD = Card(name="x", variant={}, confidence_map=((0.0, 0.0), (1.0, 1.0)))


def days(n_patients: int, hours: float = 4.0, n_seizures: int = MIN_SEIZURES) -> Evaluation:
    """Return so many patients and seizures that are found, in turn, and an alarm up to 0.6 in the first patient."""
    alarm: list[Found] = [(9000.0, 9030.0, 0.6)]

    def spans(k: int) -> list[tuple[float, float]]:
        return [(100.0 * n + 100.0, 100.0 * n + 160.0) for n in range(len(range(k, n_seizures, n_patients)))]

    return figures(
        *(
            judged(
                spans(k),
                [*((a + 10.0, b - 10.0, 0.9) for a, b in spans(k)), *alarm[k:]],
                hours * 3600.0,
                case=case_of(f"p{k}"),
            )
            for k in range(n_patients)
        )
    )


def test_a_plain_name_needs_enough_background_of_enough_patients_with_enough_seizures() -> None:
    assert list(calibrate(days(MIN_PATIENTS)).operating_points) == ["fa1", "fa5", "fa10"]


NEEDED = "and it takes 72.0 h of background, 20 patients, 20 seizures"
SIMULATED = "and it takes 24.0 h of background, 20 seizures"


@pytest.mark.parametrize(
    ("evaluation", "simulated", "there", "missing"),
    [
        (days(19, 5.0), False, f"94.7 h of background, 19 patients, 20 seizures, {NEEDED}", "1 patient"),
        (days(20, 3.0), False, f"59.7 h of background, 20 patients, 20 seizures, {NEEDED}", "12.3 h of background"),
        (days(20, 4.0, 19), False, f"79.7 h of background, 20 patients, 19 seizures, {NEEDED}", "1 seizure"),
        (days(20, 4.0, 0), False, "20 patients, 0 seizures", "20 seizures"),
        (
            days(1, 0.4, 3),
            False,
            "21.0 min of background, 1 patient, 3 seizures",
            "71.7 h of background, 19 patients, 17 seizures",
        ),
        (days(4, 6.0), True, f"simulated recordings with 23.7 h of background, 20 seizures, {SIMULATED}", "20.0 min"),
        (days(4, 9.0, 8), True, "8 seizures", "12 seizures"),
    ],
)
def test_with_less_there_is_neither_point_nor_map_and_it_says_what_is_missing(
    evaluation: Evaluation, simulated: bool, there: str, missing: str
) -> None:
    found = calibrate(evaluation, simulated=simulated)
    assert (found.operating_points, found.confidence_map) == ({}, ())
    assert there in found.too_little
    assert f"(missing: {missing}" in found.too_little


def test_a_point_that_finds_next_to_nothing_is_written_and_told() -> None:
    blind = figures(
        *(
            judged([(100.0, 160.0)], [(110.0, 150.0, 0.9)] if k < 2 else [], 14_400.0, case=case_of(f"p{k}"))
            for k in range(24)
        )
    )
    found = calibrate(blind, with_map=False)
    assert list(found.operating_points) == ["fa1", "fa5", "fa10"]
    assert "fa1 finds 8% of the seizures (95 %: 0 to 21 %)" in found.notes[0]
    assert "will not offer it" in found.notes[0]
    assert found.applied(CARD).offered == {}


def test_a_point_carries_what_it_rests_on() -> None:
    point = calibrate(days(24), simulated=True).operating_points["sim-fa1"]
    assert (point.target_fa_per_24h, point.hours, point.patients, point.source) == (1.0, 96.0, 24, "corpus")
    assert (point.enter, point.leave) == pytest.approx((0.01, 0.0))
    assert point.fa_per_24h == pytest.approx(0.25)
    assert point.sensitivity_ci95 == (1.0, 1.0)


def test_simulation_needs_a_day_of_background() -> None:
    enough = days(4, MIN_SIMULATED_HOURS / 4 + 0.1)
    assert list(calibrate(enough, simulated=True).operating_points) == ["sim-fa1", "sim-fa5", "sim-fa10"]


def test_annotations_that_do_not_say_simulated_are_told_once() -> None:
    notes = calibrate(days(4, 8.0), simulated=True, with_map=False).notes
    assert notes == ("4 of 4 annotations do not say that they are simulated; they are taken so because of --simulated",)
    assert calibrate(days(24), with_map=False).notes == ()


def test_points_stand_in_the_order_of_their_targets() -> None:
    card = calibrate(days(24), simulated=True).applied(calibrate(days(24)).applied(CARD))
    names = ["fa1", "fa5", "fa10", "sim-fa1", "sim-fa5", "sim-fa10"]
    assert list(card.operating_points) == names
    assert list(Card.from_json(card.to_json()).operating_points) == names


def test_other_points_and_the_map_stay_where_nothing_new_is_known() -> None:
    found = calibrate(days(24), with_map=False)
    card = found.applied(CARD)
    assert set(card.operating_points) == {"fa1", "fa5", "fa10"}
    assert card.confidence_map == CARD.confidence_map
    assert card.decision == CARD.decision


def test_a_map_is_written_where_there_are_events_enough_of_patients_enough() -> None:
    events: list[Found] = [(200.0 * k, 200.0 * k + 50.0, 0.6 + 0.01 * (k % 30)) for k in range(4)]
    people = [
        judged([(200.0 * k, 200.0 * k + 30.0) for k in range(0, 4, 2)], events, 14_400.0, case=case_of(f"p{n}"))
        for n in range(24)
    ]
    assert calibrate(figures(*people)).applied(CARD).confidence_map != CARD.confidence_map
    one = judged([(200.0 * k, 200.0 * k + 30.0) for k in range(0, 60, 2)], events, 86_400.0 * 2)
    found = calibrate(figures(one, *days(24, 4.0, 0).recordings), simulated=True)
    assert found.applied(CARD).confidence_map == CARD.confidence_map
    assert any("no confidence map: 2 true events of 1 patient" in note for note in found.notes)


def test_background_is_what_was_judged_and_is_no_seizure() -> None:
    assert background_hours(figures(judged([(0.0, 1800.0)], []))) == pytest.approx(0.5)
