"""Mistakes that published evaluations made, each as a test; and what must hold whatever the events are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from brainscan.card import DecisionConfig
from brainscan.corpora.references import Reference, Seizure
from brainscan.decision.postprocess import find_events
from brainscan.errors import InputError
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.counts import SCORERS, Judged, Scorer, table
from brainscan.evaluate.evaluation import DetectorFacts, Evaluation, EvaluationConfig, evaluate
from brainscan.evaluate.hypothesis import Hypothesis
from brainscan.evaluate.sweep import Sweep, sweep
from brainscan.events import RATE_HZ, Event, Probabilities
from brainscan.scoring.operating_points import THRESHOLDS, parse_targets
from tests.stand_ins import quick

Spans = Sequence[tuple[float, float]]


def judged(
    truth: Spans,
    events: Sequence[tuple[float, float, float]],
    duration_s: float = 3600.0,
    *,
    name: str = "a",
    scored: Spans | None = None,
) -> Judged:
    """Return a recording with events that count up to a confidence."""
    found = [Event(a, b, c) for a, b, c in events]
    by_threshold = [[e for e in found if e.confidence >= on] for on in THRESHOLDS]
    hypothesis = Hypothesis(duration_s, None, ((0.0, duration_s),), Sweep.of(by_threshold), tuple(found))
    case = Case(
        Path(name), name, Path(name), source="s", subject=name, scored=None if scored is None else tuple(scored)
    )
    return Judged.of(case, hypothesis, Reference(tuple(Seizure(a, b) for a, b in truth)))


def figures(*recordings: Judged, fa: str = "1,5,10", scorer: Scorer = "ovlp") -> Evaluation:
    config = EvaluationConfig("corpus", scorer, parse_targets(fa))
    return evaluate(recordings, (), DetectorFacts("stand-in", on=0.5, off=0.42), config)


def test_one_false_alarm_in_ten_minutes_is_144_a_day() -> None:
    found = figures(judged([], [(100.0, 120.0, 0.9)], 600.0))
    assert found.default.op.fa_per_24h == pytest.approx(144.0)
    assert found.default.op.false_alarms == 1


def test_hours_are_the_recordings_not_the_last_events() -> None:
    short = figures(judged([(10.0, 20.0)], [(30.0, 40.0, 0.9)], 3600.0))
    assert short.base.hours == pytest.approx(1.0)
    assert short.default.op.fa_per_24h == pytest.approx(24.0)


def test_recordings_never_meet() -> None:
    """An event at one recording's end and one at the next's start stay two, on either recording's clock."""
    first = judged([(3590.0, 3600.0)], [(3590.0, 3600.0, 0.9)], name="a")
    second = judged([], [(0.0, 10.0, 0.9)], name="b")
    together = figures(first, second)
    assert (together.default.op.detected, together.default.op.false_alarms) == (1, 1)
    assert together.base.hours == pytest.approx(2.0)


def test_an_unreachable_target_is_said_to_be_unreachable() -> None:
    found = figures(judged([(10.0, 20.0)], [(100.0, 120.0, 1.0)]), fa="1,100")
    never, always = found.points
    assert not never.op.reachable
    assert math.isnan(never.op.threshold)
    assert never.as_mapping()["sensitivity"] is None
    assert always.op.reachable


def test_ten_and_ten_point_zero_are_one_target() -> None:
    assert [p.op.target_fa_per_24h for p in figures(judged([], []), fa="10,10.0,1e1").points] == [10.0]


def test_a_threshold_that_joins_everything_is_no_operating_point() -> None:
    """At the lowest thresholds one event covers all; in the middle there are twenty alarms, at the top none."""
    lowest = [Event(0.0, 3600.0, 0.05)]
    middle = [Event(100.0 * k, 100.0 * k + 20.0, 0.5) for k in range(1, 21)]
    by_threshold = [lowest if on <= 0.05 else middle if on <= 0.5 else [] for on in THRESHOLDS]
    hypothesis = Hypothesis(3600.0, None, ((0.0, 3600.0),), Sweep.of(by_threshold), ())
    case = Case(Path("a"), "a", Path("a"), source="s", subject="a")
    recording = Judged.of(case, hypothesis, Reference((Seizure(50.0, 60.0),)))
    (point,) = figures(recording, fa="30").points
    assert point.op.threshold == pytest.approx(0.51)
    assert point.op.detected == 0


