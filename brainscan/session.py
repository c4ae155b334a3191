"""`Session`: the states of one gap-free segment joined, from samples as recorded to final events.

`detect`, `scan`, `stream` and the training's validation all feed a session; a whole file is its longest case.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from brainscan.card import Card, DecisionConfig
from brainscan.decision.curve import DecisionCurve
from brainscan.decision.postprocess import Decision, Ongoing
from brainscan.decision.stitch import Stitcher
from brainscan.detection import ElectrodeReport, How, Quality
from brainscan.electrodes import ELECTRODES
from brainscan.events import RATE_HZ, Event, Probabilities, runs, union
from brainscan.familiarity import Answer, Compared
from brainscan.qeeg import Trends
from brainscan.recording import Samples
from brainscan.signal.montage import ElectrodePlan
from brainscan.signal.trends import WindowTrends
from brainscan.signal.windows import PipelineConfig, Window, WindowStream

FloatArray = NDArray[np.float32]

# Share of the windows in which an electrode was unusable, beyond which it counts as doubtful, as unusable.
DOUBTFUL = 0.1
UNUSABLE = 0.5


class Runner(Protocol):
    """What turns windows into probabilities: a network on a device, or whatever stands in for it."""

    @property
    def card(self) -> Card:
        """The card that the stages follow."""
        ...

    @property
    def batch_size(self) -> int:
        """Windows at a time."""
        ...

    def probabilities(self, windows: Sequence[FloatArray]) -> list[FloatArray]:
        """Return the probability of each sample of windows in µV, shape (19, n_samples) each."""
        ...


@runtime_checkable
class BackgroundRunner(Runner, Protocol):
    """A runner that computes on threads of its own, while its caller prepares the next windows."""

    def submit(self, windows: Sequence[FloatArray]) -> Sequence[Future[list[Answer]]]:
        """Begin to answer; each result holds the answers to one or more windows, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What a session needs beside model and plan.

    Parameters
    ----------
    decision : DecisionConfig
    max_missing : int
        Up to this many unusable electrodes are interpolated.
    keep : bool
        Keep the stitched curve for `Session.probabilities`.
    beside : bool
        Where the runner can, let the network run while the next samples are read and prepared. The same events
        are returned then, some of them a batch of windows later.
    trends : bool
        Compute the trends for `Session.trends`.
    """

    decision: DecisionConfig
    max_missing: int = 3
    keep: bool = False
    beside: bool = False
    trends: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Windows that are with the network, and where its results will be."""

    windows: list[Window]
    results: Sequence[Future[list[Answer]]]

    def cancel(self) -> None:
        """Give up the results that are not being computed yet."""
        for future in self.results:
            future.cancel()


