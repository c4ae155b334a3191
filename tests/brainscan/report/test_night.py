"""The strip's trends: what is packed is what the trends say, and gaps stay gaps."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from brainscan.electrodes import INDEX, N_ELECTRODES
from brainscan.qeeg import COLUMN_S, N_BINS, Trends
from brainscan.report.night import ABSENT, LEVELS, MOST_COLUMNS, encode_trends


def made(start_s: list[float]) -> Trends:
    n = len(start_s)
    return Trends(
        start_s=np.asarray(start_s),
        aeeg_uv=np.tile(np.array([[5.0, 7.0, 10.0], [10.0, 20.0, 100.0]], np.float32)[:, :, None], (1, 1, n)),
        power_uv2=np.linspace(1.0, 100.0, 2 * N_BINS * n, dtype=np.float32).reshape(2, N_BINS, n),
        asymmetry=np.full((N_BINS, n), -0.5, np.float32),
        rhythm_uv2=np.zeros((N_BINS, n), np.float32),
        suppressed=np.tile(np.array([[0.2], [1.0]], np.float32), (1, n)),
        unusable=np.zeros((N_ELECTRODES, n), dtype=bool),
    )


def levels_of(trends: Trends, duration_s: float) -> np.ndarray:
    packed = encode_trends(trends, duration_s)
    rows = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8)
    return rows.reshape(4 + 4 * N_BINS + 2 + N_ELECTRODES, packed["n"])


def test_levels_are_shares_of_what_is_drawn() -> None:
    trends = made([0.0, 4.0, 8.0])
    trends.unusable[INDEX["Cz"], 1] = True
    levels = levels_of(trends, 12.0)
    # Linear to 10 µV over the lower half, logarithmic to 200 over the upper.
    assert levels[:4, 0].tolist() == [62, 125, 125, 221]
    asymmetry, suppressed = levels[4 + 2 * N_BINS : 4 + 3 * N_BINS], levels[4 + 4 * N_BINS : 6 + 4 * N_BINS]
    assert set(asymmetry.ravel().tolist()) == {round(0.25 * LEVELS)}
    assert suppressed[:, 1].tolist() == [50, 250]
    assert levels[6 + 4 * N_BINS + INDEX["Cz"]].tolist() == [0, 250, 0]
    power = levels[4 : 4 + 2 * N_BINS].astype(int)
    assert (np.diff(power[:, 0]) >= 0).all()
    assert power.max() == LEVELS


def test_a_gap_is_absent_and_unknown_columns_are() -> None:
    trends = made([0.0, 4.0, 20.0])
    trends.suppressed[:, 1] = np.nan
    levels = levels_of(trends, 24.0)
    assert levels[0].tolist() == [62, 62, ABSENT, ABSENT, ABSENT, 62]
    assert levels[4 + 4 * N_BINS].tolist() == [50, ABSENT, ABSENT, ABSENT, ABSENT, 50]


@pytest.mark.parametrize("hours", [0.01, 24.0, 100.0])
def test_a_night_is_a_few_columns_and_a_few_bytes(hours: float) -> None:
    duration_s = hours * 3600.0
    trends = made(np.arange(0.0, duration_s, COLUMN_S).tolist())
    packed = encode_trends(trends, duration_s)
    assert packed["n"] <= MOST_COLUMNS
    assert packed["n"] * packed["column_s"] >= duration_s - 1e-6
    assert len(packed["data"]) < 250_000


def test_no_columns_at_all() -> None:
    assert (levels_of(Trends.joined([]), 40.0) == ABSENT).all()
