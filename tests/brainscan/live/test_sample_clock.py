"""Time stamps jitter, drift and burst; only what does not go away is a gap."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.live.sample_clock import SampleClock

RATE_HZ = 100.0


def _gaps(stamps: np.ndarray, size: int = 37) -> list[tuple[int, float]]:
    clock = SampleClock(RATE_HZ)
    found = []
    for first in range(0, len(stamps), size):
        found += [(first + at, gap_s) for at, gap_s in clock.gaps(stamps[first : first + size])]
    return found


def _even(n: int, start_s: float = 1000.0) -> np.ndarray:
    return start_s + np.arange(n) / RATE_HZ


@given(size=st.integers(1, 400), at=st.lists(st.integers(100, 900), max_size=3, unique=True))
def test_gaps_are_found_where_they_are(size: int, at: list[int]) -> None:
    stamps = _even(1000)
    for first in at:
        stamps[first:] += 7.5
    assert [(first, pytest.approx(7.5, abs=0.01)) for first in sorted(at)] == _gaps(stamps, size)


def test_jitter_is_no_gap() -> None:
    rng = np.random.default_rng(0)
    assert _gaps(_even(5000) + rng.uniform(-0.3, 0.3, 5000)) == []


@pytest.mark.parametrize("factor", [0.998, 1.002])
def test_a_device_with_another_clock_is_followed(factor: float) -> None:
    assert _gaps(1000.0 + np.arange(360_000) * factor / RATE_HZ) == []


def test_a_sender_that_stalls_for_less_than_a_second_and_catches_up_made_no_gap() -> None:
    stamps = _even(1000)
    stamps[500:590] = stamps[590]  # pushed at once, after 0.9 s
    assert _gaps(stamps) == []


def test_a_clock_that_steps_back_is_taken_as_it_is() -> None:
    stamps = _even(2000)
    stamps[1000:] -= 3600.0
    assert _gaps(stamps) == []
    stamps[1500:] += 5.0
    assert [at for at, _ in _gaps(stamps)] == [1500]


def test_nothing_is_nothing() -> None:
    assert SampleClock(RATE_HZ).gaps(np.zeros(0)) == []
    assert list(itertools.chain(_gaps(np.zeros(0)))) == []
