"""What the network is told of amplitudes: which electrodes are centred together. Without torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainscan.card import AmplitudeConfig
from brainscan.electrodes import ELECTRODES, LEFT, RIGHT

FloatArray = NDArray[np.float32]

_MIDLINE = ("Fz", "Cz", "Pz")
GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "all": (),
    "lateral": (LEFT + RIGHT, _MIDLINE),
    "hemispheres": (LEFT, RIGHT, _MIDLINE),
}


def centring_matrix(config: AmplitudeConfig) -> FloatArray:
    """Return the matrix that takes each group's mean off, shape (19, 19)."""
    matrix = np.eye(len(ELECTRODES))
    for group in GROUPS[config.centre]:
        rows = [ELECTRODES.index(name) for name in group]
        matrix[np.ix_(rows, rows)] -= 1.0 / len(rows)
    return matrix.astype(np.float32)
