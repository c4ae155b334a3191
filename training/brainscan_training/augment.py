"""Changes to a window that leave its label as it is: gain, polarity, mirror, spectrum, noise, lost electrodes.

All of them work on µV of shape (19, n_samples) at 256 Hz and draw from a generator that is passed in.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import MIRROR, N_ELECTRODES
from brainscan.events import RATE_HZ
from brainscan.signal.interpolation import spline_weights

FloatArray = NDArray[np.float32]

_MIDLINE = (8, 9, 10)


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How much each augmentation does; 0 switches it off.

    Parameters
    ----------
    gain : float
        Spread of a log-normal gain a chunk.
    electrode_gain : float
        Spread of a log-normal gain an electrode and window.
    polarity, mirror : float
        Share of chunks turned over, mirrored left to right.
    low_pass, high_pass, tilt : float
        Share of windows with a low-pass of 24 to 50 Hz, a high-pass of 0.15 to 1.1 Hz, a tilted spectrum.
    noise, mains : float
        Share of windows with added noise, with mains hum.
    drop : float
        Share of windows in which 1 to 9 electrodes are lost and interpolated.
    components : float
        Share of windows re-centred within components, as bipolar files force it.
    """

    gain: float = 0.35
    electrode_gain: float = 0.15
    polarity: float = 0.5
    mirror: float = 0.5
    low_pass: float = 0.5
    high_pass: float = 0.5
    tilt: float = 0.5
    noise: float = 0.4
    mains: float = 0.05
    drop: float = 0.42
    components: float = 0.5

    def __post_init__(self) -> None:
        if min(self.gain, self.electrode_gain) < 0.0:
            raise ValueError("gains must not be negative")
        shares = (self.polarity, self.mirror, self.low_pass, self.high_pass, self.tilt, self.noise, self.mains)
        if any(not 0.0 <= share <= 1.0 for share in (*shares, self.drop, self.components)):
            raise ValueError("shares must lie within 0..1")


def chunk(uv: FloatArray, rng: np.random.Generator, config: AugmentConfig) -> FloatArray:
    """Return a chunk with another gain, perhaps turned over or mirrored."""
    uv = uv * np.float32(np.exp(config.gain * rng.standard_normal()))
    if rng.random() < config.polarity:
        uv = -uv
    if rng.random() < config.mirror:
        uv = uv[list(MIRROR)]
    return uv


def window(uv: FloatArray, rng: np.random.Generator, config: AugmentConfig) -> FloatArray:
    """Return a whole window with another spectrum, noise, lost electrodes, components re-centred."""
    gains = np.exp(config.electrode_gain * rng.standard_normal((N_ELECTRODES, 1))).astype(np.float32)
    uv = _spectrum(uv * gains, rng, config)
    if rng.random() < config.noise:
        uv = uv + _noise(uv.shape, rng)
    if rng.random() < config.mains:
        uv = uv + _mains(uv.shape, rng)
    if rng.random() < config.drop:
        uv = _drop(uv, rng)
    if rng.random() < config.components:
        uv = recentre(uv)
    return uv


def recentre(uv: FloatArray) -> FloatArray:
    """Return the lateral 16 and the midline 3 each about their own mean, as a double banana leaves them."""
    lateral = [i for i in range(N_ELECTRODES) if i not in _MIDLINE]
    result = uv.copy()
    for rows in (lateral, list(_MIDLINE)):
        result[rows] -= uv[rows].mean(axis=0)
    return result


def _spectrum(uv: FloatArray, rng: np.random.Generator, config: AugmentConfig) -> FloatArray:
    n = uv.shape[1]
    hz = np.fft.rfftfreq(n, 1.0 / RATE_HZ)
    response = np.ones(len(hz))
    if rng.random() < config.low_pass:
        corner = rng.uniform(24.0, 50.0)
        response /= np.sqrt(1.0 + (hz / corner) ** (2 * rng.integers(2, 7)))
    if rng.random() < config.high_pass:
        corner = np.exp(rng.uniform(np.log(0.15), np.log(1.1)))
        response *= hz**2 / (hz**2 + corner**2)
    if rng.random() < config.tilt:
        response *= (np.maximum(hz, 0.5) / 8.0) ** rng.normal(0.0, 0.15)
    if np.all(response == 1.0):
        return uv
    from scipy.fft import irfft, rfft

    return np.asarray(irfft(rfft(uv, axis=1) * response.astype(np.float32), n=n, axis=1), dtype=np.float32)


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    level = np.exp(rng.uniform(np.log(0.3), np.log(6.0)))
    each = level * np.exp(0.5 * rng.standard_normal((shape[0], 1)))
    noise: FloatArray = rng.standard_normal(shape, dtype=np.float32) * each.astype(np.float32)
    return noise


def _mains(shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    hz = 50.0 if rng.random() < 0.5 else 60.0
    amplitude = np.exp(rng.uniform(0.0, np.log(30.0))) * rng.random((shape[0], 1))
    phase = 2.0 * np.pi * hz * np.arange(shape[1]) / RATE_HZ + rng.uniform(0, 2 * np.pi)
    hum: FloatArray = (amplitude * np.sin(phase)).astype(np.float32)
    return hum


def _drop(uv: FloatArray, rng: np.random.Generator) -> FloatArray:
    # Few lost electrodes are the rule, nine what a headset of ten leaves.
    n = int(min(rng.geometric(0.35), 9)) if rng.random() < 0.8 else int(rng.integers(4, 10))
    lost = tuple(sorted(rng.choice(N_ELECTRODES, n, replace=False).tolist()))
    result = uv.copy()
    result[list(lost)] = _weights(lost) @ uv[[i for i in range(N_ELECTRODES) if i not in lost]]
    return result


@functools.lru_cache(maxsize=4096)
def _weights(lost: tuple[int, ...]) -> FloatArray:
    kept = [i for i in range(N_ELECTRODES) if i not in lost]
    return spline_weights(kept, list(lost)).astype(np.float32)
