from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.simulate import noise


def test_band_noise_keeps_to_its_band_with_unit_variance() -> None:
    rows = noise.band_noise(np.random.default_rng(0), 4, 25_600, 256.0, (8.0, 13.0))
    assert rows.std(axis=1) == pytest.approx(1.0, abs=0.1)
    power = np.abs(np.fft.rfft(rows, axis=1)) ** 2
    frequency = np.fft.rfftfreq(25_600, 1 / 256)
    inside = (frequency > 7.9) & (frequency < 13.1)
    assert power[:, inside].sum() > 0.999 * power.sum()


def test_a_band_above_the_rate_is_silent() -> None:
    assert not noise.band_noise(np.random.default_rng(0), 2, 1000, 100.0, (60.0, 90.0)).any()


@settings(deadline=None)
@given(n=st.integers(1, 3000), rate=st.floats(50, 500), time_s=st.floats(0.01, 5), seed=st.integers(0, 99))
def test_wander_has_its_length_and_no_steps(n: int, rate: float, time_s: float, seed: int) -> None:
    course = noise.wander(np.random.default_rng(seed), n, rate, time_s)
    assert course.shape == (n,)
    # a half cosine between knots rises by at most π/2 of their difference a knot
    steepest = 0.5 * np.pi * 2 * 6.0 / max(time_s * rate, 1.0)
    assert np.all(np.abs(np.diff(course)) <= steepest)


def test_wander_changes_over_its_time() -> None:
    course = noise.wander(np.random.default_rng(1), 100_000, 100.0, 2.0)
    lag = lambda seconds: np.corrcoef(course[: -int(100 * seconds)], course[int(100 * seconds) :])[0, 1]  # noqa: E731
    assert lag(0.1) > 0.95
    assert abs(lag(6.0)) < 0.1


@given(n=st.integers(2, 500), rise=st.floats(0, 2), fall=st.floats(0, 2))
def test_taper_stays_within_zero_and_one(n: int, rise: float, fall: float) -> None:
    envelope = noise.taper(n, 100.0, rise, fall)
    assert envelope.shape == (n,)
    assert np.all((envelope >= 0) & (envelope <= 1))


def test_bursts_come_at_their_rate() -> None:
    gates = noise.bursts(np.random.default_rng(3), 10_000, 100.0, 1.5, 0.2)
    peaks = np.flatnonzero((gates[1:-1] > gates[:-2]) & (gates[1:-1] >= gates[2:]) & (gates[1:-1] > 0.5))
    assert 140 <= len(peaks) <= 160
    assert gates.max() <= 1.0
    assert gates.min() >= 0.0


@given(n=st.integers(1, 100_000))
def test_fast_lengths_are_even_and_little_longer(n: int) -> None:
    length = noise._fast_length(n)
    assert length >= n
    assert length % 2 == 0
    assert length <= max(1.2 * n + 2, 4)
    for prime in (2, 3, 5):
        while length % prime == 0:
            length //= prime
    assert length == 1
