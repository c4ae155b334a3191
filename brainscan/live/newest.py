"""A look at the newest minute: what would be found if the recording ended now, with the window that ends now."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from brainscan.card import DecisionConfig, WindowConfig
from brainscan.decision.postprocess import find_events
from brainscan.events import RATE_HZ, Event, Probabilities
from brainscan.recording import Samples
from brainscan.session import Runner
from brainscan.signal.montage import ElectrodePlan
from brainscan.signal.windows import PipelineConfig, Window, WindowStream

LEAD_S = 4
"""Seconds before a window, in which the filters settle."""

RECENT_S = 20.0
"""An event that ended longer ago than this is not news: the stitched windows tell better."""


class Newest:
    """State of the newest minute of a segment, as recorded.

    Parameters
    ----------
    runner : Runner
    plan : ElectrodePlan
    rates_hz : sequence of Fraction
    decision : DecisionConfig
    max_missing : int
    """

    def __init__(
        self,
        runner: Runner,
        plan: ElectrodePlan,
        rates_hz: Sequence[Fraction],
        decision: DecisionConfig,
        max_missing: int,
    ) -> None:
        self._runner = runner
        self._plan = plan
        self._rates_hz = tuple(rates_hz)
        self._decision = decision
        window = WindowConfig(runner.card.window.duration_s, LEAD_S, 0.0)
        self._pipeline = PipelineConfig(runner.card.filter, window, max_missing)
        self._held: deque[Samples] = deque()
        seconds = window.duration_s + LEAD_S
        self._needed = [round(seconds * rate) for rate in self._rates_hz]
        self._spare = [-n for n in self._needed]  # samples of each channel beyond what a look needs

    def push(self, samples: Samples) -> None:
        """Take the next samples, and let go of those that no look needs any more."""
        self._held.append(samples)
        self._spare = [more + len(uv) for more, uv in zip(self._spare, samples.uv, strict=True)]
        while all(len(uv) <= more for more, uv in zip(self._spare, self._held[0].uv, strict=True)):
            first = self._held.popleft()
            self._spare = [more - len(uv) for more, uv in zip(self._spare, first.uv, strict=True)]

    def events(self, start_s: float, stop_s: float) -> tuple[Event, ...]:
        """Return what the newest minute shows near its end.

        Parameters
        ----------
        start_s, stop_s : float
            Of the segment so far, on the recording's clock.
        """
        window = self._window()
        if window is None or not window.scored:
            return ()
        n_valid = window.n_valid
        curve = self._runner.probabilities([window.uv])[0][:n_valid].copy()
        curve[np.repeat(window.absent, RATE_HZ)[:n_valid]] = np.nan
        begin_s = max(stop_s - n_valid / RATE_HZ, start_s)
        found = find_events(Probabilities(begin_s, curve), self._decision, self._runner.card.confidence_map)
        return tuple(event for event in found if event.offset_s >= stop_s - RECENT_S)

    def _window(self) -> Window | None:
        """Return the window that ends with the last sample."""
        if not self._held:
            return None
        rows = range(len(self._rates_hz))
        stream = WindowStream(self._plan, self._rates_hz, self._pipeline)
        needed = self._needed
        newest = Samples(
            tuple(np.concatenate([piece.uv[row] for piece in self._held])[-needed[row] :] for row in rows),
            tuple(np.concatenate([piece.railed[row] for piece in self._held])[-needed[row] :] for row in rows),
        )
        windows = stream.push(newest) + stream.finish()
        return windows[-1] if windows else None
