"""What a recording's curve is like all the time, taken off it: a rhythm that fills the night is no seizure.

Causal: what is taken off ten seconds is known when they begin, from the half hour before them, so that a stream and a
file have the same events.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from brainscan.card import BaselineConfig
from brainscan.decision.logits import logit
from brainscan.events import RATE_HZ

FloatArray = NDArray[np.float32]

STEP_S = 10
"""The curve is looked at once in so many seconds; it is an average over more."""

_STEP = STEP_S * RATE_HZ


class Baseline:
    """State of the baseline of one segment.

    The curve's logit at every tenth second is kept for `BaselineConfig.trailing_s`. The quantile of what is kept, as
    far as it lies above `BaselineConfig.quiet`, is taken off the logits of the following ten seconds, but never more
    than `BaselineConfig.most`, and nothing before a third of `trailing_s` has been scored.

    Parameters
    ----------
    config : BaselineConfig

    Attributes
    ----------
    lowered : int
        Samples that something was taken off.
    """

    def __init__(self, config: BaselineConfig) -> None:
        self._config = config
        self._quiet = float(logit(config.quiet))
        n = max(1, round(config.trailing_s / STEP_S))
        self._past: deque[float] = deque(maxlen=n)
        self._least = max(1, n // 3)
        self._at = 0
        self._taken = 0.0
        self.lowered = 0

    def push(self, curve: FloatArray) -> FloatArray:
        """Take the next samples of the averaged curve and return what is left of them; NaN stays NaN.

        Parameters
        ----------
        curve : array of float32, shape (n_samples,)

        Returns
        -------
        array of float32, shape (n_samples,)
        """
        if not self._config.trailing_s:
            return curve
        result = curve.copy()
        first = 0
        while first < len(curve):
            if self._at % _STEP == 0:
                self._step(float(curve[first]))
            stop = min(first + _STEP - self._at % _STEP, len(curve))
            if self._taken:
                self.lowered += stop - first
                result[first:stop] = 1.0 / (1.0 + np.exp(self._taken - logit(curve[first:stop])))
            self._at += stop - first
            first = stop
        return result

    def _step(self, probability: float) -> None:
        """Remember a value, and fix what the next ten seconds lose."""
        self._past.append(float(logit(probability)))
        known = [value for value in self._past if value == value]  # unscored seconds are NaN
        # The last value stands at the beginning of the ten seconds to come: one fewer has been scored.
        level = np.quantile(known, self._config.quantile) if len(known) > self._least else self._quiet
        self._taken = float(np.clip(level - self._quiet, 0.0, self._config.most))
