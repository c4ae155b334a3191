"""Quality rows 1 and 2: how well pieces are ranked, and what the default thresholds find.

Sources are never mixed in a figure (pooled ones only stand beside them): seizures and quiet background come
from different hospitals, and telling hospitals apart is no detection.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainscan.events import RATE_HZ, BoolArray, Event, Probabilities, complement, mask_of, union
from brainscan.scoring.intervals import NONE, Interval, Statistic, bootstrap, poisson_upper
from brainscan.scoring.ranking import Ranking

PIECE_S = 10.0
OFFSET_MARGIN_S = 5.0
"""Around annotated offsets the truth is a matter of opinion; rows are given with and without that time."""

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRecording:
    """One recording with its truth and what a detector says.

    Parameters
    ----------
    source, subject : str
        Subjects are unique within a source.
    kind : str
        What the recording is, in the words of its index; for the caller's grouping.
    duration_s : float
    scored : tuple of (float, float)
        Spans in seconds that the experts judged.
    annotations : tuple of (float, float)
        Seizures, disjoint, in seconds.
    probabilities : tuple of Probabilities
        One a segment, NaN where unscored; after shift and scale, before averaging.
    events : tuple of Event
        At the default thresholds.
    """

    source: str
    subject: str
    kind: str
    duration_s: float
    scored: Spans
    annotations: Spans
    probabilities: tuple[Probabilities, ...]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The pieces of some recordings.

    Parameters
    ----------
    score : array of float64, shape (n_pieces,)
        Mean probability.
    ictal : array of bool, shape (n_pieces,)
        At least half of it is annotated as seizure.
    subject : array of int64, shape (n_pieces,)
        Index into `subjects`.
    subjects : tuple of str
    n_unscored : int
        Pieces of which the detector scored less than half; they are in no figure.
    """

    score: NDArray[np.float64]
    ictal: BoolArray
    subject: NDArray[np.int64]
    subjects: tuple[str, ...]
    n_unscored: int = 0


@dataclass(frozen=True, slots=True)
class RankRow:
    """Row 1 for one source.

    Parameters
    ----------
    auroc : float
        Of ictal against other pieces; NaN without both.
    auroc_ci95 : Interval
        Over subjects.
    mean_within_subject, mean_within_subject_ci95 : float, Interval
        Mean of the AUROCs of the subjects that have both classes; `n_within` says how many.
    n_within : int
    rank_share : float
        Share of the negative pieces that the highest ictal piece outranks: the figure for a source with one
        or two seizures.
    p95_negative : float
        95th percentile of the scores of the negative pieces: the figure for a source without seizures.
    average_precision, average_precision_ci95 : float, Interval
        Area under the precision-recall curve by steps; that of chance is ``n_ictal / n_pieces``. NaN without both.
    calibration_error, calibration_error_ci95 : float, Interval
        How far the score is from the share of ictal pieces, over tenths; NaN without pieces.
    n_pieces, n_ictal, n_subjects, n_seizures, n_unscored : int
    """

    auroc: float
    auroc_ci95: Interval
    mean_within_subject: float
    mean_within_subject_ci95: Interval
    n_within: int
    rank_share: float
    p95_negative: float
    average_precision: float
    average_precision_ci95: Interval
    calibration_error: float
    calibration_error_ci95: Interval
    n_pieces: int
    n_ictal: int
    n_subjects: int
    n_seizures: int
    n_unscored: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """Row 2 for one source.

    Parameters
    ----------
    found, n_seizures : int
        Seizures that any event overlaps, of all.
    false_alarms : int
        Events that overlap no seizure.
    hours : float
        Both analysed and judged.
    fa_upper_per_24h : float
        One-sided 95 % Poisson bound of the false-alarm rate.
    background_above_s : float
        Seconds outside the seizures with a probability at or above the on threshold.
    n_subjects, n_recordings : int
    """

    found: int
    n_seizures: int
    false_alarms: int
    hours: float
    fa_upper_per_24h: float
    background_above_s: float
    n_subjects: int
    n_recordings: int


def by_source(recordings: Iterable[ScoredRecording]) -> dict[str, list[ScoredRecording]]:
    """Group recordings by source, sources in order of name."""
    groups: dict[str, list[ScoredRecording]] = {}
    for recording in recordings:
        groups.setdefault(recording.source, []).append(recording)
    return dict(sorted(groups.items()))


