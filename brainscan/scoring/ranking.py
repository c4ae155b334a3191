"""How well scores rank what is ictal, and how far they can be taken for probabilities: figures without a threshold."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from brainscan.events import BoolArray

N_BINS = 10
"""Equal bins of [0, 1] over which the calibration error is taken."""


def auroc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Return the share of (positive, negative) pairs that are ranked rightly, ties half; NaN without both."""
    if not len(positive) or not len(negative):
        return math.nan
    ordered = np.sort(negative)
    below, upto = np.searchsorted(ordered, positive, "left"), np.searchsorted(ordered, positive, "right")
    return float((below + upto).sum() / (2.0 * len(positive) * len(negative)))


class Ranking:
    """Scores in order, so that a figure over a draw of subjects costs one pass.

    Every figure is a `brainscan.scoring.intervals.Statistic`: it takes how often each subject is drawn.

    Parameters
    ----------
    score : array of float64, shape (n,)
        Probabilities, in [0, 1].
    ictal : array of bool, shape (n,)
    subject : array of int64, shape (n,)
        Whose each is, in ``range(n_subjects)``.
    n_subjects : int
    """

    def __init__(
        self, score: NDArray[np.float64], ictal: BoolArray, subject: NDArray[np.int64], n_subjects: int
    ) -> None:
        self._score, self._ictal, self._subject, self._n_subjects = score, ictal, subject, n_subjects
        levels, self._place = np.unique(score, return_inverse=True)
        self._n_places = len(levels)
        self._bin = np.minimum((score * N_BINS).astype(np.int64), N_BINS - 1)

    def auroc(self, weights: NDArray[np.int64]) -> float:
        """Return the AUROC; NaN without both classes."""
        positive, negative = self._by_score(weights)
        pairs = positive.sum() * negative.sum()
        if pairs == 0:
            return math.nan
        below = np.cumsum(negative) - negative / 2.0
        return float((positive * below).sum() / pairs)

    def within_subjects(self) -> NDArray[np.float64]:
        """Return each subject's own AUROC, NaN where it has one class only; shape (n_subjects,)."""
        each = np.eye(self._n_subjects, dtype=np.int64)
        return np.array([self.auroc(weights) for weights in each], np.float64)

    def average_precision(self, weights: NDArray[np.int64]) -> float:
        """Return the precision at each score, averaged over the recall that the score adds; NaN without both classes.

        Equal scores are taken together, and nothing is interpolated between scores: interpolation flatters (Davis and
        Goadrich, ICML 2006).
        """
        positive, negative = self._by_score(weights)
        if positive.sum() == 0 or negative.sum() == 0:
            return math.nan
        found = np.cumsum(positive[::-1])
        called = found + np.cumsum(negative[::-1])
        return float((positive[::-1] * found / np.maximum(called, 1)).sum() / positive.sum())

    def calibration_error(self, weights: NDArray[np.int64]) -> float:
        """Return the expected calibration error; NaN where nothing is drawn.

        The mean distance, over tenths of the score, between the mean score and the share that is ictal, weighted by
        what lies in each (Naeini et al., AAAI 2015; Guo et al., ICML 2017).
        """
        weight = weights[self._subject].astype(np.float64)
        if weight.sum() == 0:
            return math.nan
        score = np.bincount(self._bin, weights=weight * self._score, minlength=N_BINS)
        ictal = np.bincount(self._bin, weights=weight * self._ictal, minlength=N_BINS)
        return float(np.abs(score - ictal).sum() / weight.sum())

    def _by_score(self, weights: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how much is ictal, and how much is not, at each distinct score, the lowest first."""
        weight = weights[self._subject].astype(np.float64)

        def at_each(chosen: BoolArray) -> NDArray[np.float64]:
            counts = np.bincount(self._place[chosen], weights=weight[chosen], minlength=self._n_places)
            return np.asarray(counts, dtype=np.float64)

        return at_each(self._ictal), at_each(~self._ictal)
