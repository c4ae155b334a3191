"""The linear-phase FIR filter at 256 Hz: design by windowed sinc, block-wise by overlap-save.

Linear phase and finite support keep onsets where they are and make a block-wise pass equal a whole-file one.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from brainscan.card import FilterConfig
from brainscan.events import RATE_HZ
from brainscan.signal.fourier import fast_length, irfft, rfft

FloatArray = NDArray[np.float32]

# Kaiser's formulas for 40 dB: beta, and the length per transition width.
_BETA = 3.4
_LENGTH = (40.0 - 7.95) / 14.36
_NOTCH_HALF_WIDTH_HZ = 1.0
FRAME = 16 * RATE_HZ


@functools.lru_cache(maxsize=16)
def taps(config: FilterConfig) -> NDArray[np.float64]:
    """Return the impulse response, odd length, symmetric.

    High-pass, low-pass and notches are differences of windowed-sinc low-passes of one length, so their sum keeps
    one delay. The response at 0 Hz is exactly zero.
    """
    half = int(np.ceil(_LENGTH / config.transition_hz * RATE_HZ / 2))
    response = -_low_pass(config.high_pass_hz, half)
    if config.low_pass_hz:
        response += _low_pass(config.low_pass_hz, half)
    else:
        response[half] += 1.0
    top = config.low_pass_hz or RATE_HZ / 2
    centre = config.notch_hz
    while centre and centre + _NOTCH_HALF_WIDTH_HZ < min(top + 4.0, RATE_HZ / 2):
        low, high = centre - _NOTCH_HALF_WIDTH_HZ, centre + _NOTCH_HALF_WIDTH_HZ
        stop_band = _low_pass(high, half) - _low_pass(low, half)
        if centre < top:
            response -= stop_band
        centre += config.notch_hz
    response.setflags(write=False)
    return response


def _low_pass(corner_hz: float, half: int) -> NDArray[np.float64]:
    n = np.arange(-half, half + 1)
    response = np.sinc(2.0 * corner_hz / RATE_HZ * n) * np.kaiser(2 * half + 1, _BETA)
    return np.asarray(response / response.sum() if corner_hz < RATE_HZ / 2 else response, dtype=np.float64)


def half_length(config: FilterConfig) -> int:
    """Return the look-ahead of the filter in samples at 256 Hz."""
    return (len(taps(config)) - 1) // 2


class StreamingFilter:
    """State of the filter for a group of channels: overlap-save on frames of a fixed grid.

    Parameters
    ----------
    config : FilterConfig
    n_channels : int
    """

    def __init__(self, config: FilterConfig, n_channels: int) -> None:
        response = taps(config)
        self._half = (len(response) - 1) // 2
        self._n_fft = fast_length(FRAME + len(response) - 1)
        self._spectrum = _spectrum(config, self._n_fft)
        # Before its start a segment continues at zero (its first second's mean is taken off already).
        self._buffer = np.zeros((n_channels, self._half), dtype=np.float32)

    @property
    def lookahead(self) -> int:
        """Samples beyond the end that complete every frame."""
        return self._half + FRAME

    def push(self, block: FloatArray) -> FloatArray:
        """Take samples at 256 Hz, shape (n_channels, n), and return what is complete, shape (n_channels, m)."""
        self._buffer = np.concatenate((self._buffer, block), axis=1)
        needed = FRAME + 2 * self._half
        parts = []
        at = 0
        while self._buffer.shape[1] - at >= needed:
            spectrum = rfft(self._buffer[:, at : at + needed], self._n_fft)
            spectrum *= self._spectrum
            filtered = irfft(spectrum, self._n_fft)
            parts.append(filtered[:, 2 * self._half : 2 * self._half + FRAME])
            at += FRAME
        self._buffer = self._buffer[:, at:]
        return np.concatenate(parts, axis=1) if parts else self._buffer[:, :0]


@functools.lru_cache(maxsize=8)
def _spectrum(config: FilterConfig, n_fft: int) -> NDArray[np.complex64]:
    return np.fft.rfft(taps(config), n=n_fft).astype(np.complex64)
