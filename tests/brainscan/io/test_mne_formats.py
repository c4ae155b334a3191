from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brainscan
from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError, MissingExtraError
from brainscan.events import Event
from brainscan.io import from_raw, open_plan, read
from brainscan.survey import survey

mne = pytest.importorskip("mne")


def _raw(labels: tuple[str, ...] = ELECTRODES, seconds: int = 20, **kwargs: Any) -> Any:
    rng = np.random.default_rng(0)
    info = mne.create_info(list(labels), 128.0, kwargs.pop("types", "eeg"))
    return mne.io.RawArray(rng.normal(0, 20e-6, (len(labels), 128 * seconds)), info, verbose="ERROR", **kwargs)


def _brainvision(folder: Path, data: str = "a.eeg", *, write: bool = True) -> Path:
    channels = "".join(f"Ch{i}={name},,0.1,µV\n" for i, name in enumerate(ELECTRODES, start=1))
    text = (
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={data}\nMarkerFile=a.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        "NumberOfChannels=19\nSamplingInterval=10000\n[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\n" + channels
    )
    (folder / "a.vhdr").write_text(text, encoding="utf-8")
    (folder / "a.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nDataFile=a.eeg\n[Marker Infos]\n"
        "Mk1=New Segment,,1,1,0,20240503093000000000\nMk2=Comment,spike,501,1,0\nMk3=New Segment,,1001,1,0\n",
        encoding="utf-8",
    )
    if write:
        np.random.default_rng(1).integers(-400, 400, (2000, 19)).astype("<i2").tofile(folder / "a.eeg")
    return folder / "a.vhdr"


def test_a_raw_object_is_a_recording() -> None:
    raw = _raw()
    recording = from_raw(raw)
    assert (recording.format, recording.duration_s, recording.labels) == ("array", 20.0, ELECTRODES)
    samples = recording.read([3, 1, 3], 2.0, 5.5)
    np.testing.assert_allclose(samples.uv[0], raw.get_data()[3, 256:704] * 1e6)
    np.testing.assert_allclose(samples.uv[1], raw.get_data()[1, 256:704] * 1e6)
    np.testing.assert_array_equal(samples.uv[0], samples.uv[2])
    assert not open_plan(recording).warnings
    assert brainscan.from_raw(raw).labels == ELECTRODES


def test_second_zero_is_the_first_sample() -> None:
    raw = _raw(first_samp=256)
    raw.set_meas_date(datetime(2024, 5, 3, 9, 30, tzinfo=UTC))
    raw.set_annotations(mne.Annotations([5.0], [1.5], ["note"]))
    recording = from_raw(raw)
    assert recording.start == datetime(2024, 5, 3, 9, 30, 2)
    (note,) = recording.annotations
    assert (note.onset_s, note.offset_s, note.label) == (5.0, 6.5, "note")
    cropped = from_raw(raw.copy().crop(4.0))
    assert [a.onset_s for a in cropped.annotations] == [1.0]


def test_boundaries_and_skips_make_segments() -> None:
    raw = _raw()
    raw.set_annotations(mne.Annotations([4.0, 10.0], [0.0, 3.0], ["boundary", "BAD_ACQ_SKIP"]))
    recording = from_raw(raw)
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 4), (4, 6), (13, 7)]
    whole = raw.get_data()[0] * 1e6
    np.testing.assert_allclose(recording.read([0], 14.0, 16.0).uv[0], whole[14 * 128 : 16 * 128])
    assert any("3 parts" in w for w in recording.warnings)


def test_bad_and_foreign_channels_are_left_out() -> None:
    raw = _raw((*ELECTRODES, "C3x", "MEG1"), types=["eeg"] * 19 + ["seeg", "mag"])
    raw.info["bads"] = ["Pz"]
    recording = from_raw(raw)
    assert [c.label for c in recording.channels if c.uv_per_unit is None] == ["Pz", "C3x", "MEG1"]
    assert np.isnan(recording.read([ELECTRODES.index("Pz")], 0, 1).uv[0]).all()
    assert open_plan(recording).missing == ("Pz",)


def test_running_numbers_of_duplicates_come_off() -> None:
    recording = from_raw(_raw(("T8-P8-0", "F3", "T8-P8-1", "A-3")))
    assert recording.labels == ("T8-P8", "F3", "T8-P8", "A-3")


