"""Tables of EDFbrowser, Luna, Persyst: what we write is read back, theirs are understood, what is no use is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mne
import pytest

from brainscan.detector import Detector
from brainscan.errors import InputError
from brainscan.events import Annotation, Event
from brainscan.io import read
from brainscan.io.annotation_file import AnnotationFile
from brainscan.io.annotations import read_annotations
from brainscan.io.content import Content
from brainscan.io.edfbrowser_csv import format_edfbrowser_csv, read_edfbrowser_csv
from brainscan.io.event_formats import FORMATS, sniff
from brainscan.io.luna_annot import format_luna, read_luna
from brainscan.io.outputs import pieces
from brainscan.io.persyst_comments import read_persyst_comments
from tests.stand_ins import LoudnessRunner, noise, quick
from tests.vendor_files import RATE_HZ, persyst

ROWS = (
    Annotation(12.34, 20.01, "seiz"),
    Annotation(30.0, 45.5, "fnsz"),
    Annotation(60.12, 71.98, "seiz"),
)
FILE = AnnotationFile(ROWS, 300.0)


@pytest.mark.parametrize("name", ["edfbrowser", "luna", "persyst"])
def test_what_is_written_is_recognised_and_read_back(tmp_path: Path, name: str) -> None:
    row = FORMATS[name]
    assert row.encode is not None
    path = tmp_path / f"night{row.suffixes[0]}"
    path.write_bytes(b"".join(row.encode(Content(FILE, "night.edf"))))
    assert sniff(path) == name
    held = read_annotations(path)
    assert [(a.onset_s, a.offset_s, a.label) for a in held.track()] == [(a.onset_s, a.offset_s, a.label) for a in ROWS]


@pytest.mark.parametrize("name", ["edfbrowser", "luna", "persyst"])
def test_no_event_is_a_table_without_rows(tmp_path: Path, name: str) -> None:
    row = FORMATS[name]
    assert row.encode is not None
    path = tmp_path / f"night{row.suffixes[0]}"
    path.write_bytes(b"".join(row.encode(Content(AnnotationFile((), 300.0), "night.edf"))))
    assert read_annotations(path).track() == ()


def test_edfbrowser_s_own_export(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Onset,Duration,Annotation\n+12.5000000,+7.5000000,seizure\n+30.0000000,,Eyes closed\n")
    held = read_edfbrowser_csv(path)
    assert [(a.onset_s, a.offset_s) for a in held.annotations] == [(12.5, 20.0)]
    assert held.n_passed == 1


def test_luna_keeps_a_row_a_channel_and_passes_other_classes_over(tmp_path: Path) -> None:
    two = AnnotationFile((Annotation(1.0, 9.0, "seiz", 1.0, "T3,F7"),), 300.0)
    text = format_luna(two)
    assert [line.split("\t")[2] for line in text.splitlines()[2:]] == ["T3", "F7"]
    path = tmp_path / "night.annot"
    path.write_text("# N2 | stage\n" + text + "N2\t.\t.\t30\t60\t.\n")
    held = read_luna(path)
    assert held.seizures == ((1.0, 9.0),)
    assert {a.channel for a in held.annotations if a.label == "seiz"} == {"T3", "F7"}
    assert held.n_passed == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Onset,Duration\n1,2\n", "annotation"),
        ("Onset,Duration,Annotation\n0:01:00,2,seizure\n", "line 2"),
        ("Onset,Duration,Annotation\n1,-2,seizure\n", "reversed"),
    ],
)
def test_what_edfbrowser_cannot_mean_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_edfbrowser_csv(path)


@pytest.mark.parametrize(
    ("row", "said"), [("seizure\t.\t.\t1", "4 columns"), ("seizure\t.\t.\t0:00:01\t9\t.", "line 1")]
)
def test_what_luna_cannot_mean_is_told(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "bad.annot"
    path.write_text(row + "\n")
    with pytest.raises(InputError, match=said):
        read_luna(path)


def test_persyst_s_seconds_count_what_was_recorded(tmp_path: Path) -> None:
    """Ten seconds are recorded, then thirty are not; what is written then is read from the .lay at the same times."""
    lay, _ = persyst(tmp_path, noise(120.0, RATE_HZ), {0: 79200.0, 10 * RATE_HZ: 79240.0})
    recording = read(lay)
    assert [(s.start_s, s.stop_s) for s in recording.segments] == [(0.0, 10.0), (40.0, 150.0)]
    detection = Detector(LoudnessRunner(), quick()).detect(recording)
    placed = replace(detection, events=(Event(1.0, 6.0, 0.9), Event(60.0, 75.5, 0.8)))
    lines = b"".join(pieces(Content.of(placed, recording), FORMATS["persyst"])).decode().splitlines()
    seizures = [line for line in lines if line.endswith(",seizure")]
    assert lines[:2] == ["[Comments]", "0.0000,120.0000,0,100,recording"]
    assert seizures == ["1.0000,5.0000,0,100,seizure", "30.0000,15.5000,0,100,seizure"]
    assert {line.rsplit(",", 1)[1] for line in lines[2:]} == {"bckg", "seizure"}
    with lay.open("a", encoding="utf-8") as stream:
        stream.write("\n".join(seizures) + "\n")
    noted = [(a.onset_s, a.offset_s, a.label) for a in read(lay).annotations if a.label == "seizure"]
    assert noted == [(7.0, 9.0, "seizure"), (1.0, 6.0, "seizure"), (60.0, 75.5, "seizure")]
    assert read_persyst_comments(lay).seizures == ((1.0, 6.0), (7.0, 9.0), (60.0, 75.5))
    assert sniff(lay) == "persyst"
    raw = mne.io.read_raw_persyst(lay, verbose="ERROR")  # knows no pauses: seconds of what was recorded
    onsets = [a["onset"] for a in raw.annotations if a["description"] == "seizure"]
    assert sorted(onsets) == [1.0, 7.0, 30.0]


def test_edfbrowser_s_columns_are_those_of_its_export() -> None:
    assert format_edfbrowser_csv(FILE).splitlines()[:3] == [
        "Onset,Duration,Annotation",
        "0.0000,300.0000,bckg",
        "12.3400,7.6700,seizure",
    ]
