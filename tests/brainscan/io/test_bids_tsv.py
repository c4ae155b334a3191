"""BIDS events: the exact columns, and what another reader makes of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.events import Annotation, Event
from brainscan.io.annotation_file import check_intervals
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
        ("1\t2\tseizure\t1\tn/a\tn/a\t60", "line 2: unknown event type 'seizure'"),
        ("1\tn/a\tsz\t1\tn/a\tn/a\t60", "line 2: duration is no number"),
        ("1\t-2\tsz\t1\tn/a\tn/a\t60", "line 2: event is reversed"),
        ("1\t2\tsz\t1\tn/a\tn/a", "line 2: has 6 columns instead of 7"),
        ("1\t2\tsz\t1\tn/a\tyesterday\t60", "line 2: dateTime is no date and time"),
        ("1\t99\tsz\t1\tn/a\tn/a\t60", "line 2: event ends after the recording"),
        ("1\t2\tsz\t1\tn/a\tn/a\t60\n3\t4\tsz\t1\tn/a\tn/a\t61", "line 3: rows disagree"),
        ("1\t5\tsz\t1\tn/a\tn/a\t60\n3\t4\tsz\t1\tn/a\tn/a\t60", "line 3: .* overlaps the one of line 2"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_intervals(read_bids_tsv(written(tmp_path, f"{HEADER}\n{row}\n")))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column 'eventType'"):
        read_bids_tsv(written(tmp_path, "onset\tduration\ttrial_type\n"))
