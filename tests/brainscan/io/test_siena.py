"""Siena seizure lists with the slips that the corpus has."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.errors import InputError
from brainscan.io.clock import clock_of_seconds, seconds_of_clock
from brainscan.io.siena import read_siena_list, recordings_of_list

LIST = """Data Sampling Rate: 512 Hz
************************************
Channels in EDF Files:
Channel 1: Fp1

Seizure n 1
File name: PN00-1.edf
Registration start time: 19.39.33
Registration end time:  20.22.58
Seizure start time: 19.58.36
Seizure end time: 19.59.46

Seizure n 2
File name: PNO6-2.edf
Registration start time:2 1.11.29
Registration end time: 07:02:12
Seizure start time: 02.53.25
Seizure end time: 02.55.19

Seizure n 1 (in seconds)
File name: PN01.edf
Registration start time: 19.00.44
Registration end time: 08.01.00

Seizure n 1
Start time: 21:51:02
End time: 21:51:56

Seizure n 2
Start time: 07:53:17
End time: 07:54:31
"""


@pytest.fixture
def seizure_list(tmp_path: Path) -> Path:
    target = tmp_path / "Seizures-list-PN00.txt"
    target.write_text(LIST, encoding="utf-8")
    return target


def test_clock_times_become_seconds(seizure_list: Path) -> None:
    file = read_siena_list(seizure_list, "PN00-1.edf")
    assert (file.seizures, file.duration_s) == (((1143.0, 1213.0),), 2605.0)


def test_times_past_midnight_and_stray_blanks(seizure_list: Path) -> None:
    file = read_siena_list(seizure_list, "PNO6-2.edf")
    assert (file.seizures, file.duration_s) == (((20516.0, 20630.0),), 35443.0)


def test_one_file_with_several_seizures_under_one_name(seizure_list: Path) -> None:
    file = read_siena_list(seizure_list, "PN01.edf")
    assert file.seizures == ((10218.0, 10272.0), (46353.0, 46427.0))


@pytest.mark.parametrize(("asked", "listed"), [("PN06-2.edf", "PNO6-2.edf"), ("PN01-1.edf", "PN01.edf")])
def test_known_slips_in_names_are_forgiven_with_a_warning(seizure_list: Path, asked: str, listed: str) -> None:
    file = read_siena_list(seizure_list, asked)
    assert file.seizures == read_siena_list(seizure_list, listed).seizures
    assert file.warnings == (f"{asked} is taken for {listed} of the list",)


def test_recordings_in_order(seizure_list: Path) -> None:
    assert recordings_of_list(seizure_list) == ("PN00-1.edf", "PNO6-2.edf", "PN01.edf")


def test_a_recording_that_is_not_listed_is_an_error(seizure_list: Path) -> None:
    with pytest.raises(InputError, match=r"does not list PN99\.edf"):
        read_siena_list(seizure_list, "PN99.edf")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Registration start time: 19.39.33\n", "", "PN00-1.edf has no registration start time"),
        ("Seizure end time: 19.59.46\n", "", "line 10: PN00-1.edf has 1 seizure starts and 0 ends"),
        ("19.58.36", "19.61.36", "line 10: '19.61.36' is no clock time"),
        ("19.58.36", "19.59.56", "line 10: event is reversed"),
        ("File name: PN00-1.edf\n", "", "line 7: 'Registration start time' before any file name"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    target = tmp_path / "list.txt"
    assert LIST.count(old) == 1
    target.write_text(LIST.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_siena_list(target, "PN00-1.edf")


def test_another_text_is_no_list(tmp_path: Path) -> None:
    target = tmp_path / "list.txt"
    target.write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(InputError, match="no Siena seizure list"):
        recordings_of_list(target)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("18.15.44", 65744.0), ("18:15:44", 65744.0), ("1 6.49.25", 60565.0), ("0:00:00.5", 0.5), ("26:20:05", 94805.0)],
)
def test_clock_times(text: str, seconds: float) -> None:
    assert seconds_of_clock(text) == seconds


@pytest.mark.parametrize("text", ["", "12:30", "12:60:00", "noon", "1:2:3:4"])
def test_what_is_no_clock_time(text: str) -> None:
    with pytest.raises(ValueError, match="no clock time"):
        seconds_of_clock(text)


def test_clock_text() -> None:
    assert (clock_of_seconds(86399.99999), clock_of_seconds(0.25, ".")) == ("24:00:00", "00.00.00.2500")
