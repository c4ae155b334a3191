"""The filter: response, linear phase, and block-wise equal to a plain convolution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from brainscan.card import FilterConfig
from brainscan.signal.filters import StreamingFilter, half_length, taps
from tests.strategies import cuts

FREQUENCIES_HZ = np.fft.rfftfreq(1 << 15, 1 / 256)


def _response(config: FilterConfig, frequency_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(taps(config), 1 << 15))
    return float(np.interp(frequency_hz, FREQUENCIES_HZ, spectrum))


def _filtered(signal: NDArray[np.float32], config: FilterConfig, at: list[float] | None = None) -> NDArray[np.float32]:
    state = StreamingFilter(config, len(signal))
    bounds = [round(share * signal.shape[1]) for share in sorted(at or [])]
    parts = [state.push(piece) for piece in np.split(signal, bounds, axis=1)]
    parts.append(state.push(np.zeros((len(signal), state.lookahead), dtype=np.float32)))
    return np.concatenate(parts, axis=1)[:, : signal.shape[1]]


def test_impulse_response_is_odd_and_symmetric() -> None:
    response = taps(FilterConfig())
    assert len(response) % 2 == 1
    assert np.array_equal(response, response[::-1])


def test_nothing_passes_at_zero_hertz() -> None:
    assert abs(taps(FilterConfig()).sum()) < 1e-12


@pytest.mark.parametrize("corner_hz", [0.5, 45.0])
def test_corners_are_at_half_amplitude(corner_hz: float) -> None:
    assert _response(FilterConfig(), corner_hz) == pytest.approx(0.5, abs=0.03)


def test_passband_is_flat_and_mains_are_gone() -> None:
    config = FilterConfig()
    assert [_response(config, f) for f in (1.2, 3.0, 10.0, 25.0, 40.0)] == pytest.approx([1.0] * 5, abs=0.02)
    assert max(_response(config, f) for f in (50.0, 60.0, 100.0, 120.0)) < 0.012
    assert _response(config, 0.05) < 0.03


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_notch_removes_mains_and_harmonic_and_little_else(mains_hz: float) -> None:
    config = FilterConfig(low_pass_hz=0.0, notch_hz=mains_hz)
    assert max(_response(config, f) for f in (mains_hz, 2 * mains_hz)) < 0.05
    assert [_response(config, f) for f in (mains_hz - 3.0, mains_hz + 3.0)] == pytest.approx([1.0] * 2, abs=0.03)


def test_block_wise_equals_convolution_to_a_millionth_of_the_peak() -> None:
    config = FilterConfig()
    signal = (100.0 * np.random.default_rng(0).standard_normal((2, 12_000))).astype(np.float32)
    half = half_length(config)
    expected = np.stack([np.convolve(row.astype(np.float64), taps(config))[half : half + 12_000] for row in signal])
    np.testing.assert_allclose(_filtered(signal, config), expected, atol=1e-6 * np.abs(expected).max())


@settings(max_examples=20, deadline=None)
@given(cuts)
def test_cuts_change_nothing(at: list[float]) -> None:
    signal = np.random.default_rng(1).standard_normal((2, 9000)).astype(np.float32)
    assert np.array_equal(_filtered(signal, FilterConfig(), at), _filtered(signal, FilterConfig()))


def test_changing_late_samples_leaves_earlier_output_alone() -> None:
    """Finite support: nothing beyond the look-ahead reaches back."""
    config = FilterConfig()
    signal = np.random.default_rng(2).standard_normal((1, 9000)).astype(np.float32)
    changed = signal.copy()
    changed[:, 6000:] += 1000.0
    before = 6000 - half_length(config)
    a, b = _filtered(signal, config), _filtered(changed, config)
    np.testing.assert_allclose(a[:, :before], b[:, :before], atol=1e-3)  # rounding of the frame's transform
    assert np.abs(a[:, 6000:6100] - b[:, 6000:6100]).max() > 1.0
