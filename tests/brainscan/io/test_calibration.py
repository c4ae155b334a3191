"""Units of every container: right values with a warning, or a refusal; never seizures a thousand times too large."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError
from brainscan.io import from_raw, open_plan, read
from brainscan.io.calibration import STRETCH_S, stretches
from brainscan.recording import Recording, Segment
from tests.edf_files import FakeEdf, FakeSignal

UV = {"nV": 1e-3, "uV": 1.0, "mV": 1e3, "V": 1e6}
FloatArray = NDArray[np.float64]


def _eeg(uv: float, seconds: int = 60, rate: int = 128, seed: int = 0) -> FloatArray:
    """Return 19 channels of noise with the spectrum of an EEG and about this robust deviation."""
    rng = np.random.default_rng(seed)
    power = np.fft.rfft(rng.normal(size=(19, seconds * rate)))
    hz = np.fft.rfftfreq(seconds * rate, 1 / rate)
    values = np.fft.irfft(power * np.where((hz > 0.7) & (hz < 40), 1 / np.maximum(hz, 2), 0), n=seconds * rate)
    result: FloatArray = values / (1.4826 * np.median(np.abs(values))) * uv
    return result


def _in_seven_characters(value: float) -> str:
    return next(text for digits in (5, 4, 3, 2, 1) if len(text := f"{value:.{digits}g}") <= 7)


def _edf(path: Path, uv: FloatArray, units: list[str], numbers_in: list[str], rate: int = 128) -> Recording:
    """Write channels in µV as numbers of one unit under the name of another."""
    signals = []
    for name, row, unit, own in zip(ELECTRODES, uv, units, numbers_in, strict=True):
        limit = _in_seven_characters(2 * max(np.abs(row).max(), 1.0) / UV[own])
        gain = 2 * float(limit) / 65535
        digital = np.round((row / UV[own] + float(limit)) / gain - 32768).astype(int)
        signals.append(FakeSignal(name, digital, rate, unit=unit, physical=(f"-{limit}", limit)))
    path.write_bytes(FakeEdf(signals, uv.shape[1] // rate).data())
    return read(path)


def _assert_equal(recording: Recording, uv: FloatArray) -> None:
    read_back = np.stack(recording.read(range(19), 0.0, recording.duration_s).uv)
    np.testing.assert_allclose(read_back, uv, atol=np.abs(uv).max() * 1e-3)


def _fits_a_header(unit: str, own: str, uv: float) -> bool:
    """Say whether numbers in one unit under the name of another still have digits in EDF's eight characters."""
    apart = UV[unit] / UV[own]
    return 1e-6 <= apart <= 1e6 and not (apart < 1e-3 and uv < 5.0)


@pytest.mark.parametrize(
    ("unit", "own", "uv"),
    [
        case
        for case in itertools.product(["nV", "mV", "V"], UV, [1.0, 2.0, 5.0, 30.0, 100.0, 300.0])
        if _fits_a_header(*case)
    ],
)
def test_any_unit_but_microvolts_is_put_right(tmp_path: Path, unit: str, own: str, uv: float) -> None:
    truth = _eeg(uv)
    recording = _edf(tmp_path / "a.edf", truth, [unit] * 19, [own] * 19)
    if unit == "mV" and own == "V" and uv >= 50.0:
        with pytest.raises(InputError) as caught:  # 0.1 uV as stated: may be noise
            open_plan(recording)
        assert caught.value.kind == "calibration"
        return
    _assert_equal(recording, truth)
    warnings = open_plan(recording).warnings
    assert len(warnings) == (unit != own)
    if unit != own:
        assert f"unit {unit!r} would make" in warnings[0]
        assert "Fp1, F3" in warnings[0]
        factor = UV[unit] / UV[own]
        assert f"divided by {factor:.0f}" in warnings[0] or f"multiplied by {1 / factor:.0f}" in warnings[0]


@pytest.mark.parametrize("uv", [1.0, 2.0, 5.0, 30.0, 100.0, 300.0])
@pytest.mark.parametrize("own", ["nV", "uV", "mV", "V"])
def test_microvolts_are_right_or_told_or_refused(tmp_path: Path, own: str, uv: float) -> None:
    truth = _eeg(uv)
    recording = _edf(tmp_path / "a.edf", truth, ["uV"] * 19, [own] * 19)
    if own == "uV":
        _assert_equal(recording, truth)
        assert not open_plan(recording).warnings
        return
    if own == "mV" and uv >= 50.0:
        with pytest.raises(InputError, match="amplitudes of") as caught:
            open_plan(recording)
        assert caught.value.kind == "calibration"
        return
    warnings = open_plan(recording).warnings
    assert any("would make" in w or "wrong units" in w for w in warnings)
    if any("would make" in w for w in warnings):
        _assert_equal(recording, truth)


