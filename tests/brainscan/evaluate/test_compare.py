"""Two detectors on the same patients."""

from __future__ import annotations

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


def test_what_either_lacks_is_left_out_and_said() -> None:
    found = compare(detector([2, 2, 0]), detector([2, 2, 2], skip=(2,)), (1.0,))
    assert (found["recordings"], found["left_out"]) == (2, ["p2.edf"])
    assert found["points"][0]["difference"] == 0.0
    assert found["hours"] == pytest.approx(48.0)


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(InputError, match="share no recording"):
        compare(detector([1, 1], skip=(1,)), detector([1, 1], skip=(0,)), (1.0,))
