"""Probabilities as logits, and thresholds so many logits higher."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from brainscan.events import FloatArray

CLIP = 1e-6


def logit(probability: float | FloatArray) -> NDArray[np.float64]:
    """Return logits of probabilities, which count as at least 1e-6 from 0 and 1."""
    # In float64: float32 has no neighbour of one at the upper bound, and the bounds would not be symmetric.
    clipped = np.clip(np.asarray(probability, dtype=np.float64), CLIP, 1.0 - CLIP)
    return np.log(clipped) - np.log1p(-clipped)


def raised(threshold: float, above: float) -> float:
    """Return a threshold that lies so many logits higher; 0 and 1 stay."""
    if not above or threshold in (0.0, 1.0):
        return threshold
    return 1.0 / (1.0 + math.exp(-float(logit(threshold)) - above))
