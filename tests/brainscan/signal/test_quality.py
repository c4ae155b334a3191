"""The verdict on each channel of one window."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from brainscan.signal.quality import QualityLimits, second_deviation, unusable

FloatArray = NDArray[np.float32]

N_SECONDS = 10


@pytest.fixture
def window() -> FloatArray:
    """Return six channels of 20 µV noise."""
    return (20.0 * np.random.default_rng(0).standard_normal((6, N_SECONDS * 256))).astype(np.float32)


def _verdict(window: FloatArray, railed: FloatArray | None = None, absent: FloatArray | None = None) -> set[int]:
    nothing = np.zeros((len(window), N_SECONDS), dtype=np.float32)
    return set(unusable(window, nothing if railed is None else railed, nothing if absent is None else absent))


def test_noise_is_usable(window: FloatArray) -> None:
    assert _verdict(window) == set()


def test_deviation_is_that_of_each_second(window: FloatArray) -> None:
    expected = window.reshape(6, N_SECONDS, 256).std(axis=2)
    np.testing.assert_allclose(second_deviation(window + 7.0), expected, rtol=1e-3)


@pytest.mark.parametrize(("n_flat", "bad"), [(5, set()), (6, {2})])
def test_flat_for_more_than_half_of_the_window(window: FloatArray, n_flat: int, bad: set[int]) -> None:
    window[2, : n_flat * 256] = 4.0
    assert _verdict(window) == bad


@pytest.mark.parametrize("kind", ["railed", "absent"])
@pytest.mark.parametrize(("share", "bad"), [(0.5, set()), (0.51, {4})])
def test_rails_and_holes_beyond_half(window: FloatArray, kind: str, share: float, bad: set[int]) -> None:
    marks = np.zeros((6, N_SECONDS), dtype=np.float32)
    marks[4] = share
    assert _verdict(window, **{kind: marks}) == bad


@pytest.mark.parametrize(("factor", "bad"), [(40.0, set()), (60.0, {1})])
def test_far_larger_than_the_others(window: FloatArray, factor: float, bad: set[int]) -> None:
    window[1] *= factor
    assert _verdict(window) == bad


def test_two_huge_channels_are_both_found(window: FloatArray) -> None:
    window[[1, 3]] *= 500.0
    assert _verdict(window) == {1, 3}


def test_values_that_are_not_finite(window: FloatArray) -> None:
    window[0, 100] = np.nan
    window[5, 2000] = np.inf
    with np.errstate(invalid="ignore"):
        assert _verdict(window) == {0, 5}


def test_everything_flat_leaves_nothing(window: FloatArray) -> None:
    assert _verdict(np.zeros_like(window)) == set(range(6))


def test_one_channel_alone_has_nobody_to_compare_with(window: FloatArray) -> None:
    assert _verdict(window[:1] * 1e4) == set()


def test_limits_can_be_chosen(window: FloatArray) -> None:
    nothing = np.zeros((6, N_SECONDS), dtype=np.float32)
    assert unusable(window, nothing, nothing, QualityLimits(flat_uv=1000.0)) == frozenset(range(6))