class Session:
    """The states of one gap-free segment, from samples as recorded to final events.

    Push blocks of any length; what is returned is final and does not depend on how the samples were cut.

    Parameters
    ----------
    runner : Runner
    plan : ElectrodePlan
    rates_hz : sequence of Fraction
        Of the plan's channels.
    config : SessionConfig
    start_s : float
        Start of the segment on the recording's clock, seconds.

    Attributes
    ----------
    compared : list of Compared
        Windows so far, where card and network tell what background is like.
    tally : Tally
    """

    def __init__(
        self,
        runner: Runner,
        plan: ElectrodePlan,
        rates_hz: Sequence[Fraction],
        config: SessionConfig,
        start_s: float = 0.0,
    ) -> None:
        card = runner.card
        self._runner = runner
        self._windows = WindowStream(plan, rates_hz, PipelineConfig(card.filter, card.window, config.max_missing))
        self._stitcher = Stitcher(card.window)
        self._curve = DecisionCurve(config.decision)
        self._decision = Decision(config.decision, start_s, card.confidence_map)
        self._beside = config.beside
        self._waiting: list[Window] = []
        self._running: deque[_Batch] = deque()
        self._start_s = start_s
        self._n_stitched = 0
        self._keep = config.keep
        self._curves: list[FloatArray] = []
        self._trends = WindowTrends(start_s) if config.trends else None
        self._scored: list[tuple[int, int]] = []
        self._familiarity = card.familiarity
        self.compared: list[Compared] = []
        self.tally = Tally()

    def push(self, samples: Samples, *, skip: bool = False) -> list[Event]:
        """Take the next samples of the plan's channels and return the events that became final.

        Parameters
        ----------
        samples : Samples
        skip : bool
            Leave the windows that become complete unscored: whoever cannot keep up spares the network's time.
        """
        self._wait_for(self._windows.push(samples), skip=skip)
        if len(self._waiting) < self._runner.batch_size:
            return []
        self._begin()
        return self._collect(at_most=1 if self._beside else 0)

    def finish(self) -> list[Event]:
        """End the segment and return its last events."""
        self._wait_for(self._windows.finish())
        self._begin()
        events = self._collect(at_most=0)
        events += self._decide(self._stitcher.finish())
        events += self._decision.push(*self._curve.finish())
        return events + self._decision.finish()

    def close(self) -> None:
        """Give up what the network has not begun yet; nothing can be pushed any more."""
        for batch in self._running:
            batch.cancel()
        self._running.clear()

    @property
    def ongoing(self) -> Ongoing | None:
        """The event that is certain to come of what was pushed and has not ended; None if there is none."""
        return self._decision.ongoing

    @property
    def settled_s(self) -> float:
        """Time on the recording's clock before which no further event can begin."""
        return self._decision.settled_s

    @property
    def stitched_s(self) -> float:
        """Time on the recording's clock up to which it is known what is scored."""
        return self._start_s + self._n_stitched / RATE_HZ

    def _wait_for(self, windows: list[Window], *, skip: bool = False) -> None:
        self._waiting += [replace(window, scored=False) for window in windows] if skip else windows
        if self._trends is not None:
            for window in windows:
                self._trends.add(window)

    def _begin(self) -> None:
        """Send the waiting windows to the network."""
        windows, self._waiting = self._waiting, []
        uv = [window.uv for window in windows if window.scored]
        if isinstance(self._runner, BackgroundRunner):
            self._running.append(_Batch(windows, self._runner.submit(uv)))
        else:
            future: Future[list[Answer]] = Future()
            future.set_result([Answer(probability) for probability in self._runner.probabilities(uv)])
            self._running.append(_Batch(windows, [future]))

    def _collect(self, *, at_most: int) -> list[Event]:
        """Pass on what the network gave, until only some batches are left with it."""
        events = []
        while len(self._running) > at_most:
            batch = self._running.popleft()
            try:
                results = iter([answer for future in batch.results for answer in future.result()])
            finally:
                batch.cancel()
            for window in batch.windows:
                self.tally.add(window)
                answer = next(results) if window.scored else None
                self._compare(window, answer)
                probability = None if answer is None else answer.probability
                events += self._decide(self._stitcher.add(window.start, probability, window.n_valid, window.absent))
        return events

    def _compare(self, window: Window, answer: Answer | None) -> None:
        """Note whether a window is like the training background; seconds without values are like nothing."""
        if self._familiarity is None or answer is None or not len(answer.features) or window.absent.any():
            return
        start_s = self._start_s + window.start / RATE_HZ
        unlike = self._familiarity.is_unlike(answer.features)
        self.compared.append(Compared(start_s, start_s + window.n_valid / RATE_HZ, unlike))

    def trends(self) -> Trends:
        """Return the trends of a finished segment; without columns unless they were asked for."""
        return Trends.joined([]) if self._trends is None else self._trends.finish()

    @property
    def probabilities(self) -> Probabilities:
        """The stitched curve so far (empty unless it is kept)."""
        curve = np.concatenate(self._curves) if self._curves else np.zeros(0, dtype=np.float32)
        return Probabilities(self._start_s, curve)

    @property
    def lowered_s(self) -> float:
        """Seconds so far in which the recording's own baseline was taken off (`brainscan.decision.baseline`)."""
        return self._curve.lowered_s

    @property
    def left_out(self) -> int:
        """Stretches so far that were no events because they came soon after one and did not rise enough."""
        return self._decision.left_out

    @property
    def scored(self) -> tuple[tuple[float, float], ...]:
        """Spans on the recording's clock, seconds, that were scored."""
        return union((self._start_s + a / RATE_HZ, self._start_s + b / RATE_HZ) for a, b in self._scored)

    def _decide(self, curve: FloatArray) -> list[Event]:
        if self._keep:
            self._curves.append(curve)
        for first, stop in (runs(~np.isnan(curve)) + self._n_stitched).tolist():
            if self._scored and self._scored[-1][1] == first:
                self._scored.append((self._scored.pop()[0], stop))
            else:
                self._scored.append((first, stop))
        self._n_stitched += len(curve)
        return self._decision.push(*self._curve.push(curve))


class Tally:
    """Counts, over the windows of a recording, how each electrode was obtained."""

    def __init__(self) -> None:
        self.n_windows = 0
        self.n_scored = 0
        self._how: tuple[Counter[How], ...] = tuple(Counter() for _ in ELECTRODES)

    def add(self, window: Window) -> None:
        """Count one window."""
        self.n_windows += 1
        self.n_scored += window.scored
        for counter, how in zip(self._how, window.how, strict=True):
            counter[how] += 1

    def merge(self, other: Tally) -> None:
        """Add another segment's counts."""
        self.n_windows += other.n_windows
        self.n_scored += other.n_scored
        for mine, theirs in zip(self._how, other._how, strict=True):
            mine.update(theirs)

    def reports(self, plan: ElectrodePlan) -> tuple[ElectrodeReport, ...]:
        """Return the summary of each of the 19."""
        reports = []
        for source, counter in zip(plan.sources, self._how, strict=True):
            bad = (counter["interpolated"] + counter["missing"]) / max(self.n_windows, 1)
            how: How = counter.most_common(1)[0][0] if counter else "missing"
            quality: Quality = "unusable" if bad > UNUSABLE else "doubtful" if bad > DOUBTFUL else "good"
            reports.append(ElectrodeReport(source.name, source.found, how, quality, bad, source.labels))
        return tuple(reports)
