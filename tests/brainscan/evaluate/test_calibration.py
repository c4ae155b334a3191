"""What an evaluation allows to write into a card."""

from __future__ import annotations

import pytest

from brainscan.card import Card
from brainscan.evaluate.calibration import MIN_PATIENTS, MIN_SIMULATED_HOURS, background_hours, calibrate
from brainscan.evaluate.evaluation import Evaluation
from tests.brainscan.evaluate.conftest import Found, case_of, figures, judged

CARD = Card(name="x", variant={}, confidence_map=((0.0, 0.0), (1.0, 1.0)))


def days(n_patients: int, hours: float = 4.0) -> Evaluation:
    """Return so many patients, each with a seizure that is found and, in the first, an alarm up to 0.6."""
    alarm: list[Found] = [(900.0, 930.0, 0.6)]
    return figures(
        *(
            judged([(100.0, 160.0)], [(110.0, 150.0, 0.9), *alarm[k:]], hours * 3600.0, case=case_of(f"p{k}"))
            for k in range(n_patients)
        )
    )


def test_a_plain_name_needs_enough_background_of_enough_patients() -> None:
    enough = calibrate(days(MIN_PATIENTS))
    assert list(enough.operating_points) == ["fa1", "fa5", "fa10"]
    for few in (days(MIN_PATIENTS - 1, 5.0), days(MIN_PATIENTS, 3.0)):
        found = calibrate(few)
        assert not found.operating_points
        assert "it takes 72 h of 20" in found.notes[0]


def test_a_point_carries_what_it_rests_on() -> None:
    point = calibrate(days(24), simulated=True).operating_points["sim-fa1"]
    assert (point.target_fa_per_24h, point.hours, point.patients, point.source) == (1.0, 96.0, 24, "corpus")
    assert (point.enter, point.leave) == pytest.approx((0.01, 0.0))
    assert point.fa_per_24h == pytest.approx(0.25)
    assert point.sensitivity_ci95 == (1.0, 1.0)


def test_simulation_needs_a_day_of_background() -> None:
    enough, less = days(4, MIN_SIMULATED_HOURS / 4 + 0.1), days(4, MIN_SIMULATED_HOURS / 4)
    assert list(calibrate(enough, simulated=True).operating_points) == ["sim-fa1", "sim-fa5", "sim-fa10"]
    found = calibrate(less, simulated=True)
    assert not found.operating_points
    assert any("it takes 24 h" in note for note in found.notes)


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


def test_a_map_is_written_where_there_are_events_enough() -> None:
    events: list[Found] = [(200.0 * k, 200.0 * k + 50.0, 0.6 + 0.01 * (k % 30)) for k in range(60)]
    day = judged([(200.0 * k, 200.0 * k + 30.0) for k in range(0, 60, 2)], events, 86_400.0)
    assert calibrate(figures(day)).applied(CARD).confidence_map != CARD.confidence_map


def test_background_is_what_was_judged_and_is_no_seizure() -> None:
    assert background_hours(figures(judged([(0.0, 1800.0)], []))) == pytest.approx(0.5)
