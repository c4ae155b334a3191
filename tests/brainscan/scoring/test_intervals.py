"""Intervals: exact where they can be, reproducible where they are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainscan.scoring.intervals import (
    bootstrap,
    bootstrap_ratio,
    draws,
    paired_bootstrap,
    per_24h,
    poisson_interval,
    poisson_upper,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def poisson_tail(count: int, mean: float) -> float:
    """Return the probability of at most `count`."""
    return sum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count + 1))


@given(st.integers(0, 60), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_poisson_ends_have_the_tail_they_promise(count: int, confidence: float) -> None:
    interval = poisson_interval(count, confidence)
    tail = (1 - confidence) / 2
    assert poisson_tail(count, interval.high) == pytest.approx(tail, rel=1e-6)
    if count:
        assert 1 - poisson_tail(count - 1, interval.low) == pytest.approx(tail, rel=1e-6)
    else:
        assert interval.low == 0.0
    assert poisson_tail(count, poisson_upper(count, confidence)) == pytest.approx(1 - confidence, rel=1e-6)


def test_no_alarm_in_2_7_hours_only_proves_27_a_day() -> None:
    assert per_24h(poisson_upper(0), 2.7) == pytest.approx(26.63, abs=0.01)


def test_no_hours_no_rate() -> None:
    assert math.isnan(per_24h(0, 0.0))


@pytest.mark.parametrize(("count", "confidence"), [(-1, 0.95), (3, 0.0), (3, 1.0)])
def test_impossible_arguments_are_refused(count: int, confidence: float) -> None:
    with pytest.raises(ValueError, match="needs count"):
        poisson_interval(count, confidence)


def test_draws_keep_the_number_of_patients() -> None:
    weights = draws(5, rng(), 200)
    assert weights.shape == (200, 5)
    assert (weights.sum(axis=1) == 5).all()


def test_the_same_seed_gives_the_same_interval() -> None:
    found, seizures = np.array([3.0, 1.0, 0.0, 8.0]), np.array([4.0, 4.0, 2.0, 8.0])
    assert bootstrap_ratio(found, seizures, rng()) == bootstrap_ratio(found, seizures, rng())


def test_the_interval_holds_the_pooled_ratio_and_stays_within_0_and_1() -> None:
    found, seizures = np.array([3.0, 1.0, 0.0, 8.0, 2.0]), np.array([4.0, 4.0, 2.0, 8.0, 2.0])
    interval = bootstrap_ratio(found, seizures, rng())
    assert 0.0 <= interval.low < found.sum() / seizures.sum() < interval.high <= 1.0


def test_equal_patients_leave_no_doubt() -> None:
    interval = bootstrap_ratio(np.full(6, 2.0), np.full(6, 4.0), rng())
    assert (interval.low, interval.high) == (0.5, 0.5)


def test_patients_not_seizures_are_drawn() -> None:
    """Twenty seizures of two patients, one found whole and one missed, are two observations."""
    interval = bootstrap_ratio(np.array([10.0, 0.0]), np.array([10.0, 10.0]), rng())
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_draws_without_seizures_are_drawn_again() -> None:
    interval = bootstrap_ratio(np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]), rng())
    assert (interval.low, interval.high) == (1.0, 1.0)


@pytest.mark.parametrize("n_groups", [0, 1])
def test_fewer_than_two_patients_have_no_interval(n_groups: int) -> None:
    assert math.isnan(bootstrap(lambda _: 1.0, n_groups, rng()).low)


def test_a_statistic_that_is_never_defined_has_no_interval() -> None:
    assert math.isnan(bootstrap(lambda _: math.nan, 3, rng(), n_draws=5).high)


def test_paired_draws_see_a_difference_that_unpaired_ones_would_not() -> None:
    base = np.array([0.1, 0.9, 0.3, 0.7, 0.5, 0.2, 0.8, 0.6])
    better = base + 0.05

    def mean(values: np.ndarray[tuple[int], np.dtype[np.float64]]):  # type: ignore[no-untyped-def]
        return lambda weights: float(weights @ values / weights.sum())

    difference = paired_bootstrap(mean(base), mean(better), len(base), rng())
    assert difference.estimate == pytest.approx(0.05)
    assert difference.interval.low == pytest.approx(0.05)
    assert difference.p_value == pytest.approx(2 / 1001)


@pytest.mark.parametrize(("n_groups", "values"), [(1, (1.0, 3.0)), (4, (math.nan, 3.0))])
def test_a_comparison_of_one_patient_or_of_nothing_has_no_interval(n_groups: int, values: tuple[float, float]) -> None:
    found = paired_bootstrap(lambda _: values[0], lambda _: values[1], n_groups, rng(), n_draws=5)
    assert found.estimate == pytest.approx(values[1] - values[0], nan_ok=True)
    assert all(math.isnan(each) for each in (found.interval.low, found.interval.high, found.p_value))


def test_a_detector_does_not_differ_from_itself() -> None:
    values = np.array([0.1, 0.9, 0.3])

    def mean(weights: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
        return float(weights @ values / weights.sum())

    difference = paired_bootstrap(mean, mean, 3, rng())
    assert (difference.estimate, difference.p_value) == (0.0, 1.0)


def test_an_interval_is_of_the_percentiles_asked_for() -> None:
    seen: list[float] = []

    def statistic(weights: NDArray[np.int64]) -> float:
        seen.append(float(weights @ np.arange(5.0)))
        return seen[-1]

    interval = bootstrap(statistic, 5, rng(), n_draws=40, confidence=0.8)
    assert len(seen) == 40
    assert (interval.low, interval.high) == pytest.approx(tuple(np.percentile(seen, [10.0, 90.0])))


def test_a_ratio_s_interval_has_the_draws_and_the_confidence_asked_for() -> None:
    found, seizures = np.array([0, 3, 1, 8]), np.array([2, 4, 9, 8])

    def ratio(weights: NDArray[np.int64]) -> float:
        return float(weights @ found) / float(weights @ seizures)

    asked = bootstrap_ratio(found, seizures, rng(), n_draws=50, confidence=0.5)
    assert asked == bootstrap(ratio, 4, rng(), n_draws=50, confidence=0.5)
    assert asked != bootstrap_ratio(found, seizures, rng(), confidence=0.5)
    assert asked != bootstrap_ratio(found, seizures, rng(), n_draws=50)


def test_a_ratio_of_parts_of_one_is_defined() -> None:
    interval = bootstrap_ratio(np.array([0.1, 0.2]), np.array([0.2, 0.4]), rng(), n_draws=20)
    assert (interval.low, interval.high) == pytest.approx((0.5, 0.5))


def test_two_patients_can_be_compared() -> None:
    values = np.array([0.25, 0.75])

    def first(weights: NDArray[np.int64]) -> float:
        return float(weights @ values) / 2

    difference = paired_bootstrap(first, lambda weights: first(weights) + 0.5, 2, rng(), n_draws=20)
    assert (difference.interval.low, difference.interval.high) == pytest.approx((0.5, 0.5))


def test_a_rate_of_minutes() -> None:
    assert per_24h(2, 0.5) == 96.0
