from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError
from brainscan.io import edf_reader, read
from brainscan.recording import Recording
from tests.edf_files import FakeEdf, FakeSignal, eeg

Write = Callable[[FakeEdf], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def writer(edf: FakeEdf) -> Path:
        path = tmp_path / "a.edf"
        path.write_bytes(edf.data())
        return path

    return writer


def _whole(recording: Recording, channel: int) -> np.ndarray:
    return np.concatenate([recording.read([channel], s.start_s, s.stop_s, s).uv[0] for s in recording.segments])


@pytest.mark.parametrize("width", [2, 3])
def test_values_follow_the_calibration(write: Write, width: int) -> None:
    digital = ("-32768", "32767") if width == 2 else ("-8388608", "8388607")
    signals = eeg(n_records=5, digital=digital)
    recording = read(write(FakeEdf(signals, 5, width=width)))
    gain = (3276.7 + 3276.8) / (int(digital[1]) - int(digital[0]))
    for i, signal in enumerate(signals):
        expected = -3276.8 + (signal.values - int(digital[0])) * gain
        np.testing.assert_allclose(_whole(recording, i), expected, atol=1e-9)
    assert recording.format == ("EDF" if width == 2 else "BDF")
    assert recording.labels == ELECTRODES


@pytest.mark.parametrize(("width", "low", "high"), [(2, -32768, 32767), (3, -8388608, 8388607)])
def test_extreme_samples_keep_their_sign_and_are_railed(write: Write, width: int, low: int, high: int) -> None:
    values = np.array([low, -1, 0, 1, high] * 20)
    signal = FakeSignal("Cz", values, 100, physical=(str(low), str(high)), digital=(str(low), str(high)))
    samples = read(write(FakeEdf([signal], 1, width=width))).read([0], 0.0, 1.0)
    np.testing.assert_allclose(samples.uv[0], values, atol=1e-6)
    np.testing.assert_array_equal(samples.railed[0], np.isin(values, [low, high]))


def test_a_channel_of_few_levels_is_never_railed(write: Write) -> None:
    signal = FakeSignal("PHOTIC", np.array([0, 1] * 50), 100, physical=("0", "1"), digital=("0", "1"))
    assert not read(write(FakeEdf([signal], 1))).read([0], 0.0, 1.0).railed[0].any()


def test_channels_keep_their_own_rates(write: Write) -> None:
    signals = [*eeg(["Fp1"], 6, 767), *eeg(["O2"], 6, 300), *eeg(["SpO2"], 6, 3)]
    recording = read(write(FakeEdf(signals, 6, record_s="3")))
    assert [c.rate_hz for c in recording.channels] == [Fraction(767, 3), 100, 1]
    samples = recording.read([2, 0], 3.0, 9.0)
    assert [len(u) for u in samples.uv] == [6, 1534]
    np.testing.assert_allclose(samples.uv[1], signals[0].values[767 : 3 * 767] * 0.1, atol=1e-9)


@given(cuts=st.lists(st.floats(0, 20), max_size=12))
@settings(max_examples=40, deadline=None)
def test_any_cutting_gives_the_whole(cuts: list[float], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.edf"
    path.write_bytes(FakeEdf([*eeg(["Fp1", "F3"], 10, 257), *eeg(["EKG"], 10, 13)], 10, record_s="2").data())
    recording = read(path)
    bounds = sorted([0.0, 20.0, *cuts])
    for channel in range(3):
        parts = [recording.read([channel], a, b, recording.segments[0]).uv[0] for a, b in pairwise(bounds)]
        np.testing.assert_array_equal(np.concatenate(parts), _whole(recording, channel))


@pytest.mark.parametrize("width", [2, 3])
def test_records_larger_than_a_chunk_read_the_same(write: Write, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    path = write(FakeEdf([*eeg(["Fp1"], 3, 500), *eeg(["F3"], 3, 128)], 3, width=width, reserved=""))
    plain = read(path)
    spans = [(0.0, 3.0), (0.5, 2.25), (1.0, 1.0)]
    before = [plain.read([1, 0], a, b) for a, b in spans]
    monkeypatch.setattr(edf_reader, "_CHUNK_BYTES", 300)
    for (a, b), old in zip(spans, before, strict=True):
        new = read(path).read([1, 0], a, b)
        for x, y in zip(old.uv, new.uv, strict=True):
            np.testing.assert_array_equal(x, y)


def test_inverted_and_swapped_ranges_follow_the_formula(write: Write) -> None:
    inverted = eeg(["Fp1"], 2, physical=("3276.7", "-3276.8"))
    swapped = eeg(["F3"], 2, digital=("32767", "-32768"))
    recording = read(write(FakeEdf([*inverted, *swapped], 2)))
    np.testing.assert_allclose(_whole(recording, 0), -0.1 * inverted[0].values - 0.1, atol=1e-9)
    np.testing.assert_allclose(_whole(recording, 1), -0.1 * swapped[0].values - 0.1, atol=1e-9)
    assert [w for w in recording.warnings if "upside down" in w] == [
        w for w in recording.warnings if w.startswith("F3")
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"physical": ("0", "0")},
        {"digital": ("5", "5")},
        {"physical": ("abc", "3276.7")},
        {"physical": ("-3.277E-", "3.277E-3")},
        {"physical": ("-1e999", "1e999")},
    ],
)
def test_an_unusable_calibration_gives_no_values(write: Write, change: dict[str, tuple[str, str]]) -> None:
    signals = eeg(n_records=2)
    signals[3] = replace(signals[3], **change)
    recording = read(write(FakeEdf(signals, 2)))
    assert recording.channels[3].uv_per_unit is None
    assert np.isnan(_whole(recording, 3)).all()
    assert any(w.startswith("P3: no calibration") for w in recording.warnings)
    assert np.isfinite(_whole(recording, 2)).all()


@pytest.mark.parametrize(
    ("unit", "scale"),
    [("mV", 1e-3), ("nV", 1e3), (b"\xb5V", 1), (b"\xc2\xb5V", 1), (b"\xce\xbcV", 1), (b"\x83\xcaV", 1), ("UV", 1),
     ("", 1), (".V", 1)],
)  # fmt: skip
def test_units_come_out_in_microvolts(write: Write, unit: str | bytes, scale: float) -> None:
    physical = (f"{-3276.8 * scale:.8g}"[:8], f"{3276.7 * scale:.8g}"[:8])
    signals = eeg(n_records=5, unit=unit, physical=physical)
    recording = read(write(FakeEdf(signals, 5)))
    np.testing.assert_allclose(_whole(recording, 0), 0.1 * signals[0].values, atol=0.05)


def test_decimal_commas_are_points_with_a_warning(write: Write) -> None:
    signals = eeg(n_records=2, physical=("-3276,8", "3276,7"))
    recording = read(write(FakeEdf(signals, 2)))
    np.testing.assert_allclose(_whole(recording, 0), 0.1 * signals[0].values, atol=1e-6)
    assert any("decimal comma" in w for w in recording.warnings)


@pytest.mark.parametrize(
    ("said", "records", "tail", "used", "words"),
    [
        (-1, 10, b"", 10, "unknown"),
        (0, 10, b"", 10, "unknown"),
        ("many", 10, b"", 10, "unknown"),
        (90, 10, b"", 10, "cut short: 10 of 90"),
        (99999999, 10, b"", 10, "cut short"),
        (7, 10, b"", 7, "header counts 7"),
        (10, 10, b"\x1a", 10, "1 bytes after"),
        (11, 10, b"\0" * 100, 10, "cut short: 10 of 11"),
    ],
)
def test_the_file_decides_how_many_records_there_are(
    tmp_path: Path, said: int | str, records: int, tail: bytes, used: int, words: str
) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(FakeEdf(eeg(n_records=records), records, fields={"n_records": said}).data() + tail)
    recording = read(path)
    assert recording.duration_s == used
    assert len(recording.warnings) == 1
    assert words in recording.warnings[0]


@pytest.mark.parametrize("said", [-1, 10, 600])
@pytest.mark.parametrize("names", [ELECTRODES, ELECTRODES[:7]], ids=["alike", "another"])
def test_joined_files_end_where_the_second_begins(tmp_path: Path, said: int, names: tuple[str, ...]) -> None:
    """Behind a header of 20 blocks every channel would be another."""
    first, second = FakeEdf(eeg(n_records=5), 5, fields={"n_records": said}), FakeEdf(eeg(names, n_records=6), 6)
    path = tmp_path / "a.edf"
    path.write_bytes(first.data() + second.data())
    recording = read(path)
    assert recording.duration_s == 5.0
    (told,) = (w for w in recording.warnings if "another recording" in w)
    assert told.startswith(f"another recording begins behind record 5 (a header at byte {len(first.data())})")


def test_without_one_whole_record_the_file_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(FakeEdf(eeg(n_records=1), 1).data()[:-1])
    with pytest.raises(InputError, match="no complete record") as caught:
        read(path)
    assert caught.value.kind == "empty"


@pytest.mark.parametrize(("encode", "words"), [("latin-1", "UTF-8"), ("crlf", "CR LF")])
def test_text_mode_transfers_are_recognised(tmp_path: Path, encode: str, words: str) -> None:
    data = FakeEdf(eeg(n_records=10), 10).data()
    mangled = data.decode("latin-1").encode("utf-8") if encode == "latin-1" else data.replace(b"\n", b"\r\n")
    path = tmp_path / "a.edf"
    path.write_bytes(mangled)
    with pytest.raises(InputError, match=words) as caught:
        read(path)
    assert caught.value.kind == "corrupt"


def test_gaps_make_segments_on_the_recordings_clock(write: Write) -> None:
    onsets = [*range(10), *range(30, 40), *range(85, 95)]
    signals = eeg(n_records=30)
    recording = read(write(FakeEdf(signals, 30, reserved="EDF+D", onsets=[f"+{t}" for t in onsets])))
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 10), (30, 10), (85, 10)]
    assert recording.duration_s == 95
    assert recording.format == "EDF+D"
    np.testing.assert_allclose(recording.read([0], 31.0, 33.0).uv[0], 0.1 * signals[0].values[1100:1300], atol=1e-9)
    np.testing.assert_allclose(_whole(recording, 0), 0.1 * signals[0].values, atol=1e-9)
    with pytest.raises(ValueError, match="no segment"):
        recording.read([0], 20.0, 25.0)


