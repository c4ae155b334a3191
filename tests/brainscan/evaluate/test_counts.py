"""What was not judged counts for nothing, and cuts nothing in two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from brainscan.corpora.references import Reference, Seizure
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.counts import Judged, table
from brainscan.evaluate.evaluation import as_scored
from brainscan.evaluate.hypothesis import Hypothesis
from brainscan.evaluate.rows import rows_at
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Event, extent, overlap, union
from brainscan.scoring.operating_points import THRESHOLDS
from brainscan.scoring.pieces import event_row

DURATION_S = 100.0

Spans = tuple[tuple[float, float], ...]


def spans(most: int) -> st.SearchStrategy[Spans]:
    """Return a strategy of disjoint intervals within the recording, none touching another."""
    one = st.tuples(st.integers(0, 99), st.integers(1, 60)).map(lambda t: (float(t[0]), float(min(t[0] + t[1], 100))))
    return st.lists(one, min_size=1, max_size=most).map(union)


def judged(truth: Sequence[tuple[float, float]], events: Spans, scored: Spans) -> Judged:
    found = tuple(Event(a, b, 1.0) for a, b in events)
    hypothesis = Hypothesis(DURATION_S, None, ((0.0, DURATION_S),), Sweep.of([found] * len(THRESHOLDS)), found)
    case = Case(Path("a"), "a", Path("a"), source="s", subject="a", scored=scored)
    return Judged.of(case, hypothesis, Reference(tuple(Seizure(a, b) for a, b in truth)))


def test_a_seizure_across_two_judged_spans_counts_once() -> None:
    recording = judged([(20.0, 70.0)], ((55.0, 65.0),), ((0.0, 30.0), (50.0, 60.0)))
    assert [(s.onset_s, s.offset_s) for s in recording.seizures] == [(20.0, 60.0)]
    counts = table(recording, "ovlp")
    assert (counts.seizures, counts.detected[50], counts.false_alarms[50]) == (1, 1, 0)


def test_a_false_alarm_across_two_judged_spans_counts_once() -> None:
    counts = table(judged([(0.0, 5.0)], ((20.0, 70.0),), ((0.0, 30.0), (50.0, 60.0))), "ovlp")
    assert (counts.detected[50], counts.false_alarms[50]) == (0, 1)


def test_what_lies_in_unjudged_time_does_not_count() -> None:
    recording = judged([(32.0, 40.0)], ((41.0, 45.0),), ((0.0, 30.0), (50.0, 60.0)))
    counts = table(recording, "ovlp")
    assert (counts.seizures, counts.false_alarms[50]) == (0, 0)
    assert recording.scored_s == 40.0


@given(truth=spans(5), events=spans(5), scored=spans(4))
def test_evaluate_and_the_quality_rows_count_alike(truth: Spans, events: Spans, scored: Spans) -> None:
    recording = judged(truth, events, scored)
    counts, row = table(recording, "ovlp"), event_row(as_scored([recording]), 0.5)
    assert (counts.seizures, counts.detected[50], counts.false_alarms[50]) == (
        row.n_seizures,
        row.found,
        row.false_alarms,
    )
    rows = rows_at([recording], lambda one: one.hypothesis.events)
    assert (len(rows.seizures), sum(r.found for r in rows.seizures), len(rows.alarms)) == (
        row.n_seizures,
        row.found,
        row.false_alarms,
    )


@given(truth=spans(1), events=spans(1), scored=spans(4))
def test_extents_overlap_where_the_judged_parts_do(truth: Spans, events: Spans, scored: Spans) -> None:
    both = bool(overlap(overlap(truth, scored), overlap(events, scored)))
    first, second = extent(truth[0], scored), extent(events[0], scored)
    assert both == (first is not None and second is not None and bool(overlap([first], [second])))


@given(events=spans(6), scored=spans(4))
def test_all_events_at_once_are_cut_as_one_by_one(events: Spans, scored: Spans) -> None:
    recording = judged([], events, scored)
    clipped = recording.clipped(Sweep.of([[Event(a, b, 0.5) for a, b in events]]))
    expected = [at for event in events if (at := extent(event, scored)) is not None]
    assert list(zip(clipped.onset_s.tolist(), clipped.offset_s.tolist(), strict=True)) == expected


def test_hours_are_what_was_both_judged_and_analysed() -> None:
    recording = judged([], ((1.0, 2.0),), ((0.0, 30.0), (50.0, 60.0)))
    partly = Hypothesis(DURATION_S, None, ((10.0, 55.0),), recording.hypothesis.sweep, ())
    found = Judged.of(recording.case, partly, Reference(()))
    assert found.scored == ((10.0, 30.0), (50.0, 55.0))
    assert found.scored_s == pytest.approx(25.0)
    assert np.isfinite(table(found, "ovlp").scored_s)
