"""What ``import brainscan`` gives: the names, what they take, and how they show themselves."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

import brainscan
from brainscan.detector import Detector
from brainscan.errors import MissingExtraError
from brainscan.io.reading import as_recording
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts

_RATE_HZ = 100


@pytest.fixture
def detector() -> Detector:
    """Return a detector that takes loud for ictal."""
    return Detector(LoudnessRunner(), quick())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return an EDF of 70 s."""
    path = tmp_path / "night.edf"
    path.write_bytes(FakeEdf(eeg(n_records=70), 70).data())
    return path


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(set(brainscan.__all__)) == sorted(brainscan.__all__)
    for name in brainscan.__all__:
        found = getattr(brainscan, name)
        assert name == "__version__" or found.__doc__.strip(), name
    assert set(brainscan.__all__) <= set(dir(brainscan))


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'detekt'"):
        brainscan.detekt  # noqa: B018


def test_detect_takes_a_path_a_recording_or_a_raw(detector: Detector, file: Path) -> None:
    mne = pytest.importorskip("mne")
    by_path = detector.detect(file)
    by_text = detector.detect(str(file))
    by_recording = detector.detect(brainscan.read(file))
    raw = mne.io.read_raw_edf(file, verbose="ERROR")
    by_raw = detector.detect(raw)
    assert by_path.events == by_text.events == by_recording.events
    assert by_path.sha256 == by_recording.sha256 != ""
    assert (by_raw.duration_s, len(by_raw.events)) == (by_path.duration_s, len(by_path.events))


@pytest.mark.parametrize("wrong", [b"night.edf", 3, None, ["a.edf"], np.zeros((19, 100))])
def test_anything_else_is_a_type_error_that_names_what_is_taken(detector: Detector, wrong: object) -> None:
    with pytest.raises(TypeError, match=r"Recording.*path.*mne\.io\.Raw, got " + type(wrong).__name__):
        detector.detect(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"path.*got " + type(wrong).__name__):
        brainscan.read(wrong)  # type: ignore[arg-type]


def test_options_of_another_type_are_named(detector: Detector, file: Path) -> None:
    with pytest.raises(TypeError, match=r"DetectOptions, got dict"):
        detector.detect(file, {"max_missing": 9})  # type: ignore[arg-type]


def test_a_recording_stays_what_it_is() -> None:
    recording = recording_of(noise(3.0, _RATE_HZ), _RATE_HZ)
    assert as_recording(recording) is recording


def test_one_line_detects() -> None:
    sample = Path(__file__).resolve().parents[2] / "examples" / "sample.edf"
    detection = brainscan.detect(sample, brainscan.DetectOptions(max_missing=2), run=brainscan.RunConfig(device="cpu"))
    assert len(detection.events) >= 2
    assert detection.model["max_missing"] == 2


def test_one_line_opens_the_recording_before_the_model(tmp_path: Path) -> None:
    program = (
        "import sys, brainscan\n"
        "try:\n    brainscan.detect('absent.edf')\n"
        "except brainscan.BrainscanError as error:\n    print(error.kind, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["io", "False"]


def test_representations_tell_what_matters(detector: Detector) -> None:
    recording = recording_of(with_bursts(noise(200.0, _RATE_HZ), _RATE_HZ, [(30, 50)]), _RATE_HZ)
    assert repr(recording) == f"<Recording {recording.name!r}: array, 200 s, 19 channels, 100 Hz>"
    assert repr(detector.detect(recording)) == f"<Detection {recording.name!r}: 1 seizure in 200 of 200 s>"
    assert repr(detector) == "<Detector 'loudness': loudness, float32, on at 0.6, off below 0.4>"


def test_a_recording_with_gaps_and_rates_shows_both() -> None:
    parts = recording_of([(0.0, noise(10.0, _RATE_HZ)), (20.0, noise(10.0, _RATE_HZ))], _RATE_HZ)
    assert "30 s, 2 segments, 19 channels" in repr(parts)


def test_events_as_a_table(detector: Detector) -> None:
    pandas = pytest.importorskip("pandas")
    quiet = detector.detect(recording_of(noise(100.0, _RATE_HZ), _RATE_HZ))
    loud = detector.detect(
        recording_of(with_bursts(noise(200.0, _RATE_HZ), _RATE_HZ, [(30, 50), (150, 170)]), _RATE_HZ)
    )
    both = pandas.concat([quiet.to_dataframe(), loud.to_dataframe()], ignore_index=True)
    assert list(both["onset_s"]) == [event.onset_s for event in loud.events]
    assert list(both["duration_s"]) == [event.duration_s for event in loud.events]
    assert dict(quiet.to_dataframe().dtypes) == dict(loud.to_dataframe().dtypes)
    times = {"file", "onset_s", "offset_s", "duration_s", "confidence", "prolonged", "clock"}
    assert set(both.columns) == times | {"side", "leading"}


def test_the_table_holds_clock_times(detector: Detector, file: Path) -> None:
    pytest.importorskip("pandas")
    from dataclasses import replace

    detection = replace(
        detector.detect(file),
        start=datetime(2024, 2, 1, 23, 59, 50),
        events=(brainscan.Event(20.0, 40.0, 0.9),),
    )
    assert detection.to_dataframe()["clock"].tolist() == [datetime(2024, 2, 2, 0, 0, 10)]


def test_without_pandas_the_extra_is_named(detector: Detector, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detection = detector.detect(file)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match="brainscan\\[pandas\\]"):
        detection.to_dataframe()


def test_a_recording_is_read_by_electrode_label_or_index(file: Path) -> None:
    recording = brainscan.read(file)
    label = recording.labels[1]
    by_name = recording.read(["Fp1", label.lower()], 0, 10)
    by_index = recording.read([recording.labels.index("Fp1"), 1], 0.0, 10.0)
    for first, second in zip(by_name.uv, by_index.uv, strict=True):
        np.testing.assert_array_equal(first, second)
    with pytest.raises(TypeError, match="list of indices"):
        recording.read("Fp1", 0, 10)
    with pytest.raises(ValueError, match="no channel is called 'Fpp1'"):
        recording.read(["Fpp1"], 0, 10)
