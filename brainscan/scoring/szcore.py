"""SzCORE: sample and event scores by ``timescoring`` itself, along both of the ways that lead into it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from brainscan.events import union

Intervals = Sequence[tuple[float, float]]
Path = Literal["direct", "szcore_mask"]
PATHS: tuple[Path, ...] = ("direct", "szcore_mask")
"""``direct`` hands the exact times over; ``szcore_mask`` goes through a mask of whole seconds, as SzCORE does."""

DIRECT_RATE_HZ = 10


@dataclass(frozen=True, slots=True)
class SzcoreCounts:
    """Counts of one recording, or of several added, and the measures that follow.

    Parameters
    ----------
    ref_true : int
        Seconds that are seizure (sample score), or reference events after merging and splitting.
    tp, fp : int
    n_samples : int
    rate_hz : int
        1 for the sample score, 10 for the event score.
    """

    ref_true: int
    tp: int
    fp: int
    n_samples: int
    rate_hz: int

    @property
    def sensitivity(self) -> float:
        """Share of the reference that is found; NaN without any."""
        return self.tp / self.ref_true if self.ref_true > 0 else math.nan

    @property
    def precision(self) -> float:
        """Share of the detections that are right; NaN without any."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp > 0 else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of both; NaN where nothing is and nothing was found."""
        if self.ref_true + self.fp == 0:
            return math.nan
        return 2 * self.tp / (2 * self.tp + self.fp + (self.ref_true - self.tp))

    @property
    def fp_per_24h(self) -> float:
        """False positives a day: events, or seconds for the sample score."""
        return self.fp / (self.n_samples / self.rate_hz / 3600 / 24)

    def as_mapping(self) -> dict[str, float]:
        """Return the fixed JSON layout (the library's own names)."""
        return {
            "refTrue": self.ref_true,
            "tp": self.tp,
            "fp": self.fp,
            "sensitivity": self.sensitivity,
            "precision": self.precision,
            "f1": self.f1,
            "fpRate": self.fp_per_24h,
            "numSamples": self.n_samples,
            "fs": self.rate_hz,
        }


@dataclass(frozen=True, slots=True)
class SzcoreScores:
    """Sample and event score of one pair, or pooled."""

    sample: SzcoreCounts
    event: SzcoreCounts


def score_pair(
    ref: Intervals, hyp: Intervals, ref_duration_s: float, hyp_duration_s: float, path: Path = "direct"
) -> SzcoreScores:
    """Score one recording with the library's defaults.

    Parameters
    ----------
    ref, hyp : sequence of (float, float)
        Seizures, seconds; neither merged nor clipped.
    ref_duration_s, hyp_duration_s : float
    path : {"direct", "szcore_mask"}

    Raises
    ------
    ValueError
        If the recording is shorter than a sample, or the two sides differ in length.
    """
    # `timescoring.visualization` would pull matplotlib in; these two modules need numpy only.
    from timescoring.scoring import EventScoring, SampleScoring

    annotation = _from_times if path == "direct" else _from_mask
    both = annotation(ref, ref_duration_s), annotation(hyp, hyp_duration_s)
    seconds = [round(len(side.mask) / side.fs) for side in both]  # as the library rounds
    if seconds[0] != seconds[1]:
        raise ValueError(f"durations differ (reference {ref_duration_s} s, hypothesis {hyp_duration_s} s)")
    if not seconds[0]:
        raise ValueError(f"recording is shorter than a sample ({ref_duration_s} s)")
    sample, event = SampleScoring(*both), EventScoring(*both)
    return SzcoreScores(_counts(sample), _counts(event))


def pool(scores: Iterable[SzcoreScores]) -> SzcoreScores:
    """Add the counts of recordings (the measures follow from the sums).

    Raises
    ------
    ValueError
        If there is none.
    """
    items = list(scores)
    if not items:
        raise ValueError("no pair to score")
    return SzcoreScores(_added([item.sample for item in items]), _added([item.event for item in items]))


def _from_times(events: Intervals, duration_s: float) -> Any:
    from timescoring.annotations import Annotation

    return Annotation(sorted(events), DIRECT_RATE_HZ, round(duration_s * DIRECT_RATE_HZ))


def _from_mask(events: Intervals, duration_s: float) -> Any:
    from timescoring.annotations import Annotation

    n_samples = int(duration_s)
    # Runs of the mask of whole seconds, without the mask; `indices` cuts as a slice of it would.
    samples = (slice(int(start_s), int(start_s + (stop_s - start_s))) for start_s, stop_s in events)
    return Annotation(list(union(part.indices(n_samples)[:2] for part in samples)), 1, n_samples)


def _counts(scoring: Any) -> SzcoreCounts:
    return SzcoreCounts(
        int(scoring.refTrue), int(scoring.tp), int(scoring.fp), int(scoring.numSamples), int(scoring.fs)
    )


def _added(items: Sequence[SzcoreCounts]) -> SzcoreCounts:
    return SzcoreCounts(
        ref_true=sum(item.ref_true for item in items),
        tp=sum(item.tp for item in items),
        fp=sum(item.fp for item in items),
        n_samples=sum(item.n_samples for item in items),
        rate_hz=items[0].rate_hz,
    )
