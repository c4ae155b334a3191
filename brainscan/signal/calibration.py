"""What the units of a file mean: what the header says, as long as scalp EEG can be that large.

Headers state units that nobody looked at: writers put mV where nothing is chosen, exports hand volts on as
microvolts. Amplitudes of scalp EEG span about three decades (`PLAUSIBLE_UV`), so among units a thousand apart at
most one is possible. A unit that no scalp EEG could carry is replaced by the one that it could; what stays open is
refused. Artifact, silence and single electrodes that are loose or flat are not a matter of units, and change nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.events import BoolArray
from brainscan.signal.units import IMPLAUSIBLE_UV, PLAUSIBLE_UV, uv_per_unit

FloatArray = NDArray[np.float64]

_RATE_HZ = 50  # means over 20 ms: the same at every sampling rate, and blind to 50 Hz mains
_SMALLEST_UV = 0.05  # a microvolt header is believed from here: an amplifier's own noise
BURST_UV = 5.0
"""Silence with excursions beyond this (burst suppression, artifact) is a recorded EEG, however quiet in between."""

_POWERS = (-3, 3, -6, 6)
_THOUSANDS = (2.4, 3.6)  # decades between neighbours of which one has the wrong unit
_ENOUGH_CHANNELS = 3  # fewer that disagree with the other channels of their unit are loose or flat, not miscalibrated
_ENOUGH_SHARE = 0.25
_TENFOLD = (5.0, 50.0)  # of the others' amplitude; from 50 on a window does without the channel
_TENFOLD_THROUGHOUT = 3.5

Vote = int | None
"""Power of ten by which a stated unit is off; None where no power gives a scalp EEG, or it cannot be told."""


@dataclass(frozen=True, slots=True, eq=False)
class Amplitudes:
    """How large some channels are in stretches spread over the recording.

    Parameters
    ----------
    stretches : array of float64, shape (n_channels, n_stretches)
        Robust standard deviation, in the unit of the samples; 0 where a channel does not move.
    peaks : array of float64, shape (n_channels, n_stretches)
        Largest excursion within any second.
    """

    stretches: FloatArray
    peaks: FloatArray

    @property
    def typical(self) -> FloatArray:
        """Median over the stretches in which a channel moves, shape (n_channels,); 0 for one that never does."""
        return _median_of_moving(self.stretches)

    def of_row(self, row: int, factor: float = 1.0) -> tuple[tuple[float, float], ...]:
        """Return deviation and peak of one channel in each stretch, times a factor."""
        pairs = np.stack((self.stretches[row], self.peaks[row]), axis=1) * factor
        return tuple((deviation, peak) for deviation, peak in pairs.tolist())

    def rows(self, chosen: Sequence[int | None]) -> Amplitudes:
        """Return the amplitudes of some channels; None stands for one that was not looked at, and is 0."""
        stretches = np.zeros((len(chosen), self.stretches.shape[1]))
        peaks = np.zeros_like(stretches)
        for row, source in enumerate(chosen):
            if source is not None:
                stretches[row], peaks[row] = self.stretches[source], self.peaks[source]
        return Amplitudes(stretches, peaks)


def amplitude(block: FloatArray, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """Return how large one stretch of channels is, between about 1 and 25 Hz whatever the rate and the filters.

    Means over 20 ms, the line through each second removed; then the median absolute deviation of each second, and
    of the seconds that move the median.

    Parameters
    ----------
    block : array of float64, shape (n_channels, n_samples)
        NaN is left out.
    rate_hz : float

    Returns
    -------
    deviation, excursion : arrays of float64, shape (n_channels,)
        0 where nothing moves.
    """
    none = np.zeros(len(block))
    means = _means(block, rate_hz) if block.shape[1] else block
    if means.shape[1] < 2:  # a moment too short to tell any movement
        return none, none
    seconds = _seconds(means, min(rate_hz, _RATE_HZ))
    half = seconds.shape[2] // 2
    rise = np.median(seconds[:, :, -half:], axis=2) - np.median(seconds[:, :, :half], axis=2)
    at = (np.arange(seconds.shape[2]) - (seconds.shape[2] - 1) / 2) / (seconds.shape[2] - half)
    level = seconds - rise[:, :, None] * at
    level -= np.median(level, axis=2, keepdims=True)
    deviations = 1.4826 * np.median(np.abs(level), axis=2)
    return _median_of_moving(deviations), np.abs(level).max(axis=(1, 2))


def _median_of_moving(deviations: FloatArray) -> FloatArray:
    """Return the median of what is above 0 in each row, 0 where nothing is: all rows in one sort."""
    moves = deviations > 0
    count = moves.sum(axis=1)
    if not deviations.shape[1]:
        return np.zeros(len(deviations))
    rows = np.sort(np.where(moves, deviations, np.inf), axis=1)
    middle = np.stack((np.maximum(count - 1, 0) // 2, np.minimum(count // 2, rows.shape[1] - 1)), axis=1)
    medians: FloatArray = np.where(count > 0, np.take_along_axis(rows, middle, axis=1).mean(axis=1), 0.0)
    return medians


def _means(block: FloatArray, rate_hz: float) -> FloatArray:
    """Return means over 20 ms, shape (n_channels, n_means); what holds no value takes the channel's first one."""
    finite = np.isfinite(block)
    has_value = finite.any(axis=1, keepdims=True)
    first = np.take_along_axis(block, finite.argmax(axis=1)[:, None], axis=1)
    # Relative to the first value, so that a constant channel stays exactly constant.
    values = np.where(finite & has_value, block - np.where(has_value, first, 0.0), 0.0)
    if rate_hz <= _RATE_HZ:
        return values
    bins = (np.arange(block.shape[1]) * (_RATE_HZ / rate_hz)).astype(np.int64)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    counts = np.add.reduceat(finite, starts, axis=1, dtype=np.float64)
    means: FloatArray = np.add.reduceat(values, starts, axis=1) / np.maximum(counts, 1.0)
    return means


