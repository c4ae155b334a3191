"""Random processes that the pieces are made of. All take a generator; all work in float64.

Float64 although the results end as 16-bit integers: the last bits of float32 differ between processors, and a
file must come out the same everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def band_noise(
    rng: np.random.Generator, n_rows: int, n_samples: int, rate_hz: float, band_hz: tuple[float, float]
) -> Array:
    """Draw independent Gaussian noise of a band, flat inside, unit variance.

    Parameters
    ----------
    band_hz : tuple of float
        Edges; what lies above 0.45 of the rate is left out.

    Returns
    -------
    array, shape (n_rows, n_samples)
        Zeros where the band holds no bin.
    """
    length = _fast_length(n_samples)
    frequency = np.fft.rfftfreq(length, 1 / rate_hz)
    inside = np.flatnonzero((frequency >= band_hz[0]) & (frequency <= min(band_hz[1], 0.45 * rate_hz)))
    spectrum = np.zeros((n_rows, len(frequency)), dtype=np.complex128)
    if len(inside):
        spectrum[:, inside] = complex_normal(rng, (n_rows, len(inside))) * (length / np.sqrt(2 * len(inside)))
    noise: Array = np.fft.irfft(spectrum, length, axis=1)[:, :n_samples]
    return noise


def complex_normal(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.complex128]:
    """Draw complex Gaussians with unit mean square."""
    parts = rng.standard_normal((shape[0], 2 * shape[1])) * np.sqrt(0.5)
    values: NDArray[np.complex128] = parts.view(np.complex128)
    return values


def wander(rng: np.random.Generator, n_samples: int, rate_hz: float, time_s: float) -> Array:
    """Draw a smooth random course of about unit variance that changes over `time_s`, shape (n_samples,).

    Knots every `time_s` are joined by half cosines, which have no corners that a spectrum would show.
    """
    step = max(time_s * rate_hz, 1.0)
    position = np.asarray(np.arange(n_samples) / step + rng.uniform(), dtype=np.float64)
    knots = rng.standard_normal(int(position[-1]) + 2) if n_samples else np.zeros(2)
    knot = position.astype(np.int64)
    share = smooth_step(position - knot)
    course: Array = knots[knot] * (1 - share) + knots[knot + 1] * share
    return course


def smooth_step(x: Array) -> Array:
    """Rise from 0 (at and below 0) to 1 (at and above 1) along a half cosine."""
    rise: Array = 0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0.0, 1.0))
    return rise


def taper(n_samples: int, rate_hz: float, rise_s: float, fall_s: float) -> Array:
    """Return an envelope that rises from 0, stays at 1 and falls to 0, shape (n_samples,)."""
    t = (np.arange(n_samples, dtype=np.float64) + 0.5) / np.float64(rate_hz)
    last = n_samples / rate_hz
    envelope: Array = smooth_step(t / max(rise_s, 1e-9)) * smooth_step((last - t) / max(fall_s, 1e-9))
    return envelope


def bursts(rng: np.random.Generator, n_samples: int, rate_hz: float, rate_per_s: float, width_s: float) -> Array:
    """Return a train of soft gates 0..1 at jittered intervals, shape (n_samples,)."""
    t = np.arange(n_samples) / rate_hz
    gates = np.zeros(n_samples)
    at_s = rng.uniform(0.0, 1.0 / rate_per_s)
    while at_s < n_samples / rate_hz:
        near = slice(*np.searchsorted(t, (at_s - 2 * width_s, at_s + 2 * width_s)))
        gates[near] += np.exp(-0.5 * ((t[near] - at_s) / (0.5 * width_s)) ** 2)
        at_s += rng.normal(1.0, 0.08) / rate_per_s
    return np.minimum(gates, 1.0)


def outer(field: Array, course: Array) -> Array:
    """Return a field times a course, shape (len(field), n_samples)."""
    product: Array = field[:, None] * course
    return product


def _fast_length(n: int) -> int:
    """Return the smallest even product of a few 2, 3 and 5 from `n` on, which transforms fast; never a prime."""
    candidates = []
    for odd in (1, 3, 5, 9, 15, 25, 27, 45, 75):
        size = 2 * odd
        while size < n:
            size *= 2
        candidates.append(size)
    return min(candidates)
