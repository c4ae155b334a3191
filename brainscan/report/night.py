"""The strip over the whole recording: trends as few bytes, one column of the strip for some of theirs."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.qeeg import COLUMN_S, Trends

MOST_COLUMNS = 720
ABSENT = 255
"""Stands where nothing is known; values go from 0 to `LEVELS`."""
LEVELS = 250

_AEEG_LINEAR_UV, _AEEG_MOST_UV = 10.0, 200.0
_RANGE = (2.0, 99.5)  # percentiles of a night that the colours span

Levels = NDArray[np.uint8]
FloatArray = NDArray[np.float64]


def encode_trends(trends: Trends, duration_s: float) -> dict[str, Any]:
    """Return the trends of a recording for its strip.

    Parameters
    ----------
    trends : Trends
    duration_s : float

    Returns
    -------
    dict
        ``n`` columns of ``column_s``, and ``data``: rows of levels one behind the other, deflated, in base64: lower and
        upper aEEG of the left side, of the right; 40 rows of spectrum left, 40 right, 40 of asymmetry (0 left has all,
        125 equal, 250 right has all), 40 of rhythmicity; suppression left, right; 19 of unusable electrodes.
    """
    column_s = max(duration_s / MOST_COLUMNS, float(COLUMN_S))
    n = max(int(np.ceil(duration_s / column_s - 1e-9)), 1)
    into = np.minimum(((trends.start_s + COLUMN_S / 2.0) / column_s).astype(np.int64), n - 1)
    aeeg = np.stack([_mean(trends.aeeg_uv[side, margin], into, n) for side in (0, 1) for margin in (0, 2)])
    power = np.concatenate([_mean(trends.power_uv2[side], into, n) for side in (0, 1)])
    rhythm = _mean(trends.rhythm_uv2, into, n)
    rows = [
        _aeeg_levels(aeeg),
        _logarithmic(power),
        _levels((_mean(trends.asymmetry, into, n) + 1.0) / 2.0),
        _logarithmic(rhythm, least=1.0),
        _levels(_mean(trends.suppressed, into, n)),
        _levels(_mean(trends.unusable.astype(np.float64), into, n)),
    ]
    packed = zlib.compress(np.concatenate(rows).tobytes(), 6)
    return {"n": n, "column_s": column_s, "data": base64.b64encode(packed).decode("ascii")}


def _mean(rows: NDArray[Any], into: NDArray[np.int64], n: int) -> FloatArray:
    """Return the mean of the known values that fall into each of n columns, NaN where there is none."""
    flat = np.atleast_2d(rows).astype(np.float64)
    known = np.isfinite(flat)
    total, count = np.zeros((len(flat), n)), np.zeros((len(flat), n))
    for k, (row, is_known) in enumerate(zip(flat, known, strict=True)):
        total[k] = np.bincount(into, np.where(is_known, row, 0.0), minlength=n)
        count[k] = np.bincount(into, is_known, minlength=n)
    with np.errstate(invalid="ignore"):
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean[0] if rows.ndim == 1 else mean


def _levels(share: FloatArray) -> Levels:
    """Return 0..1 as levels."""
    known = np.isfinite(share)
    levels = np.round(np.clip(np.where(known, share, 0.0), 0.0, 1.0) * LEVELS)
    return np.where(known, levels, ABSENT).astype(np.uint8)


def _aeeg_levels(uv: FloatArray) -> Levels:
    """Return amplitudes as aEEG is drawn: linear to 10 µV over the lower half, logarithmic to 200 over the upper."""
    upper = np.log10(np.maximum(uv, _AEEG_LINEAR_UV) / _AEEG_LINEAR_UV) / np.log10(_AEEG_MOST_UV / _AEEG_LINEAR_UV)
    return _levels(np.where(uv <= _AEEG_LINEAR_UV, uv / _AEEG_LINEAR_UV, 1.0 + upper) / 2.0)


def _logarithmic(power: FloatArray, least: float = 1e-3) -> Levels:
    """Return powers by their logarithm, between what is low and what is high in this recording."""
    log = np.log10(np.maximum(power, least))
    known = log[np.isfinite(log)]
    low, high = np.percentile(known, _RANGE) if known.size else (0.0, 1.0)
    return _levels((log - low) / max(high - low, 1e-3))
