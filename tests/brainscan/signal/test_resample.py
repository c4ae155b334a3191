"""Resampling: exact positions, no aliases, and nothing depends on how the input is cut."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainscan.signal.resample import Resampler
from tests.strategies import cuts, pieces

RATES = [100, 128, 200, 250, 256, 400, 500, 512, 1000, 2048]


def _resampled(signal: NDArray[np.float32], rate_hz: Fraction, at: list[float] | None = None) -> NDArray[np.float32]:
    state = Resampler(rate_hz, 1)
    parts = [state.push(piece[None]) for piece in pieces(signal, at or [])]
    parts.append(state.push(np.zeros((1, state.lookahead()), dtype=np.float32)))
    n_out = round(len(signal) / rate_hz * 256)
    return np.concatenate(parts, axis=1)[0, :n_out]


def _tone(frequency_hz: float, rate_hz: Fraction, duration_s: float) -> NDArray[np.float32]:
    at_s = np.arange(round(duration_s * rate_hz)) / float(rate_hz)
    return np.sin(2.0 * np.pi * frequency_hz * at_s).astype(np.float32)


@pytest.mark.parametrize("rate_hz", RATES)
def test_tones_keep_amplitude_and_time(rate_hz: int) -> None:
    for frequency_hz in (1.0, 11.0, 0.4 * min(rate_hz, 256)):
        found = _resampled(_tone(frequency_hz, Fraction(rate_hz), 4.0), Fraction(rate_hz))
        expected = _tone(frequency_hz, Fraction(256), 4.0)
        inside = slice(256, -256)
        np.testing.assert_allclose(found[inside], expected[inside], atol=2e-3)


@pytest.mark.parametrize("rate_hz", [400, 500, 512, 1000, 2048])
def test_what_256_hz_cannot_hold_does_not_come_back_as_an_alias(rate_hz: int) -> None:
    found = _resampled(_tone(150.0, Fraction(rate_hz), 4.0), Fraction(rate_hz))
    assert np.abs(found[256:-256]).max() < 2e-3


@pytest.mark.parametrize("rate_hz", [Fraction(255767, 1000), Fraction(25033, 100)])
def test_odd_rates_do_not_drift(rate_hz: Fraction) -> None:
    """255.767 Hz taken as 256 Hz would be half a second late after ten minutes."""
    found = _resampled(_tone(7.0, rate_hz, 600.0), rate_hz)
    expected = _tone(7.0, Fraction(256), 600.0)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found[-1024:-256], expected[-1024:-256], atol=2e-3)


def test_256_hz_passes_unchanged() -> None:
    signal = _tone(9.0, Fraction(256), 1.0)
    assert np.array_equal(Resampler(Fraction(256), 1).push(signal[None])[0], signal)


def test_a_constant_stays_that_constant() -> None:
    found = _resampled(np.full(2000, 3.0, dtype=np.float32), Fraction(500))
    np.testing.assert_allclose(found[100:-100], 3.0, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(cuts, st.sampled_from([Fraction(100), Fraction(500), Fraction(1000), Fraction(255767, 1000)]))
def test_cuts_change_nothing(at: list[float], rate_hz: Fraction) -> None:
    signal = np.random.default_rng(3).standard_normal(3000).astype(np.float32)
    assert np.array_equal(_resampled(signal, rate_hz, at), _resampled(signal, rate_hz))
