"""Is a channel usable in one window? Decided from that window alone, so that a live pass equals a whole-file one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.events import RATE_HZ

FloatArray = NDArray[np.float32]

_EVERY = 17  # divides no second: a rhythm of whole cycles a second must not be met at one phase only


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """When a channel counts as unusable in a window.

    Parameters
    ----------
    flat_uv : float
        A second with a smaller standard deviation (filtered, µV) counts as flat.
    share : float
        More than this share of the window flat, at the rails or without values makes the channel unusable.
    ratio : float
        So does an amplitude this many times the median of the other channels.
    """

    flat_uv: float = 0.05
    share: float = 0.5
    ratio: float = 50.0


def second_deviation(window: FloatArray) -> FloatArray:
    """Return the standard deviation of each whole second, shape (n_channels, n_seconds), in the window's unit."""
    n_channels, n_samples = window.shape
    n_seconds = n_samples // RATE_HZ
    seconds = window[:, : n_seconds * RATE_HZ].reshape(n_channels, n_seconds, RATE_HZ)
    mean = seconds.mean(axis=2, keepdims=True)
    power = np.einsum("csn,csn->cs", seconds, seconds) / RATE_HZ
    deviation: FloatArray = np.sqrt(np.maximum(power - mean[:, :, 0] ** 2, 0.0))
    return deviation


def unusable(
    window: FloatArray, railed: FloatArray, absent: FloatArray, limits: QualityLimits | None = None
) -> frozenset[int]:
    """Return the channels that a window must do without: flat, at the rails, far too large, or without values.

    Parameters
    ----------
    window : array of float32, shape (n_channels, n_samples)
        Filtered µV at 256 Hz; at least one whole second.
    railed, absent : array, shape (n_channels, n_seconds)
        Share of each second, 0..1, at the converter's rails and without a value.
    limits : QualityLimits, optional

    Returns
    -------
    frozenset of int
        Row numbers.
    """
    limits = limits or QualityLimits()
    deviation = second_deviation(window)
    bad = (
        ((deviation < limits.flat_uv).mean(axis=1) > limits.share)
        | (railed.mean(axis=1) > limits.share)
        | (absent.mean(axis=1) > limits.share)
        | ~np.isfinite(deviation).all(axis=1)
    )
    level = np.median(deviation, axis=1)
    alive = np.flatnonzero(~bad)
    # What is not far above the smallest is not far above any median.
    large = alive[level[alive] > limits.ratio * level[alive].min(initial=np.inf)]
    for channel in large:
        others = level[alive[alive != channel]]
        if others.size and level[channel] > limits.ratio * np.median(others):
            bad[channel] = True
    return frozenset(int(c) for c in np.flatnonzero(bad))


def is_alike(window: FloatArray, limits: QualityLimits | None = None) -> bool:
    """Say whether nothing is left of re-referenced electrodes: all had the same signal.

    Parameters
    ----------
    window : array of float32, shape (n_electrodes, n_samples)
        Re-referenced µV at 256 Hz; at least one whole second. One sample in seventeen is looked at.
    limits : QualityLimits, optional
    """
    limits = limits or QualityLimits()
    n_seconds = window.shape[1] // RATE_HZ
    seconds = window[:, : n_seconds * RATE_HZ].reshape(len(window), n_seconds, RATE_HZ)[:, :, ::_EVERY]
    flat = (seconds.std(axis=2) < limits.flat_uv).all(axis=0)
    return bool(flat.sum() > limits.share * n_seconds)
