"""Amplitudes by which units are settled: `tests/brainscan/io/test_calibration.py` has the decisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from brainscan.signal.calibration import Amplitudes, amplitude


@pytest.mark.parametrize("n_samples", [0, 1, 2, 9, 19])
def test_a_moment_too_short_to_move_in_has_no_amplitude(n_samples: int) -> None:
    deviation, excursion = amplitude(np.arange(3.0 * n_samples).reshape(3, n_samples), 1000.0)
    np.testing.assert_array_equal(deviation, 0.0)
    np.testing.assert_array_equal(excursion, 0.0)


def test_a_longer_one_has() -> None:
    deviation, excursion = amplitude(np.random.default_rng(0).normal(0.0, 50.0, (3, 1000)), 1000.0)
    assert (deviation > 0.0).all()
    assert (excursion >= deviation).all()


@given(arrays(np.float64, st.tuples(st.integers(0, 4), st.integers(0, 7)), elements=st.floats(0.0, 1e300)))
def test_a_channel_is_as_large_as_the_median_of_what_moves(stretches: np.ndarray) -> None:
    expected = [np.median(row[row > 0]) if (row > 0).any() else 0.0 for row in stretches]
    np.testing.assert_array_equal(Amplitudes(stretches, stretches).typical, expected)
