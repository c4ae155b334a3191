"""The centred moving average of the logits of a probability curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainscan.decision.logits import logit
from brainscan.events import RATE_HZ

FloatArray = NDArray[np.float32]


class MovingAverage:
    """State of the averaging of one segment.

    Logits of the probabilities, clipped to ``[1e-6, 1 - 1e-6]``, are averaged over `average_s` seconds around each
    sample; the mean is taken over the scored samples in reach, so it is renormalised at the segment's ends and at
    unscored spans.

    Parameters
    ----------
    average_s : float
        Length of the average, seconds; 0 passes everything through.
    """

    def __init__(self, average_s: float) -> None:
        self._half = round(average_s * RATE_HZ / 2)
        self._values = np.zeros(0, dtype=np.float32)
        self._at = 0  # of the buffer, the first sample not yet returned

    def push(self, probability: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Take the next samples; return averaged and plain probabilities of what is complete, aligned."""
        self._values = np.concatenate((self._values, probability))
        return self._advance(len(self._values) - self._half)

    def finish(self) -> tuple[FloatArray, FloatArray]:
        """Return the rest of the segment."""
        return self._advance(len(self._values))

    def _advance(self, stop: int) -> tuple[FloatArray, FloatArray]:
        if stop <= self._at:
            return self._values[:0], self._values[:0]
        plain = self._values[self._at : stop]
        averaged = self._average(self._at, stop) if self._half else plain
        drop = max(stop - self._half, 0)
        self._values, self._at = self._values[drop:], stop - drop
        return averaged, plain

    def _average(self, first: int, stop: int) -> FloatArray:
        scored = ~np.isnan(self._values)
        logits = logit(np.where(scored, self._values, 0.5))
        total = np.concatenate(([0.0], np.cumsum(logits)))  # an unscored sample adds logit(0.5) = 0
        count = np.concatenate(([0], np.cumsum(scored)))
        at = np.arange(first, stop)
        low = np.maximum(at - self._half, 0)
        high = np.minimum(at + self._half + 1, len(self._values))
        mean = (total[high] - total[low]) / np.maximum(count[high] - count[low], 1)
        averaged: FloatArray = (1.0 / (1.0 + np.exp(-mean))).astype(np.float32)
        averaged[~scored[first:stop]] = np.nan
        return averaged


def average(probability: FloatArray, average_s: float) -> FloatArray:
    """Return the averaged curve of a whole segment, shape (n_samples,); NaN stays NaN."""
    state = MovingAverage(average_s)
    return np.concatenate((state.push(probability)[0], state.finish()[0]))
