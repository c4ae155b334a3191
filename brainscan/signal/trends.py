"""Trends of a night as intensive care reads them, from the windows that the detector is given.

`columns` is a pure function of 64 s of the 19 electrodes; `TrendStream` carries what one block must remember for the
next, so that blocks of any length give the same columns, and nothing of a night is held but its columns. What each
trend means, with sources, stands in docs/trends.md.

References
----------
.. [1] D. Maynard, P. F. Prior, D. F. Scott, Device for continuous monitoring of cerebral activity in resuscitated
   patients, BMJ 4 (1969) 545-546: the cerebral function monitor. D. Zhang, H. Ding, Calculation of compact
   amplitude-integrated EEG tracing, Health 5 (2013) 885-891: 2 to 15 Hz, 12 dB a decade, rectified, smoothed.
.. [2] I. J. Rampil, A Primer for EEG Signal Processing in Anesthesia, Anesthesiology 89 (1998) 980-1002: suppressed is
   what stays within 5 µV for half a second or longer.
.. [3] M. J. A. M. van Putten, The revised brain symmetry index, Clin. Neurophysiol. 118 (2007) 2362-2367: difference
   over sum of the two sides' spectra.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import CHAINS, INDEX, MIRROR, N_ELECTRODES
from brainscan.events import RATE_HZ, BoolArray
from brainscan.qeeg import BIN_HZ, COLUMN_S, N_BINS, Trends
from brainscan.signal.fourier import irfft, rfft
from brainscan.signal.windows import Window

FloatArray = NDArray[np.float32]

UNIT_S = 60
"""What is computed at a time: cuts elsewhere change no rounding."""
MARGIN_S = 2
"""What is looked at on either side of it."""

SUPPRESSED_UV = 5.0
_SUPPRESSED_S = 0.5
_AEEG_HZ = (2.0, 15.0)
_AEEG_DB_PER_DECADE = 12.0
_SEGMENT_S = 2
_NEIGHBOURS = 4  # bins on either side that say what a bin's power would be without a rhythm
_NOTHING_UV2 = 1e-6

_SLOW_HZ = 64  # the trends end at 20 Hz
_SLOW_CORNERS_HZ = (24.0, 30.0)
_COLUMN = COLUMN_S * RATE_HZ
_UNIT, _MARGIN = UNIT_S * RATE_HZ, MARGIN_S * RATE_HZ
_N_SLOW = (UNIT_S + 2 * MARGIN_S) * _SLOW_HZ

_LEFT = tuple((INDEX[a], INDEX[b]) for chain in CHAINS[:2] for a, b in pairwise(chain))
_PAIRS = np.array((*_LEFT, *((MIRROR[a], MIRROR[b]) for a, b in _LEFT)))
"""The longitudinal derivations of the left side, then those of the right: electrodes in common give no reference."""


def columns(uv: FloatArray) -> dict[str, FloatArray]:
    """Return a minute's columns of every trend.

    Parameters
    ----------
    uv : array of float32, shape (19, 16384)
        The electrodes in µV at 256 Hz: a minute with two seconds on either side.

    Returns
    -------
    dict
        The arrays of `brainscan.qeeg.Trends` but for `start_s` and `unusable`, 15 columns each.
    """
    slow, band = _at_64_hz(uv[_PAIRS[:, 0]] - uv[_PAIRS[:, 1]])
    power = _power(slow)
    return {
        "aeeg_uv": _aeeg(band),
        "power_uv2": power,
        "asymmetry": asymmetry(power),
        "rhythm_uv2": rhythmicity(power).max(axis=0),
        "suppressed": _suppressed(slow),
    }


def asymmetry(power: FloatArray) -> FloatArray:
    """Return (right - left) / (right + left) of powers of shape (2, ...): positive where the right side has more."""
    left, right = power
    return np.asarray((right - left) / (right + left + _NOTHING_UV2), dtype=np.float32)


def rhythmicity(power: FloatArray) -> FloatArray:
    """Return the power of each bin beyond what its neighbours let expect, zero where there is none.

    A rhythm is a peak over a spectrum that falls as 1/f: expected is the median, over the bins at most 2 Hz away, of
    power times frequency, divided by the frequency.

    Parameters
    ----------
    power : array, shape (..., n_bins, n_columns)
        Of bins of equal width, the first one as far from zero as from the next.
    """
    n_bins = power.shape[-2]
    level = power * np.arange(1, n_bins + 1, dtype=power.dtype)[:, None]
    padded = np.pad(level, [(0, 0)] * (power.ndim - 2) + [(_NEIGHBOURS, _NEIGHBOURS), (0, 0)], mode="reflect")
    around = np.stack([padded[..., k : k + n_bins, :] for k in range(2 * _NEIGHBOURS + 1)])
    expected = np.median(around, axis=0) / np.arange(1, n_bins + 1, dtype=power.dtype)[:, None]
    return np.asarray(np.maximum(power - expected, 0.0), dtype=np.float32)


@cache
def _gains() -> tuple[FloatArray, FloatArray]:
    """Return, for each frequency of a unit up to 32 Hz, the gain of the low-pass and that of the aEEG's filter."""
    hz = np.arange(_N_SLOW // 2 + 1) * _SLOW_HZ / _N_SLOW
    low = _falling(hz, *_SLOW_CORNERS_HZ)
    first, last = _AEEG_HZ
    slope = (np.maximum(hz, first / 2) / np.sqrt(first * last)) ** (_AEEG_DB_PER_DECADE / 20.0)
    band = slope * (1.0 - _falling(hz, first / 2, first)) * _falling(hz, last, last + 4.0)
    return low.astype(np.float32), band.astype(np.float32)


def _falling(hz: NDArray[np.float64], first: float, last: float) -> NDArray[np.float64]:
    """Return a gain that falls from one to zero between two frequencies, as half a cosine."""
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip((hz - first) / (last - first), 0.0, 1.0)))


