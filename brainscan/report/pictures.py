"""Figures of the report as SVG, drawn without a window system and the same bytes every time."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE_IN = (6.4, 3.8)
_INK, _GREY = "#1f4e79", "#888888"
_MARKERS = "soD^v<>pPX*"
# Fixed salt: ids inside an SVG are otherwise random, and two runs would differ. Untyped: releases differ in how.
_STYLE: Any = {"svg.hashsalt": "brainscan", "font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False}


def froc(curve: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> str:
    """Draw sensitivity against false alarms per 24 h, with operating points and their intervals.

    Parameters
    ----------
    curve : mapping
        ``false_alarms`` and ``detected`` at each threshold, ``seizures``, ``hours``.
    points : sequence of mapping
        Operating points; those out of reach are not drawn.

    Returns
    -------
    str
        A ``data:`` address, empty if there is no seizure or no time to divide by.
    """
    if not curve["seizures"] or not curve["hours"]:
        return ""
    alarms = np.array(curve["false_alarms"], dtype=np.float64) * 24.0 / curve["hours"]
    sensitivity = np.array(curve["detected"], dtype=np.float64) / curve["seizures"]

    def draw(axes: Axes) -> None:
        axes.plot(alarms, sensitivity, ".-", color=_INK, linewidth=1.0, markersize=3.0)
        reached = [point for point in points if point["reachable"]]
        for point, marker in zip(reached, cycle(_MARKERS)):
            x, y = point["fa_per_24h"], point["sensitivity"]
            axes.plot(_ends(point["fa_per_24h_ci95"], x), (y, y), color=_GREY, linewidth=0.8)
            axes.plot((x, x), _ends(point["sensitivity_ci95"], y), color=_GREY, linewidth=0.8)
            # Told apart by shape and named in a legend: points lie close together, and labels beside them would
            # cover each other.
            style: Any = {"color": "black", "markersize": 5.0, "markerfacecolor": "white", "linestyle": "none"}
            axes.plot(x, y, marker, label=point["name"], zorder=3.0, **style)
        if reached:
            axes.legend(loc="lower right", frameon=False)
        # Linear up to 1, so that no alarm at all has a place.
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xlim(left=0.0)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("false alarms per 24 h")
        axes.set_ylabel("sensitivity")

    return _picture(draw)


def reliability(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw the share of candidate events that are true against their confidence.

    Parameters
    ----------
    rows : sequence of mapping
        ``confidence``, ``true_share`` and ``events`` of each tenth of confidence that has any event.

    Returns
    -------
    str
        A ``data:`` address, empty without rows.
    """
    if not rows:
        return ""

    def draw(axes: Axes) -> None:
        axes.plot((0.0, 1.0), (0.0, 1.0), "--", color=_GREY, linewidth=0.8)
        x, y = [row["confidence"] for row in rows], [row["true_share"] for row in rows]
        axes.plot(x, y, "o-", color=_INK, linewidth=1.0, markersize=4.0)
        for row in rows:
            place = (row["confidence"], row["true_share"])
            axes.annotate(f"{row['events']}", place, xytext=(4, 4), textcoords="offset points", color=_GREY)
        axes.set_xlim(0.0, 1.05)
        axes.set_ylim(-0.02, 1.08)
        axes.set_xlabel("confidence")
        axes.set_ylabel("share that is a seizure")

    return _picture(draw)


def latencies(values_s: Sequence[float]) -> str:
    """Draw how long behind the annotated onset detections begin.

    Parameters
    ----------
    values_s : sequence of float
        Seconds, one for each seizure that was found; negative where the detection came first.

    Returns
    -------
    str
        A ``data:`` address, empty without values.
    """
    if not values_s:
        return ""

    from matplotlib.ticker import MaxNLocator

    def draw(axes: Axes) -> None:
        axes.hist(values_s, bins=min(30, max(5, len(values_s))), color=_INK, edgecolor="white")
        axes.axvline(0.0, color=_GREY, linewidth=0.8)
        axes.set_xlabel("latency (s)")
        axes.set_ylabel("seizures found")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))

    return _picture(draw)


def _ends(interval: Sequence[float] | None, value: float) -> tuple[float, float]:
    return (value, value) if interval is None else (interval[0], interval[1])


def _picture(draw: Callable[[Axes], None]) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        # No pyplot: it would choose a window system and keep every figure alive.
        figure = Figure(figsize=SIZE_IN, layout="constrained")
        draw(figure.subplots())
        return _address(figure)


def _address(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
