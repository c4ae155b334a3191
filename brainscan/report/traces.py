"""Pictures of EEG around one event: longitudinal bipolar traces, the probability above them, what experts marked."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import CHAINS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float32]
Spans = tuple[tuple[float, float], ...]

DERIVATIONS: tuple[tuple[str, str], ...] = tuple(pair for chain in CHAINS for pair in pairwise(chain))
"""The double banana, left to right: each chain is followed by a little more room."""

SIZE_IN = (7.2, 4.6)
DPI = 160
"""Sharp in print at the page's width; vectors of so many samples would be megabytes each."""

_BARS_UV = (20, 30, 50, 70, 100, 150, 200, 300, 500, 1000)
_COLUMNS = 1000  # about as many pixels as the traces are wide
_ROOM = 1.5  # a trace may reach so many spacings from its line
_INK, _FAINT, _CURVE, _REFERENCE = "#000000", "#9a9a9a", "#1f4e79", "#d9d9d9"
# Fixed: what a user's matplotlibrc says must not change a report.
_STYLE: Any = {"font.size": 7.0, "axes.linewidth": 0.6, "hatch.linewidth": 0.5, "path.simplify": True}


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """A stretch of a recording around one mistake.

    Parameters
    ----------
    start_s : float
        Of the traces, seconds from recording start.
    rate_hz : float
        Of traces and curves.
    uv : array of float32, shape (18, n_samples)
        µV of `DERIVATIONS`.
    doubtful : tuple of bool, length 18
        One of the two electrodes was interpolated or is missing: drawn faint.
    probability, averaged : array of float32, shape (n_samples,)
        Before and after averaging, NaN where unscored; empty where the detector gives no curve.
    on : float
        The threshold that `averaged` is compared with; NaN if unknown.
    annotated, detected, unjudged : tuple of (float, float)
        Spans in seconds from recording start: seizures, events, and what no expert looked at.
    """

    start_s: float = 0.0
    rate_hz: float = 256.0
    uv: FloatArray = field(default_factory=lambda: np.zeros((len(DERIVATIONS), 0), dtype=np.float32))
    doubtful: tuple[bool, ...] = (False,) * len(DERIVATIONS)
    probability: FloatArray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    averaged: FloatArray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    on: float = math.nan
    annotated: Spans = ()
    detected: Spans = ()
    unjudged: Spans = ()

    @property
    def stop_s(self) -> float:
        """End of the traces, seconds from recording start."""
        return self.start_s + float(self.uv.shape[1]) / self.rate_hz

    def at_s(self, n_samples: int) -> NDArray[np.float64]:
        """Return the times of that many samples, seconds from recording start."""
        return self.start_s + np.arange(n_samples) / self.rate_hz


def draw(excerpt: Excerpt) -> bytes:
    """Draw one excerpt.

    Parameters
    ----------
    excerpt : Excerpt

    Returns
    -------
    bytes
        A PNG, the same every time; empty if there is no sample to draw.
    """
    if not excerpt.uv.shape[1]:
        return b""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=SIZE_IN, dpi=DPI)
        left, width = 0.075, 0.90
        curve = figure.add_axes((left, 0.845, width, 0.125))
        traces = figure.add_axes((left, 0.075, width, 0.755))
        draw_on(curve, traces, excerpt)
        return _png(figure)


def draw_on(curve: Axes, traces: Axes, excerpt: Excerpt) -> None:
    """Draw an excerpt on the axes of a figure: the probability on one, the derivations on the other."""
    for axes in (curve, traces):
        axes.set_xlim(excerpt.start_s, excerpt.stop_s)
        for spine in ("top", "right"):
            axes.spines[spine].set_visible(False)
    _draw_curve(curve, excerpt)
    _draw_traces(traces, excerpt)


def spacing_uv(uv: FloatArray) -> int:
    """Return how many µV lie between two lines: most of most traces fits between its neighbours.

    Parameters
    ----------
    uv : array, shape (n_derivations, n_samples)
    """
    usual = 2.0 * float(np.median(np.percentile(np.abs(uv), 95, axis=1)))
    return next((bar for bar in _BARS_UV if bar >= usual), _BARS_UV[-1])


def envelope(values: FloatArray, per_column: int) -> FloatArray:
    """Return the lowest and highest of every so many samples, which looks the same and is drawn much faster.

    Parameters
    ----------
    values : array, shape (n_rows, n_samples)
    per_column : int
        Samples that share a column of the picture.

    Returns
    -------
    array, shape (n_rows, 2 * ceil(n_samples / per_column))
        Lowest and highest in turn.
    """
    starts = np.arange(0, values.shape[1], per_column)
    ends = np.minimum.reduceat(values, starts, axis=1), np.maximum.reduceat(values, starts, axis=1)
    return np.stack(ends, axis=2).reshape(len(values), -1)