def rank_rows(
    recordings: Sequence[ScoredRecording],
    rng: np.random.Generator,
    *,
    piece_s: float = PIECE_S,
    offset_margin_s: float = 0.0,
) -> Mapping[str, RankRow]:
    """Return row 1 within each source.

    Parameters
    ----------
    recordings : sequence of ScoredRecording
    rng : Generator
        For the bootstrap over subjects.
    piece_s : float
        Length of a piece in seconds; a last piece of at least half of it counts.
    offset_margin_s : float
        Seconds to leave out on either side of annotated offsets: 0 or `OFFSET_MARGIN_S`.
    """
    return {
        source: rank_row(group, rng, piece_s=piece_s, offset_margin_s=offset_margin_s)
        for source, group in by_source(recordings).items()
    }


def rank_row(
    recordings: Sequence[ScoredRecording],
    rng: np.random.Generator,
    *,
    piece_s: float = PIECE_S,
    offset_margin_s: float = 0.0,
) -> RankRow:
    """Return row 1 over some recordings, whatever their source; see `rank_rows`."""
    pieces = cut_pieces(recordings, piece_s=piece_s, offset_margin_s=offset_margin_s)
    ranking = Ranking(pieces.score, pieces.ictal, pieces.subject, len(pieces.subjects))
    everyone = np.ones(len(pieces.subjects), dtype=np.int64)

    def over_subjects(statistic: Statistic, rng: np.random.Generator) -> tuple[float, Interval]:
        value = statistic(everyone)
        return value, NONE if math.isnan(value) else bootstrap(statistic, len(everyone), rng)

    per_subject = ranking.within_subjects()
    defined = per_subject[~np.isnan(per_subject)]

    def mean_within(weights: NDArray[np.int64]) -> float:
        chosen = np.repeat(per_subject, weights)
        chosen = chosen[~np.isnan(chosen)]
        return float(chosen.mean()) if len(chosen) else math.nan

    negatives = pieces.score[~pieces.ictal]
    (other,) = rng.spawn(1)  # further figures leave the draws of the others as they are
    auroc, auroc_ci95 = over_subjects(ranking.auroc, rng)
    within_ci95 = bootstrap(mean_within, len(everyone), rng) if len(defined) > 1 else NONE
    precision, precision_ci95 = over_subjects(ranking.average_precision, other)
    error, error_ci95 = over_subjects(ranking.calibration_error, other)
    return RankRow(
        auroc=auroc,
        auroc_ci95=auroc_ci95,
        mean_within_subject=float(defined.mean()) if len(defined) else math.nan,
        mean_within_subject_ci95=within_ci95,
        n_within=len(defined),
        rank_share=_rank_share(pieces),
        p95_negative=float(np.percentile(negatives, 95)) if len(negatives) else math.nan,
        average_precision=precision,
        average_precision_ci95=precision_ci95,
        calibration_error=error,
        calibration_error_ci95=error_ci95,
        n_pieces=len(pieces.score),
        n_ictal=int(np.count_nonzero(pieces.ictal)),
        n_subjects=len(pieces.subjects),
        n_seizures=sum(_n_judged(recording) for recording in recordings),
        n_unscored=pieces.n_unscored,
    )


def cut_pieces(
    recordings: Sequence[ScoredRecording], *, piece_s: float = PIECE_S, offset_margin_s: float = 0.0
) -> Pieces:
    """Cut the judged spans into pieces and average the probability over each; see `rank_rows`."""
    if not piece_s > 0:
        raise ValueError(f"a piece needs a length, got {piece_s} s")
    subjects = sorted({(recording.source, recording.subject) for recording in recordings})
    index = {subject: k for k, subject in enumerate(subjects)}
    scores, ictal, owner, n_unscored = [], [], [], 0
    for recording in recordings:
        left_out = tuple((off - offset_margin_s, off + offset_margin_s) for _, off in recording.annotations)
        for start_s, stop_s in _cuts(recording.scored, piece_s):
            kept = complement(left_out, start_s, stop_s) if offset_margin_s else ((start_s, stop_s),)
            length_s = _length(kept)
            if length_s < piece_s / 2:
                continue
            score, scored_s = _mean_probability(recording.probabilities, kept)
            if scored_s < length_s / 2:
                n_unscored += 1
                continue
            scores.append(score)
            ictal.append(_overlap(kept, recording.annotations) >= length_s / 2)
            owner.append(index[recording.source, recording.subject])
    return Pieces(
        score=np.array(scores, dtype=np.float64),
        ictal=np.array(ictal, dtype=np.bool_),
        subject=np.array(owner, dtype=np.int64),
        subjects=tuple(subject for _, subject in subjects),
        n_unscored=n_unscored,
    )