def _seconds(means: FloatArray, rate_hz: float) -> FloatArray:
    """Cut into whole seconds, shape (n_channels, n_seconds, n); one piece where that gives too few values."""
    length = max(round(rate_hz), 8)
    n_seconds = means.shape[1] // length
    if n_seconds == 0:
        return means[:, None, :]
    return means[:, : n_seconds * length].reshape(len(means), n_seconds, length)


def settle(units: Sequence[str], stated: Amplitudes, judged: BoolArray) -> tuple[float | None, ...]:
    """Decide what each channel's unit means, from its spelling and from the amplitudes that it gives.

    Parameters
    ----------
    units : sequence of str
        Of each channel, as the file has it.
    stated : Amplitudes
        In µV as those units state, unknown ones taken for µV.
    judged : array of bool, shape (n_channels,)
        Channels that are known to be EEG; the others follow those of their unit. Where a unit has none, all of
        its channels are looked at.

    Returns
    -------
    tuple of (float or None)
        Factor to µV. A known unit stands where scalp EEG can be that large; else the power of ten (by 3 or 6) that
        makes it so. An unknown one is µV where that is plausible. None where nothing is.
    """
    factors: list[float | None] = [None] * len(units)
    typical = stated.typical
    for unit in dict.fromkeys(units):
        members = [i for i, own in enumerate(units) if own == unit]
        live = [i for i in [i for i in members if judged[i]] or members if typical[i] > 0]
        factor = uv_per_unit(unit)
        if factor is None:
            votes = _votes_of_unknown(typical[live])
        else:
            votes = _votes(factor, typical[live], stated.peaks[live])
        agreed, own_votes = _agreed(votes, unknown=factor is None)
        for i in members:
            factors[i] = _scaled(factor or 1.0, agreed)
        for i, vote in zip(live, own_votes, strict=True):
            factors[i] = _scaled(factor or 1.0, vote)
    return tuple(factors)


def _scaled(factor: float, power: Vote) -> float | None:
    if power is None:
        return None
    return factor * 10.0**power if power > 0 else factor / 10.0**-power


