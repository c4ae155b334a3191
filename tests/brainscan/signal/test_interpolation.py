from __future__ import annotations

import numpy as np
import pytest

from brainscan.electrodes import INDEX, N_ELECTRODES, POSITIONS
from brainscan.signal.interpolation import spline_weights


@pytest.mark.parametrize("targets", [[0], [INDEX["Cz"], INDEX["T3"]], [3, 8, 18]])
def test_rows_sum_to_one(targets: list[int]) -> None:
    sources = [i for i in range(N_ELECTRODES) if i not in targets]
    np.testing.assert_allclose(spline_weights(sources, targets).sum(axis=1), 1.0, atol=1e-12)


def test_a_source_reproduces_itself() -> None:
    weights = spline_weights(range(N_ELECTRODES), [4])
    np.testing.assert_allclose(weights, np.eye(N_ELECTRODES)[[4]], atol=1e-9)


@pytest.mark.parametrize("target", ["C3", "Cz", "P4"])
def test_a_smooth_field_is_filled_in(target: str) -> None:
    positions = np.asarray(POSITIONS)
    field = positions @ np.array([0.3, -1.0, 0.6]) + 2.0
    sources = [i for i in range(N_ELECTRODES) if i != INDEX[target]]
    filled = spline_weights(sources, [INDEX[target]]) @ field[sources]
    assert filled[0] == pytest.approx(field[INDEX[target]], abs=0.05)


def test_near_electrodes_weigh_most() -> None:
    sources = [i for i in range(N_ELECTRODES) if i != INDEX["C3"]]
    weights = spline_weights(sources, [INDEX["C3"]])[0]
    heaviest = {sources[i] for i in np.argsort(weights)[-4:]}
    assert heaviest == {INDEX[n] for n in ("F3", "P3", "Cz", "T3")}


def test_without_sources_there_is_nothing_to_interpolate() -> None:
    with pytest.raises(ValueError, match="at least one"):
        spline_weights([], [0])
