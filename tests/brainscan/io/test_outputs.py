"""Writers: what each carries, what is never overwritten, names that are no text."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.detection import Detection, ElectrodeReport
from brainscan.electrodes import ELECTRODES
from brainscan.errors import OutputError
from brainscan.events import Event, Probabilities
from brainscan.io import read
from brainscan.io.content import Content
from brainscan.io.csv_bi import csv_bi_from_text
from brainscan.io.event_formats import FORMATS, origin_of, outputs, resumable
from brainscan.io.origin import Origin
from brainscan.io.outputs import anonymised, anonymous_name, guard, output_stem, pieces, write
from brainscan.qeeg import Trends
from brainscan.recording import Recording, Segment
from tests.edf_files import FakeEdf, eeg

SHA = "ab" * 32
MODEL = {
    "brainscan": "9.9.9",
    "model": "tiny; odd, name",
    "model_sha256": "cd" * 32,
    "decision": {"enter": 0.86, "leave": 0.1 + 0.2},
    "localisation": "signal",
    "max_missing": 3,
    "channel_map": {"EEG  1   x": "Fp1", "µ": "Fp2"},
    "start_s": None,
    "stop_s": 30.5,
    "quiet": None,
}


def _electrodes() -> tuple[ElectrodeReport, ...]:
    good = [ElectrodeReport(n, "present", "recorded", "good", 0.0, (n,)) for n in ELECTRODES[:-1]]
    return (*good, ElectrodeReport("O2", "missing", "interpolated", "unusable", 1.0))


@pytest.fixture
def detection() -> Detection:
    """Return a detection with two events and a gap."""
    return Detection(
        file="night.edf",
        format="EDF+D",
        start=datetime(2024, 5, 3, 23, 59, 50),
        duration_s=700.125,
        analysed_s=600.125,
        segments=(Segment(0.0, 100.0), Segment(200.0, 500.125)),
        events=(Event(10.0, 20.5, 0.9), Event(300.0, 690.00004, 0.7, prolonged=True)),
        unscored=((100.0, 200.0),),
        electrodes=_electrodes(),
        warnings=("night.edf is odd",),
        model=MODEL,
        sha256=SHA,
        probabilities=(
            Probabilities(0.0, np.full(25600, 0.25, dtype=np.float32)),
            Probabilities(200.0, np.full(128032, np.nan, dtype=np.float32)),
        ),
        trends=Trends.joined(()),
    )


def as_csv_bi(detection: Detection) -> bytes:
    return b"".join(pieces(Content.of(detection), FORMATS["csv_bi"]))


def as_json(detection: Detection) -> bytes:
    return b"".join(pieces(Content.of(detection), FORMATS["json"]))


def test_csv_bi_tiles_the_recording_and_ends_with_it(detection: Detection) -> None:
    text = as_csv_bi(detection).decode("ascii")
    rows = [line.split(",") for line in text.splitlines() if line.startswith("TERM")]
    assert "# duration = 700.1250 secs" in text
    assert [(r[1], r[2], r[3]) for r in rows] == [
        ("0.0000", "10.0000", "bckg"),
        ("10.0000", "20.5000", "seiz"),
        ("20.5000", "300.0000", "bckg"),
        ("300.0000", "690.0000", "seiz"),
        ("690.0000", "700.1250", "bckg"),
    ]


@pytest.mark.parametrize(
    ("analysed_s", "doubted", "n_doubtful", "quality"),
    [
        (700.125, False, 0, "good"),
        (665.2, False, 9, "good"),
        (665.0, False, 0, "mixed"),  # less than 95 %
        (700.125, True, 0, "mixed"),
        (350.0, False, 0, "poor"),
        (700.125, False, 10, "poor"),
        (700.125, True, 10, "poor"),
    ],
)
def test_quality(detection: Detection, analysed_s: float, doubted: bool, n_doubtful: int, quality: str) -> None:
    poor = [replace(e, quality="doubtful") for e in detection.electrodes[:n_doubtful]]
    good = [replace(e, quality="good") for e in detection.electrodes[n_doubtful:]]
    judged = replace(detection, analysed_s=analysed_s, doubted=doubted, electrodes=(*poor, *good))
    assert judged.quality == quality
    assert f"quality {quality}" in Content.of(judged).file.comments


def test_csv_bi_carries_the_facts_as_comments(detection: Detection) -> None:
    comments = csv_bi_from_text(as_csv_bi(detection).decode("ascii"), "x").comments
    assert f"brainscan 9.9.9; input sha256 {SHA}" in comments
    assert "analysed 600.1250 s" in comments
    assert "quality mixed" in comments
    assert "unscored 100.0000 200.0000" in comments
    assert "electrode O2 interpolated" in comments
    assert "warning night.edf is odd" in comments
    assert "event 10.0000 at 2024-05-04T00:00:00.000" in comments
    assert "event 300.0000 at 2024-05-04T00:04:50.000 prolonged" in comments
    assert comments[-1] == "notice research use, not a medical device"
    assert not any(comment.startswith(("duration", "version")) for comment in comments)


def test_json_has_the_fixed_form(detection: Detection) -> None:
    document = json.loads(as_json(detection))
    fixed = {"file", "duration_s", "analysed_s", "events", "unscored", "warnings"}
    assert fixed <= set(document)
    assert document["events"][0] == {
        "onset_s": 10.0,
        "offset_s": 20.5,
        "confidence": 0.9,
        "prolonged": False,
        "clock": "2024-05-04T00:00:00.000",
        "side": "uncertain",
        "leading": [],
        "field": [],
    }
    assert document["unscored"] == [[100.0, 200.0]]
    assert document["electrodes"]["O2"]["quality"] == "unusable"
    assert document["notice"] == "research use, not a medical device"


def test_npz_has_all_segments_one_after_the_other(detection: Detection, tmp_path: Path) -> None:
    write(Content.of(detection), tmp_path / "p.npz", FORMATS["npz"])
    with np.load(tmp_path / "p.npz", allow_pickle=False) as held:
        assert held["rate_hz"] == 256
        assert held["segment_start_s"].tolist() == [0.0, 200.0]
        assert held["segment_samples"].tolist() == [25600, 128032]
        assert held["probability"].dtype == np.float32
        assert held["probability"].shape == (153632,)
        assert np.isnan(held["probability"][25600:]).all()


def _recording(folder: Path) -> Recording:
    (folder / "in").mkdir(exist_ok=True)
    path = folder / "in" / "night.edf"
    path.write_bytes(FakeEdf(eeg(n_records=700), 700).data())
    return read(path)


def _written(detection: Detection, folder: Path, name: str) -> Path:
    path = folder / f"x{FORMATS[name].suffixes[0]}"
    write(Content.of(detection, _recording(folder)), path, FORMATS[name])
    return path


@pytest.mark.parametrize("name", [row.name for row in resumable()])
def test_every_format_says_what_it_was_made_from(detection: Detection, tmp_path: Path, name: str) -> None:
    origin = origin_of(_written(detection, tmp_path, name))
    assert origin == Origin(SHA, MODEL)


@given(
    st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=3),
    st.floats(0.0, 1.0),
    st.none() | st.floats(0.0, 1e6),
)
def test_settings_survive_a_csv_bi(labels: dict[str, str], enter: float, stop_s: float | None) -> None:
    origin = Origin(SHA, {**MODEL, "channel_map": labels, "decision": {"enter": enter}, "stop_s": stop_s})
    comments = [" ".join(line.split()) for line in origin.comment_lines()]
    assert Origin.from_comments(comments) == origin


def test_what_decides_is_neither_version_nor_name() -> None:
    other = {**MODEL, "brainscan": "0", "model": "renamed"}
    assert Origin(SHA, MODEL).deciding == Origin(SHA, other).deciding
    assert Origin(SHA, MODEL).deciding != Origin(SHA, {**MODEL, "model_sha256": "0"}).deciding
    assert Origin(SHA, MODEL).deciding != Origin(SHA, {**MODEL, "max_missing": 4}).deciding


@pytest.mark.parametrize("name", [row.name for row in resumable()])
def test_our_own_result_for_the_recording_may_be_replaced(detection: Detection, tmp_path: Path, name: str) -> None:
    path = _written(detection, tmp_path, name)
    guard(path, Origin(SHA, MODEL))
    with pytest.raises(OutputError, match="not written by brainscan for this recording") as caught:
        guard(path, Origin("0" * 64, MODEL))
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("name", [row.name for row in outputs() if row.origin is None])
def test_what_cannot_say_who_made_it_is_never_replaced(detection: Detection, tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="exists"):
        guard(_written(detection, tmp_path, name), Origin(SHA, MODEL))


def test_many_differences_are_counted() -> None:
    settings = {f"setting_{k}": k for k in range(13)}
    assert Origin(SHA, {}).differences(Origin(SHA, settings)) == ("13 that it does not say",)
    assert Origin(SHA, {"model_sha256": "ab"}).differences(Origin(SHA, {**settings, "model_sha256": "cd"})) == (
        "model_sha256 ab there, cd now",
        "13 that it does not say",
    )
    changed = Origin(SHA, settings).differences(Origin(SHA, {key: -value - 1 for key, value in settings.items()}))
    assert changed[0] == "setting_0 0 there, -1 now"
    assert changed[-1] == "8 more"
    assert len(changed) == 6


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"start_s": 10.0}, "start_s none there, 10 now"),
        ({"stop_s": None}, "stop_s 30.5 there, none now"),
        ({"max_missing": 4}, "max_missing 3 there, 4 now"),
        ({"model_sha256": "00" * 32}, "model_sha256 cdcdcdcdcdcd... there, 000000000000... now"),
        ({"decision": {"enter": 0.9, "leave": 0.1 + 0.2}}, "enter 0.86 there, 0.9 now"),
        ({"channel_map": {}}, "now"),
    ],
)
@pytest.mark.parametrize("name", [row.name for row in resumable()])
def test_our_own_result_of_other_settings_is_kept(
    detection: Detection, tmp_path: Path, name: str, change: dict[str, object], told: str
) -> None:
    path = _written(detection, tmp_path, name)
    with pytest.raises(OutputError, match="with other settings") as caught:
        guard(path, Origin(SHA, {**MODEL, **change}))
    assert told in caught.value.message
    guard(path, Origin(SHA, {**MODEL, **change}), any_settings=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# version = csv_v1.0.0\n# duration = 1.0 secs\nTERM,0.0,1.0,seiz,1.0\n",
        b"# brainscan: a remark\n",
        f"# brainscan: input sha256 {SHA}\n".encode(),
        b"{}",
        b"{broken",
        json.dumps({"sha256": SHA, "model": {"name": "somebody's"}}).encode(),
        b"PK\x03\x04 no archive",
        b"\xff\xfe binary",
    ],
)
def test_what_is_not_ours_is_never_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv_bi"
    path.write_bytes(content)
    with pytest.raises(OutputError):
        guard(path, Origin(SHA, MODEL), any_settings=True)


def test_other_people_s_npz_is_not_ours(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", probability=np.zeros(3))
    assert origin_of(tmp_path / "x.npz") is None


def test_without_a_checksum_nothing_is_ours(detection: Detection, tmp_path: Path) -> None:
    write(Content.of(replace(detection, sha256="")), tmp_path / "x.csv_bi", FORMATS["csv_bi"])
    with pytest.raises(OutputError):
        guard(tmp_path / "x.csv_bi", Origin("", MODEL))


def test_what_is_absent_or_no_file_is_free(tmp_path: Path) -> None:
    guard(tmp_path / "absent", Origin(SHA, MODEL))
    guard(tmp_path, Origin(SHA, MODEL))
    assert origin_of(tmp_path) is None


def test_names_that_are_no_text_reach_every_format(detection: Detection, tmp_path: Path) -> None:
    """A latin-1 name on a UTF-8 system holds lone surrogates."""
    odd = replace(detection, file="n\udce4cht.edf")
    document = json.loads(as_json(odd))
    assert document["file"] == "n\udce4cht.edf"
    assert b"# bname = n%E4cht\n" in as_csv_bi(odd)
    for row in outputs():
        write(Content.of(odd, _recording(tmp_path)), tmp_path / f"x.{row.name}", row)


def test_anonymous_names_replace_the_name_everywhere(detection: Detection) -> None:
    hidden = anonymised(detection)
    for data in (as_csv_bi(hidden), as_json(hidden)):
        assert b"night" not in data
        assert anonymous_name("night.edf").encode() in data
    assert anonymous_name("night.edf") != anonymous_name("night.bdf")


@pytest.mark.parametrize(("name", "stem"), [("a.b.edf", "a.b"), ("a", "a"), (".edf", ".edf")])
def test_stems(name: str, stem: str) -> None:
    assert output_stem(Path("folder") / name) == stem


def test_nothing_is_written_where_writing_fails(detection: Detection, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write(Content.of(detection), tmp_path / "absent" / "x.json", FORMATS["json"])
    assert list(tmp_path.iterdir()) == []


def test_no_curves_make_an_empty_file(detection: Detection, tmp_path: Path) -> None:
    write(Content.of(replace(detection, probabilities=())), tmp_path / "p.npz", FORMATS["npz"])
    with np.load(io.BytesIO((tmp_path / "p.npz").read_bytes())) as held:
        assert held["probability"].shape == (0,)
