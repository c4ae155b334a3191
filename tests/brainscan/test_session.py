"""A session: ragged pushes, batches of any size, the same final events."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from threading import Event as Flag

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainscan.card import Card, DecisionConfig, WindowConfig
from brainscan.electrodes import ELECTRODES, INDEX
from brainscan.events import Event
from brainscan.familiarity import Answer
from brainscan.session import Session, SessionConfig
from brainscan.signal import montage
from tests.stand_ins import LoudnessRunner, noise, quick, ragged, with_bursts
from tests.strategies import cuts

RATE_HZ = 200
BURSTS = [(20.0, 35.0), (80.0, 84.0), (100.0, 130.0), (171.0, 179.0)]
PLAN = montage.plan(ELECTRODES)


@pytest.fixture(scope="module")
def uv() -> NDArray[np.float64]:
    """Return three minutes with four bursts and ten seconds without values."""
    held = with_bursts(noise(180.0, RATE_HZ), RATE_HZ, BURSTS)
    held[:, 115 * RATE_HZ : 125 * RATE_HZ] = np.nan
    return held


def _run(
    uv: NDArray[np.float64], at: list[float] | None = None, batch_size: int = 3, decision: DecisionConfig | None = None
) -> tuple[Session, list[list[Event]]]:
    runner = LoudnessRunner(batch_size=batch_size)
    rates = [Fraction(RATE_HZ)] * len(uv)
    session = Session(runner, PLAN, rates, SessionConfig(decision or quick(), keep=True), start_s=1000.0)
    returned = [session.push(samples) for samples in ragged(list(uv), at or [])]
    return session, [*returned, session.finish()]


def test_bursts_are_found_on_the_recording_s_clock(uv: NDArray[np.float64]) -> None:
    _, returned = _run(uv)
    found = [(e.onset_s, e.offset_s) for events in returned for e in events]
    expected = [(1020.0, 1035.0), (1080.0, 1084.0), (1100.0, 1115.0), (1125.0, 1130.0), (1171.0, 1179.0)]
    assert found == [(pytest.approx(a, abs=0.6), pytest.approx(b, abs=0.6)) for a, b in expected]


def test_seconds_without_values_are_unscored(uv: NDArray[np.float64]) -> None:
    session, _ = _run(uv)
    assert session.scored == ((1000.0, 1115.0), (1125.0, 1180.0))
    curve = session.probabilities
    assert curve.start_s == 1000.0
    assert np.flatnonzero(np.isnan(curve.values)).tolist() == list(range(115 * 256, 125 * 256))


@settings(max_examples=5, deadline=None)
@given(at=cuts, batch_size=st.integers(1, 9))
def test_cuts_and_batches_change_nothing(uv: NDArray[np.float64], at: list[float], batch_size: int) -> None:
    whole, expected = _run(uv)
    session, returned = _run(uv, at, batch_size)
    assert sum(returned, []) == sum(expected, [])  # noqa: RUF017 - a handful of short lists
    assert np.array_equal(session.probabilities.values, whole.probabilities.values, equal_nan=True)
    assert session.scored == whole.scored
    assert session.tally.reports(PLAN) == whole.tally.reports(PLAN)


def test_events_come_out_before_the_end(uv: NDArray[np.float64]) -> None:
    _, returned = _run(uv, [i / 18 for i in range(1, 18)], batch_size=1)
    first = next(number for number, events in enumerate(returned) if events)
    # The burst at 20 s ends in the overlap with the window that ends at 90 s; the filter's frame is 16 s.
    assert (first + 1) * 10.0 <= 90.0 + 20.0


def test_averaging_follows_the_decision(uv: NDArray[np.float64]) -> None:
    _, returned = _run(uv, decision=quick(average_s=12.0, min_duration_s=8.0))
    onsets = [e.onset_s for events in returned for e in events]
    assert onsets[0] == pytest.approx(1020.0, abs=3.0)
    assert not any(1078.0 < onset < 1090.0 for onset in onsets)  # four seconds drown in twelve


def test_other_strides_follow_the_card(uv: NDArray[np.float64]) -> None:
    card = Card(name="x", variant={}, window=WindowConfig(stride_s=60, taper_s=0.0))
    session = Session(LoudnessRunner(card), PLAN, [Fraction(RATE_HZ)] * 19, SessionConfig(quick()))
    for samples in ragged(list(uv), []):
        session.push(samples)
    session.finish()
    assert session.tally.n_windows == 3


def test_tally_sums_up_how_each_electrode_was_obtained() -> None:
    uv = noise(300.0, RATE_HZ)
    uv[INDEX["O1"], 60 * RATE_HZ :] = 0.0
    uv[INDEX["O2"], 260 * RATE_HZ :] = 0.0
    uv[INDEX["Fz"]] = 0.0
    session, _ = _run(uv)
    reports = {r.name: r for r in session.tally.reports(PLAN)}
    assert session.tally.n_windows == 9
    assert (reports["O1"].how, reports["O1"].quality) == ("interpolated", "unusable")
    assert (reports["O2"].how, reports["O2"].quality) == ("recorded", "doubtful")
    assert reports["O2"].bad_share == pytest.approx(1 / 9)
    assert (reports["Fz"].quality, reports["Fz"].bad_share) == ("unusable", 1.0)
    assert (reports["C3"].how, reports["C3"].quality, reports["C3"].bad_share) == ("recorded", "good", 0.0)


class _Background(LoudnessRunner):
    """Computes on a thread of its own, a window at a time."""

    def __init__(self) -> None:
        super().__init__(batch_size=2)
        self.pool = ThreadPoolExecutor(1)
        self.submitted: list[Future[list[Answer]]] = []

    def submit(self, windows: Sequence[NDArray[np.float32]]) -> Sequence[Future[list[Answer]]]:
        futures = [self.pool.submit(self._answer, window) for window in windows]
        self.submitted += futures
        return futures

    def _answer(self, window: NDArray[np.float32]) -> list[Answer]:
        return [Answer(self.probabilities([window])[0])]


@pytest.mark.parametrize("beside", [False, True])
def test_a_network_beside_changes_nothing(uv: NDArray[np.float64], beside: bool) -> None:
    whole, expected = _run(uv)
    runner = _Background()
    with runner.pool:
        config = SessionConfig(quick(), keep=True, beside=beside)
        session = Session(runner, PLAN, [Fraction(RATE_HZ)] * len(uv), config, start_s=1000.0)
        returned = [session.push(samples) for samples in ragged(list(uv), [i / 18 for i in range(1, 18)])]
        returned.append(session.finish())
    assert sum(returned, []) == sum(expected, [])  # noqa: RUF017 - a handful of short lists
    assert np.array_equal(session.probabilities.values, whole.probabilities.values, equal_nan=True)
    assert session.scored == whole.scored
    assert session.tally.reports(PLAN) == whole.tally.reports(PLAN)


def test_a_closed_session_leaves_nothing_to_be_computed(uv: NDArray[np.float64]) -> None:
    runner = _Background()
    free = Flag()
    blocked = runner.pool.submit(free.wait, 20)
    session = Session(runner, PLAN, [Fraction(RATE_HZ)] * len(uv), SessionConfig(quick(), beside=True))
    assert session.push(next(iter(ragged(list(uv), [0.6])))) == []
    assert runner.submitted
    session.close()
    free.set()
    with runner.pool:
        assert blocked.result()
    assert all(future.cancelled() for future in runner.submitted)
