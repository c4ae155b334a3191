"""Where each event of a recording begins: the samples around it are read once more, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from brainscan.card import FilterConfig, WindowConfig
from brainscan.events import RATE_HZ, Event, overlap
from brainscan.recording import Recording
from brainscan.signal.montage import ElectrodePlan
from brainscan.signal.place import BEFORE_S, COURSE_S, SPAN_S, Piece, place_of
from brainscan.signal.windows import PipelineConfig, Window, WindowStream

_LEAST_S = 2.0


def pipeline(filter_config: FilterConfig, max_missing: int) -> PipelineConfig:
    """Return a detector's way to the 19, with short spans instead of its windows."""
    return PipelineConfig(filter_config, WindowConfig(SPAN_S, SPAN_S, 0.0), max_missing)


def around(
    event: Event, others: Sequence[Event], recording: Recording, plan: ElectrodePlan, config: PipelineConfig
) -> tuple[list[Piece], list[Piece]]:
    """Return what can be used of the minute before an event, and of the event; see `placed`."""
    home = next((s for s in recording.segments if s.start_s <= event.onset_s < s.stop_s), None)
    if home is None:
        return [], []
    n_before = int(min(event.onset_s - home.start_s, BEFORE_S) // SPAN_S)
    # One pass, on a grid that the onset lies on: the filters see no edge there.
    start_s = event.onset_s - n_before * SPAN_S
    stop_s = min(event.offset_s, event.onset_s + COURSE_S, home.stop_s)
    stream = WindowStream(plan, [recording.channels[channel].rate_hz for channel in plan.channels], config)
    windows = stream.push(recording.read(plan.channels, start_s, stop_s, home)) + stream.finish()
    before = [_piece(window, start_s) for window in windows[:n_before]]
    during = [_piece(window, start_s) for window in windows[n_before:]]
    ictal = [(other.onset_s, other.offset_s) for other in others if other.onset_s < event.onset_s]
    quiet = [piece for piece in before if piece and not overlap([(piece.start_s, piece.stop_s)], ictal)]
    return quiet, [piece for piece in during if piece]


def placed(
    event: Event, others: Sequence[Event], recording: Recording, plan: ElectrodePlan, config: PipelineConfig
) -> Event:
    """Return an event with its place.

    Parameters
    ----------
    event : Event
    others : sequence of Event
        All of the recording: what lies within one of them is no background.
    recording : Recording
    plan : ElectrodePlan
    config : PipelineConfig
        See `pipeline`.

    Raises
    ------
    InputError
        If the recording cannot be read any more.
    """
    return replace(event, place=place_of(*around(event, others, recording, plan, config)))


def _piece(window: Window, start_s: float) -> Piece | None:
    """Return what can be used of a window, None if that is nothing."""
    if not window.scored or window.n_valid < _LEAST_S * RATE_HZ or window.absent.any():
        return None
    recorded = np.array([how in {"recorded", "derived"} for how in window.how])
    first_s = start_s + window.start / RATE_HZ
    uv = window.uv[:, : window.n_valid]
    return Piece(first_s, first_s + window.n_valid / RATE_HZ, uv, recorded)
