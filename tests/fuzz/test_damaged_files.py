"""A hundred damaged recordings, and headers that Hypothesis thinks of. ``benchmarks/fuzz.py`` runs ten thousand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import outcome_of, run_case, sources_at_hand
from tests.edf_files import FakeEdf, eeg

FIELDS = (
    "version",
    "patient",
    "recording",
    "date",
    "time",
    "header_bytes",
    "reserved",
    "n_records",
    "record_s",
    "n_signals",
)
NUMBERS = st.one_of(
    st.integers(-(10**7), 10**8).map(str),
    st.floats().map(lambda x: f"{x:.3g}"),
    st.sampled_from(["", "0", "-1", "1e-6", "1e7", "1,5", "99999999", "1e999"]),
    st.binary(max_size=8),
)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", range(5))
def test_damage_is_read_or_refused_in_one_line(part: int) -> None:
    sources = sources_at_hand()
    results = [run_case(seed, sources) for seed in range(20 * part, 20 * part + 20)]
    assert [r for r in results if r.problem] == []
    assert len({r.outcome for r in results}) > 1


@pytest.mark.parametrize("seed", [0, 4])
def test_the_same_seed_gives_the_same_case(seed: int) -> None:
    outcomes = {run_case(seed, ()).outcome for _ in range(2)}
    assert len(outcomes) == 1


def _outcome(folder: Path, data: bytes) -> str:
    path = folder / "hypothesis.edf"
    path.write_bytes(data)
    return outcome_of(path)


@given(data=st.binary(max_size=2000))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_refused(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    # Hypothesis knows every format's first bytes, so the kind is that of whichever format it hits upon.
    assert _outcome(tmp_path_factory.getbasetemp(), data).startswith("refused: ")


@given(fields=st.dictionaries(st.sampled_from(FIELDS), NUMBERS, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_main_header(fields: dict[str, str | bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    edf = FakeEdf(eeg(n_records=3), 3, reserved="EDF+C", onsets=["+0", "+1", "+2"], fields=fields)
    assert _outcome(tmp_path_factory.getbasetemp(), edf.data()).split(":")[0] in {"read", "refused"}


@given(
    label=st.one_of(st.binary(max_size=16), st.sampled_from([b"Fp1", b"EDF Annotations", b"EEG A1-A2", b""])),
    unit=st.binary(max_size=8),
    physical=st.tuples(NUMBERS, NUMBERS),
    digital=st.tuples(NUMBERS, NUMBERS),
    samples=NUMBERS,
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_signal_header(
    label: bytes,
    unit: bytes,
    physical: tuple[str, str],
    digital: tuple[str, str],
    samples: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    signals = eeg(n_records=3)
    signals[2] = replace(signals[2], label=label, unit=unit, physical=physical, digital=digital, samples_field=samples)
    data = FakeEdf(signals, 3).data()
    assert _outcome(tmp_path_factory.getbasetemp(), data).split(":")[0] in {"read", "refused"}


@pytest.mark.parametrize(
    "fields",
    [
        {"n_records": "1000000000"},
        {"n_signals": "1000000"},
        {"record_s": "-1"},
        {"record_s": "0.000001"},
        {"record_s": "9999999"},
        {"n_records": "-1", "record_s": "1e-6"},
    ],
)
def test_malicious_headers(fields: dict[str, str], tmp_path: Path) -> None:
    outcome = _outcome(tmp_path, FakeEdf(eeg(n_records=3), 3, fields=fields).data())
    assert outcome == "read" if set(fields) == {"n_records"} else outcome.startswith("refused")


@pytest.mark.parametrize("onset", ["+999999999999", "-999999999999", "+1e9", "+0." + "1" * 50, "+" + "9" * 60])
def test_malicious_time_stamps(onset: str, tmp_path: Path) -> None:
    for at in (0, 5, 11):
        onsets = [f"+{t}" for t in range(12)]
        onsets[at] = onset
        edf = FakeEdf(eeg(n_records=12), 12, reserved="EDF+D", onsets=onsets)
        assert _outcome(tmp_path, edf.data()) == "read"
