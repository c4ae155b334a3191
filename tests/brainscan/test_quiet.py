"""A stretch known to be quiet raises the thresholds by what it reads above calm background, or is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.span import quiet_stretch
from brainscan.card import DecisionConfig
from brainscan.detector import DetectOptions, Detector
from brainscan.errors import UsageError
from brainscan.events import Probabilities
from brainscan.io.detection_json import as_mapping
from brainscan.quiet import Quiet, set_against
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts


def _curve(probability: float) -> list[Probabilities]:
    return [Probabilities(0.0, np.full(256 * 70, probability, dtype=np.float32))]


@pytest.mark.parametrize(("reads", "enter"), [(0.01, 0.86), (0.05, 0.86), (0.5, 0.9915), (0.85, 0.99705)])
def test_thresholds_rise_by_what_it_reads_above_calm_background(reads: float, enter: float) -> None:
    raised, said = set_against(DecisionConfig(average_s=0.0), _curve(reads))
    assert raised.enter == pytest.approx(enter, abs=1e-4)
    assert raised.leave <= raised.enter
    assert said.startswith(f"the quiet stretch reads {reads:.2f}: ")


def test_what_is_no_quiet_stretch_is_refused() -> None:
    with pytest.raises(UsageError, match=r"reads 0\.90 half of its time, above"):
        set_against(DecisionConfig(average_s=0.0), _curve(0.9))
    with pytest.raises(UsageError, match="nothing of the quiet stretch"):
        set_against(DecisionConfig(average_s=0.0), _curve(np.nan))
    with pytest.raises(UsageError, match="59 s is too short"):
        Quiet(0.0, 59.0)


def test_a_detection_says_what_it_was_set_against() -> None:
    detector = Detector(LoudnessRunner(), quick())  # type: ignore[arg-type]
    recording = recording_of(with_bursts(4.0 * noise(300.0, 200), 200, [(200.0, 230.0)]), 200)
    plain = detector.detect(recording)
    found = detector.detect(recording, DetectOptions(quiet=Quiet(60.0, 180.0)))
    assert any("the quiet stretch reads " in text for text in found.warnings)
    assert found.model["decision"] == plain.model["decision"]
    assert as_mapping(found)["model"]["quiet"] == {"start_s": 60.0, "stop_s": 180.0, "sha256": ""}
    assert sum(e.duration_s for e in found.events) <= sum(e.duration_s for e in plain.events)
    with pytest.raises(UsageError, match="ends at 400 s, behind the end"):
        detector.detect(recording, DetectOptions(quiet=Quiet(60.0, 400.0)))


def test_a_user_names_a_stretch_or_a_file(tmp_path: Path) -> None:
    recording = recording_of(noise(300.0, 200), 200)
    options, _ = AnalysisOptions(baseline="60-180").for_recording(recording)
    assert options.quiet == Quiet(60.0, 180.0)
    (tmp_path / "calm.edf").write_bytes(FakeEdf(eeg(n_records=70), 70).data())
    options, _ = AnalysisOptions(baseline=str(tmp_path / "calm.edf")).for_recording(recording)
    assert options.quiet is not None
    assert (options.quiet.stop_s, options.quiet.recording is None) == (70.0, False)
    with pytest.raises(UsageError, match="no such file, and no stretch"):
        AnalysisOptions(baseline="calm").for_recording(recording)
    with pytest.raises(UsageError, match="no such file, and no stretch"):
        AnalysisOptions(baseline="60-").for_recording(recording)
    with pytest.raises(UsageError, match="--baseline ten-20: "):
        AnalysisOptions(baseline="ten-20").for_recording(recording)


@pytest.mark.parametrize(
    "text",
    [
        "60-180",
        "22:01-22:03",
        "22:01:00-22:03:00",
        "2024-03-01 22:01-2024-03-01 22:03",
        "2024-03-01T22:01:00-2024-03-01T22:03:00",
        "2024-03-01 22:01-22:03",
    ],
)
def test_a_stretch_is_written_as_start_and_stop_are(text: str) -> None:
    recording = replace(recording_of(noise(300.0, 200), 200), start=datetime(2024, 3, 1, 22))
    assert quiet_stretch(text, recording) == Quiet(60.0, 180.0)


@pytest.mark.parametrize(
    "text", ["2024-03-01", "-", "60-", "-180", "60-120-180", "2024-03-01 22:01-", "a-b", "22:01-x"]
)
def test_what_is_no_stretch_is_one_line(text: str) -> None:
    recording = replace(recording_of(noise(300.0, 200), 200), start=datetime(2024, 3, 1, 22))
    with pytest.raises(UsageError, match="--baseline") as refused:
        quiet_stretch(text, recording)
    assert "2020-03-02 00:10-2020-03-02 00:20" in refused.value.hint
