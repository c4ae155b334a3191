"""Events, intervals and masks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.events import BoolArray, Event, Probabilities, complement, mask_of, runs, union
from tests.strategies import masks

intervals = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda p: (float(min(p)), float(max(p)))))


@given(masks)
def test_mask_to_intervals_to_mask_is_identity(mask: BoolArray) -> None:
    spans = [(first / 256, stop / 256) for first, stop in runs(mask).tolist()]
    assert np.array_equal(mask_of(spans, len(mask)), mask)


@given(masks)
def test_runs_are_maximal(mask: BoolArray) -> None:
    spans = runs(mask)
    assert (spans[:, 1] > spans[:, 0]).all()
    assert (spans[1:, 0] > spans[:-1, 1]).all()


def test_intervals_outside_the_array_are_cut() -> None:
    assert mask_of([(-5.0, 0.01), (0.03, 9.0)], 10, rate_hz=100).tolist() == [True] + [False] * 2 + [True] * 7


@given(intervals)
def test_union_is_disjoint_and_covers_the_same(spans: list[tuple[float, float]]) -> None:
    merged = union(spans)
    assert all(a < b for a, b in merged)
    assert all(b < c for (_, b), (c, _) in itertools.pairwise(merged))
    assert np.array_equal(mask_of(merged, 60, 1.0), mask_of(spans, 60, 1.0))


@given(intervals)
def test_union_and_complement_tile_the_time(spans: list[tuple[float, float]]) -> None:
    covered = mask_of(spans, 40, 1.0)
    gaps = complement(spans, 0.0, 40.0)
    assert np.array_equal(mask_of(gaps, 40, 1.0), ~covered)
    assert all(0.0 <= a < b <= 40.0 for a, b in gaps)


@pytest.mark.parametrize(("onset_s", "offset_s"), [(-1.0, 2.0), (3.0, 3.0), (4.0, 3.0), (float("nan"), 1.0)])
def test_event_needs_an_interval(onset_s: float, offset_s: float) -> None:
    with pytest.raises(ValueError, match="onset < offset"):
        Event(onset_s, offset_s, 0.5)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_event_needs_a_confidence_within_bounds(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Event(0.0, 1.0, confidence)


def test_probabilities_are_read_only_and_know_their_end() -> None:
    curve = Probabilities(10.0, np.zeros(512, dtype=np.float32))
    assert curve.stop_s == 12.0
    with pytest.raises(ValueError, match="read-only"):
        curve.values[0] = 1.0
