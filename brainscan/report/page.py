"""The report's page: figures of an evaluation into one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from typing import Any

from brainscan.provenance import NOTICE
from brainscan.report import pictures

NEEDS = ("jinja2", "matplotlib")
"""What the extra ``report`` installs."""

MAX_ALARMS = 500
"""False alarms listed; a page of thousands is read by nobody, and events.csv has them all."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One false alarm, seconds from recording start."""

    file: str
    onset_s: float
    offset_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Mistake:
    """One of the worst mistakes.

    Parameters
    ----------
    caption : str
    png : bytes
        The EEG around it; empty if there is no picture, and then the caption says why.
    """

    caption: str
    png: bytes = b""

    @property
    def address(self) -> str:
        """The picture as a ``data:`` address; empty if there is none."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii") if self.png else ""


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What a report tells.

    Parameters
    ----------
    metrics : dict
        The document of ``metrics.json``.
    latencies_s : tuple of float
        Of each seizure that the detector's own decision found.
    alarms : tuple of Alarm
        False alarms of the detector's own decision.
    mistakes : tuple of Mistake
        The worst ones, with the EEG around them.
    """

    metrics: dict[str, Any]
    latencies_s: tuple[float, ...]
    alarms: tuple[Alarm, ...]
    mistakes: tuple[Mistake, ...] = ()


def is_available() -> bool:
    """Return whether the extra ``report`` is installed."""
    return all(find_spec(name) is not None for name in NEEDS)


def render(contents: Contents) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    contents : Contents

    Returns
    -------
    str
        One document with style and pictures inside, no script and no address of another place. What UTF-8 cannot
        hold (names of files in other encodings) is written with backslashes.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": number, "interval": interval, "hours": hours_text}
    template = environment.from_string(
        resources.files("brainscan.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    )
    metrics = contents.metrics
    points = (metrics["default"], *metrics["operating_points"])
    text = template.render(
        m=metrics,
        notice=NOTICE,
        points=points,
        comparison=metrics.get("comparison"),
        digits=1 if metrics["scorer"] == "taes" else 0,  # TAES counts shares of seizures
        details=metrics["details"].get("default"),
        froc=pictures.froc(metrics["froc"], points),
        reliability=pictures.reliability(metrics["reliability"]),
        latencies=pictures.latencies(contents.latencies_s),
        alarms=contents.alarms[:MAX_ALARMS],
        n_alarms=len(contents.alarms),
        mistakes=contents.mistakes,
    )
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def number(value: float | None, digits: int = 2) -> str:
    """Return a number as text, a dash where there is none.

    >>> number(1.005, 1), number(None), number(float("nan"))
    ('1.0', '–', '–')
    """
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def hours_text(hours: float) -> str:
    """Return hours with their unit, as minutes below one hour: a minute is not 0.0 h.

    >>> hours_text(120.0), hours_text(2.5), hours_text(1 / 60)
    ('120.0 h', '2.50 h', '1.0 min')
    """
    return f"{hours * 60.0:.1f} min" if hours < 1.0 else f"{hours:.2f} h" if hours < 10.0 else f"{hours:.1f} h"


def interval(ends: Sequence[float] | None, digits: int = 2) -> str:
    """Return an interval as text, a dash where there is none.

    >>> interval([0.25, 1.0])
    '0.25 to 1.00'
    """
    return "–" if ends is None else f"{number(ends[0], digits)} to {number(ends[1], digits)}"
