"""Where an event has room: a part shorter than the shortest event can hold none, and counts as unscored."""

from __future__ import annotations

from collections.abc import Sequence

from brainscan.card import DecisionConfig

Span = tuple[float, float]

LEAST_S = 2.0
"""No shorter part beside a gap is analysed, however short an event may be."""


def room_s(decision: DecisionConfig) -> float:
    """Return how long a part beside a gap must be at least, seconds."""
    return max(LEAST_S, decision.min_duration_s)


def told(parts: Sequence[Span], decision: DecisionConfig) -> str:
    """Say of parts that are too short that nothing can be found there; empty where there are none."""
    if not parts:
        return ""
    total_s = sum(stop - start for start, stop in parts)
    return (
        f"parts shorter than {room_s(decision):g} s: {len(parts)}, {total_s:.6g} s in all; they are not analysed,"
        " no event has room there"
    )


def told_of_short(duration_s: float, analysed_s: float, least_s: float, decision: DecisionConfig) -> str:
    """Say that a recording, or what was analysed of it, is short; empty where it is not.

    Parameters
    ----------
    duration_s, analysed_s : float
        Of the recording.
    least_s : float
        What is shorter is told.
    decision : DecisionConfig
        What is shorter than its shortest event is told to hold none.
    """
    looked_s = min(duration_s, analysed_s or duration_s)
    if looked_s >= least_s:
        return ""
    part = duration_s >= least_s
    what = f"less than {least_s:g} s were analysed" if part else f"the recording is shorter than {least_s:g} s"
    none = ": no event has room there" if looked_s < decision.min_duration_s else ""
    return f"{what} ({looked_s:g} s){none}"