@pytest.mark.parametrize("uv", [2.0, 5.0, 30.0, 100.0])
@pytest.mark.parametrize(
    ("unit", "own", "n"),
    [
        (*units, n)
        for units in (("mV", "uV"), ("V", "uV"), ("V", "mV"), ("nV", "uV"))
        for n in (1, 3, 9, 10, 16)
        if units[0] != "nV" or n >= 3  # a thousandth of the others, alone: a flat electrode as well
    ],
)
def test_some_channels_of_another_unit(tmp_path: Path, unit: str, own: str, uv: float, n: int) -> None:
    truth = _eeg(uv)
    units = [unit] * n + ["uV"] * (19 - n)
    recording = _edf(tmp_path / "a.edf", truth, units, [own] * n + ["uV"] * (19 - n))
    _assert_equal(recording, truth)
    (warning,) = open_plan(recording).warnings
    assert f"(channels: {n})" in warning
    assert all(name in warning for name in ELECTRODES[:n])


@pytest.mark.parametrize("n", [5, 9, 10, 14])
@pytest.mark.parametrize("unit", ["mV", "uV"])
def test_half_of_the_numbers_under_one_unit(tmp_path: Path, unit: str, n: int) -> None:
    truth = _eeg(5.0)
    other = {"mV": "uV", "uV": "nV"}[unit]
    recording = _edf(tmp_path / "a.edf", truth, [unit] * 19, [other] * n + [unit] * (19 - n))
    _assert_equal(recording, truth)
    assert f"(channels: {n})" in open_plan(recording).warnings[0]


@pytest.mark.parametrize("rate", [40, 64, 100, 128, 200, 250, 256, 500, 512, 1000, 2048])
@pytest.mark.parametrize("uv", [2.0, 30.0])
def test_every_rate_decides_alike(tmp_path: Path, rate: int, uv: float) -> None:
    rows = _eeg(uv, 20, rate)
    for own in ("uV", "mV"):
        recording = _edf(tmp_path / f"{own}.edf", rows, ["mV"] * 19, [own] * 19, rate)
        assert {c.uv_per_unit for c in recording.channels} == {UV[own]}


def _suppressed(uv: FloatArray) -> FloatArray:
    bursts = np.zeros(uv.shape[1])
    for at in range(0, uv.shape[1], 128 * 5):
        bursts[at : at + 200] = 80 * np.hanning(200)
    return 0.3 * uv / 30.0 + bursts


def _with(kind: str) -> FloatArray:
    uv = _eeg(30.0)
    rng = np.random.default_rng(1)
    t = np.arange(uv.shape[1]) / 128
    if kind == "quiet":
        return uv * (2 / 30)
    if kind == "burst suppression":
        return _suppressed(uv)
    if kind == "zeros first":
        uv[:, : 128 * 25] = 0.0
    if kind == "calibration first":
        uv[:, : 128 * 25] = 100.0 * np.sign(np.sin(2 * np.pi * t[: 128 * 25]))
    if kind == "offsets and drift":
        uv += rng.uniform(-2e4, 2e4, (19, 1)) + 1e3 * np.sin(2 * np.pi * 0.03 * t)
    if kind == "seizure first":
        uv[:, : 128 * 20] *= 15
    if kind == "mains":
        uv += 300 * np.sin(2 * np.pi * 50 * t)
    if kind == "artifact":
        uv[:, 128 * 10 : 128 * 30] *= 100
    if kind == "flat electrodes":
        uv[:2] = 0.0
    if kind == "nearly flat electrodes":
        uv[:2] *= 1e-3
    if kind == "loose electrodes":
        uv[:2] *= 100
    return uv


