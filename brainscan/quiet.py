"""`Quiet`: a stretch known to hold no seizure, and the decision that is set against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brainscan.card import DecisionConfig
from brainscan.decision.average import average
from brainscan.decision.logits import logit, raised
from brainscan.errors import UsageError
from brainscan.events import Probabilities
from brainscan.recording import Recording

SHORTEST_S = 60.0
"""A shorter stretch is one window at most, and says little."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A stretch that somebody knows to be quiet.

    Parameters
    ----------
    start_s, stop_s : float
        Seconds from the start of its recording.
    recording : Recording or None
        Another one of the same person; None: the one that is analysed.

    Raises
    ------
    UsageError
        If it is shorter than a minute.
    """

    start_s: float
    stop_s: float
    recording: Recording | None = None

    def __post_init__(self) -> None:
        if self.stop_s - self.start_s < SHORTEST_S:
            raise UsageError(
                f"a quiet stretch of {self.stop_s - self.start_s:g} s is too short",
                hint=f"give at least {SHORTEST_S:g} s without a seizure",
            )

    def as_mapping(self) -> dict[str, Any]:
        """Return what provenance tells of it: where it lies, and of which file unless it is the analysed one."""
        other = self.recording
        sha256 = other.sha256() if other is not None and other.sha256 else ""
        return {"start_s": self.start_s, "stop_s": self.stop_s, "sha256": sha256}


def set_against(decision: DecisionConfig, curves: Sequence[Probabilities]) -> tuple[DecisionConfig, str]:
    """Return a decision with thresholds raised by what a quiet stretch reads above calm background, and why.

    Parameters
    ----------
    decision : DecisionConfig
        Whose baseline says what calm background reads, and how much may be taken off at most.
    curves : sequence of Probabilities
        Of the stretch.

    Returns
    -------
    DecisionConfig
        Never with lower thresholds.
    str
        What to say of it.

    Raises
    ------
    UsageError
        If nothing of the stretch was scored, or half of it or more lies above the threshold.
    """
    averaged = [average(curve.values, decision.average_s) for curve in curves]
    values = [values[~np.isnan(values)] for values in averaged]
    if not any(map(len, values)):
        raise UsageError("nothing of the quiet stretch can be scored", hint="choose another")
    reads = float(np.median(np.concatenate(values)))
    if reads >= decision.enter:
        raise UsageError(
            f"the stretch given as quiet reads {reads:.2f} half of its time, above the threshold of {decision.enter:g}",
            hint="look at it: seizure activity may go on there; choose another",
        )
    above = min(max(float(logit(reads) - logit(decision.baseline.quiet)), 0.0), decision.baseline.most)
    higher = replace(decision, enter=raised(decision.enter, above), leave=raised(decision.leave, above))
    said = f"the quiet stretch reads {reads:.2f}: thresholds on {higher.enter:.3f}, off {higher.leave:.3f}"
    return higher, f"{said} instead of {decision.enter:g} and {decision.leave:g}" if above else f"{said}, as they were"
