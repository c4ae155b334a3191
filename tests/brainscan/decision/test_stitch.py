"""Overlap-add of window probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainscan.card import WindowConfig
from brainscan.decision.stitch import Stitcher, taper

FloatArray = NDArray[np.float32]

CONFIGS = st.builds(
    lambda duration, stride, share: WindowConfig(
        duration_s=duration, stride_s=max(1, round(stride * duration)), taper_s=share * duration / 2
    ),
    st.integers(1, 6),
    st.floats(0.1, 1.0),
    st.floats(0.0, 1.0),
)


def _stitched(
    config: WindowConfig, windows: list[FloatArray | None], absent: dict[int, list[int]] | None = None
) -> FloatArray:
    stitcher = Stitcher(config)
    parts = []
    for i, window in enumerate(windows):
        marks = np.zeros(config.duration_s, dtype=np.bool_)
        marks[(absent or {}).get(i, [])] = True
        parts.append(stitcher.add(i * config.stride, window, config.n_samples, marks))
    return np.concatenate([*parts, stitcher.finish()])


@given(CONFIGS)
def test_taper_is_positive_symmetric_and_at_most_one(config: WindowConfig) -> None:
    weights = taper(config)
    assert weights.shape == (config.n_samples,)
    assert weights.min() > 0.0
    assert weights.max() <= 1.0
    np.testing.assert_allclose(weights, weights[::-1])


@settings(max_examples=60, deadline=None)
@given(CONFIGS, st.integers(1, 6), st.floats(0.0, 1.0, width=32))
def test_overlap_add_of_a_constant_is_that_constant(config: WindowConfig, n_windows: int, value: float) -> None:
    found = _stitched(config, [np.full(config.n_samples, value, dtype=np.float32)] * n_windows)
    assert len(found) == (n_windows - 1) * config.stride + config.n_samples
    np.testing.assert_allclose(found, value, rtol=1e-6, atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(CONFIGS, st.lists(st.booleans(), min_size=1, max_size=6))
def test_samples_that_no_scored_window_covers_are_nan(config: WindowConfig, scored: list[bool]) -> None:
    windows = [np.full(config.n_samples, 0.3, dtype=np.float32) if s else None for s in scored]
    covered = np.zeros((len(scored) - 1) * config.stride + config.n_samples, dtype=np.bool_)
    for i, s in enumerate(scored):
        covered[i * config.stride : i * config.stride + config.n_samples] |= s
    found = _stitched(config, list(windows))
    assert np.array_equal(~np.isnan(found), covered)
    np.testing.assert_allclose(found[covered], 0.3, rtol=1e-6)


def test_overlap_is_a_weighted_mean_that_fades_from_one_to_the_other() -> None:
    config = WindowConfig(duration_s=4, stride_s=2, taper_s=2.0)
    found = _stitched(config, [np.zeros(1024, dtype=np.float32), np.ones(1024, dtype=np.float32)])
    assert not found[:512].any()
    assert np.all(np.diff(found[512:1024]) > 0.0)
    assert found[768] == pytest.approx(0.5, abs=0.01)
    assert np.all(found[1024:] == 1.0)


def test_seconds_without_values_stay_unscored_in_every_window() -> None:
    config = WindowConfig(duration_s=4, stride_s=2, taper_s=2.0)
    found = _stitched(config, [np.ones(1024, dtype=np.float32)] * 2, absent={0: [2], 1: [0]})
    assert np.flatnonzero(np.isnan(found)).tolist() == list(range(512, 768))


def test_seconds_without_values_in_one_window_are_those_of_the_other() -> None:
    config = WindowConfig(duration_s=4, stride_s=2, taper_s=2.0)
    found = _stitched(config, [np.zeros(1024, dtype=np.float32), np.ones(1024, dtype=np.float32)], absent={0: [2]})
    assert found.dtype == np.float32
    assert np.all(found[512:768] == 1.0)


def test_between_windows_that_do_not_touch_nothing_is_scored() -> None:
    config = WindowConfig(duration_s=4, stride_s=2, taper_s=2.0)
    stitcher = Stitcher(config)
    window, marks = np.ones(1024, dtype=np.float32), np.zeros(4, dtype=np.bool_)
    parts = [stitcher.add(0, window, 1024, marks), stitcher.add(6 * 256, 0.5 * window, 1024, marks), stitcher.finish()]
    expected = np.repeat([1.0, np.nan, 0.5], [1024, 512, 1024])
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-6)


def test_a_window_that_ends_with_the_one_before_adds_no_sample() -> None:
    config = WindowConfig(duration_s=4, stride_s=1, taper_s=2.0)
    stitcher = Stitcher(config)
    window, marks = np.ones(1024, dtype=np.float32), np.zeros(4, dtype=np.bool_)
    parts = [stitcher.add(k * 256, window, n, marks) for k, n in enumerate((1024, 1024, 768))]
    found = np.concatenate([*parts, stitcher.finish()])
    np.testing.assert_allclose(found, np.ones(5 * 256), rtol=1e-6)


def test_only_final_samples_are_returned_and_none_twice() -> None:
    config = WindowConfig(duration_s=4, stride_s=1, taper_s=2.0)
    stitcher = Stitcher(config)
    marks = np.zeros(4, dtype=np.bool_)
    window = np.ones(1024, dtype=np.float32)
    assert [len(stitcher.add(i * 256, window, 1024, marks)) for i in range(4)] == [256] * 4
    assert len(stitcher.finish()) == 768


def test_padding_behind_the_segment_s_end_is_cut() -> None:
    config = WindowConfig(duration_s=4, stride_s=4, taper_s=0.0)
    stitcher = Stitcher(config)
    found = stitcher.add(0, np.ones(1024, dtype=np.float32), 300, np.zeros(2, dtype=np.bool_))
    assert len(found) + len(stitcher.finish()) == 300
