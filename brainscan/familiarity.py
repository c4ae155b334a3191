"""What a network answers to a window, and whether the window is like the background that it was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

UNFAMILIAR = 0.5
"""A recording is unfamiliar if this share of its windows, or more, is unlike the training background."""

NONE: FloatArray = np.zeros(0, dtype=np.float32)
"""The features of a window by a network that gives none."""


class Answer(NamedTuple):
    """What a network says of one window.

    Attributes
    ----------
    probability : array, shape (n_samples,)
    features : array, shape (n_features,)
        What its head sees, averaged over the window; empty where the network gives none.
    """

    probability: FloatArray
    features: FloatArray = NONE


@dataclass(frozen=True, slots=True)
class Familiarity:
    """Features of windows without seizures that a model was trained on.

    Parameters
    ----------
    mean, spread : tuple of float
        Mean and standard deviation of each feature.
    limit : float
        The distance beyond which few such windows of new subjects lie.
    """

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    limit: float

    def __post_init__(self) -> None:
        if not self.mean or len(self.spread) != len(self.mean):
            raise ValueError("mean and spread must have a value for each feature")
        if min(*self.spread, self.limit) <= 0.0:
            raise ValueError("spread and limit must be positive")

    def distance(self, features: FloatArray) -> float:
        """Return how far a window lies from the training background: 1 for a usual one.

        The root of the mean square of its features' distances, each in standard deviations (Mahalanobis' distance with
        a diagonal covariance).

        Parameters
        ----------
        features : array, shape (n_features,)
        """
        off = (features.astype(np.float64) - np.array(self.mean)) / np.array(self.spread)
        return float(np.sqrt(np.mean(off * off)))

    def is_unlike(self, features: FloatArray) -> bool:
        """Say whether a window lies beyond the limit."""
        return self.distance(features) > self.limit


class Compared(NamedTuple):
    """A window that was compared with the training background, seconds from the start of the recording."""

    start_s: float
    stop_s: float
    unlike: bool


def unfamiliar_share(windows: Iterable[Compared], events: Sequence[tuple[float, float]]) -> float | None:
    """Return the share of the windows without an event that are unlike the training background.

    A seizure is unlike background and says nothing of the recording.

    Parameters
    ----------
    windows : iterable of Compared
    events : sequence of (float, float)
        Seconds from the start of the recording.

    Returns
    -------
    float or None
        None if there is no such window.
    """
    quiet = [w.unlike for w in windows if not any(a < w.stop_s and b > w.start_s for a, b in events)]
    return sum(quiet) / len(quiet) if quiet else None
