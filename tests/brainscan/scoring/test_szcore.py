"""SzCORE scores: the library's own numbers along both ways in."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from brainscan.io.csv_bi import csv_bi_from_text
from brainscan.scoring import szcore


def events(text: str) -> tuple[list[tuple[float, float]], float]:
    file = csv_bi_from_text(text, "x.csv_bi")
    return [(a.onset_s, a.offset_s) for a in file.annotations if a.label == "seiz"], file.known_duration_s()


def scored(ref: str, hyp: str, path: szcore.Path) -> szcore.SzcoreScores:
    (ref_events, ref_s), (hyp_events, hyp_s) = events(ref), events(hyp)
    return szcore.score_pair(ref_events, hyp_events, ref_s, hyp_s, path)


def assert_same(ours: szcore.SzcoreCounts, official: dict[str, Any], where: str) -> None:
    mapping = ours.as_mapping()
    assert set(mapping) == set(official)
    for key, value in official.items():
        if value is None:
            assert math.isnan(mapping[key]), (where, key)
        else:
            assert mapping[key] == pytest.approx(value, rel=1e-12), (where, key)


@pytest.mark.parametrize("path", szcore.PATHS)
def test_every_corpus_equals_the_library_alone(shared: Path, path: szcore.Path) -> None:
    folders = sorted(file.parent for file in (shared / "scoring").glob("*/*/expected.json"))
    assert folders
    for folder in folders:
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["timescoring"][path]
        names = [(folder / f"{side}.list").read_text(encoding="utf-8").split() for side in ("ref", "hyp")]
        scores = {
            Path(hyp).name: scored(*((folder / name).read_text(encoding="utf-8") for name in (ref, hyp)), path)
            for ref, hyp in zip(*names, strict=True)
        }
        pooled = szcore.pool(scores.values())
        for kind in ("sample", "event"):
            assert_same(getattr(pooled, kind), expected[kind]["pooled"], folder.name)
            for name, official in expected[kind]["per_file"].items():
                assert_same(getattr(scores[name], kind), official, f"{folder.name}/{name}")


def test_every_micro_case_equals_the_library_alone(shared: Path) -> None:
    cases = json.loads((shared / "scoring/dev/micro_cases.json").read_text(encoding="utf-8"))
    scorable = [case for case in cases if "timescoring" in case]
    assert scorable
    for case in scorable:
        for path in szcore.PATHS:
            if "error" in case["timescoring"]:
                with pytest.raises(ValueError, match=r"durations differ|shorter than a sample"):
                    scored(case["ref"], case["hyp"], path)
                continue
            ours = scored(case["ref"], case["hyp"], path)
            for kind in ("sample", "event"):
                assert_same(getattr(ours, kind), case["timescoring"][path][kind], case["name"])


def test_rows_may_come_in_any_order() -> None:
    rows = [(100.0, 110.0), (300.0, 310.0), (500.0, 520.0)]
    there, back = (szcore.score_pair(order, order, 900.0, 900.0) for order in (rows, rows[::-1]))
    assert there == back
    assert there.event.sensitivity == 1.0


def test_times_are_scored_as_they_are_unless_asked_otherwise() -> None:
    events = [(10.0, 20.3)]
    direct, mask = (szcore.score_pair(events, [(19.7, 30.0)], 60.0, 60.0, path) for path in ("direct", "szcore_mask"))
    assert szcore.score_pair(events, [(19.7, 30.0)], 60.0, 60.0) == direct != mask


@pytest.mark.parametrize(
    ("durations_s", "message"), [((60.0, 61.0), "durations differ"), ((0.01, 0.01), "shorter than a sample")]
)
def test_recordings_of_no_or_of_two_lengths_are_refused(durations_s: tuple[float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        szcore.score_pair([], [], *durations_s)


def test_undefined_measures_are_nan_not_zero() -> None:
    nothing = szcore.score_pair([], [], 600.0, 600.0).event
    assert math.isnan(nothing.sensitivity)
    assert math.isnan(nothing.precision)
    assert math.isnan(nothing.f1)
    assert nothing.fp_per_24h == 0.0


def test_one_false_alarm_in_ten_minutes_is_144_a_day() -> None:
    assert szcore.score_pair([], [(100.0, 108.0)], 600.0, 600.0).event.fp_per_24h == pytest.approx(144.0)


def test_pooling_adds_counts_not_rates() -> None:
    busy = szcore.score_pair([], [(100.0, 108.0)], 600.0, 600.0)
    quiet = szcore.score_pair([], [], 5400.0, 5400.0)
    assert szcore.pool([busy, quiet]).event.fp_per_24h == pytest.approx(14.4)


def test_pooling_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no pair"):
        szcore.pool([])
