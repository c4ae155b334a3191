from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.electrodes import ELECTRODES, INDEX, N_ELECTRODES
from brainscan.signal.interpolation import spline_weights
from brainscan.signal.montage import ElectrodePlan, loop_residual, operator, plan

CHBMIT = [
    "FP1-F7", "F7-T7", "T7-P7", "P7-O1", "FP1-F3", "F3-C3", "C3-P3", "P3-O1", "FZ-CZ", "CZ-PZ",
    "FP2-F4", "F4-C4", "C4-P4", "P4-O2", "FP2-F8", "F8-T8", "T8-P8", "P8-O2", "P7-T7", "T7-FT9",
    "FT9-FT10", "FT10-T8", "T8-P8",
]  # fmt: skip
BANANA = CHBMIT[:18]
LEFT = {"Fp1", "F7", "F3", "T3", "C3", "T5", "P3", "O1"}


def _potentials(names: list[str], seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 50, 200) for name in names}


def _channels(p: ElectrodePlan, potentials: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack([potentials[p.nodes[a]] - potentials[p.nodes[b]] for a, b in p.edges])


def _all_nodes(p: ElectrodePlan) -> dict[str, np.ndarray]:
    return _potentials(list(p.nodes))


def _average(potentials: dict[str, np.ndarray]) -> np.ndarray:
    values = np.stack([potentials[name] for name in ELECTRODES])
    return values - values.mean(axis=0)


@pytest.mark.parametrize("labels", [BANANA, CHBMIT], ids=["banana", "chbmit"])
def test_derivations_come_back_within_each_component(labels: list[str]) -> None:
    p = plan(labels)
    potentials = _all_nodes(p)
    result = operator(p).matrix @ _channels(p, potentials)
    peak = max(np.abs(v).max() for v in potentials.values())
    for component in p.components:
        truth = np.stack([potentials[name] for name in component])
        truth = truth - truth.mean(axis=0)
        rows = result[[INDEX[name] for name in component]]
        np.testing.assert_allclose(rows, truth, atol=1e-6 * peak)


@pytest.mark.parametrize(
    "labels", [BANANA, CHBMIT, [f"{n}-REF" for n in ELECTRODES], [f"{n}-Cz" for n in ELECTRODES if n != "Cz"]]
)
def test_differences_of_electrodes_equal_the_recorded_derivations(labels: list[str]) -> None:
    p = plan(labels)
    channels = _channels(p, _all_nodes(p))
    result = operator(p).matrix @ channels
    for (a, b), recorded in zip(p.edges, channels, strict=True):
        if a < N_ELECTRODES and b < N_ELECTRODES:
            np.testing.assert_allclose(result[a] - result[b], recorded, atol=1e-6)


def test_chbmit_has_two_components_and_drops_its_duplicates() -> None:
    p = plan(CHBMIT)
    assert [len(c) for c in p.components] == [16, 3]
    assert {s.found for s in p.sources} == {"derived"}
    assert p.bipolar
    assert p.duplicates == (("T3-T5", 2, 18), ("T4-T6", 16, 22))
    assert any("joins Fz Cz Pz to the other electrodes" in w and "nothing needs to be done" in w for w in p.warnings)


LEFT_CHAINS = ["Fp1-F7", "F7-T3", "T3-T5", "T5-O1", "Fp1-F3", "F3-C3", "C3-P3", "P3-O1"]
RIGHT_CHAINS = ["Fp2-F8", "F8-T4", "T4-T6", "T6-O2", "Fp2-F4", "F4-C4", "C4-P4", "P4-O2"]


@pytest.mark.parametrize(
    ("labels", "sides_apart", "midline_apart"),
    [
        ([*LEFT_CHAINS, *RIGHT_CHAINS, "Fp1-Fp2", "Fz-Cz", "Cz-Pz"], False, True),
        ([*LEFT_CHAINS, *RIGHT_CHAINS, "Fp1-Fp2", "Fz-Cz", "C3-Pz"], False, True),
        ([*LEFT_CHAINS, *RIGHT_CHAINS, "C3-Cz", "Cz-C4", "Fz-Cz", "Cz-Pz"], False, False),
        ([*LEFT_CHAINS, *RIGHT_CHAINS, "Fz-Cz", "Cz-Pz"], True, True),
        ([*LEFT_CHAINS, *RIGHT_CHAINS, "F3-Fz", "Fz-Cz", "Cz-Pz"], True, False),
        ([*LEFT_CHAINS, *RIGHT_CHAINS], True, False),
    ],
)
def test_of_groups_that_nothing_joins_it_is_said_what_follows(
    labels: list[str], sides_apart: bool, midline_apart: bool
) -> None:
    told = [w for w in plan(labels).warnings if "no derivation joins" in w]
    assert any("a seizure that shows there only is missed" in w for w in told) == sides_apart
    assert any("nothing needs to be done" in w for w in told) == midline_apart
    assert len(told) == sides_apart + midline_apart


@pytest.mark.parametrize("reference", ["REF", "LE", "AVG", "CS2", "A2", "M1", "G2", "Cz", "FCz"])
def test_a_common_reference_cancels(reference: str) -> None:
    labels = [f"EEG {n}-{reference}" for n in ELECTRODES if n != reference]
    p = plan(labels)
    potentials = _all_nodes(p)
    np.testing.assert_allclose(operator(p).matrix @ _channels(p, potentials), _average(potentials), atol=1e-9)
    assert not p.bipolar
    assert not p.missing
    assert not p.warnings


def test_the_common_reference_electrode_is_derived() -> None:
    p = plan([f"EEG {n}-Cz" for n in ELECTRODES if n != "Cz"])
    assert {s.name: s.found for s in p.sources}["Cz"] == "derived"
    assert operator(p).how[INDEX["Cz"]] == "derived"
    assert sum(s.found == "renamed" for s in p.sources) == 18


@pytest.mark.parametrize("contralateral", [False, True])
def test_two_ears_are_repaired_by_the_channel_between_them(contralateral: bool) -> None:
    ears = ("A2", "A1") if contralateral else ("A1", "A2")
    labels = [f"{n}-{ears[0] if n in LEFT else ears[1]}" for n in ELECTRODES]
    p = plan([*labels, "EEG A2-A1"])
    potentials = _all_nodes(p)
    np.testing.assert_allclose(operator(p).matrix @ _channels(p, potentials), _average(potentials), atol=1e-9)
    assert not p.warnings
    assert {s.found for s in p.sources} == {"renamed"}


def test_two_ears_without_a_channel_between_them_are_joined_with_a_warning() -> None:
    p = plan([f"{n}-{'A1' if n in LEFT else 'A2'}" for n in ELECTRODES])
    assert len(p.warnings) == 1
    assert "A1 and A2" in p.warnings[0]
    assert [len(c) for c in p.components] == [19]


def test_an_ear_derivation_among_chains_is_a_derivation() -> None:
    tcp = [*BANANA, "A1-T3", "T3-C3", "C3-Cz", "Cz-C4", "C4-T4", "T4-A2"]
    p = plan(tcp)
    assert {s.found for s in p.sources} == {"derived"}
    assert [len(c) for c in p.components] == [19]
    assert not p.warnings
    potentials = _all_nodes(p)
    np.testing.assert_allclose(operator(p).matrix @ _channels(p, potentials), _average(potentials), atol=1e-9)


def test_referential_channels_win_over_derivations_of_the_same_electrodes() -> None:
    p = plan([*ELECTRODES, "Fp1-F7", "F7-T3"])
    assert p.channels == tuple(range(19))
    assert {s.found for s in p.sources} == {"present"}


def test_a_missing_electrode_is_interpolated_before_the_average_is_taken() -> None:
    labels = [n for n in ELECTRODES if n != "Pz"]
    p = plan(labels)
    potentials = _all_nodes(p)
    values = np.stack([potentials[n] for n in ELECTRODES])
    others = [i for i in range(N_ELECTRODES) if i != INDEX["Pz"]]
    values[INDEX["Pz"]] = (spline_weights(others, [INDEX["Pz"]]) @ values[others])[0]
    result = operator(p).matrix @ _channels(p, potentials)
    np.testing.assert_allclose(result, values - values.mean(axis=0), atol=1e-9)
    assert operator(p).how[INDEX["Pz"]] == "interpolated"


@given(bad=st.sets(st.integers(0, 18), max_size=3))
@settings(deadline=None)
def test_a_bad_electrode_enters_no_other(bad: set[int]) -> None:
    p = plan(list(ELECTRODES))
    found = operator(p, frozenset(bad))
    assert {i for i, u in enumerate(found.usable) if not u} == bad
    assert np.all(found.matrix[:, sorted(bad)] == 0.0)
    np.testing.assert_allclose(found.matrix.sum(axis=1), 0.0, atol=1e-9)


@given(bad=st.sets(st.integers(0, 20), max_size=4))
@settings(deadline=None)
def test_a_flat_derivation_does_not_spread(bad: set[int]) -> None:
    p = plan(CHBMIT)
    potentials = _all_nodes(p)
    channels = _channels(p, potentials)
    broken = channels.copy()
    broken[sorted(bad)] = 0.0
    found = operator(p, frozenset(bad))
    assert np.all(found.matrix[:, sorted(bad)] == 0.0)
    result = found.matrix @ broken
    for row, (a, b) in enumerate(p.edges):
        live = row not in bad and max(a, b) < N_ELECTRODES
        if live and found.usable[a] and found.usable[b]:
            np.testing.assert_allclose(result[a] - result[b], channels[row], atol=1e-6)


def test_an_electrode_cut_off_from_its_chain_is_unusable() -> None:
    p = plan(CHBMIT)
    rows = [i for i, c in enumerate(p.channels) if "FP1" in CHBMIT[c]]
    found = operator(p, frozenset(rows))
    assert [n for n, u in zip(ELECTRODES, found.usable, strict=True) if not u] == ["Fp1"]
    assert found.how[INDEX["Fp1"]] == "interpolated"


def test_below_four_usable_electrodes_nothing_is_made_up() -> None:
    found = operator(plan(list(ELECTRODES)), frozenset(range(16)))
    assert set(found.how) == {"missing"}
    assert not found.matrix.any()


def test_a_fourth_group_counts_as_missing() -> None:
    pairs = ["Fp1-F7", "F7-F3", "Fp2-F8", "F8-F4", "C3-T3", "T3-T5", "C4-T4"]
    p = plan(pairs)
    assert [len(c) for c in p.components] == [3, 3, 3]
    assert {"C4", "T4"} <= set(p.missing)


def test_a_plain_name_beats_a_prefixed_one_and_a_live_channel_a_dead_one() -> None:
    assert plan(["EEG Fp1-Ref", "Fp1", "F3"]).channels == (1, 2)
    assert plan(["Fp1", "Fp1", "F3"]).channels == (0, 2)
    assert plan(["Fp1", "Fp1", "F3"], dead=frozenset({0})).channels == (1, 2)


def test_the_reference_that_most_electrodes_have_is_kept() -> None:
    p = plan([*(f"{n}-A1" for n in ELECTRODES[:5]), *ELECTRODES, *(f"{n}-A2" for n in ELECTRODES[5:9])])
    assert p.channels == tuple(range(5, 24))
    assert {s.found for s in p.sources} == {"present"}
    assert not p.warnings
    assert not p.duplicates


def test_mixed_references_are_told() -> None:
    p = plan([f"{n}-{'REF' if i < 12 else 'AVG'}" for i, n in enumerate(ELECTRODES)])
    assert [len(c) for c in p.components] == [19]
    assert "different references" in p.warnings[0]


def test_excluded_channels_are_missing() -> None:
    p = plan(list(ELECTRODES), excluded=frozenset({4}))
    assert p.missing == ("F7",)


def test_channel_map_renames_takes_out_and_wins() -> None:
    labels = [*ELECTRODES[:18], "E83", "E1"]
    p = plan(labels, channel_map={"e83": "O2", "E1": "T5", "Fz": "-"})
    found = {s.name: (s.found, s.labels) for s in p.sources}
    assert found["O2"] == ("renamed", ("E83",))
    assert found["T5"] == ("renamed", ("E1",))
    assert found["Fz"][0] == "missing"


def test_channel_map_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match="no electrode"):
        plan(list(ELECTRODES), channel_map={"Fz": "Fq"})
    assert "lacks" in plan(list(ELECTRODES), channel_map={"E200": "Fz"}).warnings[0]


