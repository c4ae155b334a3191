from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError, UsageError
from brainscan.io import open_plan, read
from brainscan.recording import Recording
from brainscan.signal.montage import operator
from tests.edf_files import FakeEdf, FakeSignal, eeg


def _recording(tmp_path: Path, signals: list[FakeSignal], n_records: int = 20) -> Recording:
    path = tmp_path / "a.edf"
    path.write_bytes(FakeEdf(signals, n_records).data())
    return read(path)


def test_a_plain_recording_opens_without_a_word(tmp_path: Path) -> None:
    plan = open_plan(_recording(tmp_path, eeg()))
    assert plan.n_found == 19
    assert not plan.warnings


def test_missing_electrodes_are_named_or_refused(tmp_path: Path) -> None:
    plan = open_plan(_recording(tmp_path, eeg(ELECTRODES[:16])))
    assert plan.warnings == ("T4 T6 O2 missing: interpolated from the others",)
    assert not plan.doubted
    recording = _recording(tmp_path, eeg([*ELECTRODES[:15], "EKG"]))
    with pytest.raises(InputError) as caught:
        open_plan(recording)
    assert caught.value.kind == "electrodes"
    assert "F8 T4 T6 O2" in caught.value.message
    assert "EKG" in caught.value.message
    assert open_plan(recording, max_missing=4).n_found == 15


def test_electrodes_without_calibration_are_another_matter(tmp_path: Path) -> None:
    signals = eeg()
    for i in (3, 4, 5, 6):
        signals[i] = replace(signals[i], physical=("0", "0"))
    with pytest.raises(InputError) as caught:
        open_plan(_recording(tmp_path, signals))
    assert caught.value.kind == "calibration"
    assert "P3 F7 T3 T5" in caught.value.message


def test_implausible_amplitudes_of_an_unknown_unit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_plan(_recording(tmp_path, eeg(unit="", physical=("-3e9", "3e9"))))
    assert caught.value.kind == "calibration"


@pytest.mark.parametrize(
    ("unit", "told"), [("", "unit '' is unknown: taken as uV in Fp1, "), ("V", "unit 'V' would make 16 V of Fp1, ")]
)
def test_assumed_units_are_told(tmp_path: Path, unit: str, told: str) -> None:
    (warning,) = open_plan(_recording(tmp_path, eeg(unit=unit))).warnings
    assert warning.startswith(told)
    assert "taken as uV" in warning
    assert warning.endswith("(channels: 19)")


def test_the_unit_of_other_channels_does_not_matter(tmp_path: Path) -> None:
    other = replace(eeg(["SpO2"])[0], unit="%")
    assert not open_plan(_recording(tmp_path, [*eeg(), other])).warnings


def test_equal_duplicates_are_silent_different_ones_not(tmp_path: Path) -> None:
    signals = eeg()
    assert not open_plan(_recording(tmp_path, [*signals, signals[0]])).warnings
    reversed_pair = [
        *eeg(["Fp1-F7", "F7-T3"]),
    ]
    turned = replace(reversed_pair[0], label="F7-Fp1", values=-reversed_pair[0].values)
    plan = open_plan(_recording(tmp_path, [*reversed_pair, turned]), max_missing=17)
    assert not any("twice" in w for w in plan.warnings)
    other = replace(signals[0], values=signals[0].values[::-1])
    (warning,) = open_plan(_recording(tmp_path, [*signals, other])).warnings
    assert "Fp1 is there twice with different data" in warning
    shifted = replace(signals[0], values=signals[0].values + 100)  # by an offset alone, as another zero
    assert not open_plan(_recording(tmp_path, [*signals, shifted])).warnings


def test_a_live_duplicate_replaces_a_flat_one(tmp_path: Path) -> None:
    signals = eeg()
    flat = replace(signals[0], values=np.zeros_like(signals[0].values))
    plan = open_plan(_recording(tmp_path, [flat, *signals]))
    assert 0 not in plan.channels
    assert 1 in plan.channels


def test_slow_channels(tmp_path: Path) -> None:
    (warning,) = open_plan(_recording(tmp_path, eeg(samples=64))).warnings
    assert "64 Hz" in warning
    with pytest.raises(InputError, match="rate"):
        open_plan(_recording(tmp_path, eeg(samples=20)))


