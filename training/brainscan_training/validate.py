"""Whole recordings from the cache through a network, stitched as `detect` stitches them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from brainscan.decision.postprocess import find_events
from brainscan.decision.stitch import Stitcher
from brainscan.events import RATE_HZ, Probabilities
from brainscan.model.inference import WindowRunner
from brainscan.scoring.pieces import ScoredRecording
from brainscan_training.cache import Cached


def curve(runner: WindowRunner, recording: Cached) -> Probabilities:
    """Return the probability curve of a cached recording (gap-free ones, as clips are)."""
    config = runner.card.window
    total = recording.signal.shape[1]
    overlap = config.n_samples - config.stride
    starts = [0, *(s for s in range(config.stride, total, config.stride) if s + overlap < total)]
    windows, valid = [], []
    for start in starts:
        cut = np.asarray(recording.signal[:, start : start + config.n_samples], dtype=np.float32)
        valid.append(cut.shape[1])
        windows.append(np.pad(cut, ((0, 0), (0, config.n_samples - cut.shape[1])), mode="reflect"))
    stitcher = Stitcher(config)
    nothing_absent = np.zeros(config.duration_s, dtype=np.bool_)
    parts = [
        stitcher.add(start, probability, n, nothing_absent)
        for start, probability, n in zip(starts, runner.probabilities(windows), valid, strict=True)
    ]
    return Probabilities(0.0, np.concatenate((*parts, stitcher.finish())))


def scored_recordings(runner: WindowRunner, recordings: Iterable[Cached]) -> list[ScoredRecording]:
    """Return each recording with its curve and its events at the card's decision."""
    results = []
    for recording in recordings:
        item = recording.item
        probabilities = curve(runner, recording)
        duration_s = recording.signal.shape[1] / RATE_HZ
        results.append(
            ScoredRecording(
                source=item.source,
                subject=item.subject,
                kind="",
                duration_s=duration_s,
                scored=((0.0, duration_s),) if item.scored is None else item.scored,
                annotations=tuple((a.onset_s, a.offset_s) for a in item.seizures),
                probabilities=(probabilities,),
                events=find_events(probabilities, runner.card.decision, runner.card.confidence_map),
            )
        )
    return results


def split(recordings: Sequence[Cached], name: str) -> list[Cached]:
    """Return the recordings of one split of which anything is scored."""
    return [r for r in recordings if r.item.split == name and (r.item.scored is None or r.item.scored)]
