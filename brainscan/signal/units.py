"""What a unit's spelling means in microvolts, and how large a signal is.

What a file means by its units is settled in `brainscan.signal.calibration`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MICRO = ("u", "\u00b5", "\u03bc", "mc", "mk", "micro")
_FACTORS: dict[str, float] = {
    **{f"{micro}v": 1.0 for micro in _MICRO},
    **{f"{micro}volt": 1.0 for micro in _MICRO},
    **{f"{micro}volts": 1.0 for micro in _MICRO},
    "mv": 1e3, "millivolt": 1e3, "millivolts": 1e3,
    "v": 1e6, "volt": 1e6, "volts": 1e6,
    "nv": 1e-3, "nanovolt": 1e-3, "nanovolts": 1e-3,
}  # fmt: skip

PLAUSIBLE_UV = (0.5, 500.0)
"""Robust standard deviation that an EEG channel may have: three decades, so that of units that differ by a
thousand exactly one fits."""

MAX_UV = 1e12
"""No voltage beyond this (a megavolt) is one; squares of it still fit into single precision."""

IMPLAUSIBLE_UV = 10_000.0
"""Above this the declared unit is doubtful."""


def uv_per_unit(unit: str) -> float | None:
    """Return the factor from a unit to µV, None if it is no known spelling of a voltage.

    Case does not count; the micro sign may be the latin or the Greek one.

    Examples
    --------
    >>> uv_per_unit("mV"), uv_per_unit("UV"), uv_per_unit(".V")
    (1000.0, 1.0, None)
    """
    return _FACTORS.get("".join(unit.lower().split()))


def spelled(uv: float) -> str:
    """Return a voltage for people.

    >>> spelled(3620.4), spelled(0.0312), spelled(28.0)
    ('3.6 mV', '31 nV', '28 uV')
    """
    for factor, unit in ((1e6, "V"), (1e3, "mV"), (1.0, "uV")):
        if uv >= factor:
            return f"{uv / factor:.2g} {unit}" if uv < 99.5 * factor else f"{uv / factor:.0f} {unit}"
    return f"{uv * 1e3:.2g} nV"


def robust_deviation(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a standard deviation of each row that outliers and a linear drift do not change.

    Parameters
    ----------
    block : array of float64, shape (n_channels, n_samples)
        NaN is left out.

    Returns
    -------
    array of float64, shape (n_channels,)
        1.4826 times the median absolute deviation from the line through both halves' medians; 0 for rows
        without two values.
    """
    result = np.zeros(len(block))
    for row, values in enumerate(block):
        held = values[np.isfinite(values)]
        if held.size < 2:
            continue
        half = held.size // 2
        slope = (np.median(held[half:]) - np.median(held[:half])) / (held.size / 2)
        level = held - slope * np.arange(held.size)
        result[row] = 1.4826 * np.median(np.abs(level - np.median(level)))
    return result


def mains_share(values: NDArray[np.float64], rate_hz: float) -> float:
    """Return which share of the power above 0.5 Hz lies within 1 Hz of 50 or 60 Hz or a multiple, 0..1.

    Parameters
    ----------
    values : array of float64, shape (n_samples,)
        One channel; NaN counts as zero.
    rate_hz : float
    """
    power = np.abs(np.fft.rfft(np.nan_to_num(values - np.nan_to_num(values).mean()))) ** 2
    at_hz = np.fft.rfftfreq(len(values), 1 / rate_hz)
    total = power[at_hz > 0.5].sum()
    nearest = np.minimum(*(np.abs(at_hz - np.maximum(np.round(at_hz / f), 1) * f) for f in (50.0, 60.0)))
    return float(power[nearest <= 1.0].sum() / total) if total > 0 else 0.0