KINDS = ["quiet", "burst suppression", "zeros first", "calibration first", "offsets and drift", "seizure first",
         "mains", "artifact", "flat electrodes", "nearly flat electrodes", "loose electrodes"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", ["uV", "mV", "V"])
def test_what_is_odd_and_right_stays(tmp_path: Path, unit: str, kind: str) -> None:
    recording = _edf(tmp_path / "a.edf", _with(kind), [unit] * 19, [unit] * 19)
    assert {c.uv_per_unit for c in recording.channels} == {UV[unit]}
    assert not any("would make" in w for w in open_plan(recording).warnings)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_odd_and_wrong_is_put_right(tmp_path: Path, kind: str) -> None:
    recording = _edf(tmp_path / "a.edf", _with(kind), ["mV"] * 19, ["uV"] * 19)
    assert {c.uv_per_unit for c in recording.channels} == {1.0}


@pytest.mark.parametrize("times", [10.0, 0.1])
def test_a_channel_of_ten_times_the_gain_is_named(tmp_path: Path, times: float) -> None:
    uv = _eeg(30.0)
    uv[5] *= times
    plan = open_plan(_edf(tmp_path / "a.edf", uv, ["uV"] * 19, ["uV"] * 19))
    (warning,) = plan.warnings
    assert ELECTRODES[5] in warning
    assert "the others' amplitude throughout" in warning
    assert plan.doubted
    uv[5, : 128 * 30] /= times
    assert not open_plan(_edf(tmp_path / "b.edf", uv, ["uV"] * 19, ["uV"] * 19)).warnings


@pytest.mark.parametrize(
    ("kind", "units", "own", "doubted"),
    [
        ("quiet", ["uV"] * 19, ["uV"] * 19, False),
        ("quiet", ["mV"] * 19, ["uV"] * 19, False),  # told, and put right
        ("flat electrodes", ["uV"] * 19, ["uV"] * 19, False),  # that is for the windows to say
        ("burst suppression", ["uV"] * 19, ["uV"] * 19, True),
        ("mains", ["uV"] * 19, ["uV"] * 19, True),
        ("offsets and drift", ["V"] * 3 + ["uV"] * 16, ["nV"] * 3 + ["uV"] * 16, True),  # three are not used
    ],
)
def test_a_plan_says_whether_amplitudes_doubt_the_signal(
    tmp_path: Path, kind: str, units: list[str], own: list[str], doubted: bool
) -> None:
    plan = open_plan(_edf(tmp_path / "a.edf", _with(kind), units, own))
    assert plan.doubted == doubted, plan.warnings


def test_channels_that_are_no_eeg_keep_their_unit_and_decide_nothing(tmp_path: Path) -> None:
    uv = _eeg(30.0, 20)
    path = tmp_path / "a.edf"
    _edf(path, uv, ["uV"] * 19, ["uV"] * 19)
    t = np.arange(20 * 128)
    eeg = [FakeSignal(name, (row * 10).astype(int), 128) for name, row in zip(ELECTRODES, uv, strict=True)]
    others = [FakeSignal(label, (3000 * np.sin(t / 9)).astype(int), 128, unit="mV") for label in ("EKG", "DC1")]
    path.write_bytes(FakeEdf([*eeg, *others], 20).data())
    recording = read(path)
    assert {c.uv_per_unit for c in recording.channels[:19]} == {1.0}
    assert not open_plan(recording).warnings


@pytest.mark.parametrize(
    ("uv", "factor"), [*itertools.product((2.0, 5.0, 30.0, 100.0), (1.0, 1e3, 1e6)), (2.0, 1e-3), (30.0, 1e-3)]
)
def test_mne_objects_and_fif(tmp_path: Path, uv: float, factor: float) -> None:
    mne = pytest.importorskip("mne")
    truth = _eeg(uv)
    raw: Any = mne.io.RawArray(truth * 1e-6 * factor, mne.create_info(list(ELECTRODES), 128, "eeg"), verbose="ERROR")
    raw.save(tmp_path / "a_raw.fif", verbose="ERROR")
    for recording in (from_raw(raw), read(tmp_path / "a_raw.fif")):
        _assert_equal(recording, truth)
        assert len(open_plan(recording).warnings) == (factor != 1.0)


@pytest.mark.parametrize("uv", [2.0, 5.0, 30.0, 100.0])
@pytest.mark.parametrize(("unit", "own"), [("µV", "uV"), ("mV", "uV"), ("mV", "mV"), ("V", "uV"), ("nV", "uV")])
@pytest.mark.parametrize("n", [8, 19])
def test_brainvision(tmp_path: Path, unit: str, own: str, uv: float, n: int) -> None:
    pytest.importorskip("mne")
    truth = _eeg(uv)
    channels = "".join(f"Ch{i}={name},,1,{unit if i <= n else 'µV'}\n" for i, name in enumerate(ELECTRODES, start=1))
    (tmp_path / "a.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\n"
        "DataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=19\nSamplingInterval=7812.5\n"
        "[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n[Channel Infos]\n" + channels,
        encoding="utf-8",
    )
    scale = np.array([UV[own] if i < n else 1.0 for i in range(19)])
    (truth / scale[:, None]).T.astype("<f4").tofile(tmp_path / "a.eeg")
    recording = read(tmp_path / "a.vhdr")
    _assert_equal(recording, truth)
    assert len(open_plan(recording).warnings) == (unit.replace("µ", "u") != own)


@pytest.mark.parametrize(
    "lengths", [(60.0,), (3600.0,), (3.0,), (0.5,), (5.0, 5.0, 5.0), (1.0,) * 50, (1000.0, 0.1, 2000.0)]
)
def test_stretches_lie_within_segments_all_over(lengths: tuple[float, ...]) -> None:
    starts = itertools.accumulate((length + 10.0 for length in lengths), initial=0.0)
    segments = [Segment(start, length) for start, length in zip(starts, lengths, strict=False)]
    spans = stretches(segments)
    assert 1 <= len(spans) <= 9
    for segment, start_s, stop_s in spans:
        assert segment.start_s <= start_s < stop_s <= segment.stop_s
        assert stop_s - start_s <= STRETCH_S
    assert len({start_s for _, start_s, _ in spans}) == len(spans)
