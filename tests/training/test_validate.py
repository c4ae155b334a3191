from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.card import Card, DecisionConfig, FilterConfig, WindowConfig
from brainscan.decision.postprocess import find_events
from brainscan.detector import DetectOptions, Detector
from brainscan.events import RATE_HZ, Event, Probabilities
from brainscan.scoring.operating_points import THRESHOLDS, off_threshold
from brainscan.scoring.pieces import ScoredRecording, clip
from brainscan_training import cache, validate
from brainscan_training.cache import Cached
from brainscan_training.corpora.item import Item
from brainscan_training.pictures import froc_picture, trace_picture
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, quick

CARD = Card(name="loudness", variant={}, window=WindowConfig(20, 10, 10.0), decision=quick(), sha256="0" * 64)
RUNNER = LoudnessRunner(CARD, half_uv=24.0)


def scored(
    values: np.ndarray, seizures: tuple[tuple[float, float], ...], judged: tuple[tuple[float, float], ...] | None = None
) -> ScoredRecording:
    duration_s = len(values) / RATE_HZ
    return ScoredRecording(
        source="ward",
        subject="p1",
        kind="",
        duration_s=duration_s,
        scored=((0.0, duration_s),) if judged is None else judged,
        annotations=seizures,
        probabilities=(Probabilities(0.0, values.astype(np.float32)),),
    )


