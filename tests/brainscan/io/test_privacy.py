"""Patient fields appear nowhere, also where damage moves them into other fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainscan.errors import InputError
from brainscan.io import read
from brainscan.survey import survey
from tests.edf_files import FakeEdf, eeg

SECRETS = ("ZQXVJ", "16-SEP-1987", "1987", "WYKKB", "4711082", "GHJPT")
PATIENT = "ZQXVJ4711082 F 16-SEP-1987 WYKKB_GHJPT"
RECORDING = "Startdate 02-MAR-2020 ZQXVJ4711082 WYKKB GHJPT"


def _file(reserved: str, **fields: Any) -> bytes:
    return FakeEdf(
        eeg(n_records=12), 12, reserved=reserved, onsets=[f"+{t}" for t in range(12)],
        fields={"patient": PATIENT, "recording": RECORDING, **fields},
    ).data()  # fmt: skip


def _told(path: Path) -> str:
    """Return everything that we say of a file, as text."""
    try:
        recording = read(path)
        detection = survey(recording)
    except InputError as error:
        return f"{error!r} {error} {error.as_mapping()}"
    return f"{recording!r} {detection!r} {recording.warnings} {detection.warnings}"


@pytest.mark.parametrize("reserved", ["", "EDF+C", "EDF+D"])
@pytest.mark.parametrize("fields", [{}, {"n_records": "WYKKB"}, {"date": "GHJPT"}, {"version": "ZQXVJ"}])
def test_no_patient_field_is_told(tmp_path: Path, reserved: str, fields: dict[str, str]) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(_file(reserved, **fields))
    told = _told(path)
    assert not [secret for secret in SECRETS if secret in told]


@pytest.mark.parametrize("field", ["header_bytes", "record_s", "n_signals", "n_records"])
def test_a_name_in_a_number_is_masked(tmp_path: Path, field: str) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(_file("", **{field: "WYKKB"}))
    assert "WYK" not in _told(path)


@pytest.mark.parametrize("cut", [*range(1, 60), 80, 160, 161, 168, 240])
def test_a_shifted_header_tells_no_patient(tmp_path: Path, cut: int) -> None:
    data = _file("EDF+C")
    path = tmp_path / "a.edf"
    path.write_bytes(data[:8] + data[8 + cut :])
    told = _told(path)
    assert not [secret for secret in SECRETS if secret in told]


def test_the_age_is_kept_and_the_birthday_not(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(_file("EDF+C"))
    recording = read(path)
    assert recording.age_years == pytest.approx(32.5, abs=0.1)
    assert "1987" not in repr(recording)