def test_brainvision(tmp_path: Path) -> None:
    recording = read(_brainvision(tmp_path))
    data = np.fromfile(tmp_path / "a.eeg", "<i2").reshape(-1, 19)
    assert recording.format == "BrainVision"
    assert recording.start == datetime(2024, 5, 3, 9, 30)
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 10), (10, 10)]
    np.testing.assert_allclose(recording.read([2], 11.0, 12.0).uv[0], 0.1 * data[1100:1200, 2], atol=1e-9)
    assert any(a.label.endswith("spike") and a.onset_s == 5.0 for a in recording.annotations)
    assert recording.sha256 is not None


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ("gone.eeg", "io", "gone.eeg is missing"),
        ("../a.eeg", "header", "same folder"),
        ("/etc/passwd", "header", "same folder"),
        ("C:\\data\\a.eeg", "header", "same folder"),
        ("", "header", "same folder"),
    ],
)
def test_brainvision_looks_only_beside_itself(tmp_path: Path, data: str, kind: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read(_brainvision(tmp_path, data))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("data", "marker", "beside", "told"),
    [
        ("old.eeg", "a.vmrk", "a.eeg", "a.eeg lies beside it: correct the header's line to DataFile=a.eeg"),
        ("old.eeg", "old.vmrk", "a.eeg", "a.eeg and a.vmrk lie beside it: correct the header's lines to"
         " DataFile=a.eeg and MarkerFile=a.vmrk"),
        ("a.eeg", "old.vmrk", "a.eeg", "a.vmrk lies beside it: correct the header's line to MarkerFile=a.vmrk"),
        ("a.EEG", "a.vmrk", "a.eeg", "correct the header's line to DataFile=a.eeg"),
        ("old.dat", "a.vmrk", "a.dat", "correct the header's line to DataFile=a.dat"),
        ("C:\\data\\a.eeg", "a.vmrk", "a.eeg", "correct the header's line to DataFile=a.eeg"),
        ("../raw/old.eeg", "a.vmrk", "a.eeg", "correct the header's line to DataFile=a.eeg"),
        ("old.eeg", "a.vmrk", "another.eeg", "copy all files of the recording into one folder"),
    ],
)  # fmt: skip
def test_brainvision_tells_the_line_to_correct(tmp_path: Path, data: str, marker: str, beside: str, told: str) -> None:
    path = _brainvision(tmp_path, data)
    (tmp_path / "a.eeg").rename(tmp_path / beside)
    path.write_text(path.read_text(encoding="utf-8").replace("MarkerFile=a.vmrk", f"MarkerFile={marker}"), "utf-8")
    with pytest.raises(InputError) as caught:
        read(path)
    assert told in caught.value.hint
    line = next((part for part in told.split() if part.startswith(("DataFile=", "MarkerFile="))), None)
    if line and told.count("=") == 1:  # what it says helps
        key, right = line.split("=")
        path.write_text(
            path.read_text(encoding="utf-8").replace(
                f"{key}={data if key == 'DataFile' else marker}", f"{key}={right}"
            ),
            "utf-8",
        )
        assert read(path).duration_s == 20.0


def test_brainvision_that_names_another_recording_is_told(tmp_path: Path) -> None:
    path = _brainvision(tmp_path, "b.eeg")
    (tmp_path / "b.eeg").write_bytes((tmp_path / "a.eeg").read_bytes())
    assert any("DataFile=b.eeg is read, although a.eeg lies beside" in w for w in read(path).warnings)


def test_fif(tmp_path: Path) -> None:
    raw = _raw()
    raw.save(tmp_path / "a_raw.fif", verbose="ERROR")
    recording = read(tmp_path / "a_raw.fif")
    assert recording.format == "FIF"
    np.testing.assert_allclose(recording.read([0], 0.0, 20.0).uv[0], raw.get_data()[0] * 1e6, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cut", [40, 400])
def test_damaged_files_are_one_error(tmp_path: Path, cut: int) -> None:
    _raw().save(tmp_path / "a_raw.fif", verbose="ERROR")
    (tmp_path / "b_raw.fif").write_bytes((tmp_path / "a_raw.fif").read_bytes()[:cut])
    with pytest.raises(InputError):
        read(tmp_path / "b_raw.fif")
    (tmp_path / "b.set").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(cut))
    with pytest.raises(InputError):
        read(tmp_path / "b.set")


def test_a_cut_fif_is_told(tmp_path: Path) -> None:
    _raw().save(tmp_path / "a_raw.fif", verbose="ERROR")
    (tmp_path / "b_raw.fif").write_bytes((tmp_path / "a_raw.fif").read_bytes()[:3000])
    recording = read(tmp_path / "b_raw.fif")
    assert any("cut short" in w for w in recording.warnings)
    with pytest.raises(InputError):
        recording.read([0], 0.0, 1.0)


def test_without_mne_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _brainvision(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        read(path)
    assert caught.value.kind == "extra"
    assert 'pip install "brainscan[mne]"' in str(caught.value)


def test_detections_go_back_to_mne(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = _raw(first_samp=256)
    detection = replace(survey(from_raw(raw)), events=(Event(3.0, 5.5, 0.9), Event(10.0, 12.0, 0.8)))
    annotations = detection.to_mne()
    raw.set_annotations(annotations)
    assert [(a.onset_s, a.offset_s, a.label) for a in from_raw(raw).annotations] == [
        (3.0, 5.5, "seizure"),
        (10.0, 12.0, "seizure"),
    ]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="mne"):
        detection.to_mne()
