"""What `evaluate` counts at a threshold is what `score` counts on the event file of that threshold."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from brainscan.corpora.references import Reference, Seizure
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.counts import Judged, table
from brainscan.evaluate.hypothesis import Hypothesis
from brainscan.evaluate.sweep import Sweep
from brainscan.events import Annotation, Event, union
from brainscan.scoring import szcore
from brainscan.scoring.nedc import Pair, complete, ovlp, taes
from brainscan.scoring.operating_points import THRESHOLDS

DURATION_S = 1800.0

# Whole tenths: the scorers read files, which hold times in decimals.
Spans = tuple[tuple[float, float], ...]


def spans(most: int) -> st.SearchStrategy[Spans]:
    """Return a strategy of disjoint intervals within the recording, none touching another."""
    one = st.tuples(st.integers(0, 17_080), st.integers(5, 900)).map(lambda t: (t[0] / 10, (t[0] + t[1]) / 10))
    return st.lists(one, max_size=most).map(union)


def judged(truth: Spans, events: Spans) -> Judged:
    found = [Event(a, b, 1.0) for a, b in events]
    hypothesis = Hypothesis(DURATION_S, None, ((0.0, DURATION_S),), Sweep.of([found] * len(THRESHOLDS)), tuple(found))
    case = Case(Path("a"), "a", Path("a"), source="s", subject="a")
    return Judged.of(case, hypothesis, Reference(tuple(Seizure(a, b) for a, b in truth)))


def nedc(truth: Spans, events: Spans) -> Pair:
    return Pair(*(complete([Annotation(a, b, "seiz") for a, b in side], DURATION_S) for side in (truth, events)))


@given(truth=spans(6), events=spans(10))
@example(truth=((0.1, 0.6),), events=((0.1, 0.6),))  # the official summary takes the root of a negative number here
def test_ovlp_and_taes_count_as_the_official_scores(truth: Spans, events: Spans) -> None:
    pair = nedc(truth, events)
    overlaps, tally = ovlp.count(pair.ref, pair.hyp)["seiz"], taes.tally(pair.ref, pair.hyp, "seiz").totals()
    whole, shares = (table(judged(truth, events), scorer) for scorer in ("ovlp", "taes"))
    assert (whole.seizures, whole.detected[50], whole.false_alarms[50]) == (overlaps[0], overlaps[1], overlaps[3])
    assert shares.seizures == tally[0]
    assert (shares.detected[50], shares.false_alarms[50]) == pytest.approx((tally[1], tally[3]))


@given(truth=spans(6), events=spans(10))
def test_szcore_counts_as_its_library(truth: Spans, events: Spans) -> None:
    expected = szcore.score_pair(truth, events, DURATION_S, DURATION_S).event
    found = table(judged(truth, events), "szcore")
    assert (found.seizures, found.detected[50], found.false_alarms[50]) == (expected.ref_true, expected.tp, expected.fp)


@given(truth=spans(6), events=spans(10))
def test_an_alarm_that_touches_nothing_never_raises_precision(truth: Spans, events: Spans) -> None:
    """No seizure reaches the last second, where there is one alarm more."""
    plain, more = (
        table(judged(truth, found), "ovlp") for found in (events, union((*events, (DURATION_S - 0.9, DURATION_S))))
    )
    assert more.detected[50] == plain.detected[50]
    assert more.false_alarms[50] >= plain.false_alarms[50]
