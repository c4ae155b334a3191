"""Amplitudes by which units are settled: `tests/brainscan/io/test_calibration.py` has the decisions."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.signal.calibration import amplitude


@pytest.mark.parametrize("n_samples", [0, 1, 2, 9, 19])
def test_a_moment_too_short_to_move_in_has_no_amplitude(n_samples: int) -> None:
    deviation, excursion = amplitude(np.arange(3.0 * n_samples).reshape(3, n_samples), 1000.0)
    np.testing.assert_array_equal(deviation, 0.0)
    np.testing.assert_array_equal(excursion, 0.0)


def test_a_longer_one_has() -> None:
    deviation, excursion = amplitude(np.random.default_rng(0).normal(0.0, 50.0, (3, 1000)), 1000.0)
    assert (deviation > 0.0).all()
    assert (excursion >= deviation).all()