def test_a_mislabelled_derivation_is_noticed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    potentials = {name: rng.integers(-400, 400, 2000) for name in ELECTRODES}
    labels = "Fp1-F7 F7-T3 T3-T5 T5-O1 Fp1-F3 F3-C3 C3-P3 P3-O1".split()  # noqa: SIM905
    signals = [FakeSignal(label, potentials[label.split("-")[0]] - potentials[label.split("-")[1]]) for label in labels]
    assert not any("contradict" in w for w in open_plan(_recording(tmp_path, signals), max_missing=11).warnings)
    signals[0], signals[5] = replace(signals[0], label=labels[5]), replace(signals[5], label=labels[0])
    assert any("contradict" in w for w in open_plan(_recording(tmp_path, signals), max_missing=11).warnings)


def test_mains_and_huge_amplitudes_are_noticed(tmp_path: Path) -> None:
    t = np.arange(20 * 256) / 256
    mains = (3000 * np.sin(2 * np.pi * 50 * t)).astype(int)
    hum = [replace(s, values=s.values // 20 + mains) for s in eeg(samples=256)]
    plan = open_plan(_recording(tmp_path, hum))
    assert any("mains" in w for w in plan.warnings)
    assert plan.doubted
    signals = eeg()
    signals[2] = replace(signals[2], physical=("-3276800", "3276700"), unit="uV")
    plan = open_plan(_recording(tmp_path, signals))
    (warning,) = plan.warnings
    assert "above 10 mV in C3" in warning
    assert plan.doubted


def test_one_signal_in_all_channels_is_no_recording(tmp_path: Path) -> None:
    """In the average reference nothing is left of it; what begins so (a calibration) is judged by what follows."""
    signals = eeg()
    same = [replace(signal, values=signals[0].values + i) for i, signal in enumerate(signals)]
    with pytest.raises(InputError, match="all channels hold the same signal") as caught:
        open_plan(_recording(tmp_path, same))
    assert caught.value.kind == "calibration"
    begun = [
        replace(signal, values=np.concatenate((signals[0].values[:1000], signal.values[1000:]))) for signal in signals
    ]
    assert not open_plan(_recording(tmp_path, begun)).warnings


def test_bridged_electrodes_are_told_and_a_noisy_reference_is_none(tmp_path: Path) -> None:
    signals = eeg()
    signals[1] = replace(signals[1], values=signals[0].values)
    (warning,) = open_plan(_recording(tmp_path, signals)).warnings
    assert warning.startswith("Fp1 F3 hold the same signal")
    reference = np.random.default_rng(1).integers(-15000, 15000, 2000)
    noisy = [replace(signal, values=signal.values // 20 + reference) for signal in eeg()]
    assert not any("same signal" in told for told in open_plan(_recording(tmp_path, noisy)).warnings)


def test_a_channel_map_names_what_labels_do_not(tmp_path: Path) -> None:
    recording = _recording(tmp_path, eeg([f"E{i}" for i in range(19)]))
    plan = open_plan(recording, {f"E{i}": name for i, name in enumerate(ELECTRODES)})
    assert {s.found for s in plan.sources} == {"renamed"}
    with pytest.raises(UsageError, match="no electrode"):
        open_plan(recording, {"E1": "nose"})


def test_contralateral_ears_equal_the_common_reference_original(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    potentials = {name: rng.integers(-400, 400, 2000) for name in (*ELECTRODES, "A1", "A2")}
    left = {"Fp1", "F7", "F3", "T3", "C3", "T5", "P3", "O1"}
    ears = {name: "A2" if name in left else "A1" for name in ELECTRODES}
    contra = [FakeSignal(f"{n}-{ears[n]}", potentials[n] - potentials[ears[n]]) for n in ELECTRODES]
    contra.append(FakeSignal("EEG A2-A1", potentials["A2"] - potentials["A1"]))
    common = [FakeSignal(n, potentials[n]) for n in ELECTRODES]
    results = []
    for signals in (contra, common):
        recording = _recording(tmp_path, signals)
        plan = open_plan(recording)
        assert not plan.warnings
        uv = np.stack(recording.read(plan.channels, 0.0, 20.0).uv)
        results.append(operator(plan).matrix @ uv)
    np.testing.assert_allclose(results[0], results[1], atol=1e-6 * np.abs(results[1]).max())
