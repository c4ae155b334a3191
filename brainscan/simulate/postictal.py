"""What follows a simulated seizure: slow waves, and a background that comes back."""

from __future__ import annotations

import numpy as np

from brainscan.simulate.noise import Array, band_noise, outer, smooth_step


def postictal(
    rng: np.random.Generator, n_after: int, rate_hz: float, ictal: Array, falls: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Return slow waves after the seizure and the background's recovery, shape (19, n_after) each.

    Parameters
    ----------
    n_after : int
        Samples after the offset.
    rate_hz : float
    ictal : array, shape (19, n_ictal)
    falls : tuple of arrays, shape (19,)
        Share of the background that is missing at the offset, and soon after it.
    """
    lost, suppression = falls
    t = np.asarray((np.arange(n_after) + 0.5) / rate_hz, dtype=np.float64)
    course = t * np.float64(rate_hz / max(n_after, 1))
    at_once = 1.0 - smooth_step(t / min(1.0, max(n_after, 1) / rate_hz))
    recovery = 1.0 - outer(lost, at_once) - outer(suppression, (1.0 - at_once) * (1.0 - smooth_step(course)))
    if n_after == 0:
        return np.zeros((len(ictal), 0)), recovery
    # random sums of the seizure's samples are fields with the seizure's own covariance
    fields = ictal @ rng.standard_normal((ictal.shape[1], 2)) / np.sqrt(2.0 * ictal.shape[1])
    waves = fields @ band_noise(rng, 2, n_after, rate_hz, (0.7, 5.0))
    envelope = rng.uniform(0.3, 1.2) * smooth_step(t / 1.5) * (1.0 - smooth_step(course))
    return waves * envelope, recovery