def test_a_continuous_file_with_jumping_time_stamps_is_believed_its_time_stamps(write: Write) -> None:
    onsets = [f"+{t + 7 * (t >= 5)}" for t in range(10)]
    recording = read(write(FakeEdf(eeg(n_records=10), 10, reserved="EDF+C", onsets=onsets)))
    assert recording.duration_s == 17
    assert any("continuous" in w for w in recording.warnings)


def test_the_first_onset_is_second_zero(write: Write) -> None:
    onsets = [f"+{t + 0.375}" for t in range(5)]
    notes = {2: b"+3.375\x150.5\x14eyes closed\x14\0"}
    recording = read(write(FakeEdf(eeg(n_records=5), 5, reserved="EDF+C", onsets=onsets, notes=notes)))
    assert recording.start == datetime(2024, 2, 1, 10, 0, 0, 375000)
    (note,) = recording.annotations
    assert (note.onset_s, note.offset_s, note.label) == (3.0, 3.5, "eyes closed")
    assert not recording.warnings


def test_parts_that_overlap_stay_in_the_order_of_the_file(write: Write) -> None:
    onsets = [f"+{t - 3 * (t >= 5)}" for t in range(10)]
    signals = eeg(n_records=10)
    recording = read(write(FakeEdf(signals, 10, reserved="EDF+D", onsets=onsets)))
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 5), (2, 5)]
    np.testing.assert_allclose(_whole(recording, 0), 0.1 * signals[0].values, atol=1e-9)
    assert any("overlap" in w for w in recording.warnings)


