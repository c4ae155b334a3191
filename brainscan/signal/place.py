"""Where a seizure begins: which electrodes rise above the minute before it, and on which side.

What is measured, per electrode in the average reference: power between 1 and 30 Hz, frequency by frequency, beyond
what the minute before had there. A rhythm that evolves stands out in its own narrow band; noise, alpha and mains that
go on as before cancel. Each frequency is weighed by the background at this electrode and over the head alike (their
geometric mean), so that neither a loud region nor a quiet electrode leads by itself. Electrodes that were not
recorded are interpolated from their neighbours for the network; here they say nothing and are left out.

Thresholds were chosen on simulated seizures of development seeds; `benchmarks/localisation.py` measures on test seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import ELECTRODES, MIRROR, N_ELECTRODES, POSITIONS
from brainscan.events import RATE_HZ, BoolArray, FieldSpan, Place, Side

FloatArray = NDArray[np.float32]
Array = NDArray[np.float64]

SPAN_S = 5
"""The field is looked at in spans of so many seconds."""

BEFORE_S = 60
"""What it is compared with: at most so many seconds before the onset."""

COURSE_S = 60
"""The field's course is followed for so many seconds at most."""

LATEST = 3
"""The onset is the first of so many spans in which anything stands out: a detector is seldom right to a second."""

MIN_BEFORE = 2
"""Spans before the onset without which nothing can be compared."""

STANDS_OUT = 1.0
"""Excess, in units of the background, from which an electrode tells a side (3 dB above it) ..."""

LEADS = 0.5
"""... and from which it is named among the leading ones (1.8 dB)."""

ONE_SIDED = 0.5
"""From this difference of the sides over their sum on, of the three strongest electrodes of each, one is named."""

BOTH_SIDES = 0.25
"""Up to this one both are."""

N_LEADING = 3

_SEGMENT = 2 * RATE_HZ
_STEP = RATE_HZ // 2
_BAND_HZ = (1.0, 30.0)
_MEDIAN = 1.0 / math.log(2.0)
"""The mean of a periodogram's values over their median, where they are those of noise (exponentially distributed)."""
_FLOOR_UV2 = 1e-3
_LEFT = tuple(i for i, position in enumerate(POSITIONS) if position[0] < 0 and MIRROR[i] != i)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A span of the 19 electrodes.

    Parameters
    ----------
    start_s, stop_s : float
        Seconds from the start of the recording.
    uv : array of float32, shape (19, n_samples)
        Filtered µV at 256 Hz in the average reference, at least two seconds.
    recorded : array of bool, shape (19,)
        Which electrodes are not interpolated.
    """

    start_s: float
    stop_s: float
    uv: FloatArray
    recorded: BoolArray


def place_of(before: Sequence[Piece], during: Sequence[Piece]) -> Place:
    """Say where an event begins.

    Parameters
    ----------
    before : sequence of Piece
        The minute before the onset, without other events.
    during : sequence of Piece
        The event from its onset on, `SPAN_S` each.

    Returns
    -------
    Place
        Uncertain, and without a field, where there is too little to compare.
    """
    seen = np.sum([piece.recorded for piece in before], axis=0) if before else np.zeros(N_ELECTRODES)
    known = seen >= MIN_BEFORE
    if not during or not known.any():
        return Place()
    background = _background(before, known)
    excesses = [_excess(piece, background, known & piece.recorded) for piece in during]
    onset = next((e for e in excesses[:LATEST] if np.nanmax(e, initial=0.0) >= STANDS_OUT), excesses[0])
    field = tuple(FieldSpan(p.start_s, p.stop_s, _decibels(e)) for p, e in zip(during, excesses, strict=True))
    return Place(side_of(onset), leading_of(onset), field)


def leading_of(excess: Array) -> tuple[str, ...]:
    """Return the electrodes that lead, the strongest first; `excess` has NaN where one was not recorded."""
    order = np.argsort(-np.nan_to_num(excess, nan=-1.0), kind="stable")[:N_LEADING]
    return tuple(ELECTRODES[i] for i in order if excess[i] >= LEADS)


def side_of(excess: Array) -> Side:
    """Return the side that an excess tells, shape (19,), NaN where an electrode was not recorded.

    Mirrored pairs of which both were recorded count, so that an electrode that is missing does not decide.
    """
    pairs = [(i, MIRROR[i]) for i in _LEFT if np.isfinite(excess[i]) and np.isfinite(excess[MIRROR[i]])]
    if len(pairs) < N_LEADING:
        return "uncertain"
    left, right = (np.sort(excess[list(side)])[-N_LEADING:].mean() for side in zip(*pairs, strict=True))
    if max(left, right) < STANDS_OUT:
        return "uncertain"
    tilt = (right - left) / (right + left)
    if abs(tilt) >= ONE_SIDED:
        return "right" if tilt > 0 else "left"
    return "bilateral" if abs(tilt) <= BOTH_SIDES else "uncertain"


def _periodograms(uv: FloatArray) -> Array:
    """Return power in `_BAND_HZ`, shape (n_segments, 19, n_frequencies), of overlapping segments of two seconds."""
    segments = np.lib.stride_tricks.sliding_window_view(uv, _SEGMENT, axis=1)[:, ::_STEP].astype(np.float64)
    segments = segments - segments.mean(axis=-1, keepdims=True)
    hz = np.fft.rfftfreq(_SEGMENT, 1.0 / RATE_HZ)
    spectra = np.fft.rfft(segments * np.hanning(_SEGMENT), axis=-1)[..., (hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1])]
    power: Array = np.moveaxis(spectra.real**2 + spectra.imag**2, 1, 0) / _SEGMENT
    return power


def _smooth(power: Array) -> Array:
    """Return the mean over three neighbouring frequencies."""
    padded = np.pad(power, [(0, 0)] * (power.ndim - 1) + [(1, 1)], mode="edge")
    mean: Array = (padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]) / 3.0
    return mean


def _background(before: Sequence[Piece], known: BoolArray) -> Array:
    """Return each electrode's usual power before the onset, shape (19, n_frequencies): robust, as a mean of noise."""
    power = np.concatenate(
        [np.where(piece.recorded[:, None], _periodograms(piece.uv), np.nan) for piece in before], axis=0
    )
    usual = np.full(power.shape[1:], np.nan)
    usual[known] = np.nanmedian(power[:, known], axis=0)
    return _smooth(usual * _MEDIAN) + _FLOOR_UV2


def _excess(piece: Piece, background: Array, known: BoolArray) -> Array:
    """Return how far each electrode rises above its background, shape (19,); NaN where that is not known."""
    excess = np.full(N_ELECTRODES, np.nan)
    if known.any():
        over_head = np.nanmean(background, axis=0)
        power = _smooth(_periodograms(piece.uv).mean(axis=0))
        beyond = np.maximum(power - background, 0.0) / np.sqrt(background * over_head)
        excess[known] = beyond[known].mean(axis=1)
    return excess


def _decibels(excess: Array) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(e) else round(10.0 * math.log10(1.0 + e), 2) for e in excess.tolist())
