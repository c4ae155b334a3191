"""Overlap-add: the probabilities of overlapping windows become one curve a segment."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from brainscan.card import WindowConfig
from brainscan.events import RATE_HZ, BoolArray

FloatArray = NDArray[np.float32]


@functools.lru_cache(maxsize=8)
def taper(config: WindowConfig) -> NDArray[np.float64]:
    """Return the weight of each sample of a window: raised cosine at both ends, never zero.

    Returns
    -------
    array, shape (n_samples,)
    """
    weights = np.ones(config.n_samples)
    n_ramp = round(config.taper_s * RATE_HZ)
    # Half-sample offsets keep the ends above zero, so that a sample seen by one window only keeps its value.
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n_ramp) + 0.5) / max(n_ramp, 1))
    weights[:n_ramp] = ramp
    weights[len(weights) - n_ramp :] = ramp[::-1]
    weights.setflags(write=False)
    return weights


class Stitcher:
    """State of the overlap-add of one segment.

    A sample's value is the weighted mean over the scored windows that hold it; one that none holds is NaN.

    Parameters
    ----------
    config : WindowConfig
    """

    def __init__(self, config: WindowConfig) -> None:
        self._config = config
        self._weights = taper(config)
        self._sum = np.zeros(0)
        self._weight = np.zeros(0)
        self._first = 0

    def add(self, start: int, probability: FloatArray | None, n_valid: int, absent: BoolArray) -> FloatArray:
        """Add one window, in order of time, and return the samples that no later window will touch.

        Parameters
        ----------
        start : int
            First sample of the window in the segment.
        probability : array of float32, shape (n_samples,), or None
            None where the window was not scored.
        n_valid : int
            Samples of the window that belong to the segment.
        absent : array of bool, shape (n_seconds,)
            Seconds of the window without values.

        Returns
        -------
        array of float32, shape (n,)
            Continues what the last call returned.
        """
        self._grow(start + n_valid - self._first)
        if probability is not None:
            weights = self._weights[:n_valid].copy()
            weights[np.repeat(absent, RATE_HZ)[:n_valid]] = 0.0
            span = slice(start - self._first, start - self._first + n_valid)
            self._sum[span] += weights * probability[:n_valid]
            self._weight[span] += weights
        # The next window starts a stride later; what lies before it is final at once.
        return self._emit(start + self._config.stride - self._first)

    def finish(self) -> FloatArray:
        """Return the rest of the segment."""
        return self._emit(len(self._sum))

    def _grow(self, n_samples: int) -> None:
        more = max(n_samples - len(self._sum), 0)
        self._sum = np.concatenate((self._sum, np.zeros(more)))
        self._weight = np.concatenate((self._weight, np.zeros(more)))

    def _emit(self, n_samples: int) -> FloatArray:
        total, weight = self._sum[:n_samples], self._weight[:n_samples]
        values = np.full(len(total), np.nan, dtype=np.float32)
        np.divide(total, weight, out=values, where=weight > 0.0, casting="unsafe")
        self._sum, self._weight = self._sum[n_samples:], self._weight[n_samples:]
        self._first += len(values)
        return values