def event_rows(recordings: Sequence[ScoredRecording], on: float) -> Mapping[str, EventRow]:
    """Return row 2 within each source.

    Parameters
    ----------
    recordings : sequence of ScoredRecording
    on : float
        The on threshold that made the events, for the seconds above it.
    """
    return {source: event_row(group, on) for source, group in by_source(recordings).items()}


def event_row(recordings: Sequence[ScoredRecording], on: float) -> EventRow:
    """Return row 2 over some recordings, whatever their source; see `event_rows`."""
    found = n_seizures = false_alarms = 0
    hours = above_s = 0.0
    for recording in recordings:
        events = tuple((event.onset_s, event.offset_s) for event in recording.events)
        judged_events = clip(events, recording.scored)
        for seizure in recording.annotations:
            parts = clip((seizure,), recording.scored)
            n_seizures += bool(parts)
            found += _overlap(parts, judged_events) > 0
        for event in events:
            parts = clip((event,), recording.scored)
            false_alarms += bool(parts) and _overlap(parts, recording.annotations) == 0
        analysed_s, above = _analysed(recording, on)
        hours += analysed_s / 3600.0
        above_s += above
    return EventRow(
        found=found,
        n_seizures=n_seizures,
        false_alarms=false_alarms,
        hours=hours,
        fa_upper_per_24h=poisson_upper(false_alarms) / hours * 24.0 if hours > 0 else math.nan,
        background_above_s=above_s,
        n_subjects=len({(recording.source, recording.subject) for recording in recordings}),
        n_recordings=len(recordings),
    )


def clip(intervals: Iterable[tuple[float, float]], spans: Spans) -> Spans:
    """Return the parts of the intervals that lie within the spans."""
    return tuple(
        (max(start_s, first), min(stop_s, last))
        for start_s, stop_s in intervals
        for first, last in union(spans)
        if min(stop_s, last) > max(start_s, first)
    )


def _rank_share(pieces: Pieces) -> float:
    if pieces.ictal.all() or not pieces.ictal.any():
        return math.nan
    return float(np.mean(pieces.score[~pieces.ictal] < pieces.score[pieces.ictal].max()))


def _n_judged(recording: ScoredRecording) -> int:
    """Count the seizures of which some part was judged."""
    return sum(bool(clip((seizure,), recording.scored)) for seizure in recording.annotations)


def _cuts(spans: Spans, piece_s: float) -> Iterable[tuple[float, float]]:
    for start_s, stop_s in spans:
        for first_s in np.arange(start_s, stop_s, piece_s).tolist():
            yield first_s, min(first_s + piece_s, stop_s)


def _length(spans: Iterable[tuple[float, float]]) -> float:
    return sum(stop_s - start_s for start_s, stop_s in spans)


def _overlap(spans: Iterable[tuple[float, float]], others: Spans) -> float:
    return sum(max(0.0, min(b, d) - max(a, c)) for a, b in spans for c, d in others)


def _mean_probability(segments: Sequence[Probabilities], spans: Spans) -> tuple[float, float]:
    """Return the mean over the spans' scored samples, and their number of seconds."""
    total, n_samples = 0.0, 0
    for segment in segments:
        for start_s, stop_s in spans:
            first, stop = (max(0, round((at_s - segment.start_s) * RATE_HZ)) for at_s in (start_s, stop_s))
            values = segment.values[first:stop].astype(np.float64)
            values = values[~np.isnan(values)]
            total += float(values.sum())
            n_samples += len(values)
    return (total / n_samples if n_samples else math.nan), n_samples / RATE_HZ


def _analysed(recording: ScoredRecording, on: float) -> tuple[float, float]:
    """Return seconds both analysed and judged, and those of them above the threshold outside seizures."""
    analysed = above = 0
    for segment in recording.probabilities:
        n_samples = len(segment.values)
        judged, ictal = (
            mask_of(((a - segment.start_s, b - segment.start_s) for a, b in spans), n_samples)
            for spans in (recording.scored, recording.annotations)
        )
        scored = judged & ~np.isnan(segment.values)
        analysed += int(np.count_nonzero(scored))
        above += int(np.count_nonzero(scored & ~ictal & (segment.values >= on)))
    return analysed / RATE_HZ, above / RATE_HZ
