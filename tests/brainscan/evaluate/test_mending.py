"""Rows of other detectors: what is cut, joined, left out and refused, alike wherever they are scored."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from brainscan.corpora.references import Reference, Seizure
from brainscan.errors import InputError
from brainscan.evaluate.by_others import read_mended
from brainscan.evaluate.counts import Judged, table
from brainscan.evaluate.mending import Mending, joined, mend
from brainscan.evaluate.score import score_files
from brainscan.events import Annotation, union
from brainscan.io.annotation_file import AnnotationFile
from brainscan.io.csv_bi import COLUMNS, VERSION
from brainscan.io.event_pairs import FilePair
from tests.brainscan.evaluate.conftest import case_of
from tests.stand_ins import noise, recording_of

END_S = 120.0
TRUTH = ((20.0, 35.0), (70.0, 90.0))
RECORDING = recording_of(noise(END_S, 256.0))

Row = tuple[float, float, float]

times = st.integers(-200, 1400).map(lambda tenths: tenths / 10)
lengths = st.integers(0, 400).map(lambda tenths: tenths / 10)
rows = st.lists(st.tuples(times, lengths, st.sampled_from([0.2, 0.5, 0.9])), max_size=8).map(
    lambda found: [(start, round(start + length, 1), sure) for start, length, sure in found]
)
"""Some before 0 s, some past the end, some without length, many that overlap."""


def file_of(found: Sequence[Row], **changes: object) -> AnnotationFile:
    annotations = tuple(Annotation(a, b, "seiz", sure) for a, b, sure in found)
    return replace(AnnotationFile(annotations, END_S, name="x.csv_bi"), **changes)  # type: ignore[arg-type]


def csv_bi(path: Path, found: Sequence[Row], end_s: float = END_S) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"# version = {VERSION}", f"# duration = {end_s:.4f} secs", COLUMNS]
    lines += [f"TERM,{a},{b},seiz,{sure}" for a, b, sure in found]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("found", "left", "mending"),
    [
        ([], [], Mending()),
        ([(5, 9, 1)], [(5, 9)], Mending()),
        ([(5, 9, 1), (9, 12, 1)], [(5, 9), (9, 12)], Mending()),
        ([(100, 120.0004, 1)], [(100, 120)], Mending()),
        ([(100, 120.002, 1)], [(100, 120)], Mending(cut=1)),
        ([(100, 132, 1)], [(100, 120)], Mending(cut=1)),
        ([(-3, 7, 1)], [(0, 7)], Mending(cut=1)),
        ([(-3, 132, 1)], [(0, 120)], Mending(cut=1)),
        ([(5, 9, 1), (8.9999, 12, 1)], [(5, 9), (8.9999, 12)], Mending(joined=1)),
        ([(5, 30, 1), (8, 12, 1), (20, 25, 1)], [(5, 30), (8, 12), (20, 25)], Mending(joined=2)),
        ([(5, 9, 1), (5, 9, 1)], [(5, 9), (5, 9)], Mending(joined=1)),
        ([(8, 12, 1), (5, 9, 1)], [(5, 9), (8, 12)], Mending(joined=1)),
        ([(5, 9, 1), (50, 50, 1)], [(5, 9)], Mending(empty=1)),
        ([(50, 50, 1)], [], Mending(empty=1)),
        ([(5, 9, 1), (120, 130, 1)], [(5, 9)], Mending(outside=1)),
        ([(5, 9, 1), (9000, 9010, 1)], [(5, 9)], Mending(outside=1)),
        ([(121, 130, 1)], [], Mending(outside=1)),
        ([(-9, -3, 1), (-3, 0, 1)], [], Mending(outside=2)),
        ([(-9, -3, 1), (-1, 40, 1), (30, 300, 1), (7, 7, 1)], [(0, 40), (30, 120)], Mending(2, 1, 1, 1)),
    ],
)
def test_what_is_meant(found: list[Row], left: list[tuple[float, float]], mending: Mending) -> None:
    sound, said = mend(file_of(found), END_S)
    assert sorted((a.onset_s, a.offset_s) for a in sound.annotations) == left
    assert said == mending
    assert bool(said) == (said != Mending())
    assert sum(f"{n}" in str(said) for n in said.as_mapping().values() if n) == sum(
        map(bool, said.as_mapping().values())
    )


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([(5, 9, 85)], "line 1: confidence 85 of the event at 5 s is outside 0..1"),
        ([(5, 9, 0.5), (20, 30, 1.01)], "line 2: confidence 1.01"),
        ([(5, 9, -0.1)], "line 1: confidence -0.1"),
        ([(5, 9, math.nan)], "line 1: confidence nan"),
        ([(5, 9, math.inf)], "line 1: confidence inf"),
        ([(500, 510, 85)], "line 1: confidence 85"),
        ([(9, 5, 1)], "line 1: event is reversed"),
        ([(math.nan, 5, 1)], "line 1: event has a time that is no number"),
        ([(5, math.inf, 1)], "line 1: event has a time that is no number"),
        ([(20_000, 20_900, 1), (30_000, 31_000, 1)], "all its events lie outside the recording"),
        ([(-900, -800, 1)], "all its events lie outside the recording"),
    ],
)
def test_what_cannot_be_known_is_refused_with_its_line(found: list[Row], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mend(file_of(found, lines=tuple(range(1, len(found) + 1))), END_S)


def test_a_mean_in_single_precision_is_no_percentage() -> None:
    assert mend(file_of([(5, 9, 1.0000001), (20, 30, -1e-9)]), END_S)[1] == Mending()


def test_channels_overlap_without_being_joined() -> None:
    found = tuple(Annotation(5, 9 + k, "seiz", 1.0, f"C{k}") for k in range(3))
    sound, mending = mend(AnnotationFile(found, END_S), END_S)
    assert (mending, [(a.onset_s, a.offset_s) for a in sound.track()]) == (Mending(), [(5, 11)])


def test_background_goes_where_a_seizure_changed() -> None:
    background = Annotation(9, 120, "bckg")
    clean = AnnotationFile((Annotation(5, 9, "seiz"), background), END_S)
    assert mend(clean, END_S)[0] is clean
    sound, _ = mend(AnnotationFile((Annotation(5, 130, "seiz"), background), END_S), END_S)
    assert [a.label for a in sound.annotations] == ["seiz"]


@given(rows)
def test_what_is_left_is_sound_and_covers_what_was_said_inside(found: list[Row]) -> None:
    try:
        sound, mending = mend(file_of(found), END_S)
    except InputError:
        assert all(b <= 0 or a >= END_S or a == b for a, b, _ in found)
        return
    expected = union((max(a, 0.0), min(b, END_S)) for a, b, _ in found if a < END_S and b > 0.0)
    assert union((a.onset_s, a.offset_s) for a in sound.annotations) == expected
    apart = joined(sound.annotations)
    assert all(0 <= a.onset_s < a.offset_s <= END_S for a in apart)
    assert all(a.offset_s <= b.onset_s for a, b in pairwise(apart))
    assert mend(replace(sound, annotations=apart), END_S)[1] == Mending()
    assert mending.empty + mending.outside + len(sound.annotations) == len(found)
    if not mending:
        assert len(apart) == len(found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(found=rows)
def test_evaluate_and_score_take_a_file_alike(tmp_path: Path, found: list[Row]) -> None:
    """OVLP of the events at the lowest threshold is OVLP of the file, and both tell the same changes."""
    ref = csv_bi(tmp_path / "ref.csv_bi", [(*span, 1.0) for span in TRUTH])
    hyp = csv_bi(tmp_path / "hyp.csv_bi", found)
    report = score_files([FilePair(ref, hyp, "hyp.csv_bi")])
    try:
        hypothesis, mending = read_mended(hyp, RECORDING)
    except InputError:
        assert [failure.facts["scorers"] for failure in report.failures] == [["nedc", "szcore"]]
        return
    judged = Judged.of(case_of("a"), hypothesis, Reference(tuple(Seizure(*span) for span in TRUTH)))
    counts = table(judged, "ovlp")
    assert report.nedc is not None
    seizure = report.nedc.ovlp.labels["seiz"]
    assert (counts.detected[0], counts.false_alarms[0]) == (seizure.hits, seizure.false_alarms)
    assert report.mended == ({"hyp.csv_bi": mending} if mending else {})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv_bi", f"# version = {VERSION}\n# duration = 120.0 secs\n{COLUMNS}\nTERM,100,132,seiz,0.9\n"),
        ("a.csv", f"# version = {VERSION}\n# duration = 120.0 secs\n{COLUMNS}\nFP1-F7,100,132,fnsz,0.9\n"),
        ("a.tse", "version = tse_v1.0.0\n\n100 132 seiz 0.9\n"),
        ("a.tsv", "onset\tduration\teventType\tconfidence\n100\t32\tsz\t0.9\n"),
        ("b.csv", "onset,duration,description\n100,32,seizure\n"),
        ("a.json", json.dumps({"events": [{"onset_s": 100, "offset_s": 132, "confidence": 0.9}]})),
    ],
)
def test_every_format_is_cut_alike(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    hypothesis, mending = read_mended(path, RECORDING)
    assert ([(e.onset_s, e.offset_s) for e in hypothesis.events], mending) == ([(100.0, END_S)], Mending(cut=1))
    assert hypothesis.warnings == ("the hypothesis' events were changed: cut to the recording: 1",)
    if path.suffix != ".json":
        ref = csv_bi(tmp_path / "ref.csv_bi", [(100, 110, 1)])
        report = score_files([FilePair(ref, path, name)])
        assert (report.failures, report.mended) == ((), {name: Mending(cut=1)})


def test_overlapping_events_each_count_up_to_their_own_confidence(tmp_path: Path) -> None:
    hypothesis, _ = read_mended(csv_bi(tmp_path / "a.csv_bi", [(10, 30, 0.9), (20, 60, 0.3)]), RECORDING)
    assert [[(e.onset_s, e.offset_s) for e in hypothesis.sweep.at(k)] for k in (0, 50)] == [[(10, 60)], [(10, 30)]]


def test_events_without_a_confidence_beside_others_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    events = [{"onset_s": 5, "offset_s": 9}, {"onset_s": 20, "offset_s": 30, "confidence": 0.4}]
    path.write_text(json.dumps({"events": events}), encoding="utf-8")
    assert read_mended(path, RECORDING)[1] == Mending(unsure=1)
    path.write_text(json.dumps({"events": events[:1]}), encoding="utf-8")
    assert read_mended(path, RECORDING)[1] == Mending()


def test_lists_are_scored_as_the_official_tool_does_and_what_is_odd_is_told(tmp_path: Path) -> None:
    ref = csv_bi(tmp_path / "ref.csv_bi", [(20, 35, 1)])
    odd = {"over": [(20, 30, 1), (25, 35, 1)], "empty": [(50, 50, 1)], "percent": [(20, 30, 85)]}
    pairs = [FilePair(ref, csv_bi(tmp_path / f"{name}.csv_bi", found), name) for name, found in odd.items()]
    stand, changed = score_files(pairs, as_they_stand=True), score_files(pairs)
    assert (stand.failures, stand.mended, set(stand.odd)) == ((), {}, set(odd))
    assert "joined, as they overlap: 1" in stand.odd["over"]
    assert "outside 0..1" in stand.odd["percent"]
    assert stand.nedc_per_file["empty"] != changed.nedc_per_file["empty"]
    assert [failure.file for failure in changed.failures] == ["percent"]
    assert (changed.mended, changed.odd) == ({"over": Mending(joined=1), "empty": Mending(empty=1)}, {})
