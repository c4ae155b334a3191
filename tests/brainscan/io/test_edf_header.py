"""Header fields by clause: dates (EDF+ 2.1.3, FAQ 2), numbers, number of signals, patients."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from brainscan.errors import InputError
from brainscan.io import read
from brainscan.io.edf_header import text_of
from brainscan.recording import Recording
from tests.edf_files import FakeEdf, eeg


def _read(tmp_path: Path, reserved: str = "", **fields: Any) -> Recording:
    path = tmp_path / "a.edf"
    path.write_bytes(FakeEdf(eeg(n_records=3), 3, reserved=reserved, fields=fields).data())
    return read(path)


@pytest.mark.parametrize(
    ("date", "time", "recording", "start"),
    [
        ("01.02.24", "10.30.59", "", datetime(2024, 2, 1, 10, 30, 59)),
        ("01.01.85", "00.00.00", "", datetime(1985, 1, 1)),
        ("31.12.84", "23.59.59", "", datetime(2084, 12, 31, 23, 59, 59)),
        ("01.06.85", "10.00.00", "Startdate 01-JUN-2085 X X X", datetime(2085, 6, 1, 10)),
        ("99.99.99", "10.00.00", "Startdate 01-jun-2021 X X X", datetime(2021, 6, 1, 10)),
        ("03/05/24", "09:30:00", "", datetime(2024, 5, 3, 9, 30)),
        ("01.02.24", "10.30.59", "Startdate 31-FEB-2020 X X X", datetime(2024, 2, 1, 10, 30, 59)),
        ("00.00.00", "00.00.00", "", None),
        ("32.13.99", "25.61.61", "Startdate 32-XXX-1899 X X X", None),
        ("XX.XX.XX", "XX.XX.XX", "", None),
        ("", "", "", None),
    ],
)
def test_edfplus_dates(tmp_path: Path, date: str, time: str, recording: str, start: datetime | None) -> None:
    assert _read(tmp_path, "EDF+C", date=date, time=time, recording=recording).start == start


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"n_signals": 0}, "number of signals"),
        ({"n_signals": -1}, "number of signals"),
        ({"n_signals": "31 E"}, "'31 E'"),
        ({"n_signals": 9999}, "9999 signals need 2560000 bytes"),
        ({"header_bytes": 256 * 19}, "length field reads '4864'"),
        ({"header_bytes": 0}, "length field"),
        ({"record_s": 0}, "duration of a record"),
        ({"record_s": "-1"}, "duration of a record"),
        ({"record_s": "1e999999"}, "duration of a record"),
        ({"record_s": "nan"}, "duration of a record"),
        ({"record_s": "inf"}, "duration of a record"),
        ({"record_s": ""}, "duration of a record"),
    ],
)
def test_an_unknowable_layout_is_refused(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        _read(tmp_path, **fields)
    assert caught.value.kind == "header"
    assert words in caught.value.message


def test_unreadable_samples_per_record_are_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    signals = eeg(n_records=3)
    signals[1] = replace(signals[1], samples_field="abc")
    path = tmp_path / "a.edf"
    path.write_bytes(FakeEdf(signals, 3).data())
    with pytest.raises(InputError, match="samples per record of signal 2") as caught:
        read(path)
    assert caught.value.kind == "header"


@pytest.mark.parametrize(
    ("reserved", "width", "kind"),
    [("", 2, "EDF"), ("EDF+C", 2, "EDF+C"), ("edf+d", 2, "EDF+D"), ("24BIT", 3, "BDF"), ("BDF+C", 3, "BDF+C"),
     ("reserved", 2, "EDF")],
)  # fmt: skip
def test_formats(tmp_path: Path, reserved: str, width: int, kind: str) -> None:
    digital = ("-8388608", "8388607") if width == 3 else ("-32768", "32767")
    path = tmp_path / "a.dat"
    path.write_bytes(FakeEdf(eeg(n_records=3, digital=digital), 3, reserved=reserved, width=width).data())
    assert read(path).format == kind


def test_an_odd_version_with_a_consistent_header_is_read_with_a_warning(tmp_path: Path) -> None:
    recording = _read(tmp_path, version="EDFX1.0")
    assert recording.duration_s == 3
    assert "version" in recording.warnings[0]


@pytest.mark.parametrize(
    ("patient", "recording", "years"),
    [
        ("MCH-0234567 F 16-SEP-1987 Haagse_Harry", "Startdate 16-SEP-2002 X X X", 15.0),
        ("X M 01-JAN-2024 X", "Startdate 11-JAN-2024 X X X", 10 / 365.25),
        ("X X X X", "Startdate 11-JAN-2024 X X X", None),
        ("X M 01-JAN-2030 X", "Startdate 11-JAN-2024 X X X", None),
        ("Harry 1987", "Startdate 11-JAN-2024 X X X", None),
        ("X M 01-JAN-1900 X", "Startdate 11-JAN-2024 X X X", None),  # not known
        ("X M 16-SEP-1950 X", "Startdate 01-JAN-1985 X X X", None),
        ("X M 16-SEP-1850 X", "Startdate 11-JAN-2024 X X X", None),
        ("Jones of 16-SEP-1987", "Startdate 11-JAN-2024 X X X", None),  # somebody's prose
    ],
)
def test_age_from_the_birthday(tmp_path: Path, patient: str, recording: str, years: float | None) -> None:
    age = _read(tmp_path, "EDF+C", patient=patient, recording=recording).age_years
    assert age == (None if years is None else pytest.approx(years, abs=0.01))


@pytest.mark.parametrize(
    ("patient", "year", "years"),
    [("00000258 M 01-JAN-1966 00000258 Age:41", 7, 41.0), ("Harry F", 7, None), ("0258 M 1966 41", 7, None)],
)
def test_plain_edf_may_tell_the_age_as_edf_plus_does(
    tmp_path: Path, patient: str, year: int, years: float | None
) -> None:
    age = _read(tmp_path, "", patient=patient, date=f"02.01.{year:02d}").age_years
    assert age == (None if years is None else pytest.approx(years, abs=0.02))


@pytest.mark.parametrize(
    ("field", "text"),
    [(b"Fp1  ", "Fp1"), (b"Fp1\0\0", "Fp1"), (b"\xb5V", "µV"), (b"\xc2\xb5V", "µV"), (b"a\x1b[31mb", "a [31mb")],
)
def test_fields_are_decoded_without_control_bytes(field: bytes, text: str) -> None:
    assert text_of(field) == text


def test_non_ascii_and_nul_padded_headers_are_read(tmp_path: Path) -> None:
    fields = {
        "patient": "Müller".encode(),
        "recording": b"caf\xe9\0\0",
        "n_records": b"3\0\0\0",
        "reserved": b"\0" * 44,
    }
    assert _read(tmp_path, **fields).duration_s == 3
