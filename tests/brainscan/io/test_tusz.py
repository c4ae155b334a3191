"""The Temple corpora's per-channel CSV and TSE."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import AnnotationFile, check_intervals
from brainscan.io.tusz import format_tse, format_tusz_csv, read_tse, read_tusz_csv

HEAD = """# version = csv_v1.0.0
# bname = aaaaaaaa_s001_t000
# duration = 100.0000 secs
# montage_file = montage.txt
# annotation_label_file = labels.txt
#
channel,start_time,stop_time,label,confidence
"""

SEIZURES = ("gnsz", "fnsz", "cpsz", "absz", "spsz", "tcsz", "tnsz", "mysz", "cnsz", "atsz", "seiz")


def written(tmp_path: Path, rows: str, name: str = "x.csv") -> Path:
    target = tmp_path / name
    target.write_text((HEAD if name == "x.csv" else "") + rows, encoding="utf-8")
    return target


def test_seizures_are_the_union_over_channels(tmp_path: Path) -> None:
    rows = "FP1-F7,0.0000,10.0000,bckg,1.0000\nFP1-F7,10.0000,20.0000,fnsz,1.0000\nF7-T3,15.0000,30.0000,fnsz,1.0000\n"
    file = read_tusz_csv(written(tmp_path, rows))
    assert file.seizures == ((10.0, 30.0),)
    assert file.duration_s == 100.0
    assert [row.channel for row in file.annotations] == ["FP1-F7", "FP1-F7", "F7-T3"]


@pytest.mark.parametrize("label", SEIZURES)
def test_every_seizure_label_is_known(tmp_path: Path, label: str) -> None:
    assert read_tusz_csv(written(tmp_path, f"TERM,1.0,2.0,{label},1.0\n")).seizures == ((1.0, 2.0),)


def test_a_non_epileptic_seizure_is_background_with_a_warning(tmp_path: Path) -> None:
    file = read_tusz_csv(written(tmp_path, "TERM,1.0,2.0,nesz,1.0\n"))
    assert file.seizures == ()
    assert "nesz" in file.warnings[0]


@pytest.mark.parametrize("label", ["slow", "artf", "SEIZ", "eyem", ""])
def test_an_unknown_label_is_an_error(tmp_path: Path, label: str) -> None:
    with pytest.raises(InputError, match=f"line 8: unknown label '{label}'.*absz"):
        read_tusz_csv(written(tmp_path, f"TERM,1.0,2.0,{label},1.0\n"))


def test_overlap_within_a_channel_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 9: .* overlaps the one of line 8"):
        check_intervals(read_tusz_csv(written(tmp_path, "C3-CZ,1.0,5.0,fnsz,1.0\nC3-CZ,4.0,6.0,fnsz,1.0\n")))


def test_an_event_on_several_channels_has_a_row_on_each(tmp_path: Path) -> None:
    rows = (Annotation(10, 20, "fnsz", 1.0, "T3,T5"), Annotation(15, 30, "fnsz", 0.5, "T5"))
    target = tmp_path / "x.csv"
    target.write_text(format_tusz_csv(AnnotationFile(rows, 100.0), "x.edf"), encoding="utf-8")
    read = check_intervals(read_tusz_csv(target))
    assert [(a.channel, a.onset_s, a.offset_s) for a in read.annotations if a.label == "fnsz"] == [
        *(("T3", 10, 20), ("T5", 10, 20), ("T5", 20, 30))
    ]


def test_channels_come_back(tmp_path: Path) -> None:
    rows = (Annotation(10, 20, "fnsz", 1.0, "FP1-F7"), Annotation(15, 30, "gnsz", 0.5, "F7-T3"))
    target = tmp_path / "x.csv"
    target.write_text(format_tusz_csv(AnnotationFile(rows, 100.0), "x.edf"), encoding="utf-8")
    read = read_tusz_csv(target)
    assert tuple(row for row in read.annotations if row.label != "bckg") == rows
    lengths = {c: sum(r.offset_s - r.onset_s for r in read.annotations if r.channel == c) for c in ("FP1-F7", "F7-T3")}
    assert lengths == {"FP1-F7": 100.0, "F7-T3": 100.0}


def test_tse_tiles_and_tells_the_duration(tmp_path: Path) -> None:
    file = read_tse(written(tmp_path, "version = tse_v1.0.0\n\n0.0 10.0 bckg 1.0\n10.0 20.5 fnsz 0.9\n", "x.tse"))
    assert (file.seizures, file.duration_s) == (((10.0, 20.5),), 20.5)


def test_tse_text() -> None:
    file = AnnotationFile((Annotation(10, 20, "fnsz"),), 60.0)
    assert format_tse(file).splitlines() == [
        "version = tse_v1.0.0",
        "",
        "0.0000 10.0000 bckg 1.0000",
        "10.0000 20.0000 fnsz 1.0000",
        "20.0000 60.0000 bckg 1.0000",
    ]


def test_types_that_the_corpus_does_not_know_become_seiz() -> None:
    assert " seiz " in format_tse(AnnotationFile((Annotation(10, 20, "sz_foc_ia"),), 60.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 10 bckg 1\n", "no TSE file"),
        ("version = tse_v1.0.0\n", "no rows"),
        ("version = tse_v1.0.0\n0 10\n", "line 2: has 2 columns"),
        ("version = tse_v1.0.0\n0 x bckg 1\n", "line 2: .* numbers"),
        ("version = tse_v1.0.0\n0 nan bckg 1\n", "line 2: .* finite"),
        ("version = tse_v1.0.0\n0 10 wave 1\n", "line 2: unknown label 'wave'"),
        ("version = tse_v1.0.0\n0 10 seiz 1\n5 20 seiz 1\n", "line 3: .* overlaps the one of line 2"),
        ("version = tse_v1.0.0\n10 0 seiz 1\n", "line 2: event is reversed"),
    ],
)
def test_tse_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_intervals(read_tse(written(tmp_path, text, "x.tse")))
