"""The moving average of logits against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainscan.decision.average import MovingAverage, average
from tests.strategies import curves, cuts, holed_curves, pieces

FloatArray = NDArray[np.float32]


def _naive(curve: FloatArray, average_s: float) -> FloatArray:
    """Average sample by sample, as docs/definitions.md words it."""
    half = round(average_s * 256 / 2)
    clipped = np.clip(curve.astype(np.float64), 1e-6, 1.0 - 1e-6)
    logits = np.log(clipped / (1.0 - clipped))
    result = np.full(len(curve), np.nan)
    for i in range(len(curve)):
        near = logits[max(i - half, 0) : i + half + 1]
        near = near[~np.isnan(near)]
        if not np.isnan(curve[i]):
            result[i] = 1.0 / (1.0 + np.exp(-near.mean()))
    return result.astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(holed_curves, st.sampled_from([0.0, 0.02, 0.1, 0.5]))
def test_equals_the_definition(curve: FloatArray, average_s: float) -> None:
    if average_s == 0.0:
        assert np.array_equal(average(curve, 0.0), curve, equal_nan=True)
    else:
        np.testing.assert_allclose(average(curve, average_s), _naive(curve, average_s), rtol=1e-5, atol=2e-7)


@settings(max_examples=60, deadline=None)
@given(holed_curves, cuts, st.sampled_from([0.0, 0.05, 0.4]))
def test_cuts_change_nothing(curve: FloatArray, at: list[float], average_s: float) -> None:
    state = MovingAverage(average_s)
    pairs = [state.push(piece) for piece in pieces(curve, at)]
    pairs.append(state.finish())
    assert {part.dtype for pair in pairs for part in pair} == {np.dtype(np.float32)}
    averaged, plain = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    assert np.array_equal(plain, curve, equal_nan=True)
    np.testing.assert_allclose(averaged, average(curve, average_s), rtol=1e-5, atol=1e-7)


def test_sample_by_sample_is_the_definition_too() -> None:
    curve = np.random.default_rng(0).uniform(0.0, 1.0, 300).astype(np.float32)
    state = MovingAverage(0.4)
    parts = [*(state.push(curve[i : i + 1])[0] for i in range(len(curve))), state.finish()[0]]
    np.testing.assert_allclose(np.concatenate(parts), _naive(curve, 0.4), rtol=1e-5, atol=2e-7)


@given(st.floats(1e-5, 1.0 - 1e-5), st.integers(1, 500))
def test_a_constant_stays_that_constant_to_both_ends(value: float, n_samples: int) -> None:
    curve = np.full(n_samples, value, dtype=np.float32)
    np.testing.assert_allclose(average(curve, 1.0), curve, rtol=1e-4)


@given(curves)
def test_stays_within_the_curve(curve: FloatArray) -> None:
    found = average(curve, 0.2)
    low, high = np.clip((curve.min(), curve.max()), 1e-6, 1 - 1e-6)
    assert low - 1e-6 <= found.min()
    assert found.max() <= high + 1e-6


def test_certain_samples_weigh_as_their_clipped_logit() -> None:
    curve = np.array([1.0, 0.5, 0.5], dtype=np.float32)
    expected = 1.0 / (1.0 + np.exp(-np.log(1e6) / 3.0))
    assert average(curve, 2.0 / 256.0)[1] == pytest.approx(expected, rel=1e-4)
