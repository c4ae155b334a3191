"""Candidates, reliability and the monotone map."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from brainscan.evaluate.confidence import (
    MIN_CANDIDATES,
    Candidates,
    candidates,
    fit_map,
    mapped,
    pool_violators,
    reliability,
    with_map,
)
from brainscan.events import Event
from tests.brainscan.evaluate.conftest import judged

means = hnp.arrays(np.float64, st.integers(60, 120), elements=st.floats(0.0, 1.0))


def drawn(mean: NDArray[np.float64], seed: int) -> Candidates:
    """Return candidates that are true as often as their mean says."""
    return Candidates(mean, np.random.default_rng(seed).uniform(size=len(mean)) < mean)


@given(
    values=st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=30),
    seed=st.integers(0, 99),
)
def test_pooling_gives_a_rising_sequence_with_the_same_means(values: list[float], seed: int) -> None:
    weights = np.random.default_rng(seed).uniform(0.1, 3.0, len(values))
    array = np.array(values)
    blocks = pool_violators(array, weights)
    assert [first for first, *_ in blocks] == [0, *(stop for _, stop, _ in blocks[:-1])]
    assert blocks[-1][1] == len(values)
    heights = [height for *_, height in blocks]
    assert heights == sorted(heights)
    for first, stop, height in blocks:
        assert height == pytest.approx(np.average(array[first:stop], weights=weights[first:stop]))
        # Least squares: no beginning of a block lies below the whole of it.
        for k in range(first + 1, stop):
            assert np.average(array[first:k], weights=weights[first:k]) >= height - 1e-9


@given(mean=means, seed=st.integers(0, 99))
def test_the_map_rises_and_never_promises_certainty(mean: NDArray[np.float64], seed: int) -> None:
    found = drawn(mean, seed)
    knots = fit_map(found)
    n_true = int(found.true.sum())
    assert bool(knots) == (min(n_true, len(mean) - n_true) >= MIN_CANDIDATES)
    if knots:
        x, y = zip(*knots, strict=True)
        assert (np.diff(x) > 0).all()
        assert (np.diff(y) >= 0).all()
        assert 0.0 < y[0] <= y[-1] < 1.0


def test_the_map_makes_an_overconfident_detector_honest() -> None:
    """Of the events with a mean of 0.9 one in four is true, of those with 0.5 none."""
    mean = np.repeat([0.5, 0.9], 200)
    true = np.concatenate((np.zeros(200, dtype=np.bool_), np.arange(200) % 4 == 0))
    knots = fit_map(Candidates(mean, true))
    assert mapped(np.array([0.5, 0.9]), knots) == pytest.approx([0.0025, 0.25], abs=0.005)


def test_each_rise_counts_once_at_the_highest_threshold_that_it_reaches() -> None:
    """The second event is there up to 0.4 only; above the threshold in force nothing else is sought."""
    found = candidates([judged([(100.0, 160.0)], [(110.0, 150.0, 0.95), (500.0, 520.0, 0.4)])], on=0.5)
    assert found.mean.tolist() == [0.95, 0.4]
    assert found.true.tolist() == [True, False]
    assert candidates([judged([], [(500.0, 520.0, 0.2)])], on=0.5).mean.size == 0


@given(mean=means, seed=st.integers(0, 99))
def test_reliability_counts_every_candidate_once(mean: NDArray[np.float64], seed: int) -> None:
    found = drawn(mean, seed)
    rows = reliability(found)
    assert sum(row["events"] for row in rows) == len(mean)
    assert sum(row["events"] * row["true_share"] for row in rows) == pytest.approx(found.true.sum())
    assert all(row["from"] - 1e-9 <= row["confidence"] <= row["to"] + 1e-9 for row in rows)


def test_a_map_touches_confidences_only() -> None:
    events = (Event(1.0, 2.0, 0.5), Event(3.0, 400.0, 0.9, True))
    assert with_map(events, ()) == events
    assert with_map(events, ((0.4, 0.0), (0.6, 0.2))) == (Event(1.0, 2.0, 0.1), Event(3.0, 400.0, 0.2, True))