@pytest.mark.parametrize("seconds", [7, 20, 47])
def test_curves_from_the_cache_are_those_of_detect(seconds: int, tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(FakeEdf(eeg(n_records=seconds), seconds).data())
    item = Item(path, "a", "ward", "p", "dev")
    ((_, reason),) = cache.build([item], tmp_path / "cache", FilterConfig())
    assert reason == ""
    (mine,) = validate.curves(RUNNER, cache.load(item, tmp_path / "cache", FilterConfig()))
    (theirs,) = Detector(RUNNER).probabilities(item.open(), DetectOptions(max_missing=cache.MAX_MISSING))
    assert mine.values.shape == theirs.values.shape
    assert np.ptp(theirs.values) > 0.05
    # The cache rounds to float16.
    assert np.abs(mine.values - theirs.values).max() < 2e-3


def test_gaps_and_unusable_seconds_are_not_scored(recordings: list[Cached]) -> None:
    cached = recordings[0]
    usable = cached.usable.copy()
    usable[5:9] = False
    total = cached.signal.shape[1]
    parts = ((0, 30 * RATE_HZ), (30 * RATE_HZ, 31 * RATE_HZ), (40 * RATE_HZ, total))
    first, second = validate.curves(RUNNER, replace(cached, usable=usable, segments=parts))
    assert np.isnan(first.values[5 * RATE_HZ : 9 * RATE_HZ]).all()
    assert np.isnan(first.values).sum() == 4 * RATE_HZ
    assert (second.start_s, len(second.values)) == (40.0, total - 40 * RATE_HZ)


def test_table_counts_what_events_at_each_threshold_show() -> None:
    rng = np.random.default_rng(0)
    values = np.clip(np.repeat(rng.random(60), RATE_HZ), 0.02, 0.98)
    recording = scored(values, ((10.0, 20.0), (40.0, 43.0)), judged=((5.0, 50.0),))
    decision = quick()
    table = validate.table_of(recording, decision)
    assert (table.seizures, table.scored_s) == (2, 45.0)
    for k, threshold in enumerate(THRESHOLDS):
        config = replace(decision, enter=threshold, leave=off_threshold(threshold))
        spans = [(e.onset_s, e.offset_s) for e in find_events(recording.probabilities[0], config)]
        parts = [clip((span,), recording.scored) for span in spans]
        parts = [p for p in parts if p]
        hits = [bool(clip(recording.annotations, p)) for p in parts]
        assert table.false_alarms[k] == hits.count(False)
        found = sum(any(clip((s,), p) for p in parts) for s in recording.annotations)
        assert table.detected[k] == found


def test_measure_is_perfect_on_the_truth_and_blind_without_it() -> None:
    values = np.full(60 * RATE_HZ, 0.05)
    values[20 * RATE_HZ : 30 * RATE_HZ] = 0.9
    right = validate.measure([scored(values, ((20.0, 30.0),))], quick(), 10.0)
    assert (right.point.sensitivity, right.point.false_alarms, right.mean_auroc) == (1.0, 0, 1.0)
    wrong = validate.measure([scored(values, ((40.0, 50.0),))], quick(), 10.0)
    assert wrong.point.sensitivity == 0.0
    assert right.rank > wrong.rank
    nothing = validate.measure([scored(values, ())], quick(), 10.0)
    assert math.isnan(nothing.auroc["ward"])
    assert wrong.rank > nothing.rank
    assert nothing.rank[0] == -1.0


def test_hard_spans_are_the_false_alarms_only() -> None:
    recording = replace(
        scored(np.zeros(60 * RATE_HZ), ((10.0, 20.0),)),
        events=(Event(12.0, 15.0, 0.9), Event(30.0, 33.0, 0.5), Event(40.0, 45.0, 0.8)),
    )
    spans = validate.hard_spans([recording], ["a"])
    assert [(s.name, s.start_s) for s in spans] == [("a", 40.0), ("a", 30.0)]


@given(st.integers(0, 200), st.integers(0, 50))
def test_choice_keeps_to_its_budget_and_to_whole_recordings(recordings: list[Cached], budget: int, seed: int) -> None:
    calm = [
        replace(r, item=replace(r.item, name=f"calm{k}", subject=f"c{k}", seizures=()))
        for k, r in enumerate(recordings)
    ]
    window = WindowConfig(20, 10, 5.0)
    everything = [*recordings, *calm]
    chosen = validate.choose(everything, budget, window, seed)
    cost = sum(validate.n_windows(r, window) for r in chosen)
    least = 2 * min(validate.n_windows(r, window) for r in everything)
    assert cost <= max(budget, least)
    assert {bool(r.item.seizures) for r in chosen} == {True, False}
    assert chosen == validate.choose(everything, budget, window, seed)
    if budget >= sum(validate.n_windows(r, window) for r in everything):
        assert len(chosen) == len(everything)


def test_nothing_judged_is_never_chosen(recordings: list[Cached]) -> None:
    unjudged = replace(recordings[0], scored=np.zeros_like(recordings[0].scored))
    assert validate.choose([unjudged], 100, WindowConfig(), 0) == []


@given(st.integers(1, 200 * RATE_HZ))
def test_windows_cover_a_segment_without_one_to_spare(n_samples: int) -> None:
    config = WindowConfig(20, 10, 5.0)
    starts = list(validate.window_starts(n_samples, config))
    assert starts[-1] + config.n_samples >= n_samples
    assert len(starts) == 1 or starts[-2] + config.n_samples < n_samples
    assert np.all(np.diff(starts) == config.stride)


def test_pictures_show_the_curve_and_the_seizures() -> None:
    values = np.full(60 * RATE_HZ, 0.05)
    values[20 * RATE_HZ : 30 * RATE_HZ] = 0.9
    values[50 * RATE_HZ :] = np.nan
    recording = scored(values, ((20.0, 30.0),))
    trace = trace_picture(recording)
    red = (trace == (200, 60, 50)).all(axis=2)
    assert red[-1].sum() == pytest.approx(trace.shape[1] / 6, abs=2)
    blue = (trace == (30, 60, 150)).all(axis=2)
    assert blue[:30].any(axis=0).sum() == pytest.approx(trace.shape[1] / 6, abs=3)
    assert not blue[:, -70:].any()
    froc = froc_picture(validate.measure([recording], DecisionConfig(average_s=0.0), 10.0).curve)
    assert froc.shape == trace.shape
    assert (froc[0] == (30, 60, 150)).all(axis=1).any()  # a sensitivity of one is the top row