def test_loops_that_close_leave_no_residual_and_a_mislabelled_one_does() -> None:
    p = plan(CHBMIT)
    channels = _channels(p, _all_nodes(p))
    assert loop_residual(p, channels)[0] == pytest.approx(0.0, abs=1e-9)
    channels[[0, 5]] = channels[[5, 0]]
    residual_uv, derivation = loop_residual(p, channels)
    assert residual_uv > 10
    assert derivation


def test_no_channels_no_residual() -> None:
    assert loop_residual(plan(["EKG"]), np.zeros((0, 100))) == (0.0, "")


def test_two_labels_mapped_to_one_electrode_are_refused() -> None:
    labels = [*ELECTRODES, "X1", "X2"]
    with pytest.raises(ValueError, match="'X1' and 'X2' are both mapped to Fp1"):
        plan(labels, channel_map={"X1": "Fp1", "X2": "Fp1"})
    assert not plan(labels, channel_map={"X1": "-", "X2": "-"}).warnings
    several_devices = {"X1": "Fp1", "E22": "Fp1"}  # only one of them is in this recording
    assert "E22" in plan(labels, channel_map=several_devices).warnings[0]


def test_what_a_map_names_and_the_recording_lacks_is_told_with_what_is_there() -> None:
    warnings = plan(["001", "002"], channel_map={"1": "Fp1", "2": "Fp2"}).warnings
    assert any("names 1, 2, which the recording lacks" in w and "001" in w for w in warnings)


@pytest.mark.parametrize("value", ["", " ", "-", " - "])
def test_a_map_to_nothing_takes_a_channel_out(value: str) -> None:
    found = plan(ELECTRODES, channel_map={"fp1": value})
    assert 0 not in found.channels
    assert len(found.channels) == N_ELECTRODES - 1
