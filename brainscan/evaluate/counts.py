"""Recordings with truth and hypothesis brought together, and what scorers count in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from brainscan.corpora.references import Reference, Seizure, read_reference
from brainscan.errors import BrainscanError, Failure
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.hypothesis import Hypotheses, Hypothesis
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Annotation, Spans, extent, overlap, union
from brainscan.scoring import szcore
from brainscan.scoring.nedc import complete
from brainscan.scoring.nedc.taes import tally
from brainscan.scoring.operating_points import THRESHOLDS, Counts, RecordingTable

Scorer = Literal["ovlp", "szcore", "taes"]
SCORERS: tuple[Scorer, ...] = ("ovlp", "szcore", "taes")

_BLOCK_CELLS = 4_000_000  # comparisons of events with seizures held at once


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One recording with its truth and a detector's hypothesis.

    Parameters
    ----------
    case : Case
    hypothesis : Hypothesis
    seizures : tuple of Seizure
        From the first judged moment of each to its last.
    judged : tuple of (float, float)
        Spans that the experts judged.
    simulated : bool
    """

    case: Case
    hypothesis: Hypothesis
    seizures: tuple[Seizure, ...]
    judged: Spans
    simulated: bool = False

    @classmethod
    def of(cls, case: Case, hypothesis: Hypothesis, reference: Reference) -> Judged:
        """Return the seizures, from the first judged moment of each to its last, and the judged spans."""
        judged = case.judged(hypothesis.duration_s)
        found = ((seizure, extent((seizure.onset_s, seizure.offset_s), judged)) for seizure in reference.seizures)
        seizures = (replace(seizure, onset_s=at[0], offset_s=at[1]) for seizure, at in found if at is not None)
        told = replace(hypothesis, warnings=(*reference.warnings, *hypothesis.warnings))
        return cls(case, told, tuple(seizures), judged, reference.simulated)

    @property
    def scored(self) -> Spans:
        """Spans that were both analysed and judged."""
        return overlap(self.judged, self.hypothesis.analysed)

    @property
    def scored_s(self) -> float:
        """Seconds that were both analysed and judged: what false alarms are divided by."""
        return sum((stop - start for start, stop in self.scored), 0.0)

    def clipped(self, sweep: Sweep) -> Sweep:
        """Return the events from the first judged moment of each to its last, as `extent` does one by one."""
        onset_s, offset_s = np.full(len(sweep.index), np.inf), np.full(len(sweep.index), -np.inf)
        for start_s, stop_s in self.judged:
            touched = (sweep.onset_s < stop_s) & (sweep.offset_s > start_s)
            onset_s[touched] = np.minimum(onset_s[touched], np.maximum(sweep.onset_s[touched], start_s))
            offset_s[touched] = np.maximum(offset_s[touched], np.minimum(sweep.offset_s[touched], stop_s))
        inside = offset_s > onset_s
        return Sweep(sweep.index[inside], onset_s[inside], offset_s[inside], sweep.confidence[inside])


def judge(cases: Iterable[Case], hypotheses: Hypotheses) -> tuple[tuple[Judged, ...], tuple[Failure, ...]]:
    """Read the truth of every case that has a hypothesis.

    Returns
    -------
    tuple of Judged
    tuple of Failure
        Of the hypotheses, and of annotations that cannot be used.
    """
    judged, failures = [], {failure.file: failure for failure in hypotheses.failures}
    for case in cases:
        hypothesis = hypotheses.by_name.get(case.name)
        if hypothesis is None:
            continue
        try:
            reference = read_reference(case.reference, case.path.name, hypothesis.duration_s, hypothesis.start)
        except BrainscanError as error:
            failures[case.name] = Failure(case.name, error)
        else:
            judged.append(Judged.of(case, hypothesis, reference))
    return tuple(judged), tuple(failures.values())


