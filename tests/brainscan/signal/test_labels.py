from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.electrodes import ELECTRODES, INDEX
from brainscan.signal.labels import parse, parse_all


@pytest.mark.parametrize(
    ("label", "first", "second"),
    [
        ("Fp1", "Fp1", ""),
        (" fp1\0\0", "Fp1", ""),
        ("EEG FP1-REF", "Fp1", "REF"),
        ("EEG  F7 - Ref", "F7", "REF"),
        ("EEGF3", "F3", ""),
        ("EEG_Fp1_AVG", "Fp1", "AVG"),
        ("EEG FP1-LE", "Fp1", "LE"),
        ("Fp1:A1A2", "Fp1", "LE"),
        ("Fp1-AA", "Fp1", "LE"),
        ("Fp1-M2", "Fp1", "M2"),
        ("EEG Fp1-G2", "Fp1", "REF"),
        ("F7-CS2", "F7", "REF"),
        ("POL Cz", "Cz", ""),
        ("T7..", "T3", ""),
        ("EEG P8-Ref", "T6", "REF"),
        ("T4-A2", "T4", "A2"),
        ("A1-T3", "A1", "T3"),
        ("P7-T7", "T5", "T3"),
        ("EEG T3-Cz", "T3", "Cz"),
        ("EEG A2-A1", "A2", "A1"),
        ("T7-FT9", "T3", "FT9"),
        ("T1", "T1", ""),
        ("T8-P8-0", "T4", "T6"),
    ],
)
def test_label_families(label: str, first: str, second: str) -> None:
    found = parse(label)
    assert (found.first, found.second) == (first, second)


@pytest.mark.parametrize(
    "label",
    ["SpO2", "SPO2", "SaO2", "O2 Sat", "EtCO2", "EMG C3", "C3P", "CZ1", "EKG", "LF3", "FP1F7", "EMG1", "POL $A1",
     "POL DC01", "POL E", "EEG 26-LE", "EEG 001", "1", "-", ".", "", "PG1", "SP1", "EEG Mark1", "POL B'3", "LTG4",
     "Events/Markers", "EOG VEOG_I", "REF_EEG REF_EEG", "EEG", "Fp1-F7-T3"],
)  # fmt: skip
def test_traps_name_no_electrode(label: str) -> None:
    assert parse(label).first == ""


@pytest.mark.parametrize("other", ["F1", "F2", "Fpz", "Oz", "TP7", "CP1", "T1", "T2", "A1", "M2", "F9", "F10"])
def test_neighbours_are_none_of_the_19(other: str) -> None:
    assert parse(other).first not in INDEX


@pytest.mark.parametrize(
    ("label", "plain"),
    [("Fp1", True), ("FP1", True), ("fp1 ", True), ("F7\0\0", True), ("T7", False), ("Fp1.", False), ("EEG Fp1", False),
     ("Fp1-REF", False)],
)  # fmt: skip
def test_only_case_blanks_and_nuls_leave_a_name_plain(label: str, plain: bool) -> None:
    assert parse(label).plain is plain


@given(
    name=st.sampled_from(ELECTRODES),
    prefix=st.sampled_from(["", "EEG ", "EEG_", "EEG-", "EEG:", "POL ", "SEEG "]),
    suffix=st.sampled_from(["", "-REF", "-Ref", " - LE", "_AVG", ":A1A2", "/G2", "-A1+A2", "..", " "]),
    upper=st.booleans(),
)
def test_prefix_suffix_and_case_do_not_matter(name: str, prefix: str, suffix: str, upper: bool) -> None:
    label = prefix + name + suffix
    assert parse(label.upper() if upper else label).first == name


@given(st.text(max_size=20))
def test_any_text_is_read(text: str) -> None:
    assert parse(text).first in {"", *INDEX} or parse(text).first.isalnum()


def _names(labels: list[str]) -> list[str]:
    return [label.first for label in parse_all(labels)]


def test_digit_zero_needs_ten_other_electrodes() -> None:
    assert _names([*ELECTRODES[:10], "01", "02"])[-2:] == ["O1", "O2"]
    assert _names([*ELECTRODES[:7], "01", "02"])[-2:] == ["", ""]


def test_biosemi_sockets_are_no_electrodes() -> None:
    labels = [f"{letter}{n}" for letter in "ABC" for n in range(1, 33)]
    assert set(_names(labels)) == {""}


def test_depth_shafts_that_run_beyond_the_rows_are_no_electrodes() -> None:
    labels = [
        f"POL {letter}{n}" for letter, last in (("F", 12), ("C", 8), ("P", 10), ("T", 10)) for n in range(1, last + 1)
    ]
    assert set(_names(labels)) == {""}


def test_shafts_of_one_prefix_leave_the_electrodes_of_another() -> None:
    labels = [*(f"EEG {name}-Ref" for name in ELECTRODES), *(f"POL C{n}" for n in range(1, 11))]
    assert _names(labels) == [*ELECTRODES, *[""] * 10]


def test_a_row_of_temporal_electrodes_beside_inputs_is_no_shaft() -> None:
    labels = [*ELECTRODES, "T1", "T2", *(f"X{n}" for n in range(1, 9))]
    assert _names(labels)[: len(ELECTRODES)] == list(ELECTRODES)


def test_a_dense_cap_is_no_shaft() -> None:
    labels = [f"{row}{n}" for row in ("F", "C", "P") for n in range(1, 7)] + ["Fz", "Cz", "Pz"]
    assert {"F3", "F4", "C3", "C4", "P3", "P4", "Fz", "Cz", "Pz"} <= set(_names(labels))


def test_numbered_inputs_beside_electrodes_are_no_shaft() -> None:
    labels = [*ELECTRODES, *(f"C{n}" for n in range(25, 65))]
    assert _names(labels)[: len(ELECTRODES)] == list(ELECTRODES)


def test_pol_channels_give_way_to_eeg_channels() -> None:
    labels = [*(f"EEG {name}-Ref" for name in ELECTRODES[:8]), "POL C3", "POL T4"]
    assert _names(labels)[-2:] == ["", ""]