def test_equal_parts_are_told_apart(write: Write) -> None:
    onsets = [f"+{t % 5}" for t in range(10)]
    signals = eeg(n_records=10)
    recording = read(write(FakeEdf(signals, 10, reserved="EDF+D", onsets=onsets)))
    np.testing.assert_allclose(_whole(recording, 0), 0.1 * signals[0].values, atol=1e-9)


@pytest.mark.parametrize("reserved", ["EDF+D", "EDF+C", ""])
def test_without_annotation_channel_the_file_is_continuous(write: Write, reserved: str) -> None:
    recording = read(write(FakeEdf(eeg(n_records=4), 4, reserved=reserved)))
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 4)]
    assert bool(recording.warnings) == (reserved == "EDF+D")


def test_annotation_channels_in_bdf_and_in_large_records(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edf_reader, "_STRIDED_BYTES", 100)
    edf = FakeEdf(
        eeg(n_records=3, digital=("-8388608", "8388607")), 3, width=3, reserved="BDF+C", onsets=["+0", "+1", "+2"],
        notes={1: b"+1.25\x14spike\x14\0"},
    )  # fmt: skip
    recording = read(write(edf))
    assert recording.format == "BDF+C"
    assert [(a.onset_s, a.label) for a in recording.annotations] == [(1.25, "spike")]
    assert len(recording.channels) == 19


