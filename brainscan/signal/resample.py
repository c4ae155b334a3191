"""Resample channels to 256 Hz, block by block, from their exact rational rate.

A windowed-sinc interpolator (Kaiser window; Oppenheim and Schafer, Discrete-Time Signal Processing, ch. 7)
is evaluated at the exact position of every output sample. Work is done in frames on a fixed grid from the
segment's start, so the size of the pushed blocks cannot change the result.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from brainscan.events import RATE_HZ

FloatArray = NDArray[np.float32]

# Half-width of the kernel in periods of the lower of both rates, its corner as a share of that rate, and the
# Kaiser window for 60 dB: flat to 0.42 of the lower rate, closed at its Nyquist frequency.
_HALF_PERIODS = 24
_CORNER = 0.46
_BETA = 5.65
# One weight matrix serves all frames of ratios with a small denominator (all usual rates); odd ones (255.767 Hz)
# need a matrix a frame. A frame is several short rows in one matrix product: the shorter a row, the less of its
# matrix is zeros; a fixed number of rows keeps the rounding the same however much is pushed at once.
_PERIODIC_LIMIT = 512
_ROW = 96
_ROWS = 8
# A row's product is made in bands of columns, which skip most zeros, and in pieces of so few multiplications that
# OpenBLAS keeps them on this thread: waking others takes up to a hundred times as long.
_BAND = 24
_PIECE = 1 << 18


class Resampler:
    """State of the resampling of a group of channels that share one rate.

    Parameters
    ----------
    rate_hz : Fraction
        Rate of the input.
    n_channels : int
    """

    def __init__(self, rate_hz: Fraction, n_channels: int) -> None:
        self._step = Fraction(rate_hz) / RATE_HZ
        self._half = int(np.ceil(_HALF_PERIODS * max(1.0, float(self._step))))
        period = self._step.denominator
        self._identity = self._step == 1
        self._periodic = period <= _PERIODIC_LIMIT
        self._row = period * -(-_ROW // period) if self._periodic else _ROW
        self._n_out = self._row * (_ROWS if self._periodic else 1)
        self._bands: tuple[_Band, ...] = ()
        self._width = 0  # input samples of a row
        self._buffer = np.zeros((n_channels, 0 if self._identity else self._half), dtype=np.float32)
        self._first = 0 if self._identity else -self._half  # input index of the buffer's first sample
        self._done = 0  # output samples so far

    def push(self, block: FloatArray) -> FloatArray:
        """Take input, shape (n_channels, n), and return what output is complete, shape (n_channels, m)."""
        if self._identity:
            return block
        self._buffer = np.concatenate((self._buffer, block), axis=1)
        parts = []
        while True:
            first, stop = self._span(self._done)
            if stop > self._first + self._buffer.shape[1]:
                break
            parts.append(self._frame(self._buffer[:, first - self._first : stop - self._first]))
            self._done += self._n_out
        keep = self._span(self._done)[0]
        self._buffer = self._buffer[:, keep - self._first :]
        self._first = keep
        return np.concatenate(parts, axis=1) if parts else self._buffer[:, :0]

    def lookahead(self) -> int:
        """Return how many input samples beyond the end complete every frame."""
        return 0 if self._identity else 2 * self._half + math.ceil(self._n_out * self._step) + 2

    def _span(self, done: int) -> tuple[int, int]:
        """Return the input indices ``[first, stop)`` that the frame from output `done` on needs."""
        first = int(done * self._step // 1) - self._half + 1
        stop = int((done + self._n_out - 1) * self._step // 1) + self._half + 1
        return first, stop

    def _frame(self, samples: FloatArray) -> FloatArray:
        """Return one frame of output from the input that it needs, shape (n_channels, n)."""
        if not self._periodic:
            return _product(samples, _frame_bands(self._step, self._done, self._row, self._half))
        if not self._bands:
            matrix = _kernel_matrix(self._step, 0, self._row, self._half)
            self._bands, self._width = _bands(matrix), len(matrix)
        advance = int(self._row * self._step)
        rows = sliding_window_view(samples, self._width, axis=1)[:, ::advance]
        n_channels, n_rows, width = rows.shape
        return _product(rows.reshape(n_channels * n_rows, width), self._bands).reshape(n_channels, -1)


class _Band(NamedTuple):
    """Neighbouring columns of a matrix of weights, without the rows that are zero in all of them."""

    columns: slice
    rows: slice
    weights: FloatArray


def _bands(matrix: FloatArray) -> tuple[_Band, ...]:
    bands = []
    for first in range(0, matrix.shape[1], _BAND):
        columns = slice(first, min(first + _BAND, matrix.shape[1]))
        used = np.flatnonzero(matrix[:, columns].any(axis=1))
        rows = slice(int(used[0]), int(used[-1]) + 1)
        bands.append(_Band(columns, rows, np.ascontiguousarray(matrix[rows, columns])))
    return tuple(bands)


# A live stream that looks at its newest minute resamples a minute from its beginning again and again: its 160 frames.
@lru_cache(maxsize=256)
def _frame_bands(step: Fraction, done: int, n_out: int, half: int) -> tuple[_Band, ...]:
    return _bands(_kernel_matrix(step, done, n_out, half))


def _product(rows: FloatArray, bands: tuple[_Band, ...]) -> FloatArray:
    """Return the product of rows of input with the matrix that was cut into bands."""
    product = np.empty((len(rows), bands[-1].columns.stop), dtype=np.float32)
    piece = max(_PIECE // max(band.weights.size for band in bands), 1)
    for first in range(0, len(rows), piece):
        some = slice(first, first + piece)
        for columns, used, weights in bands:
            np.matmul(rows[some, used], weights, out=product[some, columns])
    return product


def _kernel_matrix(step: Fraction, done: int, n_out: int, half: int) -> FloatArray:
    """Return the interpolation weights from output `done` on, shape (n_in, n_out); each column sums to one."""
    # Integer arithmetic keeps positions exact however long the recording.
    scaled = [m * step.numerator for m in range(done, done + n_out)]
    whole = np.array([s // step.denominator for s in scaled], dtype=np.int64)
    rest = np.array([s % step.denominator for s in scaled], dtype=np.float64) / step.denominator
    taps = np.arange(-half + 1, half + 1)
    distance = taps[None, :] - rest[:, None]  # in input samples
    corner = _CORNER * min(1.0, 1.0 / float(step))  # cycles per input sample
    window = np.i0(_BETA * np.sqrt(np.clip(1.0 - (distance / half) ** 2, 0.0, 1.0)))
    weights = np.sinc(2.0 * corner * distance) * window
    weights /= weights.sum(axis=1, keepdims=True)
    first = int(whole[0]) - half + 1
    matrix = np.zeros((int(whole[-1]) + half + 1 - first, n_out), dtype=np.float32)
    matrix[whole[:, None] + taps[None, :] - first, np.arange(n_out)[:, None]] = weights
    return matrix
