"""Events at every threshold from one pass are those that the detector would decide on at each."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from brainscan.card import DecisionConfig, PostictalConfig
from brainscan.decision.postprocess import find_events
from brainscan.evaluate.sweep import Sweep, sweep
from brainscan.events import Event, Probabilities
from brainscan.scoring.operating_points import THRESHOLDS, off_threshold
from tests.strategies import holed_curves

DECISIONS = (
    DecisionConfig(average_s=0.0, opening=1, closing=1, merge_gap_s=0.0, min_duration_s=0.0),
    DecisionConfig(average_s=0.1, opening=3, closing=5, merge_gap_s=0.05, min_duration_s=0.1),
    DecisionConfig(average_s=0.0, min_duration_s=0.0, onset_dwell=4, offset_dwell=9),
    DecisionConfig(average_s=0.0, closing=1, merge_gap_s=0.0, min_duration_s=0.0, postictal=PostictalConfig(0.5, 1.0)),
)


@settings(max_examples=60)
@given(
    curve=holed_curves,
    decision=st.sampled_from(DECISIONS),
    k=st.integers(0, len(THRESHOLDS) - 1),
    start_s=st.sampled_from([0.0, 12.5]),
)
def test_every_threshold_decides_as_the_detector_does(
    curve: NDArray[np.float32], decision: DecisionConfig, k: int, start_s: float
) -> None:
    probabilities = Probabilities(start_s, curve)
    found = sweep([probabilities], decision).at(k)
    expected = find_events(probabilities, decision.with_thresholds(THRESHOLDS[k], off_threshold(THRESHOLDS[k])))
    assert [(e.onset_s, e.offset_s) for e in found] == [(e.onset_s, e.offset_s) for e in expected]
    assert [e.confidence for e in found] == pytest.approx([e.confidence for e in expected], abs=1e-6)


@given(
    events=st.lists(
        st.lists(st.integers(0, 99), max_size=4, unique=True).map(
            lambda starts: [Event(float(a), a + 0.5, 0.5) for a in starts]
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_sweep_gives_back_each_threshold_in_order(events: list[list[Event]]) -> None:
    found = Sweep.of(events)
    assert [list(found.at(k)) for k in range(len(events))] == [sorted(some) for some in events]


def test_no_curve_no_event() -> None:
    assert len(sweep([], DecisionConfig()).index) == 0
    assert len(sweep([Probabilities(0.0, np.zeros(0, dtype=np.float32))], DecisionConfig()).index) == 0
