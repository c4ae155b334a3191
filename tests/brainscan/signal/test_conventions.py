"""What only the whole file tells: every electrode is found in every spelling, and nothing else ever is one."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES, INDEX, SYNONYMS
from brainscan.signal import montage
from brainscan.signal.labels import parse, parse_all

BANANA = (  # noqa: SIM905
    "Fp1-F7 F7-T3 T3-T5 T5-O1 Fp1-F3 F3-C3 C3-P3 P3-O1 Fz-Cz Cz-Pz Fp2-F4 F4-C4 C4-P4 P4-O2 Fp2-F8 F8-T4 T4-T6 T6-O2"
).split()

HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u2192\u2022\u00b7"
SEPARATORS = [*HYPHENS, *"_/:\\|>.~,;=", " ", " - ", " \u2013 ", "--", "->", " / ", ": "]
KNOWN = ["REF", "Ref", "LE", "AVG", "A1A2", "G2", "AA", "CS2", "GND"]
UNKNOWN = ["G19", "VREF", "0V", "SD", "BN", "CLE", "R", "Ref1", "(A1+A2)/2", "[A1+A2]", "A1/A2", "linked ears", "nose",
           "Balanced Non-cephalic", "AV17", "XYZ9", "\u03a3", "Referenz"]  # fmt: skip
PREFIXES = ["", "EEG ", "EEG_", "EEG-", "EEG.", "EEG:", "EEG", "POL ", "SEEG "]
UNITS = ["", " [uV]", "(\u00b5V)", " (\u03bcV)", " [mV]", " uV", "/uV", " in uV", "{uV}", ", \u00b5V", " [V]"]


def _found(labels: list[str]) -> list[str]:
    return [item.first for item in parse_all(labels)]


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
@pytest.mark.parametrize("prefix", PREFIXES, ids=ascii)
def test_every_electrode_with_every_reference(prefix: str, separator: str) -> None:
    combined = list(itertools.product([*KNOWN, *UNKNOWN], UNITS))
    # Every word with every unit takes long: each case tries others of them.
    offset = PREFIXES.index(prefix) * 7 + SEPARATORS.index(separator)
    for word, unit in combined[offset % 37 :: 37]:
        labels = [f"{prefix}{name}{separator}{word}{unit}" for name in ELECTRODES]
        read = parse_all(labels)
        assert [item.first for item in read] == list(ELECTRODES), labels[0]
        assert all(item.second for item in read)
        assert bool(read[0].guess) == (word in UNKNOWN), labels[0]


@pytest.mark.parametrize("prefix", [*PREFIXES, "Scalp ", "EEG ch ", "10-20 ", "Brain_", "[EEG] ", "P:"], ids=ascii)
def test_every_electrode_alone(prefix: str) -> None:
    for unit, upper in itertools.product(UNITS, (False, True)):
        labels = [f"{prefix}{name.upper() if upper else name}{unit}" for name in ELECTRODES]
        assert _found(labels) == list(ELECTRODES), labels[0]
        new = [f"{prefix}{old}{unit}" for old in SYNONYMS]
        rest = [label for label, name in zip(labels, ELECTRODES, strict=True) if name not in SYNONYMS.values()]
        assert _found([*rest, *new])[-len(new) :] == list(SYNONYMS.values())


@pytest.mark.parametrize("word", ["REF", "EEG Ref", "AVG", "A1+A2", "A1"])
@pytest.mark.parametrize("separator", ["-", " - ", "/", " minus "])
def test_a_reference_in_front_turns_the_sign(word: str, separator: str) -> None:
    """A label is a difference: REF-Fp1 is minus Fp1, as A1-Fp1 is."""
    uv = np.random.default_rng(0).normal(size=(19, 50))
    plan = montage.plan([f"{word}{separator}{name}" for name in ELECTRODES])
    turned = montage.operator(plan, frozenset()).matrix @ uv
    assert np.allclose(turned, uv.mean(axis=0) - uv)
    assert plan.missing == ()
    assert any("reference minus electrode" in text for text in plan.warnings) == (word != "A1")


@pytest.mark.parametrize("word", ["AVG ", "REF_", "Scalp-"])
def test_a_word_in_front_without_a_minus_or_that_is_no_reference_is_a_prefix(word: str) -> None:
    plan = montage.plan([f"{word}{name}" for name in ELECTRODES])
    assert np.allclose(montage.operator(plan, frozenset()).matrix, np.eye(19) - 1 / 19)


@pytest.mark.parametrize("suffix", ["+", "*", "REF", "AVG", "x", " (ref)", " ref 2", "-1", "_EEG"])
def test_what_all_nineteen_have_behind_them_is_a_reference(suffix: str) -> None:
    assert _found([f"{name}{suffix}" for name in ELECTRODES]) == list(ELECTRODES)


NUMBERS: list[Callable[[int, str], str]] = [
    lambda i, label: f"{i + 1} {label}",
    lambda i, label: f"{i + 1:03d} {label}",
    lambda i, label: f"{i + 1:03d}{label}",
    lambda i, label: f"{1000 + i}-{label}",
    lambda i, label: f"{i}:{label}",
    lambda i, label: f"{i}. {label}",
    lambda i, label: f"{i})  {label}",
    lambda i, label: f"[{i:02d}] {label}",
    lambda i, label: f"#{i} {label}",
    lambda i, label: f"EEG {i + 12} {label}",
    lambda i, label: f"EEG{i:03d}-{label}",
    lambda i, label: f"CH{i + 1} {label}",
    lambda i, label: f"Ch {i + 1}: {label}",
    lambda i, label: f"Channel {i + 1} - {label}",
    lambda i, label: f"{i + 1} EEG {label}",
    lambda i, label: f"{label}-{i}",
    lambda i, label: f"{label}-{i:05d}",
    lambda i, label: f"{label} {i + 100}",
    lambda i, label: f"{label}_{i}",
    lambda i, label: f"{label} ({i})",
    lambda i, label: f"{label}#{i + 1}",
    lambda i, label: f"EEG {label} [{i}]",
]


@pytest.mark.parametrize("number", range(len(NUMBERS)))
@pytest.mark.parametrize("suffix", ["", "-REF", "-G19", " - LE", " [uV]"])
def test_running_numbers_of_any_length_come_off(number: int, suffix: str) -> None:
    labels = [NUMBERS[number](i, name + suffix) for i, name in enumerate(ELECTRODES)]
    labels += [NUMBERS[number](len(ELECTRODES) + i, name) for i, name in enumerate(("EKG", "SpO2", "EMG C3"))]
    assert _found(labels) == [*ELECTRODES, "", "", ""]


@pytest.mark.parametrize("number", range(len(NUMBERS)))
@pytest.mark.parametrize("separator", ["-", "\u2013", ">", "_", " - ", ""])
def test_running_numbers_of_derivations_come_off(number: int, separator: str) -> None:
    labels = [NUMBERS[number](i, pair.replace("-", separator)) for i, pair in enumerate(BANANA)]
    _assert_banana(labels)


@pytest.mark.parametrize("prefix", PREFIXES, ids=ascii)
def test_derivations_with_every_separator(prefix: str) -> None:
    combined = list(itertools.product([*SEPARATORS, "", " vs ", " minus "], UNITS))
    for separator, unit in combined[PREFIXES.index(prefix) % 7 :: 7]:
        _assert_banana([prefix + pair.replace("-", separator) + unit for pair in BANANA])


def _assert_banana(labels: list[str]) -> None:
    plan = montage.plan(labels)
    assert plan.bipolar, labels[0]
    assert [f"{plan.nodes[a]}-{plan.nodes[b]}" for a, b in plan.edges] == BANANA, labels[0]


def test_a_label_that_the_header_cut_off_is_completed() -> None:
    for form in ("EEG {}-(A1+A2)/2", "EEG {} - Average", "EEG {}-Ears_link"):
        labels = [form.format(name)[:16] for name in ELECTRODES]
        assert len({label[-3:] for label in labels}) == 2
        assert _found(labels) == list(ELECTRODES)
        assert len({item.second for item in parse_all(labels)}) == 1


_TRAPS = """
SpO2 SPO2 SaO2 O2_Sat EtCO2 O2Sat O2-Sat EMG_C3 EMG-C3 C3P CZ1 C31 PZ2 EKG EKG1 ECG1 ECG1+ LF3 RF4 EMG1 DC01 DC1
E X1 X8 P3G2 C3G19 FP1REF2 26-LE 001 1 25 C25 C64 C128 F25 P47 O12 T21 - . PG1 PG2 SP1 SP2 Sph1 Mark1 B'3 A'1
LTG4 RTG12 G19 Events/Markers VEOG_I REF_EEG EEG Fp1-F7-T3 FP1F7T3 C3P3 T3T5 F7T3 O1O2 LOC ROC LOC-ROC E1-M2
PHOTIC-REF IBI BURSTS SUPPR EKG1-CHIN LUE-RAE VNS HR MK OSAT PR MKR+ CQ_F7 CQ_O1 POW.AF3.Theta POW.O1.Alpha
MEG0111 MLC11-2908 MZC01 MRF12 C3-Imp O1-Impedance P3-Alpha F3-Quality Cz-Delta Thorax Abdomen Airflow Snore
Pulse Pleth Position CPAP C-FLOW T3M F3_F4_F7 H1 H2 VREF COM GROUND GND REF Ref1 STI014 Trigger Status TRIG Resp
RESP1 EOG1 EOG_L EMG_L Chin1 Chin1-Chin2 RAT1 LAT2 PTAF F3x C3/ C3- -C3 --- 3C F33 T33 P333 Cz0 Fz9 Oz1 O1P3x
OO1 FFp1 Fp11 Fp12 EEGX EEG1 EEG19 POL_DC01 $A1 POL_$A1
"""
TRAPS = _TRAPS.split()


@pytest.mark.parametrize(
    "trap", [*TRAPS, "O2 Sat", "EMG C3", "C3 power", "T3 (temp)", "EEG 26-LE", "POL B'3", "Resp Effort"]
)
def test_traps_are_no_electrode_beside_a_whole_cap_nor_alone(trap: str) -> None:
    allowed = {"C3/", "C3-", "-C3"}  # a separator without anything else says nothing
    for cap in ([], list(ELECTRODES), [f"EEG {n}-Ref" for n in ELECTRODES], [f"{n}-G19" for n in ELECTRODES], BANANA):
        own = _found([*cap, trap])[-1]
        assert own not in INDEX or trap in allowed, own
        assert parse(trap).first not in INDEX or trap in allowed
        plan = montage.plan([*cap, trap])
        assert len(cap) not in plan.channels or not cap


def test_traps_together_give_nothing() -> None:
    assert not {name for name in _found([t for t in TRAPS if t not in ("C3/", "C3-", "-C3")]) if name in INDEX}


@pytest.mark.parametrize(
    "form",
    ["{}-Imp", "{} [kOhm]", "{} (Hz)", "{}-CSD", "{} alpha", "{}_power", "{} [uV^2/Hz]", "{} [\u00b5V\u00b2]", "CQ_{}",
     "MEG {}", "POW.{}.Theta", "{} %", "Imp {}", "{}-Quality", "{}1", "1{}1", "x{}x", "{}-Fp1x", "EMG {}", "{}-EMG"],
)  # fmt: skip
def test_what_is_measured_of_an_electrode_is_not_its_potential(form: str) -> None:
    assert not {name for name in _found([form.format(name) for name in ELECTRODES]) if name in INDEX}


def test_two_words_leave_open_which_is_meant() -> None:
    labels = [f"{name}-{word}" for word in ("raw", "filt") for name in ELECTRODES]
    assert set(_found(labels)) == {""}


@pytest.mark.parametrize("n", range(1, 16))
def test_fewer_than_sixteen_share_no_reference(n: int) -> None:
    assert set(_found([f"{name}-G19" for name in ELECTRODES[:n]])) == {""}


def test_a_known_name_is_never_taken_for_a_word() -> None:
    for second in ("T3", "F7", "O2", "Fz"):
        labels = [f"{name}-{second}" for name in ELECTRODES if name != second]
        assert {item.second for item in parse_all(labels)} == {second}
        assert not any(item.guess for item in parse_all(labels))


@pytest.mark.parametrize("n", [1, 5, 9])
def test_joined_pairs_need_a_file_of_them(n: int) -> None:
    joined = [pair.replace("-", "") for pair in BANANA[:n]]
    assert set(_found(joined)) == {""}
    assert set(_found([*(pair.replace("-", "") for pair in BANANA), *(f"AUX{i}" for i in range(18))])) == {""}


@pytest.mark.parametrize("name", ["FC3", "CP3", "PO7", "AF3", "FT7", "TP8", "FC1", "CP6", "AF10", "PO10", "T10", "P10"])
def test_names_of_the_ten_ten_system_are_no_pairs(name: str) -> None:
    labels = [*(pair.replace("-", "") for pair in BANANA), name]
    assert _found(labels)[-1].upper() == name


def test_guesses_are_told() -> None:
    assert any("'G19'" in w for w in montage.plan([f"{n}-G19" for n in ELECTRODES]).warnings)
    assert any("separator" in w for w in montage.plan([p.replace("-", "") for p in BANANA]).warnings)
    assert not montage.plan([f"{n}\u2013REF" for n in ELECTRODES]).warnings
