"""`plot`: one event as a figure: the EEG around it, the probability, where its power is, and its spectrogram."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainscan.detection import Detection
from brainscan.electrodes import ELECTRODES, INDEX, POSITIONS
from brainscan.errors import InputError, MissingExtraError
from brainscan.events import RATE_HZ, Event
from brainscan.io.plan import open_plan
from brainscan.recording import Recording
from brainscan.report import traces, words
from brainscan.report.excerpts import Channels, Excerpt, cut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

AROUND_S = 10.0
LONGEST_S = 60.0
"""Of a longer event the beginning is shown."""
ONSET_S = 5.0
"""Whose power the topography shows."""

_TRACES_HZ = (0.5, 70.0)
_POWER_HZ = (1.0, 30.0)
_MAX_MISSING = 15
_GRID = 61


def plot(detection: Detection, recording: Recording, event: Event | int = 0) -> Figure:
    """Draw one event.

    Parameters
    ----------
    detection : Detection
        The probability is drawn where it holds the curve (`DetectOptions.keep_probabilities`).
    recording : Recording
        The one that was analysed.
    event : Event or int
        One of the detection's, by its number from 0; or any other.

    Returns
    -------
    matplotlib.figure.Figure
        Longitudinal bipolar traces (0.5 to 70 Hz, negative up, interpolated electrodes grey) with 10 s on either side,
        the power from 1 to 30 Hz of the first 5 s over the head, and the spectrogram, the mean of the 19 electrodes.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    ValueError
        If there is no event of that number.
    InputError
        If the recording cannot be read any more, or holds nothing of that time.

    Examples
    --------
    >>> import brainscan
    >>> recording = brainscan.read("examples/sample.edf")
    >>> detection = brainscan.detect(recording)  # doctest: +SKIP
    >>> brainscan.plot(detection, recording).savefig("event.png")  # doctest: +SKIP
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("brainscan.plot", "report")
    from matplotlib.figure import Figure

    chosen = _chosen(detection, event)
    plan = open_plan(recording, channel_map=detection.model.get("channel_map") or None, max_missing=_MAX_MISSING)
    stop_s = min(chosen.offset_s, chosen.onset_s + LONGEST_S) + AROUND_S
    excerpt = cut(recording, Channels.of(recording, plan), chosen.onset_s - AROUND_S, stop_s)
    if excerpt is None:
        raise InputError("holds nothing of that time", kind="signal", file=recording.name)
    figure = Figure(figsize=(11.0, 6.6), dpi=110)
    curve, rows = figure.add_axes((0.06, 0.845, 0.62, 0.09)), figure.add_axes((0.06, 0.08, 0.62, 0.755))
    traces.draw_on(curve, rows, _as_drawn(detection, excerpt, chosen))
    _topography(figure.add_axes((0.71, 0.53, 0.27, 0.38)), onset_power(excerpt, chosen))
    _spectrogram(figure.add_axes((0.74, 0.08, 0.24, 0.34)), excerpt, chosen)
    clock = detection.without_filler().clock(chosen.onset_s + 0.5)
    when = words.elapsed(chosen.onset_s) if clock is None else f"{clock:%Y-%m-%d %H:%M:%S}"
    title = f"{detection.file}: {when}, {chosen.duration_s:.1f} s, confidence {chosen.confidence:.2f}"
    figure.text(0.06, 0.965, title, fontsize=10.0, parse_math=False)
    return figure


def onset_power(excerpt: Excerpt, event: Event) -> FloatArray:
    """Return the mean power of each of the 19 in an event's first seconds, µV², 1 to 30 Hz."""
    first = max(round((event.onset_s - excerpt.start_s) * excerpt.rate_hz), 0)
    length = round(min(ONSET_S, event.duration_s) * excerpt.rate_hz)
    stop = max(min(first + length, excerpt.uv.shape[1]), first + 1)
    return np.asarray(np.mean(_banded(excerpt.electrodes(), excerpt.rate_hz, _POWER_HZ)[:, first:stop] ** 2, axis=1))


def _chosen(detection: Detection, event: Event | int) -> Event:
    if isinstance(event, Event):
        return event
    if not 0 <= event < len(detection.events):
        raise ValueError(f"no event {event}: the detection has {len(detection.events)}, counted from 0")
    return detection.events[event]


def _banded(uv: FloatArray, rate_hz: float, corners_hz: tuple[float, float]) -> FloatArray:
    """Return rows between two frequencies, without shifting them in time."""
    from scipy.signal import butter, sosfiltfilt

    low, high = corners_hz
    sections = butter(2, (low, min(high, 0.45 * rate_hz)), "bandpass", fs=rate_hz, output="sos")
    pad = min(3 * int(rate_hz), uv.shape[1] - 1)
    return np.asarray(sosfiltfilt(sections, uv, axis=1, padlen=pad))