def table(recording: Judged, scorer: Scorer) -> RecordingTable:
    """Count what one recording contributes at every threshold of the grid.

    Parameters
    ----------
    recording : Judged
    scorer : {"ovlp", "szcore", "taes"}
        NEDC's OVLP and TAES for the label ``seiz``; the event score of SzCORE.

    Returns
    -------
    RecordingTable
        The seconds are those that were both analysed and judged, whatever the scorer.
    """
    return counted(recording, recording.hypothesis.sweep, len(THRESHOLDS), scorer)


def counted(recording: Judged, sweep: Sweep, n_thresholds: int, scorer: Scorer) -> RecordingTable:
    """Count what one recording contributes at every threshold of a sweep of any grid; see `table`."""
    seizures, detected, false_alarms = _COUNTERS[scorer](recording, recording.clipped(sweep), n_thresholds)
    return RecordingTable(recording.case.patient, recording.scored_s, seizures, detected, false_alarms)


_Counted = tuple[int, Counts, Counts]


def _ovlp(recording: Judged, sweep: Sweep, n_thresholds: int) -> _Counted:
    """Count as `scoring.nedc.ovlp` does, all thresholds at once: any overlap, touching is none."""
    seizures = union((s.onset_s, s.offset_s) for s in recording.seizures)
    detected = np.zeros((n_thresholds, len(seizures)), dtype=np.bool_)
    hit = np.zeros(len(sweep.index), dtype=np.bool_)
    onsets, offsets = (np.array([s[k] for s in seizures], dtype=np.float64) for k in (0, 1))
    size = max(1, _BLOCK_CELLS // max(1, len(seizures)))
    for first in range(0, len(hit), size):
        rows = slice(first, first + size)
        both = (sweep.onset_s[rows, None] < offsets) & (sweep.offset_s[rows, None] > onsets)
        hit[rows] = both.any(axis=1)
        event, seizure = np.nonzero(both)
        detected[sweep.index[rows][event], seizure] = True
    false_alarms = np.bincount(sweep.index[~hit], minlength=n_thresholds)
    return len(seizures), detected.sum(axis=1), false_alarms.astype(np.int64)


def _szcore(recording: Judged, sweep: Sweep, n_thresholds: int) -> _Counted:
    seizures = [(s.onset_s, s.offset_s) for s in recording.seizures]
    duration_s = recording.hypothesis.duration_s

    def count(events: Spans) -> tuple[int, float, float]:
        event = szcore.score_pair(seizures, events, duration_s, duration_s).event
        return event.ref_true, event.tp, event.fp

    return _one_by_one(sweep, n_thresholds, count)


def _taes(recording: Judged, sweep: Sweep, n_thresholds: int) -> _Counted:
    duration_s = recording.hypothesis.duration_s
    ref = complete([Annotation(s.onset_s, s.offset_s, "seiz") for s in recording.seizures], duration_s)

    def count(events: Spans) -> tuple[int, float, float]:
        hyp = complete([Annotation(*event, "seiz") for event in events], duration_s)
        targets, hits, _, false_alarms = tally(ref, hyp, "seiz").totals()
        return targets, hits, false_alarms

    return _one_by_one(sweep, n_thresholds, count)


def _one_by_one(sweep: Sweep, n_thresholds: int, count: Callable[[Spans], tuple[int, float, float]]) -> _Counted:
    """Count threshold by threshold; neighbours often have the same events, which are counted once."""
    known: dict[Spans, tuple[int, float, float]] = {}
    rows = []
    for k in range(n_thresholds):
        events = tuple((event.onset_s, event.offset_s) for event in sweep.at(k))
        if events not in known:
            known[events] = count(events)
        rows.append(known[events])
    targets, detected, false_alarms = zip(*rows, strict=True)
    return targets[0], np.array(detected), np.array(false_alarms)


_COUNTERS: Mapping[Scorer, Callable[[Judged, Sweep, int], _Counted]] = MappingProxyType(
    {"ovlp": _ovlp, "szcore": _szcore, "taes": _taes}
)


def patients(recordings: Sequence[Judged]) -> int:
    """Return how many patients the recordings are of."""
    return len({recording.case.patient for recording in recordings})
