"""Pictures for TensorBoard, drawn into pixels: no plotting library is needed for two curves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainscan.scoring.operating_points import Curve
from brainscan.scoring.pieces import ScoredRecording

Picture = NDArray[np.uint8]

_HEIGHT, _WIDTH = 240, 480
_INK, _RED, _GREY = (30, 60, 150), (200, 60, 50), (215, 215, 215)
_RATES = (0.1, 1.0, 10.0, 100.0, 1000.0)
"""False alarms per 24 h at the picture's grid lines; its ends are the axis' ends."""


def froc_picture(curve: Curve) -> Picture:
    """Draw sensitivity (0 to 1, upwards) over false alarms per 24 h (0.1 to 1,000, logarithmic).

    Returns
    -------
    array of uint8, shape (240, 480, 3)
    """
    picture = _blank()
    for rate in _RATES:
        picture[:, _column(rate)] = _GREY
    for share in (0.25, 0.5, 0.75):
        picture[_row(share)] = _GREY
    columns = [_column(rate) for rate in curve.fa_per_24h]
    rows = [_row(float(np.nan_to_num(sensitivity))) for sensitivity in curve.sensitivity]
    _line(picture, columns, rows, _INK)
    return picture


def trace_picture(recording: ScoredRecording) -> Picture:
    """Draw the probability over a recording, annotated seizures in red at the bottom.

    Returns
    -------
    array of uint8, shape (240, 480, 3)
    """
    picture = _blank()
    for start_s, stop_s in recording.annotations:
        first, last = (int(at_s / recording.duration_s * (_WIDTH - 1)) for at_s in (start_s, stop_s))
        picture[-12:, max(first, 0) : last + 1] = _RED
    for part in recording.probabilities:
        at_s = part.start_s + np.arange(len(part.values)) / len(part.values) * (part.stop_s - part.start_s)
        columns = (at_s / recording.duration_s * (_WIDTH - 1)).astype(np.int64)
        scored = ~np.isnan(part.values)
        highest = np.full(_WIDTH, -1.0)
        np.maximum.at(highest, columns[scored], part.values[scored])
        drawn = np.flatnonzero(highest >= 0.0)
        _line(picture, drawn.tolist(), [_row(float(highest[c])) for c in drawn], _INK)
    return picture


def _blank() -> Picture:
    return np.full((_HEIGHT, _WIDTH, 3), 255, dtype=np.uint8)


def _row(share: float) -> int:
    return round((1.0 - min(max(share, 0.0), 1.0)) * (_HEIGHT - 1))


def _column(rate: float) -> int:
    low, high = np.log10(_RATES[0]), np.log10(_RATES[-1])
    place = (np.log10(max(rate, _RATES[0])) - low) / (high - low)
    return round(float(min(place, 1.0)) * (_WIDTH - 1))


def _line(picture: Picture, columns: list[int], rows: list[int], colour: tuple[int, int, int]) -> None:
    """Join points by straight lines, two pixels thick."""
    for k in range(len(columns) - 1):
        n = max(abs(columns[k + 1] - columns[k]), abs(rows[k + 1] - rows[k]), 1) + 1
        across = np.linspace(columns[k], columns[k + 1], n).round().astype(np.int64)
        down = np.linspace(rows[k], rows[k + 1], n).round().astype(np.int64)
        picture[down, across] = colour
        picture[np.minimum(down + 1, _HEIGHT - 1), across] = colour
