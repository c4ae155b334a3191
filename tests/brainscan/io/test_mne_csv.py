"""MNE-Python's CSV: what it writes we read, what we write it reads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import AnnotationFile, check_intervals, joined
from brainscan.io.event_formats import sniff
from brainscan.io.mne_csv import format_mne_csv, read_mne_csv

START = datetime(2020, 1, 2, 23, 0, 0)


def written(tmp_path: Path, text: str) -> Path:
    target = tmp_path / "x.csv"
    target.write_text(text, encoding="utf-8")
    return target


def intervals(file: AnnotationFile) -> list[tuple[float, float]]:
    return [(row.onset_s, row.offset_s) for row in file.track()]


def test_seconds_are_taken_for_seconds_with_a_warning(tmp_path: Path) -> None:
    file = read_mne_csv(written(tmp_path, "onset,duration,description\n12.5,7.5,seizure\n"))
    assert intervals(file) == [(12.5, 20.0)]
    assert "seconds" in file.warnings[0]


def test_clock_times_count_from_the_recording_s_start(tmp_path: Path) -> None:
    target = written(tmp_path, "onset,duration,description\n2020-01-03 00:00:10.5,5.0,sz\n")
    assert intervals(read_mne_csv(target, START)) == [(3610.5, 3615.5)]
    with pytest.raises(InputError, match=r"line 2: onset is a clock time.*--recording"):
        read_mne_csv(target)


@pytest.mark.parametrize("start", [None, START])
def test_what_mne_writes_is_read(tmp_path: Path, start: datetime | None) -> None:
    mne = pytest.importorskip("mne")
    pytest.importorskip("pandas")
    target = tmp_path / "x-annot.csv"
    origin = None if start is None else start.replace(tzinfo=UTC)
    mne.Annotations([10.25, 30.0], [5.0, 60.5], ["seiz", "BAD_move"], orig_time=origin).save(target, overwrite=True)
    assert intervals(read_mne_csv(target, start)) == [(10.25, 15.25)]


@pytest.mark.parametrize("start", [None, START])
def test_mne_reads_what_we_write(tmp_path: Path, start: datetime | None) -> None:
    mne = pytest.importorskip("mne")
    pytest.importorskip("pandas")
    rows = (Annotation(10.25, 15.25, "fnsz"), Annotation(100.0, 130.0, "seiz"))
    target = written(tmp_path, format_mne_csv(AnnotationFile(rows, 600.0, start=start)))
    theirs = mne.read_annotations(target)
    assert theirs.onset.tolist() == pytest.approx([0.0, 10.25, 100.0])
    assert theirs.duration.tolist() == pytest.approx([600.0, 5.0, 30.0])
    assert theirs.description.tolist() == ["bckg", "fnsz", "seiz"]
    assert theirs.orig_time == (None if start is None else start.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("5,1,possible seizure", "not understood: line 2: 'possible seizure' at 5 s"),
        (
            "2020-01-02 23:00:05+01:00,1,seiz\n2020-01-02 23:00:09+02:00,1,seiz",
            r"differ in their offset from UTC \(\+01:00 and \+02:00\)",
        ),
        ("2020-01-02 23:00:05+01:00,1,seiz\n2020-01-02 23:00:09,1,seiz", "differ in their offset from UTC"),
        ("5,x,seiz", "line 2: duration is no number"),
        ("5,-1,seiz", "line 2: duration is no number"),
        ("soon,1,seiz", "line 2: onset is neither"),
        ("5,1", "line 2: has too few columns"),
        ("1970-01-01 00:00:05,1,seiz\n7,1,seiz", "line 3: onset is a number where others are clock times"),
        ("5,0,seiz", "line 2: event has no length"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_intervals(read_mne_csv(written(tmp_path, f"onset,duration,description\n{rows}\n")))


@pytest.mark.parametrize("offset", ["+00:00", "Z", "-08:00", "+05:30"])
def test_an_offset_from_utc_is_told(tmp_path: Path, offset: str) -> None:
    target = written(tmp_path, f"onset,duration,description\n2020-01-02 23:00:10{offset},5,seizure\n")
    file = read_mne_csv(target, START)
    assert intervals(file) == [(10.0, 15.0)]
    assert "offset from UTC" in file.warnings[0]


def test_a_start_with_an_offset_is_written_so_that_mne_reads_it(tmp_path: Path) -> None:
    mne = pytest.importorskip("mne")
    pytest.importorskip("pandas")
    rows = (Annotation(10.25, 15.25, "seiz"),)
    target = written(tmp_path, format_mne_csv(AnnotationFile(rows, 600.0, start=START.replace(tzinfo=UTC))))
    theirs = mne.read_annotations(target)
    assert (theirs.orig_time, theirs.onset.tolist()) == (START.replace(tzinfo=UTC), pytest.approx([0.0, 10.25]))


def test_channels_and_other_descriptions(tmp_path: Path) -> None:
    rows = '5,4,seizure,T3:T5\n7,4,Seizure 2,T3:T5\n20,4,eyes open,""\n30,4,sz,\n'
    file = joined(read_mne_csv(written(tmp_path, f"onset,duration,description,ch_names\n{rows}")))
    assert file.annotations == (Annotation(5, 11, "seiz", 1.0, "T3,T5"), Annotation(30, 34, "seiz"))
    assert file.lines == (2, 5)
    assert file.n_passed == 1
    assert any("two readers" in text for text in file.warnings)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column 'description'"):
        read_mne_csv(written(tmp_path, "onset,duration,label\n"))


def test_an_empty_table_is_no_seizure(tmp_path: Path) -> None:
    assert read_mne_csv(written(tmp_path, "onset,duration,description\n")).track() == ()


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("\ufeffonset;duration;description\r\n279,9;17,2;sz\r\n406,6;79,2;sz\r\n", True),
        ('\ufeff"onset";"duration";"description"\r\n"279,9";"17,2";"sz"\r\n"406,6";"79,2";"sz"\r\n', True),
        ('\ufeff"onset","duration","description"\r\n"279.9","17.2","sz"\r\n"406.6","79.2","sz"\r\n', False),
        ("onset;duration;description\n279.9;17.2;sz\n406.6;79.2;sz\n;;\n;;\n", False),
        ("onset,duration,description\n279.9,17.2,sz,,\n406.6,79.2,sz,,\n,,,,\n", False),
    ],
)
def test_what_spreadsheets_make_of_it_is_read(tmp_path: Path, text: str, warned: bool) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    assert sniff(path) == "mne_csv"
    file = read_mne_csv(path)
    assert file.seizures == ((279.9, 297.1), (406.6, 485.8))
    assert any("decimal commas" in warning for warning in file.warnings) == warned


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("number", ["279,9", "1,279", "1,279.9", "1.279,9"])
def test_a_comma_that_may_part_thousands_is_not_guessed(tmp_path: Path, separator: str, number: str) -> None:
    path = tmp_path / "a.csv"
    rows = (("onset", "duration", "description"), (f'"{number}"', "10", "sz"))
    path.write_text("\n".join(map(separator.join, rows)), encoding="utf-8")
    with pytest.raises(InputError, match="line 2: onset is neither seconds nor a clock time"):
        read_mne_csv(path)