def test_touching_is_no_overlap() -> None:
    found = figures(judged([(100.0, 160.0)], [(160.0, 200.0, 0.9)]))
    assert (found.default.op.detected, found.default.op.false_alarms) == (0, 1)


def test_only_the_judged_part_counts() -> None:
    found = figures(judged([(100.0, 110.0)], [(500.0, 510.0, 0.9)], scored=[(0.0, 300.0)]))
    assert (found.default.op.false_alarms, found.curve.seizures) == (0, 1)
    assert found.base.hours == pytest.approx(300.0 / 3600.0)


def test_less_than_a_day_is_marked() -> None:
    assert not figures(judged([], [])).default.is_rate
    assert figures(judged([], [], 86_400.0)).default.is_rate


def test_nothing_to_evaluate_is_an_error_of_the_input() -> None:
    with pytest.raises(InputError, match="analysed and judged"):
        figures(judged([], [], scored=[]))


@pytest.mark.parametrize("scorer", SCORERS)
def test_perfect_events_find_everything_without_an_alarm(scorer: Scorer) -> None:
    spans = [(300.0, 340.0), (1200.0, 1250.0)]
    counts = table(judged(spans, [(*s, 1.0) for s in spans]), scorer)
    assert counts.detected.tolist() == [2.0] * len(THRESHOLDS)
    assert not counts.false_alarms.any()


@given(
    order=st.permutations(range(4)),
    starts=st.lists(st.integers(0, 3500), min_size=4, max_size=4),
    fa=st.sampled_from(["1", "30", "200"]),
)
def test_the_order_of_recordings_does_not_matter(order: list[int], starts: list[int], fa: str) -> None:
    recordings = [
        judged([(1000.0, 1060.0)], [(float(start), start + 50.0, 0.2 * (k + 1))], name=f"r{k}")
        for k, start in enumerate(starts)
    ]
    plain, shuffled = figures(*recordings, fa=fa), figures(*(recordings[k] for k in order), fa=fa)
    assert [p.as_mapping() for p in plain.points] == [p.as_mapping() for p in shuffled.points]


@given(start_s=st.floats(700.0, 3000.0))
def test_a_further_false_alarm_never_finds_more(start_s: float) -> None:
    events = [(105.0, 150.0, 0.9)]
    before = table(judged([(100.0, 160.0)], events), "ovlp")
    after = table(judged([(100.0, 160.0)], [*events, (start_s, start_s + 30.0, 0.9)]), "ovlp")
    assert (after.detected == before.detected).all()
    assert (after.false_alarms >= before.false_alarms).all()


def test_curves_are_decided_segment_by_segment() -> None:
    """A gap between two segments is no time in which an event goes on."""
    high = [Probabilities(start_s, _curve(60)) for start_s in (0.0, 61.0)]
    found = sweep(high, quick(merge_gap_s=5.0))
    assert [(e.onset_s, e.offset_s) for e in found.at(THRESHOLDS.index(0.5))] == [(0.0, 60.0), (61.0, 121.0)]


def test_a_sweep_decides_as_the_detector_does() -> None:
    decision = DecisionConfig(enter=0.5, leave=0.42)
    curve = Probabilities(0.0, _noisy_curve())
    swept = sweep([curve], decision).at(THRESHOLDS.index(0.5))
    expected = find_events(curve, decision)
    assert expected
    assert [(e.onset_s, e.offset_s) for e in swept] == [(e.onset_s, e.offset_s) for e in expected]


def _curve(duration_s: int) -> NDArray[np.float32]:
    return np.full(duration_s * RATE_HZ, 0.9, dtype=np.float32)


def _noisy_curve() -> NDArray[np.float32]:
    rng = np.random.default_rng(3)
    slow = np.repeat(rng.uniform(0.05, 0.95, 40), 15 * RATE_HZ)
    return np.clip(slow + rng.normal(0.0, 0.05, len(slow)), 0.0, 1.0).astype(np.float32)
