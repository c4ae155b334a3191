"""Spherical-spline interpolation between the 19 electrodes.

Perrin, Pernier, Bertrand, Echallier: Spherical splines for scalp potential and current density mapping.
Electroencephalography and Clinical Neurophysiology 72 (1989) 184-187, equations 1 to 3, with m = 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import POSITIONS

_ORDER = 4
_TERMS = 50  # the series' terms fall with n**-7: far below rounding


def spline_weights(sources: Sequence[int], targets: Sequence[int]) -> NDArray[np.float64]:
    """Return the weights that interpolate some electrodes from others.

    Parameters
    ----------
    sources, targets : sequence of int
        Indices among the 19. At least one source.

    Returns
    -------
    array of float64, shape (n_targets, n_sources)
        Each row sums to one, so that what all sources share (a reference) the targets share too.

    Raises
    ------
    ValueError
        If there is no source.
    """
    if not sources:
        raise ValueError("interpolation needs at least one source electrode")
    positions = np.asarray(POSITIONS)
    n = len(sources)
    # [[G, 1], [1', 0]] [c; c0] = [v; 0]: the constraint makes the spline reproduce constants.
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = _g(positions[list(sources)] @ positions[list(sources)].T)
    system[n, n] = 0.0
    right = np.ones((n + 1, len(targets)))
    right[:n] = _g(positions[list(sources)] @ positions[list(targets)].T)
    return np.ascontiguousarray(np.linalg.solve(system, right)[:n].T)


def _g(cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate g of equation 3 by the recurrence of the Legendre polynomials."""
    x = np.clip(cosine, -1.0, 1.0)
    before, now = np.ones_like(x), x.copy()
    total = np.zeros_like(x)
    for n in range(1, _TERMS + 1):
        total += (2 * n + 1) / (n * (n + 1)) ** _ORDER * now
        before, now = now, ((2 * n + 1) * x * now - n * before) / (n + 1)
    return total / (4 * np.pi)
