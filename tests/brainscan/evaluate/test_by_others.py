"""Other people's detectors: which file belongs to which recording, and what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np
import pytest

from brainscan.card import DecisionConfig
from brainscan.decision.postprocess import find_events
from brainscan.errors import InputError, UsageError
from brainscan.evaluate.by_others import find_hypotheses, read_curves, read_hypothesis
from brainscan.events import RATE_HZ
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.origin import Origin
from brainscan.scoring.operating_points import THRESHOLDS
from tests.brainscan.evaluate.conftest import write_truth
from tests.stand_ins import noise, recording_of

RECORDING = recording_of(noise(120.0, 256.0))


def write_curve(path: Path, **changes: object) -> Path:
    """Write two minutes of probability in two segments, high from 30 to 60 s."""
    curve = np.full(120 * RATE_HZ, 0.02, dtype=np.float32)
    curve[30 * RATE_HZ : 60 * RATE_HZ] = 0.97
    arrays: dict[str, object] = {
        **{"rate_hz": RATE_HZ, "segment_start_s": [0.0, 80.0]},
        **{"segment_samples": [80 * RATE_HZ, 40 * RATE_HZ], "probability": curve},
        **changes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})  # type: ignore[arg-type]
    return path


def test_a_curve_without_provenance_is_decided_on_by_default(tmp_path: Path) -> None:
    path = write_curve(tmp_path / "a.npz")
    found = read_hypothesis(path, RECORDING)
    expected = [event for curve in read_curves(path) for event in find_events(curve, DecisionConfig())]
    assert list(found.events) == expected
    assert [(round(e.onset_s), round(e.offset_s)) for e in expected] == [
        (33, 58)
    ]  # averages of 12 s meet the thresholds later
    assert found.analysed == ((0.0, 120.0),)


@pytest.mark.parametrize("rate_hz", [1.0, 64.0, 128.0, 512.0])
def test_any_rate_becomes_ours(tmp_path: Path, rate_hz: float) -> None:
    n_samples = round(120 * rate_hz)
    curve = np.zeros(n_samples, dtype=np.float32)
    curve[round(30 * rate_hz) : round(60 * rate_hz)] = 0.5
    path = write_curve(
        tmp_path / "a.npz", rate_hz=rate_hz, segment_start_s=[0.0], segment_samples=[n_samples], probability=curve
    )
    (found,) = read_curves(path)
    assert len(found.values) == 120 * RATE_HZ
    assert np.flatnonzero(found.values)[[0, -1]].tolist() == pytest.approx([30 * RATE_HZ, 60 * RATE_HZ - 1], abs=4)


def test_unscored_samples_are_not_analysed(tmp_path: Path) -> None:
    curve = np.full(120 * RATE_HZ, 0.1, dtype=np.float32)
    curve[: 10 * RATE_HZ] = np.nan
    assert read_hypothesis(write_curve(tmp_path / "a.npz", probability=curve), RECORDING).analysed == ((10.0, 120.0),)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"probability": None}, "lacks an array"),
        ({"rate_hz": 0.0}, "rate"),
        ({"segment_start_s": [0.0]}, "wrong shape"),
        ({"segment_samples": [1, 2]}, "segments of 3"),
        ({"probability": np.full(120 * RATE_HZ, 1.5, dtype=np.float32)}, "outside 0..1"),
        ({"segment_start_s": [0.0, 200.0]}, "end at 240 s"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(tmp_path: Path, changes: dict[str, object], what: str) -> None:
    with pytest.raises(InputError, match=what):
        read_hypothesis(write_curve(tmp_path / "a.npz", **changes), RECORDING)


@pytest.mark.parametrize(("made_of", "bname", "told"), [("a" * 64, "other", ""), ("", "other", "other"), ("", "", "")])
def test_whose_results_they_are_is_asked(tmp_path: Path, made_of: str, bname: str, told: str) -> None:
    recording = replace(RECORDING, sha256=lambda: "a" * 64)
    path = tmp_path / "p2.csv_bi"
    ours = Origin(made_of, {}).comment_lines() if made_of else ()
    path.write_text(format_csv_bi([], 120.0, bname or recording.name, ours), encoding="utf-8")
    said = read_hypothesis(path, recording).warnings
    assert [text for text in said if "another recording" in text] == (
        [f"p2.csv_bi: made of another recording ({told})"] if told else []
    )
    if made_of:
        with pytest.raises(UsageError, match=r"p2.csv_bi is of another recording \(SHA-256 aaaaaaaaaaaa"):
            read_hypothesis(path, replace(recording, sha256=lambda: "b" * 64))


@pytest.mark.parametrize("kept", [slice(0, -50), slice(0, 0)])
def test_what_is_no_archive_is_refused_and_closed(tmp_path: Path, kept: slice) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(write_curve(tmp_path / "b.npz").read_bytes()[kept])
    with pytest.raises(InputError, match="no probability file"):
        read_curves(path)


def test_events_count_up_to_their_confidence(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    events = [{"onset_s": 5.0, "offset_s": 9.0, "confidence": 0.4}, {"onset_s": 20.0, "offset_s": 30.0}]
    path.write_text(json.dumps({"events": events, "unscored": [[100.0, 120.0]]}), encoding="utf-8")
    found = read_hypothesis(path, RECORDING)
    assert [len(found.sweep.at(THRESHOLDS.index(on))) for on in (0.4, 0.41, 0.999)] == [2, 1, 1]
    assert found.analysed == ((0.0, 100.0),)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"events": [{"onset_s": 1}]}',
        '{"events": [{"onset_s": 330, "offset_s": 340}]}',
        '{"events": [{"onset_s": 30, "offset_s": 20}]}',
        '{"events": [{"onset_s": 3, "offset_s": 20, "confidence": 95}]}',
        '{"events": [{"onset_s": 3, "offset_s": 20, "confidence": NaN}]}',
        '{"events": [{"onset_s": NaN, "offset_s": 20}]}',
    ],
)
def test_events_that_cannot_be_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_hypothesis(path, RECORDING)


def test_the_mirrored_place_comes_first_then_a_unique_name(tmp_path: Path) -> None:
    for name in ("x/a", "y/a", "y/b"):
        write_truth(tmp_path / f"{name}.csv_bi")
    found = find_hypotheses(["x/a.edf", "z/a.edf", "z/b.edf"], (), tmp_path)
    assert {str(name): str(file) for name, file in found.mates.items()} == {
        "x/a.edf": "x/a.csv_bi",
        "z/b.edf": "y/b.csv_bi",
    }
    assert "2 recordings have its name" in found.reasons[PurePath("z/a.edf")]
    assert found.warnings() == ("files taken by name alone, from another folder: 1 (y/b.csv_bi for z/b.edf)",)


def test_a_curve_is_preferred_to_events_and_that_is_said(tmp_path: Path) -> None:
    write_truth(tmp_path / "a.csv_bi")
    write_curve(tmp_path / "a.npz")
    found = find_hypotheses(["a.edf"], (), tmp_path)
    assert found.mates[PurePath("a.edf")] == PurePath("a.npz")
    assert "a.csv_bi; a.npz counts" in found.warnings()[0]


def test_a_folder_without_hypotheses_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no hypothesis"):
        find_hypotheses(["a.edf"], (), tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        find_hypotheses(["a.edf"], (), tmp_path / "absent")