def _at_64_hz(uv: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return rows at 64 Hz: up to 24 Hz as they are, and weighted as the aEEG is.

    Both gains are smooth, so that what a unit's ends do to each other stays within its margins.
    """
    low, band = _gains()
    spectrum = rfft(uv)[:, : len(low)] * np.float32(_SLOW_HZ / RATE_HZ)
    return irfft(spectrum * low, _N_SLOW), irfft(spectrum * band, _N_SLOW)


def _sides(rows: FloatArray) -> FloatArray:
    """Return the mean of the left rows and that of the right ones."""
    half = len(_LEFT)
    return np.stack((rows[:half].mean(axis=0), rows[half:].mean(axis=0)))


def _framed(rows: FloatArray, first_s: float, length_s: float, hop_s: float, n_frames: int) -> FloatArray:
    """Return frames at 64 Hz; times count from the beginning of the minute, not of its margin."""
    first = round((MARGIN_S + first_s) * _SLOW_HZ)
    views = np.lib.stride_tricks.sliding_window_view(rows, round(length_s * _SLOW_HZ), axis=1)
    return views[:, first :: round(hop_s * _SLOW_HZ)][:, :n_frames]


def _aeeg(band: FloatArray) -> FloatArray:
    """Return lowest, median and highest amplitude of each column.

    The rectified signal, smoothed over a second (Hann), every half second. The mean of a rectified sine is 2/pi of its
    amplitude, and what is shown goes from peak to peak: hence pi.
    """
    hann = np.hanning(_SLOW_HZ + 1)[:-1].astype(np.float32)
    frames = _framed(_sides(np.abs(band)), -0.25, 1.0, 0.5, 2 * UNIT_S)
    level = (np.pi * (frames @ (hann / hann.sum()))).reshape(2, -1, 2 * COLUMN_S)
    return np.stack((level.min(axis=2), np.median(level, axis=2), level.max(axis=2)), axis=1).astype(np.float32)


def _power(slow: FloatArray) -> FloatArray:
    """Return the power of each bin, the mean over derivations and the four segments of a column.

    Segments of two seconds (Hann), every second; the bins of a sine add up to half its amplitude squared.
    """
    n = _SEGMENT_S * _SLOW_HZ
    hann = np.hanning(n + 1)[:-1].astype(np.float32)
    frames = _framed(slow, -0.5, _SEGMENT_S, 1.0, UNIT_S)
    spectrum = rfft(frames * hann)[:, :, 1 : N_BINS + 1]
    assert BIN_HZ * _SEGMENT_S == 1.0
    power = (spectrum.real**2 + spectrum.imag**2) * np.float32(2.0 / (n * np.sum(hann**2)))
    by_column = _sides(power).reshape(2, -1, COLUMN_S, N_BINS).mean(axis=2)
    return np.ascontiguousarray(by_column.transpose(0, 2, 1), dtype=np.float32)


def _suppressed(slow: FloatArray) -> FloatArray:
    """Return the share of each column within stretches of low voltage that are long enough, mean over derivations."""
    n = round(_SUPPRESSED_S * _SLOW_HZ)
    low = np.abs(slow) < SUPPRESSED_UV
    held = _sums(low, n) == n  # the stretch that begins here is low throughout
    inside = _sums(np.pad(held, ((0, 0), (n - 1, n - 1))), n) > 0
    first = MARGIN_S * _SLOW_HZ
    minute = _sides(inside[:, first : first + UNIT_S * _SLOW_HZ].astype(np.float32))
    return np.asarray(minute.reshape(2, -1, COLUMN_S * _SLOW_HZ).mean(axis=2), dtype=np.float32)


def _sums(rows: BoolArray, n: int) -> NDArray[np.int32]:
    """Return the number of true values among every n in succession."""
    total = np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    return total[:, n:] - total[:, :-n]


class TrendStream:
    """State of one gap-free segment: the samples that the next minute needs, and the columns so far.

    Parameters
    ----------
    start_s : float
        Start of the segment on the recording's clock, seconds.
    """

    def __init__(self, start_s: float = 0.0) -> None:
        self._start_s = start_s
        self._uv = np.zeros((N_ELECTRODES, 0), dtype=np.float32)
        self._valid = np.zeros(0, dtype=bool)
        self._first = 0  # segment sample of the buffer's first column
        self._at = 0  # where the next minute begins
        self._verdicts: list[tuple[int, BoolArray]] = []  # up to which sample which electrodes were unusable
        self._parts: list[Trends] = []

    @property
    def _stop(self) -> int:
        return self._first + self._uv.shape[1]

    def push(self, uv: FloatArray, valid: BoolArray, unusable: BoolArray) -> None:
        """Take the next samples.

        Parameters
        ----------
        uv : array of float32, shape (19, n_samples)
            µV at 256 Hz, finite.
        valid : array of bool, shape (n_samples,)
            Where they may be used.
        unusable : array of bool, shape (19,)
            Electrodes that are interpolated or missing in them.
        """
        self._uv = np.concatenate((self._uv, uv), axis=1)
        self._valid = np.concatenate((self._valid, valid))
        self._verdicts.append((self._stop, unusable))
        while self._stop >= self._at + _UNIT + _MARGIN:
            self._minute(UNIT_S // COLUMN_S)

    def finish(self) -> Trends:
        """End the segment and return its columns; a last one that is filled by half or more is kept."""
        while self._stop > self._at:
            self._minute(min((self._stop - self._at + _COLUMN // 2) // _COLUMN, UNIT_S // COLUMN_S))
        return Trends.joined(self._parts)

    def _minute(self, n_columns: int) -> None:
        """Compute the next columns, what lies beyond either end of the segment being its reflection."""
        first, stop = self._at - _MARGIN, self._at + _UNIT + _MARGIN
        a, b = max(first, self._first) - self._first, min(stop, self._stop) - self._first
        beyond = (self._first + a - first, stop - self._first - b)
        mode: Literal["reflect", "edge"] = "reflect" if b - a > 1 else "edge"
        valid = np.pad(self._valid[a:b], beyond, mode="edge")
        made = columns(np.pad(self._uv[:, a:b], ((0, 0), beyond), mode=mode))
        # What is not valid spoils what lies a second beside it.
        around = np.lib.stride_tricks.sliding_window_view(valid, _COLUMN + 2 * RATE_HZ)
        whole = around[_MARGIN - RATE_HZ :: _COLUMN][: UNIT_S // COLUMN_S].all(axis=1)
        starts = self._at + _COLUMN * np.arange(n_columns)
        self._parts.append(
            Trends(
                start_s=self._start_s + starts / RATE_HZ,
                unusable=self._unusable(starts + _COLUMN // 2),
                **{name: np.where(whole, array, np.nan)[..., :n_columns] for name, array in made.items()},
            )
        )
        self._at += _UNIT
        drop = max(min(self._at - _MARGIN, self._stop) - self._first, 0)
        self._uv, self._valid = self._uv[:, drop:], self._valid[drop:]
        self._first += drop
        self._verdicts = [verdict for verdict in self._verdicts if verdict[0] > self._at] or self._verdicts[-1:]

    def _unusable(self, at: NDArray[np.int64]) -> BoolArray:
        """Return which electrodes were unusable at samples, shape (19, n)."""
        stops = [stop for stop, _ in self._verdicts]
        of = np.minimum(np.searchsorted(stops, at, side="right"), len(stops) - 1)
        return np.stack([verdict for _, verdict in self._verdicts], axis=1)[:, of]


class WindowTrends:
    """Trends of windows that may overlap: each gives the samples up to where the next one begins.

    Parameters
    ----------
    start_s : float
        Start of the segment on the recording's clock, seconds.
    """

    def __init__(self, start_s: float = 0.0) -> None:
        self._stream = TrendStream(start_s)
        self._last: Window | None = None

    def add(self, window: Window) -> None:
        """Take the next window of the segment."""
        if self._last is not None:
            self._give(self._last, window.start - self._last.start)
        self._last = window

    def finish(self) -> Trends:
        """End the segment and return its columns."""
        if self._last is not None:
            self._give(self._last, self._last.n_valid)
        return self._stream.finish()

    def _give(self, window: Window, n_samples: int) -> None:
        absent = np.repeat(window.absent, RATE_HZ)[:n_samples]
        valid = np.zeros(n_samples, dtype=bool)
        valid[: len(absent)] = ~absent & window.scored
        unusable = np.array([how in ("interpolated", "missing") for how in window.how])
        self._stream.push(np.nan_to_num(window.uv[:, :n_samples]), valid, unusable)
