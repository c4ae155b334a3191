"""Whole recordings from the cache through a network, decided as `detect` decides, and what that is worth."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from brainscan.card import DecisionConfig, WindowConfig
from brainscan.decision.postprocess import find_events
from brainscan.decision.stitch import Stitcher
from brainscan.evaluate.sweep import sweep
from brainscan.events import RATE_HZ, BoolArray, Probabilities
from brainscan.model.inference import WindowRunner
from brainscan.scoring.operating_points import (
    THRESHOLDS,
    Curve,
    OperatingPoint,
    RecordingTable,
    operating_point,
    pool,
)
from brainscan.scoring.pieces import ScoredRecording, by_source, clip, cut_pieces, event_row
from brainscan.scoring.ranking import auroc
from brainscan_training.cache import Cached
from brainscan_training.compose import HardSpan
from brainscan_training.faults import NotFiniteError

FloatArray = NDArray[np.float32]

RATES = (1.0, 5.0, 10.0, 50.0)
"""False alarms in 24 h at which a log also tells the sensitivity."""

_MIN_SEGMENT_S = 2
_MOST_HARD_SPANS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """What a network is worth on some whole recordings.

    Parameters
    ----------
    recordings : tuple of ScoredRecording
    curve : Curve
        Found seizures and false alarms at every threshold.
    point : OperatingPoint
        At the rate that epochs are compared at.
    auroc : mapping of source to float
        Of 10 s pieces, within each source; NaN where a source has one class only.
    """

    recordings: tuple[ScoredRecording, ...]
    curve: Curve
    point: OperatingPoint
    auroc: Mapping[str, float]

    @property
    def mean_auroc(self) -> float:
        """Mean over the sources that have both classes; 0 if none has."""
        known = [value for value in self.auroc.values() if not math.isnan(value)]
        return float(np.mean(known)) if known else 0.0

    @property
    def rank(self) -> tuple[float, float]:
        """What epochs are compared by: sensitivity, then the ranking where that is equal."""
        return (self.point.sensitivity if self.point.reachable and self.curve.seizures else -1.0, self.mean_auroc)

    def as_mapping(self) -> dict[str, object]:
        """Return the figures as plain values."""
        return {
            "recordings": len(self.recordings),
            "hours": self.curve.scored_s / 3600.0,
            "seizures": self.curve.seizures,
            "target_fa_per_24h": self.point.target_fa_per_24h,
            "reachable": self.point.reachable,
            "threshold": self.point.threshold,
            "false_alarms": self.point.false_alarms,
            "detected": self.point.detected,
            "sensitivity": self.point.sensitivity,
            "operating_points": [_point_row(operating_point(self.curve, rate)) for rate in RATES],
            "auroc": dict(self.auroc),
            "mean_auroc": self.mean_auroc,
        }


def _point_row(point: OperatingPoint) -> dict[str, object]:
    return {
        "target_fa_per_24h": point.target_fa_per_24h,
        "threshold": point.threshold if point.reachable else None,
        "false_alarms": point.false_alarms,
        "detected": point.detected,
    }


def curves(runner: WindowRunner, recording: Cached) -> tuple[Probabilities, ...]:
    """Return the probability curve of each segment of a cached recording, NaN where it could not be scored.

    Raises
    ------
    NotFiniteError
        If the network gives what is no number.
    """
    segments = (s for s in recording.segments if s[1] - s[0] >= _MIN_SEGMENT_S * RATE_HZ)
    return tuple(_curve(runner, recording, first, stop) for first, stop in segments)


def _curve(runner: WindowRunner, recording: Cached, first: int, stop: int) -> Probabilities:
    config = runner.card.window
    stitcher = Stitcher(config)
    starts = list(window_starts(stop - first, config))
    parts: list[FloatArray] = []
    for k in range(0, len(starts), runner.batch_size):
        cuts = [_cut(recording, first + start, stop, config) for start in starts[k : k + runner.batch_size]]
        found = runner.probabilities([uv for uv, _, absent in cuts if not absent.all()])
        if not all(np.isfinite(values).all() for values in found):
            raise NotFiniteError(
                "the network's output is not finite", file=recording.item.name, hint="lower learning_rate"
            )
        results = iter(found)
        for start, (_, valid, absent) in zip(starts[k:], cuts, strict=False):
            parts.append(stitcher.add(start, None if absent.all() else next(results), valid, absent))
    return Probabilities(first / RATE_HZ, np.concatenate((*parts, stitcher.finish())))


def _cut(recording: Cached, first: int, stop: int, config: WindowConfig) -> tuple[FloatArray, int, BoolArray]:
    """Return a window, filled by reflection, its valid samples, and its seconds without values."""
    uv = np.asarray(recording.signal[:, first : min(first + config.n_samples, stop)], dtype=np.float32)
    valid = uv.shape[1]
    absent = np.ones(config.duration_s, dtype=np.bool_)
    second = first // RATE_HZ
    usable = recording.usable[second : second + config.duration_s]
    absent[: len(usable)] = ~usable
    return np.pad(uv, ((0, 0), (0, config.n_samples - valid)), mode="reflect"), valid, absent


def window_starts(n_samples: int, config: WindowConfig) -> Iterator[int]:
    """Yield the first sample of each window of a segment, as `detect` cuts them."""
    yield 0
    overlap = config.n_samples - config.stride
    for start in range(config.stride, n_samples, config.stride):
        if start + overlap < n_samples:
            yield start


def n_windows(recording: Cached, config: WindowConfig) -> int:
    """Return how many windows a recording is cut into."""
    return sum(len(list(window_starts(stop - first, config))) for first, stop in recording.segments)


def scored_recordings(runner: WindowRunner, recordings: Iterable[Cached]) -> list[ScoredRecording]:
    """Return each recording with its curves and its events at the card's decision."""
    decision, confidence_map = runner.card.decision, runner.card.confidence_map
    results = []
    for recording in recordings:
        item, probabilities = recording.item, curves(runner, recording)
        duration_s = recording.signal.shape[1] / RATE_HZ
        events = [event for part in probabilities for event in find_events(part, decision, confidence_map)]
        results.append(
            ScoredRecording(
                source=item.source,
                subject=item.subject,
                kind="",
                duration_s=duration_s,
                scored=((0.0, duration_s),) if item.scored is None else item.scored,
                annotations=tuple((a.onset_s, a.offset_s) for a in item.seizures),
                probabilities=probabilities,
                events=tuple(events),
            )
        )
    return results


