"""One rate's channels: offsets, holes, lengths, and shares of bad samples by the second."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainscan.card import FilterConfig
from brainscan.recording import Samples
from brainscan.signal.channels import ChannelGroup, Seconds, SecondShares
from tests.stand_ins import ragged
from tests.strategies import cuts


def _filtered(uv: NDArray[np.float64], rate_hz: float, at: list[float] | None = None) -> NDArray[np.float32]:
    group = ChannelGroup(Fraction(rate_hz), range(len(uv)), FilterConfig())
    for samples in ragged(list(uv), at or []):
        group.push(samples)
    n_samples = group.finish()
    assert group.n_ready >= n_samples
    return group.take(n_samples)


def _alpha(duration_s: float, rate_hz: float, peak_uv: float = 30.0) -> NDArray[np.float64]:
    at_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return np.asarray(peak_uv * np.sin(2.0 * np.pi * 10.0 * at_s))[None]


@pytest.mark.parametrize("offset_uv", [3e5, -3e5])
def test_offsets_of_a_dc_amplifier_leave_no_trace(offset_uv: float) -> None:
    """Taken off in float64: at 300 mV a float32 has steps of 0.03 µV."""
    plain = _filtered(_alpha(12.0, 500.0), 500.0)
    shifted = _filtered(_alpha(12.0, 500.0) + offset_uv, 500.0)
    np.testing.assert_allclose(shifted, plain, atol=1e-4)


def test_constant_input_gives_nothing_even_at_the_ends() -> None:
    assert np.abs(_filtered(np.full((1, 5000), 1234.5), 500.0)).max() < 1e-6


@pytest.mark.parametrize("rate_hz", [100.0, 200.0, 256.0, 512.0, 1000.0])
@pytest.mark.parametrize("duration_s", [0.02, 1.0, 3.5, 17.25])
def test_length_is_that_of_the_input(rate_hz: float, duration_s: float) -> None:
    n_in = round(duration_s * rate_hz)
    found = _filtered(_alpha(duration_s, rate_hz), rate_hz)
    assert found.shape == (1, round(n_in / rate_hz * 256))
    assert np.isfinite(found).all()


def test_holes_are_bridged_and_reach_no_farther_than_the_filter() -> None:
    uv = _alpha(30.0, 256.0)
    holed = uv.copy()
    holed[0, 4000:4300] = np.nan
    holed[0, 4300:4310] = np.inf
    found, plain = _filtered(holed, 256.0), _filtered(uv, 256.0)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, :3400], plain[:, :3400], atol=1e-4)
    np.testing.assert_allclose(found[:, 4900:], plain[:, 4900:], atol=1e-4)


def test_a_hole_at_the_start_counts_as_the_first_second_s_mean() -> None:
    uv = _alpha(10.0, 256.0) + 5000.0
    uv[0, :50] = np.nan
    assert np.abs(_filtered(uv, 256.0)).max() < 60.0


@settings(max_examples=20, deadline=None)
@given(cuts, st.sampled_from([128.0, 256.0, 500.0]))
def test_cuts_change_nothing(at: list[float], rate_hz: float) -> None:
    uv = np.random.default_rng(0).standard_normal((2, round(11.3 * rate_hz))) * 20.0
    assert np.array_equal(_filtered(uv, rate_hz, at), _filtered(uv, rate_hz))


def test_empty_pushes_are_harmless() -> None:
    group = ChannelGroup(Fraction(256), [0], FilterConfig())
    group.push(Samples((np.zeros(0),), (np.zeros(0, dtype=np.bool_),)))
    assert group.finish() == 0


def _shares(marked: NDArray[np.bool_], rate_hz: Fraction, at: list[float]) -> NDArray[np.float32]:
    seconds, state = Seconds(rate_hz, len(marked)), SecondShares(len(marked))
    bounds = [round(share * marked.shape[1]) for share in sorted(at)]
    whole = [seconds.push(np.zeros(piece.shape), piece) for piece in np.split(marked, bounds, axis=1)]
    for starts, _, piece in (*whole, seconds.finish()):
        if starts:
            state.push(piece, starts)
    return state.between(0, -(-marked.shape[1] * rate_hz.denominator // rate_hz.numerator))


@settings(max_examples=50, deadline=None)
@given(cuts, st.sampled_from([Fraction(10), Fraction(25, 2), Fraction(33, 10)]), st.integers(0, 2**32 - 1))
def test_shares_are_means_over_each_second(at: list[float], rate_hz: Fraction, seed: int) -> None:
    marked = np.random.default_rng(seed).random((2, 87)) < 0.4
    bounds = [round(second * rate_hz) for second in range(100)]
    bounds = [b for b in bounds if b < 87] + [87]
    expected = [marked[:, a:b].mean(axis=1) for a, b in itertools.pairwise(bounds)]
    np.testing.assert_allclose(_shares(marked, rate_hz, at)[:, : len(expected)], np.stack(expected, axis=1), rtol=1e-6)


def test_earlier_seconds_are_forgotten() -> None:
    state = SecondShares(1)
    state.push(np.array([[True] * 4 + [False] * 4 + [True] * 8]), [0, 4, 8, 12])
    assert state.between(1, 3).tolist() == [[0.0, 1.0]]
    assert state.between(2, 4).tolist() == [[1.0, 1.0]]
