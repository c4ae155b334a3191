"""CHB-MIT summaries as the corpus has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.io.annotations import RecordingFacts, read_annotations
from brainscan.io.chbmit import read_chbmit_summary, recordings_of_summary
from brainscan.io.reading import read
from tests.edf_files import FakeEdf, eeg

SUMMARY = """Data Sampling Rate: 256 Hz
*************************

Channels in EDF Files:
**********************
Channel 1: FP1-F7
Channel 2: F7-T7

File Name: chb01_01.edf
File Start Time: 11:42:54
File End Time: 12:42:54
Number of Seizures in File: 0

File Name: chb01_03.edf
File Start Time: 13:43:04
File End Time: 14:43:04
Number of Seizures in File: 1
Seizure Start Time: 2996 seconds
Seizure End Time: 3036 seconds

File Name: chb12_42.edf
File Start Time: 23:30:00
File End Time: 24:30:10
Number of Seizures in File: 2
Seizure 1 Start Time:  699 seconds
Seizure 1 End Time: 750 seconds
Seizure 2 Start Time: 945 seconds
Seizure 2 End Time: 973 seconds

File Name: chb24_01.edf
Number of Seizures in File: 1
Seizure 1 Start Time: 480 seconds
Seizure 1 End Time: 505 seconds
"""


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    target = tmp_path / "chb-summary.txt"
    target.write_text(SUMMARY, encoding="utf-8")
    return target


def test_recordings_in_order(summary: Path) -> None:
    assert recordings_of_summary(summary) == ("chb01_01.edf", "chb01_03.edf", "chb12_42.edf", "chb24_01.edf")


@pytest.mark.parametrize(
    ("recording", "seizures", "duration_s"),
    [
        ("chb01_01.edf", (), 3600.0),
        ("chb01_03.edf", ((2996, 3036),), 3600.0),
        ("chb12_42.edf", ((699, 750), (945, 973)), 3610.0),
        ("chb24_01.edf", ((480, 505),), None),
    ],
)
def test_old_and_new_key_forms(
    summary: Path, recording: str, seizures: tuple[tuple[float, float], ...], duration_s: float | None
) -> None:
    file = read_chbmit_summary(summary, recording)
    assert (file.seizures, file.duration_s) == (seizures, duration_s)


@pytest.mark.parametrize(("end", "duration_s"), [("00:30:10", 3610.0), ("24:30:10", 3610.0), ("47:30:00", 86400.0)])
def test_both_ways_to_write_the_morning_after(tmp_path: Path, end: str, duration_s: float) -> None:
    target = tmp_path / "s.txt"
    target.write_text(SUMMARY.replace("24:30:10", end), encoding="utf-8")
    assert read_chbmit_summary(target, "chb12_42.edf").duration_s == duration_s


def _recorded(folder: Path, begins: str, duration_s: int) -> None:
    fields = {"time": begins, "date": "06.11.76"}
    data = FakeEdf(eeg(n_records=duration_s, samples=16), duration_s, fields=fields).data()
    (folder / "chb01_03.edf").write_bytes(data)


@pytest.mark.parametrize(
    ("begins", "duration_s", "start", "end", "doubts"),
    [
        ("13.43.04", 60, "13:43:04", "13:44:04", ()),
        ("13.43.04", 60, "13:43:05", "13:44:05", ()),  # seconds are rounded
        ("23.59.30", 60, "23:59:30", "24:00:30", ()),
        ("23.59.30", 60, "23:59:30", "00:00:30", ()),
        ("13.43.04", 60, "13:43:04", "14:44:04", ("lasts 3660 s, the recording 60 s (1 h off)",)),
        ("13.43.04", 60, "13:43:04", "12:44:04", ("lasts 82860 s, the recording 60 s",)),
        ("13.43.04", 60, "13:43:04", "13:45:04", ("lasts 120 s, the recording 60 s: ",)),
        ("13.43.04", 60, "12:43:04", "12:44:04", ("start at 12:43:04, the recording says 13:43:04 (1 h off)",)),
        ("13.43.04", 60, "14:43:04", "14:44:04", ("start at 14:43:04, the recording says 13:43:04 (1 h off)",)),
        ("00.10.00", 60, "23:10:00", "23:11:00", ("(1 h off)",)),
        ("13.43.04", 60, "10:00:00", "10:01:00", ("start at 10:00:00, the recording says 13:43:04: ",)),
        ("13.43.04", 60, "12:43:04", "13:44:04", ("lasts 3660 s", "start at 12:43:04")),
    ],
)
def test_clock_times_are_held_against_the_recording(
    tmp_path: Path, begins: str, duration_s: int, start: str, end: str, doubts: tuple[str, ...]
) -> None:
    _recorded(tmp_path, begins, duration_s)
    path = tmp_path / "chb01-summary.txt"
    path.write_text(
        f"File Name: chb01_03.edf\nFile Start Time: {start}\nFile End Time: {end}\nNumber of Seizures in File: 1\n"
        "Seizure Start Time: 20 seconds\nSeizure End Time: 35 seconds\n",
        encoding="utf-8",
    )
    opened = read(tmp_path / "chb01_03.edf")
    known = RecordingFacts("chb01_03.edf", opened.duration_s, opened.start)
    for facts in (RecordingFacts(), known):  # the recording is found beside the summary, or its facts are known
        file = read_annotations(path, facts=facts)
        assert (file.duration_s, file.seizures) == (60.0, ((20.0, 35.0),))
        assert len(file.warnings) == len(doubts), file.warnings
        assert all(doubt in text for doubt, text in zip(doubts, file.warnings, strict=True))


@pytest.mark.parametrize(
    ("end", "doubts"), [("12:42:54", 0), ("13:43:00", 0), ("14:43:00", 1), ("10:42:54", 1), ("11:42:00", 1)]
)
def test_without_the_recording_a_summary_is_held_against_itself(tmp_path: Path, end: str, doubts: int) -> None:
    path = tmp_path / "chb01-summary.txt"
    path.write_text(SUMMARY.replace("File End Time: 12:42:54", f"File End Time: {end}"), encoding="utf-8")
    assert len(read_chbmit_summary(path, "chb01_01.edf").warnings) == doubts


def test_a_recording_that_is_not_listed_is_an_error(summary: Path) -> None:
    with pytest.raises(InputError, match=r"does not list chb99\.edf.*chb01_01\.edf"):
        read_chbmit_summary(summary, "chb99.edf")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Seizure 2 End Time: 973 seconds\n", "", "line 21: chb12_42.edf has 2 seizure starts and 1 ends"),
        ("File: 2", "File: 3", "line 21: chb12_42.edf announces 3 seizures and lists 2"),
        ("973 seconds", "abc", "line 28: 'abc' is no number of seconds"),
        ("Time:  699", "Time:  760", "line 25: event is reversed"),
        ("23:30:00", "half past", "line 22: 'half past' is no clock time"),
        ("945", "740", "line 27: .* overlaps the one of line 25"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    target = tmp_path / "s.txt"
    assert SUMMARY.count(old) == 1
    target.write_text(SUMMARY.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_chbmit_summary(target, "chb12_42.edf")


def test_another_text_is_no_summary(tmp_path: Path) -> None:
    target = tmp_path / "s.txt"
    target.write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(InputError, match="no CHB-MIT summary"):
        recordings_of_summary(target)
