"""`Detection.save`: the suffix says the format, and nothing is lost in it or written over without a word."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.errors import OutputError, UsageError
from brainscan.io.annotations import read_annotations
from brainscan.io.event_formats import origin_of
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, quick


@pytest.fixture
def night(tmp_path: Path) -> Path:
    path = tmp_path / "night.edf"
    path.write_bytes(FakeEdf(eeg(n_records=20), 20).data())
    return path


@pytest.fixture
def detection(night: Path) -> Detection:
    detector = Detector(LoudnessRunner(half_uv=0.0), quick(min_duration_s=0.0))
    return detector.detect(night, DetectOptions(keep_probabilities=True))


@pytest.mark.parametrize("name", ["x.csv_bi", "x.json", "x.tse", "x.csv"])
def test_the_suffix_says_the_format(detection: Detection, tmp_path: Path, name: str) -> None:
    saved = detection.save(str(tmp_path / name))
    assert saved == tmp_path / name
    assert [(a.onset_s, a.offset_s) for a in read_annotations(saved).track()] == [
        (e.onset_s, e.offset_s) for e in detection.events
    ]
    assert origin_of(saved) is not None
    detection.save(saved)  # made alike: replaced
    other = replace(detection, model={**detection.model, "max_missing": 9})
    with pytest.raises(OutputError, match="other settings"):
        other.save(saved)
    other.save(saved, force=True)


def test_what_is_lost_is_a_warning(detection: Detection, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="cannot say that these are brainscan's own events"):
        detection.save(tmp_path / "x.tsv")


def test_a_named_format_and_curves(detection: Detection, tmp_path: Path) -> None:
    assert json.loads(detection.save(tmp_path / "x", "json").read_text("utf-8"))["file"] == "night.edf"
    assert origin_of(detection.save(tmp_path / "x.npz")) is not None
    with pytest.raises(UsageError, match="keep_probabilities"):
        replace(detection, probabilities=()).save(tmp_path / "y.npz")


@pytest.mark.parametrize("name", ["x.edf", "x.txt", "x.vhdr"])
def test_other_suffixes_are_refused(detection: Detection, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        detection.save(tmp_path / name)


def test_a_recording_is_never_written_over(detection: Detection, night: Path, tmp_path: Path) -> None:
    before = night.read_bytes()
    link = tmp_path / "link.json"
    link.symlink_to(night)
    with pytest.raises(OutputError, match="never overwritten"):
        detection.save(link, force=True)
    assert night.read_bytes() == before
    with pytest.raises(TypeError, match="got int"):
        detection.save(3)  # type: ignore[arg-type]
