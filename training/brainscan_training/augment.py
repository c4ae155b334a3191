"""Changes to a window that leave its label as it is: gain, polarity, mirror, spectrum, device, noise, electrodes.

All of them work on µV of shape (19, n_samples) at 256 Hz and draw from a generator that is passed in.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import INDEX, MIRROR, N_ELECTRODES
from brainscan.events import RATE_HZ
from brainscan.signal.interpolation import spline_weights

FloatArray = NDArray[np.float32]

_LEFT = list(range(8))
_MIDLINE = (8, 9, 10)
_RIGHT = list(range(11, 19))


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
    ears : float
        Share of windows measured against the ear of the same side, as headboxes without a common reference do.
    device : float
        Share of windows that pass a recorder of 100 to 200 Hz with coarse steps.
    stretch : float
        Share of chunks played up to a sixth slower or faster, labels with them.
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
    ears: float = 0.0
    device: float = 0.0
    stretch: float = 0.0

    def __post_init__(self) -> None:
        if min(self.gain, self.electrode_gain) < 0.0:
            raise ValueError("gains must not be negative")
        shares = (self.polarity, self.mirror, self.low_pass, self.high_pass, self.tilt, self.noise, self.mains)
        rest = (self.drop, self.components, self.ears, self.device, self.stretch)
        if any(not 0.0 <= share <= 1.0 for share in (*shares, *rest)):
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
    # Absent ones draw nothing, so that a recipe without them keeps its windows.
    if config.device and rng.random() < config.device:
        uv = _device(uv, rng)
    if config.ears and rng.random() < config.ears:
        uv = against_ears(uv, rng.uniform(0.2, 0.8))
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


def against_ears(uv: FloatArray, share: float) -> FloatArray:
    """Return each side measured against its own ear, then against the common average again.

    Parameters
    ----------
    uv : array of float32, shape (19, n_samples)
    share : float
        How much of the temporal electrode above it an ear picks up, 0..1.
    """
    result = uv.copy()
    for rows, above in ((_LEFT, "T3"), (_RIGHT, "T4")):
        result[rows] -= np.float32(share) * uv[INDEX[above]]
    # The midline's inputs were joined to both ears.
    result[list(_MIDLINE)] -= np.float32(0.5 * share) * (uv[INDEX["T3"]] + uv[INDEX["T4"]])
    averaged: FloatArray = result - result.mean(axis=0)
    return averaged


def stretched(uv: FloatArray, factor: float) -> FloatArray:
    """Return samples played `factor` times as long, by linear interpolation (the band ends far below Nyquist).

    Returns
    -------
    array of float32, shape (19, int(n_samples * factor))
    """
    n = int(uv.shape[1] * factor)
    at = np.minimum(np.arange(n) / factor, uv.shape[1] - 1.0)
    low = np.minimum(at.astype(np.int64), uv.shape[1] - 2)
    share = (at - low).astype(np.float32)
    result: FloatArray = uv[:, low] * (1.0 - share) + uv[:, low + 1] * share
    return result


def slowed(uv: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a chunk as slow as the EEG of intensive care often is: a steeper spectrum, the same RMS."""
    from scipy.fft import irfft, rfft

    n = uv.shape[1]
    hz = np.fft.rfftfreq(n, 1.0 / RATE_HZ)
    response = (np.maximum(hz, 0.8) / 3.0) ** -rng.uniform(0.5, 1.6)
    slow = irfft(rfft(uv, axis=1) * response.astype(np.float32), n=n, axis=1)
    before, after = (np.sqrt(np.mean(np.square(x, dtype=np.float64))) for x in (uv, slow))
    return np.asarray(slow * (before / max(after, 1e-6)), dtype=np.float32)


def _device(uv: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return what a slower, coarser recorder keeps: resampled down and up again, in steps of 0.1 to 1 µV."""
    from scipy.fft import irfft, rfft

    n = uv.shape[1]
    low = max(2, round(n * rng.uniform(100.0, 200.0) / RATE_HZ))
    step = np.float32(np.exp(rng.uniform(np.log(0.1), 0.0)))
    recorded = irfft(rfft(uv, axis=1)[:, : low // 2 + 1], n=low, axis=1) * np.float32(low / n)
    recorded = np.rint(recorded / step) * step
    return np.asarray(irfft(rfft(recorded, axis=1), n=n, axis=1) * np.float32(n / low), dtype=np.float32)


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
