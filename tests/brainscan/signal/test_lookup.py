"""Channels by index, label or electrode; what is not clear is refused, by name."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.signal.lookup import channels_of

REFERENTIAL = [*(f"EEG {name}-REF" for name in ELECTRODES), "ECG  1", "EEG A1-REF", "EEG Oz-REF"]
CHAINS = [
    "Fp1-F7",
    "F7-T3",
    "T3-T5",
    "T5-O1",
    "Fp2-F8",
    "F8-T4",
    "T4-T6",
    "T6-O2",
    "Fp1-F3",
    "F3-C3",
    "C3-P3",
    "P3-O1",
    "Fp2-F4",
    "F4-C4",
    "C4-P4",
    "P4-O2",
]
BIPOLAR = [*CHAINS, "Fz-Cz", "Cz-Pz", "T4-A2"]


@pytest.mark.parametrize("name", ELECTRODES)
@pytest.mark.parametrize("spelled", [str, str.lower, lambda name: f"eeg {name}-ref", lambda name: f" EEG{name}-REF "])
def test_every_electrode_is_found_however_it_is_spelled(name: str, spelled: object) -> None:
    assert channels_of(REFERENTIAL, [spelled(name)]) == (ELECTRODES.index(name),)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["T7", "T8", "P7", "P8"], tuple(ELECTRODES.index(name) for name in ("T3", "T4", "T5", "T6"))),
        (["ecg 1", 0, "Oz"], (19, 0, 21)),
        (np.array([3, 1]), (3, 1)),
        (range(2), (0, 1)),
        ((), ()),
    ],
)
def test_names_and_indices_mix(asked: object, found: tuple[int, ...]) -> None:
    assert channels_of(REFERENTIAL, asked) == found


@pytest.mark.parametrize("wrong", ["Fp1", b"Fp1", 3, None, [1.5], [True], [None], [b"Fp1"]])
def test_wrong_types_are_told_what_is_taken(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"list of indices \(int\), labels or electrodes \(str\), got"):
        channels_of(REFERENTIAL, wrong)


@pytest.mark.parametrize("name", ["Fp1", "T4", "Cz", "O2"])
def test_an_electrode_of_a_bipolar_recording_is_derived_and_not_read(name: str) -> None:
    with pytest.raises(ValueError, match="is derived from") as caught:
        channels_of(BIPOLAR, [name])
    derivations = [label for label in BIPOLAR if name in label.split("-")]
    assert ", ".join(derivations) in str(caught.value)
    assert channels_of(BIPOLAR, derivations) == tuple(BIPOLAR.index(label) for label in derivations)


@pytest.mark.parametrize(
    ("labels", "asked", "said"),
    [
        (REFERENTIAL, ["Fpz"], "no channel is called 'Fpz'"),
        (REFERENTIAL, ["EEG Fp1-RFE"], "did you mean 'EEG Fp1-REF'"),
        (REFERENTIAL, [22], r"out of range 0\.\.21: 22"),
        (REFERENTIAL, [-1], "out of range"),
        ([*REFERENTIAL, "eeg fp1-ref"], ["EEG Fp1-REF"], r"more than one channel here: .*0 \(EEG Fp1-REF\), 22"),
        ([*REFERENTIAL, "Fp1-A2"], ["Fp1"], r"more than one channel here: .*0 \(EEG Fp1-REF\), 22 \(Fp1-A2\)"),
    ],
)
def test_what_is_not_clear_is_refused(labels: list[str], asked: list[object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        channels_of(labels, asked)
