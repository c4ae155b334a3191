"""NEDC measures: the official numbers, the definitions as slow twins, and the traps that people fell into."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.errors import BrainscanError
from brainscan.events import Annotation
from brainscan.io.csv_bi import csv_bi_from_text
from brainscan.scoring.nedc import (
    NedcScores,
    NotScorable,
    Pair,
    SegmentList,
    complete,
    count_pair,
    dpalign,
    epoch,
    pool,
    segments,
)
from brainscan.scoring.nedc.measures import Counts, _mcc, derive
from brainscan.scoring.nedc.score import PER_FILE_COLUMNS
from brainscan.scoring.nedc.segments import LABELS

RELATIVE, ABSOLUTE = 1e-12, 1e-9

Interval = tuple[float, float]


def listed(seizures: Sequence[Interval], duration_s: float = 600.0) -> SegmentList:
    return complete([Annotation(a, b, "seiz") for a, b in seizures], duration_s)


def scored(*pairs: tuple[Sequence[Interval], Sequence[Interval]], duration_s: float = 600.0) -> NedcScores:
    return pool([count_pair(Pair(listed(ref, duration_s), listed(hyp, duration_s))) for ref, hyp in pairs])


def from_text(text: str) -> SegmentList:
    file = csv_bi_from_text(text, "x.csv_bi")
    return complete(file.annotations, file.known_duration_s())


def assert_same(ours: Any, official: Any, where: str) -> None:
    """Compare nested numbers: integers exactly, ratios to the README's tolerance."""
    if isinstance(official, dict):
        assert set(ours) == set(official), where
        for key, value in official.items():
            assert_same(ours[key], value, f"{where}/{key}")
    elif isinstance(official, list):
        assert len(ours) == len(official), where
        for k, value in enumerate(official):
            assert_same(ours[k], value, f"{where}[{k}]")
    elif isinstance(official, int):
        assert ours == official, where
    elif isinstance(official, float):
        assert math.isclose(ours, official, rel_tol=RELATIVE, abs_tol=ABSOLUTE), where
    else:
        assert ours == official, where


def corpora(shared: Path) -> list[Path]:
    return sorted(path.parent for path in (shared / "scoring").glob("*/*/expected.json"))


def test_every_corpus_equals_the_official_numbers(shared: Path) -> None:
    folders = corpora(shared)
    assert folders
    for folder in folders:
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        names = [(folder / f"{side}.list").read_text(encoding="utf-8").split() for side in ("ref", "hyp")]
        counts = [
            count_pair(Pair(*(from_text((folder / name).read_text(encoding="utf-8")) for name in pair)))
            for pair in zip(*names, strict=True)
        ]
        assert_same(pool(counts).as_mapping(), expected["nedc"], folder.name)
        per_file = [{"file": Path(n).name, **c.as_mapping()} for n, c in zip(names[1], counts, strict=True)]
        assert_same(per_file, expected["nedc_per_file"], f"{folder.name}/per file")


def test_every_micro_case_scores_or_stops_as_the_official_tool(shared: Path) -> None:
    cases = json.loads((shared / "scoring/dev/micro_cases.json").read_text(encoding="utf-8"))
    assert len(cases) > 100
    for case in cases:
        try:
            ours = pool([count_pair(Pair(from_text(case["ref"]), from_text(case["hyp"])))]).as_mapping()
        except (BrainscanError, NotScorable):
            assert case["official"] == "abort", case["name"]
        else:
            assert case["official"] == "ok", case["name"]
            assert_same(ours, case["nedc"], case["name"])


