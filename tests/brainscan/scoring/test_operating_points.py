"""Operating points: the published traps, each as a test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.scoring.operating_points import (
    THRESHOLDS,
    Curve,
    RecordingTable,
    at_threshold,
    by_patient,
    off_threshold,
    operating_point,
    parse_targets,
    pool,
)

DAY_S = 86400.0
N = len(THRESHOLDS)


def table(
    false_alarms: list[int], *, detected: list[int] | None = None, scored_s: float = DAY_S, patient: str = "p"
) -> RecordingTable:
    filled = np.array(false_alarms + [0] * (N - len(false_alarms)))
    found = np.array(detected if detected is not None else [0] * N)
    return RecordingTable(patient, scored_s, int(found.max()), found, filled)


def test_the_grid_is_the_stated_one() -> None:
    assert len(THRESHOLDS) == 101
    assert (THRESHOLDS[0], THRESHOLDS[85], *THRESHOLDS[-3:]) == (0.01, 0.86, 0.99, 0.995, 0.999)


@pytest.mark.parametrize(("on", "off"), [(0.86, 0.78), (0.08, 0.0), (0.05, 0.0)])
def test_off_threshold(on: float, off: float) -> None:
    assert off_threshold(on) == pytest.approx(off)


def test_a_low_threshold_that_merges_everything_is_no_operating_point() -> None:
    """One event over the whole recording keeps any target at 0.01; the point lies above the bad thresholds."""
    curve = pool([table([1, 50, 40, 30, 2, 1, 1])])
    assert operating_point(curve, 1.0).threshold == THRESHOLDS[5]
    assert operating_point(curve, 2.0).threshold == THRESHOLDS[4]


def test_an_unreachable_target_is_said_to_be_unreachable() -> None:
    point = operating_point(pool([table([9] * N)]), 5.0)
    assert not point.reachable
    assert (point.target_fa_per_24h, point.false_alarms, point.detected) == (5.0, 0, 0)
    assert all(math.isnan(each) for each in (point.threshold, point.fa_per_24h, point.sensitivity))


def test_without_false_alarms_the_lowest_threshold_does() -> None:
    assert operating_point(pool([table([])]), 1.0).threshold == THRESHOLDS[0]


def test_a_rate_of_exactly_the_target_keeps_it() -> None:
    curve = pool([table([3] * N, scored_s=DAY_S * 0.3)])
    assert operating_point(curve, 10.0).reachable


def test_one_false_alarm_in_ten_minutes_is_144_a_day() -> None:
    curve = pool([table([1] * N, scored_s=600.0)])
    assert curve.fa_per_24h[0] == pytest.approx(144.0)
    assert not operating_point(curve, 143.0).reachable
    assert operating_point(curve, 144.0).reachable


def test_recordings_are_pooled_before_rates_are_formed() -> None:
    busy = table([2] * N, scored_s=600.0)
    quiet = table([], scored_s=DAY_S * 2 - 600.0)
    assert operating_point(pool([busy, quiet]), 1.0).fa_per_24h == pytest.approx(1.0)


def test_the_achieved_rate_and_counts_are_reported() -> None:
    curve = pool([table([8, 4], detected=[5] * N)])
    point = operating_point(curve, 5.0)
    assert (point.threshold, point.false_alarms, point.detected) == (0.02, 4, 5)
    assert (point.fa_per_24h, point.sensitivity, point.target_fa_per_24h) == (4.0, 1.0, 5.0)


def test_a_frozen_threshold_is_applied_as_it_is() -> None:
    point = at_threshold(pool([table([8, 4, 2])]), 0.02)
    assert (point.reachable, point.false_alarms, math.isnan(point.target_fa_per_24h)) == (True, 4, True)


@pytest.mark.parametrize("between", [0.025, 0.02 + 5e-9, 0.990005])
def test_only_thresholds_of_the_grid_are_known(between: float) -> None:
    with pytest.raises(ValueError, match="grid"):
        at_threshold(pool([table([8])]), between)
    assert at_threshold(pool([table([8])]), 0.02 + 1e-10).threshold == 0.02


@given(st.lists(st.integers(0, 20), min_size=N, max_size=N), st.floats(0.1, 25))
def test_every_higher_threshold_keeps_the_target(false_alarms: list[int], target: float) -> None:
    curve = pool([table(false_alarms)])
    point = operating_point(curve, target)
    rates = curve.fa_per_24h
    above = rates[curve.thresholds >= point.threshold] if point.reachable else rates[-1:]
    assert point.reachable == bool((above <= target).all())
    if point.reachable and point.threshold > THRESHOLDS[0]:
        below = int(np.flatnonzero(curve.thresholds == point.threshold)[0]) - 1
        assert rates[below] > target


@given(st.lists(st.integers(0, 20), min_size=N, max_size=N), st.floats(0.1, 25), st.floats(0.1, 25))
def test_a_looser_target_never_needs_a_higher_threshold(false_alarms: list[int], one: float, other: float) -> None:
    curve = pool([table(false_alarms)])
    tight, loose = (operating_point(curve, target) for target in sorted((one, other)))
    assert loose.reachable or not tight.reachable
    if tight.reachable:
        assert loose.threshold <= tight.threshold


def test_10_and_10_0_are_one_target() -> None:
    assert parse_targets("1, 10,10.0 ,5") == (1.0, 10.0, 5.0)


@pytest.mark.parametrize("text", ["", "0", "-1", "ten", "nan", "inf", "1,,2"])
def test_targets_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="positive number"):
        parse_targets(text)


def test_tables_of_another_grid_are_refused() -> None:
    short = RecordingTable("p", 1.0, 0, np.zeros(3, int), np.zeros(3, int))
    with pytest.raises(ValueError, match="101"):
        pool([short])


@pytest.mark.parametrize("grid", [(0.1, 0.5, 0.5), (0.5, 0.1, 0.9), (0.1, 0.1, 0.1)])
def test_a_grid_that_does_not_ascend_is_refused(grid: tuple[float, ...]) -> None:
    """Equal neighbours too: which of two counts belongs to the threshold would be chance."""
    three = RecordingTable("p", DAY_S, 2, np.array([2, 1, 0]), np.array([3, 2, 1]))
    with pytest.raises(ValueError, match="ascend"):
        pool([three], grid)
    assert pool([three], (0.1, 0.5, 0.9)).thresholds.tolist() == [0.1, 0.5, 0.9]
    assert pool([three], (0, 1, 2)).thresholds.dtype == np.float64


def test_no_scored_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no scored time"):
        pool([table([], scored_s=0.0)])
    assert pool([table([], scored_s=0.5)]).scored_s == 0.5


def test_more_found_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match="more detected"):
        RecordingTable("p", 1.0, 1, np.full(N, 2), np.zeros(N, int))
    RecordingTable("p", 1.0, 1, np.full(N, 1.0 + 1e-9), np.zeros(N))  # fractions add up to one but for rounding


def test_a_table_is_whole_and_stays_as_it_is() -> None:
    with pytest.raises(ValueError, match="length"):
        RecordingTable("p", 1.0, 1, np.zeros(3, int), np.zeros(4, int))
    made = table([1])
    for array in (made.detected, made.false_alarms):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9


def test_a_corpus_without_seizures_has_no_sensitivity() -> None:
    assert math.isnan(operating_point(pool([table([])]), 1.0).sensitivity)


def test_patients_with_several_recordings_are_one_patient() -> None:
    tables = [
        table([], detected=[2] * N, patient="a"),
        table([], detected=[1] * N, patient="b"),
        table([], detected=[3] + [0] * (N - 1), patient="a"),
    ]
    found, seizures = by_patient(tables, 5)
    assert (found.tolist(), seizures.tolist()) == ([2.0, 1.0], [5.0, 1.0])


def test_a_curve_is_the_froc() -> None:
    curve = pool([table([8, 4, 0], detected=[4, 3, 2] + [0] * (N - 3))])
    assert isinstance(curve, Curve)
    assert curve.sensitivity[:3].tolist() == [1.0, 0.75, 0.5]
    assert curve.fa_per_24h[:3].tolist() == [8.0, 4.0, 0.0]
