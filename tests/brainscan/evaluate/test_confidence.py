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
    MIN_PATIENTS,
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
    return Candidates(mean, np.random.default_rng(seed).uniform(size=len(mean)) < mean, of_patients(len(mean)))


def of_patients(n: int, patients: int = 2 * MIN_PATIENTS) -> NDArray[np.str_]:
    """Return so many candidates' patients, in turn."""
    return np.array([f"p{k % patients}" for k in range(n)])


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
    people = [len(set(found.patient[chosen])) for chosen in (found.true, ~found.true)]
    assert bool(knots) == (min(n_true, len(mean) - n_true) >= MIN_CANDIDATES and min(people) >= MIN_PATIENTS)
    assert bool(found.too_few) != bool(knots)
    if knots:
        x, y = zip(*knots, strict=True)
        assert (np.diff(x) > 0).all()
        assert (np.diff(y) >= 0).all()
        assert 0.0 < y[0] <= y[-1] < 1.0


def test_the_map_makes_an_overconfident_detector_honest() -> None:
    """Of the events with a mean of 0.9 one in four is true, of those with 0.5 none."""
    mean = np.repeat([0.5, 0.9], 200)
    true = np.concatenate((np.zeros(200, dtype=np.bool_), np.arange(200) % 4 == 0))
    knots = fit_map(Candidates(mean, true, of_patients(400, 13)))
    assert mapped(np.array([0.5, 0.9]), knots) == pytest.approx([0.0025, 0.25], abs=0.005)


@pytest.mark.parametrize(
    ("n_true", "n_false", "true_of", "false_of", "missing"),
    [
        (20, 20, 10, 10, ""),
        (400, 400, 10, 10, ""),
        (19, 20, 10, 10, "19 true events of 10 patients, and it takes 20 true"),
        (20, 19, 10, 10, "19 false events of 10 patients, and it takes"),
        (400, 400, 9, 10, "400 true events of 9 patients"),
        (400, 400, 10, 1, "400 false events of 1 patient, "),
        (1, 0, 1, 0, "1 true event of 1 patient and 0 false events of 0 patients"),
        (0, 0, 0, 0, "0 true events of 0 patients and 0 false events"),
    ],
)
def test_a_map_needs_events_enough_of_patients_enough(
    n_true: int, n_false: int, true_of: int, false_of: int, missing: str
) -> None:
    found = Candidates(
        np.linspace(0.0, 1.0, n_true + n_false),
        np.arange(n_true + n_false) < n_true,
        np.concatenate((of_patients(n_true, max(true_of, 1)), of_patients(n_false, max(false_of, 1)))).astype(np.str_),
    )
    assert missing in found.too_few
    assert bool(found.too_few) == bool(missing)
    assert bool(fit_map(found)) != bool(missing)


def test_each_rise_counts_once_at_the_highest_threshold_that_it_reaches() -> None:
    """The second event is there up to 0.4 only; above the threshold in force nothing else is sought."""
    found = candidates([judged([(100.0, 160.0)], [(110.0, 150.0, 0.95), (500.0, 520.0, 0.4)])], on=0.5)
    assert found.mean.tolist() == [0.95, 0.4]
    assert found.true.tolist() == [True, False]
    assert found.patient.tolist() == ["s/a", "s/a"]
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