def _votes_of_unknown(levels_uv: FloatArray) -> list[Vote]:
    return [0 if PLAUSIBLE_UV[0] <= level <= PLAUSIBLE_UV[1] else None for level in levels_uv]


def _votes(factor: float, levels_uv: FloatArray, peaks_uv: FloatArray) -> list[Vote]:
    """Return for each channel by which power of ten its stated unit is off.

    A header in microvolts is hardly ever wrong and is believed in artifact and noise; the other units are what
    writers state when nobody chose.
    """
    low, high = PLAUSIBLE_UV
    smallest = low if factor < 1.0 else _SMALLEST_UV
    largest = IMPLAUSIBLE_UV if factor == 1.0 else high
    highest, often = (by(peaks_uv, axis=1) for by in (np.max, np.median))
    sound = levels_uv[(levels_uv >= low) & (levels_uv <= high)]
    votes: list[Vote] = []
    for level, peak, usual in zip(levels_uv.tolist(), highest.tolist(), often.tolist(), strict=True):
        decades = math.log10(level / float(np.median(sound))) if len(sound) else 0.0
        if low <= level <= high and factor != 1.0 and usual > IMPLAUSIBLE_UV:
            votes.append(-3)  # bursts of 10 mV and more: silence between them is as large as a loud EEG
        elif low <= level <= high or (level < low and peak > BURST_UV):
            votes.append(0)
        elif smallest <= level < low:
            # Beside sound channels: flat, or in a unit a thousand too small, which nobody can tell.
            votes.append(None if _THOUSANDS[0] <= -decades <= _THOUSANDS[1] else 0)
        elif high < level <= largest:
            votes.append(-3 if _THOUSANDS[0] <= decades <= _THOUSANDS[1] else 0)
        else:
            votes.append(next((p for p in _POWERS if low <= level * 10.0**p <= high), None))
    return votes


def _agreed(votes: Sequence[Vote], *, unknown: bool) -> tuple[Vote, list[Vote]]:
    """Return what most channels of a unit say, and what holds for each.

    Too few to be anything but loose or flat follow the others. Some that are a thousand times smaller than the rest
    may be flat as well as miscalibrated: they are not used.
    """
    if not votes:
        return (None if unknown else 0), []
    counts = Counter(votes)
    agreed = min(counts, key=lambda vote: (-counts[vote], vote != 0))
    if not unknown and (agreed is None or agreed > 0) and counts[agreed] < _ENOUGH_CHANNELS:
        agreed = 0  # a flat channel or two
    enough = max(_ENOUGH_CHANNELS, math.ceil(_ENOUGH_SHARE * len(votes)))
    settled: list[Vote] = []
    for vote in votes:
        if vote == agreed or counts[vote] < enough:
            settled.append(agreed)
        elif agreed == 0 and vote is not None and vote > 0:
            settled.append(None)
        else:
            settled.append(vote)
    return agreed, settled


def tenfold(uv: Amplitudes) -> Iterator[tuple[int, float]]:
    """Yield channels about ten times as large or as small as the others throughout, and how many times.

    Parameters
    ----------
    uv : Amplitudes
        In µV, of the channels that are used.
    """
    typical = uv.typical
    for row, level in enumerate(typical):
        others = np.delete(np.arange(len(typical)), row)
        others = others[typical[others] > 0]
        if level <= 0 or len(others) < _ENOUGH_CHANNELS:
            continue
        ratio = level / np.median(typical[others])
        if not any(_TENFOLD[0] <= r < _TENFOLD[1] for r in (ratio, 1 / ratio)):
            continue
        moving = [s for s in range(uv.stretches.shape[1]) if uv.stretches[row, s] > 0]
        each = np.array([uv.stretches[row, s] / max(np.median(uv.stretches[others, s]), 1e-9) for s in moving])
        if (each >= _TENFOLD_THROUGHOUT).all() or (each <= 1 / _TENFOLD_THROUGHOUT).all():
            yield row, float(ratio)
