"""What the thresholds look at: the averaged curve above the recording's own baseline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainscan.card import DecisionConfig
from brainscan.decision.average import MovingAverage
from brainscan.decision.baseline import Baseline
from brainscan.events import RATE_HZ

FloatArray = NDArray[np.float32]


class DecisionCurve:
    """State of one segment's curve: average, then baseline.

    Parameters
    ----------
    config : DecisionConfig
    """

    def __init__(self, config: DecisionConfig) -> None:
        self._average = MovingAverage(config.average_s)
        self._baseline = Baseline(config.baseline)

    @property
    def lowered_s(self) -> float:
        """Seconds of the segment so far that the baseline was taken off."""
        return self._baseline.lowered / RATE_HZ

    def push(self, probability: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Take the next samples; return curve and plain probabilities of what is complete, aligned.

        Parameters
        ----------
        probability : array of float32, shape (n_samples,)

        Returns
        -------
        tuple of array of float32, shape (n_complete,) each
            NaN where unscored.
        """
        averaged, plain = self._average.push(probability)
        return self._baseline.push(averaged), plain

    def finish(self) -> tuple[FloatArray, FloatArray]:
        """Return the rest of the segment."""
        averaged, plain = self._average.finish()
        return self._baseline.push(averaged), plain
