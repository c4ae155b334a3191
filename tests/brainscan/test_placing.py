"""Events of whole recordings with the place where they begin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.electrodes import ELECTRODES, INDEX
from brainscan.io.content import Content
from brainscan.io.event_formats import FORMATS
from brainscan.io.outputs import pieces
from brainscan.recording import Samples
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of

RATE_HZ = 200
LEFT = ("F7", "T3", "T5")


def _with_rhythm(uv: np.ndarray, names: tuple[str, ...], start_s: float, stop_s: float) -> np.ndarray:
    at_s = np.arange(uv.shape[1]) / RATE_HZ
    inside = (at_s >= start_s) & (at_s < stop_s)
    for share, name in zip((0.8, 1.0, 0.6), names, strict=True):
        uv[INDEX[name], inside] += share * 400.0 * np.sin(2 * np.pi * 6.0 * at_s[inside])
    return uv


@pytest.fixture(scope="module")
def night() -> np.ndarray:
    """Return four minutes with a seizure that begins left at 100 s."""
    return _with_rhythm(noise(240.0, RATE_HZ), LEFT, 100.0, 130.0)


def _detect(uv: np.ndarray, *, options: DetectOptions | None = None, **changes: object) -> Detection:
    recording = recording_of(uv, RATE_HZ)
    return Detector(LoudnessRunner(), quick()).detect(replace(recording, **changes), options)  # type: ignore[arg-type]


def test_an_event_says_where_it_begins(night: np.ndarray) -> None:
    (event,) = _detect(night).events
    assert (event.side, event.leading) == ("left", ("T3", "F7", "T5"))
    assert event.place is not None
    field = event.place.field
    assert [span.start_s for span in field] == pytest.approx([event.onset_s + 5 * n for n in range(len(field))])
    assert field[-1].stop_s == pytest.approx(event.offset_s, abs=2.1)


def test_nobody_looks_where_it_is_not_asked_for(night: np.ndarray) -> None:
    (event,) = _detect(night, options=DetectOptions(place=False)).events
    assert event.place is None
    assert (event.side, event.leading) == ("uncertain", ())


def test_only_the_surroundings_of_events_are_read_again(night: np.ndarray) -> None:
    reads: list[tuple[float, float]] = []
    plain = recording_of(night, RATE_HZ)

    def reader(channels: object, segment: object, start_s: float, stop_s: float) -> Samples:
        reads.append((start_s, stop_s))
        return plain.reader(channels, segment, start_s, stop_s)  # type: ignore[arg-type]

    detector = Detector(LoudnessRunner(), quick())
    detector.detect(replace(plain, reader=reader), DetectOptions(place=False))
    n_without = len(reads)
    (event,) = detector.detect(replace(plain, reader=reader)).events
    again = reads[2 * n_without :]
    assert len(again) == 1
    assert again[0] == pytest.approx((event.onset_s - 60.0, event.offset_s))


def test_a_missing_electrode_does_not_lead(night: np.ndarray) -> None:
    flat = night.copy()
    flat[INDEX["T3"]] = 0.0
    (event,) = _detect(flat).events
    assert "T3" not in event.leading
    assert event.leading[0] in {"F7", "T5"}
    assert event.side == "left"


def test_an_event_at_the_very_start_has_nothing_to_compare_with() -> None:
    (event,) = _detect(_with_rhythm(noise(60.0, RATE_HZ), LEFT, 0.0, 20.0)).events
    assert (event.side, event.leading) == ("uncertain", ())


def test_the_minute_before_is_without_other_events() -> None:
    uv = _with_rhythm(noise(240.0, RATE_HZ), LEFT, 70.0, 112.0)
    uv = _with_rhythm(uv, LEFT, 125.0, 150.0)
    _, second = _detect(uv).events
    assert (second.side, second.leading[0]) == ("left", "T3")


def test_the_place_goes_into_json_tsv_tables_and_mne(night: np.ndarray) -> None:
    detection = _detect(night)
    tsv = b"".join(pieces(Content.of(detection), FORMATS["tsv"])).decode()
    assert tsv.splitlines()[1].split("\t")[4] == "T3,F7,T5"
    csv_bi = b"".join(pieces(Content.of(detection), FORMATS["csv_bi"])).decode()
    assert "\nTERM," in csv_bi
    pandas = pytest.importorskip("pandas")
    table = detection.to_dataframe()
    assert isinstance(table, pandas.DataFrame)
    assert table[["side", "leading"]].to_numpy().tolist() == [["left", "T3,F7,T5"]]
    pytest.importorskip("mne")
    assert detection.to_mne().ch_names.tolist() == [("T3", "F7", "T5")]
    assert "<td>left</td>" in detection._repr_html_()


def test_json_has_the_field_by_electrode(night: np.ndarray) -> None:
    from brainscan.io.detection_json import as_mapping

    (event,) = as_mapping(_detect(night))["events"]
    assert (event["side"], event["leading"]) == ("left", ["T3", "F7", "T5"])
    assert set(event["field"][0]["rise_db"]) == set(ELECTRODES)
    assert as_mapping(_detect(night))["model"]["localisation"] == "signal"


def test_mne_takes_the_annotations_back(night: np.ndarray) -> None:
    mne = pytest.importorskip("mne")
    info = mne.create_info(list(ELECTRODES), RATE_HZ, "eeg")
    raw = mne.io.RawArray(night * 1e-6, info, verbose="error")
    raw.set_annotations(_detect(night).to_mne())
    assert raw.annotations.ch_names.tolist() == [("T3", "F7", "T5")]
