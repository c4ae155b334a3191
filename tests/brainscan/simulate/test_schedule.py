from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.simulate.schedule import (
    MARGIN_S,
    MAX_SEIZURE_S,
    MIN_SEIZURE_S,
    plan_artifacts,
    plan_seizures,
    plan_states,
    state_at,
)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 12), spare_s=st.floats(0, 5000), generalised=st.floats(0, 1))
def test_seizures_are_apart_in_order_and_of_lawful_length(
    seed: int, n: int, spare_s: float, generalised: float
) -> None:
    duration_s = n * MIN_SEIZURE_S + (n + 1) * MARGIN_S + spare_s
    planned = plan_seizures(np.random.default_rng(seed), duration_s, n, generalised)
    assert len(planned) == n
    at_s = 0.0
    for seizure in planned:
        assert seizure.onset_s >= at_s + MARGIN_S - 0.05
        assert MIN_SEIZURE_S - 0.01 <= seizure.duration_s <= MAX_SEIZURE_S + 0.01
        assert seizure.after_s >= 0
        at_s = seizure.onset_s + seizure.duration_s
        assert seizure.stop_s <= duration_s
    assert at_s <= duration_s - MARGIN_S + 0.05
    assert all(one.stop_s < other.onset_s for one, other in itertools.pairwise(planned))


def test_too_many_seizures_are_refused() -> None:
    with pytest.raises(ValueError, match="3 seizures of at least 8 s, 10 s apart, have no room in 60 s"):
        plan_seizures(np.random.default_rng(0), 60.0, 3, 0.3)


def test_durations_spread_over_the_whole_range() -> None:
    lengths = [s.duration_s for s in plan_seizures(np.random.default_rng(0), 400_000.0, 1500, 0.3)]
    assert np.percentile(lengths, 5) < 12
    assert 20 < np.median(lengths) < 45
    assert max(lengths) > 150


@given(seed=st.integers(0, 10**6), duration_s=st.floats(1, 20_000))
def test_states_cover_the_recording(seed: int, duration_s: float) -> None:
    states = plan_states(np.random.default_rng(seed), duration_s)
    starts = [start_s for start_s, _ in states]
    assert starts[0] == 0.0
    assert starts == sorted(starts)
    assert starts[-1] < duration_s
    assert state_at(states, 0.0) == states[0][1]
    assert state_at(states, duration_s) == states[-1][1]
    assert all(one != other for (_, one), (_, other) in itertools.pairwise(states))


def test_artifacts_are_sorted_within_the_recording_and_fit_the_state() -> None:
    rng = np.random.default_rng(1)
    states = plan_states(rng, 36_000.0)
    planned = plan_artifacts(rng, 36_000.0, states, (), 1.0)
    assert len(planned) > 500
    assert [p.onset_s for p in planned] == sorted(p.onset_s for p in planned)
    assert all(p.stop_s <= 36_000.0 for p in planned)
    assert [p.number for p in planned] == list(range(len(planned)))
    assert {state_at(states, p.onset_s) for p in planned if p.kind == "spindle"} == {"sleep"}
    assert {state_at(states, p.onset_s) for p in planned if p.kind == "blink"} == {"open"}


def test_no_artifacts_at_rate_zero_and_more_at_a_higher_one() -> None:
    def count(rate: float) -> int:
        states = plan_states(np.random.default_rng(0), 3600.0)
        seizures = plan_seizures(np.random.default_rng(1), 3600.0, 5, 0.0)
        return len(plan_artifacts(np.random.default_rng(2), 3600.0, states, seizures, rate))

    assert count(0.0) == 0
    assert 0 < count(1.0) < count(3.0)
