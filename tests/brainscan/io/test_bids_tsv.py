"""BIDS events: the exact columns, and what another reader makes of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.events import Annotation, Event
from brainscan.io.annotation_file import check_intervals, joined
from brainscan.io.bids_tsv import format_bids_tsv, read_bids_tsv

HEADER = "onset\tduration\teventType\tconfidence\tchannels\tdateTime\trecordingDuration"


def written(tmp_path: Path, text: str) -> Path:
    target = tmp_path / "x_events.tsv"
    target.write_text(text, encoding="utf-8")
    return target


def test_the_exact_text() -> None:
    text = format_bids_tsv([Event(10.1, 15.3, 0.91)], 600.0, datetime(2020, 1, 2, 3, 4, 5))
    assert text == f"{HEADER}\n10.1000\t5.2000\tsz\t0.9100\tn/a\t2020-01-02 03:04:05\t600.0000\n"


def test_nothing_found_is_a_background_row_over_the_recording() -> None:
    assert format_bids_tsv([], 600.0) == f"{HEADER}\n0.0000\t600.0000\tbckg\tn/a\tn/a\tn/a\t600.0000\n"


def test_the_reader_of_the_corpora_tools_agrees(tmp_path: Path) -> None:
    epilepsy2bids = pytest.importorskip("epilepsy2bids.annotations")
    target = written(
        tmp_path, format_bids_tsv([Event(10.1, 15.3, 0.91), Event(20, 30, 1)], 600.25, datetime(2020, 1, 2))
    )
    theirs = epilepsy2bids.Annotations.loadTsv(str(target))
    assert [tuple(round(t, 6) for t in event) for event in theirs.getEvents()] == [(10.1, 15.3), (20.0, 30.0)]
    assert theirs.events[0]["recordingDuration"] == 600.25
    assert theirs.events[0]["dateTime"] == datetime(2020, 1, 2)
    empty = epilepsy2bids.Annotations.loadTsv(str(written(tmp_path, format_bids_tsv([], 600.0))))
    assert empty.getEvents() == []


def test_finer_types_and_channels_are_kept(tmp_path: Path) -> None:
    rows = [Annotation(1, 2, "sz_foc_ia", 0.5, "T3,T5"), Annotation(3, 4, "fnsz")]
    read = read_bids_tsv(written(tmp_path, format_bids_tsv(rows, 60.0)))
    assert read.annotations == (rows[0], Annotation(3, 4, "seiz"))


def test_columns_may_stand_in_another_order_and_some_may_lack(tmp_path: Path) -> None:
    read = read_bids_tsv(written(tmp_path, "eventType\tonset\tduration\nsz\t5\t7\n"))
    assert read.annotations == (Annotation(5, 12, "seiz"),)
    assert read.duration_s is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1\t2\tpossible seizure\t1\tn/a\tn/a\t60", "not understood: line 2: 'possible seizure' at 1 s"),
        ("1\t0\tsz\t1\tn/a\tn/a\t60", "line 2: event has no length"),
        ("1\tn/a\tsz_start\t1\tn/a\tn/a\t60", "line 2: seizure start at 1 s has no end"),
        ("1\tn/a\tsz\t1\tn/a\tn/a\t60", "line 2: duration is no number"),
        ("1\t-2\tsz\t1\tn/a\tn/a\t60", "line 2: event is reversed"),
        ("1\t2\tsz\t1\tn/a\tn/a", "line 2: has 6 columns instead of 7"),
        ("1\t2\tsz\t1\tn/a\tyesterday\t60", "line 2: dateTime is no date and time"),
        ("1\t2\tsz\t1\tn/a\tn/a\t60\n3\t4\tsz\t1\tn/a\tn/a\t61", "line 3: rows disagree"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_intervals(read_bids_tsv(written(tmp_path, f"{HEADER}\n{row}\n")))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column 'eventType' or 'trial_type' \(columns: onset, duration, value\)"):
        read_bids_tsv(written(tmp_path, "onset\tduration\tvalue\n"))
    with pytest.raises(InputError, match="no column 'onset'"):
        read_bids_tsv(written(tmp_path, "time\tduration\ttrial_type\n"))


@pytest.mark.parametrize(
    "row",
    [
        "120\t40\timpd\t1\tn/a\tn/a\t60",
        "n/a\tn/a\timpd\tn/a\tn/a\tn/a\tn/a",
        "-5\t-3\tartifact\t85\tn/a\tyesterday\t61",
        "5\t9999\teyes closed\t\t\t\t",
        "5\t3\tblink",  # a row that is too short
        "5\t3\tphotic\t1\tn/a\tn/a\t60\textra",
        "5\t3\tn/a\t1\tn/a\tn/a\t60",
        "5\t3\tinterictal\t1\tn/a\tn/a\t60",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_rows_about_other_things_are_passed_over_whatever_they_hold(tmp_path: Path, row: str, first: bool) -> None:
    seizure = "10\t20\tsz\t1\tn/a\tn/a\t60"
    rows = [row, seizure] if first else [seizure, row]
    read = read_bids_tsv(written(tmp_path, "\n".join([HEADER, *rows]) + "\n"))
    assert read.annotations == (Annotation(10, 30, "seiz"),)
    assert read.lines == (3 if first else 2,)
    assert (read.n_passed, len(read.warnings)) == (1, 1)
    assert "(1)" in read.warnings[0]


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("sz", "seiz"),
        ("seizure", "seiz"),
        ("Seizure 2", "seiz"),
        ("sz_foc_ia", "sz_foc_ia"),
        ("sz_foc_ia_m_automatisms", "sz_foc_ia_m_automatisms"),
        ("GTCS", "tcsz"),
        ("Anfall", "seiz"),
        ("bckg", "bckg"),
    ],
)
@pytest.mark.parametrize("column", ["eventType", "trial_type", "event_type", "EVENTTYPE"])
def test_either_column_says_what_a_row_is(tmp_path: Path, column: str, kind: str, label: str) -> None:
    read = read_bids_tsv(written(tmp_path, f"onset\tduration\t{column}\n5\t7\t{kind}\n"))
    assert read.annotations == (Annotation(5, 12, label),)


def test_event_type_stands_above_trial_type_where_it_says_something(tmp_path: Path) -> None:
    text = "onset\tduration\ttrial_type\teventType\n5\t7\tsz\timpd\n20\t7\tsz\tn/a\n40\t7\trest\tsz\n"
    assert read_bids_tsv(written(tmp_path, text)).seizures == ((20, 27), (40, 47))


def test_marks_of_beginning_and_end_need_no_duration(tmp_path: Path) -> None:
    text = "onset\tduration\ttrial_type\n5\tn/a\tseizure_start\n25\t0\tseizure_end\n"
    assert read_bids_tsv(written(tmp_path, text)).seizures == ((5, 25),)


def test_two_readers_rows_are_joined(tmp_path: Path) -> None:
    text = f"{HEADER}\n1\t5\tsz\t1\tn/a\tn/a\t60\n3\t4\tsz\t1\tn/a\tn/a\t60\n"
    read = joined(read_bids_tsv(written(tmp_path, text)))
    assert read.annotations == (Annotation(1, 7, "seiz"),)
    assert read.warnings == ("seizures that overlap (two readers?) are joined: 1 s .. 6 s with 3 s .. 7 s",)


@pytest.mark.parametrize(("offset", "n_warnings"), [("", 0), ("Z", 1), ("+00:00", 1), ("+02:00", 1), ("-05:30", 1)])
def test_an_offset_from_utc_is_told_and_left_out(tmp_path: Path, offset: str, n_warnings: int) -> None:
    text = f"onset\tduration\teventType\tdateTime\n5\t7\tsz\t2020-03-01T23:25:00{offset}\n"
    read = read_bids_tsv(written(tmp_path, text))
    assert read.start == datetime(2020, 3, 1, 23, 25)
    assert len(read.warnings) == n_warnings
    assert all("offset from UTC" in text for text in read.warnings)


def test_starts_that_differ_between_rows_are_told(tmp_path: Path) -> None:
    rows = "5\t7\tsz\t2020-03-01T23:25:00\n20\t7\tsz\t2020-03-01T23:25:15\n"
    read = read_bids_tsv(written(tmp_path, f"onset\tduration\teventType\tdateTime\n{rows}"))
    assert read.start == datetime(2020, 3, 1, 23, 25)
    assert "differs between rows" in read.warnings[0]