def _png(figure: Figure) -> bytes:
    """Return a figure as a PNG with a palette, a third of the size: a page holds a dozen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image  # comes with matplotlib

    canvas: Any = FigureCanvasAgg(figure)  # its methods are untyped
    canvas.draw()
    rgb = np.asarray(canvas.buffer_rgba())[..., :3] >> 4
    # All is grey or the curve's blue, whose green lies midway between red and blue.
    levels = [17 * k for k in range(16)]
    palette = [channel for red in levels for blue in levels for channel in (red, (red + blue) // 2, blue)]
    image = Image.fromarray(rgb[..., 0] << 4 | rgb[..., 2], mode="P")
    image.putpalette(palette)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", dpi=(DPI, DPI))
    return buffer.getvalue()


def _draw_curve(axes: Axes, excerpt: Excerpt) -> None:
    """Draw the probability, and mark what was annotated and what was detected."""
    _mark(axes, excerpt)
    for values, colour in ((excerpt.probability, _FAINT), (excerpt.averaged, _CURVE)):
        axes.plot(excerpt.at_s(len(values)), values, color=colour, linewidth=0.8)
    if math.isfinite(excerpt.on):
        axes.axhline(excerpt.on, color=_INK, linewidth=0.5, linestyle=":")
    for start_s, stop_s in excerpt.detected:
        axes.axvspan(start_s, stop_s, facecolor="none", edgecolor=_CURVE, hatch="////", linewidth=0.5, alpha=0.6)
    axes.set_ylim(0.0, 1.02)
    axes.set_yticks((0.0, 0.5, 1.0))
    axes.set_ylabel("probability")
    axes.tick_params(labelbottom=False)


def _draw_traces(axes: Axes, excerpt: Excerpt) -> None:
    """Draw the derivations one below the other, negative up, with a scale bar."""
    _mark(axes, excerpt)
    bar_uv = spacing_uv(excerpt.uv)
    places, per_column = _places(), max(1, excerpt.uv.shape[1] // _COLUMNS)
    shown = envelope(np.clip(excerpt.uv / bar_uv, -_ROOM, _ROOM), per_column)
    at_s = np.repeat(excerpt.at_s(excerpt.uv.shape[1])[::per_column], 2)
    for row, place, doubtful in zip(shown, places, excerpt.doubtful, strict=True):
        axes.plot(at_s, place - row, color=_FAINT if doubtful else _INK, linewidth=0.4)
    for start_s, stop_s in excerpt.detected:
        for edge_s in (start_s, stop_s):
            axes.axvline(edge_s, color=_CURVE, linewidth=0.7, linestyle="--")
    axes.set_ylim(places[-1] - _ROOM, places[0] + _ROOM)
    axes.set_yticks(places, [f"{first}-{second}" for first, second in DERIVATIONS])
    axes.tick_params(axis="y", length=0.0, pad=2.0)
    axes.set_xlabel("seconds from the start of the recording")
    right_s = excerpt.stop_s - 0.004 * (excerpt.stop_s - excerpt.start_s)
    bottom = places[-1] - 1.2
    axes.plot((right_s, right_s), (bottom, bottom + 1.0), color=_INK, linewidth=2.0, solid_capstyle="butt")
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
    axes.annotate(
        f"{bar_uv} µV",
        (right_s, bottom + 0.5),
        (-4, 0),
        "data",
        "offset points",
        None,
        ha="right",
        va="center",
        bbox=box,
    )


def _mark(axes: Axes, excerpt: Excerpt) -> None:
    for start_s, stop_s in excerpt.annotated:
        axes.axvspan(start_s, stop_s, color=_REFERENCE, linewidth=0.0, zorder=0)
    for start_s, stop_s in excerpt.unjudged:
        axes.axvspan(start_s, stop_s, facecolor="none", edgecolor=_REFERENCE, hatch="xx", linewidth=0.0, zorder=0)


def _places() -> list[float]:
    """Return the height of each derivation's line, in spacings: chains stand a little apart."""
    places, at = [], 0.0
    for k, (first, _) in enumerate(DERIVATIONS):
        if k and DERIVATIONS[k - 1][1] != first:
            at -= 0.5
        places.append(at)
        at -= 1.0
    return places