def test_what_is_printed_is_what_was_counted() -> None:
    """Ten of thirty seconds too early, ten too late, each number by hand."""
    counts = count_pair(Pair(listed([(10.0, 40.0)]), listed([(20.0, 50.0)])))
    printed = counts.as_mapping()
    assert printed["dpalign"] == {"seiz": [1, 1, 0, 0, 0, 0], "bckg": [2, 2, 0, 0, 0, 0]}
    assert printed["epoch"] == {"seiz": [80, 40], "bckg": [40, 2240]}
    assert printed["ovlp"] == {"seiz": [1, 1, 0, 0], "bckg": [2, 2, 0, 0]}
    assert printed["taes"]["seiz"] == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])
    assert printed["taes"]["bckg"] == pytest.approx([2, 1 + 55 / 56, 1 / 56, 1])
    assert (list(printed), set(printed["taes"])) == ([*PER_FILE_COLUMNS], set(LABELS))
    scores = pool([counts])
    document = scores.as_mapping()
    assert list(document) == [*PER_FILE_COLUMNS, "ira"]
    matrices = {
        "dpalign": {"seiz": {"seiz": 1, "bckg": 0}, "bckg": {"seiz": 0, "bckg": 2}},
        "epoch": {"seiz": {"seiz": 80, "bckg": 40}, "bckg": {"seiz": 40, "bckg": 2240}},
    }
    for metric in PER_FILE_COLUMNS:
        made = getattr(scores, metric)
        matrix = {"confusion": matrices[metric]} if metric in matrices else {}
        labels = {label: dataclasses.asdict(made.labels[label]) for label in LABELS}
        summary = dataclasses.asdict(made.summary)
        assert document[metric] == {"total_duration": 600.0, **matrix, "labels": labels, "summary": summary}
    kappa = pytest.approx(1 - (80 / 2400) / (2 * 120 * 2280 / 2400**2))
    assert document["ira"] == {
        "confusion": matrices["epoch"],
        "kappa": dict.fromkeys(LABELS, kappa),
        "multi_class_kappa": kappa,
    }


# ---- completed lists -------------------------------------------------------------------------------------------


def test_no_row_is_one_background_segment() -> None:
    empty = listed([], 123.4)
    assert (empty.start_s.tolist(), empty.stop_s.tolist(), empty.seizure.tolist()) == ([0.0], [123.4], [False])


def test_rows_of_other_channels_do_not_count() -> None:
    only = complete([Annotation(1, 2, "seiz", channel="FP1-F7")], 10.0)
    assert only.seizure.tolist() == [False]


def test_overlapping_rows_leave_a_backward_background_segment() -> None:
    made = listed([(10, 20), (15, 30)], 100.0)
    assert list(zip(made.start_s, made.stop_s, strict=True)) == [(0, 10), (10, 20), (20, 15), (15, 30), (30, 100)]


def test_rows_join_only_where_they_touch_to_four_decimals() -> None:
    assert len(listed([(10, 20.00003), (20.00004, 30)], 100.0)) == 3
    assert len(listed([(10, 20), (20.0001, 30)], 100.0)) == 5


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(ValueError, match="fnsz"):
        complete([Annotation(1, 2, "fnsz")], 10.0)


times = st.integers(0, 400).map(lambda k: k / 8)
odd_rows = st.lists(st.tuples(times, times), max_size=6)


