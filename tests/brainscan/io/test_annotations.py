"""Any annotation format into any other, and the checks that all of them share."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainscan.errors import InputError, OutputError, UsageError
from brainscan.events import Annotation
from brainscan.io.annotation_file import (
    BACKGROUND,
    AnnotationFile,
    check_confidence,
    check_intervals,
    is_seizure,
    joined,
    label_of,
    within_recording,
)
from brainscan.io.annotations import (
    Format,
    RecordingFacts,
    encode,
    losses,
    read_annotations,
    sniff,
    write_annotations,
)
from brainscan.io.event_formats import convertible, for_file

FORMATS = tuple(row.name for row in convertible())

NAMES: dict[Format, str] = {
    "csv_bi": "rec.csv_bi",
    "tusz_csv": "rec.csv",
    "tse": "rec.tse",
    "chbmit": "rec-summary.txt",
    "siena": "Seizures-list-rec.txt",
    "tsv": "rec_events.tsv",
    "edf-annotations": "rec.edf",
    "mne_csv": "rec-annot.csv",
    "edfbrowser": "rec-edfbrowser.csv",
    "luna": "rec.annot",
    "persyst": "rec-persyst.txt",
}
TYPED: frozenset[Format] = frozenset({"tusz_csv", "tse", "edf-annotations", "mne_csv", "edfbrowser", "luna", "persyst"})
CLOCKED: frozenset[Format] = frozenset({"tsv", "edf-annotations", "mne_csv"})

starts = st.none() | st.datetimes(datetime(1986, 1, 1), datetime(2080, 1, 1)).map(lambda t: t.replace(microsecond=0))


@st.composite
def files(draw: st.DrawFn) -> AnnotationFile:
    """Draw seizures to 0.1 ms within a recording of up to 20 h."""
    edges = sorted(draw(st.lists(st.integers(0, 720_000_000), unique=True, max_size=8)))
    duration = max([*edges, 10_000]) + draw(st.integers(0, 10_000))
    labels = st.sampled_from(["seiz", "fnsz", "gnsz", "absz"])
    pairs = zip(edges[::2], edges[1::2], strict=False)
    rows = tuple(Annotation(a / 1e4, b / 1e4, draw(labels)) for a, b in pairs)
    return AnnotationFile(rows, duration / 1e4, name="drawn", start=draw(starts))


def intervals(file: AnnotationFile) -> list[tuple[float, float]]:
    return [(row.onset_s, row.offset_s) for row in file.track()]


def rounded(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(round(a, 4), round(b, 4)) for a, b in spans]


@pytest.mark.parametrize("name", FORMATS)
@given(file=files())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_what_is_written_is_read_back(tmp_path: Path, name: Format, file: AnnotationFile) -> None:
    target = tmp_path / NAMES[name]
    write_annotations(file, target, name, "rec.edf")
    assert sniff(target) == name.removesuffix("-annotations")
    read = read_annotations(target, facts=RecordingFacts("rec.edf"))
    assert rounded(intervals(read)) == intervals(file)
    # The eight characters of EDF's record duration hold 0.01 s of a night.
    assert read.known_duration_s() == pytest.approx(
        file.known_duration_s(), abs=2e-2 if name == "edf-annotations" else 1e-6
    )
    if name in TYPED:
        assert [row.label for row in read.track()] == [row.label for row in file.track()]
    if name in CLOCKED:
        assert read.start == file.start


@pytest.mark.parametrize(("source", "target"), list(product(FORMATS, FORMATS)))
def test_every_format_becomes_every_other(tmp_path: Path, source: Format, target: Format) -> None:
    rows = (Annotation(10.5, 20.25, "seiz"), Annotation(100.0, 160.0, "seiz"))
    first, second = tmp_path / NAMES[source], tmp_path / f"again-{NAMES[target]}"
    write_annotations(AnnotationFile(rows, 600.0, start=datetime(2020, 2, 3, 23, 59, 0)), first, source, "rec.edf")
    facts = RecordingFacts("rec.edf")
    write_annotations(read_annotations(first, facts=facts), second, target, "rec.edf")
    read = read_annotations(second, facts=facts)
    assert intervals(read) == [(10.5, 20.25), (100.0, 160.0)]
    assert read.known_duration_s() == 600.0


@pytest.mark.parametrize("name", FORMATS)
def test_no_seizure_at_all_comes_back_as_none(tmp_path: Path, name: Format) -> None:
    target = tmp_path / NAMES[name]
    write_annotations(AnnotationFile((), 600.0), target, name, "rec.edf")
    read = read_annotations(target, facts=RecordingFacts("rec.edf"))
    assert (read.track(), read.duration_s) == ((), 600.0)


@pytest.mark.parametrize("name", [f for f in FORMATS if f != "csv_bi"])
def test_a_format_that_needs_the_duration_says_so(name: Format) -> None:
    with pytest.raises(InputError, match=r"duration.*--duration"):
        encode(AnnotationFile((Annotation(1, 2, "seiz"),)), name, "rec.edf")


def test_a_duration_from_elsewhere_stands_above_the_file_s(tmp_path: Path) -> None:
    target = tmp_path / "rec.tse"
    target.write_text("version = tse_v1.0.0\n0 10 bckg 1\n10 20 seiz 1\n", encoding="utf-8")
    assert read_annotations(target, facts=RecordingFacts(duration_s=60.0)).duration_s == 60.0
    cut = read_annotations(target, facts=RecordingFacts(duration_s=15.0))
    assert cut.seizures == ((10.0, 15.0),)
    assert cut.warnings[-1] == "cut at the recording's end (15 s): 10 s .. 20 s (line 3)"
    with pytest.raises(InputError, match="line 3: event starts after the recording"):
        read_annotations(target, facts=RecordingFacts(duration_s=8.0))


def test_what_cannot_be_expressed_is_an_output_error() -> None:
    with pytest.raises(OutputError, match="a day or longer"):
        encode(AnnotationFile((), 90000.0), "siena", "rec.edf")


@pytest.mark.parametrize("content", [b"", b"   \n", b"hello\n", b"\x89PNG\r\n", b"onset;duration;what\n1;2;sz\n"])
def test_other_content_is_no_annotation_format(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "x.dat"
    target.write_bytes(content)
    assert sniff(target) is None
    with pytest.raises(InputError, match="no annotation format"):
        read_annotations(target)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        sniff(tmp_path / "absent")


def test_a_suffix_that_says_nothing_asks_for_the_format() -> None:
    assert for_file("x.TSV", convertible(), "--to").name == "tsv"
    with pytest.raises(UsageError, match="suffix"):
        for_file("x.txt", convertible(), "--to")


# ---- shared checks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(5, 3)], "line 11: event is reversed (5 s .. 3 s)"),
        ([(5, 5)], "line 11: event has no length (5 s .. 5 s)"),
        ([(-1, 3)], "line 11: event starts before the recording (-1 s .. 3 s)"),
        ([(100, 101)], "line 11: event starts after the recording (100 s .. 101 s, duration 100 s)"),
        ([(99.9995, 101)], "line 11: event starts after the recording"),
        ([(5, 20), (30, 40), (19, 25)], "line 13: event 19 s .. 25 s overlaps the one of line 11 (5 s .. 20 s)"),
    ],
)
def test_errors_name_the_line(rows: list[tuple[float, float]], message: str) -> None:
    file = AnnotationFile(
        tuple(Annotation(a, b, "seiz") for a, b in rows), 100.0, tuple(range(11, 11 + len(rows))), "x.csv_bi"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        within_recording(check_intervals(file))


@pytest.mark.parametrize("confidence", [-0.01, 1.01, 85.0, float("nan")])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(InputError, match=r"line 4: confidence .* is outside 0\.\.1"):
        check_confidence(Annotation(5, 9, "seiz", confidence), "x.tse", 4)


@pytest.mark.parametrize(
    ("rows", "kept", "n_cut"),
    [
        ([(10, 20)], [(10, 20)], 0),
        ([(10, 100)], [(10, 100)], 0),
        ([(10, 100.0009)], [(10, 100.0009)], 0),  # rounding
        ([(95, 104)], [(95, 100)], 1),
        ([(95, 700)], [(95, 100)], 1),
        ([(99, 101), (98, 103)], [(99, 100), (98, 100)], 2),
    ],
)
def test_what_runs_past_the_end_is_cut_there(
    rows: list[tuple[float, float]], kept: list[tuple[float, float]], n_cut: int
) -> None:
    file = within_recording(AnnotationFile(tuple(Annotation(a, b, "seiz") for a, b in rows), 100.0))
    assert [(row.onset_s, row.offset_s) for row in file.annotations] == kept
    assert [text.count(" s .. ") for text in file.warnings] == ([n_cut] if n_cut else [])
    background = AnnotationFile((Annotation(50, 104, "bckg"), Annotation(104, 110, "bckg")), 100.0, (1, 2))
    assert within_recording(background).annotations == (Annotation(50, 100, "bckg"),)
    assert within_recording(background).lines == (1,)
    assert not within_recording(background).warnings
    unknown = AnnotationFile((Annotation(5, 1e6, "seiz"),))
    assert within_recording(unknown) is unknown


spans_of_readers = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 60)), min_size=1, max_size=8)


@given(spans_of_readers, st.sampled_from(["seiz", "fnsz"]))
def test_the_union_of_readers_is_what_any_of_them_marked(spans: list[tuple[int, int]], label: str) -> None:
    rows = tuple(Annotation(a, a + length, label) for a, length in spans)
    file = joined(AnnotationFile((*rows, Annotation(0, 600, "bckg")), 600.0))
    check_intervals(file)
    assert file.seizures == AnnotationFile(rows).seizures
    assert Annotation(0, 600, "bckg") in file.annotations
    n_seizures = len(file.annotations) - 1
    assert bool(file.warnings) == (n_seizures < len(rows))


def test_channels_of_a_seizure_are_kept_for_formats_that_know_them() -> None:
    rows = (Annotation(10, 20, "seiz", 1.0, "T3"), Annotation(10, 25, "seiz", 1.0, "T5"), Annotation(40, 50, "seiz"))
    file = AnnotationFile(rows, 100.0)
    assert [row.channel for row in file.track_with_channels()] == ["T3,T5", "TERM"]
    assert b"T3,T5" in encode(file, "tsv", "x.edf")
    assert losses(file, "csv_bi") == ("csv_bi holds no channels: what was marked on T3, T5 counts for all",)
    assert losses(file, "tsv") == losses(file, "tusz_csv") == ()


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("rows", [(), (Annotation(60.0, 70.0, "seiz"),)])
def test_unscored_time_is_kept_or_told_and_never_background(
    tmp_path: Path, format_name: Format, rows: tuple[Annotation, ...]
) -> None:
    file = AnnotationFile(rows, 100.0, start=datetime(2020, 1, 1, 22), comments=("unscored 0 50", "unscored 80 100"))
    target = tmp_path / NAMES[format_name]
    write_annotations(file, target, format_name, "rec.edf")
    back = read_annotations(target, facts=RecordingFacts("rec.edf"))
    if not losses(file, format_name):
        assert back.unscored == ((0.0, 50.0), (80.0, 100.0))
        return
    assert losses(file, format_name) == (
        f"{format_name} cannot say that 70 s were not scored: they count as without seizure",
    )
    told = [(row.onset_s, row.offset_s) for row in back.annotations if row.label == BACKGROUND]
    assert told in ([], [(50.0, 80.0)])
    assert back.seizures == tuple((row.onset_s, row.offset_s) for row in rows)
    assert back.duration_s in (None, 100.0)


@pytest.mark.parametrize(
    ("said", "known", "told"),
    [
        ("2020-01-01T10:00:00", datetime(2020, 1, 1, 10), False),
        ("2020-01-01T10:00:00", datetime(2020, 1, 1, 10, 0, 0, 500000), False),
        ("2020-01-01T10:00:00", datetime(2020, 1, 1, 11), True),
        ("2020-01-01T10:00:00", datetime(2000, 1, 1, 10), True),
        ("2020-01-01 10:00:02", datetime(2020, 1, 1, 10), True),
        ("n/a", datetime(2000, 1, 1, 10), False),
        ("2020-01-01T10:00:00", None, False),
    ],
)
def test_a_start_that_disagrees_is_told(tmp_path: Path, said: str, known: datetime | None, told: bool) -> None:
    target = tmp_path / "x_events.tsv"
    target.write_text(f"onset\tduration\teventType\tdateTime\n5\t7\tsz\t{said}\n", encoding="utf-8")
    file = read_annotations(target, facts=RecordingFacts(start=known))
    assert any("apart" in text for text in file.warnings) == told
    assert file.start == (known or datetime.fromisoformat(said))
    assert file.seizures == ((5.0, 12.0),)


def test_other_things_alone_are_no_statement_that_there_is_no_seizure(tmp_path: Path) -> None:
    target = tmp_path / "x_events.tsv"
    target.write_text("onset\tduration\teventType\n5\t7\timpd\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"names no seizure and no background .*impd \(1\).*--allow-none"):
        read_annotations(target)
    assert read_annotations(target, allow_none=True).seizures == ()
    target.write_text("onset\tduration\teventType\n5\t7\timpd\n0\t60\tbckg\n", encoding="utf-8")
    assert read_annotations(target).seizures == ()


def test_seizures_of_different_channels_may_overlap_and_become_their_union() -> None:
    rows = (
        Annotation(10, 20, "fnsz", 0.5, "FP1-F7"),
        Annotation(15, 30, "fnsz", 0.9, "FP2-F8"),
        Annotation(40, 50, "fnsz", 1.0, "FP1-F7"),
        Annotation(45, 50, "gnsz", 1.0, "FP2-F8"),
        Annotation(60, 70, "bckg", 1.0, "FP2-F8"),
    )
    file = check_intervals(AnnotationFile(rows, 100.0))
    assert file.seizures == ((10, 30), (40, 50))
    assert file.track() == (Annotation(10, 30, "fnsz", 0.9), Annotation(40, 50, "seiz", 1.0))


def test_rounding_past_the_end_is_cut() -> None:
    file = check_intervals(AnnotationFile((Annotation(10, 100.0004, "seiz"),), 100.0))
    assert file.track()[0].offset_s == 100.0


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("seiz", "seiz"),
        (" Seizure ", "seiz"),
        ("SZ", "seiz"),
        ("FNSZ", "fnsz"),
        ("sz_foc_ia", "sz_foc_ia"),
        ("background", "bckg"),
        ("eyes open", None),
        ("no seizure", None),
        ("", None),
    ],
)
def test_what_a_text_means(text: str, label: str | None) -> None:
    assert label_of(text) == label
    assert (label is not None and is_seizure(label)) == (label not in (None, "bckg"))


def test_start_times_survive_midnight(tmp_path: Path) -> None:
    rows = (Annotation(3700.0, 3710.0, "seiz"),)
    file = AnnotationFile(rows, 7200.0, start=datetime(2020, 1, 1, 23, 30))
    for name in ("siena", "chbmit"):
        target = tmp_path / NAMES[name]
        write_annotations(file, target, name, "rec.edf")
        read = read_annotations(target, facts=RecordingFacts("rec.edf"))
        assert (intervals(read), read.duration_s) == ([(3700.0, 3710.0)], 7200.0)
    assert "00.31.40" in (tmp_path / NAMES["siena"]).read_text(encoding="utf-8")


def test_an_unknown_start_stays_unknown(tmp_path: Path) -> None:
    for name in CLOCKED:
        target = tmp_path / NAMES[name]
        write_annotations(AnnotationFile((Annotation(1, 2, "seiz"),), 60.0), target, name, "rec.edf")
        assert read_annotations(target).start is None
        given_start = datetime(2021, 5, 6) + timedelta(hours=1)
        assert read_annotations(target, facts=RecordingFacts(start=given_start)).start == given_start


@pytest.mark.parametrize(("duration_s", "n_warnings"), [(60.0, 0), (60.9, 0), (142.0, 1)])
def test_the_annotation_of_another_recording_is_told(tmp_path: Path, duration_s: float, n_warnings: int) -> None:
    target = tmp_path / "a.csv_bi"
    write_annotations(AnnotationFile((Annotation(1, 2, "seiz"),), 60.0), target)
    read = read_annotations(target, facts=RecordingFacts(duration_s=duration_s))
    assert read.duration_s == duration_s
    assert len(read.warnings) == n_warnings
