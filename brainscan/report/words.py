"""What the recording's page says in words: the sentence at its top, and what asks for doubt of an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainscan.burden import Burden
from brainscan.detection import Detection
from brainscan.events import Event
from brainscan.report.excerpts import Excerpt

_FEW_DOUBTFUL = 3
_NEAR_GAP_S = 5.0
_NEAR_END_S = 1.0
_NEAR_THRESHOLD = 0.05
_SHORT = 1.5
_MAINS_HZ = (50.0, 60.0)
_MAINS_SHARE = 0.3
_MUSCLE_SHARE = 0.5


def length(seconds: float) -> str:
    """Return a length of time for people.

    >>> length(42.31), length(125.0), length(8100.0)
    ('42 s', '2 min 5 s', '2 h 15 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60.0), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def elapsed(at_s: float) -> str:
    """Return seconds from the start as H:MM:SS.

    >>> elapsed(3661.4)
    '1:01:01'
    """
    minutes, seconds = divmod(round(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def place(event: Event) -> str:
    """Return where an event begins: its side, and the electrodes that lead.

    >>> place(Event(0.0, 9.0, 0.9))
    '–'
    """
    if event.place is None:
        return "–"
    return f"{event.side}: {' '.join(event.leading)}" if event.leading else event.side


def summary(detection: Detection, burden: Burden, who: str) -> str:
    """Return what was found, in sentences.

    Parameters
    ----------
    detection : Detection
    burden : Burden
    who : str
        Whose events they are: ``the detector``, or the name of a file.
    """
    return " ".join(_sentences(detection, burden, who))


def _sentences(detection: Detection, burden: Burden, who: str) -> Iterator[str]:
    n, looked_s = burden.n_seizures, burden.scored_s
    looked = f"{length(looked_s)} of {length(detection.duration_s)}"
    if not n:
        yield f"No event marked by {who} in {looked}."
    else:
        told = f"{n} event{'' if n == 1 else 's'} marked by {who} in {looked}, {length(burden.seizure_s)} in all"
        yield f"{told}{f', the longest {length(burden.longest_s)}' if n > 1 else ''}."
        busiest = burden.busiest
        if busiest is not None and len(burden.hours) > 1:
            when = (
                f"from {busiest.label.replace('T', ' ')}" if detection.start else f"{busiest.label} h after the start"
            )
            yield f"Most in the hour {when}: {length(busiest.seizure_s)}."
        if burden.since_last_s is not None:
            yield f"The last one ended {length(burden.since_last_s)} before the end."
    if burden.unscored_s >= 1.0:
        yield f"{length(burden.unscored_s)} were not analysed: a seizure there would not have been seen."
    poor = [e.name for e in detection.electrodes if e.quality != "good" or e.how == "missing"]
    if detection.low_trust:
        yield f"Low trust: {len(poor)} of {len(detection.electrodes)} electrodes are poor."
    elif poor:
        yield f"Poor electrodes: {', '.join(poor)}."
    if detection.unfamiliar:
        yield "Unfamiliar: unlike the background that the detector was trained on; false alarms are likelier."


@dataclass(frozen=True, slots=True)
class Limits:
    """What the decision was made with; None where unknown.

    Parameters
    ----------
    enter, min_duration_s : float or None
    """

    enter: float | None = None
    min_duration_s: float | None = None

    @classmethod
    def of(cls, detection: Detection) -> Limits:
        """Take them from the provenance of a detection."""
        return cls.of_model(detection.model)

    @classmethod
    def of_model(cls, model: Mapping[str, Any]) -> Limits:
        """Take them from what made events, as a detection and a run's record hold it."""
        decision = model.get("decision")
        if not isinstance(decision, Mapping):
            return cls()
        return cls(decision.get("enter"), decision.get("min_duration_s"))


def doubts(
    event: Event, unscored: Sequence[tuple[float, float]], limits: Limits, excerpt: Excerpt | None, duration_s: float
) -> tuple[str, ...]:
    """Return what asks for a second look at an event, one phrase each.

    Parameters
    ----------
    event : Event
    unscored : sequence of (float, float)
        Gaps included.
    limits : Limits
    excerpt : Excerpt or None
        The EEG around it.
    duration_s : float
        Of the recording.
    """
    return tuple(_doubts(event, unscored, limits, excerpt, duration_s))


def _doubts(
    event: Event, unscored: Sequence[tuple[float, float]], limits: Limits, excerpt: Excerpt | None, duration_s: float
) -> Iterator[str]:
    if limits.enter is not None and event.confidence < limits.enter + _NEAR_THRESHOLD:
        yield "confidence near the threshold"
    if limits.min_duration_s and event.duration_s < _SHORT * limits.min_duration_s:
        yield "hardly longer than the shortest that is reported"
    if any(a - _NEAR_GAP_S <= event.offset_s and b + _NEAR_GAP_S >= event.onset_s for a, b in unscored):
        yield "beside a gap or unscored time: it may be longer"
    if event.onset_s < _NEAR_END_S:
        yield "at the recording's beginning: its onset may lie before"
    if event.offset_s > duration_s - _NEAR_END_S:
        yield "at the recording's end: it may go on"
    if excerpt is None:
        return
    if len(excerpt.interpolated) > _FEW_DOUBTFUL:
        yield f"{len(excerpt.interpolated)} electrodes interpolated"
    mains, muscle = spectrum_shares(excerpt, event)
    if mains > _MAINS_SHARE:
        yield "much mains noise"
    if muscle > _MUSCLE_SHARE:
        yield "mostly fast activity, as of muscles or chewing"


def spectrum_shares(excerpt: Excerpt, event: Event) -> tuple[float, float]:
    """Return which share of an event's power is mains, and which of the rest lies at 20 Hz or above.

    Power from 1 Hz on, the median over the 19 electrodes.
    """
    first = max(round((event.onset_s - excerpt.start_s) * excerpt.rate_hz), 0)
    stop = round((event.offset_s - excerpt.start_s) * excerpt.rate_hz)
    uv = excerpt.electrodes()[:, first:stop]
    if uv.shape[1] < excerpt.rate_hz:
        return 0.0, 0.0
    power = np.abs(np.fft.rfft((uv - uv.mean(axis=1, keepdims=True)) * np.hanning(uv.shape[1]), axis=1)) ** 2
    hz = np.fft.rfftfreq(uv.shape[1], 1.0 / excerpt.rate_hz)
    mains = np.any([np.abs(hz - line) < 1.0 for line in (*_MAINS_HZ, *(2.0 * at for at in _MAINS_HZ))], axis=0)
    total = power[:, hz >= 1.0].sum(axis=1)
    alive = total > 0.0
    if not alive.any():
        return 0.0, 0.0
    power, total = power[alive], total[alive]
    of_mains = power[:, mains].sum(axis=1)
    fast = power[:, (hz >= 20.0) & ~mains].sum(axis=1)
    rest = np.maximum(total - of_mains, 1e-12)
    return float(np.median(of_mains / total)), float(np.median(fast / rest))