@given(odd_rows, odd_rows, st.sampled_from(["seiz", "bckg"]), st.integers(1, 7))
def test_comparisons_in_blocks_equal_the_pairwise_definition(
    ref: list[Interval], hyp: list[Interval], label: str, cells: int
) -> None:
    pair = Pair(listed(ref, 50.0), listed(hyp, 50.0))
    refs, hyps = (list(zip(*side.of(label), strict=True)) for side in (pair.ref, pair.hyp))

    def strict(a: Interval, b: Interval) -> bool:
        return a[1] > b[0] and a[0] < b[1]

    def seconds(a: Interval) -> set[int]:
        return set(range(int(a[0]), int(a[1]) + 1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "_BLOCK_CELLS", cells)
        ref_hit, hyp_hit = segments.overlapped(pair.ref, pair.hyp, label)
        near = segments.near(pair.ref, pair.hyp, label)
    assert ref_hit.tolist() == [any(strict(r, h) for h in hyps) for r in refs]
    assert hyp_hit.tolist() == [any(strict(r, h) for r in refs) for h in hyps]
    together = [(i, j) for i, r in enumerate(refs) for j, h in enumerate(hyps) if seconds(r) & seconds(h)]
    assert [tuple(row) for row in near.tolist()] == together


# ---- DPALIGN ---------------------------------------------------------------------------------------------------


def aligned_by_dynamic_programme(ref: Sequence[int], hyp: Sequence[int]) -> tuple[Any, Any, Any]:
    """Align as the definition says: cheapest first, ties diagonal, insertion, deletion."""
    cost = {(i, 0): i for i in range(len(ref) + 1)} | {(0, j): j for j in range(len(hyp) + 1)}
    step = {(i, 0): "D" for i in range(1, len(ref) + 1)} | {(0, j): "I" for j in range(1, len(hyp) + 1)}
    for i in range(1, len(ref) + 1):
        for j in range(1, len(hyp) + 1):
            best, how = cost[i - 1, j - 1] + (ref[i - 1] != hyp[j - 1]), "M"
            if cost[i, j - 1] + 1 < best:
                best, how = cost[i, j - 1] + 1, "I"
            if cost[i - 1, j] + 1 < best:
                best, how = cost[i - 1, j] + 1, "D"
            cost[i, j], step[i, j] = best, how
    confusion, insertions, deletions = np.zeros((2, 2), int), np.zeros(2, int), np.zeros(2, int)
    i, j = len(ref), len(hyp)
    while i or j:
        how = step[i, j]
        i, j = i - (how != "I"), j - (how != "D")
        if how == "M":
            confusion[ref[i], hyp[j]] += 1
        elif how == "I":
            insertions[hyp[j]] += 1
        else:
            deletions[ref[i]] += 1
    return confusion.tolist(), insertions.tolist(), deletions.tolist()


def alternating(first: int, n: int) -> SegmentList:
    labels = [(first + k) % 2 == 0 for k in range(n)]
    return SegmentList(np.arange(n, dtype=float), np.arange(n) + 1.0, np.array(labels))


@pytest.mark.parametrize("ref_first", [0, 1])
@pytest.mark.parametrize("hyp_first", [0, 1])
def test_alignment_equals_the_dynamic_programme_for_all_lengths(ref_first: int, hyp_first: int) -> None:
    for n_ref in range(1, 17):
        for n_hyp in range(1, 17):
            ref = [(ref_first + k) % 2 for k in range(n_ref)]
            hyp = [(hyp_first + k) % 2 for k in range(n_hyp)]
            ours = dpalign.align(alternating(ref_first, n_ref), alternating(hyp_first, n_hyp))
            found = ours.confusion.tolist(), ours.insertions.tolist(), ours.deletions.tolist()
            assert found == aligned_by_dynamic_programme(ref, hyp), (n_ref, n_hyp)


# ---- EPOCH and IRA ---------------------------------------------------------------------------------------------


@given(odd_rows, odd_rows, st.sampled_from([0.125, 3.0, 47.3, 50.0]))
def test_samples_equal_the_definition(ref: list[Interval], hyp: list[Interval], duration_s: float) -> None:
    pair = Pair(listed(ref, duration_s), listed(hyp, duration_s))

    def label_at(t: float, side: SegmentList) -> int:
        for start, stop, seizure in zip(side.start_s, side.stop_s, side.seizure, strict=True):
            if start <= t <= stop:
                return int(not seizure)
        return int(not side.seizure[-1])

    expected = np.zeros((2, 2), int)
    k = 0
    while (t := 0.125 + k * 0.25) <= pair.ref.end_s:
        expected[label_at(t, pair.ref), label_at(t, pair.hyp)] += 1
        k += 1
    assert epoch.confusion(pair.ref, pair.hyp).tolist() == expected.tolist()


def test_kappa_of_nothing_against_nothing_is_one() -> None:
    assert scored(([], [])).ira.multi_class_kappa == 1.0


def test_kappa_of_a_missed_seizure_is_zero() -> None:
    assert scored(([(10, 20)], [])).ira.kappa == {"seiz": 0.0, "bckg": 0.0}


@pytest.mark.parametrize(
    ("counts", "mcc"),
    [
        (Counts(tp=3, tn=3, fp=1, fn=1), 0.5),
        (Counts(tp=3, fn=1), 0.0),
        (Counts(tp=2.0, tn=-0.5, fp=0.25, fn=1.0), math.nan),  # TAES can have less than no background
    ],
)
def test_matthews_coefficient_where_it_has_no_root(counts: Counts, mcc: float) -> None:
    assert _mcc(counts) == pytest.approx(mcc, nan_ok=True)


# ---- what the scores promise -----------------------------------------------------------------------------------


@st.composite
def disjoint(draw: st.DrawFn, min_size: int = 0) -> list[Interval]:
    """Draw seizures of at least 0.25 s with background between and around them, within 10 minutes."""
    edges = draw(st.lists(st.integers(1, 2399), unique=True, min_size=2 * min_size, max_size=12))
    cuts = sorted(edges)[: len(edges) // 2 * 2]
    return [(a / 4, b / 4) for a, b in zip(cuts[::2], cuts[1::2], strict=True)]


seconds_apart = disjoint(min_size=1).map(lambda rows: [(a * 4, b * 4) for a, b in rows])
"""TAES calls segments near that fall in one whole second; from a second on nothing of a perfect result does."""


@given(seconds_apart)
def test_perfect_detection_scores_one(seizures: list[Interval]) -> None:
    scores = scored((seizures, seizures), duration_s=2400.0)
    for metric in (scores.dpalign, scores.epoch, scores.ovlp, scores.taes):
        for label in ("seiz", "bckg"):
            measures = metric.labels[label]
            assert measures.sensitivity == pytest.approx(1)
            assert measures.precision == pytest.approx(1)
            assert measures.f1 == pytest.approx(1)
            assert measures.fa_per_24h == pytest.approx(0)
    assert scores.ira.multi_class_kappa == pytest.approx(1)


@given(disjoint(), disjoint())
def test_a_false_alarm_that_touches_nothing_never_raises_precision(ref: list[Interval], hyp: list[Interval]) -> None:
    longer_s = 700.0
    alarm = (640.0, 650.0)
    before, after = scored((ref, hyp), duration_s=longer_s), scored((ref, [*hyp, alarm]), duration_s=longer_s)
    for metric in ("ovlp", "epoch"):
        old, new = getattr(before, metric).labels["seiz"], getattr(after, metric).labels["seiz"]
        assert new.precision <= old.precision
        assert new.fa_per_24h > old.fa_per_24h


@given(st.lists(st.tuples(disjoint(), disjoint()), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_matter(pairs: list[Any], random: Any) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert_same(scored(*shuffled).as_mapping(), scored(*pairs).as_mapping(), "shuffled")


@given(st.lists(st.tuples(disjoint(), disjoint()), min_size=2, max_size=4))
def test_recordings_never_meet(pairs: list[Any]) -> None:
    """Pooled counts are sums of the recordings' own: nothing merges across a file's end."""
    alone, together = [scored(pair) for pair in pairs], scored(*pairs)
    for metric in ("dpalign", "epoch", "ovlp"):
        for label in ("seiz", "bckg"):
            for count in ("targets", "hits", "misses", "false_alarms", "tp", "tn", "fp", "fn"):
                parts = [getattr(getattr(scores, metric).labels[label], count) for scores in alone]
                assert getattr(getattr(together, metric).labels[label], count) == sum(parts)


@pytest.mark.parametrize("detection", [(5.0, 10.0), (20.0, 25.0)])
def test_a_detection_that_only_touches_a_seizure_is_a_miss_and_a_false_alarm(detection: Interval) -> None:
    seizure = scored(([(10.0, 20.0)], [detection])).ovlp.labels["seiz"]
    assert (seizure.hits, seizure.misses, seizure.false_alarms) == (0, 1, 1)


def test_one_false_alarm_in_ten_minutes_is_144_a_day() -> None:
    scores = scored(([], [(100.0, 108.0)]), duration_s=600.0)
    assert scores.ovlp.labels["seiz"].fa_per_24h == pytest.approx(144.0)


def test_rates_divide_by_the_recording_not_by_the_last_event() -> None:
    early, late = (scored(([], [(t, t + 5.0)]), duration_s=3600.0) for t in (10.0, 3000.0))
    assert early.ovlp.labels["seiz"].fa_per_24h == late.ovlp.labels["seiz"].fa_per_24h == pytest.approx(24.0)


def test_nothing_detected_has_sensitivity_zero_and_undefined_precision_zero() -> None:
    seizure = scored(([(10.0, 20.0)], [])).ovlp.labels["seiz"]
    assert (seizure.sensitivity, seizure.precision, seizure.f1) == (0.0, 0.0, 0.0)
    assert seizure.false_discovery_rate == 1.0


def test_nothing_to_detect_has_sensitivity_zero() -> None:
    seizure = scored(([], [(10.0, 20.0)])).ovlp.labels["seiz"]
    assert (seizure.targets, seizure.sensitivity, seizure.precision) == (0, 0.0, 0.0)


def test_the_summary_f1_divides_by_the_background() -> None:
    summary = scored(([(0.0, 600.0)], [(0.0, 600.0)])).ovlp.summary
    assert (summary.precision, summary.sensitivity, summary.f1) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("ref", "hyp", "metric", "message"),
    [
        (listed([], 100.0), listed([], 101.0), "epoch", "durations differ"),
        (listed([], 0.1), listed([], 0.1), "epoch", "too short"),
        (listed([(50.0, 50.0)], 100.0), listed([(40.0, 60.0)], 100.0), "taes", "no length"),
        (listed([(10.0, 20.0)], 100.0), listed([(10.0, 19.0)] * 5, 100.0), "taes", "negative"),
        (listed([(0.01, 0.02)]), listed([(0.01, 0.04)]), "taes", "negative"),
    ],
)
def test_where_the_official_tool_stops_the_cause_is_told(
    ref: SegmentList, hyp: SegmentList, metric: str, message: str
) -> None:
    with pytest.raises(NotScorable, match=message) as caught:
        count_pair(Pair(ref, hyp))
    assert caught.value.metric == metric


def test_ends_are_compared_to_four_decimals() -> None:
    counts = count_pair(Pair(listed([], 100.00003), listed([], 99.99998)))
    assert counts.confusion.tolist() == [[0, 0], [0, 400]]


def test_without_a_duration_there_is_no_alarm_rate() -> None:
    counts = {"seiz": Counts(false_alarms=3, fp=3), "bckg": Counts()}
    assert derive(counts, 0.0).labels["seiz"].fa_per_24h == 0.0
    assert derive(counts, 43_200.0).labels["seiz"].fa_per_24h == 6.0
    assert derive(counts, 43_200.0, fp_unit_s=0.25).labels["seiz"].fa_per_24h == 1.5


def test_pooling_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no pair"):
        pool([])


def test_many_segments_are_aligned_without_a_table() -> None:
    """A list of 40,000 segments against one of 20,000: a table of the definition would have 800 million cells."""
    ours = dpalign.align(alternating(1, 40_000), alternating(1, 20_000))
    assert ours.confusion.tolist() == [[10_000, 0], [0, 10_000]]
    assert ours.deletions.tolist() == [10_000, 10_000]