def measure(recordings: Sequence[ScoredRecording], decision: DecisionConfig, fa_per_24h: float) -> Validation:
    """Return the figures of recordings that went through a network."""
    curve = pool([table_of(recording, decision) for recording in recordings])
    ranking = {}
    for source, group in by_source(recordings).items():
        pieces = cut_pieces(group)
        ranking[source] = auroc(pieces.score[pieces.ictal], pieces.score[~pieces.ictal])
    return Validation(tuple(recordings), curve, operating_point(curve, fa_per_24h), ranking)


def table_of(recording: ScoredRecording, decision: DecisionConfig) -> RecordingTable:
    """Return found seizures and false alarms of a recording at every threshold, any overlap counting."""
    judged = recording.scored
    seizures = [seizure for seizure in recording.annotations if clip((seizure,), judged)]
    detected = np.zeros(len(THRESHOLDS), dtype=np.int64)
    false_alarms = np.zeros(len(THRESHOLDS), dtype=np.int64)
    swept = sweep(recording.probabilities, decision)
    for k in np.unique(swept.index):
        events = ((event.onset_s, event.offset_s) for event in swept.at(int(k)))
        kept = [parts for event in events if (parts := clip((event,), judged))]
        detected[k] = sum(any(clip((seizure,), parts) for parts in kept) for seizure in seizures)
        false_alarms[k] = sum(not any(clip((seizure,), parts) for seizure in seizures) for parts in kept)
    return RecordingTable(
        patient=f"{recording.source}/{recording.subject}",
        scored_s=event_row((recording,), decision.enter).hours * 3600.0,
        seizures=len(seizures),
        detected=detected,
        false_alarms=false_alarms,
    )


def hard_spans(recordings: Sequence[ScoredRecording], names: Sequence[str]) -> tuple[HardSpan, ...]:
    """Return the false alarms of training recordings, the most confident first."""
    found = [
        (event.confidence, HardSpan(name, event.onset_s, event.offset_s))
        for recording, name in zip(recordings, names, strict=True)
        for event in recording.events
        if not clip(((event.onset_s, event.offset_s),), recording.annotations)
    ]
    return tuple(span for _, span in sorted(found, key=lambda entry: -entry[0])[:_MOST_HARD_SPANS])


def choose(recordings: Sequence[Cached], budget: int, window: WindowConfig, seed: int) -> list[Cached]:
    """Choose whole recordings that cost at most so many windows: by turns with and without seizures, by subject.

    One with and one without seizures are taken in any case, the shortest if the budget is small.

    Parameters
    ----------
    recordings : sequence of Cached
        Those of which nothing is judged are passed over.
    budget : int
        Windows.
    window : WindowConfig
    seed : int
        Decides the order.
    """
    judged = [r for r in recordings if r.scored.any()]
    groups = [[r for r in judged if bool(r.item.seizures) == seizures] for seizures in (True, False)]
    chosen = {id(min(group, key=lambda r: n_windows(r, window))) for group in groups if group}
    spent = sum(n_windows(r, window) for r in judged if id(r) in chosen)
    for pair in zip_longest(*(_by_turns(group, seed) for group in groups)):
        for recording in pair:
            if recording is None or id(recording) in chosen:
                continue
            cost = n_windows(recording, window)
            if spent + cost <= budget:
                chosen.add(id(recording))
                spent += cost
    return [r for r in judged if id(r) in chosen]


def _by_turns(recordings: Sequence[Cached], seed: int) -> list[Cached]:
    """Order recordings so that each subject comes once before any comes twice."""
    turns: dict[str, int] = {}
    keyed = []
    for recording in sorted(recordings, key=lambda r: _hash(seed, r.item.name)):
        who = f"{recording.item.source}/{recording.item.subject}"
        turns[who] = turns.get(who, 0) + 1
        keyed.append((turns[who], _hash(seed, who), recording))
    return [recording for _, _, recording in sorted(keyed, key=lambda entry: entry[:2])]


def _hash(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed} {text}".encode()).digest()