def _as_drawn(detection: Detection, excerpt: Excerpt, event: Event) -> traces.Excerpt:
    uv = _banded(excerpt.electrodes(), excerpt.rate_hz, _TRACES_HZ)
    pairs = [(INDEX[first], INDEX[second]) for first, second in traces.DERIVATIONS]
    lost = {INDEX[name] for name in excerpt.interpolated}
    return traces.Excerpt(
        start_s=excerpt.start_s,
        rate_hz=excerpt.rate_hz,
        uv=np.stack([uv[a] - uv[b] for a, b in pairs]).astype(np.float32),
        doubtful=tuple(a in lost or b in lost for a, b in pairs),
        probability=_curve(detection, excerpt),
        on=words.Limits.of(detection).enter or float("nan"),
        detected=((event.onset_s, event.offset_s),),
        unjudged=detection.unscored,
    )


def _curve(detection: Detection, excerpt: Excerpt) -> NDArray[np.float32]:
    """Return the probability at the time of each sample, NaN where there is none."""
    at_s = excerpt.start_s + np.arange(excerpt.uv.shape[1]) / excerpt.rate_hz
    values = np.full(len(at_s), np.nan, dtype=np.float32)
    for curve in detection.probabilities:
        index = np.round((at_s - curve.start_s) * RATE_HZ).astype(np.int64)
        inside = (index >= 0) & (index < len(curve.values))
        values[inside] = curve.values[index[inside]]
    return values


def _topography(axes: Axes, power_uv2: FloatArray) -> None:
    """Draw amplitudes over the head, seen from above, the nose up."""
    places = np.array([_flat(*position) for position in POSITIONS])
    x, y = np.meshgrid(np.linspace(-1.15, 1.15, _GRID), np.linspace(-1.15, 1.15, _GRID))
    away = np.hypot(x[..., None] - places[:, 0], y[..., None] - places[:, 1])
    weights = 1.0 / (away**3 + 3e-3)
    level = (weights @ np.sqrt(power_uv2)) / weights.sum(axis=-1)
    level = np.where(np.hypot(x, y) <= 1.12, level, np.nan)
    image = axes.imshow(level, extent=(-1.15, 1.15, -1.15, 1.15), origin="lower", cmap="plasma")
    outline: Any = {"color": "#333333", "linewidth": 1.0}
    angle = np.linspace(0.0, 2.0 * np.pi, 100)
    axes.plot(1.12 * np.cos(angle), 1.12 * np.sin(angle), **outline)
    axes.plot((-0.12, 0.0, 0.12), (1.11, 1.24, 1.11), **outline)
    box = {"facecolor": "black", "edgecolor": "none", "pad": 1.0, "alpha": 0.75}
    for name, (px, py) in zip(ELECTRODES, places, strict=True):
        axes.text(px, py, name, color="white", fontsize=6.0, ha="center", va="center", bbox=box)
    axes.set_axis_off()
    axes.set_title(f"µV in the first {ONSET_S:g} s, 1 to 30 Hz", fontsize=8.0)
    axes.figure.colorbar(image, ax=axes, shrink=0.7).ax.tick_params(labelsize=7.0)


def _flat(x: float, y: float, z: float) -> tuple[float, float]:
    """Return a place on the head as it lies on a disc, angles from the vertex kept; the equator has radius one."""
    across = np.hypot(x, y)
    radius = np.arccos(np.clip(z, -1.0, 1.0)) / (np.pi / 2.0)
    return (radius * x / across, radius * y / across) if across > 0.0 else (0.0, 0.0)


def _spectrogram(axes: Axes, excerpt: Excerpt, event: Event) -> None:
    """Draw power over time and frequency, the mean of the 19, in decibels."""
    from scipy.signal import spectrogram

    uv = _banded(excerpt.electrodes(), excerpt.rate_hz, (0.5, 40.0))
    n = min(round(2.0 * excerpt.rate_hz), uv.shape[1])
    hz, at_s, power = spectrogram(uv, excerpt.rate_hz, "hann", n, n - max(n // 8, 1), axis=1)
    shown = hz <= _POWER_HZ[1]
    decibels = 10.0 * np.log10(power[:, shown].mean(axis=0) + 1e-3)
    low, high = np.percentile(decibels, (5.0, 99.5))
    axes.pcolormesh(excerpt.start_s + at_s, hz[shown], decibels, cmap="plasma", vmin=low, vmax=high, shading="nearest")
    for edge_s in (event.onset_s, event.offset_s):
        axes.axvline(edge_s, color="white", linewidth=1.0, linestyle="--")
    axes.set_xlim(excerpt.start_s, excerpt.stop_s)
    axes.set_xlabel("seconds from the start", fontsize=7.0)
    axes.set_ylabel("Hz", fontsize=7.0)
    axes.tick_params(labelsize=7.0)
    axes.set_title("spectrogram, mean of the 19", fontsize=8.0)
