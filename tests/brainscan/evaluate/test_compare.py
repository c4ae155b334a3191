"""Two detectors on the same patients."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from brainscan.errors import InputError
from brainscan.evaluate.compare import compare
from brainscan.evaluate.evaluation import Evaluation
from tests.brainscan.evaluate.conftest import case_of, figures, judged

TRUTH = [(100.0, 160.0), (1000.0, 1060.0)]


def detector(found_of_two: list[int], *, skip: tuple[int, ...] = ()) -> Evaluation:
    """Return a detector that finds so many of each patient's two seizures, a day a patient, without an alarm."""
    days = [
        judged(TRUTH, [(a, b, 0.9) for a, b in TRUTH[:n]], 86_400.0, case=case_of(f"p{k}"))
        for k, n in enumerate(found_of_two)
        if k not in skip
    ]
    return figures(*days)


@settings(max_examples=15)  # each draws patients a thousand times
@given(found=st.lists(st.integers(0, 2), min_size=2, max_size=6))
def test_a_detector_equals_itself(found: list[int]) -> None:
    same = compare(detector(found), detector(found), (1.0,))
    (point,) = same["points"]
    assert point["difference"] == 0.0
    assert point["difference_ci95"] == [0.0, 0.0]
    assert point["p_value"] == 1.0
    assert (same["recordings"], same["patients"], same["left_out"]) == (len(found), len(found), [])


def test_a_better_one_is_better_in_every_draw() -> None:
    (point,) = compare(detector([1] * 12), detector([2] * 12), (5.0,))["points"]
    assert (point["first_sensitivity"], point["second_sensitivity"]) == (0.5, 1.0)
    assert point["difference_ci95"] == [0.5, 0.5]
    assert point["p_value"] < 0.01


def test_the_order_only_turns_the_sign() -> None:
    first, second = detector([2, 0, 1, 2]), detector([1, 1, 2, 0])
    (there,), (back,) = compare(first, second, (1.0,))["points"], compare(second, first, (1.0,))["points"]
    assert there["difference"] == pytest.approx(-back["difference"])


def given(found_of_two: list[int], *, alarms: int = 0) -> Evaluation:
    """Return what event files without confidence give: as `detector`, certain everywhere, with false alarms."""
    more = [(5000.0 + 100.0 * k, 5050.0 + 100.0 * k, 1.0) for k in range(alarms)]
    days = [
        judged(TRUTH, [*((a, b, 1.0) for a, b in TRUTH[:n]), *more], 86_400.0, case=case_of(f"p{k}"))
        for k, n in enumerate(found_of_two)
    ]
    return figures(*days, on=math.nan)


def test_events_without_confidence_are_compared_as_they_were_given() -> None:
    """At any re-fitted target the events with 20 alarms a day would count as nothing found."""
    for pair in ((given([2] * 6, alarms=20), detector([1] * 6)), (detector([1] * 6), given([2] * 6, alarms=20))):
        found = compare(*pair, (1.0, 5.0))
        (point,) = found["points"]
        assert (point["name"], point["target_fa_per_24h"]) == ("default", None)
        both = {(point[f"{side}_sensitivity"], point[f"{side}_false_alarms"]) for side in ("first", "second")}
        assert both == {(1.0, 120.0), (0.5, 0.0)}
        assert abs(point["difference"]) == 0.5
    assert found["as_given"] == [found["names"][1]]


def test_graded_confidence_is_compared_at_targets() -> None:
    found = compare(detector([1, 2]), detector([2, 2]), (1.0, 5.0))
    assert [point["name"] for point in found["points"]] == ["fa1", "fa5"]
    assert found["as_given"] == []


def test_detectors_of_one_name_are_told_apart() -> None:
    assert compare(detector([1]), detector([1]), (1.0,))["names"] == ["stand-in (first)", "stand-in (second)"]


def test_what_either_lacks_is_left_out_and_said() -> None:
    found = compare(detector([2, 2, 0]), detector([2, 2, 2], skip=(2,)), (1.0,))
    assert (found["recordings"], found["left_out"]) == (2, ["p2.edf"])
    assert found["points"][0]["difference"] == 0.0
    assert found["hours"] == pytest.approx(48.0)


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(InputError, match="share no recording"):
        compare(detector([1, 1], skip=(1,)), detector([1, 1], skip=(0,)), (1.0,))
