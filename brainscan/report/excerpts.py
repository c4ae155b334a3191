"""The EEG around events as a page carries it: samples as recorded, as integers, on the recording's own clock.

A viewer filters and derives montages itself, so what is kept are the channels, not a picture of them. Rates up to twice
`RATE_HZ` are kept as they are; faster ones are decimated by a whole number, which leaves everything below 70 Hz.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import ELECTRODES
from brainscan.events import RATE_HZ as WINDOW_RATE_HZ
from brainscan.events import Probabilities
from brainscan.recording import Recording, Segment
from brainscan.signal import montage, quality
from brainscan.signal.montage import ElectrodePlan

RATE_HZ = 200
"""At least so many samples per second stay: 70 Hz and a filter's slope."""

CURVE_HZ = 8
ABSENT = -32768
"""Stands where nothing was recorded, among 16-bit integers."""

_COARSEST_UV, _FINEST_UV = 0.5, 0.02
_TAPS_PER_STEP = 20
_AT_ONCE = 1 << 18
_OTHERS = re.compile(r"\b(ECG|EKG|EOG|LOC|ROC)", re.IGNORECASE)
_MOST_OTHERS = 3

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Channels:
    """What is drawn of a recording: the channels that make the 19, and a few that tell artifacts.

    Parameters
    ----------
    plan : ElectrodePlan
    indices : tuple of int
        Into the recording's channels, those of the plan first.
    rate_hz : float
        Of the samples kept.
    step : int
        So many recorded samples become one.
    """

    plan: ElectrodePlan
    indices: tuple[int, ...]
    rate_hz: float
    step: int

    @classmethod
    def of(cls, recording: Recording, plan: ElectrodePlan) -> Channels:
        """Choose the channels and their common rate: that of most."""
        used = set(plan.channels)
        others = [
            i
            for i, channel in enumerate(recording.channels)
            if i not in used and channel.uv_per_unit is not None and _OTHERS.search(channel.label)
        ]
        rates = Counter(recording.channels[i].rate_hz for i in plan.channels)
        rate = rates.most_common(1)[0][0]
        step = max(int(rate // RATE_HZ), 1)
        return cls(plan, (*plan.channels, *others[:_MOST_OTHERS]), float(rate) / step, step)


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """A stretch of a recording.

    Parameters
    ----------
    start_s : float
        Of the first sample, seconds from the start of the recording.
    rate_hz : float
    uv : array of float64, shape (n_channels, n_samples)
        As recorded, NaN in gaps.
    interpolated : tuple of str
        Electrodes that no usable channel gives here.
    matrix : array, shape (19, n_used_channels)
        From the used channels (the first rows) to the 19, re-referenced.
    """

    start_s: float
    rate_hz: float
    uv: FloatArray
    interpolated: tuple[str, ...]
    matrix: FloatArray

    @property
    def stop_s(self) -> float:
        """End, seconds from the start of the recording."""
        return self.start_s + float(self.uv.shape[1]) / self.rate_hz

    def electrodes(self) -> FloatArray:
        """Return the 19 in µV, shape (19, n_samples), without offset, zero in gaps."""
        used = self.uv[: self.matrix.shape[1]]
        return self.matrix @ np.nan_to_num(used - _middle(used))


def cut(recording: Recording, channels: Channels, start_s: float, stop_s: float) -> Excerpt | None:
    """Read a stretch; gaps stay gaps. None where nothing was recorded.

    Parameters
    ----------
    recording : Recording
    channels : Channels
    start_s, stop_s : float
        Seconds from the start of the recording.

    Raises
    ------
    InputError
        If the recording cannot be read any more.
    """
    start_s, stop_s = max(start_s, 0.0), min(stop_s, recording.duration_s)
    parts = [s for s in recording.segments if s.start_s < stop_s and s.stop_s > start_s]
    if not parts:
        return None
    rate = channels.rate_hz
    # On the grid of the first segment, so that its samples stand at their own times.
    first = parts[0]
    at_s = first.start_s + round((max(start_s, first.start_s) - first.start_s) * rate) / rate
    uv = np.full((len(channels.indices), max(round((stop_s - at_s) * rate), 1)), np.nan)
    railed = np.zeros(len(channels.indices))
    for segment in parts:
        railed += _fill(uv, recording, channels, segment, at_s)
    n_used = len(channels.plan.channels)
    bad = _unusable(uv[:n_used], railed[:n_used] / uv.shape[1], rate)
    operator = montage.operator(channels.plan, bad)
    lost = tuple(n for n, how in zip(ELECTRODES, operator.how, strict=True) if how in ("interpolated", "missing"))
    return Excerpt(at_s, rate, uv, lost, np.asarray(operator.matrix))


def _fill(uv: FloatArray, recording: Recording, channels: Channels, segment: Segment, at_s: float) -> FloatArray:
    """Put one segment's samples where they belong, and return how many of each channel stood at the rails."""
    rate, step, n_samples = channels.rate_hz, channels.step, uv.shape[1]
    first = max(round((segment.start_s - at_s) * rate), 0)
    begin_s = max(at_s + first / rate, segment.start_s)
    margin_s = _TAPS_PER_STEP / rate
    read_s = max(begin_s - margin_s, segment.start_s)
    samples = recording.read(channels.indices, read_s, at_s + n_samples / rate + margin_s, segment)
    railed = np.zeros(len(channels.indices))
    for row, (index, values, rails) in enumerate(zip(channels.indices, samples.uv, samples.railed, strict=True)):
        own = float(recording.channels[index].rate_hz)
        if not len(values):
            continue
        values_s = segment.start_s + segment.index(read_s, recording.channels[index].rate_hz) / own
        # The end of the segment bounds what may be filled.
        stop = min(round((min(segment.stop_s, at_s + n_samples / rate) - at_s) * rate), n_samples)
        positions = (at_s + np.arange(first, stop) / rate - values_s) * own
        if abs(own - rate * step) < 1e-9:
            smooth = _decimable(values, step)
            at = np.clip(np.round(positions).astype(np.int64), 0, len(values) - 1)
            uv[row, first:stop] = smooth[at]
        else:
            smooth = _decimable(values, max(int(own // rate), 1))
            uv[row, first:stop] = np.interp(positions, np.arange(len(values)), smooth)
        railed[row] = float(rails.mean()) * (stop - first)
    return railed


def _decimable(values: FloatArray, step: int) -> FloatArray:
    """Return values without what every so-manieth of them could not show; holes stay holes."""
    if step < 2:
        return values
    n_taps = _TAPS_PER_STEP * step + 1
    n = np.arange(n_taps) - n_taps // 2
    taps = np.sinc(0.88 * n / step) * np.hamming(n_taps)
    holes = ~np.isfinite(values)
    filled = values
    if holes.any():
        known = np.flatnonzero(~holes)
        if not known.size:
            return values
        filled = np.interp(np.arange(len(values)), known, values[known])
    padded = np.pad(filled, n_taps // 2, mode="edge")
    smooth = np.convolve(padded, taps / taps.sum(), mode="valid")
    return np.where(holes, np.nan, smooth)


def _middle(uv: FloatArray) -> FloatArray:
    """Return each row's median, zero where it has no value."""
    known = np.where(np.isfinite(uv).any(axis=1, keepdims=True), uv, 0.0)
    return np.asarray(np.nanmedian(known, axis=1, keepdims=True))


def _unusable(uv: FloatArray, railed: FloatArray, rate_hz: float) -> frozenset[int]:
    """Return the rows that the detector would do without, judged over the whole stretch."""
    # Only whole seconds at 256 Hz are judged; a nearest sample is enough for flat, railed and far too large.
    n_seconds = max(int(uv.shape[1] / rate_hz), 1)
    at = np.minimum((np.arange(n_seconds * WINDOW_RATE_HZ) * rate_hz / WINDOW_RATE_HZ).astype(int), uv.shape[1] - 1)
    anything: NDArray[np.bool_] = np.asarray(np.isfinite(uv).any(axis=0))
    recorded = anything[at]  # what no channel holds is a gap, not a bad electrode
    kept = at[recorded][: int(recorded.sum()) // WINDOW_RATE_HZ * WINDOW_RATE_HZ]
    if not kept.size:
        return frozenset()
    window = (uv - _middle(uv))[:, kept]
    absent = ~np.isfinite(window)
    window = np.where(absent, 0.0, window)
    # Slow drifts do not pass the detector's filter.
    window = window - _moving_mean(window, 2 * WINDOW_RATE_HZ)
    at_rails, without = (share[:, None].astype(np.float32) for share in (railed, absent.mean(axis=1)))
    return quality.unusable(window.astype(np.float32), at_rails, without)


def _moving_mean(rows: FloatArray, length: int) -> FloatArray:
    if rows.shape[1] <= length:
        return np.asarray(rows.mean(axis=1, keepdims=True))
    padded = np.pad(rows, ((0, 0), (length // 2, length - length // 2)), mode="edge")
    total = np.cumsum(padded, axis=1)
    return np.asarray((total[:, length:] - total[:, :-length]) / length)


def thinned(excerpt: Excerpt, rate_hz: int) -> Excerpt:
    """Return an excerpt at a lower rate, from the same first sample; what the rate cannot show is filtered away."""
    from scipy.signal import resample_poly

    ratio = Fraction(rate_hz / excerpt.rate_hz).limit_denominator(500)
    if ratio >= 1:
        return excerpt
    middle = _middle(excerpt.uv)
    filled = np.where(np.isfinite(excerpt.uv), excerpt.uv, middle) - middle
    thin = resample_poly(filled, ratio.numerator, ratio.denominator, axis=1, padtype="line") + middle
    rate = excerpt.rate_hz * float(ratio)
    nearest = np.minimum(np.round(np.arange(thin.shape[1]) / float(ratio)).astype(int), excerpt.uv.shape[1] - 1)
    holes = ~np.isfinite(excerpt.uv[:, nearest])
    return replace(excerpt, rate_hz=rate, uv=np.where(holes, np.nan, thin))


def encode(excerpt: Excerpt, coarsest_uv: float = _COARSEST_UV) -> dict[str, Any]:
    """Return an excerpt as plain JSON values.

    ``data`` are 16-bit integers of ``uv = offset + step * value``, channel after channel, each value less the one
    before it (modulo 65536), all low bytes before all high ones, deflated, in base64.
    """
    rows, steps, offsets = [], [], []
    for uv in excerpt.uv:
        known = uv[np.isfinite(uv)]
        if not known.size:
            known = np.zeros(1)
        low, high = float(known.min()), float(known.max())
        spread = 1.4826 * float(np.median(np.abs(known - np.median(known))))
        step = max(min(max(spread / 32.0, _FINEST_UV), coarsest_uv), (high - low) / 65000.0)
        offset = (low + high) / 2.0
        scaled = np.round((np.where(np.isfinite(uv), uv, offset) - offset) / step)
        rows.append(np.where(np.isfinite(uv), scaled, ABSENT).astype(np.int16))
        steps.append(step)
        offsets.append(offset)
    values = np.stack(rows)
    differences = np.diff(values, axis=1, prepend=np.int16(0)).astype("<i2")
    planes = differences.view(np.uint8).reshape(-1, 2).T
    return {
        "start_s": excerpt.start_s,
        "rate_hz": excerpt.rate_hz,
        "n": int(values.shape[1]),
        "step": steps,
        "offset": offsets,
        "data": base64.b64encode(zlib.compress(np.ascontiguousarray(planes).tobytes(), 4)).decode("ascii"),
        "matrix": np.round(excerpt.matrix, 5).tolist(),
        "interpolated": list(excerpt.interpolated),
    }


def curve_at(curves: Sequence[Probabilities], start_s: float, stop_s: float, rate_hz: float) -> list[int]:
    """Return probabilities as 0..250 at a lower rate, the highest of each step; 255 where nothing was scored."""
    n_steps = max(round((stop_s - start_s) * rate_hz), 1)
    best = np.full(n_steps, -1.0, dtype=np.float32)
    for curve in curves:
        first = max(round((start_s - curve.start_s) * WINDOW_RATE_HZ), 0)
        stop = min(round((stop_s - curve.start_s) * WINDOW_RATE_HZ), len(curve.values))
        for begin in range(first, stop, _AT_ONCE):  # a night's indices would take ten times its curve
            end = min(begin + _AT_ONCE, stop)
            at_s = curve.start_s - start_s + np.arange(begin, end) / WINDOW_RATE_HZ
            into = np.clip((at_s * rate_hz + 1e-9).astype(np.int64), 0, n_steps - 1)
            starts = np.flatnonzero(np.diff(into, prepend=-1))
            most = np.maximum.reduceat(np.nan_to_num(curve.values[begin:end], nan=-1.0), starts)
            best[into[starts]] = np.maximum(best[into[starts]], most)
    levels = np.where(best < 0.0, 255.0, np.round(np.clip(best, 0.0, 1.0) * 250.0))
    return [int(level) for level in levels]