def test_signals_without_samples_are_no_channels(write: Write) -> None:
    signals = eeg(n_records=4)
    signals[-1] = replace(signals[-1], samples=0)
    recording = read(write(FakeEdf(signals, 4)))
    assert "O2" not in recording.labels
    assert any(w.startswith("O2: no samples") for w in recording.warnings)


def test_a_file_that_shrinks_is_one_error(write: Write) -> None:
    path = write(FakeEdf(eeg(n_records=10), 10))
    recording = read(path)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputError, match="shorter") as caught:
        recording.read([0], 0.0, 10.0)
    assert caught.value.kind == "io"
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        recording.read([0], 0.0, 10.0)


def test_a_recording_travels_to_another_process(write: Write) -> None:
    path = write(FakeEdf(eeg(n_records=3), 3))
    recording = read(path)
    again = pickle.loads(pickle.dumps(recording))
    np.testing.assert_array_equal(again.read([3], 0.5, 2.5).uv[0], recording.read([3], 0.5, 2.5).uv[0])
    assert again.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_huge_header_numbers_allocate_nothing(tmp_path: Path) -> None:
    signals = [replace(s, samples_field="99999999") for s in eeg(n_records=2)]
    path = tmp_path / "a.edf"
    path.write_bytes(FakeEdf(signals, 2, fields={"n_records": "99999999"}).data())
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.kind == "empty"


def test_a_sparse_night_reads_only_its_block(tmp_path: Path) -> None:
    signals = eeg([*ELECTRODES, *(f"X{i}" for i in range(45))], 1, 2048)
    edf = FakeEdf(signals, 1, fields={"n_records": 86400})
    path = tmp_path / "night.edf"
    path.write_bytes(edf.data())
    with path.open("r+b") as stream:
        stream.truncate(256 * 65 + 86400 * 64 * 2048 * 2)
    recording = read(path)
    assert recording.duration_s == 86400
    samples = recording.read(range(19), 80000.0, 80001.0)
    assert [len(u) for u in samples.uv] == [2048] * 19
    assert not np.ptp(samples.uv[0])


@pytest.mark.parametrize("first", [True, False])
def test_the_annotation_channel_that_keeps_the_time_is_found(write: Write, first: bool) -> None:
    words = {2: b"+2.5\x15\x31\x14seizure\x14\0", 11: b"+31\x14EMG\x14\0"}
    values = np.frombuffer(b"".join(words.get(k, b"").ljust(60, b"\0") for k in range(20)), dtype="<i2").astype(int)
    others = FakeSignal("EDF Annotations", values, 30, unit="", physical=("-1", "1"))
    onsets = [f"+{k if k < 10 else k + 20}" for k in range(20)]
    edf = FakeEdf([*eeg(), others], 20, reserved="EDF+D", onsets=onsets, annotation_bytes=60)
    path = write(edf)
    if first:  # the usual order: FakeEdf puts the timekeeping last
        data, head = path.read_bytes(), len(edf.header())
        size = (len(data) - head) // 20
        records = [data[head + k * size : head + (k + 1) * size] for k in range(20)]
        path.write_bytes(data[:head] + b"".join(r[:-120] + r[-60:] + r[-120:-60] for r in records))
    recording = read(path)
    assert [(s.start_s, s.stop_s) for s in recording.segments] == [(0.0, 10.0), (30.0, 40.0)]
    assert [(note.onset_s, note.offset_s, note.label) for note in recording.annotations] == [
        (2.5, 3.5, "seizure"),
        (31.0, 31.0, "EMG"),
    ]
    assert not any("time stamp" in text for text in recording.warnings)
